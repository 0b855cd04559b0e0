"""The pipeline: each shard goes to a worker, which writes its file and reports its numbers.

A shard's file appears atomically and under a name of its own. So whatever is repeated, because a worker was
killed or a run is resumed, replaces the same file: nothing is lost, and nothing is there twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from yolo_cli.config import DetectConfig
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_write_text, make_folder
from yolo_cli.hardware import cores
from yolo_cli.pipeline import run_detector
from yolo_cli.runtimes import import_ray
from yolo_cli.scaling.shards import Shard
from yolo_cli.scaling.table import write_part
from yolo_cli.text import read_text

__all__ = ["Job", "ScaledRun", "run_job"]

Watch = Callable[[Mapping[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Job:
    """What every worker does.

    Attributes:
        weights: the path of a model's file, on every machine.
        folder: where the files go, on every machine.
        config: thresholds and limits.
        how: ``engine``, ``device`` and ``precision``.
        batch: batch size.
        about: the model's name, SHA-256 and class names, for the output.
    """

    weights: str
    folder: str
    config: DetectConfig
    how: Mapping[str, Any] = field(default_factory=dict)
    batch: int = 1
    about: Mapping[str, Any] = field(default_factory=dict)

    def part(self, number: int) -> Path:
        """The file of a shard."""
        return Path(self.folder) / f"part-{number:06}.parquet"

    @property
    def facts(self) -> dict[str, Any]:
        """What makes two runs the same; every file has it in its metadata."""
        return {**self.about, "options": asdict(self.config)}


@dataclass(frozen=True, slots=True)
class ScaledRun:
    """What was done.

    Attributes:
        folder: of the Parquet files.
        images: number of images of this run; those that an earlier one had done are not counted.
        failed: images among them that could not be read.
        objects: number of objects.
        skipped: shards that an earlier run had done.
    """

    folder: Path
    images: int
    failed: int
    objects: int
    skipped: int


class _Worker:
    """Holds the detector of one process, with one thread for each core that Ray gave it."""

    def __init__(self, job: Job, threads: int) -> None:
        os.environ["YOLO_CLI_THREADS"] = str(threads)
        import cv2

        from yolo_cli.detectors import load_detector

        cv2.setNumThreads(threads)
        self._job = job
        self._detector = load_detector(job.weights, config=job.config, **job.how)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Do shards, given as JSON in the column ``shard``; the numbers of each."""
        done = [self._detect(Shard(**json.loads(text))) for text in batch["shard"]]
        return {name: [one[name] for one in done] for name in done[0]}

    def _detect(self, shard: Shard) -> dict[str, int]:
        outcomes = run_detector(self._detector, shard.items(), batch=self._job.batch, read_ahead=True)
        counts = write_part(self._job.part(shard.number), outcomes, self._job.facts)
        return {"shard": shard.number, "pid": os.getpid(), **counts}


def run_job(
    job: Job,
    shards: Sequence[Shard],
    address: str = "local",
    *,
    workers: int | None = None,
    resume: bool = False,
    watch: Watch = lambda _: None,
) -> ScaledRun:
    """Detect on all shards.

    Args:
        job: what to do.
        shards: from `plan_shards`.
        address: of a Ray cluster; "auto" is the one of this machine, "local" this machine alone.
        workers: number of processes; None is one for each core, or each GPU.
        resume: skip the shards whose files are there.
        watch: called with the numbers of each shard: ``shard``, ``pid``, ``images``, ``failed``, ``objects``.

    Raises:
        DataError: if the folder holds another run.
        UsageError: if Ray is not installed, or there is no cluster at the address.
    """
    path, note = Path(job.folder) / "_run.json", _note(job, shards)
    _check_folder(path, note, resume)
    missing = [shard for shard in shards if not job.part(shard.number).exists()]
    totals = {"images": 0, "failed": 0, "objects": 0}
    if missing:
        with _cluster(address) as ray:
            make_folder(path.parent)
            atomic_write_text(path, json.dumps(note, ensure_ascii=False, indent=1) + "\n")
            for counts in _run(ray, job, missing, workers):
                totals = {name: total + int(counts[name]) for name, total in totals.items()}
                watch(counts)
    return ScaledRun(Path(job.folder), **totals, skipped=len(shards) - len(missing))


def _run(ray: Any, job: Job, shards: Sequence[Shard], workers: int | None) -> Iterator[Mapping[str, Any]]:
    """The numbers of each shard, as they come."""
    gpus = 1 if job.how.get("device", "auto").startswith("gpu") else 0
    there = int(ray.cluster_resources().get("GPU" if gpus else "CPU", 1))
    rows = [{"shard": json.dumps(asdict(shard))} for shard in shards]
    # A row a block: with larger ones a killed worker would repeat more.
    data = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _Worker,
        batch_size=1,
        num_cpus=1,
        num_gpus=gpus,
        concurrency=max(1, min(workers or there, len(rows))),
        fn_constructor_kwargs={"job": job, "threads": 1},
    )
    yield from data.iter_rows()


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """Ray, connected; a local one ends with the block."""
    ray = import_ray()
    local = {"num_cpus": cores(), "include_dashboard": False} if address == "local" else {}
    # Ray prints each death of a worker on standard output, though it goes on; what ends it is an exception.
    ray._private.worker.listen_error_messages = lambda *_: None
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **local)
    except Exception as fault:  # Ray raises bare ones, too, such as when a slow machine takes long to start
        raise UsageError(f"--ray {address}: no Ray cluster can be reached there ({fault})") from None
    try:
        import ray.data

        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        yield ray
    finally:
        ray.shutdown()


def _note(job: Job, shards: Sequence[Shard]) -> dict[str, Any]:
    """What the folder holds, for ``_run.json``, which readers of Parquet folders skip."""
    listed = hashlib.sha256(json.dumps([asdict(shard) for shard in shards]).encode()).hexdigest()
    note = {**job.facts, "shards": len(shards), "sources_sha256": listed}
    return dict(json.loads(json.dumps(note)))


def _check_folder(path: Path, note: Mapping[str, Any], resume: bool) -> None:
    """Raise DataError if the folder holds another run, or one that is not to be continued."""
    if not resume:
        if path.exists():
            raise DataError(f"{path.parent}: holds a run; go on with --resume, or take another --out")
        return
    had = json.loads(read_text(path))
    other = [name for name, value in note.items() if had.get(name) != value]
    if other:
        raise DataError(f"{path.parent}: was made with other {other[0]}; use the same, or leave out --resume")
