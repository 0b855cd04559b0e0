"""Trained weights interpolated with those that a network started from."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.unit.training.watchers import Noting
from tests.unit.training.yolo.test_prepare import write_examples
from yolo_cli.config import AugmentConfig, TrainConfig
from yolo_cli.datasets import Sample
from yolo_cli.errors import UsageError
from yolo_cli.training import State, TrainJob, read_job, train
from yolo_cli.training.yolo.interpolation import best_alpha, interpolate
from yolo_cli.training.yolo.journey import WRITING, Ending, Journey
from yolo_cli.training.yolo.prepare import Prepared
from yolo_cli.training.yolo.results import Results, _deciders
from yolo_cli.training.yolo.schedule import Schedule
from yolo_cli.training.yolo.validation import Validator
from yolo_cli.weights import ModelCard, read_card

VALUES = arrays(np.float32, (3,), elements=st.floats(-8, 8, width=32))


@given(VALUES, VALUES, st.floats(0, 1))
def test_a_mixture_is_between_both(trained: np.ndarray, start: np.ndarray, alpha: float) -> None:
    (between,) = interpolate([trained], [start], alpha)
    assert between.dtype == np.float32
    assert (between >= np.minimum(trained, start) - 1e-5).all()
    assert (between <= np.maximum(trained, start) + 1e-5).all()
    assert np.array_equal(interpolate([trained], [start], 0)[0], trained)
    assert np.array_equal(interpolate([trained], [start], 1)[0], start)


@pytest.mark.parametrize(
    ("figures", "alpha", "looks"),
    [
        ({0: 0.31, 0.25: 0.34, 0.5: 0.35, 0.75: 0.34}, 0.5, 4),
        ({0: 0.31, 0.25: 0.34, 0.5: 0.35, 0.75: 0.36, 1: 0.35}, 0.75, 5),
        ({0: 0.31, 0.25: 0.34, 0.5: 0.35, 0.75: 0.36, 1: 0.37}, 1, 5),  # what was learnt only does harm
        ({0: 0.31, 0.25: 0.34, 0.5: 0.33, 0.75: 0.99}, 0.25, 3),  # it stops where it gets worse
        ({0: 0.31, 0.25: 0.31}, 0, 2),  # no gain, no mixing
    ],
)
def test_the_fraction_rises_while_the_figure_rises(
    figures: dict[float, float], alpha: float, looks: int
) -> None:
    seen: list[float] = []

    def look(part: float) -> float:
        seen.append(part)
        return figures[part]

    assert best_alpha(look, float) == (alpha, figures[alpha])
    assert len(seen) == looks


def job(folder: Path, **options: object) -> TrainJob:
    """One step, so large that little of what the bundled model knows outlives it."""
    data = (
        write_examples(folder / "data", "[cat, cup]") if not (folder / "data").exists() else folder / "data"
    )
    config = TrainConfig(
        epochs=1,
        batch=2,
        imgsz=(256, 256),
        learning_rate=0.05,
        warmup=0,
        ema=0,
        precision="float32",
        **options,
    )
    return TrainJob(str(data), folder / "run", config=config, augment=AugmentConfig(mosaic=0))


def weights(file: Path) -> list[np.ndarray]:
    import keras

    return list(keras.saving.load_model(file, compile=False).get_weights())


def test_what_was_lost_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the starting weights are tried: they find the cat and the cup, the learnt ones do not."""
    from yolo_cli.training.yolo import interpolation

    monkeypatch.setattr(interpolation, "ALPHAS", (1.0,))
    watcher = Noting()
    outcome = train(job(tmp_path), watcher)
    learnt = outcome.state.history[-1]["map50_95"]
    assert outcome.report.map50 == 1.0
    assert learnt < (outcome.report.map50_95 or 0)
    [line] = [line for line in watcher.lines if "100% of the starting weights" in line]
    assert line.endswith("chosen by the validation images: what was learnt does not help on them")
    card = read_card(outcome.keras)
    assert card.source["interpolation"] == "1, chosen by the validation images"
    assert "Fraction of the starting weights: 1, chosen by the validation images." in card.figures

    # A sitting that finds the run at its end mixes nothing in again.
    before = weights(outcome.keras)
    again = train(read_job(tmp_path / "run"), Noting(), resume=True)
    assert all(map(np.array_equal, before, weights(again.keras)))
    assert again.report.map50_95 == outcome.report.map50_95
    assert read_card(again.keras).figures == card.figures


