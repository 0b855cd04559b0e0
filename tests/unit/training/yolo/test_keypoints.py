"""Training with key points: the card, the figures and both files know them; without, nothing has changed."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training_sets import write_shapes, write_tiny_cfg
from yolo_cli import load_detector
from yolo_cli.codec import Head
from yolo_cli.config import AugmentConfig
from yolo_cli.datasets import open_dataset
from yolo_cli.training import new_job, train
from yolo_cli.training.events import Watcher
from yolo_cli.training.result import TrainResult
from yolo_cli.training.yolo.data import BatchMaker, Images
from yolo_cli.weights import read_card

HEAD = Head("yolo", ((16.0, 16.0), (28.0, 28.0)), 16, 2)


class Listener(Watcher):
    """Keeps what is told."""

    def __init__(self, told: list[str]) -> None:
        self.say = told.append  # type: ignore[method-assign]


def write_corners(root: Path, **counts: int) -> Path:
    """Shapes whose upper corners are key points, at the edges of their boxes."""
    write_shapes(root, **counts)
    for label in root.rglob("labels/*/*.txt"):
        rows = [list(map(float, line.split())) for line in label.read_text().splitlines()]
        lines = [
            f"{c:.0f} {x} {y} {w} {h} {x - w / 2} {y - h / 2} 2 {x + w / 2} {y - h / 2} 2\n"
            for c, x, y, w, h in rows
        ]
        label.write_text("".join(lines))
    description = root / "data.yaml"
    description.write_text(description.read_text() + "kpt_shape: [2, 3]\n")
    return root


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainResult, list[str]]:
    folder = tmp_path_factory.mktemp("corners")
    told: list[str] = []
    options = {"model": str(write_tiny_cfg(folder)), "epochs": 1, "batch": 4, "sigmas": (0.1,)}
    data = write_corners(folder / "data", train=4, val=2)
    return train(new_job(data=str(data), out=folder / "run", **options), Listener(told)), told


def test_the_card_has_the_points_and_their_sigmas(trained: tuple[TrainResult, list[str]]) -> None:
    card = read_card(trained[0].keras)
    assert card.keypoints is not None
    assert (card.keypoints.names, card.keypoints.sigmas) == (("0", "1"), (0.1, 0.1))
    assert [head.key_points for head in card.heads] == [2]
    assert card.figures[1].startswith("Key points: AP by OKS at 0.50 to 0.95 of 0.")


def test_nobody_knows_what_a_mirror_exchanges(trained: tuple[TrainResult, list[str]]) -> None:
    assert "no flip_idx, and no key point called left or right: images are not mirrored" in trained[1]


def test_the_table_has_their_losses_and_figure(trained: tuple[TrainResult, list[str]]) -> None:
    [row] = csv.DictReader((trained[0].out / "results.csv").read_text().splitlines())
    assert float(row["keypoints"]) > 0
    assert float(row["visible"]) > 0
    assert 0 <= float(row["keypoints_map"]) <= 1


def test_keras_and_onnx_find_the_same_points(trained: tuple[TrainResult, list[str]]) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    one, other = (
        load_detector(str(trained[0].out), conf=0.0, max_det=9, engine=engine)(rgb)
        for engine in ("keras", "onnx")
    )
    assert one.keypoints is not None
    assert one.keypoints.shape == (9, 2, 3)
    np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-2)


def test_batches_without_key_points_have_no_more_than_before(tmp_path: Path) -> None:
    plain, marked = write_shapes(tmp_path / "a"), write_corners(tmp_path / "b")
    batches = []
    for place, points in ((plain, 0), (marked, 2)):
        images = Images(open_dataset(place).in_split("train").samples, 64)
        heads = (replace(HEAD, key_points=points),)
        batches.append(BatchMaker(images, heads, (64, 64), 4, AugmentConfig(), 0).make(0, 0, False))
    (pixels, targets), (others, more) = batches
    assert np.array_equal(pixels, others)
    assert more.keys() - targets.keys() == {"keypoints"}
    for name, values in targets.items():
        assert np.array_equal(values, more[name]), name
