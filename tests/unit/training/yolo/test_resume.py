"""Nothing is lost: a run that was cut off goes on as if nothing had happened, to the last bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.processes import heeding_signals
from tests.training_sets import write_shapes, write_tiny_cfg
from tests.unit.training.watchers import CrashError, Crashing, Noting
from yolo_cli.config import TrainConfig
from yolo_cli.errors import DataError
from yolo_cli.training import TrainJob, read_job


def job(folder: Path, name: str, **options: object) -> TrainJob:
    """Six epochs of two steps on eight images."""
    if not (folder / "data").exists():
        write_shapes(folder / "data")
    config = {"epochs": 6, "batch": 4, "precision": "float32", **options}
    return TrainJob(
        str(folder / "data"), folder / name, model=str(write_tiny_cfg(folder)), config=TrainConfig(**config)
    )


def arrays(run: Path) -> dict[str, np.ndarray]:
    with np.load(run / "weights" / "checkpoint.npz") as file:
        return {key: file[key] for key in file.files if key != "state"}


def assert_same_bytes(one: Path, other: Path) -> None:
    a, b = arrays(one), arrays(other)
    assert a.keys() == b.keys()
    different = [key for key in a if a[key].tobytes() != b[key].tobytes()]
    assert different == []


@pytest.mark.parametrize("freeze", [0, pytest.param(3, marks=pytest.mark.slow)])
def test_crash_in_the_fourth_epoch_then_resume_gives_the_same_bytes(tmp_path: Path, freeze: int) -> None:
    from yolo_cli.training import train

    straight = job(tmp_path, "straight", freeze=freeze)
    first = train(straight, Noting())
    broken = job(tmp_path, "broken", freeze=freeze)
    with pytest.raises(CrashError):
        train(broken, Crashing("epoch 4 of 6", 1))
    watcher = Noting()
    second = train(read_job(broken.out), watcher, resume=True)
    assert [state.epoch for state in watcher.states] == [4, 5, 6]
    assert_same_bytes(straight.out, broken.out)
    assert second.report.map50_95 == first.report.map50_95
    table = [(run.out / "results.csv").read_text().splitlines() for run in (straight, broken)]
    assert len(table[0]) == len(table[1]) == 7


def test_a_run_fed_by_processes_gives_the_same_bytes_as_one_fed_by_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted with one process, and finished with two."""
    from yolo_cli.training import train

    def processes(count: int) -> None:
        monkeypatch.setattr("yolo_cli.training.yolo.recipe.choose_processes", lambda *_, **__: count)

    straight, broken = job(tmp_path, "straight", epochs=2), job(tmp_path, "broken", epochs=2)
    train(straight, Noting())
    processes(1)
    with pytest.raises(CrashError):
        train(broken, Crashing("epoch 2 of 2", 1))
    processes(2)
    train(read_job(broken.out), Noting(), resume=True)
    assert_same_bytes(straight.out, broken.out)


@pytest.mark.slow
def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    from yolo_cli.training import train

    jobs = [job(tmp_path, f"seed{seed}", seed=seed, epochs=1) for seed in (0, 1)]
    for one in jobs:
        train(one, Noting())
    with pytest.raises(AssertionError):
        assert_same_bytes(jobs[0].out, jobs[1].out)


@pytest.mark.slow
def test_a_run_killed_before_its_first_epoch_starts_over(tmp_path: Path) -> None:
    from yolo_cli.training import train

    broken = job(tmp_path, "broken", epochs=1)
    with pytest.raises(CrashError):
        train(broken, Crashing("epoch 1 of 1", 1))
    assert train(read_job(broken.out), Noting(), resume=True).state.epoch == 1


@pytest.mark.slow
def test_a_finished_run_resumes_to_the_same_end(tmp_path: Path) -> None:
    from yolo_cli.training import train

    done = job(tmp_path, "done", epochs=1)
    first = train(done, Noting())
    again = train(read_job(done.out), Noting(), resume=True)
    assert again.state.epoch == 1
    assert again.report.map50_95 == first.report.map50_95


def test_other_data_than_at_the_beginning_is_refused(tmp_path: Path) -> None:
    from yolo_cli.training import train

    broken = job(tmp_path, "broken", epochs=1)
    with pytest.raises(CrashError):
        train(broken, Crashing("epoch 1 of 1", 1))
    image = sorted(Path(broken.data).rglob("*.png"))[0]
    image.write_bytes(image.read_bytes() + b"more")
    with pytest.raises(DataError, match=r"has changed since the run in .* began; train again"):
        train(read_job(broken.out), Noting(), resume=True)
    assert (broken.out / "args.yaml").exists()


def test_a_full_disk_leaves_the_last_checkpoint_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yolo_cli.training import train

    run = job(tmp_path, "run", epochs=2)
    whole = np.savez
    written = []

    def savez(file, **values):
        written.append(1)
        if len(written) == 2:
            file.write(b"half of it")
            raise OSError(28, "No space left on device")
        whole(file, **values)

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(DataError, match="cannot be written: No space left on device; free some space"):
        train(run, Noting())
    monkeypatch.undo()
    assert arrays(run.out)
    assert [path.name for path in (run.out / "weights").iterdir() if path.name.startswith(".")] == []
    assert train(read_job(run.out), Noting(), resume=True).state.epoch == 2


def start(run: TrainJob, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "yolo_cli", "train", *words]
    with heeding_signals():
        return subprocess.Popen(command, cwd=run.out.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[bytes]) -> int:
    """How it ended; what it said shows where a test fails."""
    out, told = process.communicate()
    print(out.decode(), told.decode())
    return process.returncode


def words_of(run: TrainJob, epochs: int) -> list[str]:
    options = ["--epochs", str(epochs), "--batch", "4", "--precision", "float32", "--exist-ok"]
    return ["--data", run.data, "--model", str(run.model), "--out", str(run.out), *options]


@pytest.mark.slow
def test_twenty_kills_at_random_instants(tmp_path: Path) -> None:
    run = job(tmp_path, "killed")
    straight = job(tmp_path, "straight")
    assert ended(start(straight, *words_of(straight, 40))) == 0
    rng = np.random.default_rng(0)
    process = start(run, *words_of(run, 40))
    kills = 0
    while kills < 20:
        try:
            process.wait(timeout=float(rng.uniform(0.5, 20)))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        ended(process)
        again = ["--resume", str(run.out)] if (run.out / "args.yaml").exists() else words_of(run, 40)
        process = start(run, *again)
    assert ended(process) == 0
    assert_same_bytes(run.out, straight.out)


@pytest.mark.slow
def test_interrupt_says_how_to_go_on(tmp_path: Path) -> None:
    run = job(tmp_path, "run")
    process = start(run, *words_of(run, 500))
    while not (run.out / "results.csv").exists():
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130
    assert f"yolo train --resume {run.out}" in told.decode()
    assert arrays(run.out)
