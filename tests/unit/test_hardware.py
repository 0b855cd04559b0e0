"""Every row of the table that decides the backend, with fake packages and a fake /dev."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fake_machine import VARIABLES, FakeMachine
from yolo_cli import hardware
from yolo_cli.errors import UsageError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    return FakeMachine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("packages", "nodes", "variables", "backend"),
    [
        ("tensorflow", "", {}, "tensorflow"),
        ("tensorflow jax cuda12 torch", "", {}, "tensorflow"),  # all of it, but no GPU
        ("tensorflow jax cuda12", "nvidia0", {}, "jax"),
        ("tensorflow jax cuda13", "nvidiactl", {}, "jax"),
        ("tensorflow jax cuda12", "dxg", {}, "jax"),
        ("tensorflow jax cuda12", "nvidia1", {}, "tensorflow"),  # not one of the nodes
        ("tensorflow jax", "nvidia0", {}, "tensorflow"),  # JAX for the CPU
        ("tensorflow jax rocm", "nvidia0", {}, "tensorflow"),  # for GPUs of another maker
        ("tensorflow cuda12", "nvidia0", {}, "tensorflow"),  # a plugin without JAX
        ("tensorflow cudnn jax cuda12", "nvidia0", {}, "jax"),
        ("tensorflow torch-cuda", "nvidia0", {}, "tensorflow"),
        ("tensorflow jax cuda12", "nvidia0", {"CUDA_VISIBLE_DEVICES": ""}, "tensorflow"),
        ("tensorflow jax cuda12", "nvidia0", {"CUDA_VISIBLE_DEVICES": "-1"}, "tensorflow"),
        ("tensorflow jax cuda12", "nvidia0", {"CUDA_VISIBLE_DEVICES": "none"}, "tensorflow"),
        ("tensorflow jax cuda12", "nvidia0", {"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, "tensorflow"),
        ("tensorflow jax cuda12", "nvidia0", {"CUDA_VISIBLE_DEVICES": "-1,0"}, "tensorflow"),
        ("tensorflow jax cuda12", "nvidia0", {"CUDA_VISIBLE_DEVICES": "0"}, "jax"),
        ("tensorflow jax cuda12", "nvidia0", {"CUDA_VISIBLE_DEVICES": "GPU-5e1f"}, "jax"),
        ("tensorflow jax cuda12", "nvidia0", {"CUDA_VISIBLE_DEVICES": "MIG-5e1f"}, "jax"),
        ("tensorflow jax cuda12", "nvidia0", {"JAX_PLATFORMS": "cpu"}, "tensorflow"),
        ("tensorflow jax cuda12", "nvidia0", {"JAX_PLATFORMS": "cuda,cpu"}, "jax"),
        ("tensorflow jax cuda12", "nvidia0", {"KERAS_BACKEND": "tensorflow"}, "tensorflow"),
        ("tensorflow jax", "", {"KERAS_BACKEND": "jax"}, "jax"),
        ("tensorflow jax cuda12", "nvidia0", {"KERAS_BACKEND": ""}, "jax"),
        ("jax", "", {}, "jax"),  # what there is
        ("torch", "", {}, "torch"),
        ("jax torch", "", {}, "jax"),
        ("jax torch-cuda", "", {}, "jax"),
        ("jax torch-cuda", "nvidia0", {}, "torch"),
        ("jax torch", "nvidia0", {}, "jax"),
    ],
)
def test_the_backend(
    machine: FakeMachine, packages: str, nodes: str, variables: dict[str, str], backend: str
) -> None:
    machine.has(packages, nodes, **variables)
    assert hardware.choose_backend() == backend


def test_what_keras_wrote_about_itself_is_no_choice(machine: FakeMachine) -> None:
    machine.has("tensorflow torch", HOME=str(machine.root), KERAS_HOME=str(machine.root))
    (machine.root / "keras.json").write_text('{"backend": "torch"}')
    assert hardware.choose_backend() == "tensorflow"


@pytest.mark.parametrize("name", ["jax", "theano", "os"])
def test_a_named_backend_must_be_installed(machine: FakeMachine, name: str) -> None:
    machine.has("tensorflow", KERAS_BACKEND=name)
    with pytest.raises(UsageError, match=f"^KERAS_BACKEND={name}: no such backend is installed; install it"):
        hardware.choose_backend()


def test_without_any_backend(machine: FakeMachine) -> None:
    with pytest.raises(UsageError, match="Keras has no backend: pip install tensorflow"):
        hardware.choose_backend()


def test_the_choice_is_made_once_and_not_for_a_program_that_has_keras(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("jax")
    monkeypatch.setitem(sys.modules, "keras", object())
    hardware.set_backend()
    assert "KERAS_BACKEND" not in os.environ
    monkeypatch.delitem(sys.modules, "keras")
    hardware.set_backend()
    assert os.environ["KERAS_BACKEND"] == "jax"


def test_choosing_imports_nothing_but_the_standard_library() -> None:
    """Whoever has no GPU pays for no framework, and here not even for NumPy."""
    code = (
        "import sys; from yolo_cli import hardware\n"
        "hardware.choose_backend(); hardware.missing_for_gpu(); hardware.use_only('auto')\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"__main__", "yolo_cli"}


@pytest.mark.parametrize(
    ("packages", "nodes", "variables", "advice"),
    [
        ("tensorflow", "", {}, None),
        ("tensorflow", "nvidia0", {"CUDA_VISIBLE_DEVICES": "-1"}, None),
        ("tensorflow", "dxg", {}, None),  # WSL has that for Intel's GPUs, too
        ("tensorflow", "nvidia0", {}, "pip install 'jax[cuda12]'"),
        ("tensorflow jax", "nvidiactl", {"KERAS_BACKEND": "jax"}, "pip install 'jax[cuda12]'"),
        ("torch", "nvidia0", {}, "install PyTorch with CUDA"),
        ("tensorflow jax cuda12", "nvidia0", {"KERAS_BACKEND": "tensorflow"}, "set KERAS_BACKEND=jax"),
        ("tensorflow jax cuda12", "nvidia0", {}, "check with nvidia-smi that its driver is 525 or later"),
        ("tensorflow cudnn", "nvidia0", {}, "check with nvidia-smi that its driver is 525 or later"),
    ],
)
def test_what_is_missing(
    machine: FakeMachine, packages: str, nodes: str, variables: dict[str, str], advice: str | None
) -> None:
    machine.has(packages, nodes, **variables)
    assert hardware.missing_for_gpu() == advice


def test_nvidias_driver_on_wsl(machine: FakeMachine) -> None:
    machine.has("tensorflow", "dxg")
    (machine.root / "libcuda.so.1").touch()
    assert hardware.missing_for_gpu() == "pip install 'jax[cuda12]'"


@pytest.mark.parametrize("device", ["auto", "cpu", "gpu", "gpu:0", "gpu:12"])
def test_devices(device: str) -> None:
    assert hardware.check_device(device) == device


@pytest.mark.parametrize("device", ["", "GPU", "gpu:", "gpu:-1", "gpu:1,2", "cuda:0", "gpu1", "gpu:1\n"])
def test_not_devices(device: str) -> None:
    with pytest.raises(UsageError, match="is not a device; use auto, cpu, gpu, or one GPU such as gpu:1"):
        hardware.check_device(device)


@pytest.mark.parametrize(
    ("device", "count", "says"),
    [
        ("auto", 0, None),
        ("cpu", 0, None),
        ("gpu", 1, None),
        ("gpu:1", 2, None),
        ("gpu", 0, "--device gpu: Keras sees no GPU; try --device cpu"),
        ("gpu:1", 0, "--device gpu:1: Keras sees no GPU; try --device cpu"),
        ("gpu:2", 2, "--device gpu:2: there is no such GPU; choose from gpu:0, gpu:1"),
    ],
)
def test_a_gpu_that_is_not_there(machine: FakeMachine, device: str, count: int, says: str | None) -> None:
    machine.has("tensorflow")
    if says is None:
        hardware.check_gpu(device, count, "Keras")
    else:
        with pytest.raises(UsageError) as caught:
            hardware.check_gpu(device, count, "Keras")
        assert caught.value.text == says


def test_a_gpu_that_is_there_and_not_seen(machine: FakeMachine) -> None:
    machine.has("tensorflow", "nvidia0")
    with pytest.raises(UsageError, match=r"device gpu: Keras sees no GPU; pip install 'jax\[cuda12\]'"):
        hardware.check_gpu("gpu", 0, "Keras")


@pytest.mark.parametrize(
    ("nodes", "before", "device", "visible", "order"),
    [
        ("nvidia0 nvidia1 nvidiactl nvidia-uvm", None, "gpu:1", "1", "PCI_BUS_ID"),
        ("nvidia0 nvidia1", "3,GPU-5e1f", "gpu:1", "GPU-5e1f", None),  # numbers count what is visible
        ("nvidia0 nvidia1", "3, 2", "gpu:0", "3", None),
        ("dxg", None, "gpu:1", "1", "PCI_BUS_ID"),  # it cannot be checked here
        ("nvidia0 nvidia1", None, "gpu", None, None),
        ("nvidia0 nvidia1", None, "auto", None, None),
        ("", None, "gpu:1", None, None),  # another maker's: the backend must know
        ("nvidia0", None, "cpu", "-1", None),
        ("", None, "cpu", "-1", None),
    ],
)
def test_one_device_is_seen(
    machine: FakeMachine, nodes: str, before: str | None, device: str, visible: str | None, order: str | None
) -> None:
    machine.has("tensorflow", nodes, **({} if before is None else {"CUDA_VISIBLE_DEVICES": before}))
    hardware.use_only(device)
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == visible
    assert os.environ.get("CUDA_DEVICE_ORDER") == order


def test_the_chosen_gpu_is_the_only_one_and_so_the_first(machine: FakeMachine) -> None:
    machine.has("tensorflow", "nvidia0 nvidia1 nvidia2")
    numbers = [hardware.gpu_number(device) for device in ("auto", "cpu", "gpu", "gpu:2")]
    assert numbers == [None, None, None, 2]
    for _ in range(2):  # a second time changes nothing
        hardware.use_only("gpu:2")
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "2"
        assert hardware.gpu_number("gpu:2") == 0
        hardware.check_gpu("gpu:2", 1, "Keras")


def test_a_number_that_is_too_large(machine: FakeMachine) -> None:
    machine.has("tensorflow", "nvidia0 nvidia1")
    with pytest.raises(UsageError, match="device gpu:2: there is no such GPU; choose from gpu:0, gpu:1"):
        hardware.use_only("gpu:2")
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


@pytest.mark.parametrize(("platform", "mebibytes"), [("linux", 3 * 1024.0), ("darwin", 3.0)])
def test_peak_memory_in_the_units_of_the_system(
    platform: str, mebibytes: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(ru_maxrss=3 * 2**20)  # KiB on Linux, bytes on macOS
    fake = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda _: usage)
    monkeypatch.setitem(sys.modules, "resource", fake)
    monkeypatch.setattr(sys, "platform", platform)
    assert hardware.peak_memory() == mebibytes


def test_peak_memory_is_unknown_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)  # its import fails
    assert hardware.peak_memory() is None
