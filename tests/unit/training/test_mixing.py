"""Part of the way back to where a network started."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.unit.training.test_prepare import write_examples
from tests.unit.training.watchers import Noting
from yolo_cli.config import AugmentConfig, TrainConfig
from yolo_cli.errors import UsageError
from yolo_cli.training import TrainJob, read_job
from yolo_cli.training.mixing import mixed, way_back
from yolo_cli.weights import read_card

VALUES = arrays(np.float32, (3,), elements=st.floats(-8, 8, width=32))


@given(VALUES, VALUES, st.floats(0, 1))
def test_a_mixture_lies_between(learnt: np.ndarray, start: np.ndarray, share: float) -> None:
    (between,) = mixed([learnt], [start], share)
    assert between.dtype == np.float32
    assert (between >= np.minimum(learnt, start) - 1e-5).all()
    assert (between <= np.maximum(learnt, start) + 1e-5).all()
    assert np.array_equal(mixed([learnt], [start], 0)[0], learnt)
    assert np.array_equal(mixed([learnt], [start], 1)[0], start)


@pytest.mark.parametrize(
    ("figures", "share", "looks"),
    [
        ({0: 0.31, 0.25: 0.34, 0.5: 0.35, 0.75: 0.34}, 0.5, 4),
        ({0: 0.31, 0.25: 0.34, 0.5: 0.35, 0.75: 0.36}, 0.75, 4),
        ({0: 0.31, 0.25: 0.34, 0.5: 0.33, 0.75: 0.99}, 0.25, 3),  # it stops where it gets worse
        ({0: 0.31, 0.25: 0.31}, 0, 2),  # no gain, no mixing
    ],
)
def test_it_walks_back_while_it_gets_better(figures: dict[float, float], share: float, looks: int) -> None:
    seen: list[float] = []

    def look(part: float) -> float:
        seen.append(part)
        return figures[part]

    assert way_back(look, float) == (share, figures[share])
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
    from yolo_cli.training import mixing
    from yolo_cli.training.run import train

    monkeypatch.setattr(mixing, "SHARES", (1.0,))
    watcher = Noting()
    outcome = train(job(tmp_path), watcher)
    learnt = outcome.state.history[-1]["map50_95"]
    assert outcome.report.map50 == 1.0
    assert learnt < (outcome.report.map50_95 or 0)
    assert any("100% of the weights" in line for line in watcher.lines)
    card = read_card(outcome.keras)
    assert card.source["start_share"] == "1, chosen by the validation images"
    assert "Share of its starting weights mixed in: 1, chosen by the validation images." in card.figures

    # A sitting that finds the run at its end mixes nothing in again.
    before = weights(outcome.keras)
    again = train(read_job(tmp_path / "run"), Noting(), resume=True)
    assert all(map(np.array_equal, before, weights(again.keras)))
    assert again.report.map50_95 == outcome.report.map50_95
    assert read_card(again.keras).figures == card.figures


def test_a_share_without_known_classes_is_refused(tmp_path: Path) -> None:
    from yolo_cli.training.run import train

    data = write_examples(tmp_path / "data", "[animal, mug]")
    config = TrainConfig(epochs=1, imgsz=(256, 256), start_share=0.5)
    with pytest.raises(UsageError, match=r"--start-share 0\.5: .* knows none of these classes"):
        train(TrainJob(str(data), tmp_path / "run", config=config), Noting())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_lies_between_nothing_and_all(share: float) -> None:
    with pytest.raises(UsageError, match="--start-share"):
        TrainConfig(start_share=share)
