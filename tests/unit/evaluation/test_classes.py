"""Which class is which: by name, by --map, and what is said of those without a partner."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError, UsageError
from yolo_cli.judging import match_classes

MODEL = ("person", "sofa", "diningtable", "aeroplane", "zebra")
DATA = ("couch", "dining table", "person", "airplane", "unicorn")


def test_classes_are_matched_by_name_alone() -> None:
    match = match_classes(MODEL, DATA)
    assert match.names == DATA
    assert match.of_model.tolist() == [2, -1, -1, -1, -1]
    assert match.only_model == ("sofa", "diningtable", "aeroplane", "zebra")
    assert match.only_data == ("couch", "dining table", "airplane", "unicorn")


def test_names_that_may_be_meant_are_offered_and_not_taken() -> None:
    near = match_classes(MODEL, DATA).near
    assert near == {"couch": "sofa", "dining table": "diningtable", "airplane": "aeroplane"}


def test_map_joins_classes_and_several_may_become_one() -> None:
    match = match_classes(MODEL, DATA, {"sofa": "couch", "zebra": "unicorn", "aeroplane": "unicorn"})
    assert match.of_model.tolist() == [2, 0, -1, 4, 4]
    assert match.only_data == ("dining table", "airplane")


def test_a_mapped_class_is_no_longer_the_one_of_its_own_name() -> None:
    match = match_classes(["cat", "dog"], ["cat", "dog"], {"cat": "dog"})
    assert match.of_model.tolist() == [1, 1]
    assert match.only_data == ("cat",)


def test_only_some_classes_are_judged() -> None:
    """Of the data's classes 0 to 4 only 2 and 0 stay, in the order of the data."""
    match = match_classes(MODEL, DATA, {"sofa": "couch"}, only=["person", "couch"])
    assert match.names == ("couch", "person")
    assert match.of_model.tolist() == [1, 0, -1, -1, -1]
    assert match.of_data.tolist() == [0, -1, 1, -1, -1]
    assert match.only_data == ()
    assert match.only_model == ("diningtable", "aeroplane", "zebra")  # person and sofa have partners


def test_boxes_of_other_classes_go() -> None:
    match = match_classes(MODEL, DATA, {"sofa": "couch"}, only=["couch"])
    boxes = np.arange(12, dtype=float).reshape(3, 4)
    found = match.found(Detections(boxes, np.array([0.1, 0.2, 0.3]), np.array([1, 4, 1])))
    assert (found.class_id.tolist(), found.confidence.tolist()) == ([0, 0], [0.1, 0.3])
    crowd, difficult, area = np.array([1, 0, 0], bool), np.array([0, 1, 0], bool), np.array([5.0, 6.0, 7.0])
    ground_truth = match.ground_truth(GroundTruth(boxes, np.array([2, 0, 4]), crowd, difficult, area))
    assert ground_truth.class_id.tolist() == [0]
    assert (ground_truth.crowd.tolist(), ground_truth.difficult.tolist(), ground_truth.area.tolist()) == (
        [False],
        [True],
        [6.0],
    )


@pytest.mark.parametrize(
    ("renamed", "only", "says"),
    [
        ({"sofaa": "couch"}, (), "--map: the model has no class 'sofaa'; did you mean sofa?"),
        ({"sofa": "cuch"}, (), "--map: the data has no class 'cuch'; did you mean couch?"),
        ({}, ["qqq"], "--classes: the data has no class 'qqq'; it has couch, dining table"),
    ],
)
def test_an_unknown_word_is_one_line(renamed: dict[str, str], only: list[str], says: str) -> None:
    with pytest.raises(UsageError) as fault:
        match_classes(MODEL, DATA, renamed, only)
    assert str(fault.value).startswith(says)


def test_nothing_in_common_is_a_fault_of_the_data() -> None:
    with pytest.raises(DataError) as fault:
        match_classes(["sofa", "Helmet"], ["couch", "helmet"])
    assert "no class of the model (sofa, Helmet) is one of the data (couch, helmet)" in str(fault.value)
    assert "--map 'sofa=couch' --map 'Helmet=helmet'" in str(fault.value)
    assert fault.value.exit_code == 3
