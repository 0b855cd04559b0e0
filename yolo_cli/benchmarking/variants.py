"""The ways in which a model can run on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from yolo_cli.benchmarking.result import Variant
from yolo_cli.hardware import BACKENDS, choose_backend, installed
from yolo_cli.weights import ModelFiles

__all__ = ["variants_of", "version_of"]


def variants_of(files: ModelFiles) -> Iterator[Variant]:
    """The engines that are installed and can run one of the model's files."""
    if files.onnx is not None:
        yield Variant("onnx")
        if installed("openvino"):
            yield Variant("openvino")
            yield Variant("openvino", "bfloat16")
    if files.keras is not None and any(installed(name) for name in BACKENDS):
        yield Variant("keras")


def version_of(variant: Variant) -> str:
    """The package that computes, and its version."""
    if variant.engine == "keras":
        backend = choose_backend()
        return f"{backend} {_version(backend)}"
    return _version({"onnx": "onnxruntime", "openvino": "openvino"}[variant.engine])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # such as a package of another name that holds it
        return ""
