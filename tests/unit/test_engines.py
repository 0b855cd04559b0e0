"""Which engine and which device run a network, on fake frameworks: nothing here needs a GPU."""

from __future__ import annotations

import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import keras
import pytest

from yolo_cli.engines import (
    check_keras_device,
    choose_engine,
    choosing,
    keras_device,
    on_keras,
    on_onnxruntime,
    unused_gpu,
)
from yolo_cli.engines.choosing import COREML, CPU, CUDA, DIRECTML, gpu_provider
from yolo_cli.errors import DataError, UsageError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set what a machine has: a GPU, an ONNX Runtime for it, a Keras for it, GPUs that Keras really sees."""

    def has(
        gpu: bool = False, onnx: bool = False, keras: bool = False, openvino: bool = False, seen: int = 0
    ) -> None:
        providers = [CUDA, CPU] if onnx else [CPU]
        runtime = SimpleNamespace(get_available_providers=lambda: providers)
        monkeypatch.setattr(choosing, "import_onnxruntime", lambda: runtime)
        monkeypatch.setattr(choosing, "gpu_visible", lambda: gpu)
        monkeypatch.setattr(choosing, "uses_cuda", lambda _: keras)
        monkeypatch.setattr(choosing, "installed", lambda _: openvino)
        for module in (choosing, on_keras):
            monkeypatch.setattr(module, "missing_for_gpu", lambda *_: "install it" if gpu else None)
        monkeypatch.setattr(on_keras, "keras_gpus", lambda: seen)

    monkeypatch.delenv("YOLO_CLI_DEVICE", raising=False)
    return has


@pytest.mark.parametrize(
    ("device", "has", "chosen"),
    [
        ("auto", "", "onnx"),
        ("auto", "keras", "onnx"),  # ready for a GPU that is not there
        ("auto", "gpu", "onnx"),  # a GPU that nothing can use: Keras on a CPU would be slower
        ("auto", "gpu keras", "keras"),
        ("auto", "gpu onnx", "onnx"),
        ("auto", "gpu onnx keras", "onnx"),  # it starts in less time
        ("cpu", "gpu keras", "onnx"),
        ("gpu", "gpu keras", "keras"),
        ("gpu", "gpu onnx keras", "onnx"),
        ("gpu", "", "keras"),  # of another maker: Keras must know
        ("gpu:1", "gpu keras", "keras"),
        ("gpu:1", "gpu onnx", "onnx"),
        ("auto", "openvino", "openvino"),
        ("cpu", "gpu onnx keras openvino", "openvino"),
        ("auto", "gpu openvino", "openvino"),
        ("auto", "gpu keras openvino", "keras"),
        ("auto", "gpu onnx openvino", "onnx"),
        ("gpu", "openvino", "keras"),
    ],
)
def test_the_engine(machine: Any, device: str, has: str, chosen: str) -> None:
    machine(**dict.fromkeys(has.split(), True))
    assert choose_engine("auto", device, has_onnx=True, has_keras=True).engine == chosen


@pytest.mark.parametrize("device", ["auto", "gpu"])
def test_a_model_with_one_file_runs_in_its_engine(machine: Any, device: str) -> None:
    machine(gpu=True, keras=True)
    assert choose_engine("auto", device, has_onnx=True, has_keras=False).engine == "onnx"
    machine(gpu=True, onnx=True)
    assert choose_engine("auto", device, has_onnx=False, has_keras=True).engine == "keras"
    with pytest.raises(DataError, match=r"engine keras: the model has no \.keras file"):
        choose_engine("keras", device, has_onnx=True, has_keras=False)


def test_a_device_that_is_not_one(machine: Any) -> None:
    machine()
    with pytest.raises(UsageError, match="device cuda:0: is not a device"):
        choose_engine("auto", "cuda:0", has_onnx=True, has_keras=True)


@pytest.mark.parametrize(
    ("kind", "device", "precision", "has", "says"),
    [
        (
            "openvino",
            "auto",
            "float32",
            "",
            "engine openvino: OpenVINO is not installed; pip install",
        ),
        (
            "auto",
            "auto",
            "bfloat16",
            "",
            "precision bfloat16: OpenVINO is not installed; pip install",
        ),
        ("onnx", "auto", "bfloat16", "openvino", "precision bfloat16: only engine openvino computes in it"),
        ("keras", "auto", "bfloat16", "openvino", "precision bfloat16: only engine openvino computes in it"),
        ("openvino", "gpu", "float32", "gpu openvino", "device gpu: OpenVINO runs on the CPU here; try"),
        ("auto", "gpu:0", "bfloat16", "gpu onnx openvino", "device gpu:0: OpenVINO runs on the CPU"),
        (
            "auto",
            "auto",
            "float16",
            "openvino",
            "precision is 'float16', but must be one of float32",
        ),
    ],
)
def test_what_openvino_cannot_do(
    machine: Any, kind: Any, device: str, precision: Any, has: str, says: str
) -> None:
    machine(**dict.fromkeys(has.split(), True))
    with pytest.raises(UsageError, match=re.escape(says)):
        choose_engine(kind, device, True, True, precision)


def test_a_precision_that_only_openvino_has_chooses_it(machine: Any) -> None:
    machine(gpu=True, onnx=True, openvino=True)
    choice = choose_engine("auto", "auto", True, True, "bfloat16")
    assert choice.sentence == "engine openvino: only it computes in bfloat16"
    with pytest.raises(DataError, match=r"engine openvino: the model has no \.onnx file"):
        choose_engine("openvino", "auto", has_onnx=False, has_keras=True)


def test_a_broken_choice_of_backend_does_not_keep_onnx_from_running(
    machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(gpu=True)
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    assert choose_engine("auto", "auto", has_onnx=True, has_keras=True).engine == "onnx"


@pytest.mark.parametrize(
    ("device", "has", "providers"),
    [
        ("auto", "", [CPU]),
        ("auto", "onnx", [CPU]),  # asked for CUDA without a GPU, it would complain on stderr
        ("auto", "gpu onnx", [(CUDA, {"device_id": 0}), CPU]),
        ("cpu", "gpu onnx", [CPU]),
        ("gpu", "gpu onnx", [(CUDA, {"device_id": 0}), CPU]),
        ("gpu:1", "gpu onnx", [(CUDA, {"device_id": 1}), CPU]),
    ],
)
def test_what_onnx_runtime_runs_on(machine: Any, device: str, has: str, providers: list[Any]) -> None:
    machine(**dict.fromkeys(has.split(), True))
    assert on_onnxruntime._providers(device) == providers


@pytest.mark.parametrize(
    ("available", "device", "providers"),
    [
        ([DIRECTML, CPU], "gpu", [(DIRECTML, {"device_id": 0}), CPU]),
        ([DIRECTML, CPU], "gpu:1", [(DIRECTML, {"device_id": 1}), CPU]),
        ([COREML, CPU], "gpu", [(COREML, {}), CPU]),
        (["TensorrtExecutionProvider", CUDA, CPU], "gpu", [(CUDA, {"device_id": 0}), CPU]),
        ([DIRECTML, CPU], "auto", [CPU]),  # not measured, so only where it is asked for
        ([COREML, CPU], "cpu", [CPU]),
    ],
)
def test_other_makers_gpus(
    machine: Any, monkeypatch: pytest.MonkeyPatch, available: list[str], device: str, providers: list[Any]
) -> None:
    machine()
    runtime = SimpleNamespace(get_available_providers=lambda: available)
    monkeypatch.setattr(choosing, "import_onnxruntime", lambda: runtime)
    assert on_onnxruntime._providers(device) == providers
    chosen = choose_engine("auto", device, has_onnx=True, has_keras=True)
    if len(providers) > 1:
        how = {DIRECTML: " by Dml", COREML: " by CoreML", CUDA: ""}[providers[0][0]]
        assert chosen.sentence == f"engine onnx: it can use the GPU{how}"
    assert gpu_provider("auto") == (CUDA if CUDA in available else None)


def test_an_onnx_runtime_without_cuda(machine: Any) -> None:
    machine(gpu=True)
    with pytest.raises(UsageError, match="device gpu:1: this ONNX Runtime has no GPU support"):
        on_onnxruntime._providers("gpu:1")


@pytest.mark.parametrize("raises", [True, False])
def test_cuda_that_does_not_start(
    machine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, raises: bool
) -> None:
    """ "auto" goes on without it; whoever asks for a GPU shall know."""
    machine(gpu=True, onnx=True)
    given = [SimpleNamespace(name="x", type="tensor(uint8)")]
    back = [SimpleNamespace(name="y", type="tensor(float)", shape=[1])]
    session = SimpleNamespace(get_providers=lambda: [CPU], get_inputs=lambda: given, get_outputs=lambda: back)
    file = tmp_path / "a.onnx"
    file.write_bytes(b"of no matter")

    def start(_: Any, providers: list[Any], _most: int | None = None) -> Any:
        if providers != [CPU] and raises:
            raise RuntimeError("CUDA failure 100: no CUDA-capable device is detected")
        return session

    monkeypatch.setattr(on_onnxruntime, "open_session", start)
    on_onnxruntime.OnnxEngine(file, "auto")
    with pytest.raises(UsageError, match="device gpu:0: ONNX Runtime could not start CUDA"):
        on_onnxruntime.OnnxEngine(file, "gpu:0")


@pytest.mark.parametrize(
    ("kind", "device", "has", "says"),
    [
        ("auto", "auto", "", None),
        ("onnx", "auto", "", None),
        ("auto", "cpu", "gpu", None),
        ("auto", "auto", "gpu", "nothing here can use the NVIDIA GPU yet; install it"),
        ("keras", "auto", "gpu onnx", "nothing here can use the NVIDIA GPU yet; install it"),
        ("auto", "auto", "gpu keras", None),
        ("auto", "auto", "gpu onnx", None),
        ("openvino", "auto", "gpu onnx", "OpenVINO does not use the NVIDIA GPU; try --engine auto"),
        ("keras", "auto", "gpu keras", None),
        (
            "onnx",
            "auto",
            "gpu keras",
            "ONNX Runtime cannot use the NVIDIA GPU; pip install onnxruntime-gpu, or try --engine keras",
        ),
    ],
)
def test_a_gpu_that_is_left_unused(machine: Any, kind: Any, device: str, has: str, says: str | None) -> None:
    machine(**dict.fromkeys(has.split(), True))
    assert unused_gpu(kind, device) == says


@pytest.mark.parametrize(
    ("device", "gpu", "seen", "says"),
    [
        ("auto", False, 0, []),
        ("auto", True, 1, []),
        ("auto", True, 0, ["tensorflow cannot use the NVIDIA GPU here, and computes on the CPU; install it"]),
        ("cpu", True, 0, []),
        ("gpu", True, 1, []),
    ],
)
def test_training_says_what_a_gpu_needs(
    machine: Any, monkeypatch: pytest.MonkeyPatch, device: str, gpu: bool, seen: int, says: list[str]
) -> None:
    machine(gpu=gpu, seen=seen)
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    told: list[str] = []
    check_keras_device(device, told.append)
    assert told == says


def test_a_gpu_that_keras_does_not_see(machine: Any) -> None:
    machine(seen=2)
    check_keras_device("gpu:1")
    with pytest.raises(UsageError, match="device gpu:2: there is no such GPU; choose from gpu:0, gpu:1"):
        check_keras_device("gpu:2")


@pytest.mark.parametrize(
    ("device", "asked"),
    [("auto", []), ("gpu", []), ("cpu", ["cpu"]), ("gpu:0", ["gpu:0"]), ("gpu:2", ["gpu:2"])],
)
def test_where_keras_computes(
    machine: Any, monkeypatch: pytest.MonkeyPatch, device: str, asked: list[str]
) -> None:
    """`keras.device` takes these names on TensorFlow, JAX and PyTorch alike."""
    from contextlib import nullcontext

    names: list[str] = []
    monkeypatch.setattr(keras, "device", lambda name: names.append(name) or nullcontext())
    with keras_device(device):
        assert names == asked


class FakeTensorFlow(ModuleType):
    """Two GPUs, and what is set about the memory of each."""

    def __init__(self, growth: dict[str, bool | None], fault: Exception | None = None) -> None:
        super().__init__("tensorflow")
        self.growth, self.fault = growth, fault
        experimental = SimpleNamespace(get_memory_growth=growth.get, set_memory_growth=self._set)
        self.config = SimpleNamespace(list_physical_devices=lambda _: list(growth), experimental=experimental)

    def _set(self, gpu: str, grows: bool) -> None:
        if self.fault:
            raise self.fault
        self.growth[gpu] = grows


@pytest.mark.parametrize(
    ("before", "fault", "after"),
    [
        ({"a": None, "b": None}, None, {"a": True, "b": True}),
        ({"a": False, "b": None}, None, {"a": False, "b": None}),  # a program has decided
        ({"a": None}, RuntimeError("initialised already"), {"a": None}),
        ({"a": None}, ValueError("it has a limit"), {"a": None}),
        ({}, None, {}),
    ],
)
def test_tensorflow_takes_memory_as_it_needs_it(
    monkeypatch: pytest.MonkeyPatch,
    before: dict[str, bool | None],
    fault: Exception | None,
    after: dict[str, bool | None],
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    monkeypatch.setitem(sys.modules, "tensorflow", FakeTensorFlow(before, fault))
    on_keras._grow_on_demand()
    assert before == after


def test_memory_of_other_backends_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # may not be imported
    on_keras._grow_on_demand()
