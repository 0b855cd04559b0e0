"""Scores of pairs, and the figures of verification, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_cli.errors import DataError
from yolo_cli.evaluation.verification import BIAS, pair_scores, similarities, verification

scores = st.lists(st.floats(0, 1, width=16), min_size=1, max_size=30).map(np.array)


def test_cosine_of_a_right_angle_and_of_the_opposite():
    a, b = np.float32([[3, 0]]), np.float32([[2, 0], [0, 5], [-1, 0]])
    assert similarities("cosine", a, b).tolist() == [[1, 0, -1]]


def test_logistic_score_is_the_probability_of_koch():
    # |1 − 0| + |2 − 4| = 3: σ(4 − 3) = 1 / (1 + e⁻¹) = 0.7311
    found = similarities("logistic", np.float32([[1, 2]]), np.float32([[0, 4], [1, 2]]))
    assert found[0] == pytest.approx([0.731059, 1 / (1 + np.exp(-BIAS))], abs=1e-6)


def test_each_pair_counts_once():
    vectors = np.float32([[1, 0], [1, 0], [0, 1]])
    same, different = pair_scores("cosine", vectors, np.array([5, 5, 7]))
    assert same.tolist() == [1]
    assert different.tolist() == [0, 0]


def test_equal_error_rate_by_hand():
    # From 0.4 on: one of four different ones is accepted (0.25), and one of four same ones refused (0.25).
    figures = verification(np.array([0.9, 0.8, 0.5, 0.3]), np.array([0.1, 0.2, 0.3, 0.4]))
    assert figures.eer == 0.25
    # No different one reaches 0.5: three of four same ones do.
    assert figures.true_accept == 0.75
    assert (figures.same, figures.different) == (4, 4)


def test_the_table_of_false_accepts_is_what_is_counted():
    different = np.linspace(0, 1, 1001)
    levels, rates = verification(np.ones(2), different).false_accepts
    for level, rate in zip(levels, rates, strict=True):
        assert rate == pytest.approx(np.mean(np.float32(different) >= level))
    assert np.interp(0.01, rates[::-1], levels[::-1]) == pytest.approx(0.99, abs=0.002)


@given(scores, scores)
def test_a_curve_rises_from_0_to_1(same, different):
    false, accepted = verification(same, different).roc
    assert np.all(np.diff(false) >= 0)
    assert np.all(np.diff(accepted) >= 0)
    assert (false[-1], accepted[-1]) == (1, 1)


@given(scores, scores)
def test_perfect_scores_have_no_error(same, different):
    figures = verification(same + 2, different)
    assert (figures.eer, figures.true_accept) == (0, 1)


def test_one_kind_of_pairs_is_not_enough():
    with pytest.raises(DataError, match="two identities"):
        verification(np.ones(3), np.zeros(0))
