"""One outcome per image, in order; bad images are in-band, and a journal spares work that was done."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from tests.made_sets import write_yolo
from yolo_cli.datasets import Sample, open_dataset
from yolo_cli.detections import Detections
from yolo_cli.detectors.protocol import Times
from yolo_cli.images import Image
from yolo_cli.pipeline import run_detector
from yolo_cli.pipeline.journal import Journal

HEADER = {"model": "m"}


@dataclass
class Fake:
    """A detector that finds a box as large as each image, and stops the program after some images."""

    class_names: tuple[str, ...] = ("cat", "dog")
    seen: list[tuple[str, ...]] = field(default_factory=list)
    stop_after: int = 99

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        if sum(map(len, self.seen)) >= self.stop_after:
            raise KeyboardInterrupt
        self.seen.append(tuple(Path(image.name).stem for image in images))
        found = [
            Detections(np.float32([[0, 0, image.width, image.height]]), np.float32([0.5]), np.array([0]))
            for image in images
        ]
        return found, Times(1.0, 20.0, 3.0)


@pytest.fixture
def samples(tmp_path: Path) -> tuple[Sample, ...]:
    """a and b of 64 x 48, c of 32 x 64, d of 64 x 48."""
    return open_dataset(write_yolo(tmp_path / "yolo")).samples


@pytest.mark.parametrize("batch", [1, 3, 9])
def test_every_sample_is_detected_once_in_its_order(batch: int, samples: tuple[Sample, ...]) -> None:
    detector = Fake()
    outcomes = list(run_detector(detector, samples, batch=batch))
    assert [outcome.name for outcome in outcomes] == [sample.name for sample in samples]
    assert [tuple(outcome.detections.xyxy[0]) for outcome in outcomes][2:] == [(0, 0, 32, 64), (0, 0, 64, 48)]
    assert [len(group) for group in detector.seen] == {1: [1] * 4, 3: [3, 1], 9: [4]}[batch]


def test_a_bad_image_is_an_outcome_and_no_end(samples: tuple[Sample, ...]) -> None:
    samples[1].path.write_bytes(b"no image")
    detector = Fake()
    outcomes = list(run_detector(detector, samples, batch=2))
    assert [outcome.error is None for outcome in outcomes] == [True, False, True, True]
    assert "b.jpg" in str(outcomes[1].error)
    assert [outcome.image is None for outcome in outcomes] == [False, True, False, False]
    assert detector.seen == [("a",), ("c", "d")]


@pytest.mark.parametrize("stop_after", [1, 2])
@pytest.mark.parametrize("batch", [1, 2])
def test_an_interrupted_run_goes_on_where_it_was(
    stop_after: int, batch: int, samples: tuple[Sample, ...], tmp_path: Path
) -> None:
    """What is on disk is not detected again, and the result is that of a run in one go."""
    whole = [outcome.detections for outcome in run_detector(Fake(), samples)]
    first = Fake(stop_after=stop_after)
    journal = Journal.start(tmp_path / "j", HEADER)
    with pytest.raises(KeyboardInterrupt):
        list(run_detector(first, samples, batch=batch, journal=journal))
    journal.close()
    second = Fake()
    again = Journal.resume(tmp_path / "j", HEADER)
    outcomes = list(run_detector(second, samples, batch=batch, journal=again))
    again.close()
    assert [outcome.name for outcome in outcomes] == [sample.name for sample in samples]
    assert all(
        np.array_equal(one.detections.xyxy, other.xyxy) for one, other in zip(outcomes, whole, strict=True)
    )
    seen = [stem for group in first.seen + second.seen for stem in group]
    assert sorted(seen) == ["a", "b", "c", "d"]


def test_a_batch_s_time_is_divided_among_the_images_that_could_be_read(samples: tuple[Sample, ...]) -> None:
    samples[1].path.write_bytes(b"no image")
    a, b, c, _ = run_detector(Fake(), samples, batch=3)
    # 1, 20 and 3 ms for the two images of the first batch that could be read.
    assert [a.time_ms[step] for step in ("prepare", "infer", "post")] == [0.5, 10.0, 1.5]
    assert list(a.time_ms) == list(c.time_ms) == ["read", "prepare", "infer", "post"]
    assert list(b.time_ms) == ["read"]
    assert 0 < a.time_ms["read"] < 10_000


def test_a_batch_without_a_readable_image_does_not_reach_the_detector(samples: tuple[Sample, ...]) -> None:
    samples[0].path.write_bytes(b"no image")
    detector = Fake()
    assert [outcome.error is None for outcome in run_detector(detector, samples[:2])] == [False, True]
    assert detector.seen == [("b",)]


def test_images_are_read_when_their_turn_comes(samples: tuple[Sample, ...]) -> None:
    outcomes = run_detector(Fake(), samples, batch=2)
    next(outcomes)
    samples[2].path.unlink()
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]


@dataclass
class Streamed(Fake):
    """A detector that is opened for two calls at a time when it is asked to."""

    opened: list[Fake] = field(default_factory=list)

    def in_streams(self) -> tuple[Fake, int]:
        self.opened.append(Fake())
        return self.opened[-1], 2


@pytest.mark.parametrize("count", [15, 16, 17, 40])
def test_after_sixteen_images_several_are_worked_on_at_a_time(
    count: int, samples: tuple[Sample, ...], tmp_path: Path
) -> None:
    many = [replace(samples[number % 4], name=str(number)) for number in range(count)]
    many[20:21] = [replace(it, path=tmp_path / "none.jpg") for it in many[20:21]]
    detector = Streamed()
    with closing(Journal.start(tmp_path / "journal", HEADER)) as journal:
        outcomes = list(run_detector(detector, many, read_ahead=True, journal=journal))
    assert [outcome.name for outcome in outcomes] == [sample.name for sample in many]
    assert [outcome.error is None for outcome in outcomes] == [number != 20 for number in range(count)]
    assert len(detector.seen) == min(count, 16)
    beyond = [count - 16 - (count > 20)] if count > 16 else []
    assert [len(other.seen) for other in detector.opened] == beyond
    # Two at a time, each in 1, 20 and 3 ms, are as many as one after the other in half of that.
    assert [it.time_ms["infer"] for it in outcomes[:1] + outcomes[16:17]] == [20, 10][: 1 + (count > 16)]
    again = Streamed()
    with closing(Journal.resume(tmp_path / "journal", HEADER)) as resumed:
        assert list(resumed.done) == [sample.name for sample in many]
        assert len(list(run_detector(again, many, read_ahead=True, journal=resumed))) == count
    assert [other.seen for other in (again, *again.opened) if other.seen] == []
