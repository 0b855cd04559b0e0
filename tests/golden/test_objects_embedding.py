"""The bundled embedding: its recipe, and how well it tells apart what had no part in it.

`pytest -m slow -s tests/golden/test_objects_embedding.py` prints the figures of docs/identify.md.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.shared import SHARED, needs_shared
from yolo_cli import track
from yolo_cli.datasets import read_dataset
from yolo_cli.evaluation.verification import similarities, verification
from yolo_cli.identity import load_embedder
from yolo_cli.images import Image
from yolo_cli.weights import find_model, read_card

VOC = SHARED / "data/voc2012-subset"
VTEST = SHARED / "video/vtest.avi"
OBJECTS, SMALLEST = 600, 64  # of the val split, and pixels of their shorter side

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def embedder():
    return load_embedder()


@needs_shared("data", "voc2012-subset")
def test_the_recipe_makes_the_bundled_model(embedder, tmp_path):
    from yolo_cli.training.embedding.bundled import train_objects_embedding

    files = train_objects_embedding(VOC, tmp_path / "objects-embedding")
    made, card = load_embedder(files.onnx), read_card(find_model("objects-embedding").onnx)
    image = read_dataset(VOC).samples[0].read()
    boxes = np.float32([[0, 0, 100, 100], [50, 20, 200, 150]])
    np.testing.assert_allclose(made(image, boxes), embedder(image, boxes), atol=0.01)
    assert made.card.training_data == card.training_data
    np.testing.assert_allclose(made.card.false_accepts, card.false_accepts, atol=0.01)


def view(rgb, box, rng):
    """An object cropped a little off, recoloured, turned, shrunk, and mirrored every other time."""
    width, height = box[2:] - box[:2]
    x1, y1, x2, y2 = (box + rng.uniform(-0.1, 0.1, 4) * [width, height, width, height]).astype(int).clip(0)
    pixels = rgb[y1 : max(y1 + 8, y2), x1 : max(x1 + 8, x2)] / 255
    pixels = pixels ** rng.uniform(0.75, 1.33) * rng.uniform(0.7, 1.3) * rng.uniform(0.9, 1.1, 3)
    high, wide = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), rng.uniform(-12, 12), 1)
    pixels = cv2.warpAffine(pixels, turn, (wide, high), borderMode=cv2.BORDER_REFLECT)
    size = [max(8, int(side * scale)) for scale in [rng.uniform(0.5, 1)] for side in (wide, high)]
    pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    pixels = pixels[:, ::-1] if rng.random() < 0.5 else pixels
    return Image((pixels * 255).clip(0, 255).astype(np.uint8))


@needs_shared("data", "voc2012-subset")
def test_made_views_of_objects_without_a_part_in_it(embedder, capsys):
    """Two views of one object, against two of different objects of the same class; the val split."""
    rng, first, second, classes = np.random.default_rng(0), [], [], []
    samples = [sample for sample in read_dataset(VOC).samples if sample.split == "val"]
    for at in rng.permutation(len(samples)):
        image, found = samples[at].read(), samples[at].labels
        for box, class_id in zip(found.xyxy, found.class_id, strict=True):
            if (box[2:] - box[:2]).min() >= SMALLEST:
                for views in (first, second):
                    shown = view(image.rgb, box, rng)
                    views.append(embedder(shown, np.float32([[0, 0, shown.width, shown.height]]))[0])
                classes.append(class_id)
        if len(classes) >= OBJECTS:
            break
    scores, classes = similarities("cosine", np.array(first), np.array(second)), np.array(classes)
    own = np.eye(len(classes), dtype=bool)
    figures = verification(scores[own], scores[(classes[:, None] == classes[None]) & ~own])
    with capsys.disabled():
        print(f"\nmade views of {len(classes)} objects: {figures}")
    assert figures.eer < 0.08


@needs_shared("video", "vtest.avi")
def test_pedestrians(embedder, capsys):
    """Two crops of one track at least 20 frames apart, against two of different tracks in one frame."""
    vectors, ids, frames = [], [], []
    for each in track(VTEST, conf=0.5, every=5):
        boxes = each.tracks.xyxy
        wide = (boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= 16
        if wide.any():
            vectors.append(embedder(each.image, boxes[wide]))
            ids.append(each.tracks.track_id[wide])
            frames.append(np.full(wide.sum(), each.frame))
    vectors, ids, frames = (np.concatenate(part) for part in (vectors, ids, frames))
    scores = similarities("cosine", vectors, vectors)
    once = np.triu(np.ones(scores.shape, bool), 1)
    apart = np.abs(frames[:, None] - frames[None])
    same = ids[:, None] == ids[None]
    figures = verification(scores[same & (apart >= 20) & once], scores[~same & (apart == 0) & once])
    with capsys.disabled():
        print(f"\npedestrians: {figures}")
    assert figures.eer < 0.12
