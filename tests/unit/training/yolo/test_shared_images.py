"""Decoded images in shared memory: the same as from files, kept up to a limit."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_sets import write_text
from yolo_cli.datasets import open_dataset
from yolo_cli.training.yolo.data import Images
from yolo_cli.training.yolo.memory import allocate, attach
from yolo_cli.training.yolo.shared_images import SharedImages, images_layout

SIZES = ((30, 40), (20, 50), (64, 48), (10, 10))  # height and width of the files


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """Images whose longer side is at most 1.5 × 24 = 36 pixels: three of the four are shrunk."""
    rng = np.random.default_rng(0)
    for number, size in enumerate(SIZES):
        path = tmp_path / "images" / "train" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", rng.integers(0, 256, (*size, 3), np.uint8))[1].tobytes())
        write_text(tmp_path / "labels" / "train" / f"{number}.txt", "0 0.5 0.5 0.25 0.5\n" * number)
    write_text(tmp_path / "data.yaml", "train: images/train\nnames: [thing]\n")
    return Images(open_dataset(tmp_path).samples, 24)


def shared(images: Images, count: int, limit: int = 1 << 20) -> list[SharedImages]:
    """The same memory as ``count`` processes see it; the first is the parent's."""
    memory = allocate(images_layout(images))
    views = [SharedImages(images, memory, limit) for _ in range(count)]
    os.close(memory)
    return views


def assert_same(one, other) -> None:
    np.testing.assert_array_equal(one[0], other[0])
    assert one[0].dtype == other[0].dtype == np.uint8
    assert one[1].xyxy.tobytes() == other[1].xyxy.tobytes()
    assert one[1].class_id.tolist() == other[1].class_id.tolist()


def test_what_one_worker_decoded_all_others_have(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    parent, first, second = shared(images, 3)
    for index in range(len(first)):
        assert_same(first[index], images[index])
    parent.keep(first.take_written())
    assert first.take_written() == []

    def read(*_: object) -> None:
        raise AssertionError("it is in memory")

    monkeypatch.setattr(second, "read", read)
    for index in range(len(second)):
        assert_same(second[index], images[index])


def test_nobody_uses_an_image_before_the_parent_declares_it_kept(images: Images) -> None:
    _, first, second = shared(images, 3)
    first[0]
    second[0]
    assert (first.take_written(), second.take_written()) == ([0], [0])


def test_images_are_kept_up_to_a_limit(images: Images) -> None:
    """Bytes: 27 × 36 × 3 = 2,916, then 14 × 36 × 3 = 1,512; 4,428 together."""
    parent, worker = shared(images, 2, limit=4000)
    for index, wanted in enumerate(([0], [1], [], [])):
        assert_same(worker[index], images[index])
        written = worker.take_written()
        assert written == wanted
        parent.keep(written * 2)  # two workers may write the same image; it counts once


def test_arrays_share_memory_and_are_aligned() -> None:
    layout = {"a": (np.uint8, (3,)), "b": (np.float32, (2, 5))}
    memory = allocate(layout)
    one, other = attach(memory, layout), attach(memory, layout)
    os.close(memory)
    one["b"][1] = 7
    assert other["b"].tolist() == [[0] * 5, [7] * 5]
    assert other["a"].tolist() == [0, 0, 0]
    assert {array.ctypes.data % 64 for array in one.values()} == {0}
