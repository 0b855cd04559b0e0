from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import yolo_cli
from yolo_cli.cli import COMMANDS
from yolo_cli.errors import DataError


def test_without_a_command_there_is_help(cli):
    assert cli().stdout == cli("--help").stdout == cli("-h").stdout
    assert cli().exit_code == 0


@pytest.mark.parametrize("group", ["identify", "weights"])
def test_a_group_without_a_command_is_its_help(cli, group):
    done = cli(group)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == cli(group, "--help").stdout


def test_version(cli):
    assert cli("--version").stdout == f"yolo-cli {yolo_cli.__version__}\n"


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("detct", "no such command: 'detct'; did you mean 'detect'? (see yolo --help)"),
        ("predict", "no such command: 'predict'; did you mean 'detect'? (see yolo --help)"),
        ("zzz", f"no such command: 'zzz'; there are {', '.join(COMMANDS)} (see yolo --help)"),
    ],
)
def test_a_wrong_command(cli, word, says):
    done = cli(word)
    assert (done.exit_code, done.stderr) == (2, f"error: {says}\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--foo", "no such option: --foo (see yolo --help)"),
        ("weights lst", "no such command: 'lst'; did you mean 'list'? (see yolo weights --help)"),
        ("weights show", "NAME is missing (see yolo weights show --help)"),
        ("weights list --fromat json", "no such option: --fromat; did you mean --format? (see yolo weights"),
        ("lint p", "--data is missing; did you mean --data p? (see yolo lint --help)"),
        (
            "explain p/a.jpg",
            "give a point with --at, or a view such as --filters or --stages; see `yolo explain --help`",
        ),
        ("train model=a.pt", "'model=a.pt': options begin with two dashes; did you mean --weights a.pt?"),
        ("train model=a.cfg", "'model=a.cfg': options begin with two dashes; did you mean --model a.cfg?"),
        ("train lr0=1", "'lr0=1': options begin with two dashes; did you mean --learning-rate 1?"),
        ("eval data=x iou=0.5", "'data=x': options begin with two dashes; did you mean --data x?"),
        ("eval --data gone --fail-under map=0.5", "gone: no such file or folder"),
        ("eval --data gone --map conf=iou", "gone: no such file or folder"),
    ],
)
def test_wrong_words_are_one_line_that_helps(cli, words, says):
    done = cli(*words.split())
    assert done.exit_code in (2, 3)
    assert done.stderr.startswith(f"error: {says}")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def broken(cli, monkeypatch):
    """Make `yolo detect` raise what a test asks for."""

    def raising(fault):
        def fail(*_, **__):
            raise fault

        monkeypatch.setattr("yolo_cli.sources.open_source", fail)
        return cli

    return raising


def test_an_unexpected_fault_is_one_line(broken):
    done = broken(RuntimeError("two\nlines"))("detect", "p")
    assert done.exit_code == 1
    line = "error: unexpected RuntimeError: two lines; run again with --verbose for the traceback\n"
    assert done.stderr == line


def test_verbose_shows_the_traceback(broken):
    done = broken(RuntimeError("why"))("detect", "p", "--verbose")
    assert done.exit_code == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.endswith("error: unexpected RuntimeError: why\n")


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        (DataError("x: is bad"), 3, "error: x: is bad\n"),
        (KeyboardInterrupt(), 130, "\nerror: interrupted\n"),
        (BrokenPipeError(), 0, ""),
        (click.UsageError("no"), 2, "error: no (see yolo detect --help)\n"),
    ],
)
def test_each_kind_of_fault_has_its_code(broken, fault, code, line):
    done = broken(fault)("detect", "p")
    assert (done.exit_code, done.stderr) == (code, line)


def python(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, **options)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from yolo_cli.cli import main\n"
        "for words in (['--help'], ['detect', '--help']):\n"
        "    try: main(words)\n"
        "    except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'rich', 'yaml', 'onnxruntime', 'keras', 'tensorflow'} & {*sys.modules}\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    assert python(code).stderr.strip() == "[]"


@pytest.mark.parametrize(
    "words",
    [
        "stylize nix.jpg --style x",
        "stylize examples/cat.jpg --style examples/cat.jpg --steps 0",
        "stylize --data examples --style nix.jpg --out nix",
        "explain nix.jpg --filters",
        "explain nix.jpg --saliency",
        "explain --layers --data nix",
        "train --embedding --data nix",
    ],
)
def test_what_is_missing_is_told_before_a_framework_is_imported(words):
    code = (
        "import sys; from yolo_cli.cli import main\n"
        f"try: main({words.split()})\n"
        "except SystemExit as end: assert end.code in (2, 3)\n"
        "print(sorted({'keras', 'tensorflow'} & {*sys.modules}))"
    )
    assert python(code, cwd=Path(__file__).parents[2]).stdout.strip() == "[]"


def test_the_help_of_yolo_imports_only_what_it_prints():
    code = (
        "import sys; from yolo_cli.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "more = {'json', 'pathlib', 'yolo_cli.text', 'yolo_cli.cli.options'} & {*sys.modules}\n"
        "print(sorted(more), file=sys.stderr)"
    )
    assert python(code).stderr.strip() == "[]"


def test_detecting_for_another_program_imports_little(tmp_path):
    """`--format json --no-save` needs click, NumPy, OpenCV and an engine; no rich, no YAML, no Keras."""
    from tests.images import encode, smooth

    (tmp_path / "a.png").write_bytes(encode(smooth(), "PNG"))
    code = (
        "import sys; from tests.cli.conftest import FakeDetector; import yolo_cli.detectors as d\n"
        "for name in ('PIL', 'yaml', 'rich', 'pytest'): sys.modules.pop(name, None)\n"
        "d.load_detector = lambda **_: FakeDetector()\n"
        "from yolo_cli.cli import main\n"
        f"try: main(['detect', {str(tmp_path / 'a.png')!r}, '--format', 'json', '--no-save', '-q'])\n"
        "except SystemExit: pass\n"
        "heavy = {'rich', 'yaml', 'keras', 'tensorflow', 'matplotlib', 'PIL'} & {*sys.modules}\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    assert python(code, cwd=Path(__file__).parents[2]).stderr.strip() == "[]"


FAKED = (
    "from tests.cli.conftest import FakeDetector; import yolo_cli.detectors as d\n"
    "d.load_detector = lambda **_: FakeDetector()\n"
    "from yolo_cli.cli import main\n"
)


@pytest.mark.parametrize(
    "code",
    [
        FAKED + "main(['detect', 'examples', '--format', 'ndjson', '--no-save', '-q'])",
        FAKED + "main(['--help'])",
        FAKED + "main(['detect', '--help'])",
        "import sys; from yolo_cli.cli.group import _guarded\n"
        "sys.exit(_guarded(lambda: sys.stdout.write('not yet flushed'), False))",
    ],
    ids=["detect", "help", "help-of-a-command", "buffered"],
)
def test_a_reader_that_leaves_early_hears_no_complaint(code):
    reader, writer = os.pipe()
    os.close(reader)
    root = Path(__file__).parents[2]
    env = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}  # as users have it
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=root, env=env, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_python_m_yolo_cli_is_yolo():
    done = subprocess.run(
        [sys.executable, "-m", "yolo_cli", "detct"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: no such command: 'detct'; did you mean 'detect'? (see yolo --help)")
