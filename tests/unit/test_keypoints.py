"""The key points of a data set or model: mirror images by name, sigmas, objects of several images."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.errors import UsageError
from yolo_cli.keypoints import KeyPoints, end_to_end, flip_by_names, with_sigmas


@pytest.mark.parametrize(
    ("names", "flip_idx"),
    [
        (["nose", "left_eye", "right_eye"], (0, 2, 1)),
        (["L_Eye", "R_Eye", "nose"], (1, 0, 2)),
        (["leftover", "ripe"], ()),  # not words of their own
        (["left_eye", "nose"], ()),  # its partner is missing
        (["left", "left", "right"], ()),
        (["0", "1"], ()),
    ],
)
def test_names_say_what_a_mirror_exchanges(names: list[str], flip_idx: tuple[int, ...]) -> None:
    assert flip_by_names(names) == flip_idx


def test_sigmas_by_default_and_by_option() -> None:
    points = KeyPoints(("a", "b"))
    assert points.sigmas == (0.05, 0.05)
    assert with_sigmas(points, None) is points
    assert with_sigmas(points, [0.1]).sigmas == (0.1, 0.1)  # type: ignore[union-attr]
    assert with_sigmas(points, [0.1, 0.2]).sigmas == (0.1, 0.2)  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="sigmas: 3 numbers for 2 key points; give one for all"):
        with_sigmas(points, [0.1, 0.2, 0.3])
    for bad in (float("nan"), float("inf"), 0.0, -1.0):
        with pytest.raises(UsageError, match="sigmas: each must be from"):
            with_sigmas(points, [bad])
    with pytest.raises(UsageError, match="sigmas: there are no key points"):
        with_sigmas(None, [0.1])


def test_a_person_has_the_sigmas_of_coco() -> None:
    sides = ["eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"]
    person = KeyPoints(("nose", *(f"{side}_{part}" for part in sides for side in ("left", "right"))))
    assert person.sigmas[:3] == (0.026, 0.025, 0.025)
    assert len(person.sigmas) == 17


def test_the_same_points() -> None:
    named, nameless = KeyPoints(("a", "b")), KeyPoints(("0", "1"))
    assert named.same_as(nameless)
    assert not named.same_as(KeyPoints(("b", "a")))
    assert not named.same_as(KeyPoints(("a", "b", "c")))


def test_objects_of_images_without_points_have_none_labelled() -> None:
    one = np.ones((2, 3, 3))
    joined = end_to_end([None, one], [1, 2])
    assert joined is not None
    assert joined.shape == (3, 3, 3)
    assert (joined[0] == 0).all()
    assert end_to_end([None, None], [1, 0]) is None
