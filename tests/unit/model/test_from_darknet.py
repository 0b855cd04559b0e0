"""A Darknet cfg as a Keras model: every layer against plain loops, and the traps worked by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks import every_layer, random_values
from tests.oracles_network import slow_activation, slow_network
from yolo_cli.darknet import Convolution, read_cfg
from yolo_cli.model import build_model

HEAD = "[yolo]\nmask=0\nanchors=1,2\nclasses=1\nnum=1\n"


def network_of(folder, layers):
    path = folder / "it.cfg"
    path.write_text(f"[net]\nwidth=12\nheight=8\n{layers}{HEAD}")
    return read_cfg(path)


def heads_of(model, pixels):
    found = model(np.asarray(pixels, np.uint8)[None], training=False)
    found = found if isinstance(found, list | tuple) else [found]
    return [keras.ops.convert_to_numpy(raw)[0] for raw in found]


def test_every_layer_computes_what_loops_compute(tmp_path):
    network = every_layer(tmp_path)
    values = random_values(network)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 24, 3), np.uint8)  # higher than wide
    [ours] = heads_of(build_model(network, values), pixels)
    [theirs] = slow_network(network, values, pixels)
    assert ours.shape == (8, 6, 14)
    assert theirs.std() > 0.1
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_pixels_are_red_green_blue_from_0_to_1(tmp_path):
    """A 1 x 1 convolution that takes 1·red + 10·green + 100·blue: 51 / 255 = 0.2; 0.2 + 2 + 20."""
    network = network_of(tmp_path, "[convolutional]\nfilters=1\nsize=1\nstride=1\nactivation=linear\n")
    kernel = np.array([1, 10, 100], np.float32).reshape(1, 3, 1, 1)
    model = build_model(network, {0: Convolution(kernel, np.zeros(1, np.float32))})
    [raw] = heads_of(model, [[[51, 51, 51], [255, 0, 0], [0, 0, 255]]])
    np.testing.assert_allclose(raw[0, :, 0], [22.2, 1, 100], rtol=1e-6)


def ones(filters, channels, size):
    return Convolution(np.ones((filters, channels, size, size), np.float32), np.zeros(filters, np.float32))


def test_a_stride_pads_every_side_alike(tmp_path):
    """White 4 x 4 pixels under a 3 x 3 kernel of ones, pad=1, stride 2: windows begin at −1 and 1, so the
    first sees 2 of its 3 rows: 2·2 = 4, 2·3 = 6, 9, times 3 channels. Padding only below and right, as
    Keras's `same` does, would give 27, 18, 18, 12."""
    layer = "[convolutional]\nfilters=1\nsize=3\nstride=2\npad=1\nactivation=linear\n"
    model = build_model(network_of(tmp_path, layer), {0: ones(1, 3, 3)})
    [raw] = heads_of(model, np.full((4, 4, 3), 255))
    np.testing.assert_allclose(raw[..., 0], [[12, 18], [18, 27]], rtol=1e-6)


def test_normalisation_adds_epsilon_inside_the_root(tmp_path):
    """γ (x − mean) / √(variance + 1e-5) + β with γ = 2, mean = 0.5, variance = 0, β = 3 at x = 1:
    2 · 0.5 / 0.0031623 + 3 = 319.2. (The other Darknet, √variance + 1e-6, would give a million.)"""
    layer = "[convolutional]\nbatch_normalize=1\nfilters=1\nsize=1\nstride=1\nactivation=linear\n"
    kernel = np.array([1, 0, 0], np.float32).reshape(1, 3, 1, 1)
    beta, gamma, mean, variance = (np.full(1, value, np.float32) for value in (3, 2, 0.5, 0))
    model = build_model(network_of(tmp_path, layer), {0: Convolution(kernel, beta, gamma, mean, variance)})
    [raw] = heads_of(model, [[[255, 0, 0]]])
    np.testing.assert_allclose(raw, 319.2278, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("linear", [-3, 0, 1, 7]),
        ("leaky", [-0.3, 0, 1, 7]),  # 0.1 · −3
        ("relu", [0, 0, 1, 7]),
        ("relu6", [0, 0, 1, 6]),
        ("logistic", [0.047426, 0.5, 0.731059, 0.999089]),  # 1 / (1 + e³) = 1 / 21.0855
        ("swish", [-0.142278, 0, 0.731059, 6.993622]),  # −3 · 0.047426
        ("mish", [-0.145647, 0, 0.865098, 6.999988]),  # tanh(ln(1 + e)) = tanh(1.313262)
    ],
)
def test_activations(kind, expected, tmp_path):
    """Values come in by way of the bias: −3, 0, 1 and 7."""
    layer = f"[convolutional]\nfilters=4\nsize=1\nstride=1\nactivation={kind}\n"
    values = Convolution(np.zeros((4, 3, 1, 1), np.float32), np.array([-3, 0, 1, 7], np.float32))
    [raw] = heads_of(build_model(network_of(tmp_path, layer), {0: values}), [[[0, 0, 0]]])
    np.testing.assert_allclose(raw[0, 0], expected, atol=1e-5)
    np.testing.assert_allclose([slow_activation(kind, x) for x in (-3, 0, 1, 7)], expected, atol=1e-6)


