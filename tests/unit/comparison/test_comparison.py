"""What is measured is what the detectors do."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.comparisons import data
from tests.images import smooth
from tests.shared import ROOT
from yolo_cli.comparison import ENTRIES, compare, measure, open_images
from yolo_cli.comparison.memory import reset_peak
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import load_detector
from yolo_cli.images import write_image

YOLO = next(one for one in ENTRIES if one.name == "YOLO")


def test_yolo_on_one_image():
    done: list[int] = []
    found = measure(YOLO, data("cat.jpg"), config=DetectConfig(conf=0.25), progress=done.append)
    assert done == [1]
    assert found.row.finished
    assert found.row.map50 == 1.0  # the cat fills the image
    assert found.row.recall is None  # YOLO proposes nothing
    assert found.row.regions == (13 * 13 + 26 * 26) * 3
    assert found.row.multiply_accumulates == 3_453_938_176  # 6.9 BFLOPs, two for each
    yolo = load_detector(engine="onnx", config=DetectConfig(conf=0.25))  # as compare does
    [same] = yolo.detect([data("cat.jpg").samples[0].read()])
    assert np.array_equal(found.found["cat.jpg"].xyxy, same.xyxy)


def test_a_time_limit_leaves_at_least_one_image():
    found = measure(YOLO, data("cat.jpg", "coffee.jpg"), time_limit=0)
    assert (found.row.images, found.row.finished) == (1, False)
    assert list(found.found) == ["cat.jpg"]


def test_without_labels_there_is_no_accuracy():
    unlabelled = replace(data("cat.jpg"), class_names=())
    found = measure(YOLO, unlabelled)
    assert (found.row.map50, found.row.recall) == (None, None)


def test_a_comparison_has_the_figures_of_each_entry_in_order():
    fast, told = next(one for one in ENTRIES if one.name == "Fast R-CNN"), []
    compared = compare(
        data("cat.jpg"),
        [fast, YOLO],
        started=lambda e: told.append(e.name),
        finished=told.append,
    )
    assert [row.name for row in compared.rows] == ["Fast R-CNN", "YOLO"]
    assert told == ["Fast R-CNN", compared.rows[0], "YOLO", compared.rows[1]]
    assert compared.to_dict()["images"] == 1
    assert compared.to_dict()["detectors"][1]["map50"] == 1.0
    assert compared.rows[0].regions == len(compared.measured[0].regions) > 100
    assert compared.rows[0].recall == 1.0


def test_an_image_that_cannot_be_read_is_named_and_left_out(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"hello")
    (tmp_path / "b.jpg").write_bytes((ROOT / "examples" / "cat.jpg").read_bytes())
    said = []
    images = open_images(str(tmp_path), say=said.append)
    assert [sample.name for sample in images.samples] == ["b.jpg"]
    assert said[0].startswith("left out 1 image of 2: a.jpg: holds text, not an image")


def test_an_image_of_extreme_shape_ends_no_entry(tmp_path):
    write_image(tmp_path / "long.png", smooth(9, 90))
    compared = compare(open_images(str(tmp_path)), [entry for entry in ENTRIES if entry.name != "R-CNN"])
    assert all(row.finished for row in compared.rows)


@pytest.mark.parametrize(("limit", "names"), [(None, "abcdefg"), (3, "ace"), (7, "abcdefg"), (9, "abcdefg")])
def test_a_limit_takes_evenly_spaced_images(tmp_path, limit, names):
    # 7 images for 3 places: a step of 7 / 3 = 2.33, so the images 0, 2 and 4.
    for name in "gfedcba":
        write_image(tmp_path / f"{name}.png", smooth(8, 8))
    (tmp_path / "notes.txt").write_text("")
    found = open_images(str(tmp_path), limit=limit)
    assert [sample.name for sample in found.samples] == [f"{name}.png" for name in names]
    assert found.class_names == ()


def test_memory_peaks_and_is_forgotten():
    if not reset_peak():
        pytest.skip("this system does not report the peak of memory")
    script = """
import numpy as np
from yolo_cli.comparison.memory import peak_memory, reset_peak
reset_peak()
before = peak_memory()
block = np.ones(30_000_000)  # 240 MB
held = peak_memory() - before
del block
reset_peak()
print(held > 200e6, peak_memory() - before < 100e6)
"""  # in a process of its own: one that ran many tests has free memory to take it from, and keeps it
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"
