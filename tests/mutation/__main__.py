"""Mutation tests: change the code in small ways, and see whether a test of that part notices.

    python -m tests.mutation boxes codec --sample 150 --seed 1

The tests are imported and collected once; for each mutant, a forked process gets the changed code and runs
the tests that reach it, the fast ones first, until one fails. A mutant that no test notices is a survivor.
Those in ``survivors.txt`` may live, for the reason given there.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from pathlib import Path

import pytest

from tests.mutation.hunt import Hunt
from tests.mutation.mutants import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
CODE = ROOT / "yolo_cli"
UNIT, LAWS = "tests/unit", "tests/property"
SURVIVORS = Path(__file__).with_name("survivors.txt")

PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "boxes": (("boxes.py",), (f"{UNIT}/test_boxes.py", f"{LAWS}/test_boxes.py")),
    "codec": (
        ("codec.py", "heads.py"),
        (f"{UNIT}/test_codec.py", f"{UNIT}/test_encode.py", f"{LAWS}/test_encode.py"),
    ),
    "letterbox": (("letterbox.py",), (f"{UNIT}/test_letterbox.py", f"{LAWS}/test_letterbox.py")),
    "suppression": (("suppression.py",), (f"{UNIT}/test_suppression.py", f"{LAWS}/test_suppression.py")),
    "evaluation": (
        ("evaluation",),
        (f"{UNIT}/evaluation", f"{LAWS}/test_evaluation_laws.py", f"{LAWS}/test_diagnosis_laws.py"),
    ),
    "datasets": (("datasets",), (f"{UNIT}/datasets", f"{LAWS}/test_converting.py")),
    "loss": (("loss.py",), (f"{UNIT}/test_loss.py", f"{UNIT}/test_keypoint_loss.py")),
    "schedule": (("training/yolo/schedule.py",), (f"{UNIT}/training/yolo/test_schedule.py",)),
    "recipe": (
        ("training/yolo/recipe.py",),
        tuple(
            f"{UNIT}/training/yolo/test_{name}.py"
            for name in ("callbacks", "budget", "journey", "resume", "failures")
        ),
    ),
}


def sample(part: str, count: int, seed: int) -> list[Mutant]:
    """Mutants of a part, the same for the same seed."""
    places = [CODE / place for place in PARTS[part][0]]
    files = [file for place in places for file in (sorted(place.rglob("*.py")) or [place])]
    every = [mutant for file in files for mutant in mutants_of(file)]
    return sorted(
        random.Random(f"{part} {seed}").sample(every, min(count, len(every))),
        key=lambda mutant: (mutant.path, mutant.number),
    )


def known() -> set[str]:
    """The survivors that may live, as ``file: function: before → after``."""
    return {line for line in SURVIVORS.read_text().splitlines() if " → " in line}


def hunt(part: str, count: int, seed: int) -> None:
    """Run one part in this process, and print what survives."""
    start = time.monotonic()
    chase = Hunt(sample(part, count, seed))
    options = ["-o", "addopts=", "-m", "not slow and not bench", "-q", "-s", "-p", "no:cacheprovider"]
    pytest.main([*options, *(str(ROOT / place) for place in PARTS[part][1])], plugins=[chase])
    alive = {f"{mutant.path.relative_to(CODE)}: {mutant.text}": mutant for mutant in chase.alive}
    killed, listed = len(chase.done) - len(chase.alive), known()
    print(
        f"{part}: {killed} of {len(chase.done)} mutants killed ({killed / max(1, len(chase.done)):.0%}), "
        f"{sum(text in listed for text in alive)} survivors with a reason, seed {seed}, "
        f"{time.monotonic() - start:.0f} s",
        *(f"  line {mutant.line} {text}" for text, mutant in alive.items() if text not in listed),
        sep="\n",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar=f"{{{','.join(PARTS)}}}")
    parser.add_argument("--sample", type=int, default=150, help="mutants of each part")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.environ |= {"YOLO_CLI_HYPOTHESIS": "mutation", "YOLO_CLI_CACHE": "off", "PYTHONHASHSEED": "0"}
    for part in given.parts or PARTS:  # each in a process of its own, so that it imports only its own tests
        if (process := os.fork()) == 0:
            hunt(part, given.sample, given.seed)
            os._exit(0)
        os.waitpid(process, 0)


if __name__ == "__main__":
    sys.exit(main())
