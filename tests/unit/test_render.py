from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_cli import render
from yolo_cli.detections import Detections
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.render import PALETTE_SIZE, DrawStyle, LabelledBox, class_colour, draw, draw_boxes

NAMES = ["cat", "dog"]


def found(*boxes, confidence=None, class_id=None):
    count = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, 0.5, np.float32) if confidence is None else np.array(confidence, np.float32),
        np.zeros(count, np.int64) if class_id is None else np.array(class_id),
    )


def grey(width, height):
    return Image(np.full((height, width, 3), 90, np.uint8))


def coloured(canvas, class_id):
    """Where the canvas has the colour of a class, (height, width)."""
    return (canvas == class_colour(class_id)).all(axis=2)


def test_the_image_itself_is_not_touched():
    image = grey(100, 100)
    canvas = draw(image, found([10, 30, 50, 60]), NAMES)
    assert canvas.shape == image.rgb.shape
    assert canvas.dtype == np.uint8
    assert (image.rgb == 90).all()
    assert not (canvas == 90).all()


def test_no_detections_give_the_same_pixels():
    image = grey(30, 20)
    assert (draw(image, found(), NAMES) == image.rgb).all()


def test_the_frame_is_just_inside_the_box():
    # Lines of round(200 / 240) = 1 pixel; the box covers the columns 20 ... 159 and the rows 60 ... 179.
    canvas = draw(grey(200, 200), found([20, 60, 160, 180], class_id=[1]), NAMES)
    frame = coloured(canvas, 1)
    assert frame[60:180, 20].all()
    assert frame[60:180, 159].all()
    assert frame[179, 20:160].all()
    assert not frame[61:179, 21:159].any()
    assert not frame[180:].any()
    assert not frame[:, 160:].any()
    assert not frame[:, :20].any()


def test_lines_and_labels_follow_the_size_of_the_image():
    def line_and_label(side):
        canvas = draw(grey(side, side), found([0.25 * side, 0.5 * side, 0.75 * side, 0.9 * side]), NAMES)
        own = coloured(canvas, 0)
        row = own[round(0.8 * side)]  # crosses the left and right lines only
        return row.sum() / 2, own[: round(0.5 * side) - 1].any(axis=1).sum()

    small_line, small_label = line_and_label(480)
    large_line, large_label = line_and_label(2400)
    assert (small_line, large_line) == (2, 10)  # 480 / 240 and 2400 / 240
    assert large_label == pytest.approx(5 * small_label, rel=0.1)


def test_a_box_over_the_edge_is_drawn_at_the_edge():
    canvas = draw(grey(200, 200), found([-50, -50, 999, 999]), NAMES)
    frame = coloured(canvas, 0)
    assert frame[199].all()
    assert frame[:, 199].all()
    assert frame[:, 0].sum() > 190  # the label may be over a little of it


@pytest.mark.parametrize("size", [(1, 1), (20, 20), (500, 1), (1, 500), (3, 3), (33, 12)])
@pytest.mark.parametrize("box", [[0, 0, 1, 1], [-5, -5, 900, 900], [2, 2, 2, 2], [999, 999, 1000, 1000]])
def test_tiny_images_and_odd_boxes(size, box):
    canvas = draw(grey(*size), found(box, class_id=[7]), NAMES)
    assert canvas.shape == (size[1], size[0], 3)
    assert coloured(canvas, 7).any()


def test_a_label_that_cannot_be_read_is_left_out():
    canvas = draw(grey(24, 24), found([0, 0, 24, 24]), ["a very long name"])
    assert coloured(canvas, 0).sum() == 24 * 24 - 22 * 22  # only the frame, one pixel wide


def test_a_narrow_image_gets_a_smaller_label():
    canvas = draw(grey(80, 3000), found([0, 1000, 80, 2000]), ["potted plant"])
    rows = coloured(canvas, 0)[:999].any(axis=1).sum()
    assert 8 < rows < 20  # at the size of sqrt(80 * 3000) / 40 = 12 it would be too wide


def test_the_more_confident_box_is_on_top():
    canvas = draw(
        grey(200, 200),
        found([50, 80, 150, 180], [50, 80, 150, 180], confidence=[0.9, 0.3], class_id=[0, 1]),
        NAMES,
    )
    assert coloured(canvas, 0)[179, 60:140].all()


def test_labels_do_not_cover_each_other():
    boxes = [[100, 100, 300, 300]] * 3  # three on one spot: above, inside, and so on
    canvas = draw(grey(400, 400), found(*boxes, confidence=[0.9, 0.8, 0.7], class_id=[0, 1, 2]), "abc")
    areas = [coloured(canvas, k).sum() for k in range(3)]
    alone = [
        coloured(draw(grey(400, 400), found([100, 100, 300, 300], class_id=[k]), "abc"), k) for k in range(3)
    ]
    labels = [a[:99].sum() for a in alone]  # the label of each, drawn alone, is above the box
    assert all(area > 0.8 * label for area, label in zip(areas, labels, strict=True))


box_in = st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(1, 100), st.integers(1, 100))


