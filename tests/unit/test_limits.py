"""Every reader goes through `yolo_cli.limits`, and its limits hold at their edges."""

from __future__ import annotations

import ast
import os
import zipfile
from pathlib import Path

import pytest

import yolo_cli
from yolo_cli import limits
from yolo_cli.errors import DataError

PACKAGE = Path(yolo_cli.__file__).parent

READING = {
    "open",
    "load",
    "safe_load",
    "ZipFile",
    "imdecode",
    "imread",
    "load_model",
    "InferenceSession",
    "read_model",
    "fromfile",
    "is_zipfile",
    "decode_jpeg",
    "parse",
    "fromstring",
    ".read_bytes",
    ".read_text",
}
"""Names of functions that read a file, or bytes of one; those with a dot are methods."""

KNOWN = {
    # The readers themselves.
    "limits.py": {"open", "ZipFile"},
    "yaml_text.py": {"parse", "load"},
    "jpeg.py": {"decode_jpeg"},
    "decoding.py": {"decode_jpeg", "imdecode"},  # of bytes whose header was checked
    "damage.py": {"open", "load", "decode_jpeg"},  # Pillow, of the same bytes
    "model/keras_file.py": {"load_model"},
    "model/torch_file.py": {"is_zipfile", "load"},  # of bytes; its own unpickler
    "weights/copy.py": {"load"},
    "weights/archive.py": {"ZipFile"},  # writes
    "graphs.py": {"load", "InferenceSession"},  # of files that an engine has checked
    "engines/openvino_network.py": {"load"},  # of a file that was checked
    "engines/opening.py": {"open"},
    "detectors/loading.py": {"open"},
    "identity/embedder.py": {"open"},  # in an engine
    "api/tracking.py": {"load"},  # a network of ours
    "datasets/voc_xml.py": {"fromstring"},
    "datasets/archives.py": {"open", "ZipFile"},  # has limits of its own, on what is unpacked
    "video/reading.py": {"open"},
    "video/sound.py": {"open"},
    "downloads.py": {"open"},  # of what it downloads, whose size and digest are checked
    "time_limit.py": {"load"},  # what its own process answers
    "scaling/shards.py": {"open"},  # one member at a time, each as an image
}
"""Modules that call them for a reason."""

WRITERS = {
    "cache.py",
    "comparison/memory.py",
    "framework.py",
    "hardware.py",
    "inventory.py",
    "files.py",
    "locks.py",
    "sources/stdin.py",
    "pipeline/journal.py",
    "training/checkpoint.py",
    "training/workspace.py",
    "training/yolo/feed.py",
    "training/job.py",
    "training/yolo/network.py",
    "training/yolo/results.py",
    "report/training_curves.py",
    "tracking/saving.py",
    "video/writing.py",
    "video/pages.py",
    "weights/save.py",
    "weights/canonical.py",
    "weights/together.py",
    "datasets/scratch.py",
    "datasets/forms/parquet.py",
    "cli/group.py",
    "cli/terminal.py",
}
"""Modules that read what this program wrote itself, or what the system says, and write."""


def calls_of(path: Path) -> set[str]:
    """The names of `READING` that a module calls."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            method = isinstance(node.func, ast.Attribute)
            name = node.func.attr if method else getattr(node.func, "id", "")
            found |= {name, f".{name}" if method else ""} & READING
    return found


@pytest.mark.parametrize(
    "name", sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
)
def test_no_reader_goes_past_the_limits(name):
    path = PACKAGE / name
    if name not in WRITERS and not name.startswith(("serving/", "live/", "exporting/")):
        assert calls_of(path) <= KNOWN.get(name, set()), "read files with yolo_cli.limits"


def test_a_new_reader_would_be_seen(tmp_path):
    path = tmp_path / "new.py"
    path.write_text("from pathlib import Path\nPath('a').read_bytes()\n")
    assert calls_of(path) == {".read_bytes"}


def says(call, *arguments) -> str:
    with pytest.raises(DataError) as caught:
        call(*arguments)
    assert "\n" not in caught.value.text
    return caught.value.text


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero", "/proc/self/status"):
        assert says(limits.read_file, tmp_path / name, "it") == "it: is a pipe or device, not a regular file"
        assert says(limits.open_file, tmp_path / name, "it") == "it: is a pipe or device, not a regular file"
    with pytest.raises(IsADirectoryError):
        limits.read_file(tmp_path)


def test_a_file_may_have_as_many_bytes_as_the_limit_says_and_no_more(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert limits.read_file(tmp_path / "a", "it", 5) == b"12345"
    assert says(limits.read_file, tmp_path / "a", "it", 4) == "it: has 5 bytes; over 4 bytes, no file is read"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("traffic light", ""),
        ("..", ""),  # folders are made from safe forms of names
        ("a/b", ""),
        ("Straßenbahn", ""),
        ("x" * 255, ""),
        ("ß" * 127 + "x", ""),
        ("ß" * 128, "has more than 255 bytes"),
        ("", "is empty"),
        (" ", "is empty"),
        ("a\x1b[31m", "holds a control character"),
        ("a\u2028b", "holds a control character"),
        ("\ud800", "holds half a character (a lone surrogate)"),
        (5, "is not text, but int"),
    ],
)
def test_class_names(name, fault):
    assert limits.name_fault(name) == fault


def test_the_number_of_classes():
    assert limits.names_fault(["a"] * limits.MAX_CLASSES) == ""
    assert limits.names_fault(["a"] * (limits.MAX_CLASSES + 1)).startswith("has 100,001 class names")
    assert limits.names_fault([]).startswith("has 0 class names")


def test_what_a_file_may_ask_for():
    """64 MiB always, else eight times what is stored."""
    limits.check_size(64 << 20, 1, "a.pth", "its tensors")
    limits.check_size(800 << 20, 100 << 20, "a.pth", "its tensors")
    assert says(limits.check_size, 801 << 20, 100 << 20, "a.pth", "its tensors").startswith(
        "a.pth: its tensors would take 801 MiB, but only 100 MiB are stored"
    )


def archive_with(path: Path, change) -> Path:
    """A zip archive of one deflated member, with the bytes of its two headers changed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"some text " * 9)
    data = bytearray(path.read_bytes())
    change(data, data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02"))
    path.write_bytes(data)
    return path


def encrypted(data, local, central):
    data[local + 6] |= 1
    data[central + 8] |= 1


def oddly_compressed(data, local, central):
    data[local + 8] = data[central + 10] = 14  # LZMA


def broken(data, local, central):
    data[local + 36 : local + 40] = b"\xff\xff\xff\xff"


def huge(data, local, central):
    data[central + 24 : central + 28] = (1 << 30).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (encrypted, "'a.txt' in it is encrypted"),
        (oddly_compressed, "'a.txt' in it is compressed by method 14"),
        (huge, "'a.txt' in it says an impossible size"),
        (broken, "a.txt in it is damaged"),
    ],
)
def test_members_of_archives(change, fault, tmp_path):
    path = archive_with(tmp_path / "a.zip", change)

    def read():
        with limits.open_zip(path, "a.zip") as archive:
            limits.read_member(archive, "a.txt", "a.zip", 1000)

    assert says(read).startswith(f"a.zip: {fault}")


def test_a_member_that_is_too_large(tmp_path):
    path = archive_with(tmp_path / "a.zip", lambda *_: None)
    with limits.open_zip(path, "a.zip") as archive:
        assert limits.read_member(archive, "a.txt", "a.zip", 90) == b"some text " * 9
        assert says(limits.read_member, archive, "a.txt", "a.zip", 89).startswith(
            "a.zip: a.txt in it is 90 bytes"
        )
