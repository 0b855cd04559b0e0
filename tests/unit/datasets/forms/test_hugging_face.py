from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.exporters.test_exporters import EXAMPLES
from tests.made_sets import write_image
from tests.unit.datasets.forms.reading import boxes, read_text_beside, refusals
from yolo_cli.datasets import Dataset, read_dataset
from yolo_cli.errors import DataError, UsageError

BOX = (10, 5, 30, 20)
SIDES = [10, 5, 20, 15]


def read(folder: Path, objects: Any, **options: bool) -> Dataset:
    text = json.dumps({"file_name": "a.png", "objects": objects})
    return read_text_beside(folder, text + "\n", "metadata.jsonl", **options)


@pytest.mark.parametrize(
    "objects",
    [
        {"bbox": [SIDES], "category": ["cat"], "id": [3], "area": [300], "iscrowd": [1]},
        {"bbox": [SIDES], "categories": ["cat"], "id": [3], "iscrowd": [True]},
        [{"bbox": SIDES, "category": "cat", "id": 3, "iscrowd": 1}],
    ],
)
def test_the_shapes_of_objects(tmp_path: Path, objects: Any) -> None:
    found = read(tmp_path, objects, extras=True)
    assert boxes(found) == [("cat", BOX)]
    assert found.samples[0].labels.crowd.tolist() == [True]
    assert found.samples[0].extras[0].annotation_id == 3


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ({"bbox": [SIDES, SIDES], "category": ["cat"]}, "an object has no category"),
        ({"bbox": [SIDES], "category": ["cat", "dog"]}, "a bbox is not four numbers"),
        ({"bbox": [[1, 2, 3]], "category": ["cat"]}, "a bbox is not four numbers"),
    ],
)
def test_lists_of_two_lengths_leave_the_image_out(tmp_path: Path, objects: Any, words: str) -> None:
    found = read(tmp_path, objects)
    assert len(found) == 0
    assert words in refusals(found)[0]


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    text = json.dumps({"file_name": "a.png", "objects": {"bbox": [], "category": []}})
    found = read_text_beside(tmp_path, text + "\n{broken\n", "metadata.jsonl")
    assert len(found) == 1
    assert found.findings[0].where == "metadata.jsonl:2"


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow, the extra 'parquet'")
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


def row(image: Path | None, path: str | None = "a.png", category: Any = "cat") -> dict[str, Any]:
    content = {"bytes": image.read_bytes() if image else None, "path": path}
    return {"image": content, "objects": {"bbox": [[float(side) for side in SIDES]], "category": [category]}}


def test_images_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    first, second = (write_image(tmp_path / f"{seed}.png", (100, 50), seed) for seed in (1, 2))
    rows = [row(first), row(second), row(first, None), row(second, "../../../evil\\b.png")]
    found = read_dataset(write_parquet(tmp_path / "train-00000-of-00001.parquet", rows))
    assert found.splits == ("train",)
    assert [sample.path.read_bytes() for sample in found.samples if sample.name == "train/a.png"] == [
        first.read_bytes()
    ]
    assert len({sample.name for sample in found.samples}) == 4
    assert all(sample.path.is_relative_to(found.root) for sample in found.samples)


def test_numbers_without_names_stay_numbers(tmp_path: Path) -> None:
    image = write_image(tmp_path / "a.png", (100, 50))
    found = read_dataset(
        write_parquet(tmp_path / "data" / "x.parquet", [row(image, category=7)]).parent.parent
    )
    assert found.class_names == ("7",)


def test_a_row_without_image_is_left_out(tmp_path: Path) -> None:
    image = write_image(tmp_path / "a.png", (100, 50))
    found = read_dataset(write_parquet(tmp_path / "x.parquet", [row(None), row(image)]))
    assert len(found) == 1
    assert "row 1" in refusals(found)[0]


def test_what_is_not_a_table_of_boxes_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cut.parquet").write_bytes(b"PAR1" + bytes(20))
    pytest.importorskip("pyarrow", reason="needs pyarrow, the extra 'parquet'")
    with pytest.raises(DataError, match=r"cut\.parquet: is not a parquet file"):
        read_dataset(tmp_path / "cut.parquet")
    path = write_parquet(tmp_path / "text" / "x.parquet", [{"text": "hello"}])
    with pytest.raises(DataError, match="needs the columns image and objects"):
        read_dataset(path)


def test_without_pyarrow_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"needs pyarrow; pip install 'yolo-cli\[parquet\]'"):
        read_dataset(EXAMPLES / "hugging-face-parquet")
