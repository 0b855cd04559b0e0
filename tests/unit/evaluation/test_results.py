"""Other programs' files: how they are read, and every way in which they may be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_sets import write_coco, write_image, write_yolo
from yolo_cli.datasets import Dataset, open_dataset
from yolo_cli.errors import DataError
from yolo_cli.evaluation import coco_results, read_results
from yolo_cli.evaluation.coco_results import read_coco_results


@pytest.fixture
def coco(tmp_path: Path) -> Dataset:
    """Images 100 (c.jpg) and 101 (d.jpg) in val; cat is category 7, dog is 3."""
    return open_dataset(write_coco(tmp_path / "coco"))


def entry(**changes: Any) -> dict[str, Any]:
    return {"image_id": 100, "category_id": 3, "bbox": [4, 16, 8, 32], "score": 0.5, **changes}


def written(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_boxes_come_as_corners_sorted_by_image(coco: Dataset, tmp_path: Path) -> None:
    """x 4, y 16, w 8, h 32 is left 4, top 16, right 12, bottom 48."""
    val = coco.in_split("val")
    file = written(tmp_path / "r.json", [entry(image_id=101, score=0.2), entry(), entry(category_id=7)])
    found = read_results(file, val.samples, val.category_ids).found
    assert found["val2017/c.jpg"].xyxy.tolist() == [[4, 16, 12, 48]] * 2
    names = [coco.class_names[k] for k in found["val2017/c.jpg"].class_id]
    assert names == ["dog", "cat"]
    assert found["val2017/d.jpg"].confidence.tolist() == [0.2]


def test_an_image_without_an_entry_has_nothing_found(coco: Dataset, tmp_path: Path) -> None:
    val = coco.in_split("val")
    found = read_results(written(tmp_path / "r.json", [entry()]), val.samples, val.category_ids).found
    assert {name: len(boxes) for name, boxes in found.items()} == {"val2017/c.jpg": 1, "val2017/d.jpg": 0}


def test_an_empty_list_finds_nothing(coco: Dataset, tmp_path: Path) -> None:
    val = coco.in_split("val")
    assert all(
        not len(it)
        for it in read_results(written(tmp_path / "r.json", []), val.samples, (7, 3)).found.values()
    )


@pytest.mark.parametrize("image_id", ["c", "c.jpg", "images/val/c.jpg"])
def test_images_without_ids_go_by_their_names(image_id: str, tmp_path: Path) -> None:
    val = open_dataset(write_yolo(tmp_path / "yolo")).in_split("val")
    found = read_results(
        written(tmp_path / "r.json", [entry(image_id=image_id, category_id=2)]), val.samples, (1, 2)
    ).found
    assert found["images/val/c.jpg"].class_id.tolist() == [1]


def test_a_name_that_is_a_number_may_come_as_a_number(tmp_path: Path) -> None:
    write_image(tmp_path / "images" / "000139.jpg", (8, 8))
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "000139.txt").write_text("0 0.5 0.5 1 1\n")
    data = open_dataset(tmp_path)
    found = read_results(
        written(tmp_path / "r.json", [entry(image_id=139, category_id=1)]), data.samples, (1,)
    ).found
    assert len(found["images/000139.jpg"]) == 1


def test_category_ids_from_zero_are_noticed(tmp_path: Path) -> None:
    val = open_dataset(write_yolo(tmp_path / "yolo")).in_split("val")
    entries = [entry(image_id="c", category_id=0), entry(image_id="c", category_id=1)]
    found = read_results(written(tmp_path / "r.json", entries), val.samples, (1, 2)).found
    assert found["images/val/c.jpg"].class_id.tolist() == [0, 1]


def test_unknown_ids_are_left_out_and_named(coco: Dataset, tmp_path: Path) -> None:
    val = coco.in_split("val")
    entries = [entry(), entry(image_id=999), entry(image_id=998), entry(category_id=55)]
    results = read_results(written(tmp_path / "r.json", entries), val.samples, val.category_ids)
    assert sum(map(len, results.found.values())) == 1
    assert [line.split(": ", 1)[1] for line in results.left_out] == [
        "2 of 4 boxes left out: the data does not know their image_id; the first is 999",
        "1 of 4 boxes left out: the data does not know their category_id; the first is 55",
    ]


def test_a_box_of_an_unknown_image_is_named_for_that_alone(coco: Dataset, tmp_path: Path) -> None:
    val = coco.in_split("val")
    file = written(tmp_path / "r.json", [entry(), entry(image_id=999, category_id=55)])
    [line] = read_results(file, val.samples, val.category_ids).left_out
    assert line.endswith("1 of 2 boxes left out: the data does not know their image_id; the first is 999")


def test_images_of_another_split_are_passed_over_in_silence(tmp_path: Path) -> None:
    data = open_dataset(write_yolo(tmp_path / "yolo"))
    val, train = data.in_split("val").samples, data.in_split("train").samples
    file = written(
        tmp_path / "r.json", [entry(image_id="c", category_id=1), entry(image_id="a", category_id=1)]
    )
    assert read_results(file, val, (1, 2), train).left_out == ()
    assert len(read_results(file, val, (1, 2)).left_out) == 1


BROKEN = {
    "truncated": (json.dumps([entry()] * 3)[:-30], "is cut short or broken after 2 entries; write it again"),
    "truncated in the first": ('[{"image_id": 1', "is cut short or broken after 0 entries"),
    "no end": (json.dumps([entry()])[:-1], "is cut short or broken after"),
    "no list": ('{"images": []}', "is not a COCO results file, which is a JSON list and begins with ["),
    "empty": ("", "is not a COCO results file"),
    "no comma": ("[{} {}]", "is cut short or broken after 0 entries"),
    "NaN": ([entry(), entry(score=np.nan)], "entry 2 holds a number that is not finite: 4, 16, 8, 32, nan"),
    "infinite": ([entry(bbox=[0, 0, 1, float("inf")])], "entry 1 holds a number that is not finite"),
    "negative": (
        [entry(bbox=[5, 5, -1, 3])] * 2,
        "entry 1 has a box of negative width or height (bbox is x, y, w, h): 5, 5, -1, 3, 0.5 (and so have 1",
    ),
    "score": ([entry(score=87.0)], "entry 1 has a score outside 0 to 1"),
    "no score": ([{"image_id": 1, "category_id": 1, "bbox": []}], "entry 1 has no score; each needs"),
    "no object": ([7], "entry 1 is not an object with image_id"),
    "three numbers": ([entry(bbox=[0, 0, 1])], "entry 1 needs bbox [x, y, width, height]"),
    "text": ([entry(score="high")], "entry 1 needs bbox"),
    "category": ([entry(category_id="dog")], "entry 1 needs bbox"),
    "huge id": ([entry(category_id=2**70)], "entry 1 needs bbox"),
    "image id": ([entry(image_id=[1])], "entry 1 needs bbox"),
    "deep": ("[" * 100_000, "is cut short or broken after 0 entries"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line(name: str, tmp_path: Path) -> None:
    value, says = BROKEN[name]
    with pytest.raises(DataError) as fault:
        read_coco_results(written(tmp_path / "r.json", value))
    assert str(fault.value).startswith(f"{tmp_path / 'r.json'}: {says}")
    assert "\n" not in str(fault.value)


def test_bytes_that_are_no_text_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(b'[{"a": "\xff\xfe"}]')
    with pytest.raises(DataError, match="is cut short or broken after 0 entries"):
        read_coco_results(tmp_path / "r.json")


def test_two_gigabytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(2 << 30)  # a sparse file: it takes no space on the disk
    with pytest.raises(DataError) as fault:
        read_coco_results(path)
    assert str(fault.value) == (
        f"{path}: is 2.0 GiB, and more than 0.5 GiB is not read; "
        "write only the 100 most confident boxes of each image"
    )


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_coco_results(tmp_path / "none.json")


@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
def test_it_does_not_matter_where_a_chunk_ends(
    chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held against json.loads; names with brackets, quotes and escapes are in the way."""
    monkeypatch.setattr(coco_results, "_CHUNK", chunk)
    entries = [
        entry(image_id=f'a]}}"\\é{i}', score=i / 40, extra={"counts": [[i], {"x": "]"}]}) for i in range(40)
    ]
    path = tmp_path / "r.json"
    path.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    results = read_coco_results(path)
    assert [results.image_ids[i] for i in results.image] == [
        it["image_id"] for it in json.loads(path.read_text("utf-8"))
    ]
    np.testing.assert_array_equal(results.score, np.arange(40) / 40)


