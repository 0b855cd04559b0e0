from __future__ import annotations

import io
import sys

from yolo_cli.cli import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_on_a_terminal_renews_one_line(monkeypatch):
    clock = iter([0.0, 0.05, 0.2, 0.25, 1.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress.track("abcd", 4, "images")) == list("abcd")
    # Told at 0.2 s (2 of 4: 10 a second, 0.2 s left) and at 1 s (4 of 4), then cleared.
    clear = "\r\x1b[K"
    assert sys.stderr.getvalue() == (
        f"{clear}2 of 4 images, 10.0 a second, 0 s left{clear}4 of 4 images, 4.0 a second, 0 s left{clear}"
    )


def test_progress_in_a_log_is_a_line_now_and_then(monkeypatch):
    clock = iter([0.0, 1.0, 12.0, 13.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(progress.track("abc", 1000, "images")) == list("abc")
    # 2 images in 12 s: 6 s each, and 998 to come: 5988 s.
    assert sys.stderr.getvalue() == "2 of 1000 images, 0.2 a second, 99 min left\n"


def test_a_fault_is_told_below_no_half_written_line(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress.say("error: a\nb")
    assert sys.stderr.getvalue() == "\r\x1b[Kerror: a b\n"
