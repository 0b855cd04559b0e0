"""The trained Darknet models that tests know, and how each is made ours once a run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.shared import ROOT, SHARED

# yolov3-tiny and yolov4-tiny are too large for the shared folder. `.ci/run` fetches them here.
FETCHED = Path(os.environ.get("YOLO_CLI_TEST_MODELS", ROOT / ".ci" / "cache"))
_MADE = Path(mkdtemp(prefix="yolo-cli-models-"))


@dataclass(frozen=True)
class Darknet:
    """One trained model: its folder, and what its classes are called."""

    name: str
    names: str
    folder: Path = SHARED / "darknet"

    @property
    def there(self) -> bool:
        return (self.folder / f"{self.name}.weights").is_file()


MODELS = (
    Darknet("mnfastest-voc-v1", "voc.names"),
    Darknet("mnfastest-voc-v2", "voc.names"),
    Darknet("nano-coco", "coco.names"),
    Darknet("yolo-fastest-1.1", "coco.names"),
    Darknet("yolo-fastest-1.1-xl", "coco.names"),
    Darknet("yolo-fastest-1.1_body", "person"),
    Darknet("yoloface-500k-v1", "face"),
    Darknet("yoloface-500k-v2", "face"),
    Darknet("yolov3-tiny", "coco.names", FETCHED),
    Darknet("yolov4-tiny", "coco.names", FETCHED),
)


def parameters() -> list[object]:
    """One pytest parameter a model, skipped with a plain reason where its files are not at hand."""
    return [
        pytest.param(
            model,
            id=model.name,
            marks=pytest.mark.skipif(not model.there, reason=f"{model.name}.weights is not at hand"),
        )
        for model in MODELS
    ]


def by_name(name: str) -> Darknet:
    return next(model for model in MODELS if model.name == name)


@cache
def imported(model: Darknet) -> str:
    """The path of ``model`` as one of ours, made by the program's own import."""
    from yolo_cli.weights.importing import import_files

    names = SHARED / "darknet" / model.names
    if not names.is_file():
        names = _MADE / f"{model.names}.names"
        names.write_text(f"{model.names}\n")
    cfg, weights = (model.folder / f"{model.name}{suffix}" for suffix in (".cfg", ".weights"))
    files = import_files([cfg, weights], names, _MADE / model.name)
    return str(files.onnx)
