"""What a model says of itself: all that detection needs, and where the model comes from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from yolo_cli.codec import Head
from yolo_cli.config import Resize, SuppressionKind
from yolo_cli.errors import DataError

__all__ = ["ModelCard", "card_text"]

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The card of one model. It travels inside its files, as JSON.

    Attributes:
        name: the model's name.
        class_names: the name of each class id.
        heads: how to read each of the network's outputs.
        input_size: height and width for which the network was made; others that are multiples of the
            largest stride run too.
        resize: how a picture gets that size.
        suppression: which rule removes double boxes.
        beta: the exponent of ``diounms``.
        licence, origin, training_data: whose work it is and what it learnt from.
        source: the files it was made from and their SHA-256.
        figures: what was measured, each with its protocol.
        limits: what it is not good at.
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

    def to_json(self) -> str:
        """The card as one JSON object."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> ModelCard:
        """Read a card back.

        Raises:
            DataError: if it is no card, or one that a later version wrote; ``where`` names the file.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            found = values.pop("format")
            if found != FORMAT:
                raise DataError(
                    f"{where}: its card has format {found}, this program reads {FORMAT}; is it too old?"
                )
            values["heads"] = tuple(_head(**head) for head in values["heads"])
            tuples = ("class_names", "input_size", "figures", "limits")
            return cls(**{**values, **{key: tuple(values[key]) for key in tuples}})
        except (ValueError, KeyError, TypeError) as fault:
            raise DataError(f"{where}: its model card cannot be read ({fault})") from None


def _head(anchors: list[list[float]], **rest: Any) -> Head:
    return Head(anchors=tuple((float(w), float(h)) for w, h in anchors), **rest)


def card_text(card: ModelCard, digests: dict[str, str]) -> str:
    """The card as a Markdown page for people.

    Args:
        card: what the model says of itself.
        digests: SHA-256 of each of its files, by file name.
    """
    height, width = card.input_size
    sections = [
        f"# {card.name}",
        f"{len(card.class_names)} classes, input {width} x {height} pixels ({card.resize}), "
        f"suppression {card.suppression}.",
        f"**Licence.** {card.licence}",
        f"**Origin.** {card.origin}",
        f"**Training data.** {card.training_data}",
        _list("Source", [f"{key}: `{value}`" for key, value in card.source.items()]),
        _list("Files (SHA-256)", [f"{name}: `{digest}`" for name, digest in digests.items()]),
        _list("Figures", card.figures),
        _list("Limits", card.limits),
        _list("Heads", [_head_text(head) for head in card.heads]),
        f"**Classes.** {', '.join(card.class_names)}",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _list(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"**{title}**\n", *(f"- {line}" for line in lines)]) if lines else ""


def _head_text(head: Head) -> str:
    anchors = ", ".join(f"{w:g}x{h:g}" for w, h in head.anchors)
    return f"{head.kind}, a cell every {head.stride} pixels, anchors {anchors}"
