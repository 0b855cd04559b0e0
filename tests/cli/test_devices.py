"""`yolo devices`, and `--device` of the other commands."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.conftest import Cli
from tests.cli.test_schemas import validator
from tests.fake_machine import FakeMachine
from tests.images import encode, smooth
from yolo_cli import engines, hardware, inventory
from yolo_cli.cli import main
from yolo_cli.config import TrainConfig
from yolo_cli.inventory import ComputeDevice, InstalledEngine, Inventory
from yolo_cli.training.job import TrainJob, write_job

SNAPSHOTS = Path(__file__).parent / "snapshots"
GIB = 2**30
FOUND = Inventory(
    "tensorflow",
    "onnx",
    (
        ComputeDevice("cpu", "AMD EPYC 9V84, 16 cores", 128 * GIB, 100 * GIB),
        ComputeDevice("gpu:0", "NVIDIA H100 80GB HBM3", int(79.6 * GIB), None, "550.54.15"),
    ),
    (
        InstalledEngine("onnx", "onnxruntime", "1.32.0", ("cpu",), "pip install onnxruntime-gpu"),
        InstalledEngine("keras", "tensorflow", "2.21.0", ("cpu", "gpu")),
        InstalledEngine("keras", "jax", None, (), "pip install 'jax[cuda12]'"),
    ),
    "pip install 'jax[cuda12]'",
)
TABLE = """\
device  model                       memory       free  driver
cpu     AMD EPYC 9V84, 16 cores  128.0 GiB  100.0 GiB
gpu:0   NVIDIA H100 80GB HBM3     79.6 GiB             550.54.15

engine  computes with  version  runs on   to install
onnx    onnxruntime     1.32.0  cpu       pip install onnxruntime-gpu
keras   tensorflow      2.21.0  cpu, gpu
keras   jax                  -  -         pip install 'jax[cuda12]'

auto detects with onnx; Keras, which trains, computes with tensorflow
tensorflow cannot use the NVIDIA GPU here; pip install 'jax[cuda12]'
not asked: the frameworks themselves, and GPUs that are not NVIDIA's
"""


def yolo(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, words, prog_name="yolo")
    return done.exit_code, done.stdout, done.stderr


def test_help_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """New: COLUMNS=82 yolo devices --help > tests/cli/snapshots/yolo-devices.txt"""
    monkeypatch.setenv("COLUMNS", "80")
    assert yolo("devices", "--help")[1] == (SNAPSHOTS / "yolo-devices.txt").read_text(encoding="utf-8")


def test_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "devices", lambda: FOUND)
    assert yolo("devices") == (0, TABLE, "")


def test_the_json_is_what_the_schema_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = validator("devices")
    schema.validate(json.loads(yolo("devices", "--format", "json")[1]))
    monkeypatch.setattr(inventory, "devices", lambda: FOUND)
    printed = json.loads(yolo("devices", "--format", "json")[1])
    schema.validate(printed)
    assert printed["devices"][1]["name"] == "gpu:0"
    del printed["engines"][0]["runs_on"]
    assert not schema.is_valid(printed)


def test_a_backend_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    code, printed, said = yolo("devices")
    assert (code, printed, said.count("\n")) == (2, "", 1)
    assert "KERAS_BACKEND=theano: no such backend is installed" in said


COMMANDS = [
    ("detect", "p.jpg"),
    ("explain", "p.jpg", "--at", "1,1"),
    ("eval", "--data", "d"),
    ("calibrate", "--data", "d"),
    ("train", "--data", "d"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
@pytest.mark.parametrize(
    ("device", "says"),
    [
        ("cuda:0", "--device cuda:0: is not a device; use auto, cpu, gpu, or one GPU such as gpu:1"),
        ("gpu:2", "--device gpu:2: there is no such GPU; choose from gpu:0, gpu:1"),
    ],
)
def test_every_command_checks_the_device_first(
    machine: FakeMachine, words: tuple[str, ...], device: str, says: str
) -> None:
    machine.has("", "nvidia0 nvidia1")
    assert yolo(*words, "--device", device) == (2, "", f"error: {says}\n")


@pytest.mark.parametrize("words", COMMANDS, ids=[words[0] for words in COMMANDS])
def test_every_command_hides_the_other_gpus(machine: FakeMachine, words: tuple[str, ...]) -> None:
    machine.has("", "nvidia0 nvidia1")
    yolo(*words, "--device", "gpu:1")  # it has no data, which it finds out afterwards
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    path = list(sys.path)
    machine = FakeMachine(tmp_path, monkeypatch)
    monkeypatch.setattr(sys, "path", path)  # the commands import what they need
    for module in (hardware, engines):  # a real GPU changes nothing
        monkeypatch.setattr(module, "uses_cuda", lambda _: False)
    monkeypatch.setattr(engines, "onnx_uses_cuda", lambda: False)
    monkeypatch.chdir(tmp_path)
    return machine


@pytest.mark.parametrize(
    ("words", "says"), [((), False), (("-v",), True), (("-v", "--device", "cpu"), False)]
)
def test_detect_says_what_a_gpu_needs_if_it_is_verbose(
    cli: Cli, machine: FakeMachine, words: tuple[str, ...], says: bool
) -> None:
    machine.has("", "nvidia0")
    (machine.root / "a.png").write_bytes(encode(smooth(), "PNG"))
    said = cli("detect", "a.png", "--no-save", *words).stderr
    advice = "nothing here can use the NVIDIA GPU yet; pip install 'jax[cuda12]'\n"
    assert said.count("GPU") == said.count(advice) == says


def test_without_a_gpu_there_is_not_a_word(cli: Cli, machine: FakeMachine) -> None:
    (machine.root / "a.png").write_bytes(encode(smooth(), "PNG"))
    assert "GPU" not in cli("detect", "a.png", "--no-save", "-v").stderr


@pytest.mark.parametrize(
    ("of_run", "given", "device", "visible"),
    [
        ("gpu:1", [], "gpu:1", "1"),
        ("gpu:1", ["--device", "gpu:0"], "gpu:0", "0"),
        ("gpu:1", ["--device", "cpu"], "cpu", "-1"),
        ("auto", [], "auto", None),
    ],
)
def test_a_run_goes_on_where_it_was_unless_it_is_told(
    machine: FakeMachine,
    monkeypatch: pytest.MonkeyPatch,
    of_run: str,
    given: list[str],
    device: str,
    visible: str | None,
) -> None:
    machine.has("", "nvidia0 nvidia1")
    jobs: list[TrainJob] = []
    monkeypatch.setattr("yolo_cli.training.train", lambda job, *_, **__: jobs.append(job) or 1 / 0)
    write_job(TrainJob(str(machine.root), machine.root, config=TrainConfig(device=of_run)))
    yolo("train", "--resume", str(machine.root), *given)
    assert [job.config.device for job in jobs] == [device]
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == visible
