from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.shared import SHARED, needs_shared
from yolo_cli.anchors import (
    Anchors,
    best_possible_recall,
    draw_anchors,
    fit_anchors,
    known_anchors,
    mean_iou,
    read_anchors,
    write_anchors,
)
from yolo_cli.datasets import open_dataset
from yolo_cli.errors import DataError, UsageError

# Three heaps of box sizes, each of 20 around its middle.
HEAPS = np.array([[20.0, 40], [100, 50], [300, 280]])
BOXES = np.concatenate([heap * np.linspace(0.9, 1.1, 20)[:, None] for heap in HEAPS])


def slow_best_iou(box, anchors) -> float:
    """The oracle: loops, and areas of rectangles on one centre."""
    found = []
    for w, h in anchors:
        both = min(box[0], w) * min(box[1], h)
        found.append(both / (box[0] * box[1] + w * h - both))
    return max(found)


class TestFigures:
    def test_by_hand(self) -> None:
        # With the anchor 10x20: box 10x10 shares 100 of 200, IoU .5; box 20x20 shares 200 of 400, IoU .5;
        # box 10x20 has 1; box 40x5 shares 10 * 5 = 50 of 200 + 200 - 50 = 350, IoU 1/7.
        boxes = np.array([[10.0, 10], [20, 20], [10, 20], [40, 5]])
        anchors = np.array([[10.0, 20]])
        assert mean_iou(boxes, anchors) == pytest.approx((0.5 + 0.5 + 1 + 1 / 7) / 4)
        assert best_possible_recall(boxes, anchors) == 0.75
        assert best_possible_recall(boxes, anchors, iou=0.51) == 0.25
        assert best_possible_recall(boxes, anchors, iou=0.1) == 1

    def test_against_loops(self) -> None:
        rng = np.random.default_rng(5)
        boxes, anchors = rng.uniform(1, 400, (60, 2)), rng.uniform(1, 400, (7, 2))
        best = [slow_best_iou(box, anchors) for box in boxes]
        assert mean_iou(boxes, anchors) == pytest.approx(np.mean(best))
        assert best_possible_recall(boxes, anchors, 0.6) == np.mean([iou >= 0.6 for iou in best])

    def test_no_boxes_have_no_figures(self) -> None:
        assert np.isnan(mean_iou(np.zeros((0, 2)), HEAPS))
        assert np.isnan(best_possible_recall(np.zeros((0, 2)), HEAPS))


class TestFit:
    def test_three_heaps_give_their_middles(self) -> None:
        np.testing.assert_allclose(fit_anchors(BOXES, 3), HEAPS)

    def test_one_anchor_is_the_median(self) -> None:
        # The IoU of 4x9 with them is 1/4, 1/2, 1, 1/2, 1/4, in all 2.5; of 2x9 it is 1/2, 1, 1/2, 1/4, 1/8.
        boxes = np.array([[1.0, 9], [2, 9], [4, 9], [8, 9], [16, 9]])
        assert fit_anchors(boxes, 1).tolist() == [[4, 9]]

    def test_as_many_as_sizes_are_the_sizes(self) -> None:
        boxes = np.array([[30.0, 10], [5, 5], [30, 10], [7, 7], [5, 5]])
        assert fit_anchors(boxes, 3).tolist() == [[5, 5], [7, 7], [30, 10]]
        with pytest.raises(DataError, match="only 3 different sizes, too few for 4 anchors"):
            fit_anchors(boxes, 4)

    def test_of_many_boxes_a_seeded_draw_decides(self) -> None:
        boxes = np.repeat(BOXES, 500, axis=0)  # 30,000
        first = fit_anchors(boxes, 3, seed=1, starts=2)
        np.testing.assert_allclose(first, HEAPS, rtol=0.02)
        np.testing.assert_array_equal(first, fit_anchors(boxes, 3, seed=1, starts=2))

    @pytest.mark.parametrize(("k", "starts"), [(0, 1), (-1, 1), (101, 1), (3, 0)])
    def test_senseless_numbers(self, k: int, starts: int) -> None:
        with pytest.raises(UsageError):
            fit_anchors(BOXES, k, starts=starts)

    @pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
    def test_senseless_boxes(self, bad: float) -> None:
        with pytest.raises(DataError, match="above 0"):
            fit_anchors(np.array([[1.0, 2], [bad, 3]]), 1)

    def test_no_boxes(self) -> None:
        with pytest.raises(DataError, match="only 0 different"):
            fit_anchors(np.zeros((0, 2)), 1)

    @pytest.mark.parametrize(
        ("name", "figure"),
        [
            pytest.param("bccd", 0.867, marks=needs_shared("data", "bccd")),
            pytest.param("fridge", 0.835, marks=needs_shared("data", "fridge")),
        ],
    )
    def test_real_boxes_are_fitted_better_than_by_the_published(self, name: str, figure: float) -> None:
        boxes = open_dataset(SHARED / "data" / name).in_split("train").box_sizes(416)
        fitted = mean_iou(boxes, fit_anchors(boxes, 6))
        assert fitted == pytest.approx(figure, abs=0.006)
        assert fitted > mean_iou(boxes, read_anchors("yolov4-tiny").wh) + 0.05


