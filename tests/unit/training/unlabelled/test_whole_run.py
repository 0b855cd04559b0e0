"""Whole runs with images without labels, on a network of five layers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.training_sets import write_shapes, write_tiny_cfg
from tests.unit.training.watchers import CrashError, Crashing, Noting
from yolo_cli.config import TrainConfig
from yolo_cli.datasets import Dataset
from yolo_cli.errors import UsageError
from yolo_cli.model.keras_file import load_keras
from yolo_cli.training import TrainJob, read_job, train
from yolo_cli.training.unlabelled import recipe, teacher
from yolo_cli.weights import read_card


@pytest.fixture
def confident(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is found teaches: these networks learn too little to be sure of anything."""
    monkeypatch.setattr(teacher, "UNCERTAIN", 0.001)
    monkeypatch.setattr(teacher, "thresholds", lambda report: np.zeros(len(report.per_class)))
    monkeypatch.setattr(recipe, "ROUNDS", 1)


def job(folder: Path, name: str, **options: object) -> TrainJob:
    """Four labelled images, four to validate on, and eight without labels; one epoch of each model."""
    if not (folder / "data").exists():
        write_shapes(folder / "data", 4, 4)
        write_shapes(folder / "more", 16, 0)
        shutil.copy(folder / "data" / "images" / "val" / "val1.png", folder / "more" / "images" / "train")
    config = TrainConfig(epochs=1, batch=4, precision="float32")
    paths = {"unlabelled": str(folder / "more" / "images"), "model": str(write_tiny_cfg(folder)), **options}
    return TrainJob(str(folder / "data"), folder / name, config=config, **paths)  # type: ignore[arg-type]


def best_of(figures: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the models have these figures, by name."""
    made = recipe.Round.of

    def of(name: str, *args: object) -> recipe.Round:
        return recipe.replace(made(name, *args), map50_95=figures[name])

    monkeypatch.setattr(recipe.Round, "of", of)


def weights(path: Path) -> list[np.ndarray]:
    return load_keras(path).get_weights()


@pytest.mark.parametrize("helps", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_run(helps: bool, tmp_path: Path, confident: None, monkeypatch: pytest.MonkeyPatch) -> None:
    best_of({"labelled": 0.5, "round1": 0.6 if helps else 0.4}, monkeypatch)
    watcher, kept = Noting(), dict[str, list[np.ndarray]]()
    conclude = recipe.conclude

    def concluding(run: TrainJob, *rest: object) -> object:
        for name in ("labelled", "round1"):
            kept[name] = weights(run.out / "unfinished" / name / "weights" / "best.keras")
        return conclude(run, *rest)

    monkeypatch.setattr(recipe, "conclude", concluding)
    monkeypatch.setattr("yolo_cli.weights.save.missing_for_onnx", lambda: ["onnx"])  # takes seconds
    result = train(job(tmp_path, "run"), watcher)
    copy = f"{tmp_path}/more/images/train/train0.png is images/train/train0.png"
    assert f"left out 9 unlabelled images: {copy} (and 8 more)" in watcher.lines
    expected, other = kept["round1" if helps else "labelled"], kept["labelled" if helps else "round1"]
    written = weights(result.keras)
    assert all(np.array_equal(a, b) for a, b in zip(written, expected, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(written, other, strict=True))
    card = read_card(result.keras)
    assert card.name == "run"
    assert card.origin == "trained from scratch, built like tiny.cfg"
    assert card.training_data.endswith("8 images with pseudo-labels") == helps
    assert result.images == 4 + 8 * helps
    verdict = ", with the training they add, help on val: " if helps else " do not help on val: "
    assert watcher.lines[-1].startswith(f"the unlabelled images{verdict}")
    assert len(result.state.history) == 1
    page = result.page.read_text(encoding="utf-8")
    assert "labelled images alone" in page
    assert "round 1" in page
    again = train(read_job(result.out), watcher, resume=True)
    assert watcher.lines[-1] == "this run is finished already"
    assert again.report.map50_95 == result.report.map50_95
    assert again.keras == result.keras
    assert sorted(path.name for path in result.out.iterdir()) == [
        "args.yaml",
        "report.html",
        "results.csv",
        "weights",
    ]
    assert sorted(path.name for path in (result.out / "weights").iterdir()) == ["best.keras", "last.keras"]


def test_a_teacher_labels_by_name(tmp_path: Path, confident: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled model knows neither squares nor discs; one trained on them does."""
    with pytest.raises(UsageError, match="knows none of the classes square, disc"):
        train(job(tmp_path, "run", teacher="yolov4-tiny-coco"), Noting())
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_that_crashed_goes_on_to_the_same_bytes(
    tmp_path: Path, confident: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first epoch of the first round, when the images are labelled."""
    best_of({"labelled": 0.5, "round1": 0.6}, monkeypatch)
    straight = train(job(tmp_path, "straight"), Noting())
    broken = job(tmp_path, "broken")
    watcher = Crashing("epoch 1 of 1", 1)
    watcher.step = lambda step: Crashing.step(watcher, step) if len(watcher.plans) == 2 else None  # type: ignore[method-assign]
    with pytest.raises(CrashError):
        train(broken, watcher)
    noting = Noting()
    assert straight.onnx is not None
    again = train(read_job(broken.out), noting, resume=True)
    assert len(noting.plans) == 1
    pairs = zip(weights(straight.keras), weights(again.keras), strict=True)
    assert all(a.tobytes() == b.tobytes() for a, b in pairs)


def test_what_pseudo_labels_cannot_be_made_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = job(tmp_path, "run")
    for path in (tmp_path / "data" / "labels" / "val").iterdir():
        path.write_text("")
    with pytest.raises(UsageError, match="no image to validate on has a box to see whether it helps"):
        train(plain, Noting())
    monkeypatch.setenv("KERAS_DISTRIBUTION_JOB_ADDRESSES", "10.0.0.1:1234")
    with pytest.raises(UsageError, match="several machines cannot do this together"):
        train(plain, Noting())
    monkeypatch.delenv("KERAS_DISTRIBUTION_JOB_ADDRESSES")
    monkeypatch.setattr(Dataset, "key_points", property(lambda _: ("nose",)))
    with pytest.raises(UsageError, match="pseudo-labels have no key points"):
        train(plain, Noting())
