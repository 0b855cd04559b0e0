"""Group images that belong together: the same image twice, and near-duplicates."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.inspection import Watch, inspect_images, near_pairs
from yolo_cli.datasets.sample import Sample

__all__ = ["group_images"]


def group_images(
    samples: Sequence[Sample], keys: Iterable[tuple[int, Hashable]] = (), watch: Watch | None = None
) -> NDArray[np.intp]:
    """The group of each image, (n,), numbered from 0; those of equal or nearly equal images are the same.

    Args:
        samples: the images.
        keys: index and key of images; those with the same key belong together, too.
        watch: wraps the stream of images, to show progress.
    """
    return _components(len(samples), [*keys, *_twin_keys(samples, watch)])


def _twin_keys(samples: Sequence[Sample], watch: Watch | None) -> Iterator[tuple[int, Hashable]]:
    """Index and key of images that are equal or near-duplicates; the key is the same for both."""
    inspections = inspect_images((sample.path for sample in samples), watch)
    for i, sample in enumerate(samples):
        yield i, ("file", inspections[sample.path].sha256 or i)
    readable = [i for i, sample in enumerate(samples) if not inspections[sample.path].fault]
    seen = [inspections[samples[i].path] for i in readable]
    for a, b, _, _ in near_pairs(seen, seen):
        if a < b:
            yield readable[a], ("near", a, b)
            yield readable[b], ("near", a, b)


def _components(size: int, keys: Iterable[tuple[int, Hashable]]) -> NDArray[np.intp]:
    """The group of each index, (size,), numbered from 0: two are in one if a chain of keys connects them."""
    parent = list(range(size))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[Hashable, int] = {}
    for i, key in keys:
        parent[root(i)] = root(first.setdefault(key, i))
    return np.unique([root(i) for i in range(size)], return_inverse=True)[1]
