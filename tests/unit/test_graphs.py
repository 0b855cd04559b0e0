"""Graphs small enough to count by hand."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, load, numpy_helper, save

import yolo_cli
from yolo_cli.config import bundled
from yolo_cli.engines import OnnxEngine, Runtime
from yolo_cli.errors import DataError
from yolo_cli.graphs import between, ending_at, multiply_accumulates, read_metadata, without_weights

PACKAGE = Path(yolo_cli.__file__).parent
YOLO = bundled("weights") / "yolov4-tiny-coco.onnx"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A 3x3 convolution of 2 channels into 4 with stride 2, in half precision, then 4 values into 5."""
    kernel = numpy_helper.from_array(np.zeros((4, 2, 3, 3), np.float16), "kernel_half")
    dense = numpy_helper.from_array(np.zeros((4, 5), np.float32), "dense")
    nodes = [
        helper.make_node("Cast", ["kernel_half"], ["kernel"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["x", "kernel"], ["m/conv_1/out"], strides=[2, 2], kernel_shape=[3, 3]),
        helper.make_node("Transpose", ["m/conv_1/out"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["t", "dense"], ["y"]),
    ]
    inputs = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 2, "h", "w"])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "small", [inputs], [out], [kernel, dense])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    save(model, str(tmp_path / "small.onnx"))
    return tmp_path / "small.onnx"


def test_count_by_hand(small):
    # 7 x 9 pixels become 3 x 4 places: 12 · 4 channels · (2 · 9) = 864, and 12 · 5 · 4 = 240.
    assert multiply_accumulates(small, np.zeros((1, 2, 7, 9), np.float32)) == 864 + 240
    assert multiply_accumulates(small, np.zeros((3, 2, 7, 9), np.float32)) == 3 * (864 + 240)


def test_cut_off_after_a_layer(small):
    part = ending_at("conv", small)
    assert multiply_accumulates(part, np.zeros((1, 2, 7, 9), np.float32)) == 864


def test_yolov4_tiny_as_published():
    """Darknet prints 6.9 BFLOPs at 416 x 416, two operations for each multiply-accumulate."""
    count = OnnxEngine(YOLO, "cpu").multiply_accumulates(np.zeros((1, 416, 416, 3), np.uint8))
    assert 2 * count / 1e9 == pytest.approx(6.9, abs=0.05)


def test_features_of_the_bundled_model():
    engine = OnnxEngine(YOLO, "cpu", layer="route_034")
    [features] = engine.run(np.zeros((2, 64, 96, 3), np.uint8))
    assert features.shape == (2, 384, 4, 6)  # a cell every 16 pixels


def test_a_layer_that_is_not_there():
    with pytest.raises(DataError, match="no layer route_99"):
        OnnxEngine(YOLO, "cpu", layer="route_99")


@pytest.fixture
def two_inputs(tmp_path):
    """a → a + 1, b → b · 2, and a third output that needs both."""
    floats = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "ab"]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("p", "q", "r")]
    nodes = [
        helper.make_node("Add", ["a", "one"], ["p"]),
        helper.make_node("Add", ["b", "b"], ["q"]),
        helper.make_node("Add", ["p", "q"], ["r"]),
    ]
    one = numpy_helper.from_array(np.ones(1, np.float32), "one")
    graph = helper.make_graph(nodes, "two", floats, outputs, [one])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    save(model, str(tmp_path / "two.onnx"))
    return tmp_path / "two.onnx"


@pytest.mark.parametrize(("given", "head", "result"), [("a", 0, 6.0), ("b", 1, 10.0)])
def test_the_nodes_between_one_input_and_its_heads(two_inputs, given, head, result):
    assert OnnxEngine(two_inputs, "cpu", part=(given, [head])).run(np.float32([5])) == [result]


def test_parts_of_a_network(two_inputs):
    first, second = Runtime("cpu").open_parts(two_inputs, [("a", [0]), ("b", [1])])
    assert (first.run(np.float32([1])), second.run(np.float32([1]))) == ([2], [2])


@pytest.mark.parametrize(("given", "head"), [("a", 1), ("a", 2), ("c", 0), ("a", 3)])
def test_heads_that_need_more_than_the_input(two_inputs, given, head):
    with pytest.raises(ValueError, match=r"it has no input|need more"):
        between(given, [head], two_inputs)
    with pytest.raises(DataError, match="can run here"):
        OnnxEngine(two_inputs, "cpu", part=(given, [head]))


@pytest.mark.parametrize("path", sorted(bundled("weights").glob("*.onnx")), ids=lambda path: path.stem)
def test_metadata_is_what_onnx_reads(path):
    assert read_metadata(path) == {entry.key: entry.value for entry in load(str(path)).metadata_props}
    assert len(read_metadata(path)) > 0


def test_metadata_of_a_small_file(small):
    assert read_metadata(small) == {}
    graph = load(str(small))
    graph.producer_version = "x" * 200  # a length that needs two bytes
    helper.set_model_props(graph, {"name": "bär", "empty": ""})
    save(graph, str(small))
    assert read_metadata(small) == {"name": "bär", "empty": ""}


@pytest.mark.parametrize("length", [0, 1, 10, 100, -1])
def test_metadata_of_a_file_that_is_cut_off(small, length):
    small.write_bytes(small.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"cut off|no network|not an ONNX"):
        read_metadata(small)


@given(st.binary(max_size=200))
def test_metadata_of_any_bytes_ends(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(data)
    with suppress(ValueError):
        read_metadata(path)


def test_without_weights_a_file_is_its_nodes_and_names(small):
    pieces = b" ".join(without_weights(small))
    assert all(word in pieces for word in (b"Conv", b"MatMul", b"kernel_half", b"dense", b"m/conv_1/out"))
    # 4 * 2 * 3 * 3 * 2 + 4 * 5 * 4 = 224 bytes of zeros were there.
    assert bytes(80) in small.read_bytes()
    assert bytes(40) not in pieces
    assert b" ".join(without_weights(small.read_bytes())) == pieces
    assert sum(map(len, without_weights(YOLO))) < YOLO.stat().st_size / 100


def imports_of(package: str) -> list[str]:
    """The modules that import a package, or name it so that it could be imported by name."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
            found += [path.name for name in names if name.split(".")[0] == package]
    return found


def test_onnxruntime_is_imported_in_one_place():
    """Elsewhere it could be imported before the variable that switches its telemetry off is set.

    The script that proves an export sets it, too, and must not import anything of ours. Quantisation is
    another package of ONNX Runtime, imported after it; the benchmark only asks for the version by that name.
    """
    known = {"onnx_quantising.py", "run_exported.py", "runtimes.py", "variants.py"}
    assert set(imports_of("onnxruntime")) == known


SPY = """
import os, sys
class Spy:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Spy())
from yolo_cli.detectors import load_detector
load_detector(engine="onnx")
print(os.environ.get("ORT_DISABLE_TELEMETRY"))
"""


@pytest.mark.parametrize(("value", "expected"), [(None, "1"), ("0", "0")])
def test_telemetry_is_off_before_onnxruntime_is_imported_unless_the_user_decides(value, expected):
    environment = {key: kept for key, kept in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    if value is not None:
        environment["ORT_DISABLE_TELEMETRY"] = value
    done = subprocess.run(
        [sys.executable, "-c", SPY], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [expected, expected]
