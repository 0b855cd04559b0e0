"""OpenVINO itself: its boxes, its cache, and what is said where something is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest

from tests.bundled import MODELS as BUNDLED
from tests.contract import assert_is_detector
from tests.shared import ROOT
from yolo_cli.boxes import box_iou
from yolo_cli.config import DetectConfig, bundled
from yolo_cli.detectors import load_detector
from yolo_cli.engines import OnnxEngine, OpenVinoEngine, on_openvino, openvino_network
from yolo_cli.engines.vetting import check_before_openvino
from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import read_image
from yolo_cli.weights import find_model

pytest.importorskip("openvino", reason="OpenVINO is not installed")

MODELS = sorted(set(BUNDLED.values()))
TINY = bundled("weights") / "yolov4-tiny-coco.onnx"
PHOTOS = sorted((ROOT / "examples").glob("*.jpg"))[:3]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("YOLO_CLI_CACHE", raising=False)
    return tmp_path / "cache"


def has_bfloat16() -> bool:
    return "BF16" in on_openvino._capabilities(on_openvino.openvino_core())


needs_bfloat16 = pytest.mark.skipif(not has_bfloat16(), reason="this CPU does not compute in bfloat16")


@pytest.mark.parametrize("name", MODELS)
def test_the_boxes_of_every_bundled_model_are_those_of_onnx_runtime(name: str, cache: Path) -> None:
    """Also of those with two networks, or with parts of one. Found: 4e-6 in confidence, 5e-4 pixels."""
    config = DetectConfig(conf=0.05)
    ours, theirs = (
        load_detector(name, engine=kind, device="cpu", config=config) for kind in ("openvino", "onnx")
    )
    for photo in PHOTOS[:1] if name == "rcnn-voc" else PHOTOS:  # that takes seconds an image
        [found], [expected] = (detector.detect([read_image(photo)]) for detector in (ours, theirs))
        assert len(found) == len(expected)
        assert list(found.class_id) == list(expected.class_id)
        np.testing.assert_allclose(found.confidence, expected.confidence, atol=1e-5)
        np.testing.assert_allclose(found.xyxy, expected.xyxy, atol=2e-3)


@needs_bfloat16
def test_bfloat16_moves_boxes_a_little(cache: Path) -> None:
    """Of each number it keeps 8 bits."""
    exact, fast = (load_detector(TINY, engine="openvino", precision=p) for p in ("float32", "bfloat16"))
    worst = 0.0
    for photo in PHOTOS:
        [expected], [found] = (detector.detect([read_image(photo)]) for detector in (exact, fast))
        expected = expected[expected.confidence > 0.5]
        assert len(expected)
        overlap = box_iou(expected.xyxy, found.xyxy)
        overlap[expected.class_id[:, None] != found.class_id[None]] = 0
        assert overlap.max(axis=1).min() > 0.93
        gap = np.abs(found.confidence[overlap.argmax(axis=1)] - expected.confidence).max()
        print(photo.name, overlap.max(axis=1).min(), gap)
        worst = max(worst, gap)
    assert 1e-5 < worst < 0.05  # the lower bound: it did compute in bfloat16


@pytest.mark.parametrize("name", ["yolov4-tiny-coco", "faster-rcnn-voc"])
def test_it_keeps_the_contract_of_detectors(name: str, cache: Path) -> None:
    assert_is_detector(load_detector(name, engine="openvino", device="cpu"))


def test_batches_of_any_shape_and_threads_are_not_mixed_up(cache: Path) -> None:
    """What is returned stays as it is when the network runs again."""
    random = np.random.default_rng(0)
    batches = [random.integers(0, 256, shape, np.uint8) for shape in SHAPES]
    engine, reference = OpenVinoEngine(TINY), OnnxEngine(TINY, "cpu")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(engine.run, batches * 3))
    for heads, batch in zip(found, batches * 3, strict=True):
        for head, expected in zip(heads, reference.run(batch), strict=True):
            np.testing.assert_allclose(head, expected, atol=1e-3)
    assert engine.multiply_accumulates(batches[0]) == reference.multiply_accumulates(batches[0])


SHAPES = [(1, 96, 128, 3), (2, 96, 128, 3), (1, 128, 96, 3)]
BATCH = np.zeros((1, 64, 64, 3), np.uint8)


def compiled(folder: Path) -> list[Path]:
    return sorted(folder.glob("yolo-cli/openvino-*/*.blob"))


def test_what_is_compiled_is_kept(cache: Path) -> None:
    first = OpenVinoEngine(TINY).run(BATCH)
    [file] = compiled(cache)
    before = file.stat().st_mtime_ns
    again = OpenVinoEngine(TINY).run(BATCH)
    assert [*map(np.ndarray.tobytes, first)] == [*map(np.ndarray.tobytes, again)]
    assert file.stat().st_mtime_ns == before


def test_a_known_network_is_not_read(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    OpenVinoEngine(TINY).run(BATCH)
    read: list[object] = []
    monkeypatch.setattr(openvino_network, "_converted", read.append)
    engine = OpenVinoEngine(TINY)
    engine.run(BATCH)
    assert (read, engine.channels) == ([], [255, 255])


def other_version(data: bytes) -> bytes:
    return data.replace(b";ov=" + data.split(b";ov=")[1][:4], b";ov=1999")


@pytest.mark.parametrize("spoil", [lambda _: b"", lambda data: data[: len(data) // 2], other_version])
def test_what_cannot_be_used_is_compiled_again(cache: Path, spoil: Callable[[bytes], bytes]) -> None:
    """What is damaged, or of another OpenVINO."""
    first = OpenVinoEngine(TINY).run(BATCH)
    [file] = compiled(cache)
    spoilt = spoil(kept := file.read_bytes())
    assert spoilt != kept
    file.write_bytes(spoilt)
    again = OpenVinoEngine(TINY).run(BATCH)
    assert [*map(np.ndarray.tobytes, first)] == [*map(np.ndarray.tobytes, again)]
    assert file.read_bytes() != spoilt


def test_a_file_that_is_replaced_is_another_network(cache: Path, tmp_path: Path) -> None:
    """Its engine goes on with what it has, and says what it cannot do; a new engine runs the new file."""
    path = tmp_path / "m.onnx"
    copyfile(TINY, path)
    OpenVinoEngine(path).run(BATCH)
    engine = OpenVinoEngine(path)  # knows it from the cache
    before = engine.run(BATCH)
    other = bundled("weights") / "windows-voc.onnx"
    copyfile(other, tmp_path / "n.onnx")
    (tmp_path / "n.onnx").replace(path)
    assert all(np.array_equal(a, b) for a, b in zip(before, engine.run(BATCH), strict=True))
    assert engine.in_streams() == (engine, 1)
    with pytest.raises(DataError, match=r"m\.onnx: was replaced while it was in use; start again"):
        engine.run(np.zeros((2, 64, 64, 3), np.uint8))
    crop = np.full((1, 224, 224, 3), 90, np.uint8)
    for head, expected in zip(OpenVinoEngine(path).run(crop), OnnxEngine(other).run(crop), strict=True):
        np.testing.assert_allclose(head, expected, atol=1e-3)


def test_networks_that_differ_in_weights_only_are_kept_apart(cache: Path, tmp_path: Path) -> None:
    """As two trainings of one network do; also the same network for another shape, or with dynamic shapes."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(TINY)
    kernel = next(array for array in model.graph.initializer if array.dims[2:] == [1, 1])
    kernel.CopyFrom(numpy_helper.from_array(1.5 * numpy_helper.to_array(kernel), kernel.name))
    onnx.save(model, tmp_path / "other.onnx")
    for path in (TINY, tmp_path / "other.onnx"):
        for shapes in (SHAPES, SHAPES[::-1]):
            engine, reference = OpenVinoEngine(path), OnnxEngine(path, "cpu")
            for shape in shapes:
                batch = np.full(shape, 200, np.uint8)
                for head, expected in zip(engine.run(batch), reference.run(batch), strict=True):
                    np.testing.assert_allclose(head, expected, atol=1e-3)


