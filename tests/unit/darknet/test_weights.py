"""Reading ``.weights``: the order of its values, and lengths that do not fit the cfg."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

from tests.tiny import CFG, VALUES
from yolo_cli.darknet import read_cfg, read_weights
from yolo_cli.errors import DataError

GROUPED = """
[net]
width=8
height=8
[convolutional]
batch_normalize=1
filters=2
size=1
stride=1
activation=linear
[convolutional]
filters=6
size=2
stride=1
groups=2
activation=linear
[yolo]
mask=0
anchors=1,2
classes=1
num=1
"""


def header(major=0, minor=2, revision=5, seen=0):
    """Three int32, then how many images it saw: 8 bytes since version 0.2, before that 4."""
    long = major * 10 + minor >= 2
    return struct.pack("<3i", major, minor, revision) + struct.pack("<q" if long else "<i", seen)


def files(tmp_path, text, data):
    cfg, weights = tmp_path / "it.cfg", tmp_path / "it.weights"
    cfg.write_text(text)
    weights.write_bytes(data)
    return weights, read_cfg(cfg)


def fault_of(tmp_path, text, data):
    with pytest.raises(DataError) as caught:
        read_weights(*files(tmp_path, text, data))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(str(tmp_path) + "/")


def test_values_are_in_the_order_of_darknet(tmp_path):
    """Layer 0: beta 0 1, gamma 2 3, mean 4 5, variance 6 7, kernel 8 to 13 as (out 2, in 3).
    Layer 1: bias 14 to 19, kernel 20 to 43 as (out 6, in 2 / 2 groups, 2, 2)."""
    data = header() + np.arange(44, dtype="<f4").tobytes()
    found, digest = read_weights(*files(tmp_path, GROUPED, data))
    assert list(found) == [0, 1]
    first, second = found[0], found[1]
    np.testing.assert_array_equal(first.bias, [0, 1])
    np.testing.assert_array_equal(first.gamma, [2, 3])
    np.testing.assert_array_equal(first.mean, [4, 5])
    np.testing.assert_array_equal(first.variance, [6, 7])
    np.testing.assert_array_equal(first.kernel[:, :, 0, 0], [[8, 9, 10], [11, 12, 13]])
    np.testing.assert_array_equal(second.bias, np.arange(14, 20))
    assert second.kernel.shape == (6, 1, 2, 2)
    np.testing.assert_array_equal(second.kernel[1, 0], [[24, 25], [26, 27]])
    assert (second.gamma, second.mean, second.variance) == (None, None, None)
    assert digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("version", "length"), [((0, 1, 0), 16), ((0, 2, 5), 20), ((1, 0, 0), 20)])
def test_the_length_of_the_header_depends_on_the_version(version, length, tmp_path):
    data = header(*version)
    assert len(data) == length
    found, _ = read_weights(*files(tmp_path, GROUPED, data + np.arange(44, dtype="<f4").tobytes()))
    assert found[0].bias[1] == 1


@pytest.mark.parametrize(("missing", "line"), [(1, 11), (24, 11), (24 + 6 + 1, 5)])
def test_a_file_that_is_too_short_says_by_how_much_and_where(missing, line, tmp_path):
    """Layer 1 has 30 values, so the thirty-first from the end is layer 0's."""
    says = fault_of(tmp_path, GROUPED, header() + bytes(4 * (44 - missing)))
    short = missing if line == 11 else missing - 30
    assert says == (
        f"it.weights: ends {4 * short:,} bytes early, in the layer at it.cfg:{line}; "
        "the weights belong to another cfg, or the file is cut off"
    )


def test_a_file_that_is_too_long_says_by_how_much(tmp_path):
    says = fault_of(tmp_path, GROUPED, header() + bytes(4 * (44 + 300)))
    assert says == (
        "it.weights: 1,200 bytes are left over after the last layer of it.cfg; "
        "the weights belong to another cfg"
    )


@pytest.mark.parametrize(
    ("value", "place", "line"), [(np.nan, 0, 7), (np.inf, 8, 7), (-np.inf, VALUES - 1, 15)]
)
def test_nan_and_infinity_are_refused_with_their_layer(value, place, line, tmp_path):
    values = np.zeros(VALUES, "<f4")
    values[place] = value
    says = fault_of(tmp_path, CFG, header() + values.tobytes())
    assert says == f"it.weights: holds NaN or infinite values, in the layer at it.cfg:{line}"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it.weights: 0 bytes are too few for a Darknet weights file"),
        (header()[:19], "it.weights: 19 bytes are too few for a Darknet weights file"),
        (header() + b"\0", "it.weights: 21 bytes do not hold a whole number of values; is the file cut off?"),
        (
            b"PK\x03\x04" + bytes(40),
            "it.weights: does not begin like a Darknet weights file (version 67324752.0)",
        ),
        (header(-1, 0) + bytes(8), "it.weights: does not begin like a Darknet weights file (version -1.0)"),
        (header(), "it.weights: ends 56 bytes early, in the layer at it.cfg:5; the weights belong"),
    ],
)
def test_what_is_no_weights_file(data, says, tmp_path):
    assert fault_of(tmp_path, GROUPED, data).startswith(says)


def test_a_kernel_that_no_file_could_hold(tmp_path):
    """The largest kernel is 128 wide: 4 · (2 · 4 + 2 · 3 · 128² − 44) = 393,072 bytes are missing."""
    text = GROUPED.replace("size=1", "size=128\npad=1", 1)
    says = fault_of(tmp_path, text, header() + bytes(4 * 44))
    assert says.startswith("it.weights: ends 393,072 bytes early")
    says = fault_of(tmp_path, text.replace("size=128", "size=999999999999"), header() + bytes(4 * 44))
    assert says.startswith(
        "it.cfg:8: [convolutional] size=999999999999 must be a whole number, at least 1 and"
    )


def test_a_missing_file(tmp_path):
    weights, network = files(tmp_path, GROUPED, b"")
    weights.unlink()
    with pytest.raises(DataError, match=r"it\.weights: no such file"):
        read_weights(weights, network)


@pytest.mark.parametrize("options", ["filters=2\ngroups=2", "filters=4\ngroups=3"])
def test_groups_must_divide_channels_and_filters(options, tmp_path):
    """Of 3 channels 2 groups take no whole number each; 3 groups would, but not of 4 filters."""
    says = fault_of(tmp_path, GROUPED.replace("filters=2", options, 1), header() + bytes(4000))
    assert says.startswith("it.cfg:5: [convolutional] groups=")
    assert "divides neither 3 input channels nor" in says
