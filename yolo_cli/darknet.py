"""Darknet's ``.cfg`` and ``.weights`` files as plain data; no framework.

The rules are those of AlexeyAB/darknet. Where a section or an option is unknown, the error names its
line: silently skipping one would give a network that runs and is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError

__all__ = ["Convolution", "Network", "Section", "read_cfg", "read_names", "read_weights", "shapes"]

# What a section may say. Options of training that detection ignores are listed all the same:
# they are known. `True` marks an option that only training reads.
_TRAINING_NET = """batch subdivisions time_steps angle saturation exposure hue momentum decay learning_rate burn_in
    max_batches policy steps scales mosaic mosaic_bound cutmix mixup ema_alpha max_crop min_crop flip blur gaussian_noise
    power gamma max_chart_loss adversarial_lr label_smooth_eps optimized_memory workspace_size_limit_MB loss_scale
    dynamic_minibatch num_sigmas_reject_badlabels try_fix_nan init_delay weights_reject_freq equidistant_point
    badlabels_rejection_percentage sgdr_cycle sgdr_mult seq_scales letter_box augment_speed contrastive attention
    unsupervised show_receptive_field adam B1 B2 eps track inputs max_ratio min_ratio aspect center
    cutmix mixup contrastive_jit_flip contrastive_color"""
_TRAINING_HEAD = """jitter resize ignore_thresh truth_thresh random iou_thresh iou_normalizer cls_normalizer
    obj_normalizer delta_normalizer uc_normalizer iou_loss iou_thresh_kind max_delta objectness_smooth label_smooth_eps
    map focal_loss max beta1 counters_per_class ignore_collisions track_history_size dets_for_track dets_for_show
    track_ciou_norm embedding_layer sim_thresh max_boxes absolute bias_match class_scale coord_scale noobject_scale
    object_scale rescore thresh background softmax_tree mask_scale joint"""

OPTIONS: Mapping[str, frozenset[str]] = {
    "net": frozenset(["width", "height", "channels", *_TRAINING_NET.split()]),
    "convolutional": frozenset(
        "batch_normalize filters size stride stride_x stride_y pad padding activation groups dilation stopbackward "
        "dontload dontloadscales flipped share_index sway rotate stretch".split()
    ),
    "maxpool": frozenset("size stride stride_x stride_y padding maxpool_depth out_channels antialiasing".split()),
    "avgpool": frozenset(),
    "route": frozenset("layers groups group_id stopbackward".split()),
    "shortcut": frozenset("from activation weights_type weights_normalization".split()),
    "upsample": frozenset(["stride", "scale"]),
    "reorg": frozenset(["stride", "reverse"]),
    "reorg3d": frozenset(["stride"]),
    "dropout": frozenset(["probability", "dropblock", "dropblock_size_abs", "dropblock_size_rel"]),
    "scale_channels": frozenset(["from", "scale_wh", "activation"]),
    "sam": frozenset(["from", "activation"]),
    "yolo": frozenset(["mask", "anchors", "classes", "num", "scale_x_y", "nms_kind", "beta_nms", "new_coords", *_TRAINING_HEAD.split()]),
    "region": frozenset(["anchors", "classes", "num", "coords", "softmax", *_TRAINING_HEAD.split()]),
}
ACTIVATIONS = frozenset(["linear", "leaky", "relu", "relu6", "mish", "swish", "logistic"])
# Options that change what the network computes in ways that no model at hand needs. Absent or at the
# value given here they are harmless; at any other they are refused.
_REFUSED: Mapping[tuple[str, str], str] = {
    ("convolutional", "dilation"): "1",
    ("convolutional", "dontloadscales"): "0",
    ("convolutional", "dontload"): "0",
    ("convolutional", "flipped"): "0",
    ("convolutional", "share_index"): "-1000000000",
    ("convolutional", "sway"): "0",
    ("convolutional", "rotate"): "0",
    ("convolutional", "stretch"): "0",
    ("maxpool", "maxpool_depth"): "0",
    ("maxpool", "antialiasing"): "0",
    ("shortcut", "weights_type"): "none",
    ("upsample", "scale"): "1",
    ("reorg", "reverse"): "0",
    ("scale_channels", "scale_wh"): "0",
    ("region", "coords"): "4",
    ("region", "softmax"): "1",
    ("region", "softmax_tree"): "0",
    ("region", "background"): "0",
    ("net", "channels"): "3",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One ``[section]`` of a cfg.

    Attributes:
        kind: the word in brackets.
        options: what it says, as text.
        line: where it begins, counted from 1.
        file: the cfg's name, for messages.
    """

    kind: str
    options: Mapping[str, str]
    line: int
    file: str

    def integer(self, key: str, default: int | None = None) -> int:
        """The whole number under ``key``."""
        return int(self._number(key, default))

    def real(self, key: str, default: float | None = None) -> float:
        """The number under ``key``."""
        return float(self._number(key, default))

    def text(self, key: str, default: str) -> str:
        """The word under ``key``."""
        return self.options.get(key, default)

    def reals(self, key: str) -> tuple[float, ...]:
        """The numbers under ``key``, which are separated by commas."""
        words = [word for word in self.options.get(key, "").split(",") if word.strip()]
        try:
            return tuple(float(word) for word in words)
        except ValueError:
            raise self.fault(f"{key}={self.options[key]} is not a list of numbers") from None

    def integers(self, key: str) -> tuple[int, ...]:
        """The whole numbers under ``key``, which are separated by commas."""
        return tuple(int(value) for value in self.reals(key))

    def fault(self, what: str) -> DataError:
        """An error that says where in the cfg the fault lies."""
        return DataError(f"{self.file}:{self.line}: [{self.kind}] {what}")

    def _number(self, key: str, default: float | None) -> float:
        if key not in self.options and default is not None:
            return default
        try:
            return float(self.options[key])
        except KeyError:
            raise self.fault(f"needs {key}=") from None
        except ValueError:
            raise self.fault(f"{key}={self.options[key]} is not a number") from None


