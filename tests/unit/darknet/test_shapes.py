"""Shapes of layers, worked out by hand from Darknet's formulas, and layers that do not fit together."""

from __future__ import annotations

import math

import pytest

from tests.networks import EVERY_LAYER
from yolo_cli.darknet import read_cfg, shapes
from yolo_cli.errors import DataError

CONV = "[convolutional]\nfilters={}\nsize={}\nstride={}\n{}\nactivation=linear\n"
HEAD = "[yolo]\nmask=0\nanchors=1,2\nclasses=1\nnum=1\n"


def network(layers, tmp_path, width=40, height=24):
    path = tmp_path / "it.cfg"
    path.write_text(f"[net]\nwidth={width}\nheight={height}\n{layers}{HEAD}")
    return read_cfg(path)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        # rows (24 + 2·1 − 3) / 1 + 1 = 24; columns likewise 40
        (CONV.format(8, 3, 1, "pad=1"), (8, 1, 24, 40)),
        # (24 + 2 − 3) / 2 + 1 = 11.5 + 1 → 12; (40 + 2 − 3) / 2 + 1 → 20
        (CONV.format(8, 3, 2, "pad=1"), (8, 2, 12, 20)),
        # without padding (24 − 3) / 1 + 1 = 22 and 38
        (CONV.format(8, 3, 1, ""), (8, 1, 22, 38)),
        # pad=1 means half the size, whatever padding= says: (24 + 4 − 5) / 1 + 1 = 24
        (CONV.format(8, 5, 1, "pad=1\npadding=1"), (8, 1, 24, 40)),
        # padding counts on both sides: (24 + 2 − 5) / 1 + 1 = 22
        (CONV.format(8, 5, 1, "padding=1"), (8, 1, 22, 38)),
        # of a [maxpool] it counts once: size − 1 = 1 by default; (24 + 1 − 2) / 2 + 1 = 12
        ("[maxpool]\nsize=2\nstride=2\n", (3, 2, 12, 20)),
        ("[maxpool]\nsize=2\nstride=1\n", (3, 1, 24, 40)),
        ("[maxpool]\nsize=3\nstride=2\npadding=0\n", (3, 2, 11, 19)),
        ("[avgpool]\n", (3, math.inf, 1, 1)),
        ("[upsample]\nstride=2\n", (3, 0.5, 48, 80)),
        ("[upsample]\n", (3, 0.5, 48, 80)),
        ("[reorg3d]\nstride=4\n", (48, 4, 6, 10)),
        ("[dropout]\n", (3, 1, 24, 40)),
    ],
)
def test_one_layer(layer, expected, tmp_path):
    assert shapes(network(layer, tmp_path))[0] == expected


def test_layers_that_name_others(tmp_path):
    layers = (
        CONV.format(8, 1, 2, "")  # 0: 8 channels of 12 x 20
        + CONV.format(4, 1, 1, "")  # 1: 4 channels
        + "[shortcut]\nfrom=-2\nactivation=linear\n"  # 2: keeps the width of layer 1
        + "[route]\nlayers=-1,0\ngroups=2\ngroup_id=1\n"  # 3: 4 / 2 + 8 / 2
        + "[route]\nlayers=0\n"  # 4
        + "[reorg]\nstride=2\n"  # 5: 8 · 4 channels of 6 x 10
    )
    assert [tuple(shape) for shape in shapes(network(layers, tmp_path))][:-1] == [
        (8, 2, 12, 20),
        (4, 2, 12, 20),
        (4, 2, 12, 20),
        (6, 2, 12, 20),
        (8, 2, 12, 20),
        (32, 4, 6, 10),
    ]


def test_the_network_with_every_layer(tmp_path):
    path = tmp_path / "every.cfg"
    path.write_text(EVERY_LAYER)
    found = shapes(read_cfg(path))
    assert [shape.channels for shape in found] == [8] + [12] * 10 + [48, 12, 48, 48, 48, 6, 6, 18, 14, 14]
    assert found[6].cells == found[7].cells == (1, 1)
    assert found[-1] == (14, 4, 8, 8)


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        (
            CONV.format(4, 1, 2, "") + "[maxpool]\nsize=2\nstride=2\n[route]\nlayers=-1,0\n",
            "it.cfg:13: [route] joins maps of different size: "
            "4 channels of 6 x 10 cells and 4 channels of 12 x 20 cells",
        ),
        (
            CONV.format(4, 3, 1, "") + CONV.format(4, 3, 1, "") + "[shortcut]\nfrom=0\n",
            "it.cfg:16: [shortcut] joins maps of different size: "
            "4 channels of 20 x 36 cells and 4 channels of 22 x 38 cells",
        ),
        ("[route]\nlayers=-1\n", "it.cfg:4: [route] layers=-1 does not name layers before layer 0"),
        (
            CONV.format(4, 1, 1, "") + "[route]\nlayers=0\ngroups=3\n",
            "it.cfg:10: [route] cannot take group_id=0 of groups=3 of 4 channels",
        ),
        (
            CONV.format(4, 1, 1, "") + "[route]\nlayers=0\ngroups=2\ngroup_id=2\n",
            "it.cfg:10: [route] cannot take group_id=2 of groups=2 of 4 channels",
        ),
        (
            "[reorg]\nstride=2\n",
            "it.cfg:4: [reorg] stride=2 does not divide 3 channels of 24 x 40 cells evenly",
        ),
        ("[reorg3d]\nstride=5\n", "it.cfg:4: [reorg3d] stride=5 does not divide 3 channels"),
        (
            CONV.format(4, 1, 1, "") + CONV.format(5, 1, 1, "") + "[sam]\nfrom=0\n",
            "it.cfg:16: [sam] cannot scale 4 channels of 24 x 40 cells by 5 channels of 24 x 40 cells",
        ),
        (
            CONV.format(4, 1, 1, "") + CONV.format(4, 1, 1, "") + "[scale_channels]\nfrom=0\n",
            "it.cfg:16: [scale_channels] cannot scale 4 channels of 24 x 40 cells by 4 channels of 24 x 40",
        ),
        (CONV.format(4, 25, 1, ""), "it.cfg:4: [convolutional] leaves nothing of its input at 40 pixels"),
    ],
)
def test_layers_that_do_not_fit_together(layers, says, tmp_path):
    with pytest.raises(DataError) as caught:
        shapes(network(layers, tmp_path))
    assert str(caught.value).startswith(says)
