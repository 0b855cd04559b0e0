"""What a run trains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from yolo_cli.errors import UsageError

__all__ = ["METRICS", "EmbeddingJob"]

METRICS = {"triplet": "cosine", "siamese": "logistic"}
"""What the vectors of each loss are compared by."""

SIZE = (64, 64)


@dataclass(frozen=True, slots=True)
class EmbeddingJob:
    """What to train.

    Attributes:
        data: the folder; see `read_identities`.
        out: the run's folder.
        loss: "triplet" or "siamese".
        weights: the embedding to go on from; None is a new network.
        imgsz: height and width of a new network's input; None is `SIZE`.
        quarter_turns: each quarter turn of an identity is one of its own.
        no_augment: do not warp images.
        use_val: hold no identities out: the card then has figures on the training images.
        epochs: None sets them by the number of images.
        seed: random seed.
    """

    data: Path
    out: Path
    loss: str = "triplet"
    weights: str | None = None
    imgsz: tuple[int, int] | None = None
    quarter_turns: bool = False
    no_augment: bool = False
    use_val: bool = False
    epochs: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.loss not in METRICS:
            raise UsageError(f"--embedding-loss {self.loss}: is not one; use {' or '.join(METRICS)}")
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"--epochs {self.epochs}: must be at least 1")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a new network's input."""
        return self.imgsz or SIZE
