"""ONNX models of strangers: one line instead of a traceback, a full memory or boxes of noise."""

from __future__ import annotations

import os

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.hostile.models import card, tiny_model
from yolo_cli.config import DetectConfig
from yolo_cli.detectors import load_detector
from yolo_cli.engines import vetting
from yolo_cli.errors import DataError
from yolo_cli.images import Image

ENGINES = ["onnx", "openvino"]
IMAGE = Image(np.zeros((40, 60, 3), np.uint8))


def detect(path, engine):
    return load_detector(path, engine=engine, config=DetectConfig(conf=0.01)).detect([IMAGE])


def fault(path, engine) -> str:
    with pytest.raises(DataError) as caught:
        detect(path, engine)
    text = caught.value.text
    assert "\n" not in text
    assert len(text) < 400 + len(str(path))
    return text


@pytest.mark.parametrize("engine", ENGINES)
def test_the_model_works_before_it_is_spoilt(engine, tmp_path):
    """Every raw value is 0, so confidences are σ(0) · σ(0) = 0.25."""
    [found] = detect(tiny_model(tmp_path / "a.onnx"), engine)
    assert len(found) > 0
    np.testing.assert_allclose(found.confidence, 0.25)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"detector": []}, "detector is not a text"),
        ({"class_names": []}, "class_names has 0 class names"),
        ({"class_names": "a"}, "class_names is not a list"),
        ({"class_names": [""]}, "class_names has a class name, number 0, that is empty"),
        ({"class_names": ["\ud800"]}, "class_names has a class name, number 0, that holds half a character"),
        (
            {"class_names": ["x" * 300]},
            "class_names has a class name, number 0, that has more than 255 bytes",
        ),
        ({"class_names": ["a", "b"]}, "class_names has 2 names, but heads has another class_count"),
        ({"input_size": [10**9, 10**9]}, "input_size holds 1000000000"),
        ({"input_size": [0, 64]}, "input_size holds 0"),
        ({"input_size": [True, 64]}, "input_size holds True"),
        ({"heads": []}, "heads is empty"),
        ({"heads": [{}]}, "heads holds a head without the fields"),
        ({"heads": None}, "heads is not a list"),
        ({"beta": float("nan")}, "beta holds nan"),
        ({"beta": 10**400}, "beta holds 1000"),
        ({"resize": ["stretch"]}, "resize is ['stretch']"),
        ({"suppression": 5}, "suppression is 5"),
        ({"calibration": [[0, 1], [0]]}, "calibration is not a list of 2"),
        ({"figures": "many"}, "figures is not a list"),
        ({"source": {"a": 1}}, "source is not a text"),
        ({"odd": 1}, "it has a field 'odd'"),
        ({"format": 2}, "it has format 2"),
        ({"name": "a\x1b"}, "name holds a control character"),
    ],
)
def test_cards(changes, says, engine, tmp_path):
    path = tiny_model(tmp_path / "a.onnx", card(**changes))
    assert f"{path}: its model card cannot be read ({says}" in fault(path, engine)


@pytest.mark.parametrize("text", ["", "[" * 100_000, "null", '{"format": 1}', '"x"', "\ufeff{}"])
def test_what_is_no_card(text, tmp_path):
    assert "its model card cannot be read" in fault(tiny_model(tmp_path / "a.onnx", text), "onnx")


@pytest.mark.parametrize("backbone", ["", "x", ":", "/etc/passwd:a"])
def test_region_detectors_name_their_backbone(backbone, tmp_path):
    path = tiny_model(tmp_path / "a.onnx", card(detector="rcnn", backbone=backbone))
    assert fault(path, "onnx").startswith(f"{path}: ")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "head", [{"class_count": 2}, {"anchors": [[10, 10]]}, {"stride": 16}, {"stride": 64}, {"kind": "x"}]
)
def test_heads_that_do_not_fit(head, engine, tmp_path):
    first = {**card()["heads"][0], **head}
    names = ["a", "b"][: first["class_count"]]
    fault(tiny_model(tmp_path / "a.onnx", card(heads=[first], class_names=names)), engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("operator", ["Conv", "Gemm", "Resize"])
def test_operators_with_too_few_inputs(operator, engine, tmp_path, monkeypatch):
    """OpenVINO 2026.4 ends the process by a segmentation fault: it must not get to read them."""
    monkeypatch.setattr("yolo_cli.engines.openvino_network._converted", lambda _: pytest.fail("read"))

    def spoil(model):
        model.graph.node[0].op_type = operator

    path = tiny_model(tmp_path / "a.onnx", change=spoil)
    assert "is not an ONNX model that can run here" in fault(path, engine)


def test_a_file_is_looked_at_again_when_it_has_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("YOLO_CLI_CACHE", raising=False)
    looked = []
    monkeypatch.setattr(vetting, "check_graph", looked.append)
    path = tiny_model(tmp_path / "a.onnx")
    for _ in range(2):
        vetting.check_before_openvino(path)
    assert looked == [path]
    path.write_bytes(path.read_bytes())
    vetting.check_before_openvino(path)
    assert looked == [path, path]


def middle(*nodes, **constants):
    return {"middle": nodes, "constants": {name: np.asarray(values) for name, values in constants.items()}}


def node(kind, given, output="more", **attributes):
    return helper.make_node(kind, given.split(","), [output], **attributes)


FAR, ADD = 20_000, node("Add", "features,c")
GREEDY = {
    "expand": middle(node("Expand", "features,s"), s=[1, 3, 30_000, 30_000]),
    "tile": middle(node("Tile", "features,s"), s=[1, 1, FAR, FAR]),
    "pad": middle(node("Pad", "features,s"), s=[0, 0, FAR, FAR, 0, 0, FAR, FAR]),
    "resize": middle(node("Resize", "features,,s"), s=np.array([1, 1, FAR, FAR], np.float32)),
    "constant": middle(node("ConstantOfShape", "s", "c"), ADD, s=[1, 1, 40_000, 40_000]),
    "broadcast": middle(
        node("Add", "a,b", "c"),
        ADD,
        a=np.ones((1, 1, 40_000, 1), np.float32),
        b=np.ones((1, 1, 1, 40_000), np.float32),
    ),
    "pads": middle(node("MaxPool", "features", kernel_shape=[32_768, 32_768], pads=[32_767] * 4)),
    "concat": middle(
        node("Concat", ",".join(["features"] * 8), "c0", axis=2),
        *(node("Concat", ",".join([f"c{i}"] * 8), f"c{i + 1}", axis=2) for i in range(8)),
        node("Identity", "c8"),
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", GREEDY)
def test_a_network_that_asks_for_gigabytes(kind, engine, tmp_path):
    import resource

    path = tiny_model(tmp_path / "a.onnx", **GREEDY[kind])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fault(path, engine)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 1 << 20  # KiB: at most 1 GiB


def two_inputs(model):
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1]))
    model.graph.node.append(helper.make_node("Identity", ["other"], ["y"]))
    model.graph.output.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1]))


