"""Full disks, closed streams and signals: one line, the right exit code, nothing half."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.hostile.commands import ROOT, YOLO, photo, yolo
from tests.processes import ending, heeding_signals
from tests.training_sets import write_shapes, write_tiny_cfg

FULL = b"error: standard output cannot be written: No space left on device; free some space\n"
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def one_line(done: subprocess.CompletedProcess[bytes]) -> bytes:
    assert b"unexpected" not in done.stderr, done.stderr
    assert b"Traceback" not in done.stderr, done.stderr
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["detect", "a.jpg", "--no-save"],
        ["detect", "a.jpg", "--no-save", "--format", "json"],
        ["weights", "list"],
    ],
    ids=" ".join,
)
def test_a_full_stdout_is_one_line_and_exit_3(words: list[str], tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    with Path("/dev/full").open("wb") as full:
        done = yolo(*words, cwd=tmp_path, stdout=full)
    assert (done.returncode, one_line(done)) == (3, FULL.replace(b" output ", b" output: ").rstrip())


def test_a_full_stderr_changes_no_result(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    with Path("/dev/full").open("wb") as full:
        done = yolo("detect", "a.jpg", "--out", "o", cwd=tmp_path, stderr=full)
        bad = yolo("detect", "none.jpg", cwd=tmp_path, stderr=full)
    assert (done.returncode, b"a.jpg" in done.stdout, bad.returncode) == (0, True, 3)


@pytest.mark.parametrize(("closed", "code"), [("1", 2), ("2", 0), ("0", 0)])
def test_streams_that_the_caller_closed(closed: str, code: int, tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    command = f"exec {closed}>&-; exec {' '.join(YOLO)} detect a.jpg --out o"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, check=False, env=environment
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False)
    assert (tmp_path / "o" / "a.jpg").is_file() == (code == 0)


def limited(size: int):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [0, 100, 1000])
def test_a_limit_on_files_is_one_line_and_leaves_nothing_half(size: int, tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    done = yolo(
        "detect", "a.jpg", "--out", "o", cwd=tmp_path, preexec_fn=limited(size), env={"YOLO_CLI_CACHE": "off"}
    )
    assert done.returncode == 3
    assert b"cannot be written: File too large" in one_line(done)
    assert [*(tmp_path / "o").iterdir()] == []


@pytest.mark.parametrize("kind", ENDING)
def test_signals_end_a_stream_as_ctrl_c_does(kind: int, tmp_path: Path) -> None:
    """Also SIGHUP, when a terminal is closed; what is done is kept."""
    (tmp_path / "p").mkdir()
    for number in range(400):
        photo(tmp_path / "p" / f"{number}.jpg")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with heeding_signals():
        run = subprocess.Popen(
            [*YOLO, "detect", "p", "--out", "o", "--format", "ndjson"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    assert run.stdout is not None
    with ending(run):
        first = run.stdout.readline()
        run.send_signal(kind)
        rest, errors = run.communicate(timeout=60)
    assert run.returncode == 130, errors
    assert b"what is done is kept" in errors
    assert len((first + rest).splitlines()) <= len([*(tmp_path / "o").iterdir()]) < 400


@pytest.mark.parametrize("kind", ENDING[1:])
def test_signals_before_the_first_result_are_one_line(kind: int, tmp_path: Path) -> None:
    """As `weights import` is long before it writes anything.

    It sleeps many times and not once: Python sees a signal between two steps, and one that comes just before
    the call to the system that sleeps does not end that sleep (14 of 20,000 on a busy machine).
    """
    script = """
import time
from yolo_cli.api import models
from yolo_cli.cli import main
models.list_models = lambda **_: (print("here", flush=True), [time.sleep(0.1) for _ in range(600)])
main(["weights", "list"])
"""
    with heeding_signals():
        run = subprocess.Popen(
            [YOLO[0], "-c", script],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    assert run.stdout is not None
    with ending(run):
        assert run.stdout.readline() == b"here\n"
        run.send_signal(kind)
        assert (run.communicate(timeout=60)[1].strip(), run.returncode) == (b"error: interrupted", 130)


def test_what_nohup_ignores_stays_ignored(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for number in range(30):
        photo(tmp_path / "p" / f"{number}.jpg")
    run = subprocess.Popen(
        ["nohup", *YOLO, "detect", "p", "--no-save", "--format", "ndjson"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdout is not None
    with ending(run):
        run.stdout.readline()
        run.send_signal(signal.SIGHUP)
        rest, _ = run.communicate(timeout=60)
    assert (run.returncode, len(rest.splitlines())) == (0, 29)


def test_outputs_have_the_modes_of_the_umask(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    done = yolo(
        "detect",
        "a.jpg",
        "--out",
        "o",
        "--save-txt",
        cwd=tmp_path,
        preexec_fn=lambda: os.umask(0o027) and None,
    )
    assert done.returncode == 0, done.stderr
    modes = {
        str(p.relative_to(tmp_path)): oct(p.stat().st_mode & 0o777)
        for p in [tmp_path / "o", *(tmp_path / "o").rglob("*")]
    }
    assert modes == {"o": "0o750", "o/labels": "0o750", "o/a.jpg": "0o640", "o/labels/a.txt": "0o640"}


def test_ten_runs_into_one_folder(tmp_path: Path) -> None:
    """Each writes the same files whole."""
    photo(tmp_path / "a.jpg")
    words = ["detect", "a.jpg", "--out", "o", "--exist-ok", "--save-txt", "--engine", "onnx"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    runs = [
        subprocess.Popen(
            [*YOLO, *words], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(10)
    ]
    for run in runs:
        run.communicate(timeout=240)
    assert [run.returncode for run in runs] == [0] * 10
    assert sorted(p.name for p in (tmp_path / "o").rglob("*")) == ["a.jpg", "a.txt", "labels"]


def test_a_second_run_in_a_folder_is_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    data, cfg = write_shapes(tmp_path / "d"), write_tiny_cfg(tmp_path)
    options = ["--imgsz", "64", "--epochs", "500", "--batch", "4", "--workers", "2", "--out", "run"]
    words = ["train", "--data", str(data), "--model", str(cfg), *options]
    first = training(tmp_path, *words)
    checkpoint = tmp_path / "run" / "weights" / "checkpoint.npz"
    until = time.monotonic() + 120
    while not checkpoint.is_file() and time.monotonic() < until and first.poll() is None:
        time.sleep(0.1)
    assert checkpoint.is_file(), first.stderr and first.stderr.read()
    second = yolo("train", "--resume", "run", cwd=tmp_path)
    third = yolo(*words, "--exist-ok", cwd=tmp_path)
    first.kill()
    first.communicate()
    line = b"error: run: another run is at work in it; wait for it, or name another folder"
    assert [(it.returncode, one_line(it)) for it in (second, third)] == [(2, line)] * 2
    again = training(tmp_path, "train", "--resume", "run")
    assert again.stderr is not None
    seen = []
    for text in again.stderr:
        seen.append(text)
        if b"epoch" in text:
            again.send_signal(signal.SIGTERM)
            break
    rest = again.communicate(timeout=120)[1]
    assert again.returncode == 130, (seen, rest)
    assert b"Continue with: yolo train --resume run" in rest


def training(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """A run of `yolo train` that heeds signals."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "tensorflow"}
    with heeding_signals():
        return subprocess.Popen(
            [*YOLO, *words],
            cwd=folder,
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
