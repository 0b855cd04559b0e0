from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.images import encode, huge_header, smooth
from yolo_cli.images import read_image
from yolo_cli.render import DrawStyle, draw

A = {
    "image": "p/a.jpg",
    "width": 60,
    "height": 40,
    "detections": [
        {"class_id": 1, "class_name": "dog", "confidence": 0.8765, "box": [0.0, 0.0, 30.0, 40.0]},
        {"class_id": 0, "class_name": "cat", "confidence": 0.4, "box": [0.0, 0.0, 10.0, 20.0]},
    ],
}


def without_times(record):
    return {key: value for key, value in record.items() if key != "time_ms"}


def saved(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def test_without_options_a_table_and_images(cli):
    done = cli("detect", "p")
    assert done.exit_code == 0
    lines = [line.split() for line in done.stdout.splitlines() if line.strip()]
    assert lines[0] == ["image", "found", "confidence", "left", "top", "right", "bottom"]
    assert lines[2:4] == [
        ["p/10.jpg", "dog", "0.88", "0", "0", "30", "40"],
        ["cat", "0.40", "0", "0", "10", "20"],
    ]
    assert len(lines) == 2 + 6
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


def test_json(cli):
    done = cli("detect", "p/a.jpg", "bad.jpg", "--format", "json", "--no-save")
    document = json.loads(done.stdout)
    assert document["model"] == {
        "name": "fake",
        "input_size": [416, 416],
        "class_names": ["cat", "dog", "traffic light"],
    }
    good, bad = document["images"]
    assert without_times(good) == A
    assert sorted(bad) == ["error", "image"]
    assert bad["image"] == "bad.jpg"
    assert bad["error"].startswith("bad.jpg: holds text, not an image")
    assert not Path("runs").exists()


def test_json_keeps_to_its_schema(cli):
    for form in ("json", "ndjson"):
        out = cli("detect", "p", "bad.jpg", "--format", form, "--no-save").stdout
        records = (
            json.loads(out)["images"] if form == "json" else [json.loads(line) for line in out.splitlines()]
        )
        assert len(records) == 4
        for record in records:
            check_record(record)


def check_record(record):
    """The object of one image, as the documentation gives it."""
    if "error" in record:
        assert {key: type(value) for key, value in record.items()} == {"image": str, "error": str}
        return
    kinds = {"image": str, "width": int, "height": int, "detections": list, "time_ms": dict}
    assert {key: type(value) for key, value in record.items()} == kinds
    for found in record["detections"]:
        kinds = {"class_id": int, "class_name": str, "confidence": float, "box": list}
        assert {key: type(value) for key, value in found.items()} == kinds
        assert [type(edge) for edge in found["box"]] == [float] * 4
        assert 0 <= found["confidence"] <= 1
    assert list(record["time_ms"]) == ["read", "prepare", "infer", "post"]
    assert all(isinstance(value, float) for value in record["time_ms"].values())


def test_times_are_shared_among_a_batch(cli):
    out = cli("detect", "p", "--format", "ndjson", "--no-save", "--batch", "2").stdout
    times = [json.loads(line)["time_ms"] for line in out.splitlines()]
    # The fake takes 20 ms a call: for two images 10 ms each, then 20 ms for the third.
    assert [time["infer"] for time in times] == [10.0, 10.0, 20.0]
    assert cli.fake.sizes == [2, 1]


def test_ndjson_has_a_line_an_image_in_order(cli):
    done = cli("detect", "p/a.jpg", "gone.jpg", "p/b 2.png", "--format", "ndjson", "--no-save")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["image"] for record in records] == ["p/a.jpg", "gone.jpg", "p/b 2.png"]
    assert without_times(records[0]) == A


