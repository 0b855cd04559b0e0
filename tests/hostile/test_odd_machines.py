"""No home, no display, odd settings, few columns, no rights: it works, or one line says what is wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.hostile.commands import ROOT, on_terminal, photo, yolo

GOOD = [
    {"HOME": "/nonexistent"},
    {"HOME": "", "XDG_CACHE_HOME": ""},
    {"HOME": "/proc", "XDG_CACHE_HOME": "/proc", "MPLCONFIGDIR": "/proc", "KERAS_HOME": "/proc/x"},
    {"LANG": "C", "LC_ALL": "C"},
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    {"TERM": "dumb", "COLUMNS": "abc", "NO_COLOR": "1", "TZ": "nonsense"},
    {"DISPLAY": ":99", "MPLBACKEND": "nonsense", "PYTHONWARNINGS": "error"},
    {"TMPDIR": "/nonexistent", "YOLO_CLI_CACHE": "nonsense"},
    {"CUDA_VISIBLE_DEVICES": "7", "OMP_NUM_THREADS": "abc"},
    {"KERAS_BACKEND": "nonsense"},  # no part of what ONNX Runtime and OpenVINO do
    {"PYTHONOPTIMIZE": "2", "PYTHONSAFEPATH": "1"},
]


@pytest.mark.parametrize("environment", GOOD, ids=str)
def test_detection_works(environment: dict[str, str], tmp_path: Path) -> None:
    done = yolo("detect", ROOT / "examples" / "coffee.jpg", "--out", "o", cwd=tmp_path, env=environment)
    assert (done.returncode, b"cup" in done.stdout, b"Traceback" in done.stderr) == (0, True, False), (
        done.stderr
    )
    assert (tmp_path / "o" / "coffee.jpg").is_file()


def test_so_does_keras_without_home_and_with_an_odd_plotting_backend(tmp_path: Path) -> None:
    odd = {"HOME": "/nonexistent", "KERAS_HOME": "/proc/x", "MPLBACKEND": "nonsense", "MPLCONFIGDIR": "/proc"}
    image = ROOT / "examples" / "coffee.jpg"
    done = yolo(
        "detect", image, "--no-save", "--engine", "keras", cwd=tmp_path, env={**odd, "KERAS_BACKEND": ""}
    )
    assert (done.returncode, b"cup" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("backend", ["nonsense", "torch.nn", "/", "numpy "])
def test_a_backend_that_is_not_there_is_one_line(backend: str, tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    words = ("detect", "a.jpg", "--no-save", "--engine", "keras")
    done = yolo(*words, cwd=tmp_path, env={"KERAS_BACKEND": backend})
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: KERAS_BACKEND={backend.strip()}".encode())
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere"
)
def test_a_folder_without_the_right_to_write_is_one_line(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    tmp_path.chmod(0o555)
    done = yolo("detect", "a.jpg", cwd=tmp_path)
    tmp_path.chmod(0o755)
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)


@pytest.mark.parametrize("place", ["/proc/o", "/dev/null/o", "a.jpg/o"])
def test_a_place_that_cannot_be_written_is_one_line(place: str, tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    for words in (("detect", "a.jpg"), ("stats", "--data", "d"), ("train", "--data", "d")):
        (tmp_path / "d" / "images").mkdir(parents=True, exist_ok=True)
        done = yolo(*words, "--out", place, cwd=tmp_path)
        assert done.returncode in (2, 3), done.stderr
        assert b"unexpected" not in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_names_are_wrapped_in_40_columns_without_colours(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    seen = on_terminal(["detect", "a.jpg", "--no-save"], tmp_path, COLUMNS="40", NO_COLOR="1")
    assert b"\x1b[" not in seen.replace(b"\r\x1b[K", b"")
    assert (
        max(len(line.split(b"\r\x1b[K")[-1]) for line in seen.splitlines()) <= 60
    )  # seven columns of figures


@pytest.mark.parametrize(
    "text", ["p\\a.jpg\r\np\\b.jpg\r\n", "p/a.jpg\rp/b.jpg\r", "\ufeffp\\a.jpg\np/b.jpg"]
)
def test_lists_from_other_systems(text: str, tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for name in "ab":
        photo(tmp_path / "p" / f"{name}.jpg")
    (tmp_path / "list.txt").write_bytes(text.encode())
    done = yolo("detect", "list.txt", "--no-save", "--format", "ndjson", cwd=tmp_path)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2), done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["weights", "show", "a" * 300],
        ["weights", "show", "/"],
        ["weights", "show", "."],
        ["weights", "show", ".."],
        ["detect", "a.jpg", "--weights", "a" * 300 + ".onnx"],
        ["detect", "a.jpg", "--weights", ""],
        ["detect", "a.jpg", "--out="],
        ["detect", ""],
        ["lint", "--data", "d", "--fix", ""],
        ["train", "--data", ""],
        ["weights", "import", "a", "b", "--names", "c", "--out", "/"],
        ["weights", "import", "a", "b", "--names", "c", "--out", ".."],
        ["weights", "import", "a", "b", "--names", "c", "--out", "x" * 300],
        ["weights", "export", "."],
        ["eval", "--data", "d", "--baseline", "deep.json"],
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_odd_names_are_one_line(words: list[str], tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    (tmp_path / "d" / "images").mkdir(parents=True)
    photo(tmp_path / "d" / "images" / "a.jpg")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    done = yolo(*words, cwd=tmp_path)
    assert done.returncode in (2, 3), done.stderr
    assert b"unexpected" not in done.stderr
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2  # an import says first what it reads


def test_broken_models_do_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    for name in ("broken.keras", "empty.onnx", "\x1b.keras"):
        (tmp_path / "weights" / name).write_text("no model")
    (tmp_path / "weights" / "folder.keras").mkdir()
    (tmp_path / "weights" / "nowhere.onnx").symlink_to("missing")
    done = yolo("weights", "list", cwd=tmp_path)
    assert (done.returncode, b"yolov4-tiny-coco" in done.stdout) == (0, True), done.stderr
    assert done.stderr.count(b"warning: ") >= 3


def test_a_weights_folder_that_cannot_be_listed_is_as_none(tmp_path: Path) -> None:
    """The superuser may list every folder, so a file takes its place, too."""
    (tmp_path / "weights").write_text("")
    assert yolo("weights", "list", cwd=tmp_path).returncode == 0
    (tmp_path / "weights").unlink()
    (tmp_path / "weights").mkdir(mode=0)
    assert yolo("weights", "list", cwd=tmp_path).returncode == 0


def test_anchors_called_png_are_text_in_a_yaml_file(tmp_path: Path) -> None:
    from tests.training_sets import write_shapes

    write_shapes(tmp_path / "d")
    done = yolo("anchors", "--data", "d", "-k", 2, "--out", "a.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.yaml").read_text().startswith("name:")


def test_the_lowest_confidence_is_bounded_in_time(tmp_path: Path) -> None:
    """Thousands of candidates that all stay; 2.5 minutes before."""
    image = ROOT / "examples" / "coffee.jpg"
    done = yolo("detect", image, "--conf", 0, "--nms-iou", 1, "--no-save", cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_interpreter_is_one_of_those_that_are_promised() -> None:
    assert sys.version_info >= (3, 11)