def test_precisions_are_kept_apart(cache: Path) -> None:
    if not has_bfloat16():
        pytest.skip("this CPU does not compute in bfloat16")
    exact, fast = (OpenVinoEngine(TINY, precision).run(BATCH)[0] for precision in ("float32", "bfloat16"))
    again = OpenVinoEngine(TINY).run(BATCH)[0]
    assert len(compiled(cache)) == 2  # OpenVINO itself would give both the same name
    assert np.array_equal(exact, again)
    assert not np.array_equal(exact, fast)


def test_the_cache_can_be_switched_off(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOLO_CLI_CACHE", "off")
    OpenVinoEngine(TINY).run(BATCH)
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    OpenVinoEngine(TINY).run(BATCH)


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no network")
    with pytest.raises(DataError, match=r"a\.onnx: is not an ONNX model that can run here"):
        OpenVinoEngine(tmp_path / "a.onnx")
    with pytest.raises(DataError, match="has no layer attic"):
        OpenVinoEngine(TINY, layer="attic")


def test_a_cpu_without_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_openvino, "_capabilities", lambda _: ["FP32", "INT8"])
    OpenVinoEngine(TINY)
    with pytest.raises(UsageError, match="precision bfloat16: this CPU does not compute in it"):
        OpenVinoEngine(TINY, "bfloat16")


