"""AP on ``coco128-val`` as it was measured with another importer (OpenCV 4's) and pycocotools.

Settings as in ``references/coco128-val-ap.json``: confidence floor 0.001, class-wise plain IoU 0.45, at most
300 detections per image, boxes clipped, every class above the confidence threshold.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from typing import Any

import pytest
from click.testing import CliRunner

from tests.models import Darknet, by_name, imported, parameters
from tests.shared import SHARED, needs_shared
from yolo_cli.cli import main
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import load_detector
from yolo_cli.images import read_image

MEASURED = ("yolo-fastest-1.1", "yolo-fastest-1.1-xl", "nano-coco", "yolov3-tiny", "yolov4-tiny")
DATA = SHARED / "data" / "coco128-val"
pytestmark = needs_shared("data", "coco128-val")


def ap(weights: str, resize: Any, engine: Any = "onnx", precision: Any = "float32") -> tuple[float, float]:
    """AP at IoU 0.50:0.95, and AP at IoU 0.50, by pycocotools."""
    config = DetectConfig(conf=0.001, suppression="iou", resize=resize)
    detector = load_detector(weights, engine=engine, precision=precision, config=config)
    ground_truth = json.loads((DATA / "annotations.json").read_text())
    results = []
    for entry in ground_truth["images"]:
        [found] = detector.detect([read_image(DATA / "images" / entry["file_name"])])
        rows = zip(found.xyxy.tolist(), found.confidence.tolist(), found.class_id, strict=True)
        for (x1, y1, x2, y2), score, class_id in rows:
            box = [x1, y1, x2 - x1, y2 - y1]
            category = ground_truth["categories"][class_id]["id"]
            results.append({"image_id": entry["id"], "category_id": category, "bbox": box, "score": score})
    return evaluated(results)


def evaluated(results: list[dict[str, Any]]) -> tuple[float, float]:
    """AP at IoU 0.50:0.95 and at 0.50 of COCO results, at most 300 an image, by pycocotools."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own use of NumPy
        ground_truth = COCO(str(DATA / "annotations.json"))
        run = COCOeval(ground_truth, ground_truth.loadRes(results), "bbox")
        run.params.maxDets = [1, 10, 300]
        run.evaluate()
        run.accumulate()
    precision = run.eval["precision"][:, :, :, 0, 2]  # (10 thresholds, 101 recalls, classes)
    return float(precision[precision > -1].mean()), float(precision[0][precision[0] > -1].mean())


@pytest.mark.slow
@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
@pytest.mark.parametrize("model", [p for p in parameters() if p.values[0].name in MEASURED])
def test_ap_is_that_of_another_importer(model: Darknet, resize: str) -> None:
    expected = json.loads((SHARED / "darknet" / "references" / "coco128-val-ap.json").read_text())["AP"]
    found = ap(imported(model), resize)
    print(f"{model.name} {resize}: {found[0]:.4f} {found[1]:.4f}, reference {expected[model.name][resize]}")
    assert found == pytest.approx(expected[model.name][resize], abs=0.003)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "most"), [("float32", 1e-4), ("bfloat16", 0.002)])
def test_openvino_costs_no_ap(precision: str, most: float) -> None:
    """Found: nothing in float32; in bfloat16 0.0003 of AP50-95 and 0.0008 of AP50."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    expected = ap("yolov4-tiny-coco", "letterbox")
    found = ap("yolov4-tiny-coco", "letterbox", "openvino", precision)
    print(f"onnx {expected}, openvino {precision} {found}")
    assert found == pytest.approx(expected, abs=most)


@pytest.mark.slow
@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_half_precision_costs_no_ap(resize: str) -> None:
    """The bundled files hold float16 kernels; AP moves by no more than 0.001 against the float32 import."""
    if not by_name("yolov4-tiny").there:
        pytest.skip("yolov4-tiny.weights is not at hand")
    whole, half = ap(imported(by_name("yolov4-tiny")), resize), ap("yolov4-tiny-coco", resize)
    print(f"float32 {whole}, float16 {half}")
    assert half == pytest.approx(whole, abs=0.001)


def test_the_bundled_model_through_the_command_line() -> None:
    """`yolo detect --conf 0.001 --format coco` gives results that pycocotools evaluates as it should."""
    expected = json.loads((SHARED / "darknet" / "references" / "coco128-val-ap.json").read_text())["AP"]
    options = ["--conf", "0.001", "--suppression", "iou", "--format", "coco", "--no-save"]
    run = CliRunner().invoke(main, ["detect", str(DATA / "images"), *options])
    assert run.exit_code == 0, run.output
    found = evaluated(json.loads(run.stdout))
    print(f"yolov4-tiny-coco through the command line: {found[0]:.4f} {found[1]:.4f}")
    assert found == pytest.approx(expected["yolov4-tiny"]["letterbox"], abs=0.003)
