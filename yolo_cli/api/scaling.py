"""Detection on many machines: `detect_on_ray`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from yolo_cli.api.detection import load_detector
from yolo_cli.api.options import LoadOptions, check_options
from yolo_cli.config import DEFAULT_MODEL
from yolo_cli.files import path_of, spellings
from yolo_cli.weights import find_model
from yolo_cli.weights.store import sha256

if TYPE_CHECKING:
    from yolo_cli.scaling import ScaledRun, Shard

__all__ = ["RayOptions", "detect_on_ray"]


class RayOptions(LoadOptions, total=False):
    """The options of ``yolo detect --ray``.

    Attributes:
        ray: address of a cluster, "auto" for the one that this machine belongs to, or "local".
        workers: number of processes; None is one for each core, or each GPU.
        resume: go on with the run that the folder holds.
        recursive: include subfolders.
        batch: batch size.
        shard_images: maximum number of image files of a shard, which becomes one Parquet file.
    """

    ray: str
    workers: int | None
    resume: bool
    recursive: bool
    batch: int
    shard_images: int


def detect_on_ray(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] = DEFAULT_MODEL,
    planned: Callable[[Sequence[Shard]], object] = lambda _: None,
    watch: Callable[[Mapping[str, Any]], object] = lambda _: None,
    **options: Unpack[RayOptions],
) -> ScaledRun:
    """Detect objects on many images with Ray, into Parquet files; docs/scale.md describes them.

    Args:
        sources: folders, globs, lists or files of images; or Parquet files of paths or bytes, webdataset
            tars, or folders or globs of these.
        out: folder of the Parquet files; every machine must reach it by this path.
        weights: the name of a model, the path of one of its files, or the folder of a training run.
        planned: called with the shards before the first is done.
        watch: called with the numbers of each shard that is done.
        **options: see `RayOptions`: ``ray``, ``workers``, ``resume``, ``shard_images``, ``conf``, …

    Raises:
        UserError: if a source, an option or the model is wrong, Ray is not installed or not reached, or
            ``out`` holds another run.
    """
    check_options(options, RayOptions)
    from yolo_cli.runtimes import import_ray
    from yolo_cli.scaling import Job, plan_shards, run_job

    import_ray()
    given: dict[str, Any] = {**options}
    address, size = given.pop("ray", "local"), given.pop("shard_images", 256)
    job_options = {name: given.pop(name) for name in ("workers", "resume") if name in given}
    recursive, batch = given.pop("recursive", False), given.pop("batch", 1)
    shards = plan_shards(spellings(sources, "sources"), recursive=recursive, size=size)
    files = find_model(str(path_of(weights, "weights")))
    loaded = load_detector(files, **given)  # a wrong option is told here, not by a worker
    about = {"model": loaded.card.name, "sha256": sha256(files.first), "class_names": loaded.class_names}
    how: dict[str, Any] = {name: given[name] for name in ("engine", "device", "precision") if name in given}
    folder = str(path_of(out, "out").absolute())
    job = Job(str(files.first.absolute()), folder, loaded.detector.config, how, batch, about)
    planned(shards)
    return run_job(job, shards, address, watch=watch, **job_options)
