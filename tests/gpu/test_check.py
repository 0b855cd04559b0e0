"""The script that checks a GPU runs on a CPU with tiny sizes, and claims nothing there that needs a GPU."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.backends import python_of
from tests.shared import ROOT

CPU_TOO = {
    "loss falls, float32", "loss falls, bfloat16", "loss falls, float16", "resumed run", "traces",
}  # fmt: skip


def test_it_runs_on_a_cpu_and_says_what_it_did_not_check(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    done = subprocess.run(
        [python_of("jax"), "-m", "tests.gpu.check", str(out), "--small"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "-1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {row["check"]: row for row in json.loads(out.read_text(encoding="utf-8"))}
    assert len(done.stdout.splitlines()) == len(rows)
    assert {name for name, row in rows.items() if row["verdict"] == "passed"} == CPU_TOO
    assert {row["verdict"] for name, row in rows.items() if name not in CPU_TOO} == {"not checked"}
    assert rows["images a second, training, 8 a step"]["value"]["fit"] > 0
    assert {"fridge", "out of memory is recognised", "losses as on the CPU, float32"} <= rows.keys()


WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in "click defusedxml matplotlib onnx onnxruntime pytest tensorflow yaml".split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def test_without_the_other_dependencies_it_says_what_is_missing(tmp_path: Path) -> None:
    """As on a machine that has only Keras, NumPy, OpenCV, JAX and PyTorch."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT, encoding="utf-8")
    out = tmp_path / "gpu.json"
    subprocess.run(
        [python_of("jax"), "-m", "tests.gpu.check", str(out), "--small"],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "JAX_PLATFORMS": "cpu"},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    rows = {row["check"]: row for row in json.loads(out.read_text(encoding="utf-8"))}
    assert {name for name, row in rows.items() if row["verdict"] == "passed"} == CPU_TOO - {
        "resumed run", "traces"
    }  # fmt: skip
    assert rows["resume"]["why"].startswith("ModuleNotFoundError")
    assert rows["resume"]["verdict"] == "not checked"