def printed_by(code: str, **variables: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_no_telemetry_is_imported(tmp_path: Path) -> None:
    """`import openvino` by itself sends an event; `KERAS_BACKEND=openvino` imports it, too."""
    code = (
        "import sys\n{}\n"
        "print(*[name for name, module in sys.modules.items() if 'telemetry' in name and module is not None])"
    )
    loading = "from yolo_cli.detectors import load_detector; load_detector(engine='openvino')"
    found = printed_by(code.format(loading))
    assert [name for name in found if name.startswith("openvino_telemetry")] == []
    keras = printed_by(code.format("from yolo_cli.framework import keras"), KERAS_BACKEND="openvino")
    assert [name for name in keras if name.startswith("openvino_telemetry")] == []


def test_the_converter_can_be_imported_afterwards() -> None:
    code = (
        "from yolo_cli.runtimes import import_openvino\n"
        "import_openvino()\n"
        "from openvino.tools.ovc import convert_model\n"
        "print(convert_model.__name__)"
    )
    assert printed_by(code) == ["convert_model"]


@pytest.mark.parametrize(
    ("engine", "absent"), [("onnx", "openvino"), ("openvino", "onnxruntime"), ("auto", "onnxruntime")]
)
def test_no_other_engine_is_imported(engine: str, absent: str, cache: Path) -> None:
    """Of a file that has been read before: of a new one, ONNX Runtime looks whether OpenVINO may read it."""
    check_before_openvino(find_model("yolov4-tiny-coco").onnx)
    code = (
        "import sys; from yolo_cli.detectors import load_detector\n"
        f"load_detector(engine={engine!r}, device='cpu'); print({absent!r} in sys.modules)"
    )
    assert printed_by(code) == ["False"]


INTERRUPTED = """
import faulthandler, os, signal, sys, threading
from pathlib import Path
import numpy as np
from yolo_cli.engines import OpenVinoEngine

faulthandler.enable()
engines = [OpenVinoEngine(Path(sys.argv[1]))]
engines[0].run(np.zeros((1, 416, 416, 3), np.uint8))
forgetting = threading.Thread(target=engines.clear)
forgetting.start()
forgetting.join()
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_after_a_network_was_dropped_in_another_thread(cache: Path) -> None:
    """OpenVINO's stack for signals must outlive the thread that loaded it: this was a segmentation fault."""
    words = [sys.executable, "-c", INTERRUPTED, str(TINY)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr
