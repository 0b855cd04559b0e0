"""Every default stands here once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yolo_cli.errors import UsageError

__all__ = ["DetectConfig", "Resize", "SuppressionKind", "bundled"]

Resize = Literal["letterbox", "stretch"]
SuppressionKind = Literal["iou", "greedynms", "diounms", "soft"]


@dataclass(frozen=True, slots=True)
class DetectConfig:
    """How pictures become boxes.

    Attributes:
        confidence: only (box, class) pairs above this are kept.
        nms_iou: a box goes when it overlaps a more confident one of its class by more than this.
        max_detections: at most so many a picture, the most confident.
        classes: only these class ids; None keeps all.
        class_agnostic: one box suppresses another whatever its class.
        suppression: which rule suppresses; None follows the model.
        resize: how a picture gets the network's size; None follows the model.
        imgsz: height and width of the network's input in pixels; None follows the model.

    Raises:
        UsageError: if a value lies outside its range.
    """

    confidence: float = 0.25
    nms_iou: float = 0.45
    max_detections: int = 300
    classes: tuple[int, ...] | None = None
    class_agnostic: bool = False
    suppression: SuppressionKind | None = None
    resize: Resize | None = None
    imgsz: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name, value in (("--conf", self.confidence), ("--nms-iou", self.nms_iou)):
            if not 0 <= value <= 1:
                raise UsageError(f"{name} is {value}, and must lie between 0 and 1")
        if self.max_detections < 1:
            raise UsageError(f"--max-det is {self.max_detections}, and must be at least 1")
        if self.imgsz is not None and (min(self.imgsz) < 32 or max(self.imgsz) > 4096):
            raise UsageError(f"--imgsz is {self.imgsz}, and each side must lie between 32 and 4096")


def bundled(kind: Literal["weights", "anchors", "examples"]) -> Path:
    """The folder of files that come with the program.

    In an installed wheel it lies inside the package, in a checkout at the top level of the project.
    """
    package = Path(__file__).resolve().parent
    inside = package / "bundled" / kind
    return inside if inside.is_dir() else package.parent / kind
