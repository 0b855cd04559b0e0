"""What the commands print as JSON, a program gets from the API on the same input."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.cli import test_calibrate
from tests.cli.fake_eval import fake_cli
from tests.cli.test_eval_results import results
from tests.made_sets import write_text, write_yolo
from tests.training_sets import write_shapes, write_tiny_cfg
from yolo_cli import (
    UsageError,
    UserError,
    calibrate,
    compare,
    evaluate,
    explain,
    lint,
    load_detector,
    preview_augmentation,
    read_image,
    train,
)
from yolo_cli.datasets import open_dataset

pets = test_calibrate.pets  # a fixture


@pytest.fixture
def cli(tmp_path, monkeypatch):
    return fake_cli(tmp_path, monkeypatch)


def test_eval_of_a_model(cli):
    seen = []
    done = evaluate(
        "yolo",
        target_precision=0.5,
        cross_check=True,
        watch=lambda outcomes, total: seen.append(total) or outcomes,
    )
    words = ("--no-save", "--target-precision", "0.5", "--cross-check")
    assert json.loads(done.to_json()) == cli.figures("eval", "--data", "yolo", *words)
    assert (seen, done.faults, done.about.notes) == ([2], (), ())
    assert repr(done) == "<EvaluationResult fake on yolo, split val: mAP50 1.000, mAP50-95 1.000>"
    assert done.report.map50 == 1.0
    again = pickle.loads(pickle.dumps(done))
    assert (again.to_dict(), again.save("there")) == (done.to_dict(), Path("there/report.html"))


def test_eval_with_every_option_that_changes_a_figure(cli):
    given = {
        "split": "train",
        "conf": 0.3,
        "iou": 0.75,
        "protocol": "voc10",
        "classes": ["dog", 0],
        "batch": 2,
    }
    words = "--split train --conf 0.3 --iou 0.75 --protocol voc10 --classes dog,0 --no-save"
    assert evaluate("yolo", **given).to_dict() == cli.figures("eval", "--data", "yolo", *words.split())


def test_eval_against_an_earlier_run(cli):
    page = evaluate("yolo").save("first")
    assert page == Path("first/report.html")
    again = evaluate("yolo", baseline="first")
    assert again.differences["map50"].verdict == "not distinguishable"
    printed = cli.figures("eval", "--data", "yolo", "--no-save", "--baseline", "first")
    assert json.loads(again.to_json()) == printed


def test_figures_that_are_too_low(cli):
    done = evaluate("yolo")
    assert done.missed() == done.missed({"map50": 1.0, "ap:dog": 0.5}) == []
    with pytest.raises(UsageError, match="fail_under: unknown figure 'mapp'; did you mean map"):
        done.missed({"mapp": 0.5})
    with pytest.raises(UsageError, match="fail_if_worse needs a baseline"):
        done.missed(fail_if_worse=True)
    results()
    done = evaluate("coco", detections="r.json")
    done.save("first")
    again = evaluate("coco", detections="r.json", baseline="first")
    assert again.missed(fail_if_worse=True) == []
    low = again.report.map50 + 0.01
    assert again.missed({"map50": low}) == [
        f"map50 is {again.report.map50:.4f}, but must be at least {low:g}"
    ]


def test_eval_of_another_programs_results(cli):
    results()
    Path("names.txt").write_text("hound\ncat\n")
    words = ("eval", "--data", "coco", "--detections", "r.json", "--no-save")
    assert evaluate("coco", detections="r.json").to_dict() == cli.figures(*words)
    rows = [{**row, "category_id": k} for k, row in enumerate(json.loads(Path("r.json").read_text()), 1)]
    Path("r.json").write_text(json.dumps(rows))
    renamed = cli.figures(*words, "--names", "names.txt", "--map", "hound=dog")
    for names in ("names.txt", ["hound", "cat"]):
        mapped = evaluate("coco", detections=Path("r.json"), names=names, map={"hound": "dog"})
        assert mapped.to_dict() == renamed


def test_an_evaluation_goes_on_where_it_was_interrupted(cli):
    whole = evaluate("yolo", split="train").to_dict()
    cli.fake = type(cli.fake)(stop_at="b")
    with pytest.raises(KeyboardInterrupt):
        evaluate("yolo", split="train", journal="seen.ndjson")
    cli.fake = type(cli.fake)()
    resumed = evaluate("yolo", split="train", journal="seen.ndjson", resume=True)
    assert (resumed.to_dict(), cli.fake.seen) == (whole, ["b"])


def test_calibration(pets):
    printed = json.loads(
        test_calibrate.yolo("calibrate", "--data", pets, "--out", "one", "--format", "json").stdout
    )
    done = calibrate(pets, out="two")
    assert repr(done).startswith(
        "<Calibrated weights/two.keras, weights/two.onnx, weights/two.md: D-ECE 0.275 be"
    )
    assert pickle.loads(pickle.dumps(done)).to_dict() == done.to_dict()
    value = json.loads(done.to_json())
    assert value.pop("files") == [name.replace("one", "two") for name in printed.pop("files")]
    assert value == printed


MEASURED = {"propose_ms", "classify_ms", "suppress_ms", "peak_bytes"}  # differ from run to run


def test_comparison(cli):
    told = []
    given = {"split": "train", "limit": 2, "finished": lambda row: told.append(row.name)}
    done = compare("yolo", ["YOLO", "convolutional window"], **given)
    words = ("--split", "train", "--limit", "2", "--detectors", "YOLO, convolutional window")
    printed = cli("compare", "--data", "yolo", *words, "-q", "--format", "json")
    value, printed = json.loads(done.to_json()), json.loads(printed.stdout)
    for row in (*value["detectors"], *printed["detectors"]):
        assert {name for name in MEASURED if row.pop(name) is None} <= {"peak_bytes"}
    assert value == printed
    assert told == ["YOLO", "convolutional window"]
    assert pickle.loads(pickle.dumps(done)).to_dict() == done.to_dict()
    assert repr(done) == "<Comparison of YOLO, convolutional window on 2 images of yolo>"
    done.write_page("page.html")
    assert "convolutional window" in Path("page.html").read_text()


@pytest.mark.parametrize(
    ("weights", "words"), [("yolov4-tiny-coco", ()), ("windows-voc", ("--weights", "windows-voc"))]
)
def test_explanation(photos, weights, words):
    image, place = "photos/cat.jpg", ("--at", "220.5,150", "--conf", "0.3", "--nms-iou", "0.4", "--no-save")
    run = partial(test_calibrate.yolo, "explain", image, *place, *words)
    done = explain(image, (220.5, 150), weights, conf=0.3, nms_iou=0.4)
    assert done.to_json() + "\n" == run("--format", "json").stdout
    assert done.to_text() == run().stdout
    assert done.to_dict()["outcomes"]
    assert pickle.loads(pickle.dumps(done)).to_dict() == done.to_dict()
    assert (done.save("."), done.save("there.png")) == (Path("cat.png"), Path("there.png"))
    assert np.array_equal(read_image("cat.png").rgb, done.plot())


def test_explanation_of_an_array_by_a_loaded_model(photos, detector):
    image = read_image(photos / "cat.jpg")
    done = explain(image.rgb[:, :, ::-1], (220, 150), detector, conf=0.3, bgr=True)
    again = explain(photos / "cat.jpg", (220, 150), conf=0.3, engine="onnx", device="cpu")
    assert repr(done) == "<Explanation image at 220,150: cat>"
    assert {**done.to_dict(), "image": again.image.name} == again.to_dict()
    for call, says in (
        (lambda: explain(["a.jpg"], (1, 1), detector), "image: list is not an image"),
        (lambda: explain("photos", (1, 1), detector), "photos: is a folder, not an image"),
        (lambda: explain(image, (1, 1), detector, max_det=3), "there is no option 'max_det'"),
        (lambda: explain(image, (999, 1), detector), "at 999,1: is outside"),
    ):
        with pytest.raises(UserError, match=says):
            call()


@pytest.mark.parametrize("fixing", [False, True])
def test_linting(cli, fixing):
    write_text(Path("yolo/labels/train/b.txt"), "1 .5 .5 0 .5\n1 .9 .5 .4 .5\n")
    report = lint("yolo", imgsz=320, fix="one" if fixing else None)
    words = ("--imgsz", "320", *(["--fix", "two"] if fixing else []))
    printed = json.loads(cli("lint", "--data", "yolo", *words, "--format", "json").stdout)
    value = json.loads(report.to_json())
    assert ("fix" in value) == fixing
    if fixing:
        assert (value["fix"].pop("out"), printed["fix"].pop("out")) == ("one", "two")
        assert report.fixed.done
    assert value == printed
    assert pickle.loads(pickle.dumps(report)).to_dict() == report.to_dict()
    assert repr(report) == "<LintReport yolo: 1 error, 1 warning>"


def test_training_is_asked_for_the_same_job(cli, monkeypatch):
    jobs = []
    monkeypatch.setattr("yolo_cli.training.train", lambda job, *_, **__: jobs.append(job) or 1 / 0)
    given = {
        "epochs": 2,
        "imgsz": 64,
        "no_augment": True,
        "mosaic": 0.25,
        "max_minutes": 3.5,
        "use_val": True,
    }
    with pytest.raises(ZeroDivisionError):
        train("yolo", weights="mine", out="one", **given)
    words = "--weights mine --epochs 2 --imgsz 64 --no-augment --mosaic 0.25 --max-minutes 3.5 --use-val"
    cli("train", "--data", "yolo", *words.split(), "--out", "two")
    with pytest.raises(ZeroDivisionError):
        train("yolo")
    cli("train", "--data", "yolo")
    assert [str(job.out) for job in jobs] == ["one", "two", "runs/train", "runs/train2"]
    jobs = [replace(job, out=Path()) for job in jobs]
    assert (jobs[0], jobs[2]) == (jobs[1], jobs[3])
    assert jobs[0].config.imgsz == (64, 64)


def test_augmented_images_are_previewed(cli):
    drawn = preview_augmentation("yolo", imgsz=64, seed=3)
    cli("train", "--data", "yolo", "--imgsz", "64", "--seed", "3", "--preview", "sheet.png")
    assert np.array_equal(read_image("sheet.png").rgb, drawn)
    with pytest.raises(UsageError, match="there is no option 'imgsize'; did you mean imgsz"):
        preview_augmentation("yolo", imgsize=64)


def test_an_interrupted_run_names_its_folder_and_goes_on(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    data, cfg = write_shapes(tmp_path / "data"), write_tiny_cfg(tmp_path)

    def stop(step):
        if step.part.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        train(data, progress=stop, model=str(cfg), epochs=2, batch=4)
    [folder] = stopped.value.args
    assert folder == Path("runs/train")
    with pytest.raises(UsageError, match="resume continues with the options of its run; leave epochs out"):
        train(resume=folder, epochs=3)
    result = train(resume=folder)
    assert repr(result).startswith("<TrainResult runs/train: mAP50 0.")
    value = json.loads(result.to_json())
    assert (value["out"], value["images"], len(value["epochs"])) == ("runs/train", 8, 2)
    assert value["report"]["map50"] == result.report.map50
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        (lambda: train("yolo", epoch=3), "there is no option 'epoch'; did you mean epochs?"),
        (lambda: train(epochs=3), "data PATH names the images to learn from; resume DIR continues a run"),
        (lambda: train("yolo", detector="rcnn", weights="x"), "weights: only detector yolo has this option"),
        (lambda: evaluate("yolo", conf=2), "conf must be between 0 and 1"),
        (lambda: evaluate("yolo", nms_iou=2), "nms_iou is 2, but must be between 0 and 1"),
        (lambda: evaluate("yolo", "mine", detections="r.json"), "detections evaluates boxes that are there"),
        (lambda: evaluate("yolo", names="n.txt"), "names goes with detections"),
        (lambda: compare("yolo", ["R-CNM"]), "detectors: unknown entry 'R-CNM'; did you mean R-CNN?"),
        (lambda: calibrate("yolo", test="val"), "test val: is the split used for fitting"),
    ],
)
def test_wrong_usage_names_options_as_python_does(cli, verb, says):
    with pytest.raises(UsageError) as fault:
        verb()
    assert str(fault.value).startswith(says)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"suppression": "sofft"},
            "suppression is 'sofft', but must be one of iou, greedynms, diounms, soft",
        ),
        ({"resize": "crop"}, "resize is 'crop', but must be one of letterbox, stretch"),
        ({"engine": "onyx"}, "engine is 'onyx', but must be one of auto, onnx, openvino, keras"),
        ({"imgsz": 5}, "imgsz is 5, but must be"),
    ],
)
def test_an_unknown_choice_is_refused(options, says):
    with pytest.raises(UsageError, match=says):
        load_detector(**options)


@pytest.mark.parametrize("opened", [False, True])
def test_compare_takes_the_split_and_the_limit_of_an_opened_data_set(tmp_path, monkeypatch, opened):
    seen = []
    monkeypatch.setattr("yolo_cli.comparison.compare", lambda images, *_, **__: seen.append(images))
    path = write_yolo(tmp_path / "pets")
    data = open_dataset(path) if opened else path
    for options in ({}, {"split": "train"}, {"split": "train", "limit": 1}):
        compare(data, "YOLO", **options)
    assert [images.splits for images in seen] == [("val",), ("train",), ("train",)]
    assert [len(images) for images in seen] == [2, 2, 1]
    with pytest.raises(UsageError, match="limit is 0, but must be at least 1"):
        compare(data, "YOLO", limit=0)


def test_compare_says_what_it_leaves_out(tmp_path, monkeypatch):
    monkeypatch.setattr("yolo_cli.comparison.compare", lambda *_, **__: None)
    data, said = write_yolo(tmp_path / "pets"), []
    next(iter((data / "images/val").iterdir())).write_text("hello")
    compare(data, "YOLO", say=said.append)
    assert len(said) == 1
    assert said[0].startswith("left out 1 image of 2: images/val/d.jpg: holds text, not an image")


def test_compare_takes_one_name_and_a_positive_limit(tmp_path):
    with pytest.raises(UsageError, match="unknown entry 'YLO'; did you mean YOLO"):
        compare(tmp_path, "YLO")
    with pytest.raises(UsageError, match="limit is 0, but must be at least 1"):
        compare(tmp_path, "YOLO", limit=0)
