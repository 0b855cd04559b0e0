"""Planted faults that are found, on real data, beside ObjectLab and ranking by confidence.

Run where cleanlab is installed for the comparison, which is skipped elsewhere: pytest -m slow -s -k suspect.
The model has not seen the images: the bundled one is trained on COCO, that of bccd on its split "train".
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.objectlab import by_confidence, objectlab
from tests.shared import SHARED, needs_shared
from tests.suspect_faults import Examined, of_suspects, plant, precision_and_recall
from yolo_cli.config import DetectConfig
from yolo_cli.datasets import open_dataset
from yolo_cli.detectors import load_detector
from yolo_cli.evaluation import match_classes
from yolo_cli.pipeline.evaluating import detect_samples
from yolo_cli.suspects import KINDS, SUSPECT_CONF
from yolo_cli.suspects.ranking import rank

SEEDS = 5
LABEL_THRESHOLDS = ((0.95, 0.5), (0.7, 0.5), (0.5, 0.3))  # the defaults of cleanlab, and two lower pairs


def examined(
    weights: str | Path, data: Path, splits: tuple[str, ...]
) -> tuple[list[Examined], tuple[str, ...]]:
    whole = open_dataset(data)
    detector = load_detector(weights, config=DetectConfig(conf=SUSPECT_CONF))
    match = match_classes(detector.class_names, whole.class_names)
    images = []
    for split in splits:
        part = whole.in_split(split)
        found, _ = detect_samples(detector, part, batch=8)
        images += [(it, it.ground_truth, match.found(found[it.name])) for it in part.samples]
    return images, whole.class_names


def figures(images: list[Examined], names: tuple[str, ...]) -> dict[str, dict[str, np.ndarray]]:
    """By kind and ranking, the mean precision at n and recall at 2n over the seeds, (2,)."""
    rows: dict[str, dict[str, list[tuple[float, float]]]] = {kind: {} for kind in KINDS}
    for seed in range(SEEDS):
        planted = plant(images, seed)
        suspects = rank(planted.images, names, "voc", np.ones(len(names), bool))
        rankings = {"ours": {kind: of_suspects(suspects, kind) for kind in KINDS}}
        rankings["confidence"] = {"invented": by_confidence(planted.images)}
        for high, low in LABEL_THRESHOLDS:
            rankings[f"ObjectLab {high:g}"] = objectlab(planted.images, len(names), high, low)
        for name, kinds in rankings.items():
            for kind, ranked in kinds.items():
                pair = precision_and_recall(ranked, planted.faults[kind], planted.count)
                rows[kind].setdefault(name, []).append(pair)
    return {kind: {name: np.mean(it, axis=0) for name, it in row.items()} for kind, row in rows.items()}


def check(found: dict[str, dict[str, np.ndarray]]) -> None:
    for kind, row in found.items():
        for name, (precision, recall) in row.items():
            print(f"{kind:11} {name:15} precision at n {precision:.3f}  recall at 2n {recall:.3f}")
            assert (row["ours"] >= (precision, recall)).all(), (kind, name)


@pytest.mark.slow
@needs_shared("data", "voc2012-subset")
def test_voc() -> None:
    check(figures(*examined("yolov4-tiny-coco", SHARED / "data" / "voc2012-subset", ("val",))))


@pytest.mark.slow
@needs_shared("data", "bccd")
def test_bccd(tmp_path: Path) -> None:
    from yolo_cli import train

    bccd, part = SHARED / "data" / "bccd", tmp_path / "train-only"
    for folder in ("Annotations", "JPEGImages"):
        shutil.copytree(bccd / folder, part / folder)
    names = (bccd / "ImageSets" / "Main" / "train.txt").read_text().split()
    for path in [*part.glob("*/*.xml"), *part.glob("*/*.jpg")]:
        if path.stem not in names:
            path.unlink()
    done = train(part, out=tmp_path / "run", imgsz=(320, 416), max_minutes=10)
    check(figures(*examined(done.out, bccd, ("val", "test"))))
