"""Training with heads of kind "gfl", those of NanoDet-Plus, in a network of a few layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.made_sets import write_text
from tests.training_sets import write_shapes
from tests.unit.training.watchers import CrashError, Crashing, Noting
from tests.unit.training.yolo.test_data import STILL
from tests.unit.training.yolo.test_resume import assert_same_bytes
from yolo_cli.codec import Head
from yolo_cli.config import AugmentConfig, TrainConfig
from yolo_cli.datasets import open_dataset
from yolo_cli.errors import UsageError
from yolo_cli.training import TrainJob, read_job
from yolo_cli.training.yolo.data import BatchMaker, Capacity, Images
from yolo_cli.training.yolo.heads import remake_heads
from yolo_cli.training.yolo.normalisation import with_normalisation
from yolo_cli.weights import ModelCard, read_card
from yolo_cli.weights.save import save_keras

NAMES = ("disc", "cat", "cup")
HEADS = tuple(Head("gfl", (), stride, len(NAMES), bins=8) for stride in (8, 16))


def network() -> Any:
    """Two heads, convolutions with biases, of both kinds, and no batch normalisation."""
    keras.utils.set_random_seed(3)
    image = keras.Input((None, None, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 64, -1.0, dtype="float32", name="scale")(image)
    outputs = []
    for number, (filters, stride) in enumerate(((16, 4), (24, 2), (32, 2))):
        x = keras.layers.Conv2D(filters, 4, stride, "same", bias_initializer="normal", name=f"conv_{number}")(
            x
        )
        x = keras.layers.DepthwiseConv2D(3, padding="same", name=f"deep_{number}")(keras.layers.ReLU()(x))
        x = keras.layers.LeakyReLU(negative_slope=0.1)(x)
        if number:
            outputs.append(keras.layers.Conv2D(HEADS[0].channels, 1, name=f"head_gfl_cls_{number}")(x))
    return keras.Model(image, outputs)


def write_network(path: Path) -> None:
    save_keras(network(), ModelCard("nano", NAMES, HEADS, (64, 64), "stretch"), path)


def pixels(count: int = 4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3)).astype(np.uint8)


def run(model: Any, images: np.ndarray, training: bool = False) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(head) for head in model(images, training=training)]


def expect_alike(one: list[np.ndarray], other: list[np.ndarray], columns: Any = slice(None)) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b[..., columns], atol=1e-4 * np.abs(b).max())


def job(folder: Path, name: str, **options: Any) -> TrainJob:
    """Fine-tunes the network on eight images of squares and discs; it knows discs."""
    if not (folder / "data").exists():
        root = write_shapes(folder / "data", val=0)
        write_text(root / "data.yaml", "train: images/train\nval: images/train\nnames: [square, disc]\n")
        write_network(folder / "nano.keras")
    config = TrainConfig(**{"epochs": 4, "batch": 4, "imgsz": (64, 64), "precision": "float32", **options})
    weights = str(folder / "nano.keras")
    return TrainJob(str(folder / "data"), folder / name, weights=weights, config=config, augment=STILL)


def test_with_normalisation_a_network_computes_what_it_did() -> None:
    """In training, too, on the images that were measured: the statistics of the batch are theirs."""
    model, images = network(), pixels()
    normalised = with_normalisation(model, images)
    norms = [layer.name for layer in normalised.layers if layer.name.endswith("_norm")]
    assert norms == [f"{kind}_{number}_norm" for number in range(3) for kind in ("conv", "deep")]
    assert len(normalised.get_layer("conv_0").weights) == 1  # the bias is in the normalisation
    expect_alike(run(normalised, pixels(7)), run(model, pixels(7)))
    expect_alike(run(normalised, images, training=True), run(model, images))
    assert with_normalisation(normalised, images) is normalised


def test_distances_and_shared_classes_are_carried_over() -> None:
    model = network()
    new = tuple(Head("gfl", (), head.stride, 2, bins=8) for head in HEADS)
    remade = remake_heads(model, HEADS, new, NAMES, ("square", "disc"))
    found = run(remade, pixels())
    expect_alike([head[..., 1:] for head in found], run(model, pixels()), [0, *range(3, 35)])
    for head in found:  # the new class starts at its prior probability of 0.1
        np.testing.assert_allclose(head[..., 0], np.log(0.1 / 0.9), atol=1.0)


def test_targets_are_boxes_and_classes(tmp_path: Path) -> None:
    samples = open_dataset(write_shapes(tmp_path)).in_split("train").samples
    maker = BatchMaker(Images(samples, 64), HEADS, (64, 64), 8, STILL, 0)
    images, targets = maker.make(0, 0, True)
    assert set(targets) == {"ground_truths", "class_id", "ignored"}
    assert targets["ground_truths"].shape == (8, 2, 4)
    shown = {image.tobytes(): row for row, image in enumerate(images)}
    for sample in samples:
        row, wanted = shown[sample.read().rgb.tobytes()], sample.ground_truth
        np.testing.assert_allclose(targets["ground_truths"][row][: len(wanted.xyxy)], wanted.xyxy, atol=0.01)
        assert targets["class_id"][row][: len(wanted.xyxy)].tolist() == wanted.class_id.tolist()
        assert not targets["ground_truths"][row][len(wanted.xyxy) :].any()


def test_the_capacity_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ground truth is compared with every slot."""
    monkeypatch.setattr("yolo_cli.training.yolo.data.ASSIGNED_LIMIT", 5)
    samples = open_dataset(write_shapes(tmp_path)).in_split("train").samples
    maker = BatchMaker(Images(samples, 64), HEADS, (64, 64), 8, AugmentConfig(mosaic=1.0), 0)
    assert maker.capacity == Capacity(5, 8 * 3 * 2)


@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_to_the_last_bit(tmp_path: Path) -> None:
    from yolo_cli.training import train

    straight, broken = job(tmp_path, "straight"), job(tmp_path, "broken")
    train(straight, Noting())
    with pytest.raises(CrashError):
        train(broken, Crashing("epoch 3 of 4", 1))
    train(read_job(broken.out), Noting(), resume=True)
    assert_same_bytes(straight.out, broken.out)
    table = (straight.out / "results.csv").read_text().splitlines()
    assert table[0].endswith(",distances")
    card = read_card(straight.out / "weights" / "best.keras")
    assert [(head.kind, head.stride, head.class_count) for head in card.heads] == [
        ("gfl", 8, 2),
        ("gfl", 16, 2),
    ]


@pytest.mark.slow
def test_eight_images_are_learnt_by_heart(tmp_path: Path) -> None:
    from yolo_cli.training import train

    result = train(job(tmp_path, "run", epochs=150, learning_rate=3e-3, ema=0.02), Noting())
    assert result.report.map50 >= 0.99


def test_key_points_are_refused(tmp_path: Path) -> None:
    from yolo_cli.training import train

    given = job(tmp_path, "run")
    write_text(
        tmp_path / "data" / "data.yaml", "train: images/train\nnames: [square, disc]\nkpt_shape: [1, 3]\n"
    )
    for path in (tmp_path / "data" / "labels").rglob("*.txt"):
        lines = [f"{line} 0.5 0.5 2\n" for line in path.read_text().splitlines()]
        path.write_text("".join(lines))
    with pytest.raises(UsageError, match="a NanoDet-Plus cannot learn key points"):
        train(given, Noting())
