"""EfficientNet-Lite in plain PyTorch, from the shapes of its tensors alone: an oracle of another make.

    python tests/golden/torch_efficientnet.py FILE.pth PIXELS.npy OUT.npz

It writes the last feature map (B, h, w, C) and the logits (B, 1000) of uint8 pixels (B, H, W, 3).
"""

from __future__ import annotations

import sys

import numpy as np

try:
    import torch
    from torch.nn import functional
except ModuleNotFoundError:  # pytest looks for doctests here also where there is no PyTorch
    pass

# A stage begins where the number of channels changes. No tensor holds the strides: each stage halves the
# size, but for these.
WIDENING_WITHOUT_STRIDE = (1, 5, 7)


def convolution(x, kernel, stride=1, groups=1):
    """With TensorFlow's padding: as many cells as pixels / stride, the odd one below and right."""
    needed = [max((-(-n // stride) - 1) * stride + kernel.shape[-1] - n, 0) for n in x.shape[-2:]]
    rows, columns = needed
    x = functional.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))
    return functional.conv2d(x, kernel, stride=stride, groups=groups)


def normalised(x, tensors, name):
    parts = [tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
    return functional.batch_norm(x, *parts, eps=1e-3)


def block(x, tensors, name, stride):
    y = x
    if f"{name}._expand_conv.weight" in tensors:
        y = functional.relu6(
            normalised(convolution(y, tensors[f"{name}._expand_conv.weight"]), tensors, f"{name}._bn0")
        )
    kernel = tensors[f"{name}._depthwise_conv.weight"]
    y = functional.relu6(normalised(convolution(y, kernel, stride, len(kernel)), tensors, f"{name}._bn1"))
    y = normalised(convolution(y, tensors[f"{name}._project_conv.weight"]), tensors, f"{name}._bn2")
    return x + y if x.shape == y.shape else y


def network(pixels, tensors):
    x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - 127) / 128
    x = functional.relu6(normalised(convolution(x, tensors["_conv_stem.weight"], 2), tensors, "_bn0"))
    count, stage = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("_blocks.")), 0
    for index in range(count):
        name = f"_blocks.{index}"
        first = len(tensors[f"{name}._project_conv.weight"]) != x.shape[1]
        stage += first
        x = block(x, tensors, name, 2 if first and stage not in WIDENING_WITHOUT_STRIDE else 1)
    y = functional.relu6(normalised(convolution(x, tensors["_conv_head.weight"]), tensors, "_bn1"))
    return x.permute(0, 2, 3, 1), functional.linear(
        y.mean((2, 3)), tensors["_fc.weight"], tensors["_fc.bias"]
    )


if __name__ == "__main__":
    file, pixels, out = sys.argv[1:]
    with torch.no_grad():
        features, logits = network(np.load(pixels), torch.load(file, weights_only=True))
    np.savez(out, features=features.numpy(), logits=logits.numpy())
