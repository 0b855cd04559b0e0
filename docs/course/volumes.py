"""Networks as chains of volumes, with what each step costs; see `plots.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from figures import figures
from matplotlib.patches import FancyArrowPatch, Rectangle

from yolo_cli.visualisation.convolution import output_size

Volume = tuple[int, int]  # side and channels


@dataclass(frozen=True)
class Step:
    """One convolution: its kernel f, filters d, stride s and padding p; depthwise with d = 0."""

    kernel: int
    filters: int
    stride: int = 1
    padding: int = 0

    def out(self, volume: Volume) -> Volume:
        """The side and channels that it leaves."""
        side, channels = volume
        return output_size(side, self.kernel, self.padding, self.stride), self.filters or channels

    def weights(self, volume: Volume, bias: int = 0) -> int:
        """(f · f · c + 1) · d with a bias for each filter; f · f · c if depthwise."""
        area, channels = self.kernel**2, volume[1]
        return (area * channels + bias) * self.filters if self.filters else (area + bias) * channels

    def arithmetic(self, volume: Volume) -> int:
        """Multiply-accumulates: the weights for each cell of what it leaves."""
        return self.out(volume)[0] ** 2 * self.weights(volume)

    def __str__(self) -> str:
        name = f"{self.kernel} x {self.kernel}"
        return f"{name} depthwise" if not self.filters else name


# The network of the lecture, and ways to make one map of another.
SIMPLE = ((39, 3), (Step(3, 10), Step(5, 20, 2), Step(5, 40, 2)))
BLOCKS = {
    "5 x 5 from 192 to 32 channels": ((28, 192), (Step(5, 32, padding=2),)),
    "... with 1 x 1 before (Inception)": ((28, 192), (Step(1, 16), Step(5, 32, padding=2))),
    "3 x 3 from 144 to 144 channels": ((56, 144), (Step(3, 144, padding=1),)),
    "... depthwise separable (MobileNet)": ((56, 144), (Step(3, 0, padding=1), Step(1, 144))),
    "bottleneck (MobileNet v2)": ((56, 24), (Step(1, 144), Step(3, 0, padding=1), Step(1, 24))),
}


def volumes(start: Volume, steps: Sequence[Step]) -> list[Volume]:
    """The input, and what each step leaves."""
    chain = [start]
    for step in steps:
        chain.append(step.out(chain[-1]))
    return chain


def million(number: float) -> str:
    """A number of multiply-accumulates."""
    return f"{number / 1e6:.1f} M"


def draw_simple() -> None:
    """A small network: the volumes with the weights of each layer."""
    start, steps = SIMPLE
    chain = volumes(start, steps)
    weights = [step.weights(volume, bias=1) for step, volume in zip(steps, chain, strict=False)]
    for step, volume, count in zip(steps, chain[1:], weights, strict=True):
        print(f"{step.filters} filters of {step}, stride {step.stride}: {name(volume)}, {count:,} weights")
    flat = chain[-1][0] ** 2 * chain[-1][1]
    dense = chain[0][0] ** 2 * chain[0][1] * chain[1][0] ** 2 * chain[1][1]
    print(f"then {flat:,} numbers to one: {flat + 1:,} weights; together {sum(weights) + flat + 1:,}")
    print(f"the first layer, if dense: {dense:,} weights in place of {weights[0]:,}")
    labels = [
        f"{step.filters} filters\n{step}, stride {step.stride}\n{count:,} weights"
        for step, count in zip(steps, weights, strict=True)
    ]
    for axes in figures("simple", (6.4, 2.0)):
        end = draw_chain(axes, 0, chain, labels)
        axes.annotate("", (end + 2.1, 0), (end + 0.3, 0), arrowprops={"arrowstyle": "->", "color": "0.5"})
        axes.text(end + 1.2, -0.3, f"{flat:,} numbers\none output\n{flat + 1:,} weights", **CENTRE)
        axes.text(end + 2.3, 0, "cat?", va="center", fontsize=10)
        axes.set(xlim=(-0.3, end + 3.6), ylim=(-1.6, 1.4))
        axes.axis("off")


CENTRE: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": 8, "linespacing": 1.3}


def draw_blocks() -> None:
    """The blocks below each other: the volumes with the arithmetic of each step."""
    for axes in figures("blocks", (6.4, 6.2)):
        for row, (title, (start, steps)) in enumerate(BLOCKS.items()):
            chain = volumes(start, steps)
            costs = [step.arithmetic(volume) for step, volume in zip(steps, chain, strict=False)]
            middle = -3.1 * row
            axes.text(-0.3, middle + 1.45, f"{title}: {million(sum(costs))}", fontsize=9, weight="bold")
            labels = [f"{step}\n{million(cost)}" for step, cost in zip(steps, costs, strict=True)]
            end = draw_chain(axes, middle, chain, labels)
            if chain[0] == chain[-1] and len(steps) == 3:
                draw_shortcut(axes, middle, end)
        axes.set(xlim=(-0.4, 14.4), ylim=(-3.1 * len(BLOCKS) + 0.5, 2.0))
        axes.axis("off")
    for title, (start, steps) in BLOCKS.items():
        chain = volumes(start, steps)
        costs = [step.arithmetic(volume) for step, volume in zip(steps, chain, strict=False)]
        print(f"{title}: {' + '.join(map(million, costs))} = {million(sum(costs))} multiply-accumulates")


def draw_chain(axes: Any, middle: float, chain: Sequence[Volume], labels: Sequence[str]) -> float:
    """Volumes with arrows between and labels below those; returns where it ends."""
    left = 0.0
    for number, volume in enumerate(chain):
        high, wide = 0.3 * math.log2(volume[0]), 0.14 * math.log2(volume[1] + 1)
        colour = f"C{number}"
        axes.add_patch(
            Rectangle((left, middle - high / 2), wide, high, facecolor=(colour, 0.5), edgecolor=colour)
        )
        axes.text(left + wide / 2, middle + high / 2 + 0.06, name(volume), ha="center", fontsize=8)
        left += wide
        if number < len(labels):
            end = (left + 2.3, middle)
            axes.annotate("", end, (left + 0.3, middle), arrowprops={"arrowstyle": "->", "color": "0.5"})
            axes.text(left + 1.3, middle - 0.15, labels[number], **CENTRE)
            left += 2.6
    return left


def draw_shortcut(axes: Any, middle: float, end: float) -> None:
    """An arc from the first volume to the last."""
    arc = FancyArrowPatch(
        (0.5, middle - 1.0), (end - 0.3, middle - 1.0), arrowstyle="->", color="#e5484d",
        connectionstyle="arc3,rad=0.12", mutation_scale=10,
    )  # fmt: skip
    axes.add_patch(arc)
    axes.text(end + 0.3, middle - 1.1, "+ the shortcut", color="#e5484d", fontsize=8)


def name(volume: Volume) -> str:
    """Such as 28 x 28 x 192."""
    side, channels = volume
    return f"{side} x {side} x {channels}"
