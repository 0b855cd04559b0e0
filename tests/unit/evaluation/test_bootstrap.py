"""Better, worse, or not distinguishable."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation_sets import Mixture, image_set, mixtures, on_image, random_set
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.evaluation import (
    PROTOCOLS,
    EvaluationSet,
    Evaluator,
    RunRecord,
    compare_runs,
    evaluate,
    match,
    protocol,
    record_run,
)
from yolo_cli.evaluation.bootstrap import figures_of_draws

BOX = (0.0, 0.0, 10.0, 10.0)


def _drawn(gathered: EvaluationSet, times: np.ndarray) -> EvaluationSet:
    """The evaluation set with image p repeated ``times[p]`` times."""
    evaluator = Evaluator(gathered.class_names)
    for place, image in enumerate(gathered.images):
        for copy in range(times[place]):
            evaluator.add(f"{image} {copy}", *on_image(gathered, place))
    return evaluator.gathered()


@given(mixtures(levels=10**6), st.integers(0, 2**32 - 1), st.sampled_from(sorted(PROTOCOLS)))
@settings(max_examples=40)
def test_a_draw_has_the_figures_of_the_images_drawn(mixture: Mixture, seed: int, name: str) -> None:
    gathered, rules = random_set(mixture), protocol(name)
    random = np.random.default_rng(seed)
    times = random.multinomial(mixture.images, np.full(mixture.images, 1 / mixture.images), 3)
    figures = figures_of_draws(record_run(match(gathered, rules)), times.astype(np.int32))
    for b in range(3):
        expected = evaluate(_drawn(gathered, times[b]), rules)
        for figure, value in (("map50", expected.map50), ("map50_95", expected.map50_95)):
            wanted = np.nan if value is None else value
            assert figures[figure][b] == pytest.approx(wanted, abs=1e-9, nan_ok=True)


def _run(seed: int, quality: float, images: int = 60) -> RunRecord:
    """A detector that finds each of 4 ground-truth boxes an image with probability ``quality``."""
    random = np.random.default_rng(seed)
    evaluator = Evaluator(("cat", "dog"))
    for number in range(images):
        boxes = np.array([[n * 50, 0, n * 50 + 40, 40] for n in range(4)], float)
        ground_truth = GroundTruth(boxes, np.array([0, 0, 1, 1]))
        kept = random.random(4) < quality
        evaluator.add(
            f"{number}.jpg", Detections(boxes, random.random(4), ground_truth.class_id)[kept], ground_truth
        )
    return record_run(match(evaluator.gathered()))


def test_a_clear_gain_is_better_and_the_other_way_round_worse() -> None:
    low, high = _run(1, 0.5), _run(2, 0.9)
    for figure in ("map50", "map50_95"):
        gain, loss = compare_runs(low, high)[figure], compare_runs(high, low)[figure]
        assert (gain.verdict, loss.verdict) == ("better", "worse")
        assert gain.low > 0 > loss.high
        assert gain.low < gain.after - gain.before < gain.high


def test_luck_is_not_distinguishable() -> None:
    assert compare_runs(_run(1, 0.7), _run(2, 0.7))["map50"].verdict == "not distinguishable"


def test_a_run_is_not_better_than_itself() -> None:
    difference = compare_runs(_run(1, 0.7), _run(1, 0.7))["map50"]
    assert (difference.low, difference.high, difference.verdict) == (0, 0, "not distinguishable")


def test_figures_are_those_of_evaluate() -> None:
    gathered = random_set(Mixture(found=200))
    report, record = evaluate(gathered), record_run(match(gathered))
    difference = compare_runs(record, record, draws=5)
    assert difference["map50"].before == pytest.approx(report.map50, abs=1e-12)
    assert difference["map50_95"].after == pytest.approx(report.map50_95, abs=1e-12)


def test_the_same_seed_gives_the_same_interval() -> None:
    a, b = _run(1, 0.6), _run(2, 0.7)
    assert compare_runs(a, b, draws=50, seed=3) == compare_runs(a, b, draws=50, seed=3)
    assert compare_runs(a, b, draws=50, seed=3) != compare_runs(a, b, draws=50, seed=4)


def test_the_interval_narrows_with_the_level() -> None:
    a, b = _run(1, 0.6), _run(2, 0.7)
    wide, narrow = (compare_runs(a, b, draws=200, level=level)["map50"] for level in (0.95, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_nineteen_of_twenty_intervals_hold_no_difference_where_there_is_none() -> None:
    verdicts = [
        compare_runs(_run(2 * n, 0.7), _run(2 * n + 1, 0.7), draws=200)["map50"].verdict for n in range(60)
    ]
    assert verdicts.count("not distinguishable") >= 51  # 57 expected


def test_blocks_do_not_change_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_run(match(random_set(Mixture(found=300))))
    times = np.random.default_rng(0).integers(0, 3, (20, 5)).astype(np.int32)
    whole = figures_of_draws(record, times)
    monkeypatch.setattr("yolo_cli.evaluation.bootstrap._BLOCK", 100)
    for figure, values in figures_of_draws(record, times).items():
        assert np.array_equal(values, whole[figure], equal_nan=True)


def test_plain_data_of_a_difference() -> None:
    plain = compare_runs(_run(1, 0.5), _run(2, 0.9), draws=20)["map50"].to_json()
    assert set(plain) == {"before", "after", "difference", "low", "high", "verdict"}
    assert plain["difference"] == plain["after"] - plain["before"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": ("other.jpg",)}, "different images"),
        ({"gt_hash": "0"}, "different ground truth"),
        ({"class_names": ("a", "b", "c")}, "different ground truth"),
        ({"interpolation": "11 points"}, "different protocols"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(change: dict, message: str) -> None:
    record = record_run(match(image_set(([(BOX, 0.9, 0)], [(BOX, 0)]))))
    with pytest.raises(DataError, match=message):
        compare_runs(record, dataclasses.replace(record, **change))


def test_without_ground_truth_there_is_nothing_to_compare() -> None:
    record = record_run(match(image_set(([(BOX, 0.9, 0)], []))))
    with pytest.raises(DataError, match="no ground truth that counts"):
        compare_runs(record, record)


@given(mixtures())
def test_a_record_goes_to_json_and_back(mixture: Mixture) -> None:
    record = record_run(match(random_set(mixture)))
    back = RunRecord.from_json(json.loads(json.dumps(record.to_json())))
    for part in dataclasses.fields(RunRecord):
        assert np.array_equal(getattr(record, part.name), getattr(back, part.name)), part.name


def _broken(**change: object) -> dict:
    plain = record_run(match(image_set(([(BOX, 0.9, 0), (BOX, 0.8, 1)], [(BOX, 0), (BOX, 1)])))).to_json()
    return {**plain, **change}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"images": ["a.jpg"]},
        _broken(image=[0]),
        _broken(image=[0, 1]),
        _broken(image=[0, -1]),
        _broken(image=[0, 0.5]),
        _broken(image=[0, "a"]),
        _broken(image=[[0], [0]]),
        _broken(class_id=[1, 0]),
        _broken(class_id=[0, 3]),
        _broken(hit=[0, 1024]),
        _broken(hit=[0, 10**30]),
        _broken(gt_class=[0]),
        _broken(gt_image=None),
        _broken(interpolation="12 points"),
        _broken(interpolation=["11 points"]),
        _broken(class_names=3),
    ],
)
def test_what_is_no_record_is_refused_in_one_line(data: dict) -> None:
    with pytest.raises(DataError, match="not the record of a run"):
        RunRecord.from_json(data)


def test_the_unbroken_record_is_one() -> None:
    assert len(RunRecord.from_json(_broken()).image) == 2


def test_one_draw_has_no_interval() -> None:
    # Its lower and upper end are the same difference: the images as they are do not count among the draws.
    for difference in compare_runs(_run(1, 0.2), _run(2, 0.7), draws=1).values():
        assert difference.low == difference.high
