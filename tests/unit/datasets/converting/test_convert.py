"""One conversion: where it is written, what is named, what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tests.made_sets import write_image, write_voc, write_yolo
from tests.there_and_back import contents, make_images, memory_set, same_boxes
from yolo_cli.datasets import open_dataset
from yolo_cli.datasets.converting import Output, Shaping, convert
from yolo_cli.datasets.extras import Extra
from yolo_cli.errors import DataError, UsageError

BOXES = {"a": [[0, 8, 12, 40, 36], [1, 0, 0, 16, 24]], "b": [], "c": [[2, 1.5, 2.25, 600.125, 400]]}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return make_images(tmp_path / "images")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_images_are_copied_byte_by_byte_and_counted(images: Path, tmp_path: Path) -> None:
    done = convert([memory_set(images, BOXES)], Output("yolo", tmp_path / "out"))
    assert done.splits == {
        "train": {"images": 2, "background": 1, "boxes": 2},
        "val": {"images": 1, "background": 0, "boxes": 1},
    }
    assert repr(done) == f"<Converted to yolo in {tmp_path / 'out'}: 3 images, 3 boxes>"
    written = files(tmp_path / "out")
    assert written["images/train/a.png"] == (images / "a.png").read_bytes()
    assert written["labels/train/b.txt"] == b""
    # (8 + 40) / 2 / 64 = 0.375, (12 + 36) / 2 / 48 = 0.5, 32 / 64 = 0.5, 24 / 48 = 0.5
    assert written["labels/train/a.txt"].decode().splitlines()[0] == "0 0.375 0.5 0.5 0.5"


def test_links_share_the_file(images: Path, tmp_path: Path) -> None:
    convert([memory_set(images, BOXES)], Output("voc", tmp_path / "out", link=True))
    assert (images / "a.png").samefile(tmp_path / "out" / "JPEGImages" / "a.png")


def test_it_appears_whole_or_not_at_all(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", fail)
    with pytest.raises(DataError, match=r"out: cannot be written: No space left on device; free some space"):
        convert([memory_set(images, BOXES)], Output("coco", tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_an_image_that_cannot_be_read_is_left_out_and_named(images: Path, tmp_path: Path) -> None:
    (images / "a.png").write_bytes(b"no image")
    done = convert([memory_set(images, BOXES)], Output("coco", tmp_path / "out"))
    assert len(done.left_out) == 1
    assert "a.png" in done.left_out[0]
    assert done.splits["train"]["images"] == 1


def test_nothing_is_overwritten_or_written_into_a_source(images: Path, tmp_path: Path) -> None:
    dataset = memory_set(images, BOXES)
    out = tmp_path / "out"
    for exist_ok in (False, True):
        with pytest.raises(UsageError, match="is in the data set"):
            convert([dataset], Output("yolo", images / "new", exist_ok=exist_ok))
    convert([dataset], Output("coco", out))
    before = files(out)
    with pytest.raises(UsageError, match="exists and is not empty; name another folder"):
        convert([dataset], Output("yolo", out))
    assert files(out) == before


def test_exist_ok_replaces_a_data_set_and_nothing_else(images: Path, tmp_path: Path) -> None:
    dataset, out = memory_set(images, BOXES), tmp_path / "out"
    convert([dataset], Output("coco", out))
    convert([dataset], Output("yolo", out, exist_ok=True))
    assert sorted(path.name for path in out.iterdir()) == ["data.yaml", "images", "labels"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "out"]
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="is not a data set, so it is not replaced"):
        convert([dataset], Output("yolo", tmp_path / "home", exist_ok=True))
    with pytest.raises(UsageError, match="holds images of the data set"):
        convert([open_dataset(out)], Output("yolo", tmp_path, exist_ok=True))


@pytest.mark.parametrize(
    ("form", "lost"),
    [
        (
            "yolo",
            [
                "yolo cannot hold difficult: the flag is dropped (2 boxes)",
                "yolo cannot hold crowd: a group is written as one object (2 boxes)",
                "yolo cannot hold attributes (2 boxes)",
            ],
        ),
        ("coco", ["coco cannot hold difficult: the flag is dropped (2 boxes)"]),
        ("voc", ["voc cannot hold crowd: a group is written as one object (2 boxes)"]),
        ("labelme", []),
        ("cvat", []),
        ("openimages", ["openimages cannot hold difficult: the flag is dropped (2 boxes)"]),
        ("parquet", ["parquet cannot hold attributes (2 boxes)"]),
    ],
)
def test_what_is_lost_is_named(images: Path, tmp_path: Path, form: str, lost: list[str]) -> None:
    flags = {"crowd": True, "difficult": True, "extra": Extra(attributes={"occluded": True})}
    dataset = memory_set(images, {"a": BOXES["a"]}, **flags)
    assert list(convert([dataset], Output(form, tmp_path / "out")).lost) == lost


def test_polygons_that_span_their_box_are_written(images: Path, tmp_path: Path) -> None:
    ring = (8.0, 12.0, 40.0, 12.0, 40.0, 36.0)
    dataset = memory_set(images, {"a": [BOXES["a"][0]]}, extra=Extra(polygons=(ring,)))
    assert convert([dataset], Output("yolo", tmp_path / "yolo")).lost == ()
    read = open_dataset(tmp_path / "yolo", extras=True).samples[0]
    np.testing.assert_allclose(
        np.reshape(read.extras[0].polygons[0], (-1, 2)) * (64, 48), np.reshape(ring, (-1, 2))
    )
    apart = memory_set(images, {"a": [BOXES["a"][1]]}, extra=Extra(polygons=(ring,)))
    assert convert([apart], Output("yolo", tmp_path / "apart")).lost == (
        "yolo cannot hold polygons of several parts or apart from their box: the box is kept (1 box)",
    )
    same_boxes(apart, open_dataset(tmp_path / "apart"))


def test_voc_writes_a_box_of_one_pixel_two_wide_and_says_so(images: Path, tmp_path: Path) -> None:
    dataset = memory_set(images, {"a": [[0, 4, 5, 5, 9]]})
    done = convert([dataset], Output("voc", tmp_path / "out"))
    assert done.lost == (
        "voc cannot hold boxes of at most one pixel: they are written two wide or high (1 box)",
    )
    assert "<xmin>5</xmin>" in (tmp_path / "out" / "Annotations" / "a.xml").read_text()
    # xmin = 4 + 1 = 5 and xmax = 6: left 4, right 6
    assert contents(open_dataset(tmp_path / "out")) == {
        ("train", "a"): [(dataset.class_names[0], 4, 5, 6, 9)]
    }


def test_classes_are_renamed_merged_and_chosen(images: Path, tmp_path: Path) -> None:
    shaping = Shaping(renamed={"milk bottle": "bottle", "can": "bottle"}, classes=["bottle"])
    done = convert([memory_set(images, BOXES)], Output("voc", tmp_path / "out"), shaping)
    assert done.class_names == ("bottle",)
    assert [
        (done.splits[split]["boxes"], done.splits[split]["background"]) for split in ("train", "val")
    ] == [
        (1, 1),
        (1, 0),
    ]


@pytest.mark.parametrize(
    ("shaping", "message"),
    [
        (Shaping(renamed={"kan": "x"}), "map kan=x: the data has no class 'kan'; did you mean can?"),
        (Shaping(classes=["kan"]), "the data has no class 'kan'; did you mean can?"),
        (Shaping(group_by="a"), "group_by: says what stays together in a split; add split"),
        (Shaping(tile=8), "tile 8: tiles need at least 32 pixels"),
        (Shaping(background=1.5), "background 1.5: must be from 0 to below 1"),
        (Shaping(split="train=.5,val=.4"), "split train=.5,val=.4: give fractions that add up to 1"),
        (Shaping(split="train=1,dev=0"), "give fractions that add up to 1"),
        (Shaping(split="train=.5,val=.5", group_by="("), "is not a regular expression"),
        (Shaping(split="train=.5,val=.5", group_by="zebra"), "matches no image's name; one is a.png"),
    ],
)
def test_options_that_do_not_fit(images: Path, tmp_path: Path, shaping: Shaping, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        convert([memory_set(images, BOXES)], Output("yolo", tmp_path / "out"), shaping)
    assert message in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_an_unknown_form(images: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="to vok: is not a form; did you mean voc"):
        convert([memory_set(images, BOXES)], Output("vok", tmp_path / "out"))


def test_data_sets_are_merged_by_class_name(tmp_path: Path) -> None:
    first, second = open_dataset(write_yolo(tmp_path / "one")), open_dataset(write_voc(tmp_path / "two"))
    done = convert([first, second], Output("coco", tmp_path / "out"), Shaping(renamed={"dog": "hound"}))
    assert done.class_names == ("cat", "hound")
    merged = contents(open_dataset(tmp_path / "out"))
    assert merged["train", "a"] == merged["train", "a_2"]
    assert len(merged) == 8


def test_an_unsplit_data_set_becomes_training_data_beside_a_split_one(images: Path, tmp_path: Path) -> None:
    unsplit = memory_set(images, BOXES, ("all",) * 3)
    done = convert([open_dataset(write_yolo(tmp_path / "one")), unsplit], Output("yolo", tmp_path / "out"))
    assert {split: counts["images"] for split, counts in done.splits.items()} == {"train": 5, "val": 2}


def test_background_is_thinned_to_a_fraction(images: Path, tmp_path: Path) -> None:
    dataset = memory_set(images, {"a": BOXES["a"], "b": [], "c": [], "d": []}, ("train",) * 4)
    done = convert([dataset], Output("yolo", tmp_path / "out"), Shaping(background=0.5))
    # One image with boxes: with one without, half are background.
    assert done.splits["train"] == {"images": 2, "background": 1, "boxes": 2}


def test_ids_of_coco_are_kept(tmp_path: Path) -> None:
    write_image(tmp_path / "in" / "a.jpg", (64, 48))
    text = """{"images": [{"id": 139, "file_name": "a.jpg", "width": 64, "height": 48}],
        "annotations": [{"id": 77, "image_id": 139, "category_id": 18, "bbox": [1, 2, 30, 40]},
                        {"id": 77, "image_id": 139, "category_id": 18, "bbox": [1, 2, 30, 41]}],
        "categories": [{"id": 18, "name": "dog"}]}"""
    (tmp_path / "in" / "annotations.json").write_text(text)
    convert([open_dataset(tmp_path / "in", extras=True)], Output("coco", tmp_path / "out"))
    again = open_dataset(tmp_path / "out", extras=True)
    assert (again.category_ids, again.samples[0].image_id) == ((18,), 139)
    assert [extra.annotation_id for extra in again.samples[0].extras] == [77, 1]


def test_cvat_lists_the_splits_and_label_studio_numbers_regions_from_one(
    images: Path, tmp_path: Path
) -> None:
    triangle = Extra(polygons=((8.0, 12.0, 40.0, 12.0, 40.0, 36.0),))
    dataset = memory_set(
        images, {"a": [[0, 8, 12, 40, 36]], "c": [[1, 8, 12, 40, 36]]}, ("train", "val"), extra=triangle
    )
    convert([dataset], Output("cvat", tmp_path / "cvat"))
    meta = ET.parse(tmp_path / "cvat" / "annotations.xml").getroot().find("meta")
    assert meta is not None
    assert [node.text for node in meta.iter("subset")] == ["train", "val"]
    done = convert([dataset], Output("label-studio", tmp_path / "ls"))
    [tasks] = [json.loads(path.read_text()) for path in (tmp_path / "ls").glob("*.json")]
    regions = [region for task in tasks for region in task["annotations"][0]["result"]]
    assert [region["id"] for region in regions] == ["1-1", "2-1"]
    assert done.lost == ()