def test_csv(cli):
    done = cli("detect", "p/a.jpg", "bad.jpg", "p/b 2.png", "--format", "csv", "--no-save")
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == [
        "image",
        "width",
        "height",
        "class_id",
        "class_name",
        "confidence",
        "x1",
        "y1",
        "x2",
        "y2",
    ]
    assert rows[1] == ["p/a.jpg", "60", "40", "1", "dog", "0.8765", "0.0", "0.0", "30.0", "40.0"]
    assert [row[0] for row in rows[1:]] == ["p/a.jpg"] * 2 + ["p/b 2.png"] * 2


def test_coco(cli):
    done = cli("detect", "p/a.jpg", "p/10.jpg", "--format", "coco", "--no-save")
    entries = json.loads(done.stdout)
    # Class 1 of three is category 2; the box 0, 0, 30, 40 has the width 30 and the height 40.
    assert entries[0] == {"image_id": "a.jpg", "category_id": 2, "bbox": [0, 0, 30, 40], "score": 0.8765}
    assert [entry["image_id"] for entry in entries] == ["a.jpg"] * 2 + [10] * 2


def test_coco_boxes_hold_width_and_height():
    from yolo_cli.cli.output import WRITERS, Model
    from yolo_cli.detections import Detections
    from yolo_cli.pipeline import Outcome

    found = Detections(np.float32([[10, 20, 34.5, 50]]), np.float32([0.5]), np.array([0]))
    [entry] = json.loads(
        "".join(WRITERS["coco"]([Outcome("x/007.png", found)], Model("m", ("a",), (32, 32))))
    )
    assert entry == {"image_id": 7, "category_id": 1, "bbox": [10.0, 20.0, 24.5, 30.0], "score": 0.5}


def test_coco_of_nothing_is_an_empty_list(cli):
    assert json.loads(cli("detect", "p", "--conf", "0.99", "--format", "coco", "--no-save").stdout) == []


def test_yolo_lines(cli):
    done = cli("detect", "p/a.jpg", "--format", "yolo", "--no-save")
    # The dog: centre (15, 20) of 60 x 40 is (0.25, 0.5), size (30, 40) is (0.5, 1); cat: (5, 10), (10, 20).
    assert done.stdout.splitlines() == [
        "# p/a.jpg",
        "1 0.250000 0.500000 0.500000 1.000000 0.8765",
        "0 0.083333 0.250000 0.166667 0.500000 0.4000",
    ]


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
    assert "p/a.jpg   nothing" in out
    assert "bad.jpg   could not be read" in out


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


def test_options_reach_the_detector(cli):
    cli(
        *[
            "detect",
            "p",
            "--no-save",
            "--weights",
            "w",
            "--imgsz",
            "320x416",
            "--conf",
            "0.3",
            "--nms-iou",
            "0.6",
        ],
        *["--max-det", "7", "--agnostic", "--suppression", "soft", "--resize", "stretch"],
        *["--device", "cpu", "--engine", "onnx"],
    )
    [named] = cli.loaded
    config = named.pop("config")
    assert named == {"weights": "w", "engine": "onnx", "device": "cpu"}
    assert (config.conf, config.nms_iou, config.max_det) == (0.3, 0.6, 7)
    assert (config.agnostic, config.suppression, config.resize) == (True, "soft", "stretch")
    assert config.imgsz == (320, 416)


def test_without_options_everything_follows_the_defaults_and_the_model(cli):
    cli("detect", "p", "--no-save")
    [named] = cli.loaded
    from yolo_cli.config import DetectConfig

    assert named == {"engine": "auto", "device": "auto", "config": DetectConfig()}


