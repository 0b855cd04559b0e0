"""Which folders and files are splits: train, val, test.

A name is not a split only because it holds such a word: a class folder may be called ``test_tube``. Siblings
decide. ``train`` beside ``val`` is a split, ``train`` beside ``bus`` and ``car`` is a class of COCO.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["split_called", "split_in", "splits_among", "splits_of"]

_WORDS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
          "validate": "val", "test": "test", "testing": "test", "trainset": "train", "valset": "val",
          "testset": "test"}  # fmt: skip
_FILLERS = {"instances", "instance", "annotations", "annotation", "coco", "labels", "label", "images",
            "image", "img", "imgs", "set", "data", "dataset", "split", "json", "person", "keypoints", "bbox",
            "gt", "subset", "part", "full", "jpg", "export", "default", "of"}  # fmt: skip


class _Name(NamedTuple):
    """A name in parts: the split that it holds, if any, and its other words without fillers and numbers."""

    split: str | None
    rest: tuple[str, ...]


def split_called(word: str) -> str | None:
    """The split in the name of a file or key by itself, or None.

    >>> [split_called(word) for word in ("valid", "instances_val2017", "testing", "test_tube", "rain")]
    ['val', 'val', 'test', None, None]
    """
    name = _parsed(word)
    return name.split if not name.rest else None


def split_in(word: str) -> str | None:
    """The split in a name, whatever else is in it.

    >>> split_in("train_fixed"), split_in("test_tube"), split_in("rain")
    ('train', 'test', None)
    """
    return _parsed(word).split


def splits_among(names: Iterable[str]) -> dict[str, str]:
    """The split of each of the names of siblings that is one; empty if they are not splits.

    They are if there are two different splits among them, or nothing else. Names with other words are
    splits if these are the same: ``pets_train`` and ``pets_val``.

    >>> splits_among(["train", "val", "extra"]), splits_among(["pets_train", "pets_val"])
    ({'train': 'train', 'val': 'val'}, {'pets_train': 'train', 'pets_val': 'val'})
    >>> splits_among(["test_tube", "train_ticket"]), splits_among(["train", "bus"])
    ({}, {})
    """
    parsed = {name: _parsed(name) for name in names}
    groups: defaultdict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for name, (split, rest) in parsed.items():
        if split:
            groups[rest][name] = split
    exact = groups.pop((), {})
    if exact and (len(set(exact.values())) > 1 or len(exact) == len(parsed)):
        return exact
    return next((group for group in groups.values() if len(set(group.values())) > 1), {})


def splits_of(folders: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """The split of each folder, given by the names on its path, that is in one.

    >>> splits_of([("images", "train", "a"), ("images", "val")])
    {('images', 'train', 'a'): 'train', ('images', 'val'): 'val'}
    """
    unique = list(dict.fromkeys(folders))
    children: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for parts in unique:
        for depth, name in enumerate(parts):
            children[parts[:depth]].add(name)
    splits = {prefix: splits_among(sorted(names)) for prefix, names in children.items()}
    found = {parts: _first(parts, splits) for parts in unique}
    return {parts: split for parts, split in found.items() if split}


def _first(parts: tuple[str, ...], splits: Mapping[tuple[str, ...], Mapping[str, str]]) -> str | None:
    """The split of the first folder on a path that is one."""
    words = (splits[parts[:depth]].get(name) for depth, name in enumerate(parts))
    return next(filter(None, words), None)


def _parsed(name: str) -> _Name:
    """The parts of a name: words of letters, also where a capital or number begins one."""
    words = re.findall(r"[a-z]+|[^\W\d_a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    splits = list(dict.fromkeys(_WORDS[word] for word in words if word in _WORDS))
    others = tuple(word for word in words if word not in _WORDS and word not in _FILLERS)
    return _Name(splits[0], others) if len(splits) == 1 else _Name(None, others)
