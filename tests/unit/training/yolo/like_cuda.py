"""``python -m tests.unit.training.yolo.like_cuda train …``: on a PyTorch whose tensors seem to be on a GPU.

They compute on the CPU, but refuse to become NumPy arrays as CUDA's do, except inside Keras's own conversion.
"""

from __future__ import annotations

import runpy
import sys
from typing import Any

CONVERSION = {"convert_to_numpy", "transform", "__array__"}  # PyTorch's `__array__` calls `numpy`


def refusing(method: Any) -> Any:
    """The method, refused to any caller but Keras's conversion."""

    def refuse(self: Any, *args: Any, **more: Any) -> Any:
        if sys._getframe(1).f_code.co_name in CONVERSION:
            return method(self, *args, **more)
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    return refuse


if __name__ == "__main__":
    import torch  # here, as pytest looks for doctests in this file where there is no PyTorch, too

    for name in ("__array__", "numpy"):
        setattr(torch.Tensor, name, refusing(getattr(torch.Tensor, name)))
    runpy.run_module("yolo_cli", run_name="__main__")
