"""Training as a program calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training_sets import write_shapes, write_tiny_cfg
from tests.unit.training.watchers import CrashError
from yolo_cli.training import CallbackWatcher, Step, TrainJob, new_job, read_job, train


def job(folder: Path) -> TrainJob:
    data, cfg = write_shapes(folder / "data"), write_tiny_cfg(folder)
    return new_job(data=str(data), out=folder / "run", model=str(cfg), epochs=2, batch=4)


def test_a_program_gets_files_and_figures_and_nothing_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps: list[Step] = []
    result = train(job(tmp_path), CallbackWatcher(steps.append))
    assert capfd.readouterr() == ("", "")
    assert [(step.part, step.done, step.total) for step in steps] == [
        (f"epoch {epoch} of 2", step, 2) for epoch in (1, 2) for step in (1, 2)
    ]
    assert [step.progress for step in steps] == [0.25, 0.5, 0.75, 1]
    assert result.out == tmp_path / "run"
    assert (result.images, result.state.epoch) == (8, 2)
    assert result.report is not None
    assert result.report.images == 4
    for file in (result.keras, result.onnx, result.page):
        assert file is not None
        assert file.is_file()
    assert read_job(result.out).finished


def test_a_callback_that_raises_ends_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    def stop(step: Step) -> None:
        if step.part.startswith("epoch 2"):
            raise CrashError

    one = job(tmp_path)
    with pytest.raises(CrashError):
        train(one, CallbackWatcher(stop))
    assert not read_job(one.out).finished
    assert train(read_job(one.out), resume=True).state.epoch == 2
