"""Trained weights interpolated with those that a network started from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.unit.training.watchers import Noting
from tests.unit.training.yolo.test_prepare import write_examples
from yolo_cli.config import AugmentConfig, TrainConfig
from yolo_cli.errors import UsageError
from yolo_cli.training import TrainJob, read_job, train
from yolo_cli.training.yolo.interpolation import best_alpha, interpolate
from yolo_cli.weights import read_card

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
        ({0: 0.31, 0.25: 0.34, 0.5: 0.35, 0.75: 0.36}, 0.75, 4),
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
    assert any("100% of the starting weights" in line for line in watcher.lines)
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
