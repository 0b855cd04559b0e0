"""Milliseconds an image of each export, from pixels to boxes, beside yolo-cli's; never pass or fail.

`pytest -m bench -s tests/bench/test_exports.py`
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fifty_exports import FORMATS, model_of
from tests.shared import needs_shared
from yolo_cli import export

pytestmark = [pytest.mark.bench, needs_shared("data", "coco128-val")]


@pytest.mark.parametrize("origin", ["bundled", "trained", "seeded"])
def test_latency(origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = model_of(origin, tmp_path)
    for name, options in FORMATS.items():
        proof = export(format=name.split()[0], exist_ok=True, **model, **options).proof
        agreement, ours, theirs = proof.agreement, proof.ours, proof.theirs
        print(
            f"{origin}, {name}: {theirs.milliseconds:.1f} ms, yolo-cli {ours.milliseconds:.1f}; "
            f"{len(agreement.pairs)} boxes on {agreement.images} images, lowest IoU {agreement.lowest_iou}, "
            f"confidence {agreement.largest_difference}, tied {agreement.tied}; {proof.drift or 'agrees'}",
            flush=True,
        )
