"""`detect`: what `yolo detect` prints and saves, from Python."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.api.test_videos import clip  # noqa: F401  # a fixture
from tests.cli.expected import saved
from tests.cli.test_calibrate import yolo
from tests.moving import SquareDetector, frame
from yolo_cli import DataError, DetectRun, UsageError, detect
from yolo_cli.api.detection import Predictor
from yolo_cli.images import read_image, write_image
from yolo_cli.pipeline import showing
from yolo_cli.video import open_video

SQUARES = Predictor(SquareDetector())


@pytest.fixture
def squares(tmp_path, monkeypatch):
    """The working directory: two images of squares in ``p``, one in ``p/deep``, and a file that is none."""
    (tmp_path / "p/deep").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png", "deep/a.png")):
        write_image(tmp_path / "p" / name, frame(number))
    (tmp_path / "bad.jpg").write_text("hello")
    monkeypatch.chdir(tmp_path)


def test_results_come_one_after_the_other_and_are_counted(squares):
    run = detect("p", SQUARES)
    assert isinstance(run, DetectRun)
    assert (run.total, run.images) == (2, 0)
    assert [(result.image.name, result.counts) for result in run] == [
        ("p/a.png", {"cat": 1, "dog": 1}),
        ("p/b.png", {"cat": 1, "dog": 1}),
    ]
    assert (run.images, run.failed, run.objects) == (2, 0, 4)
    assert run.spent_ms > 0
    assert list(run) == []  # one pass


def test_several_sources_and_options_of_the_model(squares):
    run = detect(["p/b.png", Path("p/deep")], SQUARES, batch=2, region="0,0,64,0,64,96,0,96")
    # The cat's centre is at x = 12 + 4 n in frame n, the dog's at 108 - 4 n: only cats are left of 64.
    assert [result.class_names.tolist() for result in run] == [["cat"], ["cat"]]
    with pytest.raises(UsageError, match="there is no option 'recursiv'; did you mean recursive"):
        detect("p", SQUARES, recursiv=True)
    with pytest.raises(UsageError, match="source: int is not a path"):
        detect(0, SQUARES)
    with pytest.raises(UsageError, match="batch is 0, but must be at least 1"):
        detect("p", SQUARES, batch=0)


def test_an_error_is_raised_or_told(squares):
    with pytest.raises(DataError, match=r"bad\.jpg: "):
        list(detect(["bad.jpg", "p/a.png"], SQUARES))
    faults = []
    run = detect(["bad.jpg", "p/a.png"], SQUARES, on_error=faults.append)
    assert [result.image.name for result in run] == ["p/a.png"]
    assert ([str(fault)[:9] for fault in faults], run.images, run.failed) == (["bad.jpg: "], 2, 1)
    with pytest.raises(DataError, match=r"gone\.jpg: no such file or folder"):
        detect("gone.jpg", SQUARES, on_error=faults.append)


def test_text_has_errors_in_their_place(squares):
    run = detect(["p/a.png", "bad.jpg", "p/b.png"], SQUARES, on_error=str)
    first, failed, last = map(json.loads, run.texts("ndjson"))
    assert (first["image"], failed["image"], last["image"]) == ("p/a.png", "bad.jpg", "p/b.png")
    assert failed["error"].startswith("bad.jpg: ")
    rows = "".join(detect("p", SQUARES).texts("csv")).splitlines()
    assert [row.split(",")[0] for row in rows] == ["image", *["p/a.png"] * 2, *["p/b.png"] * 2]
    with pytest.raises(UsageError, match="format is 'xml', but must be one of json, ndjson, csv"):
        detect("p", SQUARES).texts("xml")


def test_the_progress_can_be_watched(squares):
    seen = []

    def watch(found, total):
        for each in found:
            seen.append((each.name, total))
            yield each

    list(detect("p", SQUARES, watch=watch))
    assert seen == [("p/a.png", 2), ("p/b.png", 2)]


def test_images_crops_and_labels_are_saved(squares):
    run = detect("p", SQUARES, recursive=True)
    run.save_to("out", crops=True, txt=True, line_width=3)
    results = {result.image.name: result for result in run}
    assert saved("out") == sorted(
        [
            *("a.png", "b.png", "deep/a.png"),
            *(f"crops/{name}" for name in ("cat/a-1.png", "cat/b-1.png", "cat/deep/a-1.png")),
            *(f"crops/{name}" for name in ("dog/a-2.png", "dog/b-2.png", "dog/deep/a-2.png")),
            *("labels/a.txt", "labels/b.txt", "labels/deep/a.txt"),
        ]
    )
    assert np.array_equal(read_image("out/b.png").rgb, results["p/b.png"].plot(line_width=3))
    # Frame 0 is 128 x 96; its cat is 16 x 16 pixels with its centre at (12, 24).
    assert Path("out/labels/a.txt").read_text().splitlines()[0] == "0 0.093750 0.250000 0.125000 0.166667"


def test_a_folder_in_which_nothing_can_be_saved_goes(squares):
    run = detect(["bad.jpg"], SQUARES, on_error=str)
    run.save_to("out")
    assert Path("out").is_dir()
    assert (list(run), Path("out").exists()) == ([], False)


def test_a_video_is_saved_as_one(clip, tmp_path):  # noqa: F811
    run = detect(clip, SQUARES, every=4, start=0.1)
    run.save_to(tmp_path / "out", txt=True)
    assert run.model.video
    assert [result.image.frame.number for result in run] == [1, 5, 9]
    [video] = (tmp_path / "out").glob("clip.*")
    assert len(list(open_video(str(video)).frames())) == 3
    assert saved(tmp_path / "out/labels") == [f"clip-00000{number}.txt" for number in (1, 5, 9)]


def test_what_is_read_is_not_overwritten(squares):
    run = detect("p", SQUARES)
    run.save_to("p")
    with pytest.raises(UsageError, match=r"would overwrite p/a\.png"):
        list(run)
    with pytest.raises(UsageError, match="line_width is 0"):
        detect("p", SQUARES).save_to("out", line_width=0)


def test_a_window_ends_the_run(squares, monkeypatch):
    shown = []
    monkeypatch.setattr(showing, "check_display", lambda: None)
    monkeypatch.setattr(showing.cv2, "imshow", lambda _, bgr: shown.append(bgr.shape))
    monkeypatch.setattr(showing.cv2, "waitKey", lambda _: ord("q"))
    monkeypatch.setattr(showing.cv2, "destroyAllWindows", lambda: shown.append("closed"))
    run = detect("p", SQUARES)
    run.show()
    run.save_to("out")
    assert [result.image.name for result in run] == ["p/a.png"]
    assert shown == [(96, 128, 3), "closed"]
    assert (run.images, saved("out")) == (1, ["a.png"])


def test_it_is_what_the_command_does(squares):
    printed = yolo("detect", "p", "--format", "csv", "--out", "one", "--save-txt", "--imgsz", "96").stdout
    run = detect("p", imgsz=96)
    run.save_to("two", txt=True)
    assert "".join(run.texts("csv")) == printed
    assert saved("one") == saved("two")
    assert all(Path("one", name).read_bytes() == Path("two", name).read_bytes() for name in saved("one"))
