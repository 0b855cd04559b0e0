"""Equal networks in one form, whatever an exporter called their parts and in which order it wrote them."""

from __future__ import annotations

import json

import numpy as np
import onnx
from onnx import helper, numpy_helper

from yolo_cli.weights.canonical import canonical_config, canonical_graph

FLOAT = onnx.TensorProto.FLOAT


def network(numbers: tuple[int, int, int], swapped: bool) -> onnx.ModelProto:
    """``x + 1`` twice, their sum times a kernel, as tf2onnx would name it."""
    one, other, kernel = (f"conv/part__{number}" for number in numbers)
    nodes = [
        helper.make_node("Add", ["x", one], [f"a__{numbers[0]}"]),
        helper.make_node("Add", ["x", other], [f"b__{numbers[1]}"]),
        helper.make_node("Add", [f"a__{numbers[0]}", f"b__{numbers[1]}"], ["layer_7/sum"]),
        helper.make_node("MatMul", ["layer_7/sum", kernel], ["y"]),
    ]
    values = {one: np.float32([1]), other: np.float32([1]), kernel: np.eye(2, dtype=np.float32)}
    stored = [numpy_helper.from_array(array, name) for name, array in values.items()]
    if swapped:
        nodes[:2], stored = nodes[1::-1], stored[::-1]
    ends = [helper.make_tensor_value_info(name, FLOAT, [f"unk__{numbers[2]}", 2]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], stored, doc_string=f"from {numbers}")
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


def canonical(model: onnx.ModelProto) -> onnx.ModelProto:
    canonical_graph(model)

    return model


def test_names_numbers_and_order_of_the_exporter_do_not_matter():
    first, second = canonical(network((1, 2, 3), False)), canonical(network((90, 50, 40), True))
    assert first.SerializeToString() == second.SerializeToString()


def test_which_of_two_equal_nodes_an_exporter_left_does_not_matter():
    """tf2onnx merges them itself, in an order that is chance."""
    first, second = network((1, 2, 3), False), network((1, 2, 3), False)
    for model, left, gone in ((first, "a__1", "b__2"), (second, "b__2", "a__1")):
        model.graph.node.remove(next(node for node in model.graph.node if node.output[0] == gone))
        total = next(node for node in model.graph.node if node.output[0] == "layer_7/sum")
        total.input[:] = [left, left]
    assert canonical(first).SerializeToString() == canonical(second).SerializeToString()


def test_equal_nodes_become_one_and_are_named_by_what_they_do():
    """``x + 1`` is computed once; the sum is that with itself."""
    graph = canonical(network((1, 2, 3), False)).graph
    assert [(node.op_type, list(node.input), list(node.output)) for node in graph.node] == [
        ("Add", ["x", "constant"], ["add"]),
        ("Add", ["add", "add"], ["add__2"]),
        ("MatMul", ["add__2", "constant__2"], ["y"]),
    ]
    assert [array.name for array in graph.initializer] == ["constant", "constant__2"]


def test_the_network_computes_the_same():
    """2 (x + 1)."""
    import onnxruntime

    model = canonical(network((1, 2, 3), True))
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"x": np.float32([[1, 2]])})
    assert found.tolist() == [[4, 6]]


def test_other_weights_stay_other_files():
    first, second = network((1, 2, 3), False), network((1, 2, 3), False)
    second.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.float32([2]), "conv/part__1"))
    assert canonical(first).SerializeToString() != canonical(second).SerializeToString()


def test_how_a_model_was_compiled_is_not_stored():
    """Such as an optimizer, which no reader wants."""
    assert canonical_config(b'{"config": {"name": "a"}, "compile_config": {"optimizer": "rmsprop"}}') == (
        b'{"config": {"name": "a"}}'
    )


def test_shared_objects_of_keras_are_numbered_in_order():
    config = {
        "a": {"shared_object_id": 140},
        "b": [{"shared_object_id": 99}, {"shared_object_id": 140}, {"c": None}],
    }
    expected = {
        "a": {"shared_object_id": 1},
        "b": [{"shared_object_id": 2}, {"shared_object_id": 1}, {"c": None}],
    }
    assert json.loads(canonical_config(json.dumps(config).encode())) == expected
