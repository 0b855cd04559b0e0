"""An interrupted run of an embedding goes on to the same result; what does not fit is one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.unit.training.embedding.test_recipe import stripes
from yolo_cli import train, train_embedding
from yolo_cli.cli import main
from yolo_cli.errors import UserError
from yolo_cli.images import write_image
from yolo_cli.model.keras_file import load_keras
from yolo_cli.training.embedding.job import EmbeddingJob, read_embedding_job, write_embedding_job


@pytest.fixture
def data(tmp_path):
    """Six identities of four photos."""
    for number in range(6):
        (tmp_path / f"data/{number}").mkdir(parents=True)
        for photo in range(4):
            write_image(tmp_path / f"data/{number}/{photo}.png", stripes(number * np.pi / 6, photo))
    return tmp_path / "data"


@pytest.fixture
def begun(data):
    """A function that makes the folder of a run as it was when it began."""

    def begin(**values):
        out = data.parent / "run"
        out.mkdir()
        write_embedding_job(EmbeddingJob(data, out, imgsz=(16, 20), **values))
        return out

    return begin


@pytest.mark.slow
def test_a_resumed_run_ends_with_the_same_model(data):
    how = {"imgsz": (16, 20), "epochs": 3, "seed": 5}
    whole = train_embedding(data, out=data.parent / "whole", **how)

    def stop(step):
        if step.part == "epoch 2 of 3":
            raise KeyboardInterrupt

    stopped = data.parent / "stopped"
    with pytest.raises(KeyboardInterrupt) as told:
        train_embedding(data, out=stopped, progress=stop, **how)
    assert told.value.args == (stopped,)
    assert (stopped / "unfinished").is_dir()
    said = []
    resumed = train_embedding(resume=stopped, progress=said.append)
    assert {step.part for step in said} == {"epoch 3 of 3"}  # the first two are not done again
    weights = (load_keras(result.keras).get_weights() for result in (whole, resumed))
    for theirs, mine in zip(*weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not (stopped / "unfinished").exists()
    assert read_embedding_job(stopped).finished


def test_a_job_is_read_as_it_was_written(begun):
    out = begun(loss="siamese", seed=3, quarter_turns=True, fingerprint="abc")
    job = read_embedding_job(out)
    assert job == EmbeddingJob(
        out.parent / "data", out, "siamese", None, (16, 20), True, False, False, None, 3, "abc"
    )


def test_a_complete_run_has_nothing_to_continue(begun):
    with pytest.raises(UserError, match="is complete; there is nothing to continue"):
        train_embedding(resume=begun(finished=True))


def test_what_does_not_fit_is_one_line(begun, tmp_path):
    run = str(begun())
    for words, said in (
        (["--embedding", "--resume", run, "--epochs", "9"], "leave --epochs out"),
        (["--embedding", "--resume", str(tmp_path)], "no such file; --resume needs the folder of a run"),
        (["--resume", run], "is the run of an embedding; add --embedding"),
    ):
        done = CliRunner().invoke(main, ["train", *words])
        assert (done.exit_code in (2, 3), done.stderr.count("\n")) == (True, 1), done.output
        assert said in done.stderr
    with pytest.raises(UserError, match="is the run of an embedding"):
        train(resume=run)


def test_a_run_of_other_data_is_not_continued(begun):
    out = begun(fingerprint="abc")
    with pytest.raises(UserError, match="has changed since the run in"):
        train_embedding(resume=out)
    (out / "args.yaml").write_text("embedding: 7\n")
    with pytest.raises(UserError, match="is not that of a run of `yolo train --embedding`"):
        train_embedding(resume=out)


def test_a_run_without_data_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    with pytest.raises(UserError, match="give a folder of photos for each identity"):
        train_embedding("data")
    assert not list(Path("runs").glob("train*"))
