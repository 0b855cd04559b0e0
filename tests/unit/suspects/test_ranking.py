"""The ranking: laws, and planted faults on made images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.suspect_faults import Examined, of_suspects, plant, precision_and_recall
from yolo_cli.datasets import Sample
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.suspects import KINDS
from yolo_cli.suspects.ranking import rank

NAMES = ("cat", "dog", "cow")
KNOWN = np.ones(3, bool)


def image(number: int, seed: int) -> Examined:
    """Four objects in the quarters of an image of 100x100 pixels, all seen well, and a faint false alarm."""
    rng = np.random.default_rng((seed, number))
    corners = np.array([[5, 5], [55, 5], [5, 55], [55, 55]]) + rng.uniform(0, 10, (4, 2))
    xyxy = np.hstack([corners, corners + rng.uniform(20, 30, (4, 2))])
    labels = GroundTruth(xyxy, rng.integers(0, 3, 4))
    noisy = np.float32(np.vstack([xyxy + rng.normal(0, 0.5, xyxy.shape), [[40, 40, 60, 60]]]))
    confidence = np.float32(np.append(rng.uniform(0.6, 0.95, 4), 0.02))
    found = Detections(noisy, confidence, np.append(labels.class_id, rng.integers(0, 3)))
    name = f"{number:03d}.jpg"
    sample = Sample(name, Path(name), "train", name, f"{number:03d}.txt", labels, (0, 1, 2, 3))
    return sample, labels, found


@pytest.fixture(autouse=True)
def sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are no image files."""
    monkeypatch.setattr(Sample, "size", property(lambda _: (100, 100)))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_perfect_data_set_has_no_suspects(seed: int) -> None:
    assert rank([image(number, seed) for number in range(30)], NAMES, "yolo", KNOWN) == ()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_images_does_not_matter(seed: int) -> None:
    planted = plant([image(number, seed) for number in range(20)], seed)
    there = rank(planted.images, NAMES, "yolo", KNOWN)
    back = rank(planted.images[::-1], NAMES, "yolo", KNOWN)
    assert [it.to_dict() for it in there] == [it.to_dict() for it in back]
    assert list(there) == sorted(there, key=lambda it: -it.score)
    assert all(0.1 <= it.score <= 1 for it in there)


@pytest.mark.parametrize("kind", KINDS)
def test_planted_faults_come_first(kind: str) -> None:
    planted = plant([image(number, 1) for number in range(60)], 1)
    assert planted.count == 12  # 5 % of 240
    ranked = of_suspects(rank(planted.images, NAMES, "yolo", KNOWN), kind)
    precision, recall = precision_and_recall(ranked, planted.faults[kind], planted.count)
    assert precision >= 0.75
    assert recall >= 0.9


def test_what_a_suspect_says() -> None:
    """The label of the first object is swapped in one of thirty images."""
    images = [image(number, 2) for number in range(30)]
    sample, labels, found = images[7]
    class_id = labels.class_id.copy()
    right, class_id[0] = int(class_id[0]), (class_id[0] + 1) % 3
    images[7] = (sample, replace(labels, class_id=class_id), found)
    (one,) = rank(images, NAMES, "yolo", KNOWN)
    assert (one.kind, one.image, one.where) == ("swapped", "007.jpg", "007.txt:0")
    assert (one.label.class_name, one.seen.class_name) == (NAMES[(right + 1) % 3], NAMES[right])
    wanted = {"split": "train", "image": "007.jpg", "row": 0, "action": "class", "class_name": NAMES[right]}
    assert one.correction() == wanted


def test_ignored_labels_and_unknown_classes_are_left_alone() -> None:
    """All labels of the first image are at wrong places: difficult, or of a class that is not known."""
    images = [image(number, 3) for number in range(30)]
    sample, labels, found = images[0]
    empty = found[np.zeros(len(found), bool)]
    images[0] = (sample, labels, empty)
    assert {it.kind for it in rank(images, NAMES, "yolo", KNOWN)} == {"invented"}
    images[0] = (sample, replace(labels, difficult=np.ones(4, bool)), empty)
    assert rank(images, NAMES, "yolo", KNOWN) == ()
    images[0] = (sample, labels, empty)
    assert rank(images, NAMES, "yolo", np.zeros(3, bool)) == ()


def test_an_overlooked_object_is_named_once() -> None:
    """Two detections of different classes on one object without a label."""
    images = [image(number, 4) for number in range(30)]
    sample, labels, found = images[0]
    twice = Detections(
        np.concatenate([found.xyxy, found.xyxy[:1]]),
        np.append(found.confidence, np.float32(0.59)),
        np.append(found.class_id, (found.class_id[0] + 1) % 3),
    )
    less = replace(sample, labels=labels[1:], rows=sample.rows[1:])
    images[0] = (less, labels[1:], twice)
    (one,) = rank(images, NAMES, "yolo", KNOWN)
    assert (one.kind, one.label, one.where) == ("overlooked", None, "000.jpg")
