"""The pyramid and its grid, by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.contract import assert_is_detector, sample_images
from yolo_cli.config import DetectConfig
from yolo_cli.detectors.conv_sliding_window import ConvSlidingWindow
from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.regions import RegionDetector
from yolo_cli.detectors.sliding_window import SlidingWindow
from yolo_cli.detectors.windows import STRIDE, WINDOW, Level, Pyramid, levels
from yolo_cli.images import Image
from yolo_cli.letterbox import GREY
from yolo_cli.weights import ModelCard

ONE_LEVEL = Pyramid((0.5,), (1.0,))


def make_image(height: int, width: int) -> Image:
    return Image(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


@pytest.mark.parametrize(("height", "width", "rows", "columns"), [(160, 320, 2, 10), (320, 160, 10, 2)])
def test_one_level_by_hand(height, width, rows, columns):
    # Windows of 0.5 · 320 = 160 pixels; the longer side becomes 320 · 128 / 160 = 256, the shorter 128.
    # (256 - 128) / 16 + 1 = 9 windows along the longer side, (128 - 128) / 16 + 1 = 1 along the shorter.
    [level] = levels(make_image(height, width), ONE_LEVEL)
    assert level.rgb.shape[:2] == ((128, 256) if width > height else (256, 128))
    assert (level.rows, level.columns) == (rows - 1, columns - 1)
    first, second = level.windows[:2]
    assert first.tolist() == [0, 0, 160, 160]
    assert second.tolist() == ([20, 0, 180, 160] if width > height else [0, 20, 160, 180])
    assert level.windows[-1].tolist() == ([160, 0, 320, 160] if width > height else [0, 160, 160, 320])


def test_aspect_is_width_over_height():
    [level] = levels(make_image(320, 320), Pyramid((0.5,), (2.0,)))
    width, height = level.windows[0, 2:]
    assert width / height == pytest.approx(2, rel=0.02)
    assert width * height == pytest.approx(160**2, rel=0.02)


def test_the_rest_is_grey():
    # 300 · 128 / 150 = 256 by 170 · 128 / 150 = 145: one step of 16 beyond 128 does not do, so 160 it is.
    [level] = levels(make_image(170, 300), ONE_LEVEL)
    assert level.rgb.shape == (160, 256, 3)
    assert (level.rgb[145:] == GREY).all()
    assert not (level.rgb[144] == GREY).all()


def test_crops_are_the_windows_row_by_row():
    rgb = make_image(WINDOW + 2 * STRIDE, WINDOW + STRIDE).rgb
    level = Level(rgb, np.ones(2))
    crops = np.concatenate(list(level.crops()))
    assert len(crops) == level.rows * level.columns == 3 * 2
    for crop, (x1, y1, x2, y2) in zip(crops, level.windows.astype(int), strict=True):
        assert np.array_equal(crop, rgb[y1:y2, x1:x2])


def test_windows_far_larger_than_the_image_are_left_out():
    flat = make_image(60, 400)  # a window of 400 x 400 would show 60 rows of image and 340 of nothing
    assert all(level.windows[0, 3] < 1.5 * 60 for level in levels(flat, Pyramid()))


@pytest.mark.parametrize(("height", "width"), [(20, 400), (400, 20)])
def test_an_image_too_narrow_for_the_pyramid_has_windows_of_its_shorter_side(height, width):
    # The smallest window has 0.25 · 400 = 100 pixels, more than 1.5 · 20, so that none fits. Windows of
    # 20 x 20 instead: the longer side becomes 400 · 128 / 20 = 2560, (2560 - 128) / 16 + 1 = 153 windows.
    [level] = levels(make_image(height, width), Pyramid())
    assert sorted((level.rows, level.columns)) == [1, 153]
    assert level.windows[0].tolist() == [0, 0, 20, 20]
    assert level.windows[-1].tolist() == [max(width - 20, 0), max(height - 20, 0), width, height]


def test_a_level_of_the_longest_image_fits_into_memory():
    [level] = levels(make_image(1, 10_000), Pyramid())
    assert level.rgb.shape == (128, 32 * 128, 3)  # windows of 10,000 / 32 pixels


@pytest.mark.parametrize("image", sample_images(), ids=lambda image: image.name)
def test_there_is_always_a_window(image):
    assert len(list(levels(image, Pyramid()))) > 0


class Brightness:
    """A network that says how bright a window's upper left pixel is, as crops and as a whole."""

    def run(self, batch):
        rows = (batch.shape[1] - WINDOW) // STRIDE + 1
        columns = (batch.shape[2] - WINDOW) // STRIDE + 1
        value = batch[:, : rows * STRIDE : STRIDE, : columns * STRIDE : STRIDE, 0].astype(np.float32) / 64
        return [np.stack([value, -value, 0 * value], axis=-1)]  # (B, rows, columns, 3), background last

    def multiply_accumulates(self, batch):
        """As if each pixel cost one."""
        return int(np.prod(batch.shape[:3]))


CARD = ModelCard("fake", ("bright", "dark"), (), (WINDOW, WINDOW), "stretch")


@pytest.mark.parametrize("image", sample_images()[:3], ids=lambda image: image.name)
def test_both_ways_put_the_scores_in_the_same_order(image):
    crops, whole = SlidingWindow(Brightness()), ConvSlidingWindow(Brightness())
    scan = crops.view(image)
    windows = crops.propose(scan)
    one, other = crops.classify(scan, windows), whole.classify(scan, windows)
    assert one.scores.shape == (len(windows), 2)
    assert np.array_equal(one.scores, other.scores)
    assert np.array_equal(one.xyxy[:, 0], windows)


@pytest.mark.parametrize("method", [SlidingWindow, ConvSlidingWindow])
def test_they_are_detectors(method):
    assert_is_detector(RegionDetector(method(Brightness()), CARD, DetectConfig(conf=0.5)))


@pytest.mark.parametrize("method", [SlidingWindow, ConvSlidingWindow])
def test_other_boxes_than_its_windows_have_no_scores(method):
    scanner = method(Brightness())
    scan = scanner.view(make_image(160, 320))
    with pytest.raises(ValueError, match="only the windows"):
        scanner.classify(scan, scanner.propose(scan)[1:])


@pytest.mark.parametrize("method", [SlidingWindow, ConvSlidingWindow])
def test_each_level_is_resized_once(method, monkeypatch):
    sizes = []

    def resize(rgb, size, **options):
        sizes.append(size)
        return cv2_resize(rgb, size, **options)

    cv2_resize = cv2.resize
    monkeypatch.setattr(cv2, "resize", resize)
    image = make_image(160, 320)
    RegionDetector(method(Brightness()), CARD).detect([image])
    resized = len(sizes)
    assert resized == len(list(levels(image, Pyramid())))


def test_what_they_cost():
    image = make_image(160, 320)  # one level of 256 x 128 pixels, 9 windows of 128 x 128
    assert SlidingWindow(Brightness(), ONE_LEVEL).cost(image) == Cost(0, 128 * 128)
    assert ConvSlidingWindow(Brightness(), ONE_LEVEL).cost(image) == Cost(256 * 128, 0)
