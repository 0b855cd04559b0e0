"""Counts over lines and in zones, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.errors import UsageError
from yolo_cli.tracking.counting import Counter, LineCounter, ZoneCounter, counters_of
from yolo_cli.tracks import Tracks
from yolo_cli.zones import read_points

LINE = "10,0,10,100"  # downwards: its right is at smaller x
SQUARE = "20,20,60,20,60,60,20,60"


def at(frame: int, *places: tuple[int, float, float]) -> Tracks:
    """Boxes 10 x 10: id and centre of each."""
    ids, x, y = np.array(places, float).reshape(-1, 3).T
    xyxy = np.stack([x - 5, y - 5, x + 5, y + 5], axis=1)
    count = len(ids)
    return Tracks(np.full(count, frame), ids.astype(int), xyxy, np.ones(count), np.full(count, 2))


def walked(counter: Counter, *places: tuple[float, float]) -> list[tuple[int, str]]:
    """Frame and direction of each crossing of one object."""
    crossings = [counter.update(at(frame, (7, *place))) for frame, place in enumerate(places)]
    return [(each.frame, each.direction) for frame in crossings for each in frame]


def line(text: str = LINE) -> LineCounter:
    return LineCounter("line 1", read_points("--count-line", text))


def square() -> ZoneCounter:
    return ZoneCounter("zone 1", read_points("--zone", SQUARE))


def test_in_is_to_the_right_of_the_line() -> None:
    assert walked(line(), (30, 50), (0, 50)) == [(1, "in")]
    assert walked(line(), (0, 50), (30, 50)) == [(1, "out")]
    assert walked(line("10,100,10,0"), (0, 50), (30, 50)) == [(1, "in")]


def test_only_between_the_ends() -> None:
    assert walked(line(), (30, 120), (0, 120)) == []
    assert walked(line(), (30, 120), (0, 120), (0, 50), (30, 50)) == [(3, "out")]  # around the end, and back
    assert walked(line(), (30, 90), (0, 130)) == []  # at x = 10 it is at 90 + 40 x 2/3 = 117


def test_trembling_on_the_line_counts_once() -> None:
    """Within a tenth of 10 pixels of the line, an object is on no side."""
    assert walked(line(), (30, 50), (10.5, 50), (9.5, 50), (10.5, 50), (9.5, 50), (0, 50)) == [(5, "in")]


def test_there_and_back_counts_twice() -> None:
    counter = line()
    assert walked(counter, (30, 50), (0, 50), (30, 50)) == [(1, "in"), (2, "out")]
    assert counter.counts == {"in": 1, "out": 1}


def test_an_object_that_was_not_seen_for_a_while() -> None:
    counter = line()
    counter.update(at(0, (1, 30, 50), (2, 30, 10)))
    counter.update(at(1, (2, 0, 10)))
    crossings = counter.update(at(9, (1, 0, 50)))
    assert [(each.track_id, each.class_id, each.frame) for each in crossings] == [(1, 2, 9)]


def test_zone() -> None:
    assert walked(square(), (10, 40), (40, 40), (50, 50), (70, 40)) == [(1, "in"), (3, "out")]
    assert walked(square(), (40, 40), (70, 40)) == [(1, "out")]  # appeared inside
    assert walked(square(), (10, 40), (70, 40)) == []  # straight through between two frames: never inside
    assert walked(square(), (40, 40), (20.5, 40), (19.5, 40), (40, 40)) == []


def test_nothing_seen() -> None:
    assert line().update(at(0)) == []


def test_names() -> None:
    assert [each.name for each in counters_of([LINE, LINE], [SQUARE])] == ["line 1", "line 2", "zone 1"]


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--count-line", "1,2,3", "must be x1,y1,x2,y2 in pixels"),
        ("--count-line", "1,2,3,4,5,6", "must be x1,y1,x2,y2 in pixels"),
        ("--count-line", "1,2,x,4", "must be x1,y1,x2,y2"),
        ("--count-line", "1,2,nan,4", "must be x1,y1,x2,y2"),
        ("--count-line", "1,2,1,2", "has the same point twice"),
        ("--zone", "1,1,2,2,5,5", "encloses nothing"),
        ("--zone", "1,2,3,4", "must be x1,y1,x2,y2,x3,y3,…"),
        ("--zone", "1,2,3,4,5,6,7", "must be x1,y1,x2,y2,x3,y3,…"),
        ("--zone", "1,2,3,4,1,2", "give 3 different points"),
    ],
)
def test_wrong_points(option: str, text: str, said: str) -> None:
    with pytest.raises(UsageError) as fault:
        read_points(option, text)
    assert said in fault.value.text
