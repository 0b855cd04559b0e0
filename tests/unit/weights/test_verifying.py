"""Model files have the SHA-256 that was published for them, or one line says which has not."""

from __future__ import annotations

import shutil

import pytest

from tests.tiny import write_tiny
from yolo_cli import import_model, show_model
from yolo_cli.cli import main
from yolo_cli.config import bundled
from yolo_cli.errors import DataError, UsageError
from yolo_cli.weights import find_model
from yolo_cli.weights.verifying import check_sha256, verify_files

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of no bytes (FIPS 180-4)


@pytest.fixture
def copy(tmp_path):
    """The files of a bundled model, to be damaged."""
    for path in bundled("weights").glob("windows-voc.*"):
        shutil.copy(path, tmp_path)
    return find_model(str(tmp_path / "windows-voc.onnx"))


@pytest.mark.parametrize("page", sorted(bundled("weights").glob("*.md")), ids=lambda page: page.stem)
def test_the_bundled_models_are_what_their_cards_list(page):
    files = find_model(str(page.with_suffix(".onnx")))
    assert list(verify_files(files)) == [path.name for path in files.paths]


@pytest.mark.parametrize("suffix", [".onnx", ".keras"])
def test_one_changed_byte_is_found(copy, suffix):
    path = copy.first.with_suffix(suffix)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=f"windows-voc{suffix}: has SHA-256"):
        verify_files(copy)


def test_without_a_page_nothing_can_be_verified(copy):
    copy.first.with_suffix(".md").unlink()
    with pytest.raises(DataError, match="no such file"):
        show_model(copy.first, verify=True)
    copy.first.with_suffix(".md").write_text("# windows-voc\n")
    with pytest.raises(DataError, match=r"has no SHA-256 of windows-voc"):
        show_model(copy.first, verify=True)


def test_a_file_against_a_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    check_sha256(tmp_path / "a", EMPTY.upper())
    with pytest.raises(DataError, match=f"has SHA-256 {EMPTY}, but --sha256 says {'0' * 64}"):
        check_sha256(tmp_path / "a", "0" * 64)
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        check_sha256(tmp_path / "a", "abc")


def test_import_refuses_other_weights_before_it_writes(tmp_path):
    tiny = write_tiny(tmp_path)
    with pytest.raises(DataError, match="get the file again"):
        import_model([tiny.cfg, tiny.weights], tiny.names, tmp_path / "out", sha256="0" * 64)
    assert not list(tmp_path.glob("out*"))


def test_the_command_says_that_it_has_verified(copy, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["weights", "show", str(copy.first), "--verify"])
    assert (ended.value.code, "have the SHA-256" in capsys.readouterr().err) == (0, True)
