from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.made_sets import write_coco, write_image, write_text, write_voc, write_yolo, yolo_line
from yolo_cli.datasets import Sample, open_dataset
from yolo_cli.datasets.sizes import image_header
from yolo_cli.detections import GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.images import read_image


@pytest.mark.parametrize("orientation", [None, 1, 2, 3, 4, 5, 6, 7, 8, 9])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_the_header_gives_the_size_of_the_image_that_is_read(
    tmp_path: Path, suffix: str, orientation: int | None
) -> None:
    path = write_image(tmp_path / f"x{suffix}", (48, 32), exif=orientation)
    image = read_image(path)
    assert image_header(path).upright == (image.height, image.width)


@pytest.mark.parametrize("suffix", [".bmp", ".ppm", ".gif"])
def test_sizes_of_forms_without_exif(tmp_path: Path, suffix: str) -> None:
    Image.new("RGB", (48, 32)).save(tmp_path / f"x{suffix}")
    assert image_header(tmp_path / f"x{suffix}").upright == (32, 48)


def test_a_header_beyond_64_kib_is_found(tmp_path: Path) -> None:
    # Two 40 kB comments precede the frame header.
    data = write_image(tmp_path / "x.jpg", (48, 32)).read_bytes()
    comment = b"\xff\xfe" + (40_000).to_bytes(2, "big") + bytes(39_998)
    (tmp_path / "x.jpg").write_bytes(data[:2] + comment * 2 + data[2:])
    assert image_header(tmp_path / "x.jpg").upright == (32, 48)


def test_a_changed_image_is_read_again(tmp_path: Path) -> None:
    path = write_image(tmp_path / "x.png", (48, 32))
    assert image_header(path).upright == (32, 48)
    write_image(path, (20, 90))
    assert image_header(path).upright == (90, 20)


@pytest.mark.parametrize("data", [b"", b"text", b"\xff\xd8\xff\xe0", None])
def test_no_size_is_a_clear_fault(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "x.jpg"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DataError, match=r"x\.jpg"):
        image_header(path)


def test_box_sizes_are_those_after_a_letterbox(tmp_path: Path) -> None:
    # The longer side of every image is 64, so at 416 all grow 6.5 times.
    sizes = open_dataset(write_yolo(tmp_path)).box_sizes(416)
    expected = np.array([[32, 24], [16, 24], [8, 32], [32, 24]]) * 6.5
    np.testing.assert_allclose(sizes, expected)


def test_crowds_have_no_box_sizes(tmp_path: Path) -> None:
    dataset = open_dataset(write_coco(tmp_path))
    sample = dataset.samples[0]
    crowd = GroundTruth(sample.labels.xyxy, sample.labels.class_id, np.array([True, False]))
    crowded = Sample(sample.name, sample.path, "train", 1, "", crowd, sample.rows)
    one = type(dataset)(dataset.root, "coco", dataset.class_names, (crowded,))
    np.testing.assert_allclose(one.box_sizes(64), [[16, 24]])


def test_class_counts(tmp_path: Path) -> None:
    dataset = open_dataset(write_voc(tmp_path))
    assert dataset.class_counts().tolist() == [2, 2]
    assert dataset.in_split("train").class_counts().tolist() == [1, 1]


def test_rows_must_fit_the_boxes() -> None:
    with pytest.raises(ValueError, match="2 rows for 0 boxes"):
        Sample("a", Path("a"), "all", "a", "", rows=(1, 2))


class TestContentHash:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return write_yolo(tmp_path / "here")

    def test_it_depends_on_the_content_and_not_on_the_folder(self, root: Path, tmp_path: Path) -> None:
        digest = open_dataset(root).content_hash
        shutil.copytree(root, tmp_path / "there")
        (tmp_path / "there" / "notes.md").write_text("ours")
        assert open_dataset(tmp_path / "there").content_hash == digest
        assert len(digest) == 64

    def test_it_does_not_see_how_labels_are_written(self, root: Path) -> None:
        digest = open_dataset(root).content_hash
        text = yolo_line(0, (32, 24, 64, 48), (64, 48)).replace(" ", "   ").replace("0.5", "5e-1")
        write_text(root / "labels" / "val" / "d.txt", f"\ufeff\r\n{text}\r\n\r\n")
        assert open_dataset(root).content_hash == digest

    @pytest.mark.parametrize(
        "change", ["box", "class", "negative", "pixel", "names", "image name", "split", "byte"]
    )
    def test_any_change_changes_it(self, root: Path, change: str) -> None:
        digest = open_dataset(root).content_hash
        label, image = root / "labels" / "val" / "d.txt", root / "images" / "val" / "d.jpg"
        yaml = root / "data.yaml"
        data = image.read_bytes()
        changed = data[:300] + bytes([data[300] ^ 1]) + data[301:]  # as long as before
        changes = {
            "box": lambda: write_text(label, yolo_line(0, (32, 24, 64, 46), (64, 48))),
            "class": lambda: write_text(label, yolo_line(1, (32, 24, 64, 48), (64, 48))),
            "negative": lambda: write_text(label, ""),
            "pixel": lambda: write_image(image, (64, 48), seed=99),
            "names": lambda: write_text(yaml, yaml.read_text().replace("cat, dog", "dog, cat")),
            "image name": lambda: [path.rename(path.with_stem("e")) for path in (label, image)],
            "byte": lambda: image.write_bytes(changed),
            "split": lambda: write_text(yaml, "train: images/val\nval: images/train\nnames: [cat, dog]\n"),
        }  # fmt: skip
        changes[change]()
        assert open_dataset(root).content_hash != digest


@pytest.mark.parametrize("declared", [None, (0, 64), (48, 0), (-1, 64)])
def test_without_a_file_a_size_that_is_none_is_an_error(
    tmp_path: Path, declared: tuple[int, int] | None
) -> None:
    sample = Sample("a.jpg", tmp_path / "a.jpg", "all", "a", "", declared_size=declared)
    with pytest.raises(DataError):
        _ = sample.size
