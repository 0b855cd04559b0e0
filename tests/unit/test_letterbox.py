"""The letterbox: one landscape and one portrait image placed by hand, and what it does to pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from yolo_cli.letterbox import GREY, Letterbox


def noise(height, width):
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def placed(fitted):
    return fitted.scaled_height, fitted.scaled_width, fitted.top, fitted.left


def test_landscape():
    # 500 x 375 into 416 x 416: 416/500 < 416/375, so the width decides: 416 wide, 375 * 416 / 500 = 312 high.
    # 416 - 312 = 104 rows are padding, 52 above and 52 below.
    fitted = Letterbox.fit(375, 500, 416, 416)
    assert placed(fitted) == (312, 416, 52, 0)
    # (250, 75): x 250 * 0.832 = 208, y 75 * 0.832 + 52 = 114.4. The corner (500, 375) goes to (416, 364).
    box = np.float32([[250, 75, 500, 375]])
    assert fitted.forward(box) == pytest.approx(np.array([[208, 114.4, 416, 364]]))
    assert fitted.undo(np.float32([[208, 114.4, 416, 364]])) == pytest.approx(box)


def test_portrait():
    # 30 x 90 into 64 wide and 60 high: the height decides: 60 high, 30 * 60 / 90 = 20 wide.
    # 64 - 20 = 44 columns are padding, 22 on each side. Everything shrinks to 2/3.
    fitted = Letterbox.fit(90, 30, 60, 64)
    assert placed(fitted) == (60, 20, 0, 22)
    box = np.float32([[0, 0, 15, 45]])
    assert fitted.forward(box) == pytest.approx(np.array([[22, 0, 32, 30]]))
    assert fitted.undo(np.float32([[22, 0, 32, 30]])) == pytest.approx(box)


def test_rounding():
    # 100 x 33 into 50 x 50: 33 * 50 / 100 = 16.5, down to 16 rows; 34 rows of padding, 17 above.
    # So y shrinks by 16/33, not by 1/2: the lower edge at 33 goes to 17 + 16 = 33.
    fitted = Letterbox.fit(33, 100, 50, 50)
    assert placed(fitted) == (16, 50, 17, 0)
    assert fitted.forward(np.float32([[0, 0, 100, 33]])) == pytest.approx(np.array([[0, 17, 50, 33]]))
    # 34 - 16 leaves 35 rows in a net of 51: 17 above, 18 below.
    assert placed(Letterbox.fit(33, 100, 51, 50)) == (16, 50, 17, 0)


def test_small_images_grow():
    assert placed(Letterbox.fit(10, 20, 100, 100)) == (50, 100, 25, 0)


def test_a_thin_line_keeps_one_pixel():
    # 1 * 32 / 1000 is less than 1.
    assert placed(Letterbox.fit(1, 1000, 32, 32)) == (1, 32, 15, 0)
    assert placed(Letterbox.fit(1000, 1, 32, 32)) == (32, 1, 0, 15)


def test_stretch_fills_everything():
    fitted = Letterbox.fit(375, 500, 416, 416, kind="stretch")
    assert placed(fitted) == (416, 416, 0, 0)
    # x by 416/500 = 0.832, y by 416/375 = 1.10933.
    assert fitted.forward(np.float32([[100, 75, 500, 375]])) == pytest.approx(
        np.array([[83.2, 83.2, 416, 416]])
    )


@pytest.mark.parametrize(("height", "width"), [(375, 500), (500, 375), (64, 64), (20, 10)])
@pytest.mark.parametrize("kind", ["letterbox", "stretch"])
def test_pixels(height, width, kind):
    rgb, fitted = noise(height, width), Letterbox.fit(height, width, 64, 96, kind)
    out = fitted.apply(rgb)
    rows = slice(fitted.top, fitted.top + fitted.scaled_height)
    columns = slice(fitted.left, fitted.left + fitted.scaled_width)
    assert out.shape == (64, 96, 3)
    assert out.dtype == np.uint8
    assert np.array_equal(out[rows, columns], cv2.resize(rgb, (fitted.scaled_width, fitted.scaled_height)))
    out[rows, columns] = GREY
    assert (out == GREY).all()


def test_the_image_lands_where_the_boxes_do():
    # A white rectangle over the left upper quarter of a black image; its box on the way to the network.
    rgb = np.zeros((80, 40, 3), np.uint8)
    rgb[:40, :20] = 255
    fitted = Letterbox.fit(80, 40, 160, 160)
    left, top, right, bottom = fitted.forward(np.float32([[0, 0, 20, 40]]))[0].astype(int)
    assert (left, top, right, bottom) == (40, 0, 80, 80)
    grey = fitted.apply(rgb)[..., 0]
    assert (grey[top : bottom - 2, left : right - 2] == 255).all()
    assert (grey[bottom + 2 :, left : right + 40] == 0).all()


def test_an_image_of_the_right_size_is_copied():
    rgb = noise(64, 96)
    out = Letterbox.fit(64, 96, 64, 96).apply(rgb)
    assert np.array_equal(out, rgb)
    assert not np.shares_memory(out, rgb)


def test_padding_is_the_grey_of_darknet():
    # 0.5 of 255 is 127.5, and 128 is as near as a byte comes.
    padded = Letterbox.fit(32, 96, 64, 96).apply(noise(32, 96))
    assert (padded[:16] == 128).all()
    assert (padded[48:] == 128).all()


def test_padding_alone_moves_no_pixel():
    rgb = noise(32, 96)
    assert np.array_equal(Letterbox.fit(32, 96, 64, 96).apply(rgb)[16:48], rgb)


def test_apply_into_a_row_of_a_batch():
    batch, rgb = np.full((3, 64, 64, 3), 7, np.uint8), noise(30, 50)
    fitted = Letterbox.fit(30, 50, 64, 64)
    row = batch[1]
    assert fitted.apply(rgb, out=row) is row
    assert np.array_equal(batch[1], fitted.apply(rgb))
    assert (batch[[0, 2]] == 7).all()


def test_images_that_are_views():
    rgb, fitted = noise(30, 50), Letterbox.fit(30, 50, 64, 64)
    for view in (rgb[::-1], rgb[:, ::-1], rgb[..., ::-1], rgb.transpose(1, 0, 2).copy().transpose(1, 0, 2)):
        assert np.array_equal(fitted.apply(view), fitted.apply(view.copy()))


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="cannot fit 0 by 5 pixels into 32 by 32"):
        Letterbox.fit(0, 5, 32, 32)
    fitted = Letterbox.fit(30, 50, 64, 64)
    with pytest.raises(
        ValueError, match=r"rgb must be uint8 of shape \(30, 50, 3\), not uint8 \(50, 30, 3\)"
    ):
        fitted.apply(noise(50, 30))
    with pytest.raises(ValueError, match="rgb must be uint8"):
        fitted.apply(noise(30, 50).astype(np.float32))
    with pytest.raises(ValueError, match="out must be uint8"):
        fitted.apply(noise(30, 50), out=np.zeros((64, 64, 3), np.float32))


def test_sides_are_rounded_down():
    # 100 x 35 into 50 x 50: 35 * 50 / 100 = 17.5, and 100 x 39: 19.5; neither is rounded to 18 or 20.
    assert placed(Letterbox.fit(35, 100, 50, 50)) == (17, 50, 16, 0)
    assert placed(Letterbox.fit(39, 100, 50, 50)) == (19, 50, 15, 0)
    # 199 * 50 / 200 = 49.75
    assert placed(Letterbox.fit(199, 200, 50, 50)) == (49, 50, 0, 0)
    assert placed(Letterbox.fit(200, 199, 50, 50)) == (50, 49, 0, 0)