def test_without_gain_the_trained_weights_are_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fraction that was tried and found no better leaves no trace in the files."""
    from yolo_cli.training.yolo import results

    monkeypatch.setattr(results, "_fitness", lambda evaluated: 0.0)  # nothing is ever better
    result = train(job(tmp_path), Noting())
    assert read_card(result.keras).source.get("interpolation") is None
    assert all(map(np.array_equal, weights(result.keras), weights(tmp_path / "run/weights/last.keras")))


@pytest.mark.parametrize(
    ("options", "fraction"),
    [
        ({}, "0.5, as the network found most of these objects before"),
        ({"interpolate": 0.25}, "0.25, as asked"),
        ({"learning_rate": 1e-3}, None),  # then nothing is measured before training
    ],
)
def test_no_test_image_chooses(tmp_path: Path, options: dict[str, float], fraction: str | None) -> None:
    """The bundled model finds the cat and the cup before training."""
    data = write_examples(tmp_path / "data", "[cat, cup]", ("train", "val", "test"))
    config = TrainConfig(**{"epochs": 1, "batch": 2, "imgsz": (320, 320), "precision": "float32"} | options)
    watcher = Noting()
    result = train(TrainJob(str(data), tmp_path / "run", use_val=True, config=config), watcher)
    assert read_card(result.keras).source.get("interpolation") == fraction
    assert any("of the starting weights are interpolated" in line for line in watcher.lines) == bool(fraction)


@pytest.mark.parametrize(
    ("rate", "fraction"),
    [(None, "0.5, as the network found most of these objects before"), (1e-3, None)],
)
def test_without_time_to_choose_it_is_half_of_what_was_good(
    tmp_path: Path, rate: float | None, fraction: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a given learning rate nothing is measured before training, so nothing is known to be good."""
    monkeypatch.setattr(Journey, "images_a_look", lambda *_: 0.0)
    watcher, part = Noting(), job(tmp_path)
    config = replace(part.config, imgsz=(320, 320), learning_rate=rate)
    result = train(replace(part, config=config), watcher)
    assert any("no time is left to choose" in line for line in watcher.lines)
    assert read_card(result.keras).source.get("interpolation") == fraction


@pytest.mark.parametrize(
    ("images", "most", "seconds", "chosen_by"),
    [
        (30, 30, 150, "the validation images"),  # 5 looks of 30 s; one of them is the result
        (30, 30, 149, None),  # (149 - 30) / 5 = 23.8, fewer than these few
        (600, 600, 3000, "the validation images"),
        (600, 600, 2999, "479 of the 600 validation images"),  # (2999 - 600) / 5 = 479.8
        (600, 600, 849, None),  # 49.8
        (4000, 1000, 9000, "1000 of the 4000 validation images"),
        (4000, 1000, 4250, "50 of the 4000 validation images"),
    ],
)
def test_as_many_images_choose_as_time_allows(
    images: int, most: int, seconds: float, chosen_by: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a second for each, with 5 evaluations to choose by."""
    card = cast("ModelCard", None)
    whole = Validator([Sample(str(n), Path(f"{n}.jpg"), "val", "", "") for n in range(images)], card, 1)
    sampled = whole if most == images else whole.sampled(most, 0)
    parts = cast("Prepared", SimpleNamespace(validator=whole, sampled=sampled))
    schedule = Schedule(TrainConfig(max_minutes=1000), 1e-3, 100, 12)
    monkeypatch.setattr(time, "monotonic", lambda: 60_000 - WRITING - seconds)
    journey = Journey(schedule, State(), 0.0, seconds_an_image=1.0)
    part = Results(TrainJob("data", Path("run")), parts, print)._chosen_by(journey)
    assert (part and _deciders(part, whole)) == chosen_by


@pytest.mark.parametrize(
    ("images", "most", "config", "evaluated"),
    [
        (30, 30, {}, 30 + 5 * 30),  # the last epoch, and the looks, of which one is the result
        (600, 600, {}, 600 + 5 * 150 + 600),  # some choose, and then all are evaluated
        (4000, 1000, {}, 1000 + 5 * 150 + 4000),
        (4000, 1000, {"interpolate": 0.5}, 1000 + 4000),  # nothing to choose
    ],
)
def test_what_a_time_budget_keeps_for_the_choice(
    images: int, most: int, config: dict[str, float], evaluated: int
) -> None:
    def of(count: int) -> object:
        return SimpleNamespace(samples=range(count))

    parts = SimpleNamespace(validator=of(images), sampled=of(most), start=(), maker=SimpleNamespace(batch=8))
    job = TrainJob("data", Path("run"), config=TrainConfig(**config))
    assert Prepared.ending(cast("Prepared", parts), job) == Ending(evaluated, 8)


def test_a_fraction_without_known_classes_is_refused(tmp_path: Path) -> None:
    data = write_examples(tmp_path / "data", "[animal, mug]")
    config = TrainConfig(epochs=1, imgsz=(256, 256), interpolate=0.5)
    with pytest.raises(UsageError, match=r"interpolate 0\.5: .* knows none of these classes"):
        train(TrainJob(str(data), tmp_path / "run", config=config), Noting())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("alpha", [-0.1, 1.5])
def test_a_fraction_is_between_0_and_1(alpha: float) -> None:
    with pytest.raises(UsageError, match="interpolate"):
        TrainConfig(interpolate=alpha)
