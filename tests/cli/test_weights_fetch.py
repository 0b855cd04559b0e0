"""`yolo weights fetch` from a server on loopback: nothing half is left behind, whatever the server does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.file_server import FileServer, no_proxy, serving
from tests.tiny import write_tiny
from yolo_cli import downloads
from yolo_cli.cli import main
from yolo_cli.config import bundled
from yolo_cli.darknet import read_cfg, read_names
from yolo_cli.downloads import Digest, check_address
from yolo_cli.weights import fetching, find_model, read_card
from yolo_cli.weights.darknet_import import card_of
from yolo_cli.weights.zoo import ZooModel, read_zoo

__all__ = ["no_proxy"]

pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A tiny Darknet model; its cfg and names are in the working directory."""
    weights = Path(write_tiny(tmp_path).arguments[1])
    data = weights.read_bytes()
    weights.unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("YOLO_CLI_CACHE", raising=False)
    monkeypatch.setattr(downloads, "PAUSE_S", 0.0)
    with serving(data) as state:
        yield state


def fetch(server: FileServer, path: str, *more: str) -> Result:
    digest = hashlib.sha256(server.data).hexdigest()
    arguments = [*given(), "--sha256", digest, "--out", "mine", *more]
    return CliRunner().invoke(main, ["weights", "fetch", server.url(path), *arguments])


def given() -> list[str]:
    [cfg], [names] = Path().glob("*.cfg"), Path().glob("*.names")
    return ["--cfg", str(cfg), "--names", str(names)]


def left() -> list[str]:
    """What is in the model folder and in the cache of downloads."""
    roots = Path("weights"), Path("cache/yolo-cli/downloads")
    return sorted(path.name for root in roots for path in root.rglob("*") if path.is_file())


def test_a_model_is_fetched_and_used(server: FileServer) -> None:
    run = fetch(server, "moved/tiny.weights")
    assert run.exit_code == 0, run.output
    assert [Path(line).name for line in run.stdout.splitlines()] == ["mine.keras", "mine.onnx", "mine.md"]
    first, *_, last = run.stderr.splitlines()
    assert first == f"tiny: size not known from {server.url('moved/tiny.weights')}; licence: not stated"
    assert last == "to remove the model, delete weights/mine.keras weights/mine.onnx weights/mine.md"
    assert left() == ["mine.keras", "mine.md", "mine.onnx"]
    card = read_card(find_model("mine").first)
    assert card.source["weights_sha256"] == hashlib.sha256(server.data).hexdigest()
    assert card.origin == f"Downloaded from {server.url('moved/tiny.weights')}."


@pytest.mark.parametrize("path", ["missing", "to-a-file", "busy"])
def test_what_cannot_be_had_leaves_nothing(server: FileServer, path: str) -> None:
    run = fetch(server, path)
    assert (run.exit_code, run.stdout) == (3, "")
    assert run.stderr.splitlines()[-1].startswith(f"error: {server.url(path)}: the server answers")
    assert left() == []


def test_a_wrong_hash_leaves_nothing(server: FileServer) -> None:
    run = CliRunner().invoke(
        main, ["weights", "fetch", server.url("tiny.weights"), *given(), "--sha256", "ab" * 32]
    )
    assert run.exit_code == 3
    assert "but must have abab" in run.stderr
    assert left() == []


def test_a_file_that_cannot_be_imported_leaves_nothing(server: FileServer) -> None:
    server.data = server.data[:-40]
    run = fetch(server, "tiny.weights")
    assert run.exit_code == 3
    assert left() == []


def test_a_cut_download_is_kept_and_finished_by_the_next_run(server: FileServer) -> None:
    server.cuts = downloads.TRIES
    run = fetch(server, "tiny.weights")
    assert run.exit_code == 3
    assert "are kept, run it again to go on" in run.stderr
    assert left() == ["tiny.weights.part"]
    assert fetch(server, "tiny.weights").exit_code == 0
    assert server.asked[-1][1] is not None
    assert left() == ["mine.keras", "mine.md", "mine.onnx"]