def test_no_image_or_class_in_common_is_one_line(coco: Dataset, tmp_path: Path) -> None:
    val = coco.in_split("val")
    with pytest.raises(DataError) as fault:
        read_results(written(tmp_path / "r.json", [entry(image_id=5)]), val.samples, val.category_ids)
    assert "no image_id in it is an image of the data: the first is 5, the data has 100" in str(fault.value)
    with pytest.raises(DataError) as fault:
        read_results(written(tmp_path / "s.json", [entry(category_id=5)]), val.samples, val.category_ids)
    assert "no category_id in it is a class of the data: the first is 5, the data has 3, 7" in str(
        fault.value
    )


@pytest.fixture
def yolo(tmp_path: Path) -> Dataset:
    """c.jpg of 32 x 64 and d.jpg of 64 x 48 in val."""
    return open_dataset(write_yolo(tmp_path / "yolo")).in_split("val")


def test_label_files_become_pixels(yolo: Dataset, tmp_path: Path) -> None:
    """Centre (0.25, 0.5), size (0.25, 0.5) of 32 x 64: left 4, top 16, right 12, bottom 48."""
    folder = tmp_path / "labels"
    folder.mkdir()
    written(folder / "c.txt", "1 0.25 0.5 0.25 0.5 0.9\n\n0 0.5 0.5 1 1 0.25\n")
    found = read_results(folder, yolo.samples, (1, 2)).found
    assert found["images/val/c.jpg"].xyxy.tolist() == [[4, 16, 12, 48], [0, 0, 32, 64]]
    assert found["images/val/c.jpg"].class_id.tolist() == [1, 0]
    assert found["images/val/c.jpg"].confidence.tolist() == [0.9, 0.25]
    assert len(found["images/val/d.jpg"]) == 0  # no file: nothing was found


