"""What is to be trained, and how it is written down in the run's folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_write_text
from yolo_cli.region_training.train import RegionRecipe
from yolo_cli.version import __version__

__all__ = ["RegionJob", "read_region_job", "write_region_job"]

ARGS = "args.yaml"


@dataclass(frozen=True, slots=True)
class RegionJob:
    """What is to be trained.

    Attributes:
        data: folder or file of the data set.
        out: the run's folder.
        recipe: which detector, and how.
        allow_unlabelled: an image without a label file shows nothing to find.
        fingerprint: of the images and boxes to learn from, when the run began.
        finished: whether it is done.
    """

    data: str
    out: Path
    recipe: RegionRecipe
    allow_unlabelled: bool = False
    fingerprint: str = ""
    finished: bool = False

    @property
    def model(self) -> Path:
        """Where the trained model goes, without a suffix."""
        return self.out / "weights" / "best"


def write_region_job(job: RegionJob) -> None:
    """Write ``args.yaml`` into the run's folder: all that is needed to do it again.

    Raises:
        DataError: if it cannot be written.
    """
    values = asdict(job)
    del values["out"]
    values = {**values.pop("recipe"), **values, "version": __version__}
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    atomic_write_text(job.out / ARGS, text)


def read_region_job(out: Path) -> RegionJob:
    """Read the job of a run's folder.

    Raises:
        DataError: if the folder is no such run, or its ``args.yaml`` is broken.
    """
    path = out / ARGS
    try:
        values: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        del values["version"]
        recipe = RegionRecipe(values.pop("detector"), values.pop("epochs"), values.pop("seed"))
        return RegionJob(out=out, recipe=recipe, **values)
    except OSError as fault:
        reason = f"cannot be read ({fault.strerror}); --resume needs the folder of a run"
        raise DataError(f"{path}: {reason}") from None
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError, UsageError) as fault:
        raise DataError(f"{path}: is not as `yolo train` wrote it ({str(fault).splitlines()[0]})") from None
