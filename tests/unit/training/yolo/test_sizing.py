"""Input, heads and anchors for a data set."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from yolo_cli.codec import Head
from yolo_cli.detections import GroundTruth
from yolo_cli.training.yolo.sizing import (
    advise_tiles,
    choose_heads,
    choose_size,
    network_boxes,
    trainable_heads,
    usual_size,
)

COARSE = Head("yolo", ((81.0, 82.0), (135.0, 169.0), (344.0, 319.0)), 32, 80, 1.05)
FINE = Head("yolo", ((23.0, 27.0), (37.0, 58.0), (81.0, 82.0)), 16, 80, 1.05)


@dataclass
class FakeSample:
    size: tuple[int, int]
    ground_truth: GroundTruth


@dataclass
class FakeData:
    samples: list[FakeSample]
    class_names: tuple[str, ...] = ("a", "b")
    said: list[str] = field(default_factory=list)
    key_points: None = None


def data(
    size: tuple[int, int], sides: list[tuple[float, float]], class_id: int = 0, count: int = 10
) -> FakeData:
    """``count`` images, each with a box of each of these widths and heights in its corner."""
    boxes = np.array([[0, 0, w, h] for w, h in sides], float).reshape(-1, 4)
    return FakeData(
        [FakeSample(size, GroundTruth(boxes, np.full(len(boxes), class_id))) for _ in range(count)]
    )


def test_images_of_four_by_three_by_hand() -> None:
    # 416² = 173056 pixels at 4 : 3 are 480.4 × 360.3, in strides 15.01 × 11.26. Of 480 or 512 by 352 or 384:
    # 480 × 384 = 184320 is within 8 % and shows the image at 480 / 480.4; 512 × 384 is too much.
    assert choose_size(data((480, 640), [(60, 60)]), (416, 416), 32) == (384, 480)


def test_upright_images_get_an_upright_input() -> None:
    assert choose_size(data((640, 480), [(60, 60)]), (416, 416), 32) == (480, 384)


def test_large_objects_need_a_smaller_input() -> None:
    # 640 px become 416: a box of 200 px is 130 there, well above 64. So the area is that of 320².
    assert choose_size(data((640, 640), [(200, 200)]), (416, 416), 32) == (320, 320)


def test_small_objects_get_a_larger_input() -> None:
    # In 384 × 480 a box of 40 px is 30, below 32. 512² at 4 : 3 are 591.2 × 443.4, in strides 18.5 × 13.9:
    # 608 × 448 is 1.04 times that area, within 1.08.
    small = data((480, 640), [(40, 40)])
    assert choose_size(small, (416, 416), 32) == (448, 608)
    assert usual_size(small, (416, 416), 32) == (384, 480)
    # Images that have fewer pixels are enlarged: finer cells tell neighbours apart.
    assert choose_size(data((416, 416), [(20, 20)]), (416, 416), 32) == (512, 512)


def test_objects_that_are_small_in_large_images_get_as_many_pixels_as_they_need() -> None:
    # 480 × 384 for 1024 × 768: a box of 40 px is 18.75 there, and 32 in an area (32 / 18.75)² = 2.91 times as
    # large, 536,871: sides of 846 × 635, in strides 26.4 × 19.8. 864 × 640 is 1.03 times that.
    assert choose_size(data((768, 1024), [(40, 40)]), (416, 416), 32) == (640, 864)
    # One of 20 px would need four times that. It gets 768² = 589,824: 887 × 665. 896 × 672 is 1.02 times that
    assert choose_size(data((768, 1024), [(20, 20)]), (416, 416), 32) == (672, 896)
    # Not more than the images have: 640 × 480 = 307,200 for 10 px.
    assert choose_size(data((480, 640), [(10, 10)]), (416, 416), 32) == (480, 640)
    # The class with the smallest objects decides.
    both = FakeData(
        data((768, 1024), [(300, 300)]).samples + data((768, 1024), [(40, 40)], class_id=1).samples
    )
    assert choose_size(both, (416, 416), 32) == (640, 864)


def test_tiles_are_advised_where_a_class_stays_tiny() -> None:
    # 3000 × 2000 at 960 × 640: 40 px become 12.8, below 16; the images have 9.8 times the pixels.
    said: list[str] = []
    advise_tiles(data((2000, 3000), [(40, 40)]), (640, 960), said.append)
    [line] = said
    assert line.startswith("objects of a are 13 pixels large at 640x960, 40 in the images: ")
    assert "yolo convert --tile" in line


@pytest.mark.parametrize(
    ("size", "side"),
    [
        ((2000, 3000), 51),  # 16.3 px
        ((640, 960), 15),  # tiles show it no larger
    ],
)
def test_tiles_are_not_advised_in_vain(size: tuple[int, int], side: int) -> None:
    advise_tiles(data(size, [(side, side)]), (640, 960), pytest.fail)


def test_mixed_aspects_get_a_square() -> None:
    wide, high = data((480, 640), [(60, 60)], count=5), data((640, 480), [(60, 60)], count=5)
    assert choose_size(FakeData(wide.samples + high.samples), (416, 416), 32) == (416, 416)


def test_tiny_images_are_not_blown_up() -> None:
    assert choose_size(data((64, 64), [(10, 10)]), (416, 416), 32) == (96, 96)  # 1.5 × 64


def test_boxes_are_measured_in_the_input() -> None:
    # 640 × 480 in 480 × 384: scaled by 480 / 640 = 0.75. Crowds do not count.
    made = data((480, 640), [(40, 20)], count=1)
    crowd = GroundTruth(np.array([[0.0, 0, 99, 99]]), np.array([0]), np.array([True]))
    made.samples.append(FakeSample((480, 640), crowd))
    assert network_boxes(made, (384, 480)).tolist() == [[30, 15]]


def test_a_small_class_adds_a_finer_head() -> None:
    said: list[str] = []
    heads = choose_heads(data((416, 416), [(20, 20)]), (416, 416), (416, 416), (COARSE, FINE), 0, said.append)
    assert [head.stride for head in heads] == [32, 16, 8]
    assert heads[2].anchors == ((11.5, 13.5), (18.5, 29.0), (40.5, 41.0))
    assert "third head" in said[0]


def test_a_class_that_only_the_larger_input_made_larger_has_the_finer_head_too() -> None:
    # 28 px of 416 are small; in 512 they are 34.5, and would not be.
    made = data((416, 416), [(28, 28)])
    count = [
        len(choose_heads(made, (512, 512), each, (COARSE, FINE), 0, print))
        for each in ((416, 416), (512, 512))
    ]
    assert count == [3, 2]


def test_nine_small_boxes_are_too_few_to_decide() -> None:
    few = data((416, 416), [(20, 20)], count=9)
    assert len(choose_heads(few, (416, 416), (416, 416), (COARSE, FINE), 0, print)) == 2


def test_present_anchors_stay_where_they_fit() -> None:
    sides = [(w + d, h + d) for head in (COARSE, FINE) for w, h in head.anchors for d in (0, 1, 2)]
    heads = choose_heads(data((416, 416), sides), (416, 416), (416, 416), (COARSE, FINE), 0, print)
    assert heads == trainable_heads((COARSE, FINE), 2)


def test_new_anchors_come_where_they_fit_better() -> None:
    said: list[str] = []
    sides = [(float(w), 240.0) for w in range(40, 80)]
    heads = choose_heads(data((416, 416), sides), (416, 416), (416, 416), (COARSE, FINE), 0, said.append)
    areas = [w * h for head in heads for w, h in head.anchors]
    assert min(areas[:3]) > max(areas[3:])  # the coarse head has the large ones
    assert "new anchors" in said[0]


@pytest.mark.parametrize("kind", ["region", "new_coords", "yolo"])
def test_every_kind_of_head_becomes_one_that_can_be_trained(kind: str) -> None:
    (head,) = trainable_heads([Head(kind, FINE.anchors, 16, 80)], 3)
    assert (head.kind, head.class_count, head.scale_x_y) == ("yolo", 3, 2.0)
