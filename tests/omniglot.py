"""Omniglot: 20-way one-shot classification within an alphabet, the 20 standard runs.

Lake, Salakhutdinov and Tenenbaum, "Human-level concept learning through probabilistic program induction",
Science 2015. A network is trained on one of the small background sets alone, five alphabets; the alphabets
of the runs are others. Each test image is classified as its most similar of the 20 training images, by
embeddings averaged over views of an image that are warped a little. That was chosen on alphabets of the
background sets that were held out; docs/identify.md tells what is known of the number of steps.

`python -m tests.omniglot FOLDER` makes all runs, writes ``omniglot.json`` there after each, and draws the
curves into ``omniglot-roc.png``; it takes about 20 minutes of processor time.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from tests.shared import SHARED
from yolo_cli.evaluation.verification import similarities, verification

SIDE = 56  # pixels that photos are kept at; the network's input has half of that
STEPS, VIEWS = 1000, 16
LOSSES = {"triplet": "cosine", "siamese": "logistic"}
SETS, SEEDS = ("small1", "small2"), (0, 1, 2)


def unzip(folder):
    """The three archives' contents, in a folder."""
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


def averaged(model, photos):
    """Embeddings (N, D) of photos (N, SIDE, SIDE, 3), each the mean of `VIEWS` warped views."""
    from yolo_cli.training.embedding.batches import warped
    from yolo_cli.training.embedding.fitting import embedded

    rng, size = np.random.default_rng(0), model.input_shape[1:3]
    views = (np.stack([warped(photo, size, rng) for photo in photos]) for _ in range(VIEWS))
    return sum(embedded(model, each) for each in views) / VIEWS


def measured(model, metric, folder):
    """The error of the 20 runs, and the figures of verification on their pairs."""
    errors, same, different = [], [], []
    for tests, training, right in runs(folder):
        scores = similarities(metric, averaged(model, tests), averaged(model, training))  # (20, 20)
        errors.append(np.mean(scores.argmax(axis=1) != right))
        own = np.arange(scores.shape[1]) == right[:, None]
        same.append(scores[own])
        different.append(scores[~own])
    return float(np.mean(errors)), verification(np.concatenate(same), np.concatenate(different))


def one_run(folder, loss, name, seed):
    """Train on a background set; the error of the 20 runs, and the figures of verification on their pairs."""
    from yolo_cli.training.embedding.fitting import epochs_for, fit_embedding
    from yolo_cli.training.embedding.job import EmbeddingJob

    people = background(folder / f"images_background_{name}")
    job = EmbeddingJob(folder, folder, loss, imgsz=(28, 28), quarter_turns=True, seed=seed)
    model = fit_embedding(job, people, epochs_for(people.count, quarter_turns=True, steps=STEPS))
    return measured(model, LOSSES[loss], folder)


def draw_curves(runs_made, path):
    """ROC curves of all runs: thin lines, one colour a loss."""
    from matplotlib.figure import Figure

    figure = Figure((6, 4.2), layout="constrained")
    axes = figure.subplots()
    colours = dict(zip(LOSSES, ("#0072b2", "#d55e00"), strict=True))
    for run in runs_made:
        style, first = ("-", "--")[SETS.index(run["set"])], run["seed"] == SEEDS[0]
        label = f"{run['loss']}, {('first', 'second')[SETS.index(run['set'])]} set" if first else None
        axes.plot(*run["roc"], style, color=colours[run["loss"]], linewidth=1, label=label)
    axes.set(xscale="log", xlim=(1e-3, 1), ylim=(0, 1), xlabel="false-accept rate", ylabel="true-accept rate")
    axes.axvline(0.01, color="#888", linewidth=0.8)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=110)


def main(out):
    """All runs."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        unzip(Path(folder))
        for seed, name, loss in ((seed, name, loss) for seed in SEEDS for name in SETS for loss in LOSSES):
            error, figures = one_run(Path(folder), loss, name, seed)
            made.append({"loss": loss, "set": name, "seed": seed, "error": error, **figures.to_dict()})
            print(f"{loss}, {name}, seed {seed}: error {error:.1%}; {figures}", flush=True)
            (out / "omniglot.json").write_text(json.dumps(made))
    draw_curves(made, out / "omniglot-roc.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
