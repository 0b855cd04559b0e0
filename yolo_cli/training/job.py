"""What is to be trained, and how it is written down beside the result."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from yolo_cli.config import AugmentConfig, TrainConfig
from yolo_cli.errors import DataError
from yolo_cli.files import atomic_write_text
from yolo_cli.version import __version__

__all__ = ["ARGS", "DEFAULT_WEIGHTS", "TrainJob", "read_job", "write_job"]

ARGS = "args.yaml"
DEFAULT_WEIGHTS = "yolov4-tiny-coco"


@dataclass(frozen=True, slots=True)
class TrainJob:
    """What is to be trained. One of `weights`, `cfg` and `backbone` says where it starts.

    Attributes:
        data: folder or file of the data set.
        out: the run's folder.
        weights: the model of ours to fine-tune.
        cfg: a Darknet cfg, trained from scratch.
        backbone: the name of an image classifier that gets a YOLO head.
        backbone_weights: its trained values: a file, "imagenet" for Keras's own download, or None for chance.
        from_scratch: forget what `weights` knows, keep the network.
        allow_unlabelled: an image without a label file shows nothing to find.
        use_val: learn from the images to validate on, too, and judge once, at the end, on those to test on.
        tensorboard: write logs that TensorBoard shows.
        config: how to train.
        augment: how to change images.
        fingerprint: content hash of the data set that the run in `out` began with; None before it was read.
    """

    data: str
    out: Path
    weights: str = DEFAULT_WEIGHTS
    cfg: str | None = None
    backbone: str | None = None
    backbone_weights: str | None = None
    from_scratch: bool = False
    allow_unlabelled: bool = False
    use_val: bool = False
    tensorboard: bool = False
    config: TrainConfig = field(default_factory=TrainConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    fingerprint: str | None = None


def write_job(job: TrainJob) -> None:
    """Write ``args.yaml`` into the run's folder: all that is needed to do it again.

    Raises:
        DataError: if it cannot be written.
    """
    values = asdict(job) | {"version": __version__}
    del values["out"]
    if job.config.imgsz is not None:
        values["config"]["imgsz"] = list(job.config.imgsz)
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    atomic_write_text(job.out / ARGS, text)


def read_job(out: Path) -> TrainJob:
    """Read the job of a run's folder.

    Raises:
        DataError: if the folder is no run, or its ``args.yaml`` is broken.
    """
    path = out / ARGS
    try:
        values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        values.pop("version")
        config, augment = values.pop("config"), values.pop("augment")
        if config["imgsz"] is not None:
            config["imgsz"] = tuple(config["imgsz"])
        return TrainJob(out=out, config=TrainConfig(**config), augment=AugmentConfig(**augment), **values)
    except OSError as fault:
        raise DataError(
            f"{path}: cannot be read ({fault.strerror}); --resume needs the folder of a run"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as fault:
        raise DataError(f"{path}: is not as `yolo train` wrote it ({str(fault).splitlines()[0]})") from None
