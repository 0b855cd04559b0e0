"""Objects followed through a video, and the evaluation of tracks: `track` and `evaluate_mot`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Unpack

from yolo_cli.api.detection import load_detector
from yolo_cli.api.frames import FrameOptions, frame_options, region_of
from yolo_cli.api.options import LoadOptions, check_options
from yolo_cli.config import DEFAULT_MODEL, TrackConfig
from yolo_cli.errors import UsageError
from yolo_cli.evaluation import tracks
from yolo_cli.evaluation.tracks import TrackReport
from yolo_cli.files import path_of, spelling
from yolo_cli.identity import load_embedder
from yolo_cli.sources import STDIN
from yolo_cli.tracking import Tracker, TrackRun
from yolo_cli.tracking.counting import counters_of
from yolo_cli.tracking.running import Revise, Watch
from yolo_cli.tracking.video import Video, open_video

__all__ = ["TrackOptions", "evaluate_mot", "track"]


class TrackOptions(LoadOptions, FrameOptions, total=False):
    """The options of ``yolo track``.

    Attributes:
        low_conf: confidence from which a detection continues a track; see `TrackConfig`.
        min_hits: frames in which an object is seen before it gets an id.
        lost: frames in a row without a detection after which an object still keeps its id.
        camera_motion: measure how the camera moves, and take it out of the motion of objects.
        appearance: embed each detection, so that an object is found again by its look.
        count_line: lines, each as ``"x1,y1,x2,y2"``.
        zone: polygons, each as ``"x1,y1,x2,y2,x3,y3,…"``.
        smooth: fill gaps in tracks, smooth them, and drop those that follow nothing. It looks ahead: frames
            come when all are detected, read a second time; ``watch`` sees them before. Not for live sources.
        batch: batch size.
    """

    low_conf: float
    min_hits: int
    lost: int
    camera_motion: bool
    appearance: bool
    count_line: Sequence[str]
    zone: Sequence[str]
    smooth: bool
    batch: int


_CONFIG = ("conf", "low_conf", "min_hits", "lost")


def track(
    source: str | os.PathLike[str],
    weights: str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    watch: Watch | None = None,
    **options: Unpack[TrackOptions],
) -> TrackRun:
    """Follow objects through a video.

    No frame is read before the run that this returns is iterated over: it gives a `TrackedFrame` for each,
    and has the table of objects and the counts so far. ``run.save_to(folder)`` saves what passes.

    Args:
        source: a video file, or a folder or 'glob' of images in order, or a camera or stream, as for
            `Predictor`.
        weights: as for `load_detector`.
        watch: takes the frames as they come, with their number (0 if unknown), and passes them on.
        **options: see `TrackOptions`.

    Raises:
        UserError: if the source cannot be read, there is no such model, or an option does not fit.
    """
    check_options(options, TrackOptions)
    given: dict[str, Any] = {**options}
    config = TrackConfig(**{name: given[name] for name in _CONFIG if name in given})
    counters = counters_of(given.get("count_line", ()), given.get("zone", ()))
    video = open_video(spelling(source, "source"), *frame_options(given))
    region = region_of(given.get("region"))
    revise = _smoother(video) if given.get("smooth") else None
    how: Any = {name: given[name] for name in LoadOptions.__annotations__ if name in given}
    detector = load_detector(weights, **{**how, "conf": config.low_conf}).detector
    loop: dict[str, Any] = {name: given[name] for name in ("batch", "camera_motion") if name in given}
    if given.get("appearance"):
        loop["embed"] = load_embedder(device=given.get("device", "auto"))
    return TrackRun(
        detector, video, Tracker(config), counters, watch=watch, revise=revise, region=region, **loop
    )


def _smoother(video: Video) -> Revise:
    from yolo_cli.temporal import TrackSmoother

    if video.is_live or video.name == STDIN:
        raise UsageError(f"--smooth: looks ahead and reads twice, but {video.name} passes once; give a file")
    return TrackSmoother.load().smooth


def evaluate_mot(ground_truth: str | os.PathLike[str], detections: str | os.PathLike[str]) -> TrackReport:
    """Evaluate tracks by HOTA, MOTA and IDF1, from files in MOTChallenge's text form.

    Args:
        ground_truth: a file; or a folder with a ``NAME.txt`` or ``NAME/gt/gt.txt`` for each sequence.
        detections: the tracks: a file; or a folder with a ``NAME.txt`` for each sequence.

    Raises:
        UserError: if a file cannot be read or is missing, or the ground truth holds no box.
    """
    return tracks.evaluate_mot(path_of(ground_truth, "ground_truth"), path_of(detections, "detections"))
