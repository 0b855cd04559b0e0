"""What was found stays on disk, to the last bit, and an interrupted run goes on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from yolo_cli.detections import Detections
from yolo_cli.errors import DataError
from yolo_cli.pipeline import Outcome
from yolo_cli.pipeline.journal import Journal

HEADER = {"model": "m", "sha256": "1", "confidence": 0.001, "imgsz": (32, 64), "resize": None}
FOUND = Detections(
    np.float32([[1 / 3, 0.1, 7.7, 9.9], [0, 0, 1, 1]]), np.float32([0.1, 1 / 3]), np.array([4, 0])
)


def resumed(path: Path) -> dict[str, Outcome]:
    journal = Journal.resume(path, HEADER)
    journal.close()
    return dict(journal.done)


def same(one: Detections, other: Detections) -> bool:
    pairs = ((one.xyxy, other.xyxy), (one.confidence, other.confidence), (one.class_id, other.class_id))
    return all(np.array_equal(a, b) for a, b in pairs)


def test_outcomes_come_back_to_the_last_bit(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path / "j", HEADER)
    for outcome in (Outcome("a", FOUND), Outcome("b", Detections()), Outcome("c", Detections(), "c: is bad")):
        journal.add(outcome)
    journal.close()
    done = resumed(tmp_path / "j")
    assert list(done) == ["a", "b", "c"]
    assert same(done["a"].detections, FOUND)
    assert len(done["b"].detections) == 0
    assert (done["b"].error, done["c"].error) == (None, "c: is bad")


def test_each_outcome_is_on_disk_at_once(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path / "j", HEADER)
    journal.add(Outcome("a", FOUND))
    assert len((tmp_path / "j").read_text().splitlines()) == 2
    journal.close()


def test_a_line_cut_short_is_dropped_and_the_file_goes_on_after_it(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path / "j", HEADER)
    journal.add(Outcome("a", FOUND))
    journal.close()
    with (tmp_path / "j").open("a") as file:
        file.write('{"image": "b", "boxes": [[1, 2')
    again = Journal.resume(tmp_path / "j", HEADER)
    assert list(again.done) == ["a"]
    again.add(Outcome("b", FOUND))
    again.close()
    assert list(resumed(tmp_path / "j")) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"model": "other"}\n', "was made with model other, not m; use the same options"),
        ("", "is not the journal of an evaluation; start again without resume"),
        ("[]\n", "is not the journal"),
    ],
)
def test_another_header_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "j").write_text(text)
    with pytest.raises(DataError, match=says):
        Journal.resume(tmp_path / "j", HEADER)


@pytest.mark.parametrize(
    "line", ["{}", "nonsense", '{"image": "a", "boxes": [[1]], "confidence": [1], "class_id": [1]}']
)
def test_a_broken_line_is_named(line: str, tmp_path: Path) -> None:
    Journal.start(tmp_path / "j", HEADER).close()
    with (tmp_path / "j").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=r"j:2: is not an outcome of an image; delete this line"):
        Journal.resume(tmp_path / "j", HEADER)


def test_places_that_cannot_be_used_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file; there is nothing to resume"):
        Journal.resume(tmp_path / "j", HEADER)
    with pytest.raises(DataError, match="cannot be written"):
        Journal.start(tmp_path, HEADER)


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    journal = Journal.start(tmp_path / "journal.ndjson", {"model": "a"})

    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    journal._file.close()
    monkeypatch.setattr(journal, "_file", SimpleNamespace(write=full, close=lambda: full("")))
    with pytest.raises(DataError, match=r"journal\.ndjson: cannot be written: No space left on device; free"):
        journal.add(Outcome("a.jpg", Detections(), "bad"))
    journal.close()


def test_a_new_journal_has_its_header_or_is_not_there(tmp_path, monkeypatch):
    """What was there before stays until the new one has its first line."""
    path = tmp_path / "journal.ndjson"
    path.write_text("old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            Journal.start(path, {"model": "a"})
    assert path.read_text() == "old"
