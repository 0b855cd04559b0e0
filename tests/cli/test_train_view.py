"""What a person sees while a detector is trained."""

from __future__ import annotations

import io
import time

from yolo_cli.cli import train_view
from yolo_cli.cli.train_view import LiveView, PlainView, SilentView
from yolo_cli.training import Step

PREPARING = [Step("preparing images", done, 3, "images", 3.0 - done, done / 3) for done in (1, 2, 3)]
LEARNING = [Step("epoch 1 of 2", done, 2, "steps", 90.0, done / 4, {"loss": 0.25}) for done in (1, 2)]
YOLO = Step("epoch 1 of 2", 2, 2, "steps", 90.0, 0.5, {"box": 0.25}, 1e-3, 12.0, 2048.0, epoch_follows=True)


def test_plain_lines_come_at_the_end_of_a_part(capsys):
    with PlainView() as view:
        for stage in PREPARING + LEARNING:
            view.step(stage)
    assert capsys.readouterr().err.splitlines() == [
        "preparing images: 3 of 3 images, 0 s left",
        "epoch 1 of 2: 2 of 2 steps, loss 0.250, 90 s left",
    ]


def test_plain_lines_come_now_and_then_in_long_parts(capsys, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(train_view.time, "monotonic", lambda: now)
    with PlainView() as view:
        view.step(PREPARING[0])
        now += 31
        view.step(PREPARING[1])
    assert capsys.readouterr().err == "preparing images: 2 of 3 images, 1 s left\n"


def test_a_long_wait_for_the_first_step_is_explained_once(capsys, monkeypatch):
    monkeypatch.setattr(train_view, "_LONG_S", 0.01)
    with PlainView() as view:
        view.start("the plan")
        view._first_step.join()
        view.step(LEARNING[0])
    assert capsys.readouterr().err.splitlines() == [
        "the plan",
        "compiling the network; only the first step takes long",
    ]


def test_a_first_step_that_comes_soon_is_not_explained(capsys, monkeypatch):
    monkeypatch.setattr(train_view, "_LONG_S", 0.2)
    waiting = []
    for kind in (PlainView, LiveView):
        with kind() as view:
            view.start("the plan")
            view.step(LEARNING[0])
            waiting.append(view._first_step)
    with PlainView() as view:  # interrupted before the first step
        view.start("the plan")
        waiting.append(view._first_step)
    for timer in waiting:
        timer.join()
    assert "compiling" not in capsys.readouterr().err


def test_silence(capsys):
    with SilentView() as view:
        view.step(PREPARING[2])
    assert capsys.readouterr().err == ""


def test_the_live_view_renews_itself_and_keeps_what_is_done(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then writes as to a terminal
    with LiveView() as view:
        view.step(PREPARING[1])
        view._live.refresh()
        view.step(LEARNING[1])
    seen = screen.getvalue()
    assert "preparing images, 2 of 3 images" in seen
    assert "epoch 1 of 2: 2 of 2 steps, loss 0.250, 90 s left" in seen


def test_a_line_says_what_was_measured():
    assert str(LEARNING[0]) == "epoch 1 of 2: 1 of 2 steps, loss 0.250, 90 s left"
    assert str(YOLO) == "epoch 1 of 2: 2 of 2 steps, box 0.250, 12.0 images/s, 2.0 GiB, 90 s left"


def test_the_live_table_has_lines_for_what_was_measured():
    few, many = ([*train_view._table(step, None).columns[0].cells] for step in (PREPARING[0], YOLO))
    assert few == ["part", "time left", ""]
    assert many == ["part", "losses", "learning rate", "speed", "memory", "time left", ""]


def test_an_epoch_with_figures_to_follow_has_no_line_of_its_own(capsys):
    with PlainView() as view:
        view.step(YOLO)
    assert capsys.readouterr().err == ""
