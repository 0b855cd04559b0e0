"""What training can start from."""

from __future__ import annotations

import pytest

from yolo_cli.errors import UsageError
from yolo_cli.model.nanodet import VARIANTS, build_nanodet, gfl_heads
from yolo_cli.training.job import TrainJob
from yolo_cli.training.yolo.start import choose_start
from yolo_cli.weights import ModelCard
from yolo_cli.weights.save import save_keras


def test_a_nanodet_is_refused(tmp_path):
    """Its heads have no anchors, which training assigns objects to."""
    card = ModelCard("nano", ("cat",), gfl_heads(1), (64, 64), "stretch")
    save_keras(build_nanodet(VARIANTS["nanodet-plus-m"], 1), card, tmp_path / "nano.keras")
    job = TrainJob("data", str(tmp_path / "run"), weights=str(tmp_path / "nano.keras"))
    with pytest.raises(UsageError, match="a NanoDet-Plus cannot be fine-tuned here; choose a YOLO"):
        choose_start(job)
