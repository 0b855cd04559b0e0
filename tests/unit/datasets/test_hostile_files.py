"""Odd files among good ones: one of them neither stops nor hangs the rest."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.images import huge_header
from tests.made_sets import write_image, write_text, write_xml
from yolo_cli import convert, lint
from yolo_cli.datasets import layout, open_dataset
from yolo_cli.datasets.layout import box_faults
from yolo_cli.datasets.writing.label_studio import image_url
from yolo_cli.errors import DataError
from yolo_cli.files import find_files

ROW = "0 .5 .5 .2 .2\n"
pipes = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")


def pair(root: Path, stem: str, folder: str = "images") -> Path:
    """An image of 48 x 64 pixels with a label."""
    write_text(root / folder.replace("images", "labels") / f"{stem}.txt", ROW)
    return write_image(root / folder / f"{stem}.png", (64, 48), seed=len(stem) + ord(stem[0]))


@pipes
def test_links_in_a_circle_and_pipes_are_named(tmp_path: Path) -> None:
    good = pair(tmp_path, "a")
    images = tmp_path / "images"
    (images / "self").symlink_to("self")
    (images / "self.png").symlink_to("self.png")  # like a broken link: it is listed, and missing
    os.mkfifo(images / "pipe.png")
    (images / "link.png").symlink_to("pipe.png")
    write_text(tmp_path / "labels" / "pipe.txt", ROW)
    found = list(find_files(images, (".png",)))
    assert found == [str(good), *(str(images / f"{name}.png") for name in ("link", "pipe", "self"))]
    report = lint(tmp_path)
    assert [(f.code, f.where) for f in report.errors] == [
        ("Y101", "images/pipe.png"),
        ("Y102", "images/self.png"),
        ("Y201", "images/link.png"),
    ]
    assert json.loads(report.to_json())["errors"] == 3


@pipes
@pytest.mark.parametrize("target", ["/dev/zero", "/proc/cpuinfo", "pipe"])
def test_a_label_that_is_no_file_is_named(target: str, tmp_path: Path) -> None:
    pair(tmp_path, "a")
    label = pair(tmp_path, "b").parents[1] / "labels" / "b.txt"
    label.unlink()
    os.mkfifo(label.with_name("pipe"))
    label.symlink_to(target)
    data = open_dataset(tmp_path)
    assert [sample.name for sample in data.samples] == ["images/a.png"]
    assert [(f.where, f.what) for f in data.findings if f.code == "Y203"] == [
        ("labels/b.txt", "the label: is a pipe or device, not a regular file")
    ]


@pipes
def test_a_pipe_that_a_list_names_is_refused_in_one_line(tmp_path: Path) -> None:
    pair(tmp_path, "a")
    whole = open_dataset(tmp_path).content_hash
    os.mkfifo(pair(tmp_path, "b").with_name("p.png"))
    write_text(tmp_path / "labels" / "p.txt", ROW)
    write_text(tmp_path / "train.txt", "images/a.png\nimages/p.png\n")
    write_text(tmp_path / "data.yaml", "train: train.txt\nnames: [cat]\n")
    report = lint(tmp_path)
    assert [(f.code, f.where, f.what) for f in report.findings] == [
        ("Y101", "images/p.png", "is a pipe or device, not an image file")
    ]
    made = convert(tmp_path, "coco", tmp_path.with_name("out"))
    assert made.splits["train"]["images"] == 1
    assert open_dataset(tmp_path).content_hash not in ("", whole)


def test_a_name_too_long_for_a_file_is_one_missing_image(tmp_path: Path) -> None:
    pair(tmp_path, "a")
    write_text(tmp_path / "train.txt", f"{'x' * 300}.png\nimages/a.png\n")
    write_text(tmp_path / "data.yaml", "train: train.txt\nnames: [cat]\n")
    data = open_dataset(tmp_path)
    assert len(data.samples) == 1
    assert [finding.code for finding in data.findings] == ["Y102"]


def test_infinite_boxes_warn_of_nothing_but_themselves(recwarn: pytest.WarningsRecorder) -> None:
    boxes = np.array([[np.inf, 0, np.inf, 1], [0, 0, 1, 1]])
    assert box_faults(boxes, np.array([[1, 1]])).tolist() == [1, 0]  # 1: not finite
    assert not recwarn.list


def test_tiles_of_images_that_cannot_be_decoded_are_left_out(tmp_path: Path) -> None:
    """A header may claim a million pixels a side: its tiles would fill the memory."""
    for stem in ("good", "huge", "cut"):
        path = pair(tmp_path / "data", stem)
        if stem == "huge":
            path.write_bytes(huge_header(1_000_000, 1_000_000))
        elif stem == "cut":
            path.write_bytes(path.read_bytes()[:-40])
    made = convert(tmp_path / "data", "yolo", tmp_path / "out", tile=40)
    # 64 pixels of width: starts 0 and 24; 48 of height: 0 and 8; the box of 25.6..38.4 x 19.2..28.8 is in all
    assert made.splits["all"] == {"images": 4, "background": 0, "boxes": 4}
    assert sorted(line.split("/")[-1].split(":")[0] for line in made.left_out) == ["cut.png", "huge.png"]


@pipes
def test_label_studio_gets_the_address_of_a_name_that_is_not_utf8() -> None:
    assert image_url(os.fsdecode(b"p/\xff \xc3\xa4.jpg")) == "/data/local-files/?d=p/%FF%20%C3%A4.jpg"


def nested(root: Path, name: str, names: str) -> None:
    for split in ("train", "val"):
        pair(root / name, f"{name}{split}", f"images/{split}")
    write_text(root / name / "data.yaml", f"train: images/train\nval: images/val\nnames: [{names}]\n")


def test_a_data_set_beside_other_files_keeps_its_class_names(tmp_path: Path) -> None:
    nested(tmp_path, "one", "cat, dog")
    write_text(tmp_path / "README.txt", "my data\n")
    data = open_dataset(tmp_path)
    assert (data.class_names, data.location) == (("cat", "dog"), tmp_path / "one")


def test_two_data_sets_in_one_folder_are_not_mixed_by_class_number(tmp_path: Path) -> None:
    nested(tmp_path, "one", "cat, dog")
    nested(tmp_path, "two", "dog, cat")
    with pytest.raises(DataError, match=r"YOLO \(.*one.data\.yaml\) or YOLO \(.*two.data\.yaml\); name one"):
        open_dataset(tmp_path)
    archive = shutil.make_archive(str(tmp_path / "both"), "zip", tmp_path)
    with pytest.raises(DataError, match=r"two.data\.yaml\); unpack it, and name one"):
        open_dataset(archive)


def test_a_data_set_without_a_description_beside_one_is_another(tmp_path: Path) -> None:
    nested(tmp_path, "one", "cat, dog")
    pair(tmp_path / "more", "a")
    with pytest.raises(DataError, match=r"YOLO \(.*labels\) or YOLO \(.*one.data\.yaml\)"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    "files", [("one/classes.txt", "two/classes.txt"), ("one/labels/classes.txt", "two/labels.txt")]
)
def test_class_names_beside_the_parts_are_used_if_they_agree(tmp_path: Path, files: tuple[str, str]) -> None:
    for part, file, names in zip(("one", "two"), files, ("cat\ndog\n", "cat\n"), strict=True):
        pair(tmp_path / part, part)
        write_text(tmp_path / file, names)
    data = open_dataset(tmp_path)
    assert data.class_names == ("cat", "dog")
    assert "Y405" not in {finding.code for finding in data.findings}
    write_text(tmp_path / files[1], "dog\ncat\n")
    with pytest.raises(DataError, match=r"names class 0 '...', otherwise than .*; make them agree"):
        open_dataset(tmp_path)


def test_duplicates_are_found_in_blocks_without_all_pairs_in_memory(tmp_path: Path) -> None:
    """The last of 3,000 boxes repeats the first, of another block of 512; box 600 one of its own block."""
    pair(tmp_path, "a")
    x = np.linspace(0.1, 0.9, 3000)
    rows = [f"0 {value:.6f} .5 .00001 .5" for value in x]
    rows[-1], rows[599] = rows[0], rows[598]
    write_text(tmp_path / "labels" / "a.txt", "\n".join(rows) + "\n")
    tracemalloc.start()
    found = [(f.where, f.what) for f in lint(tmp_path).findings if f.code == "Y305"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [
        ("labels/a.txt:3000", "the box repeats the image's box 1 (IoU 1.00)"),
        ("labels/a.txt:600", "the box repeats the image's box 599 (IoU 1.00)"),
    ]
    assert peak < 3 * 3000**2 * 8  # all pairs took ten arrays of 3000 x 3000 numbers


COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"  # macOS stores the second


@pytest.mark.parametrize(("stored", "named"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_accents_in_either_form_are_found(stored: str, named: str, tmp_path: Path) -> None:
    image = pair(tmp_path / "d", stored)
    (tmp_path / "d" / "labels" / f"{stored}.txt").rename(tmp_path / "d" / "labels" / f"{named}.txt")
    write_text(tmp_path / "d" / "train.txt", f"images/{named}.png\n")
    write_text(tmp_path / "d" / "data.yaml", "train: train.txt\nnames: [cat]\n")
    [sample] = open_dataset(tmp_path / "d").samples
    assert (sample.path, len(sample.ground_truth)) == (image, 1)

    coco = {
        "images": [{"id": 1, "file_name": f"{named}.png", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], "area": 16}],
    }
    write_text(tmp_path / "d" / "images" / "a.json", json.dumps(coco))
    assert [sample.path for sample in open_dataset(tmp_path / "d" / "images" / "a.json").samples] == [image]

    voc, image = tmp_path / "voc", write_image(tmp_path / "voc" / "JPEGImages" / f"{stored}.png", (64, 48))
    write_xml(voc / "Annotations" / f"{named}.xml", f"{named}.png", (64, 48), [("cat", (1, 1, 9, 9))])
    write_text(voc / "ImageSets" / "Main" / "train.txt", f"{named}\n")
    [sample] = open_dataset(voc).samples
    assert (sample.path, len(sample.ground_truth), sample.split) == (image, 1, "train")


@pytest.mark.parametrize("keys", ["", "train: .\n", "train: images\nval: ../../..\n"])
@pytest.mark.parametrize("path", ["/", "..", "HOME", "/proc"])
def test_a_description_does_not_search_the_disk(path, keys, tmp_path, monkeypatch):
    """Searched would be the user's home, what is above it, or all there is."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    pair(home / "set", "a")
    path = path.replace("HOME", str(home))
    write_text(home / "set" / "data.yaml", f"path: {path}\n{keys}names: [a]\n")
    searched, search = [], layout.find_files

    def noted(place, *kinds):
        searched.append(place)
        return search(place, *kinds)

    monkeypatch.setattr(layout, "find_files", noted)
    try:
        said = " ".join(finding.what for finding in lint(home / "set" / "data.yaml").findings)
    except DataError as fault:
        said = fault.text
    assert "holds far more than a data set" in said
    assert {os.path.realpath(each) for each in searched} <= {str(home / "set" / "images")}


