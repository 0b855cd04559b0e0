"""Two networks in one file: each can be run alone, and says what it says within the whole."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from yolo_cli.engines import Runtime
from yolo_cli.errors import DataError
from yolo_cli.model.proposals import build_proposal_network, merge_with_head
from yolo_cli.model.region_heads import build_mlp_head
from yolo_cli.weights import ModelCard
from yolo_cli.weights.save import save_model

CARD = ModelCard("both", ("cat", "dog"), (), (416, 416), "stretch", detector="faster-rcnn")
RANDOM = np.random.default_rng(0)
MAP = RANDOM.normal(size=(1, 5, 7, 8)).astype(np.float32)
REGIONS = RANDOM.normal(size=(3, 4, 4, 8)).astype(np.float32)


@pytest.fixture(scope="module")
def networks():
    keras.utils.set_random_seed(0)
    return build_proposal_network(8, 3), build_mlp_head((4, 4, 8), 2, hidden=6, reduced=5)


def test_shapes(networks):
    proposer, head = networks
    assert np.asarray(proposer(MAP)[0] if isinstance(proposer(MAP), list) else proposer(MAP)).shape == (
        1,
        5,
        7,
        15,
    )
    assert [tuple(one.shape) for one in head(REGIONS)] == [(3, 3), (3, 8)]


def test_the_head_keeps_few_channels(networks):
    # 8 · 4 of normalisation, 8 · 5 + 5, then 4 · 4 · 5 · 6 + 6, and 6 · (3 + 8) + 11.
    assert networks[1].count_params() == 32 + 45 + 486 + 77


def test_parts_of_one_file(networks, tmp_path):
    proposer, head = networks
    files = save_model(merge_with_head(proposer, head), CARD, tmp_path / "both")
    proposals = np.asarray(proposer.predict_on_batch(MAP))
    scores, deltas = (np.asarray(part) for part in head.predict_on_batch(REGIONS))
    for file in (files.onnx, files.keras):
        first, second = Runtime("cpu").open_parts(file, [("map", [0]), ("features", [1, 2])])
        [said] = first.run(MAP)
        assert said == pytest.approx(proposals.reshape(said.shape), abs=1e-4)
        scored = second.run(REGIONS)
        assert scored[0] == pytest.approx(scores, abs=1e-4)
        assert scored[1] == pytest.approx(deltas, abs=1e-4)
    with pytest.raises(DataError, match="can run here"):
        Runtime("cpu").open_parts(files.onnx, [("map", [1])])


def test_arithmetic_of_each_part(networks, tmp_path):
    files = save_model(merge_with_head(*networks), CARD, tmp_path / "both")
    first, second = Runtime("cpu").open_parts(files.onnx, [("map", [0]), ("features", [1, 2])])
    # 35 cells, each 8 · 64, 9 · 64 · 96 and 96 · 15.
    assert first.multiply_accumulates(MAP) == 35 * (512 + 55296 + 1440)
    # 3 regions, each 16 places of 8 · 5, then 80 · 6 and 6 · (3 + 8).
    assert second.multiply_accumulates(REGIONS) == 3 * (640 + 480 + 66)
