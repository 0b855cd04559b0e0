"""Graphs small enough to count by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from yolo_cli.config import bundled
from yolo_cli.engines import OnnxEngine
from yolo_cli.errors import DataError
from yolo_cli.graphs import between, ending_at, multiply_accumulates

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
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 2, "h", "w"])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "small", [given], [out], [kernel, dense])
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
def test_what_lies_between_one_input_and_its_heads(two_inputs, given, head, result):
    assert OnnxEngine(two_inputs, "cpu", part=(given, [head])).run(np.float32([5])) == [result]


def test_parts_of_an_open_network(two_inputs):
    first, second = (OnnxEngine(two_inputs, "cpu").part(*one) for one in (("a", [0]), ("b", [1])))
    assert (first.run(np.float32([1])), second.run(np.float32([1]))) == ([2], [2])


@pytest.mark.parametrize(("given", "head"), [("a", 1), ("a", 2), ("c", 0), ("a", 3)])
def test_heads_that_need_more_than_the_input(two_inputs, given, head):
    with pytest.raises(ValueError, match=r"it has no input|need more"):
        between(given, [head], two_inputs)
    with pytest.raises(DataError, match="can run here"):
        OnnxEngine(two_inputs, "cpu").part(given, [head])
