"""A network opened for several calls at a time gives the same numbers as for one."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest

from yolo_cli import hardware
from yolo_cli.config import bundled
from yolo_cli.engines import OnnxEngine, OpenVinoEngine, StreamedEngine
from yolo_cli.hardware import installed

TINY = bundled("weights") / "yolov4-tiny-coco.onnx"
ENGINES = [OnnxEngine, *([OpenVinoEngine] if installed("openvino") else [])]


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YOLO_CLI_THREADS", "4")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize("kind", ENGINES)
def test_the_same_bits_from_calls_at_the_same_time(kind: type[OnnxEngine]) -> None:
    engine = kind(TINY)
    assert isinstance(engine, StreamedEngine)
    parallel, count = engine.in_streams()
    assert count == 4
    assert engine.in_streams()[0] is parallel  # opened once
    batches = np.random.default_rng(0).integers(0, 256, (6, 1, 96, 96, 3), np.uint8)
    alone = [engine.run(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(parallel.run, batches))
    for expected, found in zip(alone, together, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(expected, found, strict=True))


def test_the_network_is_in_memory_once() -> None:
    """The session of one run at a time is given up for that of several, and opened again when it is used."""
    engine, batch = OnnxEngine(TINY), np.zeros((1, 96, 96, 3), np.uint8)
    before, session = engine.run(batch), weakref.ref(engine._session._sess)
    parallel, _ = engine.in_streams()
    gc.collect()
    assert session() is None
    for network in (parallel, engine):
        assert all(np.array_equal(a, b) for a, b in zip(before, network.run(batch), strict=True))


def test_a_file_that_was_replaced_does_not_change_the_network(tmp_path: Path) -> None:
    copyfile(TINY, tmp_path / "m.onnx")
    engine, batch = OnnxEngine(tmp_path / "m.onnx"), np.zeros((1, 96, 96, 3), np.uint8)
    before, _ = engine.run(batch), engine.in_streams()
    (tmp_path / "m.onnx").unlink()
    (tmp_path / "m.onnx").write_bytes(b"of another model")
    assert all(np.array_equal(a, b) for a, b in zip(before, engine.run(batch), strict=True))


@pytest.mark.parametrize("kind", ENGINES)
def test_one_thread_is_one_stream(kind: type[OnnxEngine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOLO_CLI_THREADS", "1")
    engine = kind(TINY)
    assert engine.in_streams() == (engine, 1)


def test_a_file_that_was_replaced_since_is_not_opened_again(tmp_path: Path) -> None:
    copyfile(TINY, tmp_path / "m.onnx")
    engine = OnnxEngine(tmp_path / "m.onnx")
    copyfile(TINY, tmp_path / "other.onnx")
    (tmp_path / "other.onnx").replace(tmp_path / "m.onnx")
    assert engine.in_streams() == (engine, 1)


# 16 streams would need twice the memory of 8 for little: each has two threads in place of one.
@pytest.mark.parametrize(("given", "wanted"), [("1", (1, 1)), ("2", (2, 1)), ("8", (8, 1)), ("17", (8, 2))])
def test_streams_and_the_threads_of_each(
    given: str, wanted: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOLO_CLI_THREADS", given)
    assert hardware.streams() == wanted
