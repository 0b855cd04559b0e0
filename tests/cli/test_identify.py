"""`yolo identify`, with the bundled models on photos of the examples."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.shared import ROOT
from yolo_cli.cli import main
from yolo_cli.images import crop, read_image, write_image

CAT, COFFEE, ASTRONAUT = (str(ROOT / "examples" / f"{name}.jpg") for name in ("cat", "coffee", "astronaut"))


@pytest.fixture
def identify(tmp_path, monkeypatch):
    """Run the command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words, code=0):
        done = CliRunner().invoke(main, ["identify", *words])
        assert done.exit_code == code, done.output
        return done

    return run


def test_learnt_found_and_forgotten(identify):
    done = identify("learn", "Tom", CAT, "--classes", "cat")
    assert done.stdout == "gallery.json\n"
    assert "as Tom" in done.stderr
    identify("learn", "mug", COFFEE, "--classes", "cup")
    assert json.loads(identify("list", "--format", "json").stdout) == {"Tom": 1, "mug": 1}
    image = read_image(CAT)
    write_image(Path("smaller.png"), image.rgb[::2, ::2])
    found = json.loads(identify("smaller.png", ASTRONAUT, "--format", "json", "--conf", "0.4").stdout)[
        "images"
    ]
    [cat] = found[0]["detections"]
    assert (cat["class_name"], cat["identity"]) == ("cat", "Tom")
    assert all(each["identity"] is None for each in found[1]["detections"])  # nobody knows the astronaut
    identify("forget", "Tom")
    assert "Tom" not in identify("list").stdout


def test_whole_images_need_no_detection(identify):
    noise = np.random.default_rng(0).integers(0, 255, (2, 40, 40, 3), np.uint8)
    for name, pixels in zip("ab", noise, strict=True):
        write_image(Path(f"{name}.png"), pixels)
    identify("learn", "a", "a.png", "--whole")
    done = identify("a.png", "--whole", "--format", "ndjson", "--save", "--min-score", "0.9")
    [row] = json.loads(done.stdout)["detections"]
    assert (row["identity"], row["score"]) == ("a", 1.0)
    assert read_image("runs/identify/a.png").rgb.shape == (40, 40, 3)
    assert "same" in identify("verify", "a.png", "a.png", "--whole").stdout


def test_an_image_without_a_detection_is_one_line(identify):
    write_image(Path("grey.png"), np.full((64, 64, 3), 127, np.uint8))
    for words in (("learn", "a", "grey.png"), ("verify", "grey.png", CAT)):
        assert "grey.png: nothing was detected" in identify(*words, code=3).stderr
    assert not Path("gallery.json").exists()
    identify("learn", "Tom", CAT)
    assert identify("grey.png").stderr.endswith("grey.png: nothing was detected\n")


def test_saved_photos_of_one_name_do_not_overwrite_each_other(identify):
    identify("learn", "Tom", CAT)
    for folder in ("one", "two"):
        Path(folder).mkdir()
        shutil.copy(CAT, Path(folder, "x.jpg"))
    identify("one/x.jpg", "two/x.jpg", "--save", "--out", "out")
    assert sorted(path.name for path in Path("out").iterdir()) == ["x-2.jpg", "x.jpg"]


def test_a_gallery_of_another_model_is_one_line(identify):
    identify("learn", "Tom", CAT)
    text = Path("gallery.json").read_text()
    values = json.loads(text)
    Path("gallery.json").write_text(text.replace(values["model_sha256"], "0" * 64))
    assert "was made with another embedding" in identify(CAT, code=3).stderr
    assert "was made with another embedding" in identify("learn", "Tom", CAT, code=3).stderr


def test_photos_keep_no_pixels_in_the_gallery(identify):
    identify("learn", "Tom", CAT)
    values = json.loads(Path("gallery.json").read_text())
    [entry] = values["entries"]
    assert set(entry) == {"name", "photo", "embedding"}
    assert (entry["photo"], len(entry["embedding"])) == ("cat.jpg", 128)


def test_an_image_that_cannot_be_read_does_not_end_the_others(identify):
    identify("learn", "Tom", CAT)
    Path("bad.jpg").write_bytes(b"x")
    done = identify("bad.jpg", CAT, code=5)
    assert "Tom" in done.stdout
    identify("bad.jpg", code=3)


def test_a_crop_is_what_is_compared(identify):
    image = read_image(CAT)
    write_image(Path("left.png"), crop(image, [0, 0, image.width // 2, image.height]))
    identify("learn", "left", "left.png", "--whole")
    [whole] = json.loads(identify(CAT, "--whole", "--format", "ndjson").stdout)["detections"]
    assert whole["score"] < 0.9


def test_a_photo_is_not_learnt_twice(identify):
    done = identify("learn", "Tom", CAT, CAT)
    assert done.stderr.count("cat.jpg: is in the gallery as Tom already; not learnt twice\n") == 1
    assert done.stderr.count("learnt as Tom") == 1
    first = identify(CAT).stderr
    assert "not learnt twice" in identify("learn", "Tom", CAT).stderr
    assert json.loads(identify("list", "--format", "json").stdout) == {"Tom": 1}
    said = identify("learn", "Bob", CAT, "--quiet").stderr
    assert said == f"warning: {CAT}: is in the gallery as Tom, too; forget the wrong name\n"
    assert identify(CAT).stderr == first  # the same --min-score


def test_what_is_refused_writes_nothing(identify):
    Path("photos").mkdir()
    shutil.copy(CAT, "photos/cat.jpg")
    identify("learn", "Tom", "photos/cat.jpg")
    done = identify("./photos", "--save", "--save-txt", "--out", "photos", "--exist-ok", code=2)
    assert "photos: would overwrite ./photos/cat.jpg; choose another folder, or --no-save\n" in done.stderr
    assert [path.name for path in Path("photos").iterdir()] == ["cat.jpg"]
    identify("./photos", "--save-txt", "--out", "photos", "--exist-ok", "--no-save")
    assert Path("photos/classes.txt").read_text() == "Tom\nunknown\n"


@pytest.mark.parametrize("name", ["photos", "list", "learn", "verify", "forget"])
def test_a_folder_with_the_name_of_a_command(identify, name):
    assert "./" not in identify(name, code=3 if name == "list" else 2).stderr
    Path(name).mkdir()
    assert f"for the folder of that name, write ./{name}" in identify(name, code=2).stderr


def test_a_misspelt_command(identify):
    said = "error: no such file or command: 'lern'; did you mean 'learn'? (see "
    assert identify("lern", "Bob", CAT, code=2).stderr.startswith(said)
    Path("lern").mkdir()
    assert "learn" not in identify("lern", code=3).stderr.split(";")[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("learn", "", CAT), "NAME: is empty; is a variable of the shell not set?"),
        (("learn", "--conf", "0.5", "Tom", ""), "PHOTO...: is empty;"),
        (("verify", CAT, ""), "B: is empty;"),
        (("verify", CAT, CAT, "--false-accept", "0"), "--false-accept 0: must be above 0 and below 1\n"),
    ],
)
def test_what_is_wrong_is_named(identify, words, says):
    assert identify(*words, code=2).stderr.startswith(f"error: {says}")
