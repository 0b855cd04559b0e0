"""NanoDet-Plus in plain NumPy, one layer after the other, that writes down what it does as an ncnn file.

It follows the authors' description and knows nothing of the builder in Keras: maps are (C, H, W), as in
PyTorch. Each layer that it computes becomes a line of a ``.param`` file and values in a ``.bin`` file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

MEAN, DEVIATION = np.array([103.53, 116.28, 123.675]), np.array([57.375, 57.12, 58.395])
STAGES, WIDTH = (116, 232, 464), 96  # of NanoDet-Plus-m
TAGS = {"float32": 0, "float16": 0x01306B47, "int8": 0x000D4B38}
Stored = Literal["float32", "float16", "int8"]


@dataclass
class Blob:
    """A map (C, H, W) and its name in the file."""

    name: str
    x: np.ndarray


@dataclass
class Oracle:
    """Computes a NanoDet-Plus-m with random weights, and records it."""

    rng: np.random.Generator
    classes: int
    stored: Stored = "float32"
    lines: list[str] = field(default_factory=list)
    values: bytes = b""
    tensors: dict[str, np.ndarray] = field(default_factory=dict)  # PyTorch's names → kernels and biases

    def write(self, stem: Path) -> tuple[Path, Path]:
        """Write ``stem.param`` and ``stem.bin``."""
        head = ["7767517", f"{len(self.lines)} {len(self.lines)}"]
        param, binary = stem.with_suffix(".param"), stem.with_suffix(".bin")
        param.write_text("\n".join([*head, *self.lines]) + "\n")
        binary.write_bytes(self.values)
        return param, binary

    def run(self, rgb: np.ndarray) -> list[np.ndarray]:
        """Pixels (H, W, 3), uint8 → four heads (h, w, classes + 32), finest first."""
        scaled = (rgb[..., ::-1] - MEAN) / DEVIATION
        image = self.layer("Input", [], scaled.transpose(2, 0, 1))
        heads = self.heads(self.neck(self.backbone(image)))
        return [head.x.transpose(1, 2, 0) for head in heads]

    def record(self, stem: Path) -> tuple[Path, Path]:
        """Write the files of a network of random weights."""
        self.run(np.zeros((64, 64, 3), np.uint8))
        return self.write(stem)

    def layer(self, kind: str, inputs: list[Blob], x: np.ndarray, options: str = "") -> Blob:
        name = f"b{len(self.lines)}"
        names = " ".join([*(blob.name for blob in inputs), name])
        self.lines.append(f"{kind} {kind.lower()}_{name} {len(inputs)} 1 {names} {options}")
        return Blob(name, x)

    def conv(
        self, blob: Blob, filters: int, size: int, name: str, stride=1, act=True, depthwise=False
    ) -> Blob:
        channels = 1 if depthwise else len(blob.x)
        kernel = self.rng.normal(0, 1.4 / np.sqrt(channels * size * size), (filters, channels, size, size))
        bias = self.rng.normal(0, 0.1, filters).astype(np.float32)
        kernel, data, more = self.store(kernel.astype(np.float32), bias)
        self.values += data
        self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"] = kernel, bias
        x = convolve(blob.x, kernel, bias, stride, depthwise)
        x = np.where(x > 0, x, 0.1 * x) if act else x
        kind = "ConvolutionDepthWise" if depthwise else "Convolution"
        options = f"0={filters} 1={size} 3={stride} 4={size // 2} 5=1 6={kernel.size}"
        options += f" 7={filters}" * depthwise + more + " 9=2 -23310=1,1.000000e-01" * act
        return self.layer(kind, [blob], x, options)

    def store(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, bytes, str]:
        """The kernel as it will be read back, its bytes, and the option that says that it has scales."""
        tag = TAGS[self.stored].to_bytes(4, "little")
        if self.stored == "float32":
            return kernel, tag + kernel.tobytes() + bias.tobytes(), ""
        if self.stored == "float16":
            half = kernel.astype(np.float16)
            return half.astype(np.float32), tag + padded(half.tobytes()) + bias.tobytes(), ""
        scale = (127 / np.abs(kernel).max(axis=(1, 2, 3))).astype(np.float32)
        whole = np.rint(kernel * scale[:, None, None, None]).astype(np.int8)
        scales = scale.tobytes() + np.float32([3.5, 4.5]).tobytes()  # of the activations: to be ignored
        data = tag + padded(whole.tobytes()) + bias.tobytes() + scales
        return whole.astype(np.float32) / scale[:, None, None, None], data, " 8=102"

    def depthwise(self, blob: Blob, size: int, name: str, stride=1, act=True) -> Blob:
        return self.conv(blob, len(blob.x), size, name, stride, act, depthwise=True)

    def concat(self, *blobs: Blob) -> Blob:
        return self.layer("Concat", list(blobs), np.concatenate([blob.x for blob in blobs]), "0=0")

    def add(self, first: Blob, second: Blob) -> Blob:
        return self.layer("BinaryOp", [second, first], first.x + second.x, "0=0")  # in whatever order

    def backbone(self, image: Blob) -> list[Blob]:
        x = self.conv(image, 24, 3, "backbone.conv1.0", stride=2)
        x = self.layer("Pooling", [x], max_pool(x.x), "0=0 1=3 2=2 3=1")
        maps = []
        for stage, (channels, units) in enumerate(zip(STAGES, (4, 8, 4), strict=True), start=2):
            for unit in range(units):
                x = self.unit(x, channels // 2, f"backbone.stage{stage}.{unit}", halve=unit == 0)
            maps.append(x)
        return maps

    def unit(self, x: Blob, width: int, name: str, halve: bool) -> Blob:
        if halve:
            left = self.depthwise(x, 3, f"{name}.branch1.0", 2, act=False)
            left, right = self.conv(left, width, 1, f"{name}.branch1.2"), x
        else:
            left = self.layer("Crop", [x], x.x[:width], f"-23309=1,0 -23310=1,{width} -23311=1,0")
            right = self.layer("Crop", [x], x.x[width:], f"-23309=1,{width} -23310=1,{2 * width} -23311=1,0")
        right = self.conv(right, width, 1, f"{name}.branch2.0")
        right = self.depthwise(right, 3, f"{name}.branch2.3", 2 if halve else 1, act=False)
        right = self.conv(right, width, 1, f"{name}.branch2.5")
        both = self.concat(left, right)
        mixed = np.stack([left.x, right.x], axis=1).reshape(both.x.shape)  # channels left, right, left, …
        return self.layer("ShuffleChannel", [both], mixed, "0=2")

    def neck(self, maps: list[Blob]) -> list[Blob]:
        c3, c4, c5 = (self.conv(x, WIDTH, 1, f"fpn.reduce_layers.{i}.conv") for i, x in enumerate(maps))
        n4 = self.ghost_block(self.concat(self.double(c5), c4), "fpn.top_down_blocks.0")
        p3 = self.ghost_block(self.concat(self.double(n4), c3), "fpn.top_down_blocks.1")
        half = self.separable(p3, "fpn.downsamples.0", 2)
        p4 = self.ghost_block(self.concat(half, n4), "fpn.bottom_up_blocks.0")
        half = self.separable(p4, "fpn.downsamples.1", 2)
        p5 = self.ghost_block(self.concat(half, c5), "fpn.bottom_up_blocks.1")
        inner = self.separable(c5, "fpn.extra_lvl_in_conv.0", 2)
        return [p3, p4, p5, self.add(inner, self.separable(p5, "fpn.extra_lvl_out_conv.0", 2))]

    def ghost_block(self, x: Blob, name: str) -> Blob:
        name = f"{name}.blocks.0"
        deep = self.ghost(self.ghost(x, f"{name}.ghost1", act=True), f"{name}.ghost2", act=False)
        shortcut = self.depthwise(x, 5, f"{name}.shortcut.0", act=False)
        return self.add(deep, self.conv(shortcut, WIDTH, 1, f"{name}.shortcut.2", act=False))

    def ghost(self, x: Blob, name: str, act: bool) -> Blob:
        first = self.conv(x, WIDTH // 2, 1, f"{name}.primary_conv.0", act=act)
        return self.concat(first, self.depthwise(first, 3, f"{name}.cheap_operation.0", act=act))

    def double(self, x: Blob) -> Blob:
        return self.layer("Interp", [x], bilinear_double(x.x), "0=2 1=2.0 2=2.0")

    def separable(self, x: Blob, name: str, stride=1) -> Blob:
        return self.conv(self.depthwise(x, 5, f"{name}.depthwise", stride), WIDTH, 1, f"{name}.pointwise")

    def heads(self, levels: list[Blob]) -> list[Blob]:
        """The last level first, as one of the authors' files has it."""
        heads = []
        for level in reversed(range(4)):
            x = levels[level]
            for place in (0, 1):
                x = self.separable(x, f"head.cls_convs.{level}.{place}")
            heads.append(self.conv(x, self.classes + 32, 1, f"head.gfl_cls.{level}", act=False))
        return heads[::-1]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int, depthwise: bool) -> np.ndarray:
    """A sum over the kernel's places; zeros on every side."""
    size = kernel.shape[-1]
    pad = size // 2
    wide = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    rows, columns = ((side + 2 * pad - size) // stride + 1 for side in x.shape[1:])
    total = np.zeros((len(kernel), rows, columns)) + bias[:, None, None]
    for dy in range(size):
        for dx in range(size):
            part = wide[:, dy : dy + stride * rows : stride, dx : dx + stride * columns : stride]
            weights = kernel[:, :, dy, dx]  # (out, in)
            total += part * weights[:, :1, None] if depthwise else np.tensordot(weights, part, 1)
    return total


def max_pool(x: np.ndarray) -> np.ndarray:
    """3 x 3 with stride 2; nothing beyond the edge wins."""
    wide = np.pad(x, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    rows, columns = ((side - 1) // 2 + 1 for side in x.shape[1:])
    parts = [wide[:, dy : dy + 2 * rows : 2, dx : dx + 2 * columns : 2] for dy in range(3) for dx in range(3)]
    return np.max([part[:, :rows, :columns] for part in parts], axis=0)


def bilinear_double(x: np.ndarray) -> np.ndarray:
    """Each new pixel from the old ones around it, by the distance between centres."""
    rows, columns = x.shape[1:]
    found = np.empty((len(x), 2 * rows, 2 * columns))
    for row in range(2 * rows):
        for column in range(2 * columns):
            y, z = np.clip([row / 2 - 0.25, column / 2 - 0.25], 0, [rows - 1, columns - 1])
            y0, z0 = int(y), int(z)
            y1, z1, v, w = min(y0 + 1, rows - 1), min(z0 + 1, columns - 1), y - y0, z - z0
            upper = x[:, y0, z0] * (1 - w) + x[:, y0, z1] * w
            lower = x[:, y1, z0] * (1 - w) + x[:, y1, z1] * w
            found[:, row, column] = upper * (1 - v) + lower * v
    return found
