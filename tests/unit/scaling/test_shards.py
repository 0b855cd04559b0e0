"""Sources become shards that have every image once, in order, whatever holds the images."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import encode_image
from yolo_cli.scaling import plan_shards


def png(width):
    """An image that its width tells from others."""
    return encode_image(np.full((6, width, 3), 50, np.uint8), ".png")


def read(shards):
    """Name and width of each image, or its error."""
    found = []
    for shard in shards:
        for item in shard.items():
            try:
                found.append((item.name, item.read().width))
            except DataError as fault:
                found.append((item.name, fault.text))
    return found


def write_tar(path, members):
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").mkdir()
    for width in range(1, 8):
        (tmp_path / "p" / f"{width}.png").write_bytes(png(width))
    return tmp_path


@pytest.mark.parametrize(("size", "counts"), [(3, [3, 3, 1]), (7, [7]), (100, [7]), (1, [1] * 7)])
def test_a_folder_of_images(place, size, counts):
    shards = plan_shards(["p"], size=size)
    assert [len(shard.names) for shard in shards] == counts
    assert [shard.number for shard in shards] == list(range(len(counts)))
    assert read(shards) == [(f"p/{width}.png", width) for width in range(1, 8)]


def test_a_list_and_a_glob(place):
    (place / "list.txt").write_text("p/3.png\np/1.png\n")
    assert [width for _, width in read(plan_shards(["list.txt", "p/[45].png"]))] == [3, 1, 4, 5]


def test_webdataset_tars_are_a_shard_each(place):
    (place / "t").mkdir()
    write_tar(place / "t" / "b.tar", {"x.png": png(4), "x.json": b"{}", "y.png": b"no image"})
    write_tar(place / "t" / "a.tar", {"deep/z.png": png(9)})
    shards = plan_shards(["t"])
    assert [shard.archive for shard in shards] == ["t/a.tar", "t/b.tar"]
    found = read(shards)
    assert found[:2] == [("t/a.tar/deep/z.png", 9), ("t/b.tar/x.png", 4)]
    assert found[2][1].startswith("t/b.tar/y.png: ")
    assert len(found) == 3


@pytest.mark.parametrize("name", ["cut.tar", "cut.parquet"])
def test_an_archive_that_is_cut_is_one_error(place, name):
    write_tar(place / "whole.tar", {"x.png": png(4), "y.png": bytes(9000)})
    table = pa.table({"bytes": [png(4)] * 9})
    parquet.write_table(table, place / "whole.parquet")
    shards = plan_shards([f"whole.{name[4:]}"])
    data = (place / f"whole.{name[4:]}").read_bytes()
    (place / f"whole.{name[4:]}").write_bytes(data[: len(data) * 2 // 3])
    errors = [value for _, value in read(shards) if isinstance(value, str)]
    assert len(errors) == 1
    assert "\n" not in errors[0]


def test_parquet_of_paths_is_read_from_its_folder(place):
    parquet.write_table(pa.table({"path": ["p/2.png", "p/6.png", "gone.png"]}), place / "paths.parquet")
    found = read(plan_shards(["paths.parquet"]))
    assert found[:2] == [("p/2.png", 2), ("p/6.png", 6)]
    assert found[2] == ("gone.png", "gone.png: no such file")


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"bytes": [png(3), png(5)]}, ["b.parquet#0-0", "b.parquet#0-1"]),
        ({"path": ["a", "b"], "bytes": [png(3), png(5)]}, ["a", "b"]),
        (
            {"image": [{"bytes": png(3), "path": "a"}, {"bytes": png(5), "path": None}]},
            ["a", "b.parquet#0-1"],
        ),
    ],
)
def test_parquet_of_bytes(place, columns, names):
    parquet.write_table(pa.table(columns), place / "b.parquet")
    assert read(plan_shards(["b.parquet"])) == list(zip(names, [3, 5], strict=True))


def test_each_row_group_is_a_shard(place):
    table = pa.table({"bytes": [png(width) for width in range(1, 6)]})
    parquet.write_table(table, place / "b.parquet", row_group_size=2)
    shards = plan_shards(["b.parquet", "p"], size=4)
    assert [(shard.row_group, len(shard.names)) for shard in shards] == [
        (0, 0),
        (1, 0),
        (2, 0),
        (0, 4),
        (0, 3),
    ]
    assert [width for _, width in read(shards)] == [1, 2, 3, 4, 5, *range(1, 8)]


def test_what_is_not_for_many_machines_is_told(place):
    parquet.write_table(pa.table({"colour": ["red"]}), place / "b.parquet")
    assert "needs a column path or bytes" in read(plan_shards(["b.parquet"]))[0][1]
    (place / "a.mp4").write_bytes(b"video")
    with pytest.raises(UsageError, match="not videos"):
        plan_shards(["a.mp4"])
    with pytest.raises(DataError):
        plan_shards(["nothing"])
