"""What a run trains."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_write_text
from yolo_cli.text import read_yaml
from yolo_cli.training.job import ARGS
from yolo_cli.version import __version__

__all__ = ["METRICS", "EmbeddingJob", "read_embedding_job", "write_embedding_job"]

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
        fingerprint: of the photos of the run in `out`; None before they were read.
        finished: the model is complete.
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
    fingerprint: str | None = None
    finished: bool = False

    def __post_init__(self) -> None:
        if self.loss not in METRICS:
            raise UsageError(f"--embedding-loss {self.loss}: is not one; use {' or '.join(METRICS)}")
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"--epochs {self.epochs}: must be at least 1")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a new network's input."""
        return self.imgsz or SIZE


def write_embedding_job(job: EmbeddingJob) -> None:
    """Write ``args.yaml`` into the run's folder: everything needed to continue the run.

    Raises:
        DataError: if it cannot be written.
    """
    import yaml

    values = asdict(job)
    del values["out"]
    values["data"] = os.path.abspath(job.data)  # noqa: PTH100  # links stay
    if job.weights and Path(job.weights).exists():  # not the name of a model
        values["weights"] = os.path.abspath(job.weights)  # noqa: PTH100
    values["imgsz"] = job.imgsz and list(job.imgsz)
    text = yaml.safe_dump({"embedding": values, "version": __version__}, sort_keys=False, allow_unicode=True)
    atomic_write_text(job.out / ARGS, text)


def read_embedding_job(out: Path) -> EmbeddingJob:
    """Read the job of a run's folder.

    Raises:
        DataError: if the folder is not that of an embedding's run, or its ``args.yaml`` is broken.
    """
    path = out / ARGS
    if not path.is_file():
        raise DataError(f"{path}: no such file; --resume needs the folder of a run")
    try:
        values = read_yaml(path, "utf-8")["embedding"]
        imgsz = values.pop("imgsz")
        size = imgsz and (int(imgsz[0]), int(imgsz[1]))
        return EmbeddingJob(Path(values.pop("data")), out, imgsz=size, **values)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, UsageError):
        raise DataError(f"{path}: is not that of a run of `yolo train --embedding`; train again") from None
