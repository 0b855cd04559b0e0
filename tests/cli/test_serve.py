"""`yolo serve` as people run it: it says where it is, serves under load, keeps its memory, and ends well."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest

from tests.serving_load import EXAMPLES, ask, run, served
from tests.shared import ROOT


def test_mixed_load_gets_no_500_and_leaves_no_memory_behind():
    """Half a minute of `tests.serving_load`; its half hour is run by hand."""
    seen = run(0.4, 4, think=0.1, engine="onnx")
    statuses = {line.split()[1] for line in seen["statuses"]}
    assert statuses <= {"200", "422", "413", "None"}
    assert (seen["unanswered"], seen["lost_at_the_end"], seen["exit_code"]) == (0, 0, 0)
    assert seen["rss_growth"] < 0.1


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_the_docs_work():
    text = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
    lines = [
        line for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()
    ]
    with served("--engine", "onnx") as server:
        answers = [
            subprocess.run(
                shlex.split(line.replace("127.0.0.1:8080", f"{server.host}:{server.port}")),
                capture_output=True, cwd=ROOT, check=True, text=True, timeout=60,
            ).stdout
            for line in lines
        ]  # fmt: skip
    assert '"cup"' in answers[0]
    assert [image["image"] for image in json.loads(answers[1])["images"]] == ["cat.jpg", "coffee.jpg"]
    assert json.loads(answers[2])["detections"][0]["class_name"] == "cat"
    assert len(answers) == 5


@pytest.mark.slow
def test_half_an_hour_of_mixed_load_takes_no_more_memory():
    seen = run(30, 6, think=0.3, engine="auto")
    print(seen)
    assert not [line for line in seen["statuses"] if line.endswith("500")]
    assert (seen["unanswered"], seen["lost_at_the_end"], seen["exit_code"]) == (0, 0, 0)
    assert seen["rss_growth"] < 0.05


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_end_it_with_0(kind):
    with served("--engine", "onnx") as server:
        assert ask(server, EXAMPLES[0]) == 200
        server.process.send_signal(kind)
        assert server.process.wait(20) == 0
        assert server.process.stderr.read() == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--host", "0.0.0.0"), "set a token in YOLO_CLI_TOKEN"),
        (("--token", "1234"), "8 or more"),
        (("--queue", "0"), "--queue is 0"),
    ],
)
def test_what_cannot_be_served_is_told_in_a_line(cli, options, words):
    done = cli("serve", "--port", "0", *options)
    assert done.exit_code in (2, 3)
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_its_packages_it_says_what_to_install(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = cli("serve")
    assert (done.exit_code, "pip install 'yolo-cli[serve]'" in done.stderr) == (2, True)


def test_help_needs_none_of_its_packages():
    code = "import sys; sys.modules['starlette'] = None; from yolo_cli.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "--max-delay" in done.stdout) == (0, True)
