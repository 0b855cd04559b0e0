"""Every format on 50 images, for a bundled, a trained and an imported model; int8 by its loss.

`pytest -m slow -s tests/unit/exporting/test_fifty_images.py` prints each proof, with milliseconds an image.
"""

from __future__ import annotations

import pytest

from tests.fifty_exports import FORMATS, IMAGES, model_of
from tests.shared import SHARED, needs_shared
from yolo_cli import export

pytestmark = [pytest.mark.slow, needs_shared("data", "coco128-val")]


@pytest.fixture(scope="module", params=["bundled", "trained", "seeded"])
def model(request, tmp_path_factory):
    return model_of(request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("name", FORMATS)
def test_a_float_export_agrees(model, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = export(format=name.split()[0], **model, **FORMATS[name])
    print(f"\n{name}\n{done.to_text()}")
    assert done.proof.drift == ""
    assert done.proof.agreement.images == IMAGES


@pytest.mark.parametrize("kind", ["onnx", "openvino", "tflite"])
def test_int8_loses_little(kind, tmp_path, monkeypatch):
    """Calibrated on 200 images to train on of another data set, measured on 128."""
    monkeypatch.chdir(tmp_path)
    calibration, data = SHARED / "data" / "voc2012-subset", SHARED / "data" / "coco128-val"
    done = export(None, kind, data=data, int8=True, calibration=calibration)
    print(f"\n{kind} int8\n{done.to_text()}")
    assert done.proof.loss <= 0.015
