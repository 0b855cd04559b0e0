from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fake_machine import FakeMachine
from yolo_cli import inventory
from yolo_cli.engines import choosing
from yolo_cli.engines.choosing import CPU, CUDA
from yolo_cli.errors import UsageError
from yolo_cli.inventory import ComputeDevice, InstalledEngine, devices

ADVICE = "pip install 'jax[cuda12]'"
TWO_GPUS = """\
0, GPU-aa11, NVIDIA H100 80GB HBM3, 81559, 80995, 550.54.15
1, GPU-bb22, NVIDIA A10, 23028, 20, 550.54.15
"""
H100 = ComputeDevice("gpu:0", "NVIDIA H100 80GB HBM3", 81559 * 2**20, 80995 * 2**20, "550.54.15")
A10 = ComputeDevice("gpu:1", "NVIDIA A10", 23028 * 2**20, 20 * 2**20, "550.54.15")


def set_providers(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    runtime = SimpleNamespace(
        __name__="onnxruntime", __version__="1.9", get_available_providers=lambda: list(names)
    )
    for module in (choosing, inventory):
        monkeypatch.setattr(module, "import_onnxruntime", lambda: runtime)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    """It has ONNX Runtime for the CPU, and no nvidia-smi."""
    set_providers(monkeypatch, CPU)
    monkeypatch.setattr(inventory, "DRIVER", tmp_path / "driver")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return FakeMachine(tmp_path, monkeypatch)


def write_nvidia_smi(machine: FakeMachine, output: str, code: int = 0) -> None:
    program = machine.root / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n/bin/cat <<'END'\n{output}END\nexit {code}\n")
    program.chmod(0o755)


def engine_rows() -> dict[str, tuple[str | None, tuple[str, ...], str | None]]:
    return {each.package: (each.version, each.runs_on, each.install) for each in devices().engines}


def test_a_machine_without_a_gpu(machine: FakeMachine) -> None:
    machine.has("tensorflow")
    found = devices()
    assert (found.backend, found.engine, found.advice) == ("tensorflow", "onnx", None)
    assert [each.name for each in found.devices] == ["cpu"]
    assert engine_rows() == {
        "onnxruntime": ("1.9", ("cpu",), None),
        "openvino": (None, (), "pip install 'yolo-cli[openvino]'"),
        "tensorflow": ("9.8", ("cpu",), None),
        "jax": (None, (), "pip install jax"),
        "torch": (None, (), "pip install torch"),
    }


def test_a_gpu_that_nothing_can_use(machine: FakeMachine) -> None:
    machine.has("tensorflow torch", "nvidia0")
    found = devices()
    assert (found.backend, found.engine, found.advice) == ("tensorflow", "onnx", ADVICE)
    assert engine_rows() == {
        "onnxruntime": ("1.9", ("cpu",), "pip install onnxruntime-gpu in place of onnxruntime"),
        "openvino": (None, (), "pip install 'yolo-cli[openvino]'"),
        "tensorflow": ("9.8", ("cpu",), "pip install 'tensorflow[and-cuda]'"),
        "jax": (None, (), ADVICE),
        "torch": ("9.8", ("cpu",), "pip install torch"),
    }


def test_a_gpu_that_is_used(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("tensorflow jax cuda12", "nvidia0")
    found = devices()
    assert (found.backend, found.engine, found.advice) == ("jax", "keras", None)
    assert engine_rows()["jax"] == ("9.8", ("cpu", "gpu"), None)
    set_providers(monkeypatch, CUDA, CPU)
    assert devices().engine == "onnx"
    assert devices().engines[0] == InstalledEngine("onnx", "onnxruntime", "1.9", ("cpu", "gpu"))


def test_openvino_is_listed_where_it_is(machine: FakeMachine) -> None:
    """As an engine, which "auto" takes, and as a backend of Keras."""
    machine.has("tensorflow openvino")
    found = devices()
    rows = [each for each in found.engines if each.package == "openvino"]
    assert rows == [InstalledEngine(name, "openvino", "9.8", ("cpu",)) for name in ("openvino", "keras")]
    assert (found.engine, found.reason) == ("openvino", "it is the fastest on a CPU")


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (None, [H100, A10]),
        ("1", [replace(A10, name="gpu:0")]),
        ("GPU-bb", [replace(A10, name="gpu:0")]),
        ("0,MIG-77", [H100, ComputeDevice("gpu:1", "MIG-77")]),
        ("7", [ComputeDevice("gpu:0", "7")]),
        ("-1", []),
    ],
)
def test_gpus_are_numbered_as_cuda_does(
    machine: FakeMachine, visible: str | None, found: list[ComputeDevice]
) -> None:
    variables = {"CUDA_VISIBLE_DEVICES": visible} if visible else {}
    machine.has("tensorflow", "nvidia0 nvidia1 nvidiactl", **variables)
    write_nvidia_smi(machine, TWO_GPUS)
    assert list(devices().devices[1:]) == found


def test_gpus_on_wsl(machine: FakeMachine) -> None:
    """It has no device file for each GPU."""
    machine.has("tensorflow", "dxg")
    write_nvidia_smi(machine, TWO_GPUS)
    assert list(devices().devices[1:]) == [H100, A10]


def test_memory_that_the_driver_does_not_tell(machine: FakeMachine) -> None:
    machine.has("tensorflow", "nvidia0")
    write_nvidia_smi(machine, "0, GPU-cc33, NVIDIA GB10, [N/A], [N/A], 580.1\n")
    assert devices().devices[1] == ComputeDevice("gpu:0", "NVIDIA GB10", None, None, "580.1")


@pytest.mark.parametrize("output", ["", "Failed to initialize NVML: Driver/library version mismatch\n"])
def test_without_nvidia_smi_the_driver_names_the_gpu(machine: FakeMachine, output: str) -> None:
    machine.has("tensorflow", "nvidia0")
    file = machine.root / "driver" / "gpus" / "0000:01:00.0" / "information"
    file.parent.mkdir(parents=True)
    file.write_text("Model: \t\t NVIDIA T4\nIRQ:   \t\t 88\nGPU UUID: \t GPU-dd44\n")
    if output:
        write_nvidia_smi(machine, output, code=18)
    assert list(devices().devices[1:]) == [ComputeDevice("gpu:0", "NVIDIA T4")]


def test_a_gpu_that_nobody_describes(machine: FakeMachine) -> None:
    machine.has("tensorflow", "nvidia0")
    assert list(devices().devices[1:]) == [ComputeDevice("gpu:0", "0")]


def test_a_backend_that_is_not_installed(machine: FakeMachine) -> None:
    machine.has("tensorflow", KERAS_BACKEND="jax")
    with pytest.raises(UsageError, match="KERAS_BACKEND=jax: no such backend is installed"):
        devices()


def test_no_framework_is_imported() -> None:
    code = (
        "import sys, yolo_cli; yolo_cli.devices()\n"
        "print(*{'tensorflow', 'keras', 'jax', 'torch', 'openvino', 'cv2'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
