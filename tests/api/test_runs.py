"""The runs of `track` and `identify`: text in every format, and files, as of their commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.expected import saved
from tests.cli.test_calibrate import yolo
from tests.images import encode, smooth
from tests.moving import SquareDetector, write_video
from yolo_cli import DataError, Identified, UsageError, identify, learn, track
from yolo_cli.api import tracking
from yolo_cli.api.detection import Predictor


@pytest.fixture
def gallery(tmp_path, monkeypatch):
    """A gallery that knows a photo, which is in the working directory, beside a file that is none."""
    monkeypatch.chdir(tmp_path)
    Path("mug.png").write_bytes(encode(smooth(), "PNG"))
    Path("bad.jpg").write_text("hello")
    learn("mug", "mug.png", "g.json", whole=True)
    return Path("g.json")


def test_who_is_on_images_is_saved_and_printed_as_by_the_command(gallery):
    words = ("mug.png", "bad.jpg", "--whole", "--gallery", gallery, "--min-score", ".9")
    kept = ("--save", "--save-txt", "--save-crops", "--out", "one", "--format", "csv")
    printed = yolo("identify", *words, *kept).stdout
    faults = []
    how = {"whole": True, "min_score": 0.9, "on_error": faults.append}
    run = identify(["mug.png", "bad.jpg"], gallery, **how)
    run.save_to("two", crops=True, txt=True)
    assert "".join(run.texts("csv")) == printed
    assert saved("one") == saved("two") == ["classes.txt", "crops/mug/mug-1.png", "labels/mug.txt", "mug.png"]
    assert (run.identities, run.images, run.failed, len(faults)) == (("mug",), 2, 1, 1)


def test_an_image_that_cannot_be_read_is_raised_or_in_its_place(gallery):
    seen = []
    how = {"whole": True, "min_score": 0.9}
    watch = {"watch": lambda found, total: seen.append(total) or found}
    first, last = identify(["bad.jpg", "mug.png"], gallery, on_error=str, **how, **watch).each()
    assert (first.error[:9], type(last), seen) == ("bad.jpg: ", Identified, [2])
    with pytest.raises(DataError, match=r"bad\.jpg"):
        list(identify(["bad.jpg", "mug.png"], gallery, **how))
    with pytest.raises(UsageError, match="format is 'table', but must be one of json"):
        identify("mug.png", gallery, **how).texts("table")


def test_tracks_as_text(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "load_detector", lambda *_, **__: Predictor(SquareDetector()))
    video = write_video(tmp_path / "v.avi", 4)
    # MOT text counts frames and ids from 1: two squares in each of four frames.
    lines = "".join(track(video).texts("mot")).splitlines()
    places = [tuple(map(int, line.split(",")[:2])) for line in lines]
    assert places == [(number, track_id) for number in (1, 2, 3, 4) for track_id in (1, 2)]
    assert [json.loads(line)["frame"] for line in track(video).texts("ndjson")] == [0, 1, 2, 3]
    head, *rows = "".join(track(video).texts("csv")).splitlines()
    assert ("track_id" in head.split(","), len(rows)) == (True, 8)
    with pytest.raises(UsageError, match="format is 'coco', but must be one of "):
        track(video).texts("coco")
    run = track(video)
    run.save_to(tmp_path / "new")
    assert (len(list(run)), "mot.txt" in saved(tmp_path / "new")) == (4, True)
