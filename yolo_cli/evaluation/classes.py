"""Match the classes of a model and a data set: by name, by synonym, and by ``--map``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.class_names import class_key
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError, UsageError
from yolo_cli.text import counted, did_you_mean, nearest

__all__ = ["ClassMatch", "match_classes"]

Integers = NDArray[np.integer[Any]]

_ALIKE = 0.8  # difflib's ratio from which two names may mean the same class
_MOST_PAIRS = 1_000_000  # of names that are compared: a second


@dataclass(frozen=True, slots=True, eq=False)
class ClassMatch:
    """The J evaluated classes, and their correspondence to those of the model and the data.

    Attributes:
        names: J class names, from the data.
        of_model: (M,), for each class of the model its index in ``names``, or -1.
        of_data: (K,), for each class of the data its index in ``names``, or -1.
        only_model: unmatched classes of the model; their detections are not evaluated.
        only_data: unmatched classes of the data; they are evaluated, and count as missed.
        near: for classes in ``only_data``, a similar name in ``only_model``.
        synonyms: classes of the model with another name in the data, and that name.
    """

    names: tuple[str, ...]
    of_model: Integers
    of_data: Integers
    only_model: tuple[str, ...]
    only_data: tuple[str, ...]
    near: Mapping[str, str]
    synonyms: Mapping[str, str]

    @property
    def notes(self) -> tuple[str, ...]:
        """One line each about synonyms and about unmatched classes."""
        lines = []
        if self.synonyms:
            pairs = ", ".join(f"{theirs} = {ours}" for theirs, ours in self.synonyms.items())
            lines.append(f"taken for the same class (model = data): {pairs}")
        if self.only_data:
            what = f"{len(self.only_data)} of {counted(len(self.names), 'class')} of the data"
            lines.append(f"unknown to the model, and thus missed: {what}: {_some(self.only_data)}")
        if self.near:
            pairs = " ".join(f"--map '{theirs}={ours}'" for ours, theirs in self.near.items())
            lines.append(f"some of these may go by other names: {pairs}")
        if self.only_model:
            one = len(self.only_model) == 1
            what = f"{counted(len(self.only_model), 'class')} of the model {'is' if one else 'are'}"
            lines.append(f"{what} not in the data, and left out: {_some(self.only_model)}")
        return tuple(lines)

    def found(self, detections: Detections) -> Detections:
        """Detections of the model with class ids in ``names``; those of other classes are dropped."""
        class_id = self.of_model[detections.class_id]  # (N,)
        kept = class_id >= 0  # (N,)
        return replace(detections[kept], class_id=class_id[kept])

    def ground_truth(self, ground_truth: GroundTruth) -> GroundTruth:
        """Ground truth of the data with class ids in ``names``; that of other classes is dropped."""
        class_id = self.of_data[ground_truth.class_id]  # (N,)
        kept = class_id >= 0  # (N,)
        of_kept = ground_truth[kept]
        return replace(of_kept, class_id=class_id[kept])


def match_classes(
    model: Sequence[str],
    data: Sequence[str],
    renamed: Mapping[str, str] | None = None,
    only: Iterable[str] = (),
) -> ClassMatch:
    """Match classes by name.

    Args:
        model: the model's class names.
        data: the data set's.
        renamed: ``--map``: names in the data of classes of the model; several may map to one.
        only: ``--classes``: evaluate only these classes of the data; empty means all.

    Raises:
        UsageError: if ``renamed`` or ``only`` names an unknown class.
        DataError: if model and data have no class in common.

    >>> match = match_classes(["cat", "sofa", "do"], ["couch", "cat", "dog"])
    >>> match.of_model.tolist(), match.synonyms, match.only_data
    ([1, 0, -1], {'sofa': 'couch'}, ('dog',))
    """
    renamed, wanted = renamed or {}, dict.fromkeys(only)
    _check_words("--map", renamed, model, "model")
    _check_words("--map", renamed.values(), data, "data")
    _check_words("--classes", wanted, data, "data")
    names = tuple(name for name in dict.fromkeys(data) if not wanted or name in wanted)
    place = {name: index for index, name in enumerate(names)}
    synonyms = _synonyms([name for name in model if name not in renamed], data, set(renamed.values()))
    called = [renamed.get(name) or synonyms.get(name, name) for name in model]
    of_model = np.array([place.get(name, -1) for name in called], np.int64)  # (M,)
    of_data = np.array([place.get(name, -1) for name in data], np.int64)  # (K,)
    there, found = set(data), set(called)
    only_model = tuple(name for name, other in zip(model, called, strict=True) if other not in there)
    only_data = tuple(name for name in names if name not in found)
    near = _near(only_model, only_data)
    if (of_model < 0).all():
        raise DataError(_nothing_in_common(model, names, near))
    used = {theirs: ours for theirs, ours in synonyms.items() if ours in place}
    return ClassMatch(names, of_model, of_data, only_model, only_data, near, used)


def _synonyms(model: Sequence[str], data: Sequence[str], taken: Set[str]) -> dict[str, str]:
    """Classes of the model without a namesake in the data → the only synonymous class of the data."""
    theirs, ours = set(model), set(data)
    open_model = _by_key(name for name in model if name not in ours)
    open_data = _by_key(name for name in data if name not in theirs and name not in taken)
    return {
        open_model[key][0]: open_data[key][0]
        for key in open_model
        if len(open_model[key]) == len(open_data.get(key, [])) == 1
    }


def _by_key(names: Iterable[str]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        keys.setdefault(class_key(name), []).append(name)
    return keys


def _check_words(option: str, words: Iterable[str], known: Sequence[str], whose: str) -> None:
    """Raise UsageError for the first word that is not a class."""
    for word in words:
        if word not in known:
            hint = did_you_mean(word, known, f"it has {', '.join(known[:5])}, …")
            raise UsageError(f"{option}: the {whose} has no class '{word}'; {hint}")


def _near(only_model: Sequence[str], only_data: Sequence[str]) -> dict[str, str]:
    """For each class of the data the most similarly named class of the model, if any is similar.

    A hint only, which thousands of names on both sides do without.
    """
    if len(only_model) * len(only_data) > _MOST_PAIRS:
        return {}
    plain = {class_key(name): name for name in only_model}
    near = {}
    for name in only_data:
        word = nearest(class_key(name), plain, _ALIKE)
        if word is not None:
            near[name] = plain[word]
    return near


def _nothing_in_common(model: Sequence[str], data: Sequence[str], near: Mapping[str, str]) -> str:
    """Why nothing can be evaluated, in one line."""
    some = [", ".join(names[:4]) + (", …" if len(names) > 4 else "") for names in (model, data)]
    pairs = " ".join(f"--map '{theirs}={ours}'" for ours, theirs in list(near.items())[:3])
    hint = f"try {pairs}" if pairs else "say which is which with --map old=new"
    return f"no class of the model ({some[0]}) is one of the data ({some[1]}); {hint}"


def _some(names: Sequence[str], maximum: int = 12) -> str:
    more = len(names) - maximum
    return ", ".join(names[:maximum]) + (f" and {more} more" if more > 0 else "")
