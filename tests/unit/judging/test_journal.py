"""What was found stays on disk, to the last bit, and an interrupted run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.made_sets import write_yolo
from yolo_cli.datasets import Sample, open_dataset
from yolo_cli.detections import Detections
from yolo_cli.errors import DataError
from yolo_cli.images import Image
from yolo_cli.judging import Journal, Outcome, detect_samples

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
    assert same(done["a"].found, FOUND)
    assert len(done["b"].found) == 0
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
        ('{"model": "other"}\n', "was made with model other, and not m; give the same options"),
        ("", "does not begin as the record of an evaluation; start anew without --resume"),
        ("[]\n", "does not begin as the record"),
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
    with pytest.raises(DataError, match=r"j:2: is no outcome of an image; delete this line"):
        Journal.resume(tmp_path / "j", HEADER)


def test_places_that_cannot_be_used_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file or directory; there is nothing to resume"):
        Journal.resume(tmp_path / "j", HEADER)
    with pytest.raises(DataError, match="cannot be written"):
        Journal.start(tmp_path, HEADER)


@dataclass
class Fake:
    """A detector that finds a box as large as each image, and stops the program after some images."""

    class_names: tuple[str, ...] = ("cat", "dog")
    seen: list[tuple[str, ...]] = field(default_factory=list)
    stop_after: int = 99

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        if sum(map(len, self.seen)) >= self.stop_after:
            raise KeyboardInterrupt
        self.seen.append(tuple(Path(image.name).stem for image in images))
        return [
            Detections(np.float32([[0, 0, image.width, image.height]]), np.float32([0.5]), np.array([0]))
            for image in images
        ]


@pytest.fixture
def samples(tmp_path: Path) -> tuple[Sample, ...]:
    """a and b of 64 x 48, c of 32 x 64, d of 64 x 48."""
    return open_dataset(write_yolo(tmp_path / "yolo")).samples


@pytest.mark.parametrize("batch", [1, 3, 9])
def test_every_sample_is_detected_once_in_its_order(batch: int, samples: tuple[Sample, ...]) -> None:
    detector = Fake()
    outcomes = list(detect_samples(detector, samples, batch=batch))
    assert [outcome.image for outcome in outcomes] == [sample.name for sample in samples]
    assert [tuple(outcome.found.xyxy[0]) for outcome in outcomes][2:] == [(0, 0, 32, 64), (0, 0, 64, 48)]
    assert [len(group) for group in detector.seen] == {1: [1] * 4, 3: [3, 1], 9: [4]}[batch]


def test_a_bad_image_is_an_outcome_and_no_end(samples: tuple[Sample, ...]) -> None:
    samples[1].path.write_bytes(b"no image")
    detector = Fake()
    outcomes = list(detect_samples(detector, samples, batch=2))
    assert [outcome.error is None for outcome in outcomes] == [True, False, True, True]
    assert "b.jpg" in str(outcomes[1].error)
    assert detector.seen == [("a",), ("c", "d")]


@pytest.mark.parametrize("stop_after", [1, 2])
@pytest.mark.parametrize("batch", [1, 2])
def test_an_interrupted_run_goes_on_where_it_was(
    stop_after: int, batch: int, samples: tuple[Sample, ...], tmp_path: Path
) -> None:
    """What is on disk is not detected again, and the result is that of a run in one go."""
    whole = [outcome.found for outcome in detect_samples(Fake(), samples)]
    first = Fake(stop_after=stop_after)
    journal = Journal.start(tmp_path / "j", HEADER)
    with pytest.raises(KeyboardInterrupt):
        list(detect_samples(first, samples, journal, batch))
    journal.close()
    second = Fake()
    again = Journal.resume(tmp_path / "j", HEADER)
    outcomes = list(detect_samples(second, samples, again, batch))
    again.close()
    assert [outcome.image for outcome in outcomes] == [sample.name for sample in samples]
    assert all(same(one.found, other) for one, other in zip(outcomes, whole, strict=True))
    seen = [stem for group in first.seen + second.seen for stem in group]
    assert sorted(seen) == ["a", "b", "c", "d"]