ROWS = {
    "1 0.5 0.5 1 1": "has no confidence; save it as a sixth number",
    "1 0.5 0.5 1": "is not 'class cx cy w h confidence'",
    "dog 0.5 0.5 1 1 0.5": "is not 'class cx cy w h confidence'",
    "1 0.5 nan 1 1 0.5": "holds a number that is not finite",
    "2 0.5 0.5 1 1 0.5": "its class is not within 0 to 1",
    "0.5 0.5 0.5 1 1 0.5": "its class is not within 0 to 1",
    "1 0.5 0.5 -1 1 0.5": "has a box of negative width or height",
    "1 0.5 0.5 1 1 50": "has a confidence outside 0 to 1",
}


@pytest.mark.parametrize("row", ROWS)
def test_a_broken_row_is_one_line(row: str, yolo: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    written(folder / "c.txt", f"\n{row}\n")
    with pytest.raises(DataError) as fault:
        read_results(folder, yolo.samples, (1, 2))
    assert str(fault.value) == f"{folder / 'c.txt'}:2: {ROWS[row]}: {row!r}"


def test_label_files_of_other_images_are_one_line(yolo: Dataset, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    written(tmp_path / "labels" / "zzz.txt", "")
    with pytest.raises(
        DataError, match=r"none of its 1 \.txt files has the name of an image of the data; c\.txt"
    ):
        read_results(tmp_path / "labels", yolo.samples, (1, 2))


def test_a_stem_that_is_there_twice_goes_by_its_folder(yolo: Dataset, tmp_path: Path) -> None:
    for folder, confidence in (("val", 0.5), ("train", 0.25)):
        (tmp_path / "labels" / folder).mkdir(parents=True)
        written(tmp_path / "labels" / folder / "c.txt", f"0 0.5 0.5 1 1 {confidence}\n")
    found = read_results(tmp_path / "labels", yolo.samples, (1, 2)).found
    assert found["images/val/c.jpg"].confidence.tolist() == [0.5]
    (tmp_path / "labels" / "val" / "c.txt").rename(tmp_path / "labels" / "c.txt")
    with pytest.raises(DataError, match=r"has 2 files c\.txt; which is that of images/val/c\.jpg\?"):
        read_results(tmp_path / "labels", yolo.samples, (1, 2))


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" ,  ", " :")])
def test_blanks_around_commas_do_not_matter(tmp_path: Path, separators: tuple[str, str]) -> None:
    text = json.dumps([entry(), entry(), entry()], separators=separators)
    assert len(read_coco_results(written(tmp_path / "found.json", text)).score) == 3
