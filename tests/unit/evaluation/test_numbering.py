"""Results whose image ids are of another type, shifted, or of one of several entries of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from yolo_cli.datasets import Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.evaluation import read_results
from yolo_cli.evaluation.coco_results import unit_rounded


def samples(*ids: Any) -> list[Sample]:
    boxes = GroundTruth(np.array([[8.0, 8, 18, 18]]), np.zeros(1, np.int64))
    return [Sample(f"x{i}.jpg", Path(f"x{i}.jpg"), "val", own, "", boxes, (0,)) for i, own in enumerate(ids)]


def results(folder: Path, *ids: Any, score: float = 0.9) -> Path:
    path = folder / "res.json"
    entries = [{"image_id": own, "category_id": 1, "bbox": [8, 8, 10, 10], "score": score} for own in ids]
    path.write_text(json.dumps(entries))
    return path


@pytest.mark.parametrize(
    ("given", "add"), [((0, 1, 2, 3), "add 1 to each"), ((2, 3, 4, 5), "add -1 to each"), ((0, 2), "add 1")]
)
def test_a_shifted_numbering_is_named(tmp_path: Path, given: tuple[int, ...], add: str) -> None:
    with pytest.raises(DataError, match=add):
        read_results(results(tmp_path, *given), samples(1, 2, 3, 4), [1])


@pytest.mark.parametrize("given", [(0, 1, 4), (1, 2, 9), (1, 5)])
def test_one_odd_id_is_left_out(tmp_path: Path, given: tuple[int, ...]) -> None:
    # 0 with 4, the last image: no shift by 1 can have both. 9 is known with neither shift.
    known = samples(1, 2, 3, 4) if 5 not in given else samples(1, 2, 3)
    found = read_results(results(tmp_path, *given), known, [1])
    assert len(found.left_out) == 1


@pytest.mark.parametrize(
    ("own", "given"), [(1, 1.0), (1, "1"), ("1", 1), ("000001", "000001"), (7, "x0.jpg")]
)
def test_ids_of_another_type(tmp_path: Path, own: Any, given: Any) -> None:
    found = read_results(results(tmp_path, given), samples(own), [1])
    assert len(found.found["x0.jpg"]) == 1
    assert found.left_out == ()


def test_results_of_each_entry_of_a_file_are_of_its_image(tmp_path: Path) -> None:
    from dataclasses import replace

    one = replace(samples(1)[0], other_ids=(3,))
    assert len(read_results(results(tmp_path, 1, 3), [one], [1]).found["x0.jpg"]) == 2


def test_scores_just_outside_0_to_1_are_rounding(tmp_path: Path) -> None:
    found = read_results(results(tmp_path, 1, score=1.0000001192092896), samples(1), [1])
    assert found.found["x0.jpg"].confidence.tolist() == [1.0]
    assert unit_rounded(np.array([-1e-9, 0.5, 1.1, -0.1])).tolist() == [0, 0.5, 1.1, -0.1]
    with pytest.raises(DataError, match=r"score outside 0 to 1: 8, 8, 10, 10, 1\.00001"):
        read_results(results(tmp_path, 1, score=1.00001), samples(1), [1])


def test_ids_of_one_file_are_all_of_one_kind(tmp_path: Path) -> None:
    # Stems 0, 1, 2 of the ids 1, 2, 3: as ids, 0 would be unknown; as stems all are known.
    boxes = GroundTruth(np.array([[8.0, 8, 18, 18]]), np.zeros(1, np.int64))
    known = [Sample(f"{i}.jpg", Path(f"{i}.jpg"), "val", i + 1, "", boxes, (0,)) for i in range(3)]
    found = read_results(results(tmp_path, 0, 1, 2), known, [1]).found
    assert [len(found[f"{i}.jpg"]) for i in range(3)] == [1, 1, 1]
