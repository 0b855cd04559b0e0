from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.cli.expected import saved
from tests.images import encode, huge_header, smooth
from yolo_cli.images import read_image
from yolo_cli.render import DrawStyle, draw


def test_without_options_a_table_and_images(cli):
    done = cli("detect", "p")
    assert done.exit_code == 0
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert lines[0] == ["image", "found", "confidence", "left", "top", "right", "bottom"]
    assert lines[1:3] == [
        ["p/10.jpg", "dog", "0.88", "0", "0", "30", "40"],
        ["cat", "0.40", "0", "0", "10", "20"],
    ]
    assert done.stdout.endswith("\n\ndog 3, cat 3\n")
    assert len(lines) == 1 + 6 + 1
    assert done.stderr.splitlines() == [
        done.stderr.splitlines()[0],
        f"saved in {Path('runs/detect/predict')}",
    ]
    assert done.stderr.startswith("3 images, 6 objects, ")
    assert saved("runs") == [f"detect/predict/{name}" for name in ("10.jpg", "a.jpg", "b 2.png")]


def test_what_is_saved_is_what_draw_draws(cli):
    cli("detect", "p/b 2.png")
    image = read_image("p/b 2.png")
    expected = draw(image, cli.fake._find(image), cli.fake.class_names)
    assert (read_image("runs/detect/predict/b 2.png").rgb == expected).all()


def test_the_drawing_options(cli):
    done = cli("detect", "p/b 2.png", "--line-width", 4, "--no-labels", "--no-confidence", "--out", "o")
    assert done.exit_code == 0
    image = read_image("p/b 2.png")
    style = DrawStyle(line_width=4, labels=False, confidence=False)
    expected = draw(image, cli.fake._find(image), cli.fake.class_names, style)
    assert (read_image("o/b 2.png").rgb == expected).all()
    assert cli("detect", "p/b 2.png", "--line-width", 0).exit_code == 2


def test_every_run_gets_its_own_folder(cli):
    for expected in ("predict", "predict2", "predict3"):
        assert str(Path("runs/detect") / expected) in cli("detect", "p/a.jpg").stderr
    assert str(Path("runs/detect/predict\n")) in cli("detect", "p/a.jpg", "--exist-ok").stderr
    assert len(list(Path("runs/detect").iterdir())) == 3


def test_save_txt_and_crops(cli):
    done = cli("detect", "p/a.jpg", "--no-save", "--save-txt", "--save-crops", "--out", "here", "-q")
    assert done.stderr == ""
    assert saved("here") == ["crops/cat/a-2.jpg", "crops/dog/a-1.jpg", "labels/a.txt"]
    assert Path("here/labels/a.txt").read_text().splitlines() == [
        "1 0.250000 0.500000 0.500000 1.000000",
        "0 0.083333 0.250000 0.166667 0.500000",
    ]
    assert read_image("here/crops/cat/a-2.jpg").rgb.shape == (20, 10, 3)


def test_images_of_one_name_do_not_overwrite_each_other(cli):
    for place in ("q", "r"):
        Path(place).mkdir()
        Path(place, "A.jpg").write_bytes(encode(smooth(), "JPEG"))
    Path("q/a.gif").write_bytes(encode(smooth(), "GIF", "P"))
    cli("detect", "p/a.jpg", "q", "r", "--save-txt", "--out", "o")
    assert saved("o") == sorted(
        ["a.jpg", "a-2.png", "A-3.jpg", "A-4.jpg"] + [f"labels/{n}.txt" for n in ("a", "a-2", "A-3", "A-4")]
    )


def nested():
    """``q`` with images in folders, twice of one name in one of them."""
    for place in ("q/1.jpg", "q/cats/1.jpg", "q/cats/old/1.jpg", "q/cats/1.gif"):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        data = encode(smooth(), "GIF", "P") if place.endswith("gif") else encode(smooth(), "JPEG")
        Path(place).write_bytes(data)


def test_folders_of_folders_are_mirrored(cli):
    nested()
    done = cli("detect", "q", "--recursive", "--save-txt", "--save-crops", "--classes", "cat", "--out", "o")
    assert done.exit_code == 0
    stems = ["1", "cats/1", "cats/1-2", "cats/old/1"]  # cats/1.gif comes first, and is saved as .png
    assert saved("o/labels") == sorted(f"{stem}.txt" for stem in stems)
    assert saved("o/crops/cat") == ["1-1.jpg", "cats/1-1.png", "cats/1-2-1.jpg", "cats/old/1-1.jpg"]
    images = ["1.jpg", "cats/1-2.jpg", "cats/1.png", "cats/old/1.jpg"]
    assert [name for name in saved("o") if not name.startswith(("labels", "crops"))] == images


@pytest.mark.parametrize("pattern", ["q/**/*.jpg", "q/*/*.jpg"])
def test_a_glob_mirrors_the_folders_matched_by_its_wildcards(cli, pattern):
    nested()
    cli("detect", pattern, "--out", "o")
    assert saved("o") == (["1.jpg"] if "**" in pattern else []) + ["cats/1.jpg"] + (
        ["cats/old/1.jpg"] if "**" in pattern else []
    )