def no_output(model):
    del model.graph.output[:]


def text_output(model):
    model.graph.initializer.append(helper.make_tensor("words", TensorProto.STRING, [1], [b"a"]))
    model.graph.node.append(helper.make_node("Identity", ["words"], ["y"]))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("y", TensorProto.STRING, [1]))


def custom_operator(model):
    model.graph.node[3].op_type = "Frobnicate"
    model.graph.node[3].domain = "com.example"


def external_data(model):
    kernel = model.graph.initializer[0]
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    kernel.external_data.add(key="location", value="../../../../dev/zero")


def failing_at_run_time(model):
    """A reshape that no image fits."""
    model.graph.initializer.append(helper.make_tensor("shape", TensorProto.INT64, [4], [1, 3, 7, 11]))
    model.graph.node[3].CopyFrom(helper.make_node("Reshape", ["features", "shape"], ["more"]))


def cut_kernel(model):
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:8]


def endless_loop(model):
    """2⁶² rounds."""
    ends = [helper.make_tensor_value_info(name, kind, []) for name, kind in (
        ("round", TensorProto.INT64), ("on", TensorProto.BOOL), ("x", TensorProto.FLOAT))]  # fmt: skip
    nodes = [helper.make_node("Identity", ["on"], ["on2"]), helper.make_node("Sin", ["x"], ["x2"])]
    after = [helper.make_tensor_value_info("on2", TensorProto.BOOL, []),
             helper.make_tensor_value_info("x2", TensorProto.FLOAT, None)]  # fmt: skip
    body = helper.make_graph(nodes, "body", ends, after)
    model.graph.initializer.append(helper.make_tensor("rounds", TensorProto.INT64, [], [2**62]))
    model.graph.initializer.append(helper.make_tensor("yes", TensorProto.BOOL, [], [True]))
    model.graph.node[3].CopyFrom(helper.make_node("Loop", ["rounds", "yes", "features"], ["more"], body=body))


def loop_behind_weights(model):
    """A megabyte of them."""
    weights = numpy_helper.from_array(np.zeros((1 << 18,), np.float32), "much")
    model.graph.initializer.insert(0, weights)
    endless_loop(model)


def doubling_functions(model):
    """Each of thirty calls the next one twice."""
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("x", 1)]
    model.opset_import.append(sets[1])
    for number in range(30):
        calls = [("a", "m"), ("m", "b")]
        nodes = [helper.make_node(f"F{number + 1}", [a], [b], domain="x") for a, b in calls]
        nodes = nodes if number < 29 else [helper.make_node("Sin", ["a"], ["b"])]
        model.functions.append(helper.make_function("x", f"F{number}", ["a"], ["b"], nodes, sets))
    model.graph.node[3].CopyFrom(helper.make_node("F0", ["features"], ["more"], domain="x"))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "change",
    [two_inputs, no_output, text_output, custom_operator, external_data, failing_at_run_time, cut_kernel,
     endless_loop, loop_behind_weights, doubling_functions],
)  # fmt: skip
def test_networks_that_cannot_run(change, engine, tmp_path, capfd):
    fault(tiny_model(tmp_path / "a.onnx", change=change), engine)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_may_spell_the_name_of_an_operator(engine, tmp_path):
    def spell(model):
        words = np.frombuffer(b'"\x04Loop..', np.uint8)
        model.graph.initializer.append(numpy_helper.from_array(words, "words"))

    assert len(detect(tiny_model(tmp_path / "a.onnx", change=spell), engine)) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kept", [0, 1, 10, 200, -1])
def test_files_that_are_cut_off(kept, engine, tmp_path):
    path = tiny_model(tmp_path / "a.onnx")
    path.write_bytes(path.read_bytes()[:kept])
    fault(path, engine)


def test_a_pipe_and_a_link_to_a_device(tmp_path):
    os.mkfifo(tmp_path / "a.onnx")
    (tmp_path / "b.onnx").symlink_to("/dev/zero")
    for name in ("a.onnx", "b.onnx"):
        fault(tmp_path / name, "onnx")
