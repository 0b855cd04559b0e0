"""Layers that Keras does not have: worked by hand, against loops, and to disk and back."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles_nanodet import bilinear_double
from tests.oracles_network import (
    slow_convolution,
    slow_maxpool,
    slow_reorg,
    slow_shortcut,
    slow_space_to_depth,
)
from yolo_cli.model.layers import (
    BilinearDouble,
    BlueGreenRed,
    ChannelGroup,
    ChannelShuffle,
    GroupedConv2D,
    PaddedMaxPool,
    Reorg,
    ShortcutAdd,
    SpaceToDepth,
)


def run(layer, *maps):
    """The output for maps without a batch axis, (H, W, C)."""
    batch = [np.asarray(x, np.float32)[None] for x in maps]
    return keras.ops.convert_to_numpy(layer(batch[0] if len(batch) == 1 else batch))[0]


def counted(rows, columns, channels):
    return np.arange(rows * columns * channels, dtype=np.float32).reshape(rows, columns, channels)


def test_blue_green_red():
    np.testing.assert_array_equal(run(BlueGreenRed(), [[[1, 2, 3]]]), [[[3, 2, 1]]])


def test_a_group_is_one_slice_of_the_channels():
    np.testing.assert_array_equal(run(ChannelGroup(3, 1), [[[0, 1, 2, 3, 4, 5]]]), [[[2, 3]]])


def test_shuffled_channels_come_from_each_group_in_turn():
    np.testing.assert_array_equal(run(ChannelShuffle(2), [[[1, 2, 3, 4, 5, 6]]]), [[[1, 4, 2, 5, 3, 6]]])


def test_bilinear_by_hand():
    """New centres are a quarter of a pixel from old ones: 0, 3/4 · 0 + 1/4 · 4 = 1, 3, 4; edges repeat."""
    doubled = run(BilinearDouble(), [[[0], [4]], [[8], [12]]])[..., 0]
    np.testing.assert_array_equal(doubled, [[0, 1, 3, 4], [2, 3, 5, 6], [6, 7, 9, 10], [8, 9, 11, 12]])


def test_shortcut_of_unequal_width_adds_what_both_have():
    """3 channels and 2: the third stays. 2 channels and 3: the third of the other is left out."""
    wide, narrow = [[[1, 2, 4]]], [[[8, 16]]]
    np.testing.assert_array_equal(run(ShortcutAdd(), wide, narrow), [[[9, 18, 4]]])
    np.testing.assert_array_equal(run(ShortcutAdd(), narrow, wide), [[[9, 18]]])
    np.testing.assert_array_equal(run(ShortcutAdd(), narrow, wide, narrow), [[[17, 34]]])


def test_padding_never_wins_a_maximum():
    """2 x 2 negative values, size 3, stride 1, padding 2: one cell on every side, all windows see all."""
    found = run(PaddedMaxPool(3, 1, 2), [[[-4], [-3]], [[-2], [-1]]])
    np.testing.assert_array_equal(found[..., 0], [[-1, -1], [-1, -1]])


def test_odd_padding_is_below_and_right():
    """Size 2, stride 2, padding 1 of 3 x 3: windows begin at 0 and 2, so the last sees the corner alone."""
    found = run(PaddedMaxPool(2, 2, 1), counted(3, 3, 1))
    np.testing.assert_array_equal(found[..., 0], [[4, 5], [7, 8]])


def test_space_to_depth_goes_row_by_row():
    """2 x 2 cells of (c, d): the four cells of the block one after another, each with both channels."""
    found = run(SpaceToDepth(2), counted(2, 2, 2))
    np.testing.assert_array_equal(found, [[[0, 1, 2, 3, 4, 5, 6, 7]]])


def test_reorg_is_scrambled():
    """Channel c of cell (r, k) is 4c + 2r + k: Darknet's buffer counts from 0 to 15. Read as one channel of
    4 x 4 cells, its even rows and columns are 0 2 8 10, then 1 3 9 11, 4 6 12 14 and 5 7 13 15."""
    x = counted(4, 2, 2).transpose(1, 2, 0)  # (2, 2, 4)
    found = run(Reorg(2), x)
    np.testing.assert_array_equal(found, [[[0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15]]])


def test_a_filter_sees_only_its_group():
    """4 channels in 2 groups, 2 filters of size 1: 1·1 + 2·10 = 21 and 3·100 + 4·1000 = 4300."""
    layer = GroupedConv2D(2, 1, groups=2, use_bias=False)
    layer.build((None, 1, 1, 4))
    layer.set_weights([np.array([[1, 100], [10, 1000]], np.float32).reshape(1, 1, 2, 2)])
    np.testing.assert_array_equal(run(layer, [[[1, 2, 3, 4]]]), [[[21, 4300]]])


maps = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2**32 - 1))


def random_map(rows, columns, channels, seed):
    return np.random.default_rng(seed).normal(size=(rows, columns, channels)).astype(np.float32)


@given(maps)
@settings(max_examples=20)
def test_bilinear_against_loops(made):
    x = random_map(*made)
    expected = bilinear_double(x.transpose(2, 0, 1)).transpose(1, 2, 0)
    np.testing.assert_allclose(run(BilinearDouble(), x), expected, atol=1e-5)


@given(maps, st.integers(1, 3))
@settings(max_examples=20)
def test_reorg_and_space_to_depth_against_loops(made, step):
    rows, columns, channels, seed = made
    x = random_map(rows * step, columns * step, channels * step**2, seed)
    np.testing.assert_array_equal(run(SpaceToDepth(step), x), slow_space_to_depth(x, step))
    np.testing.assert_array_equal(run(Reorg(step), x), slow_reorg(x, step))


@given(maps, st.integers(1, 3))
@settings(max_examples=20)
def test_reorg_moves_values_and_changes_none(made, step):
    rows, columns, channels, seed = made
    x = random_map(rows * step, columns * step, channels * step**2, seed)
    for layer in (Reorg(step), SpaceToDepth(step)):
        np.testing.assert_array_equal(np.sort(run(layer, x).ravel()), np.sort(x.ravel()))


@given(maps, st.integers(1, 4), st.integers(1, 3), st.integers(0, 4))
@settings(max_examples=20)
def test_padded_maxima_against_loops(made, size, stride, padding):
    x = random_map(*made)
    if min(x.shape[:2]) + padding < size or padding - padding // 2 >= size:
        return  # no window, or one with nothing but padding
    expected = slow_maxpool(x, size, stride, padding)
    np.testing.assert_array_equal(run(PaddedMaxPool(size, stride, padding), x), expected)


@given(maps, st.lists(st.integers(1, 5), min_size=1, max_size=3))
@settings(max_examples=20)
def test_shortcut_against_loops(made, widths):
    rows, columns, channels, seed = made
    first, *others = (random_map(rows, columns, n, seed + n) for n in (channels, *widths))
    expected = slow_shortcut(first, others)
    np.testing.assert_allclose(run(ShortcutAdd(), first, *others), expected, rtol=1e-6, atol=1e-6)


@given(maps, st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=20)
def test_groups_of_channels_together_are_all_channels(made, groups, width):
    rows, columns, _, seed = made
    x = random_map(rows, columns, groups * width, seed)
    parts = [run(ChannelGroup(groups, part), x) for part in range(groups)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=2), x)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2))
@settings(max_examples=15)
def test_grouped_convolution_against_loops(seed, groups, width, size, stride):
    numbers = np.random.default_rng(seed)
    x = numbers.normal(size=(5, 4, groups * width)).astype(np.float32)
    kernel = numbers.normal(size=(2 * groups, width, size, size)).astype(np.float32)
    layer = GroupedConv2D(2 * groups, size, stride, groups=groups, use_bias=False)
    layer.build((None, 5, 4, groups * width))
    layer.set_weights([kernel.transpose(2, 3, 1, 0)])
    expected = slow_convolution(x, kernel, stride, 0, groups)
    np.testing.assert_allclose(run(layer, x), expected, rtol=1e-4, atol=1e-5)


LAYERS = [
    (BilinearDouble(), [3]),
    (BlueGreenRed(), [3]),
    (ChannelGroup(2, 1), [4]),
    (ChannelShuffle(2), [4]),
    (GroupedConv2D(6, 3, groups=2, padding="same"), [4]),
    (PaddedMaxPool(3, 2, 2), [4]),
    (Reorg(2), [4]),
    (ShortcutAdd(), [4, 3]),
    (SpaceToDepth(2), [4]),
]


@pytest.mark.parametrize(("layer", "channels"), LAYERS, ids=[type(layer).__name__ for layer, _ in LAYERS])
def test_shape_is_known_and_a_saved_layer_is_the_same(layer, channels, tmp_path):
    inputs = [keras.Input((None, None, n)) for n in channels]
    model = keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    images = [random_map(4, 6, n, n)[None] for n in channels]
    before = keras.ops.convert_to_numpy(model(images))
    assert layer.compute_output_shape(
        [(1, 4, 6, n) for n in channels] if len(channels) > 1 else (1, 4, 6, channels[0])
    ) == (before.shape)
    assert model.output_shape[3] == before.shape[3]
    model.save(tmp_path / "it.keras")
    again = keras.saving.load_model(tmp_path / "it.keras")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(images)), before)
