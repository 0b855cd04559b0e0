"""A stream that is read in a thread."""

from __future__ import annotations

import time

import numpy as np

from yolo_cli.live.feed import Feed


class Numbers:
    """A stream of so many packets; ``alive`` counts those that are open."""

    rate, still, alive = 25.0, False, 0

    def __init__(self, count):
        self.left = count
        Numbers.alive += 1

    def read(self):
        self.left -= 1
        return (lambda _: np.zeros((1, 1, 3), np.uint8)) if self.left >= 0 else None

    def close(self):
        Numbers.alive -= 1


def numbers(feed):
    """All packets that are still to come."""
    found = []
    while packet := feed.take(5):
        found.append(packet.number)
    return found


def settled(feed):
    """Wait until the stream has been read as far as it goes by itself."""
    time.sleep(0.2)
    return feed


def test_the_last_packet_is_not_lost_at_the_end():
    feed = settled(Feed(lambda: Numbers(1), False, 1, 0))
    assert not feed.ended  # the stream has, but its last packet is still here
    assert feed.take(0).number == 0
    assert feed.ended
    assert feed.take(0) is None


def test_all_waits_and_newest_drops():
    waiting = settled(Feed(lambda: Numbers(9), True, 1, 0))
    assert (numbers(waiting), waiting.dropped) == (list(range(9)), 0)
    newest = settled(Feed(lambda: Numbers(9), False, 1, 0))
    assert (numbers(newest), newest.dropped) == ([8], 8)


def test_frames_that_are_not_chosen_are_not_dropped():
    feed = settled(Feed(lambda: Numbers(9), False, 4, 100))
    assert (numbers(feed), feed.dropped) == ([108], 2)  # of 100, 104 and 108


def test_closing_lets_go_of_the_stream():
    Numbers.alive = 0
    feed = settled(Feed(lambda: Numbers(9), True, 1, 0))
    assert Numbers.alive == 1
    feed.close()
    assert Numbers.alive == 0
