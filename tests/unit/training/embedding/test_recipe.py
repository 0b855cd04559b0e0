"""A run from photos to a model that tells one from another."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli import train_embedding
from yolo_cli.api.detection import load_detector
from yolo_cli.errors import UserError
from yolo_cli.identity import load_embedder
from yolo_cli.images import Image, write_image
from yolo_cli.weights import find_model, read_card


def stripes(angle, shift, side=16):
    """Stripes at an angle: two identities differ in it, photos of one in where the stripes begin."""
    y, x = np.mgrid[:side, :side]
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 1.2 + shift)
    return np.repeat((127 + 120 * wave).astype(np.uint8)[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Six identities of four photos."""
    folder = tmp_path_factory.mktemp("stripes")
    for number in range(6):
        (folder / f"data/{number}").mkdir(parents=True)
        for photo in range(4):
            write_image(folder / f"data/{number}/{photo}.png", stripes(number * np.pi / 6, photo))
    how = {"imgsz": 16, "epochs": 2, "out": folder / "run", "embedding_loss": "siamese"}
    return train_embedding(folder / "data", **how), folder


def test_the_card_says_what_it_is(run):
    result, folder = run
    card = read_card(find_model(str(folder / "run")).onnx)
    assert (card.metric, card.detector, card.input_size) == ("logistic", "embedding", (16, 16))
    assert card.false_accepts == result.figures.false_accepts
    assert "held out" in card.figures[0]
    assert (result.identities, result.images) == (4, 16)  # two of six are held out


def test_both_files_give_the_same_vectors(run):
    result, folder = run
    image, boxes = Image(stripes(0.3, 1.0)), np.float32([[0, 0, 16, 16], [2, 2, 14, 14]])
    onnx = load_embedder(folder / "run")(image, boxes)
    (folder / "alone").mkdir()
    (folder / "alone/m.keras").write_bytes(result.keras.read_bytes())
    keras = load_embedder(folder / "alone/m.keras")(image, boxes)
    np.testing.assert_allclose(onnx, keras, atol=1e-5)


def test_a_detector_and_an_embedding_are_told_apart(run):
    _, folder = run
    with pytest.raises(UserError, match="is an embedding, for `yolo identify"):
        load_detector(folder / "run")
    with pytest.raises(UserError, match="is a detector, not an embedding"):
        load_embedder("yolov4-tiny-coco")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mosaic": 0.5}, "mosaic: --embedding has no such option|embedding has no such option"),
        ({"embedding_loss": "other"}, "is not one; use triplet or siamese"),
        ({"epochs": 0}, "must be at least 1"),
        ({"weights": "yolov4-tiny-coco"}, "has no .keras embedding"),
    ],
)
def test_wrong_options_are_one_line(run, tmp_path, options, words):
    with pytest.raises(UserError, match=words):
        train_embedding(run[1] / "data", out=tmp_path / "new", **options)
