"""The region proposal network, and its merge with the classification head."""

from __future__ import annotations

from typing import Any

from yolo_cli.framework import keras
from yolo_cli.model.region_heads import DELTA_SCALE, MOMENTUM

__all__ = ["build_proposal_network", "merge_with_head"]


def build_proposal_network(channels: int, anchors: int, reduced: int = 64, width: int = 96) -> Any:
    """The region proposal network on a feature map (Ren et al., "Faster R-CNN", 2015).

    Args:
        channels: channels of the map.
        anchors: number of anchors per cell.
        reduced: output channels of a first 1 × 1 layer, for a smaller file.
        width: channels of the 3 × 3 layer.

    Returns:
        A Keras model: float32 (B, rows, columns, channels) → (B, rows, columns, 5 · anchors), for each anchor
        the objectness before σ, and dx, dy, dw, dh.
    """
    features = keras.Input((None, None, channels), name="map")
    x = keras.layers.BatchNormalization(momentum=MOMENTUM, name="map_standard")(features)
    x = keras.layers.Conv2D(reduced, 1, activation="relu", name="map_reduce")(x)
    x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name="map_around")(x)
    x = keras.layers.Conv2D(5 * anchors, 1, name="proposals_in_scale")(x)
    proposals = keras.layers.Rescaling([1.0, *DELTA_SCALE] * anchors, name="proposals")(x)
    return keras.Model(features, [proposals], name="proposal_network")


def merge_with_head(proposer: Any, head: Any) -> Any:
    """Merge both networks into one model with two inputs (map and regions) and the outputs of both.

    The two have no layers in common, so each can be run without the other.
    """
    outputs = [*_as_list(proposer.output), *_as_list(head.output)]
    return keras.Model([proposer.input, head.input], outputs, name="faster_rcnn")


def _as_list(outputs: Any) -> list[Any]:
    return outputs if isinstance(outputs, list) else [outputs]