@given(box_in, st.integers(1, 320), st.integers(1, 220))
def test_every_label_is_inside_the_image(box, wide, high):
    left, top, width, height = box
    place = render._free_place(
        render._Rectangle(left, top, left + width, top + height), wide, high, (320, 220), []
    )
    assert place.left >= 0
    assert place.top >= 0
    assert place.right <= 320
    assert place.bottom <= 220
    assert (place.right - place.left, place.bottom - place.top) == (wide, high)


def test_overlap_by_hand():
    a, b = render._Rectangle(0, 0, 4, 4), render._Rectangle(2, 1, 9, 3)
    assert a.overlap(b) == b.overlap(a) == 4  # columns 2, 3 and rows 1, 2
    assert a.overlap(render._Rectangle(4, 0, 8, 4)) == 0


def test_letters_beyond_ascii_are_drawn():
    if not hasattr(cv2, "FontFace"):
        pytest.skip("OpenCV 4 has no TrueType text")
    cat, question = (draw(grey(200, 100), found([10, 40, 90, 90]), [name]) for name in ("猫", "?"))
    assert (cat != question).any()


def test_an_unknown_class_is_shown_by_its_number(monkeypatch):
    written = []
    monkeypatch.setattr(render, "_draw_label", lambda _, label: written.append(label.text))
    draw(grey(200, 100), found([10, 40, 90, 90], class_id=[99]), NAMES)
    assert written == ["class 99 0.50"]


def test_the_colours_of_classes_never_change():
    # Pinned: people compare images of different days.
    assert [class_colour(k) for k in range(3)] == [(255, 59, 59), (0, 255, 0), (0, 118, 255)]


def test_colours_differ_visibly():
    colours = [class_colour(k) for k in range(PALETTE_SIZE)]
    assert len(set(colours)) == PALETTE_SIZE
    lab = render._lab(np.array(colours, np.uint8))

    def nearest(count):
        return min(np.linalg.norm(a - b) for a, b in itertools.combinations(lab[:count], 2))

    assert nearest(20) > 25  # a difference of 2.3 is just noticeable in CIELAB
    assert nearest(80) > 10


def test_lab_agrees_with_opencv():
    rgb = np.uint8([[0, 0, 0], [255, 255, 255], [255, 0, 0], [10, 200, 77], [1, 2, 3]])
    theirs = cv2.cvtColor(np.float32(rgb[None] / 255), cv2.COLOR_RGB2LAB)[0]
    assert np.abs(render._lab(rgb) - theirs).max() < 0.2


def test_every_label_can_be_read():
    for k in range(PALETTE_SIZE):
        light = render._luminance(class_colour(k))
        # WCAG contrast of black or white ink; 4.5 : 1 is asked of normal text.
        contrast = (light + 0.05) / 0.05 if light > 0.179 else 1.05 / (light + 0.05)
        assert contrast >= 4.5


def test_lines_of_a_chosen_width_without_labels():
    # Without a label nothing but the frame of 3 pixels differs from the image.
    canvas = draw(grey(200, 200), found([20, 60, 160, 180]), NAMES, DrawStyle(line_width=3, labels=False))
    expected = np.full((200, 200, 3), 90, np.uint8)
    expected[60:180, 20:160] = class_colour(0)
    expected[63:177, 23:157] = 90
    assert (canvas == expected).all()


def test_labels_without_confidence_are_narrower():
    box = found([20, 160, 300, 280])
    full, short = (
        coloured(draw(grey(400, 300), box, NAMES, DrawStyle(confidence=shown)), 0)[:159].any(axis=0).sum()
        for shown in (True, False)
    )
    assert 0 < short < full


def test_lines_have_at_least_a_pixel():
    with pytest.raises(UsageError, match="line_width is 0, but must be at least 1"):
        DrawStyle(line_width=0)


def test_boxes_have_their_own_text_colour_and_line():
    """The first is on top; a box without text has no label."""
    image = Image(np.zeros((100, 100, 3), np.uint8))
    red, blue = (255, 0, 0), (0, 0, 255)
    drawn = draw_boxes(
        image, [LabelledBox((20, 20, 80, 80), "", red, 2), LabelledBox((20, 20, 80, 80), "", blue, 5)]
    )
    assert drawn[50, 20:26].tolist() == [list(red)] * 2 + [list(blue)] * 3 + [[0, 0, 0]]
    assert not drawn[:20].any()
    labelled = draw_boxes(image, [LabelledBox((20, 40, 80, 80), "7. cat", red, 2)])
    assert (labelled[:40] == red).all(axis=2).any()  # above the box
    assert not image.rgb.any()


def test_a_region_is_outlined():
    image = Image(np.zeros((100, 100, 3), np.uint8))
    style = DrawStyle(1, region=((10, 10), (60, 10), (60, 60), (10, 60)))
    drawn = draw(image, Detections(), (), style)
    assert drawn[10, 12:58, 0].all()  # smoothed, so that not every pixel has the full colour
    assert drawn[12:58, 60, 0].all()
    assert not drawn[20:50, 20:50].any()
