"""A machine whose packages, device files and variables are what a test says; none of it is real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from yolo_cli import hardware

__all__ = ["VARIABLES", "FakeMachine"]

# A package that nobody may import: whoever looks only for its place does not notice.
TRAP = "raise AssertionError('imported')"
FILES = {
    "tensorflow": ["tensorflow/__init__.py"],
    "jax": ["jax/__init__.py"],
    "torch": ["torch/__init__.py"],
    "openvino": ["openvino/__init__.py"],
    "cuda12": ["jax_plugins/xla_cuda12/__init__.py"],
    "cuda13": ["jax_plugins/xla_cuda13/__init__.py"],
    "rocm": ["jax_plugins/xla_rocm7/__init__.py"],
    "cudnn": ["nvidia/cudnn/lib/libcudnn.so.9"],
    "torch-cuda": ["torch/__init__.py", "torch/lib/libtorch_cuda.so"],
}
VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "JAX_PLATFORMS",
    "KERAS_BACKEND",
    "KERAS_TORCH_DEVICE",
    "YOLO_CLI_DEVICE",
)


class FakeMachine:
    """A machine with some packages, device files and variables."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.monkeypatch = root, monkeypatch
        (root / "dev").mkdir()
        (root / "site").mkdir()
        monkeypatch.setattr(sys, "path", [str(root / "site")])
        monkeypatch.setattr(hardware, "DEVICE_FOLDER", root / "dev")
        monkeypatch.setattr(hardware, "WSL_DRIVER", root / "libcuda.so.1")
        monkeypatch.setattr(hardware, "_system_has_cudnn", lambda: False)
        for name in ("tensorflow", "jax", "torch", "openvino", "nvidia", "jax_plugins"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        for name in VARIABLES:
            monkeypatch.setenv(name, "")  # so that it is put back afterwards
            monkeypatch.delenv(name)

    def has(self, packages: str = "", nodes: str = "", **variables: str) -> None:
        for package in packages.split():
            for file in FILES[package]:
                path = self.root / "site" / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(TRAP)
            name = package.partition("-")[0]
            metadata = self.root / "site" / f"{name}-9.8.dist-info" / "METADATA"
            metadata.parent.mkdir(exist_ok=True)
            metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.8\n")
        for node in nodes.split():
            (self.root / "dev" / node).touch()
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)
