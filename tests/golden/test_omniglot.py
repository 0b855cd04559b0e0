"""Omniglot: 20-way one-shot classification within an alphabet, the 20 standard runs.

Lake, Salakhutdinov and Tenenbaum, "Human-level concept learning through probabilistic program induction",
Science 2015. A network is trained on one of the small background sets alone, five alphabets; the alphabets
of the runs are others. Each test image is classified as its most similar of the 20 training images.
"""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.shared import SHARED, needs_shared
from yolo_cli.evaluation.verification import similarities, verification

pytestmark = [pytest.mark.slow, needs_shared("data", "omniglot")]

SIDE = 56  # pixels that photos are kept at; the network's input has half of that
LOSSES = {"triplet": "cosine", "siamese": "logistic"}
SETS, SEEDS = ("small1", "small2"), (0, 1, 2)
MOST_ERRORS = {"triplet": 0.15, "siamese": 0.15}  # mean of both sets and three seeds


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory):
    """The folder of the three archives' contents."""
    folder = tmp_path_factory.mktemp("omniglot")
    for archive in (SHARED / "data/omniglot").glob("*.zip"):
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
    return folder


def read(path):
    """White strokes on black, (SIDE, SIDE, 3)."""
    grey = 255 - cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return np.repeat(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)[..., None], 3, axis=2)


def background(folder):
    """The identities of a background set: a character each, grouped by alphabet."""
    from yolo_cli.training.embedding.data import Identities

    characters = sorted(path for path in folder.glob("*/*") if path.is_dir())
    photos = tuple(np.stack([read(path) for path in sorted(each.glob("*.png"))]) for each in characters)
    alphabets = sorted({each.parent.name for each in characters})
    groups = tuple(alphabets.index(each.parent.name) for each in characters)
    return Identities(tuple(f"{each.parent.name}/{each.name}" for each in characters), photos, groups)


@cache
def runs(folder):
    """Test images, training images and the right one of each test image, of 20 runs."""
    found = []
    for number in range(1, 21):
        text = (folder / f"run{number:02d}/class_labels.txt").read_text()
        pairs = [line.split() for line in text.splitlines()]
        training = sorted((folder / f"run{number:02d}/training").glob("*.png"))
        place = {path.name: at for at, path in enumerate(training)}
        tests = np.stack([read(folder / test) for test, _ in pairs])
        right = np.array([place[Path(answer).name] for _, answer in pairs])
        found.append((tests, np.stack([read(path) for path in training]), right))
    return found


def measured(model, metric, folder):
    """The error of the 20 runs, and the figures of verification on their pairs."""
    from yolo_cli.training.embedding.fitting import embedded

    errors, same, different = [], [], []
    for tests, training, right in runs(folder):
        scores = similarities(metric, embedded(model, tests), embedded(model, training))  # (20, 20)
        errors.append(np.mean(scores.argmax(axis=1) != right))
        own = np.arange(scores.shape[1]) == right[:, None]
        same.append(scores[own])
        different.append(scores[~own])
    return float(np.mean(errors)), verification(np.concatenate(same), np.concatenate(different))


@pytest.mark.parametrize("loss", LOSSES)
def test_one_shot_error(unzipped, loss, capsys):
    from yolo_cli.training.embedding.fitting import epochs_for, fit_embedding
    from yolo_cli.training.embedding.job import EmbeddingJob

    errors = []
    for name in SETS:
        people = background(unzipped / f"images_background_{name}")
        for seed in SEEDS:
            job = EmbeddingJob(unzipped, unzipped, loss, imgsz=(28, 28), quarter_turns=True, seed=seed)
            model = fit_embedding(job, people, epochs_for(people.count, quarter_turns=True))
            error, figures = measured(model, LOSSES[loss], unzipped)
            errors.append(error)
            with capsys.disabled():
                print(f"\n{loss}, {name}, seed {seed}: error {error:.1%}; {figures}")
    assert np.mean(errors) <= MOST_ERRORS[loss]
