"""Options of `yolo detect`, on the command line and in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.images import encode, smooth


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
    assert named == {"weights": "w", "engine": "onnx", "device": "cpu", "precision": "float32"}
    assert (config.conf, config.nms_iou, config.max_det) == (0.3, 0.6, 7)
    assert (config.agnostic, config.suppression, config.resize) == (True, "soft", "stretch")
    assert config.imgsz == (320, 416)


@pytest.mark.parametrize(
    ("words", "every_class"),
    [([], False), (["--multi-label"], True), (["--format", "coco"], True), (["--format", "json"], False)],
)
def test_classes_of_a_box(cli, words, every_class):
    """COCO results are evaluated, and evaluation wants all classes."""
    cli("detect", "p", "--no-save", *words)
    assert cli.loaded[0]["config"].multi_label is every_class


def test_without_options_everything_follows_the_defaults_and_the_model(cli):
    cli("detect", "p", "--no-save")
    [named] = cli.loaded
    from yolo_cli.config import DEFAULT_MODEL, DetectConfig

    how = {"engine": "auto", "device": "auto", "precision": "float32"}
    told = {"weights": DEFAULT_MODEL, "config": DetectConfig(multi_label=False), **how}
    assert named == told


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
        (["--conf", "1.5"], "--conf is 1.5, but must be between 0 and 1"),
        (["--conf", "high"], "--conf: 'high' is not a valid float (see yolo detect --help)"),
        (["--imgsz", "wide"], "--imgsz: wide is not a size; give 416, or height x width"),
        (["--imgsz", "8"], "--imgsz is 8, but must be between 32 and 4096"),
        (["--resume"], "--resume and --workers go with --ray; give --ray local for this machine"),
        (["--workers", "2"], "--resume and --workers go with --ray; give --ray local for this machine"),
        (["--batch", "0"], "--batch: 0 is not in the range"),
        (["--iou", "0.4"], "no such option: --iou; did you mean --nms-iou?"),
        (["--confidence", "0.4"], "no such option: --confidence; did you mean --conf?"),
        (["--mdl=x"], "no such option: --mdl"),
        (["--formt", "csv"], "no such option: --formt; did you mean --format?"),
        (["--save-jsn"], "no such option: --save-jsn; did you mean --save"),
        (["--conf"], "option '--conf' requires an argument (see yolo detect --help)"),
        (["--format", "jsn"], "--format: 'jsn' is not one of 'table', 'json', "),
        (["--source", "p"], "no such option: --source; images are named without an option (see"),
        (["conf=0.3"], "'conf=0.3': options begin with two dashes; did you mean --conf 0.3?"),
        (["nms_iou=0.3"], "'nms_iou=0.3': options begin with two dashes; did you mean --nms-iou 0.3?"),
        (
            ["model=yolo.pt"],
            "'model=yolo.pt': options begin with two dashes; did you mean --weights yolo.pt?",
        ),
        (["save=False"], "'save=False': options begin with two dashes; did you mean --no-save?"),
        (["no_save=0"], "'no_save=0': options begin with two dashes; did you mean --save?"),
        (["save_txt=True"], "'save_txt=True': options begin with two dashes; did you mean --save-txt?"),
        (["agnostic=False"], "'agnostic=False': options begin with two dashes; it is off without --agnostic"),
        (["show=True"], "'show=True': options begin with two dashes; did you mean --show?"),
        (["stream=True"], "'stream=True': options begin with two dashes; there is no --stream"),
        (["device=0"], "'device=0': options begin with two dashes; did you mean --device gpu:0?"),
        (["device=cuda:1"], "'device=cuda:1': options begin with two dashes; did you mean --device gpu:1?"),
        (["device=cpu"], "'device=cpu': options begin with two dashes; did you mean --device cpu?"),
        (["imgz=320"], "'imgz=320': options begin with two dashes; did you mean --imgsz 320?"),
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
    assert "no such file" in cli("detect", "city=rome.jpg").stderr


def test_options_override_a_config_file_and_a_config_file_overrides_defaults(cli):
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
        ("confidence: 0.3", 2, "c.yaml: 'confidence' is not an option of detect; did you mean conf?"),
        ("zzzz: 1", 2, "c.yaml: 'zzzz' is not an option of detect; see yolo detect --help"),
        ("conf: [", 3, "c.yaml:1: is not YAML: "),
        ("- conf", 3, "c.yaml: must hold lines such as 'key: value'"),
        ("", 3, "c.yaml: must hold lines"),
        ("conf: high", 2, "--conf: 'high'"),
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
        "error: none.yaml: no such file\n",
    )