class TestFiles:
    def test_what_comes_with_the_program(self) -> None:
        assert known_anchors() == (
            "yolov2-coco", "yolov2-tiny-voc", "yolov2-voc", "yolov3", "yolov3-tiny", "yolov4-tiny",
        )  # fmt: skip
        for name in known_anchors():
            anchors = read_anchors(name)
            assert (anchors.name, anchors.imgsz) == (name, 416)
            assert "github.com" in anchors.source

    def test_the_published_numbers(self) -> None:
        # YOLO9000's anchors are in cells of 32 pixels: 1.3221 * 32 = 42.3072.
        voc = [1.3221, 1.73145, 3.19275, 4.00944, 5.05587, 8.09892, 9.47112, 4.84053, 11.2364, 10.0071]
        np.testing.assert_allclose(read_anchors("yolov2-voc").wh.ravel(), np.array(voc) * 32, atol=1e-9)
        tiny = [10, 14, 23, 27, 37, 58, 81, 82, 135, 169, 344, 319]
        assert read_anchors("yolov3-tiny").wh.ravel().tolist() == tiny
        assert read_anchors("yolov4-tiny").wh.ravel().tolist() == tiny

    @pytest.mark.parametrize(
        ("name", "cfg", "cell"),
        [("yolov2-coco", "yolov2", 32), ("yolov2-tiny-voc", "yolov2-tiny-voc", 32), ("yolov3", "yolov3", 1)],
    )
    @needs_shared("darknet", "architectures")
    def test_against_darknets_own_files(self, name: str, cfg: str, cell: int) -> None:
        text = (SHARED / "darknet" / "architectures" / f"{cfg}.cfg").read_text()
        numbers = re.findall(r"^anchors\s*=(.*)", text, re.MULTILINE)[0].split(",")
        np.testing.assert_allclose(read_anchors(name).wh.ravel(), np.array(numbers, float) * cell, atol=1e-9)

    def test_at_another_size(self) -> None:
        np.testing.assert_allclose(read_anchors("yolov3").at(208)[-1], [186.5, 163])

    def test_there_and_back(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "mine.yaml"
        written = Anchors(np.array([[10.25, 13], [0.001, 400.129]]), 608, "mine: größer", 'by "me"')
        write_anchors(path, written)
        read = read_anchors(path)
        assert (read.name, read.imgsz, read.source) == ("mine: größer", 608, 'by "me"')
        assert read.wh.tolist() == [[10.25, 13], [0.01, 400.13]]
        assert [p.name for p in path.parent.iterdir()] == ["mine.yaml"]

    def test_a_file_in_the_way_of_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_anchors(tmp_path / "yolov3", Anchors(np.array([[1.0, 2]])))
        monkeypatch.chdir(tmp_path)
        assert len(read_anchors("yolov3").wh) == 1

    def test_no_such_anchors(self) -> None:
        for name in ("yolov9", "nowhere/mine.yaml", ""):
            with pytest.raises(UsageError, match="one of yolov2-coco, "):
                read_anchors(name)

    @pytest.mark.parametrize(
        "text",
        ["", "[]", "anchors:", "anchors: []", "anchors: [1, 2]", "anchors: [[1, 2, 3]]", "anchors: [[1, x]]",
         "anchors: [[1, -2]]", "anchors: [[1, .nan]]", "anchors: [[1, .inf]]", "anchors: [[true, 2]]",
         "a: b: c", "anchors: [[1, 2]]\nimgsz: big", "anchors: [[1, 2]]\nimgsz: 0", "\0", "[" * 1500],
    )  # fmt: skip
    def test_what_is_no_file_of_anchors(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "bad.yaml"
        path.write_text(text)
        with pytest.raises(DataError, match=r"bad\.yaml") as caught:
            read_anchors(path)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("wh", [np.zeros((0, 2)), np.ones(4), np.ones((2, 3)), [[0.0, 1]], [[np.nan, 1]]])
    def test_anchors_are_sizes(self, wh: object) -> None:
        with pytest.raises(ValueError, match="positive finite numbers"):
            Anchors(np.asarray(wh))


def test_the_image_shows_boxes_and_anchors() -> None:
    mine = Anchors(fit_anchors(BOXES, 3), 416, "mine")
    image = draw_anchors(BOXES, mine, read_anchors("yolov4-tiny"))
    assert (image.shape, image.dtype) == ((640, 1200, 3), np.uint8)
    for colour in ([31, 119, 180], [255, 127, 14]):  # the new ones blue, the present ones orange
        assert (image == colour).all(axis=2).sum() > 500


def test_drawing_leaves_no_state_of_pyplot_behind() -> None:
    import subprocess
    import sys

    code = (
        "import sys, numpy as np, yolo_cli.anchors as a\n"
        "assert 'matplotlib' not in sys.modules\n"
        "a.draw_anchors(np.ones((3, 2)), a.Anchors(np.ones((1, 2))), a.read_anchors('yolov3'))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
