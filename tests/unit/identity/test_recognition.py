"""Who it is, and from which score on, by hand; see `tests.unit.identity.galleries` for the angles."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.identity.galleries import CARD, gallery, unit
from yolo_cli.errors import DataError
from yolo_cli.identity import choose_threshold, recognise, verify


def test_the_nearest_is_named_from_the_threshold_on():
    known = gallery(mug=[0], jug=[90])
    near, far = recognise(known, CARD, np.stack([unit(10), unit(45 + 1)]), 0.8)
    assert (near.identity, near.nearest) == ("mug", "mug")
    assert near.score == pytest.approx(np.cos(np.deg2rad(10)))
    assert (far.identity, far.nearest) == (None, "jug")  # cos 44° = 0.719


def test_how_sure_comes_from_the_card():
    # Between 0.2 (10 %) and 0.6 (1 %), at 0.4: 5.5 %.
    [match] = recognise(gallery(mug=[0]), CARD, unit(np.rad2deg(np.arccos(0.4)))[None], 0.0)
    assert match.false_accept == pytest.approx(0.055)


def test_the_threshold_is_the_middle_of_those_with_fewest_mistakes():
    # mug at 0° and 20°, jug at 80° and 90°: own cos 20° = .940 and cos 10° = .985; nearest of another name
    # cos 80°, cos 60°, cos 60°, cos 70°: at most 0.5. Between 0.5 and .940 nothing is wrong: the middle.
    chosen = choose_threshold(gallery(mug=[0, 20], jug=[80, 90]), CARD)
    assert chosen.score == pytest.approx((0.5 + np.cos(np.deg2rad(20))) / 2)
    assert "wrong in 0 of 8 comparisons" in str(chosen)


def test_one_photo_each_takes_the_card_but_keeps_the_names_apart():
    assert choose_threshold(gallery(mug=[0], jug=[90]), CARD).score == 0.6
    alike = choose_threshold(gallery(mug=[0], jug=[10]), CARD)
    assert alike.score == pytest.approx(np.cos(np.deg2rad(10)))


def test_photos_of_one_name_that_are_not_alike_take_the_card():
    # mug at 0° and 100°, jug at 45°. Own: cos 100° = -.174 twice; of another: cos 45° = .707 twice,
    # cos 55° = .574. To refuse all is wrong twice, to accept all three times, but "all" has no middle.
    chosen = choose_threshold(gallery(mug=[0, 100], jug=[45]), CARD)
    assert chosen.score == pytest.approx(np.cos(np.deg2rad(45)))
    assert "too few photos" in str(chosen)


def test_no_gallery_chooses_below_ten_percent_of_false_accepts():
    # Own: cos 80° = .174; nearest of another name: cos 90° = 0. The middle, .087, is below the card's 0.2.
    chosen = choose_threshold(gallery(mug=[0, 80], jug=[250, 170]), CARD)
    assert chosen.score == 0.2


def test_verify_at_a_rate():
    verdict = verify(CARD, unit(0), unit(45), 0.01)
    assert (verdict.same, verdict.min_score) == (True, 0.6)  # cos 45° = .707
    assert not verify(CARD, unit(0), unit(45), 0.0001).same


def test_an_empty_gallery_knows_nobody():
    with pytest.raises(DataError, match="empty"):
        recognise(gallery(), CARD, unit(0)[None], 0.5)


def test_a_photo_learnt_twice_tells_nothing():
    # As one photo each: the card's threshold. With the copies' cos 0° = 1, it would be (1 + 0) / 2.
    for copies in ([0, 0], [0, 0, 0]):
        assert choose_threshold(gallery(mug=copies, jug=[90, 90]), CARD).score == 0.6
    # As the other example: the middle of 0.5 and cos 20°.
    chosen = choose_threshold(gallery(mug=[0, 20, 20], jug=[80, 90]), CARD)
    assert chosen.score == pytest.approx((0.5 + np.cos(np.deg2rad(20))) / 2)


def test_a_photo_under_two_names_refuses_nobody():
    assert choose_threshold(gallery(mug=[0], cup=[0], jug=[90]), CARD).score == 0.6
