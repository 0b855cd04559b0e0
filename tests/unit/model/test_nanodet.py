"""NanoDet-Plus: our network computes what a slow one in NumPy does, from every kind of file."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import onnx
import pytest

from tests.oracles_nanodet import Oracle
from tests.torch_files import zip_form
from yolo_cli.codec import Head
from yolo_cli.errors import DataError
from yolo_cli.framework import keras
from yolo_cli.model.nanodet import STRIDES, VARIANTS, build_nanodet, gfl_heads
from yolo_cli.model.nanodet_weights import read_nanodet
from yolo_cli.model.ncnn_file import read_ncnn

CLASSES = 3
SIZE = (64, 96)  # 96 is not a multiple of 64: the last grid is 1 x 2


@dataclass
class Case:
    """An image (H, W, 3), the oracle that saw it, and the heads that it computed."""

    rgb: np.ndarray
    oracle: Oracle
    heads: list[np.ndarray]

    def agrees(self, model) -> None:
        """The largest difference is small against the spread of each head."""
        heads = model.predict_on_batch(self.rgb[None])
        for ours, theirs in zip(heads, self.heads, strict=True):
            assert ours[0].shape == theirs.shape
            np.testing.assert_allclose(ours[0], theirs, atol=2e-4 * np.abs(theirs).max())


def make(stored) -> Case:
    rng = np.random.default_rng(7)
    rgb = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    oracle = Oracle(rng, CLASSES, stored)
    return Case(rgb, oracle, oracle.run(rgb))


@pytest.fixture(scope="module")
def case() -> Case:
    return make("float16")


def test_the_grids_are_rounded_up(case):
    """64 x 96 pixels at strides 8, 16, 32 and 64; 3 classes and 4 · 8 distances."""
    assert [head.shape for head in case.heads] == [(8, 12, 35), (4, 6, 35), (2, 3, 35), (1, 2, 35)]
    assert gfl_heads(CLASSES) == tuple(Head("gfl", (), stride, 3, bins=8) for stride in STRIDES)
    assert {head.channels for head in gfl_heads(CLASSES)} == {35}


@pytest.mark.parametrize("stored", ["float32", "float16", "int8"])
def test_ncnn(stored, tmp_path):
    made = make(stored)
    model, size = read_nanodet(made.oracle.write(tmp_path / "any"), CLASSES)
    assert size == ()
    made.agrees(model)


def state_dict(oracle: Oracle, rng=None) -> dict[str, np.ndarray]:
    """The authors' names, with batch normalisation apart from the convolutions.

    Without ``rng`` it changes nothing: γ = √(1 + ε), so that γ / √(variance + ε) is 1. With it, it is random,
    and the kernels are what they must be for convolution and normalisation to compute the same.
    """
    found = {}
    for name, kernel in oracle.tensors.items():
        stem, _, part = name.rpartition(".")
        if part == "bias" or "gfl_cls" in stem:
            found |= {name: kernel} if "gfl_cls" in stem else {}
            continue
        rest, _, last = stem.rpartition(".")
        named = {"conv": "bn", "depthwise": "dwnorm", "pointwise": "pwnorm"}
        norm = f"{rest}.{named[last] if last in named else int(last) + 1}"
        count = len(kernel)
        variance = rng.uniform(0.5, 2, count) if rng else np.ones(count)
        mean = rng.normal(0, 1, count) if rng else np.zeros(count)
        gamma = rng.uniform(0.5, 2, count) if rng else np.full(count, np.sqrt(1 + 1e-5))
        scale = gamma / np.sqrt(variance + 1e-5)
        found |= {
            f"{stem}.weight": kernel / scale[:, None, None, None],
            f"{norm}.weight": gamma,
            f"{norm}.bias": oracle.tensors[f"{stem}.bias"] + mean * scale,
            f"{norm}.running_mean": mean,
            f"{norm}.running_var": variance,
        }
    return {name: value.astype(np.float32) for name, value in found.items()}


def write_onnx(oracle: Oracle, path, size=SIZE) -> None:
    """The same network as PyTorch exports it: weights as initializers, activations as nodes of their own."""
    helper = onnx.helper
    nodes, constants = [], []
    for step in read_ncnn(*oracle.write(path)):
        kind = {"concat": "Concat", "add": "Add"}.get(step.kind, "Identity")
        given, (name,) = list(step.inputs), step.outputs
        if step.kind.startswith("leaky"):
            nodes[-1].output[0] = f"{name}_raw"
            nodes.append(helper.make_node("LeakyRelu", [f"{name}_raw"], [name], alpha=0.1))
        elif step.values is not None:
            for part, value in (("weight", step.values.kernel), ("bias", step.values.bias)):
                constants.append(onnx.numpy_helper.from_array(value, f"{name}.{part}"))
                given.append(f"{name}.{part}")
            nodes.append(helper.make_node("Conv", given, [name], strides=[step.shape[-1]] * 2))
        elif given:
            nodes.append(helper.make_node(kind, given, [name], **({"axis": 1} if kind == "Concat" else {})))
    image = helper.make_tensor_value_info("b0", onnx.TensorProto.FLOAT, [1, 3, *size])
    onnx.save(helper.make_model(helper.make_graph(nodes, "main", [image], [], constants)), str(path))


@pytest.mark.parametrize("size", [SIZE, ("h", "w")])
def test_onnx(case, size, tmp_path):
    write_onnx(case.oracle, tmp_path / "any.onnx", size)
    model, found = read_nanodet([tmp_path / "any.onnx"], CLASSES)
    assert found == (size if size == SIZE else ())
    case.agrees(model)


@pytest.mark.parametrize("keep", [0, 100, 100_000])
def test_an_onnx_file_that_is_cut_off(case, keep, tmp_path):
    path = tmp_path / "any.onnx"
    write_onnx(case.oracle, path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"any.onnx: is not a"):
        read_nanodet([path], CLASSES)


@pytest.mark.parametrize("seed", [None, 5], ids=["identity", "random"])
@pytest.mark.parametrize(("prefix", "below"), [("", ""), ("model.", "state_dict")])
def test_pth(case, seed, prefix, below, tmp_path):
    tensors = state_dict(case.oracle, np.random.default_rng(seed) if seed else None)
    path = tmp_path / "any.pth"
    path.write_bytes(zip_form({prefix + name: value for name, value in tensors.items()}, below))
    case.agrees(read_nanodet([path], CLASSES)[0])


def test_a_checkpoint_gives_its_averaged_weights(case, tmp_path):
    tensors = state_dict(case.oracle)
    last = {f"model.{name}": value + 1 for name, value in tensors.items()}
    averaged = {f"avg_model.{name}": value for name, value in tensors.items()}
    for order in (last | averaged, averaged | last):
        path = tmp_path / "any.ckpt"
        path.write_bytes(zip_form(order))
        case.agrees(read_nanodet([path], CLASSES)[0])


def test_both_variants_have_the_authors_size():
    """Published: 1.17 and 2.44 million parameters with 80 classes; these are the kernels."""
    for variant, published in zip(VARIANTS.values(), (1.17, 2.44), strict=True):
        kernels = [weight for weight in build_nanodet(variant, 80).weights if weight.path.endswith("kernel")]
        assert round(sum(math.prod(kernel.shape) for kernel in kernels) / 1e6, 2) == published


def test_it_can_be_saved_and_loaded(case, tmp_path):
    model, _ = read_nanodet(case.oracle.write(tmp_path / "any"), CLASSES)
    model.save(tmp_path / "any.keras")
    case.agrees(keras.saving.load_model(tmp_path / "any.keras", compile=False))


def test_another_number_of_classes_is_refused(case, tmp_path):
    files = case.oracle.write(tmp_path / "any")
    with pytest.raises(DataError, match=r"any.param: has 3 classes, but 80 names are given"):
        read_nanodet(files, 80)


def changed(case, tmp_path, old, new):
    """The files with one text replaced, where it first occurs."""
    param, binary = case.oracle.write(tmp_path / "any")
    text = param.read_text()
    assert old in text
    param.write_text(text.replace(old, new, 1))
    return param, binary


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("-23310=1,1.000000e-01", "-23310=1,2.000000e-01", "no counterpart of backbone_conv1_0|stage2"),
        ("9=2 -23310=1,1.000000e-01", "9=1", "no counterpart"),
        ("-23310=1,1.000000e-01", "", "line 4: its LeakyReLU has no slope"),
        ("3=2", "3=1", "no counterpart of backbone_conv1_0"),
        ("Concat", "Softmax", "no counterpart"),
        ("6=648", "6=647", "line 4: 647 weights are not a kernel of 24 x 3 x 3"),
        ("0=24 ", "0=0 ", "not a kernel of 0 x"),
        ("0=24 ", "0=x ", "line 4: could not convert"),
        ("7767517", "7767518", "is not a text .param file of ncnn"),
        ("0=58 ", "0=56 ", "any.bin the file that belongs to it|not a kernel"),
    ],
)
def test_another_network_is_refused(case, old, new, reason, tmp_path):
    with pytest.raises(DataError, match=reason):
        read_nanodet(changed(case, tmp_path, old, new), CLASSES)


def test_files_that_do_not_fit_together(case, tmp_path):
    param, binary = case.oracle.write(tmp_path / "any")
    data = binary.read_bytes()
    for cut in (data[:-4], data[:2], b"", b"abcd" + data[4:], data + b"1234"):
        binary.write_bytes(cut)
        with pytest.raises(DataError, match=r"any\.(bin|param)"):
            read_nanodet([param, binary], CLASSES)
    binary.unlink()
    with pytest.raises(DataError, match=r"any.bin: no such file"):
        read_nanodet([param, binary], CLASSES)


def test_infinite_weights_are_refused(case, tmp_path):
    tensors = state_dict(case.oracle)
    tensors["head.gfl_cls.0.bias"] = np.full(CLASSES + 32, np.inf, np.float32)
    path = tmp_path / "any.pth"
    path.write_bytes(zip_form(tensors))
    with pytest.raises(DataError, match="head_gfl_cls_0 has NaN or infinite values"):
        read_nanodet([path], CLASSES)


def test_tensors_that_are_missing(case, tmp_path):
    path = tmp_path / "any.pth"
    for name, reason in {
        "fpn.downsamples.1.pwnorm.bias": "no tensor fpn.downsamples.1.pwnorm.bias",
        "fpn.downsamples.1.pointwise.weight": "no tensor for fpn_downsamples_1_pointwise",
        "head.gfl_cls.0.weight": "no tensor head.gfl_cls.0.weight",
        "backbone.stage2.0.branch1.2.weight": "no tensor for|is not a NanoDet-Plus",
    }.items():
        tensors = state_dict(case.oracle)
        del tensors[name]
        path.write_bytes(zip_form(tensors))
        with pytest.raises(DataError, match=reason):
            read_nanodet([path], CLASSES)
