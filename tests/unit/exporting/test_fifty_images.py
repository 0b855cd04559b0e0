"""Every format on 50 images, for a bundled, a trained and imported models; int8 by its loss.

`pytest -m slow -s tests/unit/exporting/test_fifty_images.py` prints each proof, with milliseconds an image.
"""

from __future__ import annotations

from functools import cache

import pytest

from tests.fifty_exports import FORMATS, IMAGES, formats_of, model_of
from tests.shared import SHARED, needs_shared
from yolo_cli import export

pytestmark = [pytest.mark.slow, needs_shared("data", "coco128-val")]


ORIGINS = ("bundled", "trained", "seeded", "rounded")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return cache(lambda origin: model_of(origin, tmp_path_factory.mktemp(origin)))


@pytest.mark.parametrize(
    ("origin", "name"), [(origin, name) for origin in ORIGINS for name in formats_of(origin)]
)
def test_a_float_export_agrees(models, origin, name, tmp_path, monkeypatch):
    model = models(origin)
    monkeypatch.chdir(tmp_path)
    done = export(format=name.split()[0], **model, **FORMATS[name])
    print(f"\n{origin}, {name}\n{done.to_text()}")
    assert done.proof.drift == ""
    assert done.proof.agreement.images == IMAGES


def test_half_precision_rounds_random_weights_too_much(models, tmp_path, monkeypatch):
    """Boxes have partners or ties, as confident as they; of one in 200 IoU is below 0.99."""
    monkeypatch.chdir(tmp_path)
    done = export(format="onnx", half=True, **models("seeded"))
    print(f"\nseeded, onnx half\n{done.to_text()}")
    apart = done.proof.agreement.disagreeing
    assert done.path is None
    assert len(apart) < len(done.proof.agreement.pairs) / 200
    assert all(pair.iou > 0.98 or pair.ours is None or pair.theirs is None for pair in apart)
    assert sum(not pair.iou for pair in apart) <= 2


@pytest.mark.parametrize("kind", ["onnx", "openvino", "tflite"])
def test_int8_loses_little(kind, tmp_path, monkeypatch):
    """Calibrated on 200 images to train on of another data set, measured on 128."""
    monkeypatch.chdir(tmp_path)
    calibration, data = SHARED / "data" / "voc2012-subset", SHARED / "data" / "coco128-val"
    done = export(None, kind, data=data, int8=True, calibration=calibration)
    print(f"\n{kind} int8\n{done.to_text()}")
    assert done.proof.loss <= 0.015
