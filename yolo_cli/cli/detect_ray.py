"""`yolo detect --ray`: images in, Parquet files out, on many machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_cli.cli.terminal import say
from yolo_cli.errors import UsageError
from yolo_cli.text import counted

__all__ = ["detect_on_ray"]


def detect_on_ray(sources: Sequence[str], detection: dict[str, Any], given: Mapping[str, Any]) -> int:
    """Everything, from the sources to the exit code."""
    from yolo_cli.api import scaling

    folder = _folder(given)
    asked = {name: given[name] for name in ("ray", "workers", "resume", "recursive")}
    done = {"shards": 0, "all": 0, "images": 0}

    def planned(shards: Sequence[object]) -> None:
        done["all"] = len(shards)

    def watch(counts: Mapping[str, Any]) -> None:
        done["shards"], done["images"] = done["shards"] + 1, done["images"] + int(counts["images"])
        if not given["quiet"]:
            say(f"{done['shards']} of {done['all']} shards, {counted(done['images'], 'image')}")

    run = scaling.detect_on_ray(sources, folder, planned=planned, watch=watch, **asked, **detection)
    if not given["quiet"]:
        say(f"{counted(run.images, 'image')}, {counted(run.objects, 'object')}, {run.failed} failed")
        say(f"saved in {run.folder}")
    return (3 if run.failed == run.images else 5) if run.failed else 0


def _folder(given: Mapping[str, Any]) -> Path:
    """Where the files go."""
    from yolo_cli.run_folders import open_run_folder

    if not given["ray"]:
        raise UsageError("--resume and --workers go with --ray; give --ray local for this machine")
    if given["output_format"] != "table" or given["save_crops"] or given["save_txt"] or given["show"]:
        raise UsageError("--ray: writes Parquet; leave out --format, --save-crops, --save-txt and --show")
    if given["resume"] and not given["out"]:
        raise UsageError("--resume: name the folder to continue with --out")
    return open_run_folder("runs/detect/ray", given["out"], given["exist_ok"] or given["resume"])
