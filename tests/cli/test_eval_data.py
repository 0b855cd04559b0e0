"""What `yolo eval` says of the data that it evaluates on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.fake_eval import Fake, fake_cli
from tests.made_sets import write_image, write_text
from yolo_cli.datasets import hold_out, open_dataset


@pytest.fixture
def cli(tmp_path, monkeypatch):
    return fake_cli(tmp_path, monkeypatch)


def test_images_of_the_data_that_are_left_out_are_named_and_show_in_the_exit_code(cli):
    with Path("yolo/labels/val/c.txt").open("a") as file:
        file.write("9 0.5 0.5 1 1\n")
    done = cli("eval", "--data", "yolo", "--no-save")
    assert done.exit_code == 5
    words = "images of the data: labels/val/c.txt:2: class 9 is not within 0 to 1; `yolo lint"
    assert "left out 1 of " in done.stderr
    assert words in done.stderr


def test_boxes_drawn_before_an_exif_turn_are_named_with_the_command_that_repairs_them(cli):
    """A stored 96 x 64 is upright 64 x 96; the label gives the stored size, so perfect boxes score less."""
    for number in range(3):
        write_image(Path(f"turned/images/val/{number}.jpg"), (96, 64), number, exif=6 if number else None)
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 96, "height": 64} for n in range(3)]
    boxes = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [60, 10, 30, 40], "area": 1200} for n in range(3)
    ]
    categories = [{"id": 1, "name": "cat"}]
    value = {"images": images, "annotations": boxes, "categories": categories}
    write_text(Path("turned/annotations/instances_val.json"), json.dumps(value))
    done = cli("eval", "--data", "turned", "--no-save")
    [line] = [line for line in done.stderr.splitlines() if "upright" in line]
    assert line.startswith("2 labels do not fit the upright image, and such boxes count as misplaced: ")
    assert "1.jpg: EXIF turns the image (orientation 6), and the label gives the size before that" in line
    assert line.endswith("`yolo lint --data turned --fix NEW_FOLDER` writes a repaired copy")
    assert "upright" not in cli("eval", "--data", "yolo", "--no-save").stderr


@pytest.mark.parametrize(
    ("split", "says"),
    [
        (
            "train",
            "2 of the 2 images are among those that fake was trained on, so the figures are too good; "
            "evaluate on --split val",
        ),
        ("val", ""),
    ],
)
def test_images_that_the_model_was_trained_on_are_named(cli, split, says):
    digest = open_dataset("yolo").content_hash
    cli.fake = Fake(source={"data_sha256": digest, "seed": "0"})
    done = cli("eval", "--data", "yolo", "--split", split, "--format", "json")
    assert says == "".join(line for line in done.stderr.splitlines() if "trained on" in line)
    assert says in Path("runs/eval/report.html").read_text(encoding="utf-8")
    assert done.exit_code == 0


def test_another_data_set_than_the_model_s_is_no_reason_to_warn(cli):
    cli.fake = Fake(source={"data_sha256": "0" * 64, "seed": "0"})
    assert "trained on" not in cli("eval", "--data", "yolo", "--split", "train", "--no-save").stderr


def test_of_an_unsplit_data_set_training_held_some_images_out(cli):
    """With its seed the card says which; all 5 images are evaluated, and 4 of them were learnt from."""
    for number in range(5):
        write_image(Path(f"flat/images/{number}.jpg"), (64, 48), number)
        write_text(Path(f"flat/labels/{number}.txt"), "0 0.5 0.5 0.5 0.5\n")
    write_text(Path("flat/data.yaml"), "train: images\nnames: [cat]\n")
    whole = open_dataset("flat")
    cli.fake = Fake(source={"data_sha256": hold_out(whole, seed=3).content_hash, "seed": "3"})
    line = "4 of the 5 images are among those that fake was trained on, so the figures are too good\n"
    assert line in cli("eval", "--data", "flat", "--no-save").stderr
    cli.fake = Fake(source={**cli.fake.source, "learnt_from": "train,val"})
    assert "5 of the 5 images" in cli("eval", "--data", "flat", "--no-save").stderr


def test_words_of_voc_are_matched_with_coco_s_and_named(cli):
    write_text(Path("yolo/data.yaml"), Path("yolo/data.yaml").read_text().replace("cat", "sofa"))
    cli.fake = Fake(class_names=("couch", "dog"))
    done = cli("eval", "--data", "yolo", "--format", "json")
    assert "taken for the same class (model = data): couch = sofa" in done.stderr
    value = json.loads(done.stdout)
    assert value["protocol"]["class_synonyms"] == {"couch": "sofa"}
    assert value["map50"] == 1.0