def test_a_convolution_without_activation_is_logistic_as_in_darknet(tmp_path):
    layer = "[convolutional]\nfilters=1\nsize=1\nstride=1\n"
    [raw] = heads_of(build_model(network_of(tmp_path, layer), {0: ones(1, 3, 1)}), [[[0, 0, 0]]])
    np.testing.assert_allclose(raw, 0.5)


def test_depthwise_with_two_filters_a_channel(tmp_path):
    """Of 6 filters in 3 groups, 0 and 1 see red, 2 and 3 green, 4 and 5 blue. Pixel: 1.0, 0.2, 0.4."""
    layer = "[convolutional]\nfilters=6\nsize=1\nstride=1\ngroups=3\nactivation=linear\n"
    kernel = np.array([1, 2, 3, 4, 5, 6], np.float32).reshape(6, 1, 1, 1)
    model = build_model(network_of(tmp_path, layer), {0: Convolution(kernel, np.zeros(6, np.float32))})
    [raw] = heads_of(model, [[[255, 51, 102]]])
    np.testing.assert_allclose(raw[0, 0], [1, 2, 0.6, 0.8, 2, 2.4], rtol=1e-6)


def test_heads_are_named_and_float32(tmp_path):
    network = every_layer(tmp_path)
    with_two = network_of(tmp_path, f"[dropout]\n{HEAD}[route]\nlayers=0\n")
    assert [output.dtype for output in build_model(network).outputs] == ["float32"]
    names = [layer.name for layer in build_model(with_two).layers if layer.name.startswith("head_")]
    assert names == ["head_0", "head_1"]


@st.composite
def layer_texts(draw):
    """One layer that fits behind 8 channels of 8 x 12 cells."""
    step, size, kinds = draw(st.integers(1, 2)), draw(st.integers(1, 5)), st.sampled_from(["leaky", "mish"])
    convolution = (
        f"[convolutional]\nbatch_normalize={draw(st.integers(0, 1))}\nfilters=8\nsize={size}\nstride={step}\n"
        f"pad={draw(st.integers(0, 1))}\npadding={draw(st.integers(0, 2))}\n"
        f"groups={draw(st.sampled_from([1, 2, 4, 8]))}\nactivation={draw(kinds)}\n"
    )
    others = [
        f"[maxpool]\nsize={size}\nstride={step}\n",
        f"[maxpool]\nsize=3\nstride={step}\npadding={draw(st.integers(0, 3))}\n",
        f"[reorg]\nstride={step}\n",
        f"[reorg3d]\nstride={step}\n",
        f"[upsample]\nstride={step}\n",
        f"[route]\nlayers=-1,0\ngroups={draw(st.sampled_from([1, 2, 4]))}\n",
        f"[shortcut]\nfrom=-1\nactivation={draw(st.sampled_from(['linear', 'leaky']))}\n",
    ]
    return convolution if draw(st.booleans()) else draw(st.sampled_from(others))


@given(layer_texts(), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_any_layer_computes_what_loops_compute(tmp_path_factory, layer, seed):
    first = "[convolutional]\nfilters=8\nsize=1\nstride=1\nactivation=linear\n"
    network = network_of(tmp_path_factory.mktemp("cfg"), first + layer)
    values = random_values(network, seed)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), np.uint8)
    [ours] = heads_of(build_model(network, values), pixels)
    [theirs] = slow_network(network, values, pixels)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
