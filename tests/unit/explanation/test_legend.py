"""The legend below an explanation and the titles above its panels fit their width."""

from __future__ import annotations

import numpy as np

from yolo_cli.explanation.legend import BACKGROUND, BAR, Entry, legend, titled
from yolo_cli.render import text_width

ENTRIES = (Entry("filled", (255, 0, 0), 0, "one"), Entry("dot", (0, 255, 0), 0, "two"))


def test_what_does_not_fit_goes_to_the_next_line() -> None:
    """On a wide image all is on one line; 120 pixels hold an entry a line, and the note is the third."""
    assert legend(ENTRIES, "note", 600).shape == (BAR + 8, 600, 3)
    narrow = legend(ENTRIES, "a longer note", 120)
    assert narrow.shape == (3 * BAR + 8, 120, 3)
    assert narrow[8 + 9, 8 + 13].tolist() == [255, 0, 0]  # the middles of two swatches of 26 x 18
    assert narrow[BAR + 8 + 9, 8 + 13].tolist() == [0, 255, 0]
    assert narrow[2 * BAR + 8 + 9 :].any()


def test_a_title_is_above_its_panel_and_smaller_where_that_is_narrow() -> None:
    panel = np.zeros((50, 60, 3), np.uint8)
    title = "stride 32"
    assert text_width(title, 15) > 60 - 16
    drawn = titled(title, panel)
    assert drawn.shape == (BAR + 50, 60, 3)
    assert not drawn[BAR:].any()
    assert (drawn[:BAR, -8:] == BACKGROUND).all()  # the last letter ends before the border
    assert (drawn[:BAR] != BACKGROUND).any()
