"""Our evaluation beside pycocotools and faster-coco-eval: the same data, each in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

from tests.shared import ROOT

pytestmark = pytest.mark.bench


def _evaluate_once(program: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.bench.evaluate_once", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_evaluating_5000_images_beside_other_programs() -> None:
    known = [("pycocotools", "pycocotools"), ("faster-coco-eval", "faster_coco_eval")]
    others = [program for program, module in known if importlib.util.find_spec(module)]
    ours = _evaluate_once("ours")
    print(f"\nours: {ours['seconds']:.2f} s, {ours['peak_mib']:.0f} MiB")
    for program in others:
        theirs = _evaluate_once(program)
        differ = max(abs(a - b) for a, b in zip(ours["figures"], theirs["figures"], strict=True))
        print(
            f"{program}: {theirs['seconds']:.2f} s, {theirs['peak_mib']:.0f} MiB; "
            f"we take {ours['seconds'] / theirs['seconds']:.3f} of its time "
            f"and {ours['peak_mib'] / theirs['peak_mib']:.3f} of its memory; figures differ by {differ:.1e}"
        )
