"""Each planted mistake is named as what it is and nothing else, and fixing it makes the detector perfect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation_sets import mixtures, on_image, perfect, random_set, with_found
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import COCO, KINDS, VOC10, Diagnosis, EvaluationSet, Evaluator, diagnose, match

_CLASSES = 3


def _scene(random: np.random.Generator) -> EvaluationSet:
    """Images of cells of 100 px with a box of 40 to 60 px in each, so that no box touches another."""
    evaluator = Evaluator([f"class {k}" for k in range(_CLASSES)])
    for number in range(random.integers(1, 5)):
        cells = random.permutation(16)[: random.integers(1, 17)]  # (N,)
        low = np.stack([cells % 4, cells // 4], axis=1) * 100.0 + random.integers(0, 11, (len(cells), 2))
        boxes = np.concatenate([low, low + random.choice([40, 48, 60], (len(cells), 2))], axis=1)
        ground_truth = GroundTruth(boxes, random.integers(0, _CLASSES, len(cells)))
        evaluator.add(f"{number}.jpg", Detections(), ground_truth)
    return evaluator.gathered()


def _plant(mistake: str, random: np.random.Generator, ground_truth: GroundTruth) -> tuple[Detections, int]:
    """A perfect detector's boxes with a mistake on some of the ground-truth boxes, and how many."""
    count = len(ground_truth)
    some = random.random(count) < 0.5  # (N,)
    xyxy, class_id = ground_truth.xyxy.copy(), ground_truth.class_id.copy()
    confidence = random.uniform(0.5, 1, count)
    if mistake == "localisation":
        xyxy[some] += ((xyxy[some, 2] - xyxy[some, 0]) / 2)[:, None] * [1, 0, 1, 0]  # half a width: IoU 1/3
    elif mistake == "classification":
        class_id[some] = (class_id[some] + 1) % _CLASSES
    found = Detections(xyxy, confidence, class_id)
    if mistake == "missed":
        found = found[~some]
    elif mistake in ("duplicate", "background"):
        away = 1000 if mistake == "background" else 0
        extra = Detections(xyxy[some] + away, confidence[some] * 0.99, class_id[some])
        found = Detections(
            np.concatenate([found.xyxy, extra.xyxy]),
            np.concatenate([found.confidence, extra.confidence]),
            np.concatenate([found.class_id, extra.class_id]),
        )
    return found, int(some.sum())


def _counts(diagnosis: Diagnosis) -> dict[str, int]:
    return {kind: len(diagnosis.of(kind)) for kind in KINDS}


@pytest.mark.parametrize("mistake", ["localisation", "classification", "duplicate", "background", "missed"])
@given(st.integers(0, 2**32 - 1), st.sampled_from([COCO, VOC10]))
def test_a_planted_mistake_is_named_as_what_it_is(mistake: str, seed: int, rules) -> None:
    random = np.random.default_rng(seed)
    scene = _scene(random)
    planted = [_plant(mistake, random, on_image(scene, place)[1]) for place in range(len(scene.images))]
    diagnosis = diagnose(match(with_found(scene, [found for found, _ in planted]), rules))
    assert _counts(diagnosis) == {**dict.fromkeys(KINDS, 0), mistake: sum(count for _, count in planted)}
    assert diagnosis.map50 + diagnosis.cost[mistake] == pytest.approx(1)
    others = [diagnosis.cost[kind] for kind in KINDS if kind != mistake]
    assert others == pytest.approx([0] * 5)


@given(mixtures())
def test_a_perfect_detector_has_no_mistake(mixture) -> None:
    diagnosis = diagnose(match(perfect(random_set(mixture))))
    assert sum(_counts(diagnosis).values()) == 0
    assert list(diagnosis.cost.values()) == pytest.approx([0] * 8)


@given(mixtures())
def test_every_wrong_detection_has_one_kind_and_every_ground_truth_is_accounted_for(mixture) -> None:
    gathered = random_set(mixture)
    diagnosis = diagnose(match(gathered))
    assert len(np.unique(diagnosis.found)) == len(diagnosis.found)
    assert ((diagnosis.ground_truth >= 0) == (diagnosis.kind != KINDS.index("background"))).all()
    assert all(cost >= -1e-9 for cost in diagnosis.cost.values())
    near = diagnosis.ground_truth[np.isin(diagnosis.kind, [0, 1])]
    assert not set(near.tolist()) & set(diagnosis.missed.tolist())


@given(mixtures(found=80))  # below the maximum that is evaluated, so that none moves up
def test_fixing_false_positives_makes_every_detection_right(mixture) -> None:
    gathered = random_set(mixture)
    diagnosis = diagnose(match(gathered))
    if diagnosis.map50 is not None:
        removed = np.delete(np.arange(len(gathered.found)), diagnosis.found)
        kept = [
            gathered.found[removed][gathered.found_image[removed] == place]
            for place in range(len(gathered.images))
        ]
        clean = diagnose(match(with_found(gathered, kept)))
        assert len(clean.found) == 0
        assert diagnosis.map50 + diagnosis.cost["false_positive"] == pytest.approx(clean.map50)