@pytest.mark.parametrize(
    ("words", "kept"), [(["cat"], {0}), (["1"], {1}), (["traffic light"], set()), (["cat, 1"], {0, 1})]
)
def test_classes_by_name_or_id(cli, words, kept):
    options = [part for word in words for part in ("--classes", word)]
    out = cli("detect", "p/a.jpg", "--format", "ndjson", "--no-save", *options).stdout
    assert {found["class_id"] for found in json.loads(out)["detections"]} == kept


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--classes", "dgo"], "the model has no class 'dgo'; did you mean dog?"),
        (["--classes", "3"], "the model has no class '3'; it has cat, dog, traffic light"),
        (["--conf", "1.5"], "--conf is 1.5, and must lie between 0 and 1"),
        (["--conf", "high"], "Invalid value for '--conf': 'high' is not a valid float."),
        (["--imgsz", "wide"], "Invalid value for '--imgsz': wide is no size; give 416, or height x width"),
        (["--imgsz", "8"], "--imgsz is (8, 8)"),
        (["--batch", "0"], "Invalid value for '--batch': 0 is not in the range"),
        (["--iou", "0.4"], "no such option: --iou; did you mean --nms-iou?"),
        (["--mdl=x"], "no such option: --mdl"),
        (["--formt", "csv"], "no such option: --formt; did you mean --format?"),
        (["--save-jsn"], "no such option: --save-jsn; did you mean --save"),
        (["conf=0.3"], "'conf=0.3': options begin with two dashes; did you mean --conf 0.3?"),
        (["nms_iou=0.3"], "'nms_iou=0.3': options begin with two dashes; did you mean --nms-iou 0.3?"),
        (
            ["model=yolo.pt"],
            "'model=yolo.pt': options begin with two dashes; did you mean --weights yolo.pt?",
        ),
        (["source=p/a.jpg"], "'source=p/a.jpg': options begin with two dashes; did you mean p/a.jpg?"),
    ],
)
def test_wrong_usage_is_one_line_that_helps(cli, options, says):
    done = cli("detect", "p/a.jpg", *options)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {says}")
    assert done.stderr.count("\n") == 1


def test_a_file_with_an_equals_sign_is_a_file(cli):
    Path("conf=0.3").write_bytes(encode(smooth(), "PNG"))
    assert cli("detect", "conf=0.3", "--no-save").exit_code == 0
    assert "there is no such file" in cli("detect", "city=rome.jpg").stderr


def test_a_config_file_stands_between_options_and_defaults(cli):
    Path("c.yaml").write_text(
        "conf: 0.5\nnms_iou: 0.7\nimgsz: [320, 416]\nclasses: [dog, 0]\nno-save: true\nformat: ndjson\n"
    )
    done = cli("detect", "p/a.jpg", "--config", "c.yaml", "--conf", "0.1")
    assert done.exit_code == 0, done.stderr
    assert len(json.loads(done.stdout)["detections"]) == 2
    [named] = cli.loaded
    assert named["config"].conf == 0.1  # the command line goes before the file
    assert named["config"].nms_iou == 0.7
    assert named["config"].imgsz == (320, 416)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("cnof: 1", 2, "c.yaml: 'cnof' is not an option of detect; did you mean conf?"),
        ("zzzz: 1", 2, "c.yaml: 'zzzz' is not an option of detect; see yolo detect --help"),
        ("conf: [", 3, "c.yaml:2: is not YAML: "),
        ("- conf", 3, "c.yaml: must hold lines such as 'key: value'"),
        ("", 3, "c.yaml: must hold lines"),
        ("conf: high", 2, "Invalid value for '--conf': 'high'"),
        ("classes: cat", 0, ""),
        ("imgsz: 320", 0, ""),
    ],
)
def test_config_files_that_are_wrong(cli, text, code, says):
    Path("c.yaml").write_text(text + "\n")
    done = cli("detect", "p/a.jpg", "--config", "c.yaml", "--no-save", "-q")
    assert done.exit_code == code
    assert done.stderr.startswith(f"error: {says}" if says else "")
    assert done.stderr.count("\n") == (1 if says else 0)


def test_a_config_file_that_is_not_there(cli):
    done = cli("detect", "p", "--config", "none.yaml")
    assert (done.exit_code, done.stderr) == (
        3,
        "error: none.yaml: cannot be read: No such file or directory\n",
    )


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
    assert cli("detect", "p/a.jpg", "--no-save", "--verbose").stderr.startswith(
        "model fake, input (416, 416)"
    )
