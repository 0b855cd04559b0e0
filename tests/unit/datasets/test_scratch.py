from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from yolo_cli.datasets.scratch import scratch_folder
from yolo_cli.errors import DataError

PROGRAM = """
import sys, time
from pathlib import Path
from yolo_cli.datasets.scratch import scratch_folder
(scratch_folder(Path(sys.argv[1]), "x.zip") / "big").write_text("much")
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files, of this process and of those that it starts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def start(source: Path) -> subprocess.Popen[str]:
    started = subprocess.Popen([sys.executable, "-c", PROGRAM, source], stdout=subprocess.PIPE, text=True)
    assert started.stdout
    assert started.stdout.readline() == "ready\n"
    return started


@pytest.mark.skipif(sys.platform == "win32", reason="no locks on Windows")
def test_the_folder_of_a_killed_program_is_removed_by_the_next(tmp_path: Path, place: Path) -> None:
    source = tmp_path / "x.zip"
    source.write_text("1")
    with start(source) as alive, start(source) as killed:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        for folder in place.iterdir():
            os.utime(folder, (1, 1))  # long ago
        own = scratch_folder(source, "x.zip")
        left = set(place.iterdir()) - {own.parent}
        assert len(left) == 1  # that of the program that is alive
        assert (next(iter(left)) / "x.zip" / "big").exists()
        alive.kill()


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.zip: cannot be unpacked: No such file"):
        scratch_folder(tmp_path / "gone.zip", "gone.zip")


def test_its_name_says_whose_it_is(tmp_path: Path, place: Path) -> None:
    source = tmp_path / "y.zip"
    source.write_text("1")
    assert scratch_folder(source, "y.zip").parent.name.startswith("yolo-cli-")