def test_without_a_cache_a_cut_download_leaves_nothing(server: FileServer, monkeypatch) -> None:
    monkeypatch.setenv("YOLO_CLI_CACHE", "off")
    server.cuts = downloads.TRIES
    assert fetch(server, "tiny.weights").exit_code == 3
    assert left() == []


def test_an_existing_model_is_refused_before_anything_is_asked(server: FileServer) -> None:
    assert fetch(server, "tiny.weights").exit_code == 0
    asked = len(server.asked)
    run = fetch(server, "tiny.weights")
    assert run.exit_code == 2
    assert "exists; choose another name, or add --exist-ok" in run.stderr
    assert len(server.asked) == asked
    assert fetch(server, "tiny.weights", "--exist-ok").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["yolov44"], "no model to fetch is called 'yolov44'; did you mean yolov4"),
        (["nanodet-plus-m_416"], "no public hash of https://github.com/RangiLyu/nanodet/"),
        (["http://a/b.weights"], "give the file's hash with --sha256"),
        (["http://a/b.weights", "--sha256", "ab" * 32], "give its class names, one a line, with --names"),
        (["http://a/b.weights", "--sha256", "ab" * 32, "--names", "n"], "with --cfg"),
        (["http://a/b.onnx", "--sha256", "ab", "--names", "n"], "must be 64 digits"),
        (["ftp://a/b"], "is not an address that begins with https://"),
    ],
)
def test_what_is_missing_is_said_before_the_network_is_used(arguments: list[str], says: str) -> None:
    run = CliRunner().invoke(main, ["weights", "fetch", *arguments])
    assert run.exit_code == 2
    assert says in run.stderr


def test_a_name_of_the_zoo(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the zoo says of it, in the card and on the first line."""
    [cfg], [names] = Path().glob("*.cfg"), Path().glob("*.names")
    digest = Digest("sha1", hashlib.sha1(server.data).hexdigest())
    about = {"licence": "public domain", "figures": ("Published: AP 1.",)}
    model = ZooModel("tiny", server.url("tiny.weights"), names, cfg, digest, 3 << 20, about)
    monkeypatch.setattr(fetching, "zoo_model", lambda name: {"tiny": model}[name])
    run = CliRunner().invoke(main, ["weights", "fetch", "tiny"])
    assert run.exit_code == 0, run.output
    assert run.stderr.startswith(f"tiny: 3.0 MiB from {model.url}; licence: public domain\n")
    card = read_card(find_model("tiny").first)
    assert (card.licence, card.figures) == ("public domain", ("Published: AP 1.",))


def test_a_full_disk_is_said_before_the_download(server: FileServer, monkeypatch) -> None:
    model = ZooModel("big", server.url("b"), Path("n"), None, Digest("sha1", "a" * 40), 1 << 60, {})
    monkeypatch.setattr(fetching, "zoo_model", lambda _: model)
    run = CliRunner().invoke(main, ["weights", "fetch", "big"])
    assert run.exit_code == 3
    assert "MiB to fetch big, but" in run.stderr
    assert (server.asked, left()) == ([], [])


@pytest.mark.parametrize("name", read_zoo())
def test_what_the_zoo_says_fits_together(name: str) -> None:
    model = read_zoo()[name]
    check_address(model.url)
    assert model.url.startswith("https://")
    assert model.about["licence"].startswith(("Public domain", "Apache-2.0"))
    assert model.about["figures"][0].startswith("Published: ")
    class_names = read_names(model.names)
    assert (model.cfg is None) == model.url.endswith(".onnx")
    if model.cfg:
        card = card_of(read_cfg(model.cfg), class_names, name)
        height, width = model.about.get("input_size", card.input_size)
        assert (height % card.size_step, width % card.size_step) == (0, 0)
    assert name in (bundled("weights").parent / "docs" / "models.md").read_text()
