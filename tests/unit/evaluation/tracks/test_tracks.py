"""HOTA, MOTA and IDF1: a worked example, the reference implementations, and laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.made_tracks import tracks_of, tracks_strategy
from tests.track_references import SAMPLES, motmetrics_figures, sample, trackeval_hota
from yolo_cli.evaluation.tracks import evaluate_tracks
from yolo_cli.evaluation.tracks.hota import ALPHAS
from yolo_cli.evaluation.tracks.report import TrackReport
from yolo_cli.tracks import Tracks, read_mot

# Two objects 100 pixels apart, three frames. Track 7 follows the first object and goes over to the second in
# the last frame; track 8 is on the second in frame 0, 5 pixels beside it; track 9 is a false alarm.
OBJECTS = tracks_of([(0, 1, 0), (1, 1, 0), (2, 1, 0), (0, 2, 100), (1, 2, 100), (2, 2, 100)])
FOUND = tracks_of([(0, 7, 0), (1, 7, 0), (2, 7, 100), (0, 8, 105), (1, 9, 300)])


def test_worked_example_of_mota_and_idf1() -> None:
    figures = evaluate_tracks(OBJECTS, FOUND)
    # IoU of 8 with its object: 5 of 15 columns are common, 1/3 < 0.5: no match. Matches: 7 with 1, 1 and 2.
    # Object 2 had no match before, so this is not a switch. Misses 6 - 3, false positives 5 - 3.
    clear = figures.clear
    assert (clear.misses, clear.false_positives, clear.switches) == (3, 2, 0)
    assert figures.mota == 1 - (3 + 2 + 0) / 6
    # Track 7 assigned to object 1: 2 boxes; nothing is left for object 2. 2 x 2 / (6 + 5).
    assert figures.idf1 == pytest.approx(4 / 11)


def test_worked_example_of_hota() -> None:
    sums = evaluate_tracks(OBJECTS, FOUND).hota_sums
    # Up to IoU 0.3 four pairs match: (1, 7) twice, (2, 7) once, (2, 8) once. Object 2 has 3 boxes, 8 has 1.
    # Association of (1, 7): 2 of 3 + 3 - 2 boxes, each of 2; of (2, 7): 1 of 3 + 3 - 1; of (2, 8): 1 of 3.
    loose = 2 * 2 / 4 + 1 / 5 + 1 / 3
    # From 0.35 on, (2, 8) does not match.
    strict = 2 * 2 / 4 + 1 / 5
    np.testing.assert_allclose(sums.association, [loose] * 6 + [strict] * 13)
    np.testing.assert_array_equal(sums.matches, [4] * 6 + [3] * 13)
    # Matches over matches + misses + false positives: 4 / (4 + 2 + 1), 3 / (3 + 3 + 2).
    np.testing.assert_allclose(sums.det_a, [4 / 7] * 6 + [3 / 8] * 13)
    np.testing.assert_allclose(sums.hota[0], np.sqrt(4 / 7 * loose / 4))
    np.testing.assert_allclose(sums.loc_a[[0, -1]], [(3 + 1 / 3) / 4, 1])


def test_a_switch_is_counted_once() -> None:
    gt = tracks_of([(frame, 1, 0) for frame in range(4)])
    found = tracks_of([(0, 1, 0), (1, 2, 0), (3, 2, 0)])
    assert evaluate_tracks(gt, found).clear.switches == 1


def test_a_pair_goes_on_although_another_overlaps_more() -> None:
    gt = tracks_of([(0, 1, 0), (1, 1, 0)])
    found = tracks_of([(0, 5, 0), (1, 5, 3), (1, 6, 0)])  # IoU of 3 beside: 7 / 13 > 0.5
    assert evaluate_tracks(gt, found).clear.switches == 0


@pytest.mark.parametrize("name", SAMPLES)
def test_equal_to_the_references_on_samples(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gt, found = map(read_mot, sample(name))
    _assert_equal(gt, found, monkeypatch, 1e-9)


@given(tracks_strategy(1), tracks_strategy())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hota_is_trackevals(gt: Tracks, found: Tracks) -> None:
    ours = evaluate_tracks(gt, found).hota_sums
    np.testing.assert_allclose(ours.hota, trackeval_hota(gt, found)["HOTA"], atol=1e-9)


def _assert_equal(gt: Tracks, found: Tracks, monkeypatch: pytest.MonkeyPatch, tolerance: float) -> None:
    ours = evaluate_tracks(gt, found)
    hota, other = trackeval_hota(gt, found), motmetrics_figures(gt, found, monkeypatch)
    for name, values in (
        ("HOTA", ours.hota_sums.hota),
        ("DetA", ours.hota_sums.det_a),
        ("AssA", ours.hota_sums.ass_a),
        ("LocA", ours.hota_sums.loc_a),
    ):
        np.testing.assert_allclose(values, hota[name], rtol=0, atol=tolerance)
    assert ours.hota == pytest.approx(hota["HOTA"].mean(), abs=tolerance)
    assert ours.mota == pytest.approx(other["mota"], abs=tolerance)
    assert ours.idf1 == pytest.approx(other["idf1"], abs=tolerance)
    counts = ours.clear.switches, ours.clear.misses, ours.clear.false_positives
    assert counts == (other["num_switches"], other["num_misses"], other["num_false_positives"])


@given(tracks_strategy(1))
def test_perfect_tracks_have_one(gt: Tracks) -> None:
    figures = evaluate_tracks(gt, gt)
    # Boxes of two objects may be in one place, so that either match is perfect: detection alone is sure.
    assert figures.hota_sums.det_a.tolist() == [1.0] * 19
    apart = replace(gt, xyxy=gt.xyxy + 1000 * gt.track_id[:, None])
    figures = evaluate_tracks(apart, apart)
    assert (figures.hota, figures.mota, figures.idf1) == (1, 1, 1)


@given(tracks_strategy(1), tracks_strategy())
def test_names_of_tracks_do_not_count(gt: Tracks, found: Tracks) -> None:
    renamed = replace(found, track_id=(found.track_id * 2) % 11 + 40)  # a permutation of 1 to 5
    _assert_same(evaluate_tracks(gt, found).to_dict(), evaluate_tracks(gt, renamed).to_dict())


@given(tracks_strategy(1), tracks_strategy())
def test_bounds(gt: Tracks, found: Tracks) -> None:
    figures = evaluate_tracks(gt, found)
    assert 0 <= figures.hota <= 1
    assert figures.mota is not None
    assert figures.mota <= 1
    assert 0 <= (figures.idf1 or 0) <= 1


@given(tracks_strategy(1), tracks_strategy())
def test_a_false_alarm_elsewhere_never_helps(gt: Tracks, found: Tracks) -> None:
    before = evaluate_tracks(gt, found)
    alarm = tracks_of([(0, 99, 5000)])
    more = Tracks(*(np.concatenate([getattr(found, n), getattr(alarm, n)]) for n in Tracks.__slots__))
    after = evaluate_tracks(gt, more)
    assert after.hota <= before.hota + 1e-12
    assert (after.mota or 0) < (before.mota or 0) + 1e-12
    assert (after.idf1 or 0) <= (before.idf1 or 0) + 1e-12


@given(tracks_strategy(1), tracks_strategy(1))
def test_sequences_add_up(gt: Tracks, found: Tracks) -> None:
    one = evaluate_tracks(gt, found)
    _assert_same((one + one).to_dict(), one.to_dict(), ("hota", "mota", "idf1", "loc_a"))


def _assert_same(
    a: dict[str, float], b: dict[str, float], names: tuple[str, ...] = ("hota", "mota", "idf1")
) -> None:
    assert [a[name] for name in names] == pytest.approx([b[name] for name in names], abs=1e-9)


def test_there_are_nineteen_thresholds_of_hota() -> None:
    assert np.allclose(ALPHAS, [n / 20 for n in range(1, 20)])


def test_one_sequence_has_no_row_for_all() -> None:
    figures = evaluate_tracks(OBJECTS, FOUND)
    assert "all" not in TrackReport({"one": figures}).to_text()
    assert "all" in TrackReport({"one": figures, "two": figures}).to_text()