@dataclass(frozen=True, slots=True)
class Network:
    """A cfg: ``[net]`` and the layers that follow it, counted from 0."""

    net: Section
    layers: tuple[Section, ...]

    def references(self, index: int, key: str) -> tuple[int, ...]:
        """The absolute indices that layer ``index`` names under ``key``; a negative one counts back."""
        layer = self.layers[index]
        found = tuple(index + n if n < 0 else n for n in layer.integers(key))
        if not found or not all(0 <= n < index for n in found):
            raise layer.fault(f"{key}={layer.text(key, '')} does not name layers before layer {index}")
        return found

    def heads(self) -> tuple[int, ...]:
        """The indices of the detection layers."""
        return tuple(i for i, layer in enumerate(self.layers) if layer.kind in ("yolo", "region"))


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """The stored values of one convolution.

    Attributes:
        kernel: float32, (out, in / groups, height, width).
        bias: float32, (out,); the beta of batch normalisation where there is one.
        gamma, mean, variance: float32, (out,), or None without batch normalisation.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    gamma: NDArray[np.float32] | None = None
    mean: NDArray[np.float32] | None = None
    variance: NDArray[np.float32] | None = None


@dataclass(slots=True)
class _Draft:
    kind: str
    line: int
    options: dict[str, str] = field(default_factory=dict)


def read_cfg(path: str | Path) -> Network:
    """Read a Darknet ``.cfg``.

    Raises:
        DataError: if the file cannot be read, or holds a section, option or activation that is not known.
    """
    path = Path(path)
    drafts: list[_Draft] = []
    for number, raw in enumerate(_lines(path), start=1):
        line = raw.split("#")[0].split(";")[0].strip()
        where = f"{path.name}:{number}"
        if line.startswith("[") and line.endswith("]"):
            drafts.append(_Draft(line[1:-1].strip(), number))
        elif line:
            key, equals, value = line.partition("=")
            if not equals or not drafts:
                raise DataError(f"{where}: '{line[:40]}' is neither a [section] nor key=value; is this a Darknet cfg?")
            _check_option(drafts[-1], key.strip(), value.strip(), where)
            drafts[-1].options[key.strip()] = value.strip()
    sections = tuple(Section(d.kind, d.options, d.line, path.name) for d in drafts)
    _check_sections(sections, path.name)
    return Network(sections[0], sections[1:])


def read_names(path: str | Path) -> tuple[str, ...]:
    """Read class names, one a line; empty lines at the end do not count."""
    names = [line.strip() for line in _lines(Path(path))]
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise DataError(f"{path}: holds {'an empty line between names' if names else 'no class names'}")
    return tuple(names)


def read_weights(path: str | Path, network: Network) -> tuple[dict[int, Convolution], str]:
    """Read a Darknet ``.weights`` file.

    Returns:
        The convolutions by layer index, and the SHA-256 of the file.

    Raises:
        DataError: if the file is missing, is too short or too long for the cfg, or holds NaN or infinity.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror})") from None
    values = _values(data, path)
    convolutions: dict[int, Convolution] = {}
    position = 0
    channels = _channels(network)
    for index, layer in enumerate(network.layers):
        if layer.kind == "convolutional":
            before = channels[index - 1] if index else network.net.integer("channels", 3)
            shape, normalised = _kernel_shape(layer, before), layer.integer("batch_normalize", 0) != 0
            size = shape[0] * (4 if normalised else 1) + int(np.prod(shape))
            convolutions[index] = _cut(values, position, shape, normalised, layer, path)
            position += size
    if position != len(values):
        raise DataError(
            f"{path}: {4 * (len(values) - position):,} bytes are left over after the last layer of {network.net.file}; "
            "the weights belong to another cfg"
        )
    return convolutions, hashlib.sha256(data).hexdigest()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror})") from None


