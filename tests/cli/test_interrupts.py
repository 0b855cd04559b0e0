"""Signals end a stream of items between two of them, or in the wait for one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from yolo_cli.cli.interrupts import Interrupts

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt(kind):
    os.kill(os.getpid(), kind)


@pytest.fixture(autouse=True)
def handlers():
    """As in a terminal, and as before when the test is done."""
    before = {kind: signal.getsignal(kind) for kind in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for kind, handler in before.items():
        signal.signal(kind, handler)


@pytest.mark.parametrize("kind", SIGNALS)
def test_the_item_in_hand_is_finished(kind):
    closed, done = [], []

    def items():
        try:
            yield from range(9)
        finally:
            closed.append(True)

    with Interrupts() as interrupts:
        for item in interrupts.until(items()):
            if item == 2:
                interrupt(kind)
            done.append(item)
    assert (done, interrupts.asked, closed) == ([0, 1, 2], True, [True])


@pytest.mark.parametrize("kind", SIGNALS)
def test_a_wait_is_ended_at_once(kind):
    def items():
        yield 0
        interrupt(kind)
        yield 1  # is not reached

    with Interrupts() as interrupts:
        assert list(interrupts.until(items())) == [0]
    assert interrupts.asked


def test_a_second_signal_ends_the_program():
    with Interrupts():
        interrupt(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupt(signal.SIGINT)


def test_without_a_signal_nothing_is_changed():
    before = [signal.getsignal(kind) for kind in SIGNALS]
    with Interrupts() as interrupts:
        assert list(interrupts.until(range(3))) == [0, 1, 2]
    assert not interrupts.asked
    assert [signal.getsignal(kind) for kind in SIGNALS] == before


def test_what_is_ignored_stays_ignored():
    """As Ctrl-C is in the background of a shell."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts() as interrupts:
        for _ in interrupts.until(range(3)):
            interrupt(signal.SIGINT)
    assert not interrupts.asked


def test_ctrl_c_while_the_command_line_is_imported_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt  # as a handler does, wherever it is\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "yolo_cli", "export", "--format", "openvino"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: interrupted\n")