def test_what_is_named_itself_is_saved_by_its_file_name(cli):
    nested()
    Path("list.txt").write_text("q/cats/old/1.jpg\n")
    cli("detect", "q/cats/1.jpg", "list.txt", "--out", "o")
    assert saved("o") == ["1-2.jpg", "1.jpg"]


def test_a_class_name_is_no_path(cli):
    cli.fake = replace(cli.fake, class_names=("../../up", "..", "a/b"))
    cli("detect", "p/a.jpg", "--no-save", "--save-crops", "--out", "o/o")
    assert saved(".")[-2:] == ["p/a.jpg", "p/b 2.png"]
    assert saved("o") == ["o/crops/_.._up~29b18949/a-2.jpg", "o/crops/_~5ec1f7e7/a-1.jpg"]


def test_an_out_folder_that_holds_something_is_not_written_into(cli):
    Path("o").mkdir()
    Path("o/mine.txt").write_text("mine")
    done = cli("detect", "p/a.jpg", "--out", "o")
    assert done.exit_code == 2
    assert done.stderr == "error: --out o: holds files already; name a new folder, or add --exist-ok\n"
    assert cli("detect", "p/a.jpg", "--out", "o", "--exist-ok").exit_code == 0
    assert saved("o") == ["a.jpg", "mine.txt"]


def test_a_place_where_no_folder_can_be_made(cli):
    done = cli("detect", "p/a.jpg", "--out", "bad.jpg/sub")
    assert done.exit_code == 3
    assert done.stderr.startswith("error: bad.jpg")
    assert done.stderr.count("\n") == 1


def test_standard_input(cli):
    done = cli("detect", "-", "--format", "ndjson", stdin=encode(smooth(), "PNG"))
    assert json.loads(done.stdout)["image"] == "-"
    assert saved("runs/detect/predict") == ["stdin.jpg"]


@pytest.mark.parametrize(
    ("sources", "code", "named"),
    [
        (["p"], 0, 0),
        (["p/a.jpg", "bad.jpg", "gone.jpg"], 5, 2),
        (["bad.jpg"], 3, 1),
        (["gone.jpg"], 3, 1),
        (["-"], 3, 1),  # nothing comes in
        ([], 2, 1),
    ],
)
@pytest.mark.parametrize("form", ["table", "json"])
def test_exit_codes(cli, sources, code, named, form):
    done = cli("detect", *sources, "--format", form, "--quiet")
    assert done.exit_code == code
    assert len(done.stderr.splitlines()) == named
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())
    if code == 3:
        assert not list(Path("runs/detect").glob("*")) if Path("runs/detect").exists() else True


def test_the_table_names_what_failed_and_what_holds_nothing(cli):
    out = cli("detect", "p/a.jpg", "bad.jpg", "--conf", "0.99", "--no-save").stdout
    assert "p/a.jpg  nothing" in out
    assert "bad.jpg  could not be read" in out


def test_names_with_brackets_and_line_breaks_are_shown_as_they_are(cli):
    name = "[red]x\n[b].png"
    Path(name).write_bytes(encode(smooth(), "PNG"))
    done = cli("detect", name, "--no-save")
    assert "[red]x [b].png" in done.stdout
    assert cli("detect", name, "--format", "yolo", "--no-save").stdout.startswith("# [red]x [b].png\n1 ")


def test_a_name_that_is_no_utf8(cli):
    try:
        Path(os.fsdecode(b"\xff.png")).write_bytes(encode(smooth(), "PNG"))
    except (OSError, UnicodeError):
        pytest.skip("this file system takes UTF-8 only")
    assert cli("detect", os.fsdecode(b"\xff.png")).exit_code == 0
    assert "\\udcff" in cli("detect", os.fsdecode(b"\xff.png"), "--format", "ndjson", "--no-save").stdout


@pytest.mark.parametrize("form", ["json", "coco"])
def test_ctrl_c_keeps_what_is_done(cli, form):
    cli.fake = replace(cli.fake, interrupt_after=1)
    done = cli("detect", "p", "--format", form)
    assert done.exit_code == 130
    assert json.loads(done.stdout)  # the document is whole
    assert "error: interrupted after 1 of 3 images; what is done is kept" in done.stderr
    assert saved("runs/detect/predict") == ["10.jpg"]


def test_every_bad_input_at_once(cli):
    Path("empty.jpg").touch()
    Path("cut.jpg").write_bytes(encode(smooth(), "JPEG")[:-200])
    Path("huge.png").write_bytes(huge_header())
    Path("folder.jpg").mkdir()
    Path("1x1.png").write_bytes(encode(np.zeros((1, 1, 3), np.uint8), "PNG"))
    bad = ["empty.jpg", "cut.jpg", "huge.png", "folder.jpg", "bad.jpg", "gone.jpg"]
    done = cli("detect", *bad, "1x1.png", "--format", "ndjson", "--save-crops", "-q")
    assert done.exit_code == 5
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["image"] for record in records if "error" in record] == bad
    assert done.stderr.splitlines() == [f"error: {r['error']}" for r in records if "error" in r]


def test_verbose_names_the_model(cli):
    said = cli("detect", "p/a.jpg", "--no-save", "--verbose", "--engine", "onnx").stderr
    assert said.startswith("model fake, input (416, 416), ")
    assert said.splitlines()[1] == "engine onnx: it was asked for (float32)"
