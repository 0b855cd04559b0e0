"""Keras graphs, from a Darknet cfg or a backbone.

Every graph takes RGB pixels, uint8 (batch, height, width, 3), and scales them inside, so that no caller can
forget to. It returns one raw head per detection layer, float32 (batch, rows, columns, anchors × (5 +
classes)), which `yolo_cli.codec` decodes.
"""

from yolo_cli.model.from_darknet import build_model, load_convolutions

__all__ = ["build_model", "load_convolutions"]
