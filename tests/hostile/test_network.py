"""Nothing leaves the machine: each command runs where every address leads to a counter of packets.

A network namespace of its own holds only the loopback device, to which all addresses lead: a look-up or a
connection to anywhere shows as packets there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.hostile.commands import ROOT, YOLO, photo
from tests.oracles_nanodet import Oracle
from tests.tiny import write_tiny
from tests.training_sets import write_shapes, write_tiny_cfg

INSIDE = """
import subprocess, sys
for words in ("link set lo up", "route add local 0.0.0.0/0 dev lo", "-6 route add local ::/0 dev lo"):
    subprocess.run(["ip", *words.split()], check="-6" not in words)
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
[line] = [line for line in open("/proc/net/dev") if line.strip().startswith("lo:")]
print(done.returncode, line.split(":")[1].split()[9], done.stderr.decode(errors="replace")[-300:])
"""
OUTSIDE = ["unshare", "--user", "--map-root-user", "--net"]


def alone(command: list[str], cwd: Path, **environment: str) -> tuple[int, int, str]:
    """Exit code, packets and the end of stderr of a command in a network of its own."""
    names = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [*OUTSIDE, sys.executable, "-c", INSIDE, *command],
        cwd=cwd,
        env=names,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    code, packets, rest = done.stdout.split(" ", 2)
    return int(code), int(packets), rest


def permitted() -> bool:
    tools = all(map(shutil.which, ("unshare", "ip")))
    return tools and subprocess.run([*OUTSIDE, "true"], capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not permitted(), reason="no network namespace may be made here")


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.getaddrinfo('example.com', 80)",
        "import socket; socket.create_connection(('203.0.113.7', 80))",
    ],
    ids=["look-up", "connection"],
)
def test_what_asks_the_network_is_seen(code: str, tmp_path: Path) -> None:
    assert alone([sys.executable, "-c", code], tmp_path)[1] > 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the commands need."""
    folder = tmp_path_factory.mktemp("network")
    photo(folder / "a.jpg")
    write_shapes(folder / "d")
    write_tiny_cfg(folder)
    (folder / "tiny").mkdir()
    write_tiny(folder / "tiny")
    (folder / "frames").mkdir()
    for number in range(3):
        photo(folder / "frames" / f"{number}.jpg")
    Oracle(np.random.default_rng(0), 3).record(folder / "nano")
    (folder / "nano.names").write_text("square\ndisc\ncup\n")
    write_shapes(folder / "k")
    _add_keypoints(folder / "k")
    return folder


def _add_keypoints(root: Path) -> None:
    """A key point in the middle of each box."""
    with (root / "data.yaml").open("a") as file:
        file.write("\nkpt_shape: [1, 3]\nflip_idx: [0]\n")
    for path in (root / "labels").rglob("*.txt"):
        rows = [row.split() for row in path.read_text().splitlines()]
        path.write_text("".join(" ".join([*row, row[1], row[2], "2"]) + "\n" for row in rows))


QUICK = [
    "detect a.jpg --no-save --engine onnx",
    "detect a.jpg --no-save --engine openvino",
    "detect a.jpg --out o",
    "weights list",
    "devices",
    "lint --data d",
    "stats --data d",
    "anchors --data d -k 2",
    "convert --data d --to coco --out coco",
    "track frames --smooth --out t",
    "identify learn --whole mug a.jpg --gallery g.json",
    "weights show yolov4-tiny-coco",
    "lint --rules",
    "detect frames --tile 64 --no-save --format ndjson",
    "train --data d --preview preview.png",
]


@pytest.mark.parametrize("words", QUICK)
def test_commands_send_nothing(words: str, place: Path) -> None:
    code, packets, errors = alone([*YOLO, *words.split()], place)
    assert (code, packets) == (0, 0), errors


SLOW = [
    "detect a.jpg --no-save --engine keras",
    "explain a.jpg --at 5,5 --out e.png",
    "train --data d --model tiny.cfg --imgsz 64 --epochs 1 --batch 4 --out run",
    "eval --data d --weights run --out ev --plots",
    "calibrate --data d --weights run --out cal --conf 0",
    "weights import tiny/tiny.cfg tiny/tiny.weights --names tiny/tiny.names --out imported",
    "weights export imported",
    "compare --data d --limit 2",
    "identify learn --whole mug a.jpg --gallery g2.json",
    "identify list --gallery g2.json",
    "identify a.jpg --whole --gallery g2.json --save --out id",
    "identify verify a.jpg frames/0.jpg --whole",
    "track frames --appearance --out t2",
    "stylize a.jpg --style frames/0.jpg --steps 2 --imgsz 64 --out st",
    "explain a.jpg --filters --out f",
    "explain a.jpg --saliency --conf 0.001 --out saliency.png",
    "explain --layers --data frames --limit 2 --out layers",
    "lint --data d --weights run --out suspects",
    "train --data d --model tiny.cfg --imgsz 64 --epochs 1 --batch 4 --unlabelled frames --out rounds",
    "weights import nano.param nano.bin --names nano.names --out nano",
    "train --data d --weights nano.keras --imgsz 64 --epochs 1 --batch 4 --out fine",
    "train --embedding --data d --imgsz 64 --epochs 1 --out embedding",
    "train --data d --detector localisation --imgsz 64 --epochs 1 --out localisation",
    "export --weights run --format openvino --conf 0.001 --out e.xml",
    "benchmark --weights run",
    "train --data k --model tiny.cfg --imgsz 64 --epochs 1 --batch 4 --out keypoints",
    "eval --data k --weights keypoints --out ev2",
    "export --weights run --format onnx --conf 0.001 --out e.onnx",
]


@pytest.mark.slow
def test_slow_commands_send_nothing(place: Path) -> None:
    """In order: what training leaves is evaluated."""
    found = {words: alone([*YOLO, *words.split()], place) for words in SLOW}
    assert {words: packets for words, (_, packets, _) in found.items() if packets} == {}
    assert {
        words: errors
        for words, (code, _, errors) in found.items()
        if code and not words.startswith("compare")
    } == {}


def test_a_server_sends_nothing(place: Path) -> None:
    """Asked for nothing, as a request would be packets, too; ended by Ctrl-C."""
    serve = ["timeout", "--preserve-status", "--signal", "INT", "15", *YOLO, "serve", "--port", "0"]
    code, packets, errors = alone(serve, place)
    assert (code, packets) == (0, 0), errors
