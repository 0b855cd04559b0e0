"""Which class is which: by name, by --map, and what is said of those without a partner."""

from __future__ import annotations

import time

import numpy as np
import pytest

from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation import match_classes

MODEL = ("person", "sofa", "dinning table", "aeroplane", "zebra")
DATA = ("couch", "dining table", "person", "airplane", "unicorn")


def test_classes_are_matched_by_name_and_by_meaning() -> None:
    match = match_classes(MODEL, DATA)
    assert match.names == DATA
    assert match.of_model.tolist() == [2, 0, -1, 3, -1]
    assert match.synonyms == {"sofa": "couch", "aeroplane": "airplane"}
    assert match.only_model == ("dinning table", "zebra")
    assert match.only_data == ("dining table", "unicorn")


@pytest.mark.parametrize(
    ("voc", "coco"),
    [
        ("motorbike", "motorcycle"),
        ("tvmonitor", "tv"),
        ("aeroplane", "airplane"),
        ("sofa", "couch"),
        ("diningtable", "dining table"),
        ("pottedplant", "potted plant"),
        ("TV-Monitor", "Tv"),
        ("potted_plant", "Potted Plant"),
        ("Person", "person"),
    ],
)
def test_words_of_coco_and_voc_mean_the_same_both_ways(voc: str, coco: str) -> None:
    for model, data in ((voc, coco), (coco, voc)):
        match = match_classes([model, "x"], ["y", data])
        assert match.of_model.tolist() == [1, -1]
        assert match.synonyms == {model: data}
        assert match.notes[0] == f"taken for the same class (model = data): {model} = {data}"


def test_a_namesake_goes_before_a_synonym_and_an_ambiguous_one_is_left_alone() -> None:
    """The model has both words, or the data has two spellings: which is meant is for the user to say."""
    assert match_classes(["sofa", "couch"], ["couch", "cat"]).of_model.tolist() == [-1, 0]
    assert match_classes(["sofa", "cat"], ["couch", "Couch", "cat"]).synonyms == {}
    assert match_classes(["sofa", "Sofa", "cat"], ["couch", "cat"]).synonyms == {}


def test_map_goes_before_a_synonym() -> None:
    match = match_classes(["sofa", "bench"], ["couch", "bench"], {"sofa": "bench"})
    assert (match.of_model.tolist(), match.synonyms) == ([1, 1], {})
    match = match_classes(["sofa", "bench", "settee"], ["couch"], {"settee": "couch"})
    assert (match.of_model.tolist(), match.synonyms) == ([-1, -1, 0], {})


def test_names_without_letters_mean_only_themselves() -> None:
    assert match_classes(["#", "a"], ["?", "a"]).of_model.tolist() == [-1, 1]


def test_names_that_may_be_meant_are_offered_and_not_taken() -> None:
    match = match_classes(MODEL, DATA)
    assert match.near == {"dining table": "dinning table"}
    assert "some of these may go by other names: --map 'dinning table=dining table'" in match.notes


def test_map_joins_classes_and_several_may_become_one() -> None:
    match = match_classes(MODEL, DATA, {"sofa": "couch", "zebra": "unicorn", "aeroplane": "unicorn"})
    assert match.of_model.tolist() == [2, 0, -1, 4, 4]
    assert match.only_data == ("dining table", "airplane")


def test_a_mapped_class_is_no_longer_the_one_of_its_own_name() -> None:
    match = match_classes(["cat", "dog"], ["cat", "dog"], {"cat": "dog"})
    assert match.of_model.tolist() == [1, 1]
    assert match.only_data == ("cat",)


def test_only_some_classes_are_evaluated() -> None:
    """Of the data's classes 0 to 4 only 2 and 0 stay, in the order of the data."""
    match = match_classes(MODEL, DATA, {"sofa": "couch"}, only=["person", "couch"])
    assert match.names == ("couch", "person")
    assert match.of_model.tolist() == [1, 0, -1, -1, -1]
    assert match.of_data.tolist() == [0, -1, 1, -1, -1]
    assert match.only_data == ()
    assert match.only_model == ("dinning table", "zebra")  # the others have partners
    assert match.synonyms == {}  # the aeroplane is not among them


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
        ({"sofaa": "couch"}, (), "map: the model has no class 'sofaa'; did you mean sofa?"),
        ({"sofa": "cuch"}, (), "map: the data has no class 'cuch'; did you mean couch?"),
        ({}, ["qqq"], "classes: the data has no class 'qqq'; it has couch, dining table"),
    ],
)
def test_an_unknown_word_is_one_line(renamed: dict[str, str], only: list[str], says: str) -> None:
    with pytest.raises(UsageError) as fault:
        match_classes(MODEL, DATA, renamed, only)
    assert str(fault.value).startswith(says)


def test_nothing_in_common_is_a_fault_of_the_data() -> None:
    with pytest.raises(DataError) as fault:
        match_classes(["sofas", "Helmets"], ["couch", "helmet"])
    assert "no class of the model (sofas, Helmets) is one of the data (couch, helmet)" in str(fault.value)
    assert "try map 'Helmets=helmet'" in str(fault.value)
    assert fault.value.exit_code == 3


def test_classes_of_the_model_alone_are_named() -> None:
    note = "2 classes of the model are not in the data, and left out: dinning table, zebra"
    assert match_classes(MODEL, DATA).notes[-1] == note


def test_where_nothing_is_in_common_four_names_of_each_are_shown() -> None:
    with pytest.raises(DataError, match=r"\(a, b, c, d\) is one of the data \(v, w, x, y, …\)"):
        match_classes(["a", "b", "c", "d"], ["v", "w", "x", "y", "z"])


def test_a_hundred_thousand_names_are_matched_in_a_second() -> None:
    """Similar names are not looked for among so many: 10 s for the 80 of COCO, hours for as many again."""
    model, data = ([f"{kind}{i}" for i in range(100_000)] for kind in ("a", "b"))
    start = time.process_time()
    matched = match_classes([*model, "cat"], ["cat", *data])
    assert time.process_time() - start < 4
    assert (matched.of_model[-1], len(matched.only_data), matched.near) == (0, 100_000, {})