def _check_option(section: _Draft, key: str, value: str, where: str) -> None:
    known = OPTIONS.get(section.kind)
    if known is None:
        return  # the section itself is refused, with its own line
    if key not in known:
        raise DataError(f"{where}: [{section.kind}] has no option '{key}' that this program knows")
    if key == "activation" and value not in ACTIVATIONS:
        raise DataError(f"{where}: the activation '{value}' is not known; known are {', '.join(sorted(ACTIVATIONS))}")
    allowed = _REFUSED.get((section.kind, key))
    if allowed is not None and value != allowed:
        raise DataError(f"{where}: [{section.kind}] {key}={value} is not supported, only {key}={allowed}")


def _check_sections(sections: tuple[Section, ...], name: str) -> None:
    if not sections or sections[0].kind not in ("net", "network"):
        raise DataError(f"{name}: does not begin with a [net] section; is this a Darknet cfg?")
    for section in sections[1:]:
        if section.kind not in OPTIONS or section.kind == "net":
            raise section.fault("is a section that this program does not know")
    if not any(section.kind in ("yolo", "region") for section in sections):
        raise DataError(f"{name}: has no [yolo] or [region] section, so it detects nothing")


def _values(data: bytes, path: Path) -> NDArray[np.float32]:
    """The float32 values behind the header, whose length depends on the version that it states."""
    if len(data) < 20:
        raise DataError(f"{path}: {len(data)} bytes are too few for a Darknet weights file")
    major, minor, _ = np.frombuffer(data, "<i4", 3)
    if not (0 <= major < 1000 and 0 <= minor < 1000):
        raise DataError(f"{path}: does not begin like a Darknet weights file (version {major}.{minor})")
    start = 20 if major * 10 + minor >= 2 else 16  # `seen` has 8 bytes since version 0.2, before it 4
    if (len(data) - start) % 4:
        raise DataError(f"{path}: {len(data):,} bytes do not hold a whole number of values; is the file cut off?")
    return np.frombuffer(data, "<f4", offset=start).astype(np.float32, copy=False)


def _kernel_shape(layer: Section, channels: int) -> tuple[int, int, int, int]:
    groups, size = layer.integer("groups", 1), layer.integer("size", 1)
    filters = layer.integer("filters", 1)
    if groups < 1 or channels % groups or filters % groups:
        raise layer.fault(f"groups={groups} divides neither {channels} input channels nor {filters} filters evenly")
    return filters, channels // groups, size, size


def _cut(
    values: NDArray[np.float32], start: int, shape: tuple[int, ...], normalised: bool, layer: Section, path: Path
) -> Convolution:
    """The convolution whose values begin at ``start``: beta, [gamma, mean, variance,] kernel."""
    filters, parts = shape[0], 4 if normalised else 1
    end = start + filters * parts + int(np.prod(shape))
    if end > len(values):
        raise DataError(
            f"{path}: ends {4 * (end - len(values)):,} bytes early, in the layer at {layer.file}:{layer.line}; "
            "the weights belong to another cfg, or the file is cut off"
        )
    block = values[start:end]
    if not np.isfinite(block).all():
        raise DataError(f"{path}: holds NaN or infinite values, in the layer at {layer.file}:{layer.line}")
    vectors = block[: filters * parts].reshape(parts, filters)  # (1 or 4, out)
    kernel = block[filters * parts :].reshape(shape)  # (out, in / groups, height, width)
    return Convolution(kernel, *vectors)


def _channels(network: Network) -> list[int]:
    """The number of output channels of every layer."""
    return [channels for channels, _ in shapes(network)]


def shapes(network: Network) -> list[tuple[int, float]]:
    """(channels, stride) of every layer's output; the stride is in pixels of the network's input.

    After ``[avgpool]``, which leaves one cell, the stride is infinite.
    """
    found: list[tuple[int, float]] = []
    for index, layer in enumerate(network.layers):
        before = found[-1] if found else (network.net.integer("channels", 3), 1.0)
        found.append(_shape_of(network, index, layer, before, found))
    return found


def _shape_of(
    network: Network, index: int, layer: Section, before: tuple[int, float], found: list[tuple[int, float]]
) -> tuple[int, float]:
    channels, stride = before
    match layer.kind:
        case "convolutional":
            return layer.integer("filters", 1), stride * layer.integer("stride", 1)
        case "maxpool":
            return channels, stride * layer.integer("stride", 1)
        case "avgpool":
            return channels, float("inf")
        case "upsample":
            return channels, stride / layer.integer("stride", 2)
        case "reorg" | "reorg3d":
            step = layer.integer("stride", 1)
            return channels * step**2, stride * step
        case "route":
            sources = [found[n] for n in network.references(index, "layers")]
            return sum(c // layer.integer("groups", 1) for c, _ in sources), sources[0][1]
        case "scale_channels":
            return found[network.references(index, "from")[0]]
    return before