def test_a_link_to_what_contains_the_data_set_is_not_followed(tmp_path: Path) -> None:
    pair(tmp_path / "set", "a")
    write_image(tmp_path / "elsewhere" / "b.png", (64, 48))
    (tmp_path / "set" / "images" / "up").symlink_to(tmp_path)
    (tmp_path / "set" / "images" / "top").symlink_to("/")
    found = find_files(tmp_path / "set" / "images", (".png",))
    assert [Path(each).name for each in found] == ["a.png"]


@pytest.mark.parametrize("odd", ["nan", "inf", "1e300"])
def test_key_points_of_odd_numbers_are_refused(odd: str, tmp_path: Path) -> None:
    """In training they would make the loss NaN; no JSON file can hold them."""
    pair(tmp_path, "a")
    write_text(tmp_path / "labels" / "a.txt", f"0 .5 .5 .2 .2 {odd} .5 2\n")
    write_text(tmp_path / "data.yaml", "train: images\nnames: [a]\nkpt_shape: [1, 3]\n")
    found = lint(tmp_path).findings
    assert ("Y204", "labels/a.txt:1") in {(each.code, each.where) for each in found}


@pytest.mark.parametrize("odd", ["NaN", "1e400", "1e300"])
def test_outlines_of_coco_that_are_none_are_left_out_of_a_copy(odd: str, tmp_path: Path) -> None:
    write_image(tmp_path / "set" / "images" / "a.png", (8, 6))
    entry = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], "area": 16, "iscrowd": 0}
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 6}],
        "categories": [{"id": 1, "name": "cat", "keypoints": ["nose"], "skeleton": []}],
        "annotations": [{**entry, "segmentation": [["@", 1, 5, 1, 5, 5]]}],
    }
    write_text(tmp_path / "set" / "annotations" / "a.json", json.dumps(coco).replace('"@"', odd))
    for form in ("coco", "yolo"):
        convert(tmp_path / "set", form, tmp_path / form)
    [annotation] = json.loads(next((tmp_path / "coco").rglob("*.json")).read_text())["annotations"]
    assert annotation["bbox"] == [1, 1, 4, 4]
