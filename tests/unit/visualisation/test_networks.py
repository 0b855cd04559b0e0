"""A network whose units are known: one likes red, the other blue."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tiny import CFG, write_tiny
from yolo_cli.api.explaining import explain_filters, explain_layers
from yolo_cli.api.models import import_model
from yolo_cli.errors import UsageError
from yolo_cli.images import Image, write_image

RED, BLUE = 0, 1
# The tiny network, at stride 4 and with two filters: 3 x 3 pixels of red less blue, and of blue less red.
COLOURS = CFG.replace("filters=4", "filters=2").replace("stride=32", "stride=4")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colours")
    kernel = np.zeros((2, 3, 3, 3))  # filter, channel, row, column
    kernel[RED, 0], kernel[RED, 2], kernel[BLUE, 0], kernel[BLUE, 2] = 1, -1, -1, 1
    norm = [np.zeros(2), np.ones(2), np.zeros(2), np.ones(2)]  # beta, gamma, mean, variance
    values = np.concatenate([*norm, kernel.ravel(), np.zeros(14), np.zeros(14 * 2)])
    files = write_tiny(folder, cfg=COLOURS, values=values)
    return import_model([files.cfg, files.weights], files.names, folder / "colours").keras


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Twelve dark images of 64 x 64; in each a red and a blue square, brighter from image to image."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(12):
        rgb = np.zeros((64, 64, 3), np.uint8)
        rgb[8:16, 40:48, 0] = rgb[48:56, 12:20, 2] = 20 * number
        write_image(folder / f"{number:02}.png", rgb)
    return folder


def test_the_patches_that_excite_a_unit(weights, images):
    shown = explain_layers(images, weights)
    [layer] = shown.to_dict()["layers"]
    assert (shown.count, layer["stride"], layer["field_size"]) == (12, 4, 3)
    units = {unit.channel: unit.patches for unit in shown.units[0]}
    assert [patch.image for patch in units[RED]] == [f"{n:02}.png" for n in range(11, 2, -1)]
    for channel, (left, top) in ((RED, (40, 8)), (BLUE, (12, 48))):
        x1, y1, x2, y2 = units[channel][0].xyxy
        assert (x2 - x1, y2 - y1) == (3, 3)
        assert (left - 2 < x1 < left + 8, top - 2 < y1 < top + 8) == (True, True)
    colours = shown.pixels[0][[unit.channel for unit in shown.units[0]].index(BLUE)][0]
    assert colours.max((0, 1)).tolist() == [0, 0, 220]
    assert shown.plot().dtype == np.uint8
    assert "stride 4, 3 pixels" in shown.to_text()


def test_the_maps_of_an_image(weights):
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[16:32, 32:48, 2] = 255
    shown = explain_filters(Image(rgb, "blue.png"), (40, 20), weights)
    [one], [layer], [cell] = shown.maps, shown.layers, shown.cells
    assert one.shape == (16, 16, 2)
    assert cell == (5, 10)  # of 4 pixels each
    assert one[cell][BLUE] == pytest.approx(9, abs=0.01)  # 3 x 3 pixels of 1
    assert one[cell][RED] == pytest.approx(-0.9, abs=0.01)  # leaky: a tenth
    x1, y1, x2, y2 = layer.box(*cell)
    assert (x1 <= 40 < x2 + 1, y1 <= 20 < y2 + 1) == (True, True)
    assert "16 x 16 x 2" in shown.to_text()
    assert shown.plot().dtype == np.uint8
    assert shown.to_dict()["layers"][0]["size"] == [16, 16]


def test_what_has_no_layers_to_show(weights):
    with pytest.raises(UsageError, match="features of another network"):
        explain_filters(Image(np.zeros((64, 64, 3), np.uint8)), weights="fast-rcnn-voc")
    with pytest.raises(UsageError, match="multiple of 4"):
        explain_layers("examples", weights, imgsz=66)
