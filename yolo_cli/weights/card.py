"""The model card: everything that detection needs, and the origin of the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from yolo_cli.codec import Head
from yolo_cli.config import Resize, SuppressionKind
from yolo_cli.errors import DataError
from yolo_cli.heads import size_step
from yolo_cli.keypoints import KeyPoints
from yolo_cli.limits import MAX_CARD
from yolo_cli.text import counted, shorten
from yolo_cli.weights.schema import checked_fields

__all__ = ["ModelCard", "card_text"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The card of one model, stored as JSON inside its files.

    Attributes:
        name: the model's name.
        class_names: the name of each class id.
        heads: the description of each of the network's outputs.
        input_size: default height and width of the network's input; other multiples of ``size_step`` work,
            too.
        resize: "letterbox" or "stretch".
        suppression: the kind of NMS.
        beta: the exponent of ``diounms``.
        licence, origin, training_data: free text.
        source: the files that it was made from, and their SHA-256.
        figures: measured figures, each with its protocol.
        limits: known limitations.
        calibration: a piecewise linear map of confidences, from `yolo calibrate`: increasing confidences from
            0 to 1, and the calibrated value of each; None means no calibration.
        detector: the kind of detector, a key of `yolo_cli.detectors.DETECTORS`.
        backbone: for a network on the features of another one: that model's name, a colon, and the layer.
            ``source`` then holds the SHA-256 of that model's ``.onnx`` file as ``backbone_sha256``.
        metric: of a network of detector "embedding", what its vectors are compared by: "cosine" or
            "logistic"; see `yolo_cli.evaluation.verification`.
        false_accepts: of such a network, rising scores, and the fraction of pairs of two identities, of
            images that it was not trained on, that reach each.
        keypoints: the key points of its objects; None without.
    """

    name: str
    class_names: tuple[str, ...]
    heads: tuple[Head, ...]
    input_size: tuple[int, int]
    resize: Resize
    suppression: SuppressionKind = "iou"
    beta: float = 0.6
    licence: str = "not stated"
    origin: str = "not stated"
    training_data: str = "not stated"
    source: dict[str, str] = field(default_factory=dict)
    figures: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    calibration: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    detector: str = "yolo"
    backbone: str = ""
    metric: str = ""
    false_accepts: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    keypoints: KeyPoints | None = None

    @property
    def size_step(self) -> int:
        """What both sides of the network's input must be multiples of."""
        return size_step(self.heads)

    def to_json(self) -> str:
        """The card as one JSON object."""
        values = {"format": FORMAT, **asdict(self)}
        if self.keypoints is None:  # a program that knows no key points can read it
            del values["keypoints"]
            values["heads"] = [{k: v for k, v in h.items() if k != "key_points"} for h in values["heads"]]
        return json.dumps(values, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> ModelCard:
        """Parse a card.

        Raises:
            DataError: if it is not a card, was written by a later version, or has a wrong field; ``where``
                names the file.
        """
        try:
            return cls(**checked_fields(_values(text)))
        except (ValueError, RecursionError) as fault:
            raise DataError(f"{where}: its model card cannot be read ({fault})") from None


def _values(text: str | bytes) -> dict[str, Any]:
    """The fields of a card's JSON; ValueError if it is not a card of this format."""
    if len(text) > MAX_CARD:
        raise ValueError(f"it has over {MAX_CARD >> 20} MiB")
    values = json.loads(text)
    if not isinstance(values, dict) or "format" not in values:
        raise ValueError("it has no format")
    found = values.pop("format")
    if found != FORMAT:
        raise ValueError(f"it has format {shorten(found, 40)}, but this program reads {FORMAT}; update it")
    return values


def card_text(card: ModelCard, digests: dict[str, str]) -> str:
    """The card as Markdown.

    Args:
        card: the card.
        digests: SHA-256 of each of its files, by file name.
    """
    sections = [
        f"# {card.name}",
        _kind_text(card),
        f"**Licence.** {card.licence}",
        f"**Origin.** {card.origin}",
        f"**Training data.** {card.training_data}",
        _list("Source", [f"{key}: `{value}`" for key, value in card.source.items()]),
        _list("Files (SHA-256)", [f"{name}: `{digest}`" for name, digest in digests.items()]),
        _list("Figures", card.figures),
        _list("Limits", card.limits),
        *([] if card.metric else _class_texts(card)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _kind_text(card: ModelCard) -> str:
    height, width = card.input_size
    size = f"input {height} x {width} pixels ({card.resize})"
    if card.metric:
        return f"An embedding for `yolo identify`, {size}, compared by {card.metric} score."
    classes = counted(len(card.class_names), "class")
    return f"{classes}, {size}, suppression {card.suppression}."


def _class_texts(card: ModelCard) -> list[str]:
    """What only detectors have."""
    heads = _list("Heads", [_head_text(head) for head in card.heads])
    points = f"**Key points.** {', '.join(card.keypoints.names)}" if card.keypoints else ""
    return [_calibration_text(card), heads, f"**Classes.** {', '.join(card.class_names)}", points]


def _calibration_text(card: ModelCard) -> str:
    if card.calibration is None:
        return (
            "**Calibration.** None: a confidence of 0.5 does not mean that half of such detections are right."
        )
    shown = ", ".join(f"{raw:g} → {np.interp(raw, *card.calibration):.2f}" for raw in (0.1, 0.25, 0.5, 0.75))
    return f"**Calibration.** Confidences are calibrated: {shown}."


def _list(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"**{title}**\n", *(f"- {line}" for line in lines)]) if lines else ""


def _head_text(head: Head) -> str:
    anchors = ", ".join(f"{w:g}x{h:g}" for w, h in head.anchors)
    predicts = f"anchors {anchors}" if anchors else f"{head.bins} distances a side"
    return f"{head.kind}, stride {head.stride}, {predicts}"
