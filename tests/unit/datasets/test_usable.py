"""What a user of a data set is told that is left out or repaired, and that it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_sets import coco_json, write_coco, write_image, write_json, write_text, write_voc, write_yolo
from yolo_cli.datasets import Dataset, open_usable
from yolo_cli.datasets.layout import is_usable, without_image_files
from yolo_cli.datasets.opening import open_dataset


def used(root: Path, **options: bool) -> tuple[Dataset, list[str]]:
    said: list[str] = []
    return open_usable(root, said.append, **options), said


@pytest.mark.parametrize("decode", [True, False])
def test_an_image_that_cannot_be_read_is_named_and_left_out(tmp_path: Path, decode: bool) -> None:
    root = write_yolo(tmp_path)
    (root / "images" / "train" / "b.jpg").write_bytes(b"")
    data, [line] = used(root, decode=decode)
    assert [s.path.stem for s in data.samples] == ["a", "c", "d"]
    assert line == (
        f"left out 1 image of 4: images/train/b.jpg: is empty (0 bytes); save or download it again; "
        f"`yolo lint --data {root}` lists them"
    )


def test_what_reading_left_out_is_counted_with_the_rest(tmp_path: Path) -> None:
    root = write_yolo(tmp_path)
    (root / "images" / "train" / "b.jpg").write_bytes(b"")
    write_text(root / "labels" / "val" / "d.txt", "0 .5 .5\n0 nan 0 0 0\n")
    data, [line] = used(root)
    assert [s.path.stem for s in data.samples] == ["a", "c"]
    assert line.startswith("left out 2 images of 4: images/train/b.jpg: ")
    assert "(and 1 more)" in line


@pytest.mark.parametrize("orientation", [6, 8])
def test_boxes_of_a_turned_image_are_turned_in_memory_and_said(tmp_path: Path, orientation: int) -> None:
    # Stored 64x48 (width x height): a point (x, y) is shown at (48 - y, x) by 6, at (y, 64 - x) by 8.
    root = write_coco(tmp_path)
    write_image(root / "train2017" / "a.jpg", (64, 48), 0, exif=orientation)
    data, [line] = used(root)
    assert line.startswith("boxes of 1 image turned with the image (in memory): train2017/a.jpg: EXIF")
    [sample] = [s for s in data.samples if s.path.stem == "a"]
    shown = {6: [12, 8, 36, 40], 8: [12, 24, 36, 56]}[orientation]  # of 8, 12, 40, 36
    assert sample.ground_truth.xyxy[0].tolist() == shown
    assert sample.size == (64, 48)
    assert sample.declared_size == (64, 48)


def test_a_size_that_the_xml_does_not_know_is_that_of_the_file(tmp_path: Path) -> None:
    root = write_voc(tmp_path)
    path = root / "Annotations" / "a.xml"
    path.write_text(path.read_text().replace("<width>64</width><height>48", "<width>0</width><height>0"))
    data, [line] = used(root)
    assert len(data) == 4
    assert line.startswith("size of 1 image taken from the file, not the label: JPEGImages/a.jpg")


def test_another_size_leaves_the_image_out(tmp_path: Path) -> None:
    root = write_voc(tmp_path)
    path = root / "Annotations" / "a.xml"
    path.write_text(path.read_text().replace("<width>64", "<width>640"))
    data, [line] = used(root)
    assert [s.path.stem for s in data.samples] == ["b", "c", "d"]
    assert "the label says 640x48, the image is 64x48" in line


def test_an_error_that_leaves_nothing_out_is_not_said_to_do_so(tmp_path: Path) -> None:
    root = write_yolo(tmp_path, "train: images/train\nval: images/train\nnames: [cat, dog]\n")
    data, [line] = used(root)
    assert len(data) == 4
    assert line.startswith(
        "2 other faults, for which nothing is left out: images/train/a.jpg: the same image as"
    )


def test_a_val_without_boxes_is_said(tmp_path: Path) -> None:
    root = write_yolo(tmp_path)
    for stem in "cd":
        write_text(root / "labels" / "val" / f"{stem}.txt", "")
    _, [line] = used(root)
    assert "split val: none of its 2 images has a box, so nothing can be evaluated" in line


def test_nothing_is_said_of_a_sound_set(tmp_path: Path) -> None:
    assert used(write_yolo(tmp_path))[1] == []


def test_images_are_not_needed_where_the_labels_give_their_sizes(tmp_path: Path) -> None:
    roots = write_coco(tmp_path / "coco"), write_voc(tmp_path / "voc"), write_yolo(tmp_path / "yolo")
    for root in roots:
        for path in root.rglob("*.jpg"):
            path.unlink()
    value = coco_json("val")
    del value["images"][0]["width"]  # c's size is unknown
    write_json(roots[0] / "annotations" / "instances_val2017.json", value)
    with without_image_files():
        coco, voc = open_dataset(roots[0]), open_dataset(roots[1])
    assert [(s.path.stem, s.size) for s in coco.samples] == [
        ("a", (48, 64)),
        ("b", (48, 64)),
        ("d", (48, 64)),
    ]
    assert [s.path.stem for s in voc.samples] == ["a", "b", "c", "d"]
    assert [(f.code, Path(f.image).name) for f in coco.findings] == [("Y102", "c.jpg")]


@pytest.mark.parametrize("suffix", [".heic", ".HEIC", ".avif", ".jxl", ".jp2"])
def test_images_of_a_kind_that_is_not_read_are_named(tmp_path: Path, suffix: str) -> None:
    root = write_yolo(tmp_path)
    image = root / "images" / "train" / "a.jpg"
    image.rename(image.with_suffix(suffix)).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    data, [line] = used(root)
    assert len(data) == 3
    assert f"images/train/a{suffix}: holds HEIC, which is not read here" in line


def test_pixels_are_looked_at_only_if_images_are_decoded(tmp_path: Path) -> None:
    root = write_yolo(tmp_path)
    path = root / "images" / "train" / "b.jpg"
    path.write_bytes(path.read_bytes()[:-200])  # the header is whole
    assert [s.path.stem for s in used(root, decode=True)[0].samples] == ["a", "c", "d"]
    assert [s.path.stem for s in used(root, decode=False)[0].samples] == ["a", "b", "c", "d"]


def test_files_of_images_are_wanted_again_after_the_block(tmp_path: Path) -> None:
    with without_image_files():
        assert is_usable(tmp_path / "none.jpg", (48, 64))
        assert not is_usable(tmp_path / "none.jpg", (0, 64))
    assert not is_usable(tmp_path / "none.jpg", (48, 64))
