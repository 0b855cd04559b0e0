"""Laws of evaluation: fast matching, slow matching and COCO's own program agree; sense is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.evaluation_sets import Mixture, mixtures, on_image, perfect, random_set
from tests.oracles_evaluation import slow_average_precision, slow_verdicts
from tests.pycocotools_reference import reference
from yolo_cli.detections import Detections
from yolo_cli.evaluation import COCO, PROTOCOLS, VOC07, VOC10, Evaluator, evaluate, protocol
from yolo_cli.evaluation.average_precision import averages
from yolo_cli.evaluation.matching import greedy_match, match, ranked


def _agree_with_pycocotools(mixture: Mixture) -> None:
    gathered = random_set(mixture)
    theirs = reference(gathered)
    ours = [-1.0 if value is None else value for value in evaluate(gathered).coco.values()]
    np.testing.assert_allclose(ours, theirs.stats, rtol=0, atol=1e-9)
    figures = averages(match(gathered, COCO))
    # (T, R, K, A, M) → average precision (A, T, K) from the best 100; -1 where there is no ground truth.
    expected = theirs.eval["precision"][..., -1].mean(axis=1).transpose(2, 0, 1)
    np.testing.assert_allclose(np.nan_to_num(figures.precision, nan=-1), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        np.nan_to_num(figures.limited_recall, nan=-1),
        theirs.eval["recall"][:, :, 0].transpose(2, 0, 1),
        rtol=0,
        atol=1e-9,
    )


@given(mixtures())
@example(Mixture(images=1, classes=1, found=300))  # over 100 of a class on an image
@example(Mixture(ground_truths=0))
@example(Mixture(found=0))
@settings(max_examples=60)
def test_coco_figures_equal_pycocotools(mixture: Mixture) -> None:
    _agree_with_pycocotools(mixture)


@pytest.mark.slow
@given(mixtures())
@settings(max_examples=500)
def test_coco_figures_equal_pycocotools_on_500_sets(mixture: Mixture) -> None:
    _agree_with_pycocotools(mixture)


@given(mixtures(images=3), st.sampled_from(sorted(PROTOCOLS)), st.sampled_from([0.1, 0.3, 0.5, 0.75, 1.0]))
@settings(max_examples=60)
def test_fast_evaluation_equals_the_slow_one(mixture: Mixture, name: str, iou: float) -> None:
    gathered, rules = random_set(mixture), protocol(name, iou)
    figures = averages(match(gathered, rules))
    for a, sizes in enumerate(rules.areas):
        for k in range(mixture.classes):
            verdicts, ground_truths = slow_verdicts(gathered, k, rules, iou, sizes)
            expected = slow_average_precision(verdicts, ground_truths, rules.interpolation)
            got = figures.precision[a, figures.at(iou), k]
            assert figures.ground_truths[a, k] == ground_truths
            assert np.isnan(got) if expected is None else got == pytest.approx(float(expected), abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 8))
def test_all_at_once_takes_what_one_by_one_takes(seed: int, count: int, ground_truths: int) -> None:
    random = np.random.default_rng(seed)
    reusable = random.random(ground_truths) < 0.2
    candidates = [
        random.permutation(ground_truths)[: random.integers(0, ground_truths + 1)] for _ in range(count)
    ]
    taken: set[int] = set()
    expected = []
    for own in candidates:
        free = [g for g in own.tolist() if g not in taken or reusable[g]]
        expected.append(free[0] if free else -1)
        taken.update(free[:1])
    found = np.repeat(np.arange(count), [len(own) for own in candidates])
    assert greedy_match(found, np.concatenate(candidates), reusable, count).tolist() == expected


@given(mixtures(), st.sampled_from([COCO, VOC07, VOC10]))
def test_a_perfect_detector_scores_one(mixture: Mixture, rules) -> None:
    gathered = random_set(mixture)
    # VOC holds a box against the closest ground truth even if that one is taken: of two equal ground-truth
    # boxes it leaves one.
    assume(rules is COCO or len(np.unique(gathered.ground_truth.xyxy, axis=0)) == len(gathered.ground_truth))
    figures = evaluate(perfect(gathered), rules)
    counted = [entry for entry in figures.per_class if entry.ground_truths]
    assert all(entry.ap == pytest.approx(1) for entry in counted)
    if counted:
        assert figures.map50 == pytest.approx(1)
        assert (figures.curve.best.precision, figures.curve.best.recall) == (1, 1)


@given(mixtures(levels=1000), st.sampled_from([COCO, VOC07, VOC10]))
def test_a_lowest_false_detection_never_raises_ap(mixture: Mixture, rules) -> None:
    gathered = random_set(mixture)
    before = evaluate(gathered, rules)
    far = Detections(np.array([[900.0, 900, 930, 930]]), np.array([1e-6]), np.array([0]))
    after = evaluate(_with_one_more(gathered, far), rules)
    assert (after.map50 or 0) <= (before.map50 or 0) + 1e-12


@given(mixtures(), st.randoms(use_true_random=False))
def test_figures_ignore_the_order_of_images(mixture: Mixture, random) -> None:
    gathered = random_set(mixture)
    places = list(range(len(gathered.images)))
    random.shuffle(places)
    evaluator = Evaluator(gathered.class_names)
    for place in places:
        evaluator.add(gathered.images[place], *on_image(gathered, place))
    assert evaluate(evaluator.gathered()).to_json() == evaluate(gathered).to_json()


@given(mixtures())
def test_curves_end_where_matching_does(mixture: Mixture) -> None:
    gathered = random_set(mixture)
    report = evaluate(gathered)
    for k, entry in enumerate(report.per_class):
        verdicts, ground_truths = slow_verdicts(gathered, k, COCO, 0.5, COCO.areas[0])
        hits = sum(verdict.kind == "hit" for verdict in verdicts)
        counted = sum(verdict.kind != "ignored" for verdict in verdicts)
        assert (entry.ground_truths, entry.found) == (ground_truths, counted)
        if counted:
            assert entry.curve.precision[-1] == pytest.approx(hits / counted)
            assert entry.curve.recall[-1] == pytest.approx(hits / max(ground_truths, 1))
            assert (np.diff(entry.curve.confidence) < 0).all()


@given(mixtures())
def test_ranks_count_a_class_on_an_image(mixture: Mixture) -> None:
    gathered = random_set(mixture)
    ranking = ranked(gathered, 7)
    for k in range(mixture.classes):
        for image in range(mixture.images):
            mine = (ranking.class_id == k) & (ranking.image == image)
            every = (gathered.found.class_id == k) & (gathered.found_image == image)
            assert ranking.rank[mine].tolist() == list(range(min(7, every.sum())))


def _with_one_more(gathered, extra: Detections):
    evaluator = Evaluator(gathered.class_names)
    for place, image in enumerate(gathered.images):
        found, ground_truth = on_image(gathered, place)
        if place == 0:
            found = Detections(
                np.concatenate([found.xyxy, extra.xyxy]),
                np.concatenate([found.confidence, extra.confidence]),
                np.concatenate([found.class_id, extra.class_id]),
            )
        evaluator.add(image, found, ground_truth)
    return evaluator.gathered()
