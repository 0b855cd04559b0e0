"""Kill commands and fill their disks, by a seed: ``python -m tests.hostile.attacks --kills 200 --disks 30``.

Each attack takes a command with an output, ends it with SIGKILL at a random instant or just before its n-th
change of a name or write (``strace --inject``), or lets its disk fill up. Afterwards all that is there
must be whole, what the user had the same, and the same command must do its work. Each prints one line.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.commands import ROOT, YOLO, photo
from tests.hostile.forked import Forked, import_everything
from tests.hostile.whole import contents, halves, model_faults
from tests.tiny import write_tiny
from tests.training_sets import write_shapes, write_tiny_cfg

FULL_DISK = """
mount -t tmpfs -o size=2m none out || exit 99
cp -r before/. out
dd if=/dev/zero of=out/.fill bs=1024 count={filled} 2>/dev/null
{command}
code=$?
rm out/.fill
cp -r out/. kept
exit $code
"""
TRAIN = "train --data d --model tiny.cfg --imgsz 64 --epochs 3 --batch 4 --workers 1 --out out"


@dataclass(frozen=True)
class Target:
    """A command to attack.

    Attributes:
        words: what is run.
        again: what is run afterwards, to go on.
        seconds: how long it takes at most, for random instants.
        old: whether its output is there before.
    """

    words: str
    again: str
    seconds: float
    old: bool = False


TARGETS = {
    "detect": Target(
        "detect p --out out --save-txt --exist-ok", "detect p --out out --save-txt --exist-ok", 1.5
    ),
    "import": Target(
        "weights import t/tiny.cfg t/tiny.weights --names t/tiny.names --out out/m",
        "weights import t/tiny.cfg t/tiny.weights --names t/tiny.names --out out/m --exist-ok",
        14,
    ),
    "import over": Target(
        "weights import t/tiny.cfg t/tiny.weights --names t/other.names --out out/m --exist-ok",
        "weights import t/tiny.cfg t/tiny.weights --names t/other.names --out out/m --exist-ok",
        14,
        True,
    ),
    "calibrate": Target(
        "calibrate --data d --weights m/m --out out/m --exist-ok --conf 0",
        "calibrate --data d --weights m/m --out out/m --exist-ok --conf 0",
        8,
        True,
    ),
    "train": Target(TRAIN, "train --resume out", 20),
    "train --unlabelled": Target(
        TRAIN.replace("--epochs 3", "--epochs 2 --unlabelled p"), "train --resume out", 30
    ),
    "train --weights": Target(
        TRAIN.replace("--model tiny.cfg", "--weights nano.keras"), "train --resume out", 20
    ),
    "export": Target(
        "export --weights m/m --format onnx --conf 0.001 --out out/e.onnx --exist-ok",
        "export --weights m/m --format onnx --conf 0.001 --out out/e.onnx --exist-ok",
        14,
    ),
    "lint --fix": Target("lint --data d --fix out/d", "lint --data d --fix out/d", 2),
    "convert": Target(
        "convert --data d --to coco --out out/d --exist-ok",
        "convert --data d --to coco --out out/d --exist-ok",
        2,
        True,
    ),
    "track": Target("track p --out out --exist-ok", "track p --out out --exist-ok", 2),
    "identify learn": Target(
        "identify learn --whole mug p/1.jpg p/2.jpg --gallery out/gallery.json",
        "identify learn --whole mug p/1.jpg p/2.jpg --gallery out/gallery.json",
        1,
        True,
    ),
    "stylize": Target(
        "stylize --data d --style p/1.jpg --steps 2 --imgsz 64 --out out/d",
        "stylize --data d --style p/1.jpg --steps 2 --imgsz 64 --out out/d",
        10,
    ),
}


def run(words: str, cwd: Path, before: tuple[str, ...] = (), **options: object) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "YOLO_CLI_CACHE": "off",
        "KERAS_BACKEND": "tensorflow",
    }
    return subprocess.Popen(
        [*before, *YOLO, *words.split()],
        cwd=cwd,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **options,
    )  # type: ignore[call-overload,no-any-return]


def prepared(folder: Path) -> Path:
    """The inputs: images ``p``, a data set ``d``, Darknet files ``t``, and a trained model ``m/m``."""
    (folder / "p").mkdir(parents=True)
    (folder / "t").mkdir()
    for number in range(12):
        photo(folder / "p" / f"{number}.jpg")
    write_shapes(folder / "d")
    write_tiny_cfg(folder)
    write_tiny(folder / "t")
    write_nanodet(folder / "nano.keras")
    (folder / "t" / "other.names").write_text("red\nblue")
    for words in (
        TRAIN.replace("--out out", "--out m0"),
        "identify learn --whole cup p/0.jpg --gallery gallery.json",
    ):
        code, errors = Forked(words, folder).end()
        assert code == 0, errors
    shutil.copytree(folder / "m0" / "weights", folder / "m")
    for suffix in (".keras", ".onnx"):
        (folder / "m" / f"best{suffix}").rename(folder / "m" / f"m{suffix}")
    shutil.rmtree(folder / "m0")
    return folder


def write_nanodet(path: Path) -> None:
    """Heads as of NanoDet-Plus; in a process of its own, as no fork could use TensorFlow afterwards."""
    code = (
        "import sys; from pathlib import Path; from tests.unit.training.yolo.test_gfl import write_network; "
        "write_network(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "tensorflow"}
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment)


def attack(target: Target, inputs: Path, folder: Path, how: Callable[[str, Path], str]) -> list[str]:
    """Attack once; return what is wrong afterwards."""
    shutil.copytree(inputs, folder)
    fill_output(target, inputs, folder / "out")
    mine = contents(folder)
    told = how(target.words, folder)
    faults = [*halves(folder / "out"), *model_faults(folder)]
    if target.old and not faults and not [*(folder / "out").iterdir()]:
        faults.append("what was there before is gone")
    if contents(folder) != mine:
        faults.append("something of the user's has changed")
    faults += [*going_on(target, folder), *model_faults(folder)]
    return [f"{fault} ({told})" for fault in faults]


def fill_output(target: Target, inputs: Path, out: Path) -> None:
    """Make the output of an earlier run."""
    if target.words.startswith("train"):
        return
    out.mkdir()
    if target.old and target.words.startswith("convert"):
        shutil.copytree(inputs / "d", out / "d")
    elif target.old and target.words.startswith("identify"):
        shutil.copy(inputs / "gallery.json", out)
    elif target.old:
        for path in (inputs / "m").iterdir():
            shutil.copy(path, out / path.name)


def going_on(target: Target, folder: Path) -> Iterator[str]:
    """What is wrong with the next run."""
    words = target.again
    if words.startswith("train") and not (folder / "out" / "args.yaml").is_file():
        words = f"{target.words} --exist-ok"
    if words.startswith(("lint", "stylize")) and (folder / "out" / "d").exists():
        words = "lint --data out/d"
    code, errors = Forked(words, folder).end()
    if code:
        yield f"the next run fails: {errors.splitlines()[-1:]}"


def killed_at_random(dice: random.Random, target: Target) -> Callable[[str, Path], str]:
    def how(words: str, folder: Path) -> str:
        delay = dice.uniform(0.02, target.seconds)
        process = Forked(words, folder)
        process.kill_after(delay)
        return f"killed after {delay:.2f} s, exit {process.end()[0]}"

    return how


def killed_at_call(dice: random.Random, _: Target) -> Callable[[str, Path], str]:
    """Just before a change of a name or, less often, a write; most of them fall into the output."""

    def how(words: str, folder: Path) -> str:
        call = dice.choice(("rename", "rename", "renameat2", "unlink", "write"))
        number = int(dice.expovariate(1 / (40 if call == "write" else 4))) + 1
        process = Forked(words, folder, (call, number))
        return f"killed at {call} number {number}, exit {process.end()[0]}"

    return how


def limited(dice: random.Random, _: Target) -> Callable[[str, Path], str]:
    def how(words: str, folder: Path) -> str:
        size = int(10 ** dice.uniform(1, 5.5))
        done = run(words, folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
        return ending(done, f"files of at most {size} bytes")

    return how


def full(dice: random.Random, _: Target) -> Callable[[str, Path], str]:
    """The output is on a disk of 2 MB, which is nearly full."""

    def how(words: str, folder: Path) -> str:
        filled = dice.randrange(0, 1900)
        words = f"{words} --exist-ok" if words.startswith("train") else words
        script = FULL_DISK.format(filled=filled, command=" ".join((*YOLO, words)))
        (folder / "out").mkdir(exist_ok=True)
        shutil.copytree(folder / "out", folder / "before")
        (folder / "kept").mkdir()
        done = run("", folder, ("unshare", "-rm", "sh", "-c", script, "sh"))
        told = ending(done, f"a disk of 2 MB with {filled} KB on it")
        shutil.rmtree(folder / "before")
        shutil.rmtree(folder / "out")
        (folder / "kept").rename(folder / "out")
        return told

    return how


def ending(process: subprocess.Popen[bytes], told: str) -> str:
    errors = process.communicate()[1].decode(errors="replace")
    if process.returncode not in (0, 2, 3, 5, 130) or "Traceback" in errors or "unexpected" in errors:
        print(f"BAD EXIT {process.returncode}: {told}: {errors.splitlines()[-1:]}", flush=True)
    return f"{told}, exit {process.returncode}"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """As `TemporaryDirectory`, which each forked process would delete at its end."""
    folder = Path(tempfile.mkdtemp())
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--disks", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=TARGETS)
    given = parser.parse_args()
    dice, wrong = random.Random(given.seed), 0
    kinds = [killed_at_random, killed_at_call] * (given.kills // 2) + [limited, full] * (given.disks // 2)
    dice.shuffle(kinds)  # a run that is cut short has some of each
    import_everything()
    with scratch_folder() as scratch:
        inputs = prepared(scratch / "inputs")
        for number, kind in enumerate(kinds):
            name = given.only or dice.choice([*TARGETS])
            start, folder = time.monotonic(), scratch / str(number)
            faults = attack(TARGETS[name], inputs, folder, kind(dice, TARGETS[name]))
            wrong += bool(faults)
            what = "; ".join(faults) or "right"
            print(f"{number} {name}, {kind.__name__}, {time.monotonic() - start:.0f} s: {what}", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(kinds)} attacks, {wrong} with faults, seed {given.seed}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
