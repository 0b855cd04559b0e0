"""A model with key points, from pixels to every output: by its card, on tiles and drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.grid_networks import card_of, write_grid
from yolo_cli import load_detector
from yolo_cli.detections import Detections
from yolo_cli.errors import DataError
from yolo_cli.images import Image
from yolo_cli.keypoints import KeyPoints
from yolo_cli.pipeline.formats import FORMATS, Model
from yolo_cli.pipeline.journal import Journal
from yolo_cli.pipeline.outcome import Outcome
from yolo_cli.render import class_colour, draw
from yolo_cli.results import Result
from yolo_cli.weights import ModelCard

POINTS = KeyPoints(("nose", "tail"), ((0, 1),), (), (0.1, 0.05))
RGB = np.random.default_rng(5).integers(0, 256, (90, 120, 3)).astype(np.uint8)
ONE = Detections(
    np.float32([[10, 10, 30, 20]]), np.float32([0.9]), np.array([1]),
    keypoints=np.float32([[[12, 11, 0.75], [28, 19, 0.25]]]), skeleton=((0, 1),),
)  # fmt: skip
MODEL = Model("pose", ("cat", "dog"), (64, 64), keypoints=POINTS)


def pose_card() -> ModelCard:
    card = card_of()
    return replace(card, heads=tuple(replace(head, key_points=2) for head in card.heads), keypoints=POINTS)


def printed(form: str, found: Detections = ONE) -> str:
    image = Image(np.zeros((50, 100, 3), np.uint8), "a.jpg")
    return "".join(FORMATS[form](iter([Outcome("a.jpg", found, None, image)]), MODEL))


def test_a_card_keeps_its_key_points() -> None:
    assert ModelCard.from_json(pose_card().to_json(), "x") == pose_card()


def test_a_card_without_key_points_says_nothing_of_them() -> None:
    assert "key" not in card_of().to_json()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"sigmas": [0.1]}, "keypoints is not a list of 2 to 2 values"),
        ({"skeleton": [[0, 2]]}, "not a number from 0 to 1"),
        ({"flip_idx": [0, 0]}, "does not hold each point once"),
        (
            {"names": ["nose"], "sigmas": [0.1], "skeleton": []},
            "keypoints has 1 points, but heads has another",
        ),
    ],
)
def test_a_card_that_contradicts_itself(change: dict[str, Any], what: str) -> None:
    values = json.loads(pose_card().to_json())
    values["keypoints"] |= change
    with pytest.raises(DataError, match=what):
        ModelCard.from_json(json.dumps(values), "x")


def test_from_pixels_to_points_and_on_one_tile(tmp_path: Path) -> None:
    model = write_grid(tmp_path / "pose.onnx", pose_card())
    found = load_detector(str(model), conf=0.2)(RGB)
    assert isinstance(found, Result)
    assert len(found)
    assert found.keypoints is not None
    assert found.keypoints.shape == (len(found), 2, 3)
    assert found.detections.skeleton == ((0, 1),)
    assert found[0].keypoints == tuple(map(tuple, found.keypoints[0].tolist()))
    tiled = load_detector(str(model), conf=0.2, tile=(200, 200))(RGB)  # the image is one tile
    np.testing.assert_allclose(tiled.keypoints, found.keypoints)


def test_points_on_tiles_are_in_pixels_of_the_image(tmp_path: Path) -> None:
    model = write_grid(tmp_path / "pose.onnx", pose_card())
    wide = np.concatenate([np.zeros((64, 96, 3), np.uint8), RGB[:64, :96]], axis=1)
    options: Any = {"conf": 0.3, "tile": (64, 96), "tile_overlap": 0.0}
    whole, part = (
        load_detector(str(model), **options)(wide),
        load_detector(str(model), conf=0.3)(RGB[:64, :96]),
    )
    moved = part.xyxy + np.float32([96, 0, 96, 0])
    pairs = [
        (i, j) for i in range(len(whole)) for j in range(len(part)) if np.allclose(whole.xyxy[i], moved[j])
    ]
    assert pairs  # what the right tile shows
    for i, j in pairs:
        np.testing.assert_allclose(whole.keypoints[i], part.keypoints[j] + [96, 0, 0], rtol=1e-4, atol=1e-3)


def test_json_and_csv_and_coco() -> None:
    value = json.loads(printed("json"))
    assert value["model"]["keypoint_names"] == ["nose", "tail"]
    assert value["model"]["skeleton"] == [[0, 1]]
    assert value["images"][0]["detections"][0]["keypoints"] == [[12.0, 11.0, 0.75], [28.0, 19.0, 0.25]]
    head, row = printed("csv").splitlines()
    assert head.endswith("y2,kpt1_x,kpt1_y,kpt1_visible,kpt2_x,kpt2_y,kpt2_visible")
    assert row.endswith(",12.0,11.0,0.75,28.0,19.0,0.25")
    assert json.loads(printed("coco"))[0]["keypoints"] == [12.0, 11.0, 0.75, 28.0, 19.0, 0.25]


def test_a_proposal_for_label_studio_has_the_visible_points() -> None:
    [task] = json.loads(printed("label-studio"))
    box, nose = task["predictions"][0]["result"]  # the tail is at 0.25, below the visibility that is drawn
    assert nose["parentID"] == box["id"]
    assert nose["value"]["keypointlabels"] == ["nose"]
    # 12 of 100 and 11 of 50 pixels, in percent
    assert (nose["value"]["x"], nose["value"]["y"]) == (12.0, 22.0)


def test_rows_of_yolo() -> None:
    # On 100 × 50 pixels: 12 / 100, 11 / 50, 28 / 100 and 19 / 50; with confidence as they are.
    assert printed("yolo").splitlines()[1] == (
        "1 0.200000 0.300000 0.200000 0.200000 0.120000 0.220000 0.7500 0.280000 0.380000 0.2500 0.9000"
    )


def test_a_journal_keeps_points(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    journal = Journal.start(path, {"model": "x"})
    journal.add(Outcome("a", ONE))
    journal.add(Outcome("b", Detections()))
    journal.close()
    again = Journal.resume(path, {"model": "x"})
    again.close()
    done = again.done
    assert np.array_equal(done["a"].detections.keypoints, ONE.keypoints)
    assert done["b"].detections.keypoints is None


def test_visible_points_and_lines_are_drawn() -> None:
    image, blank = Image(np.zeros((50, 100, 3), np.uint8)), replace(ONE, keypoints=None, skeleton=())
    with_points, without = draw(image, ONE, ("cat", "dog")), draw(image, blank, ("cat", "dog"))
    assert tuple(with_points[14, 14]) != class_colour(1)  # the tail is not visible, so there is no line
    assert tuple(with_points[11, 12]) == class_colour(0)  # that of the first point
    seen = replace(ONE, keypoints=np.float32([[[12, 14, 1], [28, 14, 1]]]))
    both = draw(image, seen, ("cat", "dog"))
    assert (tuple(both[14, 12]), tuple(both[14, 28])) == (
        class_colour(0),
        class_colour(1),
    )  # left is not right
    assert (
        np.abs(both[14, 20].astype(int) - class_colour(1)).max() < 32
    )  # a line is smoothed; a dog is class 1
    assert tuple(without[14, 20]) == (0, 0, 0)


def test_points_far_outside_are_drawn_without_harm() -> None:
    wild = replace(ONE, keypoints=np.float32([[[1e30, -1e30, 1], [12, 11, 1]]]))
    assert draw(Image(np.zeros((50, 100, 3), np.uint8)), wild, ("cat", "dog")).shape == (50, 100, 3)


def test_openvino_finds_the_same_key_points_as_onnx_runtime(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    model = str(write_grid(tmp_path / "pose.onnx", pose_card()))
    onnx, openvino = (
        load_detector(model, engine=engine, conf=0.1).detector.detect([Image(RGB)])[0]
        for engine in ("onnx", "openvino")
    )
    assert len(onnx) > 20
    assert onnx.keypoints.shape == (len(onnx), 2, 3)
    assert np.abs(openvino.keypoints - onnx.keypoints).max() < 0.01  # pixels, and of visibility
