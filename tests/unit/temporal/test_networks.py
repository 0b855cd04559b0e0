"""The two graphs, and their files."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.temporal.clips import FRAMES, SIDE, STATES
from yolo_cli.temporal.opening import open_network
from yolo_cli.weights import check_pair, find_model, read_card

KINDS = ("track-smoother", "clip-states")


@pytest.mark.parametrize("name", KINDS)
def test_bundled_files(name: str) -> None:
    files = find_model(name)
    check_pair(files)
    card = read_card(files.onnx)
    assert card == read_card(files.keras)
    assert card.detector == name
    assert card.figures
    assert card.limits
    assert max(files.onnx.stat().st_size, files.keras.stat().st_size) < 200_000


@pytest.mark.parametrize("name", KINDS)
def test_onnx_and_keras_say_the_same(name: str) -> None:
    from yolo_cli.model.keras_file import load_keras

    rng = np.random.default_rng(0)
    track = rng.normal(0, 1, (2, 4, 50, 7)).astype(np.float32)
    track[..., 3] = 1
    clip = rng.integers(0, 256, (2, FRAMES, SIDE, SIDE, 3)).astype(np.uint8)
    given = track if name == "track-smoother" else clip
    theirs = open_network(name, name).engine.run(given)
    ours = load_keras(find_model(name).keras)([given])
    for a, b in zip(theirs, ours if isinstance(ours, list) else [ours], strict=True):
        assert a == pytest.approx(np.asarray(b), abs=1e-3)


def test_the_network_to_compare_with_is_as_large() -> None:
    from yolo_cli.temporal.networks import clip_network

    clip, image = clip_network(), clip_network(1)
    assert clip.output_shape == image.output_shape == (None, len(STATES))
    assert image.count_params() == pytest.approx(clip.count_params(), rel=0.1)
