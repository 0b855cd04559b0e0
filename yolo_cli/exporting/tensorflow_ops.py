"""TensorFlow as an array library: `keras.ops`, and what a graph of images of any size needs besides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yolo_cli.codec import Head
from yolo_cli.exporting.plan import Plan
from yolo_cli.framework import ops

__all__ = ["TensorFlowOps"]


class TensorFlowOps:
    """See `yolo_cli.exporting.path.Ops`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(ops, name)

    def floats(self, x: Any) -> Any:
        return tf.cast(x, tf.float32)

    def round_down(self, x: Any) -> Any:
        return ops.floor(x)

    def take(self, x: Any, at: Any, axis: int) -> Any:
        return tf.gather(x, tf.cast(at, tf.int32), axis=axis)

    def arange(self, count: Any) -> Any:
        return tf.cast(tf.range(count), tf.float32)

    def vector(self, scalars: Sequence[Any]) -> Any:
        return tf.cast(tf.stack(scalars), tf.float32)

    def side(self, images: Any, axis: int) -> Any:
        return tf.shape(images)[axis]

    def planes_last(self, images: Any) -> Any:
        return tf.transpose(images, [0, 2, 3, 1])

    def pad(self, images: Any, rows: Sequence[Any], columns: Sequence[Any], value: float) -> Any:
        return tf.pad(images, [[0, 0], rows, columns, [0, 0]], constant_values=float(value))

    def grid(self, raw: Any, head: Head) -> tuple[Any, Any]:
        raise NotImplementedError  # `Form` refuses --dynamic

    def suppress(self, boxes: Any, scores: Any, plan: Plan, limit: Any | None) -> dict[str, Any]:
        config = plan.detector.config
        found = tf.image.combined_non_max_suppression(
            boxes[:, :, None],  # the same boxes for every class
            scores,
            max_output_size_per_class=min(config.max_det, plan.slots),
            max_total_size=config.max_det,
            iou_threshold=config.nms_iou,
            score_threshold=plan.detector.raw_threshold,
            clip_boxes=False,
        )
        xyxy = found.nmsed_boxes if limit is None else tf.clip_by_value(found.nmsed_boxes, 0.0, limit)
        there = tf.reduce_all(xyxy[..., 2:] > xyxy[..., :2], axis=-1)  # (B, D): not empty, nor padding
        first = tf.argsort(tf.cast(there, tf.int32), axis=-1, direction="DESCENDING", stable=True)
        kept = tf.cast(tf.gather(there, first, batch_dims=1), tf.float32)
        rows = (xyxy, found.nmsed_scores, found.nmsed_classes)
        xyxy, score, class_id = (tf.gather(row, first, batch_dims=1) for row in rows)
        return {
            "num_detections": tf.reduce_sum(tf.cast(there, tf.int64), axis=-1),
            "boxes": xyxy * kept[..., None],
            "scores": score * kept,
            "class_ids": tf.cast(class_id * kept, tf.int64),
        }
