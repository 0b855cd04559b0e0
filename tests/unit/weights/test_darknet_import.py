"""What a cfg says of its model: heads, input, suppression; and what it must not say."""

from __future__ import annotations

import pytest

from tests.tiny import CFG, write_tiny
from yolo_cli.codec import Head
from yolo_cli.darknet import read_cfg
from yolo_cli.errors import DataError
from yolo_cli.weights.about import read_about
from yolo_cli.weights.darknet_import import card_of, heads_of

CLASSES = ("cat", "dog")
NET = "[net]\nwidth=96\nheight=64\n"
CONV = "[convolutional]\nfilters={}\nsize=1\nstride={}\nactivation=linear\n"


def network(text, tmp_path):
    return read_cfg(write_tiny(tmp_path, cfg=text).cfg)


def fault_of(text, tmp_path, names=CLASSES):
    with pytest.raises(DataError) as caught:
        card_of(network(text, tmp_path), names, "it", "it.names")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_card_by_hand(tmp_path):
    card = card_of(network(CFG, tmp_path), CLASSES, "it")
    assert card.heads == (Head("yolo", ((10.0, 20.0), (30.0, 40.0)), 32, 2),)
    assert (card.name, card.class_names, card.input_size) == ("it", CLASSES, (64, 64))
    assert (card.resize, card.suppression, card.beta) == ("stretch", "iou", 0.6)


def test_height_comes_before_width(tmp_path):
    text = f"{NET}{CONV.format(7, 32)}[yolo]\nmask=0\nanchors=1,2\nclasses=2\n"
    assert card_of(network(text, tmp_path), CLASSES, "it").input_size == (64, 96)


def test_letterbox_and_suppression(tmp_path):
    text = CFG.replace("channels=3", "channels=3\nletter_box=1")
    text = text.replace("num=2", "num=2\nnms_kind=diounms\nbeta_nms=0.7")
    card = card_of(network(text, tmp_path), CLASSES, "it")
    assert (card.resize, card.suppression, card.beta) == ("letterbox", "diounms", 0.7)


def test_the_last_head_says_how_to_suppress(tmp_path):
    head = "[yolo]\nmask=0\nanchors=1,2\nclasses=2\nnms_kind={}\n"
    text = f"{NET}{CONV.format(7, 32)}{head.format('greedynms')}[route]\nlayers=0\n{head.format('default')}"
    assert card_of(network(text, tmp_path), CLASSES, "it").suppression == "iou"


def test_a_mask_picks_anchors_by_number(tmp_path):
    """Of three, as yolov4-tiny's second head does: 1 and 2, not 0 and 1."""
    text = CFG.replace("mask=0,1", "mask=1,2").replace("10,20, 30,40", "1,2, 3,4, 5,6")
    assert heads_of(network(text, tmp_path))[0].anchors == ((3.0, 4.0), (5.0, 6.0))


def test_without_a_mask_all_anchors_count(tmp_path):
    assert len(heads_of(network(CFG.replace("mask=0,1", ""), tmp_path))[0].anchors) == 2


def test_region_anchors_are_in_cells(tmp_path):
    """1.5 x 2 cells of 32 pixels are 48 x 64."""
    text = f"{NET}{CONV.format(7, 32)}[region]\nanchors=1.5,2\nclasses=2\ncoords=4\nsoftmax=1\nnum=1\n"
    assert heads_of(network(text, tmp_path)) == (Head("region", ((48.0, 64.0),), 32, 2),)


def test_new_coords_and_reach(tmp_path):
    text = CFG.replace("num=2", "num=2\nnew_coords=1\nscale_x_y=2")
    [head] = heads_of(network(text, tmp_path))
    assert (head.kind, head.scale_x_y) == ("new_coords", 2.0)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("mask=0,1", "mask=0,2", "tiny.cfg:21: [yolo] mask=0,2 names an anchor beyond the 2 that it has"),
        ("mask=0,1", "mask=-1,0", "tiny.cfg:21: [yolo] mask=-1,0 names an anchor beyond the 2 that it has"),
        ("mask=0,1", "mask=x", "tiny.cfg:21: [yolo] mask=x is not a list of numbers"),
        (
            "10,20, 30,40",
            "10,20, 30",
            "tiny.cfg:21: [yolo] anchors=10,20, 30 must be pairs of width and height",
        ),
        ("10,20, 30,40", "10,20, 0,40", "tiny.cfg:21: [yolo] anchors=10,20, 0,40 must be pairs of width and"),
        ("10,20, 30,40", "", "tiny.cfg:21: [yolo] anchors= must be pairs of width and height, all above 0"),
        (
            "filters=14",
            "filters=13",
            "tiny.cfg:21: [yolo] needs 2 anchors x (5 + 2 classes) = 14 channels, but",
        ),
        ("num=2", "nms_kind=cornersnms", "tiny.cfg:21: [yolo] nms_kind=cornersnms is not known; known are"),
        ("num=2", "scale_x_y=0", "tiny.cfg:21: [yolo] scale_x_y=0 must be above 0"),
        (
            "width=64",
            "width=50",
            "tiny.cfg:21: [yolo] has a grid that does not divide 50 x 64 pixels: 14",
        ),
        (
            "[yolo]",
            "[avgpool]\n[yolo]",
            "tiny.cfg:22: [yolo] has a grid that does not divide 64 x 64 pixels",
        ),
        ("pad=1", "padding=40", "tiny.cfg:21: [yolo] has a grid that does not divide 64 x 64 pixels: 14"),
        ("width=64", "", "tiny.cfg:2: [net] needs width="),
    ],
)
def test_what_does_not_fit_names_its_section(old, new, says, tmp_path):
    assert old in CFG
    assert fault_of(CFG.replace(old, new, 1), tmp_path).startswith(says)


@pytest.mark.parametrize(
    ("names", "count"), [((), "0 names"), (("cat",), "1 name"), (("a", "b", "c"), "3 names")]
)
def test_the_number_of_names_is_that_of_the_heads(names, count, tmp_path):
    says = f"tiny.cfg:21: [yolo] says classes=2, but it.names holds {count}"
    assert fault_of(CFG, tmp_path, names) == says


def about(text, tmp_path):
    path = tmp_path / "card.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_about(path)


def test_fields_that_a_person_fills_in(tmp_path):
    text = "licence: Public\n  domain\nfigures:\n  - AP 0.5\n  - 7\nresize: letterbox\n"
    expected = {"licence": "Public domain", "figures": ("AP 0.5", "7"), "resize": "letterbox"}
    assert about(text, tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must hold lines such as"),
        ("- a\n", "must hold lines such as"),
        ("name: x\n", "must hold only the fields licence, origin"),
        ("licence: [", "1: is not YAML: "),
        (b"\xff\xfe\x00", "1: is not text in UTF-16 (byte 2: 0x00)"),
        ("resize: crop\n", "resize is 'crop', but must be stretch or letterbox"),
    ],
)
def test_a_card_that_is_wrong(text, says, tmp_path):
    with pytest.raises(DataError) as caught:
        about(text, tmp_path)
    assert str(caught.value).replace(f"{tmp_path / 'card.yaml'}:", "").strip().startswith(says)
    assert "\n" not in str(caught.value)


def test_a_card_that_is_missing(tmp_path):
    with pytest.raises(DataError, match=r"no\.yaml: no such file"):
        read_about(tmp_path / "no.yaml")
