"""`--tile` on large images against the same images one by one, and against SAHI (Akyon et al., 2022)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.montage import figures, montages, one_by_one
from tests.shared import needs_shared
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors import Detector, load_detector
from yolo_cli.evaluation import Report
from yolo_cli.images import Image

pytestmark = [pytest.mark.slow, needs_shared("data", "coco128-val")]


def sahi_finder(detector: Detector, side: int) -> Callable[[Image], Detections]:
    """SAHI's sliced prediction with its defaults, around the same detector."""
    from sahi.models.base import DetectionModel
    from sahi.predict import get_sliced_prediction
    from sahi.prediction import ObjectPrediction
    from sahi.utils.compatibility import fix_full_shape_list, fix_shift_amount_list

    class Wrapped(DetectionModel):
        def load_model(self) -> None:
            self.category_mapping = {str(i): name for i, name in enumerate(detector.class_names)}

        def perform_inference(self, image: np.ndarray) -> None:
            self._original_predictions = detector.detect([Image(np.ascontiguousarray(image))])

        def _create_object_prediction_list_from_original_predictions(
            self, shift_amount_list: Any = None, full_shape_list: Any = None
        ) -> None:
            [shift] = fix_shift_amount_list(shift_amount_list or [0, 0])
            full = fix_full_shape_list(full_shape_list) if full_shape_list else [None]
            [found] = self._original_predictions
            rows = zip(found.xyxy.tolist(), found.confidence.tolist(), found.class_id.tolist(), strict=True)
            self._object_prediction_list_per_image = [
                [
                    ObjectPrediction(
                        bbox=box, category_id=class_id, score=confidence,
                        category_name=detector.class_names[class_id],
                        shift_amount=shift, full_shape=full[0],
                    )
                    for box, confidence, class_id in rows
                ]
            ]  # fmt: skip

    model = Wrapped(confidence_threshold=detector.config.conf)

    def find(image: Image) -> Detections:
        predicted = get_sliced_prediction(image.rgb, model, side, side, verbose=0).object_prediction_list
        predicted.sort(key=lambda each: -each.score.value)
        return Detections(
            np.array([each.bbox.to_xyxy() for each in predicted], np.float32),
            np.array([each.score.value for each in predicted], np.float32),
            np.array([each.category.id for each in predicted], np.int64),
        )

    return find


def test_montages(capsys: pytest.CaptureFixture[str]) -> None:
    """AP50 within 0.03 of one by one, far above the untiled run, not below SAHI's."""
    made = list(montages())
    config = {"conf": 0.001, "max_det": 100_000}
    plain = load_detector(config=DetectConfig(**config))
    tiled = load_detector(config=DetectConfig(**config, tile="auto"))
    names = plain.class_names
    found: dict[str, Report] = {
        "one by one": one_by_one(names, lambda image: plain.detect([image])[0], made),
        "without --tile": figures(names, lambda image: plain.detect([image])[0], made),
        "with --tile": figures(names, lambda image: tiled.detect([image])[0], made),
        "SAHI, 416": figures(names, sahi_finder(plain, 416), made),
        "SAHI, 640": figures(names, sahi_finder(plain, 640), made),
    }
    with capsys.disabled():
        for name, report in found.items():
            print(f"\n{name:16} AP50 {report.map50:.4f}  AP50-95 {report.map50_95:.4f}", end="")
    ap50 = {name: report.map50 or 0 for name, report in found.items()}
    assert ap50["with --tile"] >= ap50["one by one"] - 0.03
    assert ap50["with --tile"] >= 10 * ap50["without --tile"]
    assert ap50["with --tile"] >= max(ap50["SAHI, 416"], ap50["SAHI, 640"])
