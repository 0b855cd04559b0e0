"""The same input gives the same bytes, in processes whose sets and hashes differ."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from tests.hostile.commands import ROOT, yolo
from tests.tiny import write_tiny
from tests.training_sets import write_shapes, write_tiny_cfg

TIMES = re.compile(rb'"time_ms": \{[^}]*\}|[0-9.]+ ms|"seconds": [0-9.]+')


def outputs(words: str, place: Path, out: Path, seed: int) -> dict[str, str]:
    """A hash of stdout without measured times, and of each file."""
    shutil.rmtree(out, ignore_errors=True)
    done = yolo(
        *words.split(), "--out", out, cwd=place, env={"PYTHONHASHSEED": str(seed), "TZ": f"UTC{seed}"}
    )
    assert done.returncode in (0, 4, 5), done.stderr
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
    return {"stdout": TIMES.sub(b"", done.stdout).decode(), **hashes}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("determinism")
    shutil.copy(ROOT / "examples" / "coffee.jpg", folder / "a.jpg")
    write_shapes(folder / "d")
    write_tiny_cfg(folder)
    write_tiny(folder)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        "detect a.jpg --format json --save-crops --save-txt",
        "detect a.jpg --format ndjson --engine onnx",
        "stats --data d --format json",
        "convert --data d --to coco",
        "convert --data d --to cvat",
        "lint --data d --format json --fix fixed",
        "eval --data d --map cup=disc,person=square --format json --plots",
    ],
)
def test_commands_give_the_same_bytes(words: str, place: Path, tmp_path: Path) -> None:
    if "--fix" in words:
        first, second = (
            yolo(
                *words.split(" --fix", maxsplit=1)[0].split(), cwd=place, env={"PYTHONHASHSEED": str(s)}
            ).stdout
            for s in (1, 2)
        )
        assert first == second
        return
    first, second = (outputs(words, place, tmp_path / "o", seed) for seed in (1, 2))
    assert first == second


@pytest.mark.slow
def test_models_are_the_same_bytes_in_every_process(place: Path, tmp_path: Path) -> None:
    """Imported, trained with a seed, and calibrated."""
    train = "train --data d --model tiny.cfg --imgsz 64 --epochs 2 --batch 4 --workers 1 --precision float32"
    found = []
    for seed in (1, 2):
        imported = outputs(
            "weights import tiny.cfg tiny.weights --names tiny.names", place, tmp_path / "o" / "m", seed
        )
        files = {
            path.suffix: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (tmp_path / "o").glob("m.*")
        }
        shutil.rmtree(tmp_path / "o")
        trained = outputs(train, place, tmp_path / "run", seed)
        found.append((files, {name: trained[name] for name in ("best.keras", "best.onnx", "last.keras")}))
        assert set(imported) == {"stdout"}
    assert found[0] == found[1]
