"""Which class of a model is which class of a data set: by name, and by what the user says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError, UsageError
from yolo_cli.text import did_you_mean, nearest

__all__ = ["ClassMatch", "match_classes"]

Integers = NDArray[np.integer[Any]]

# Names for one thing that no comparison of letters finds; each line is tried both ways.
_SAME_THING = (("sofa", "couch"), ("tvmonitor", "tv"), ("motorbike", "motorcycle"))
_ALIKE = 0.8  # difflib's ratio from which two names may be meant to be one


@dataclass(frozen=True, slots=True, eq=False)
class ClassMatch:
    """The J classes that are judged, and what becomes of those of model and data.

    Attributes:
        names: J class names, as the data has them.
        of_model: (M,), for each class of the model its place in ``names``, or -1.
        of_data: (K,), for each class of the data its place in ``names``, or -1.
        only_model: classes of the model without a partner; what is found of them is not judged.
        only_data: classes of the data without one; they are judged, and count as missed.
        near: for classes in ``only_data``, the one in ``only_model`` that may be meant.
    """

    names: tuple[str, ...]
    of_model: Integers
    of_data: Integers
    only_model: tuple[str, ...]
    only_data: tuple[str, ...]
    near: Mapping[str, str]

    def found(self, detections: Detections) -> Detections:
        """Detections of the model with their places in ``names``; those without one go."""
        class_id = self.of_model[detections.class_id]  # (N,)
        kept = class_id >= 0  # (N,)
        return replace(detections[kept], class_id=class_id[kept])

    def ground_truth(self, ground_truth: GroundTruth) -> GroundTruth:
        """Ground truth of the data with its places in ``names``; what has none goes."""
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
        renamed: ``--map``: what classes of the model are called in the data; several may become one.
        only: ``--classes``: judge only these of the data's; none means all.

    Raises:
        UsageError: if ``renamed`` or ``only`` names a class that is not there.
        DataError: if no class of the model is one of the data's.

    >>> match = match_classes(["cat", "sofa"], ["couch", "cat"])
    >>> match.of_model.tolist(), match.only_data, match.near
    ([1, -1], ('couch',), {'couch': 'sofa'})
    """
    renamed, wanted = renamed or {}, tuple(only)
    _check_words("--map", renamed, model, "model")
    _check_words("--map", renamed.values(), data, "data")
    _check_words("--classes", wanted, data, "data")
    names = tuple(name for name in dict.fromkeys(data) if not wanted or name in wanted)
    place = {name: index for index, name in enumerate(names)}
    called = [renamed.get(name, name) for name in model]
    of_model = np.array([place.get(name, -1) for name in called], np.int64)  # (M,)
    of_data = np.array([place.get(name, -1) for name in data], np.int64)  # (K,)
    only_model = tuple(name for name, other in zip(model, called, strict=True) if other not in data)
    only_data = tuple(name for name in names if name not in called)
    near = _near(only_model, only_data)
    if (of_model < 0).all():
        raise DataError(_nothing_in_common(model, names, near))
    return ClassMatch(names, of_model, of_data, only_model, only_data, near)


def _check_words(option: str, words: Iterable[str], known: Sequence[str], whose: str) -> None:
    """Raise UsageError for the first word that is no class."""
    for word in words:
        if word not in known:
            hint = did_you_mean(word, known, f"it has {', '.join(known[:5])}, …")
            raise UsageError(f"{option}: the {whose} has no class '{word}'; {hint}")


def _near(only_model: Sequence[str], only_data: Sequence[str]) -> dict[str, str]:
    """For each class of the data the class of the model that looks most like it, if any does."""
    plain = {_letters(name): name for name in only_model}
    synonyms = dict([*_SAME_THING, *(pair[::-1] for pair in _SAME_THING)])
    near = {}
    for name in only_data:
        letters = _letters(name)
        tries = [letters, synonyms.get(letters, ""), nearest(letters, plain, _ALIKE)]
        found = [plain[word] for word in tries if word in plain]
        if found:
            near[name] = found[0]
    return near


def _letters(name: str) -> str:
    """A name without case, blanks, hyphens and underscores."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _nothing_in_common(model: Sequence[str], data: Sequence[str], near: Mapping[str, str]) -> str:
    """Why nothing can be judged, in one line."""
    some = [", ".join(names[:4]) + (", …" if len(names) > 4 else "") for names in (model, data)]
    pairs = " ".join(f"--map '{theirs}={ours}'" for ours, theirs in list(near.items())[:3])
    hint = f"try {pairs}" if pairs else "say which is which with --map old=new"
    return f"no class of the model ({some[0]}) is one of the data ({some[1]}); {hint}"
