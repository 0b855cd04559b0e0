"""Keras graphs only: from a Darknet cfg to a functional model.

Every graph takes RGB pixels as they are, uint8 (batch, height, width, 3), and scales them inside, so
that no caller can forget to. It gives one raw head a detection layer, float32 (batch, rows, columns,
anchors × (5 + classes)); `yolo_cli.codec` makes boxes of them.
"""

from yolo_cli.cache import cache_jax_programs
from yolo_cli.hardware import set_backend
from yolo_cli.model.silence import silence

set_backend()
with silence():  # the first import of Keras imports its backend, which logs
    import keras

    from yolo_cli.model.from_darknet import build_model, load_convolutions
if keras.backend.backend() == "jax":
    cache_jax_programs()

__all__ = ["build_model", "load_convolutions", "silence"]
