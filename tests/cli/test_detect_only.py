"""The installation for detection only: small, quick, offline, and what it lacks is told. Takes minutes.

`pytest -m slow -s tests/cli/test_detect_only.py`
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from tests.shared import ROOT
from tests.wheels import LOCK, offline

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="wheels and memory of Linux are measured"),
]

FULL = 2800  # MB of the full installation
PIP = [sys.executable, "-m", "pip", "--python"]
UNSHARE = ["unshare", "-rn"]
NO_NETWORK = [] if subprocess.run([*UNSHARE, "true"], check=False).returncode else UNSHARE
NOBODY = ["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups"]


def megabytes(folder: Path) -> float:
    """Of its files; blocks of a disk take a little more."""
    command = ["du", "-s", "--apparent-size", "--block-size=1000", folder]
    return int(subprocess.check_output(command).split()[0]) / 1000


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A virtual environment by the commands of docs/install.md, with its seconds and their CPU time."""
    folder = tmp_path_factory.mktemp("install")
    environment, start = offline(), time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for command in (
        [sys.executable, "-m", "venv", "--without-pip", folder / "yolo"],
        [*PIP, folder / "yolo", "install", "-q", "--require-hashes", "-r", LOCK],
        [*PIP, folder / "yolo", "install", "-q", "--no-deps", copy_of_the_project(folder)],
    ):
        subprocess.run([*NO_NETWORK, *map(str, command)], check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return folder / "yolo", time.monotonic() - start, spent


def copy_of_the_project(folder: Path) -> Path:
    """What `.dockerignore` lets through."""
    names = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), flags=re.MULTILINE)
    for name in names:
        target = folder / "src" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    return folder / "src"


def yolo(environment: Path, *words: str, cwd: Path) -> tuple[int, str, str, float]:
    """Exit code, stdout, stderr, and the largest resident memory in MB, without a network."""
    command = [*NO_NETWORK, str(environment / "bin" / "yolo"), *words]
    with subprocess.Popen(
        command, cwd=cwd, env=offline(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        out, err = process.stdout.read(), process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, out, err, used.ru_maxrss * 1024 / 1e6


def test_it_is_small_and_quick(installed):
    environment, seconds, cpu = installed
    size = megabytes(environment)
    print(f"\n{size:.0f} MB ({size / FULL:.1%} of the full one) in {seconds:.1f} s, {cpu:.1f} s of CPU time")
    assert size <= 370
    assert size <= 0.15 * FULL
    assert min(seconds, cpu) <= 30  # on a busy machine CPU time counts


def test_it_finds_the_coffee_cup_in_little_memory(installed, tmp_path):
    shutil.copy(ROOT / "examples" / "coffee.jpg", tmp_path)
    code, out, err, memory = yolo(installed[0], "detect", "coffee.jpg", "--format", "json", cwd=tmp_path)
    print(f"\n{memory:.0f} MB of memory for one detection")
    assert code == 0, err
    assert json.loads(out)["images"][0]["detections"][0]["class_name"] == "cup"
    assert (tmp_path / "runs/detect/predict/coffee.jpg").is_file()
    assert memory <= 200


@pytest.mark.parametrize(
    "words",
    [("detect", "p", "--save-crops", "--save-txt"), ("detect", "p", "--format", "csv"), ("weights", "list"),
     ("detect", "list.txt", "--batch", "2"), ("devices",), ("detect", "p", "--config", "c.yaml"),
     ("weights", "show", "yolov4-tiny-coco"), ("--help",), ("detect", "p", "--format", "cvat", "--no-save")],
)  # fmt: skip
def test_what_detection_offers_works(installed, tmp_path, words):
    shutil.copytree(ROOT / "examples", tmp_path / "p", ignore=shutil.ignore_patterns("*.md"))
    (tmp_path / "list.txt").write_text("p/cat.jpg\np/coffee.jpg\n")
    (tmp_path / "c.yaml").write_text("conf: 0.4\n")
    code, _, err, _ = yolo(installed[0], *words, cwd=tmp_path)
    assert code == 0, err


def test_what_it_lacks_is_told_in_a_line(installed, tmp_path):
    (tmp_path / "p").mkdir()
    shutil.copy(ROOT / "examples" / "cat.jpg", tmp_path / "p")
    (tmp_path / "p" / "cat.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    code, _, err, _ = yolo(installed[0], "train", "--data", "p", cwd=tmp_path)
    assert code == 2
    assert "pip install" in err.splitlines()[-1]
    code, _, err, _ = yolo(installed[0], "anchors", "--data", "p", "-k", "1", "--out", "o", cwd=tmp_path)
    assert (code, "only detects; run: pip install yolo-cli" in err) == (2, True)


@pytest.fixture
def open_folder():
    """A folder that other users can read."""
    folder = Path(tempfile.mkdtemp(prefix="yolo-image-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_the_steps_of_the_dockerfile(open_folder):
    """Each RUN in a fresh folder, then the server as a user who can write nowhere, and its health check."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    places = {"/opt/yolo": str(open_folder / "opt"), "/src": str(copy_of_the_project(open_folder))}
    steps = [placed(line, places) for line in text.splitlines() if line.startswith("RUN ")]
    for step in steps:
        words = step.removeprefix("RUN ").replace("python -m", f"{sys.executable} -m")
        subprocess.run([*NO_NETWORK, "sh", "-ec", words], check=True, env=offline(), cwd=open_folder)
    program = Path(places["/opt/yolo"]) / "bin"
    with Container(program, port=18099) as container:
        check = json.loads(re.search(r"CMD (\[.*urlopen.*\])", text)[1].replace("8080", "18099"))
        command = [str(program / "python"), *check[1:]]
        assert container.wait_for(command) == 0
        body = (ROOT / "examples" / "coffee.jpg").read_bytes()
        headers = {"Authorization": "Bearer correct-horse"}
        request = urllib.request.Request("http://127.0.0.1:18099/detect", body, headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            assert json.load(response)["images"][0]["detections"][0]["class_name"] == "cup"
    assert container.process.returncode == 0


def placed(line: str, places: dict[str, str]) -> str:
    for old, new in places.items():
        line = line.replace(old, new)
    return line


class Container:
    """`yolo serve` as the Dockerfile starts it: as user 65532, in a folder that is not its own.

    Where that user may not run this Python, which is in somebody's home, it is the present one.
    """

    def __init__(self, program: Path, port: int) -> None:
        tried = subprocess.run([*NOBODY, str(program / "python"), "-c", ""], capture_output=True, check=False)
        user = [] if tried.returncode else NOBODY
        self.command = [*user, str(program / "python"), str(program / "yolo"), "serve", "--host", "0.0.0.0"]
        self.command += ["--port", str(port)]

    def __enter__(self):
        own = {"YOLO_CLI_TOKEN": "correct-horse", "YOLO_CLI_CACHE": "off", "PYTHONDONTWRITEBYTECODE": "1"}
        environment = {**own, "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(self.command, cwd="/", env=environment)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def wait_for(self, command: list[str]) -> int:
        for _ in range(60):
            code = subprocess.run(command, capture_output=True, check=False).returncode
            if code == 0:
                return 0
            time.sleep(0.5)
        return code
