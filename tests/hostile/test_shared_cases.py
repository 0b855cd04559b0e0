"""Each input of ``../shared/cases-hostile``: refused in one line, or read as it should be."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.fuzz.mutants import TARGETS
from tests.fuzz.trials import tried
from tests.images import encode, smooth
from tests.shared import SHARED
from yolo_cli.cli import main
from yolo_cli.darknet import read_cfg, read_weights
from yolo_cli.weights.darknet_import import heads_of

CASES = SHARED / "cases-hostile"
# EXIF that two readers took differently is read as the header says; folders of odd names get a safe form.
READ = {"count-2.jpg", "empty-first.jpg", "dot.onnx", "dotdot.onnx"}

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases-hostile is not here")


def files(kind: str, *endings: str) -> list[Path]:
    return sorted(path for path in (CASES / kind).glob("*") if path.suffix in endings)


def read_darknet(cfg: Path) -> None:
    network = read_cfg(cfg)
    heads_of(network)
    read_weights(cfg.with_suffix(".weights"), network)


CHECKS: list[tuple[Callable[[Path], object], Path]] = [
    *((TARGETS["images"].read, path) for path in files("images", ".jpg", ".png", ".tif")),
    *((TARGETS[engine].read, path) for engine in ("onnx", "openvino") for path in files("models", ".onnx")),
    *((TARGETS["torch"].read, path) for path in files("torch", ".pth")),
    *((read_darknet, path) for path in files("darknet", ".cfg")),
]


@pytest.mark.parametrize(("read", "path"), CHECKS, ids=lambda value: getattr(value, "name", ""))
def test_files(read: Callable[[Path], object], path: Path) -> None:
    if path.suffix == ".pth":
        import_module("yolo_cli.model.torch_file")  # imports Keras, whose time and memory are not the file's
    outcome = tried(read, path)
    assert not outcome.fault
    assert outcome.refused == (path.name not in READ)


@pytest.mark.parametrize("path", files("models", ".keras"), ids=lambda path: path.name)
def test_keras_files(path: Path) -> None:
    TARGETS["keras"].seeds()  # imports Keras, whose memory is not the file's
    outcome = tried(TARGETS["keras"].read, path)
    assert (outcome.refused, outcome.fault) == (True, "")


@pytest.mark.parametrize("path", files("yaml", ".yaml"), ids=lambda path: path.name)
@pytest.mark.parametrize("words", ["detect a.jpg --no-save --config {}", "lint --data {}", "stats --data {}"])
def test_yaml(path: Path, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(encode(smooth(), "JPEG"))
    (tmp_path / "data.yaml").write_bytes(path.read_bytes())
    done = CliRunner().invoke(main, words.format("data.yaml").split())
    assert done.exit_code in (2, 3)
    assert "unexpected" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("error")]) <= 1
    assert sorted(os.listdir()) == ["a.jpg", "data.yaml"]  # noqa: PTH208
