"""What a person sees while a region detector learns."""

from __future__ import annotations

import io
import time

import pytest

from yolo_cli.cli import train_view
from yolo_cli.cli.train_view import LiveView, PlainView, SilentView
from yolo_cli.region_training.run import Stage

LOOKING = [Stage("looking at images", done, 3, "images", 3.0 - done) for done in (1, 2, 3)]
LEARNING = [Stage("epoch 1 of 2", done, 2, "steps", 90.0, 0.25) for done in (1, 2)]


def test_plain_lines_come_at_the_end_of_a_part(capsys):
    with PlainView() as view:
        for stage in LOOKING + LEARNING:
            view.stage(stage)
    assert capsys.readouterr().err.splitlines() == [
        "looking at images: 3 of 3 images, 0 s left",
        "epoch 1 of 2: 2 of 2 steps, loss 0.250, 90 s left",
    ]


def test_plain_lines_come_now_and_then_in_long_parts(capsys, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(train_view.time, "monotonic", lambda: now)
    with PlainView() as view:
        view.stage(LOOKING[0])
        now += 31
        view.stage(LOOKING[1])
    assert capsys.readouterr().err == "looking at images: 2 of 3 images, 1 s left\n"


def test_silence(capsys):
    with SilentView() as view:
        view.stage(LOOKING[2])
    assert capsys.readouterr().err == ""


def test_the_live_view_renews_itself_and_keeps_what_is_done(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then writes as to a terminal
    with LiveView() as view:
        view.stage(LOOKING[1])
        view._live.refresh()
        view.stage(LEARNING[1])
    seen = screen.getvalue()
    assert "looking at images, 2 of 3 images" in seen
    assert "epoch 1 of 2: 2 of 2 steps, loss 0.250, 90 s left" in seen


@pytest.mark.parametrize("loss", [None, 0.5])
def test_the_live_table_says_a_loss_if_there_is_one(loss):
    table = train_view._stage_table(Stage("epoch 1 of 2", 1, 2, "steps", 9.0, loss))
    assert list(table.columns[1].cells)[1] == ("-" if loss is None else "0.500")
