"""Teachers label images with the data's classes; what one does not know another labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.made_sets import write_image
from tests.unit.training.watchers import Noting
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.detectors import Times
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.training import TrainJob
from yolo_cli.training.unlabelled import teacher as module
from yolo_cli.training.unlabelled.teacher import Teacher, given_teacher, label_images, own_teacher

BOX = np.array([[10.0, 10.0, 30.0, 30.0]])


class Fake:
    """Finds one box of each of its classes on every image, all with one confidence."""

    def __init__(self, class_names: Sequence[str], confidence: float = 0.9) -> None:
        self.class_names, self.confidence = tuple(class_names), confidence
        self.asked: list[str] = []

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        self.asked += [image.name for image in images]
        count = len(self.class_names)
        found = Detections(BOX.repeat(count, 0), np.full(count, self.confidence), np.arange(count))
        return [found] * len(images), Times(0.0, 0.0, 0.0)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> dict[str, Fake]:
    """The models that there are, by name."""
    models: dict[str, Fake] = {}
    monkeypatch.setattr(module, "load_detector", lambda name, **_: models[name])
    return models


def samples(folder: Path, count: int, objects: int = 0) -> tuple[Sample, ...]:
    """Images with as many cats and dogs each, in the place where everything is found."""
    made = []
    for number in range(count):
        path = write_image(folder / f"{number}.jpg", (64, 48), number)
        labels = GroundTruth(BOX.repeat(2 * objects, 0), np.array([0, 1] * objects, np.int64))
        rows = tuple(range(2 * objects))
        made.append(Sample(path.name, path, "val", path.stem, "", labels, rows))
    return tuple(made)


def data(names: Sequence[str], held: tuple[Sample, ...] = ()) -> Dataset:
    return Dataset(Path("data"), "yolo", tuple(names), held)


def job(teacher: str) -> TrainJob:
    return TrainJob("data", Path("out"), unlabelled="more", teacher=teacher)


def test_classes_are_matched_by_name_without_regard_to_spelling(load: dict[str, Fake]) -> None:
    """The teacher's 0 is the data's 2, its 1 nothing, its 2 the data's 0 (a synonym)."""
    load["big"] = Fake(["Dining-Table", "zebra", "sofa"])
    said: list[str] = []
    teacher = given_teacher(job("big"), data(["couch", "cat", "dining table"]), said.append)
    assert teacher.class_id.tolist() == [2, -1, 0]
    assert teacher.classes == {0, 2}
    assert said == [
        "the teacher's names for the same classes: Dining-Table = dining table, sofa = couch",
        "the teacher does not know 1 class (cat): the model of the run before labels them",
    ]


def test_a_teacher_of_other_classes_is_one_line(load: dict[str, Fake]) -> None:
    load["big"] = Fake(["zebra"])
    with pytest.raises(UsageError, match="teacher big: knows none of the classes cat, dog; it knows zebra"):
        given_teacher(job("big"), data(["cat", "dog"]), print)


def test_each_teacher_labels_its_own_classes(load: dict[str, Fake], tmp_path: Path) -> None:
    """The given one knows the dog and a zebra, so the run's own labels the cat, and no dog a second time."""
    load["big"], load["run/labelled/weights/best.keras"] = Fake(["zebra", "dog"]), Fake(["cat", "dog"])
    check = data(["cat", "dog"], samples(tmp_path / "val", 10, objects=1))
    given = given_teacher(job("big"), check, print)
    own = own_teacher(Path("run/labelled/weights/best.keras"), job("big"), check, given.classes)
    labels = label_images([given, own], samples(tmp_path / "more", 3), check, tmp_path, Noting())
    assert labels.counts.tolist() == [3, 3]
    assert [each.ground_truth.class_id.tolist() for each in labels.samples] == [[1, 0]] * 3


def test_thresholds_need_a_part_of_many_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CHECKED", 4)
    detector = Fake(["cat", "dog"])
    teacher = Teacher("fake", detector, np.array([0, 1]))  # type: ignore[arg-type]
    check = data(["cat", "dog"], samples(tmp_path, 6, objects=3))
    assert teacher.thresholds(check, Noting()).tolist() == [
        0.8,
        0.8,
    ]  # all are right
    assert len(set(detector.asked)) == len(detector.asked) == 4
    assert detector.asked == sorted(detector.asked)


def test_a_box_below_the_threshold_is_ignored(load: dict[str, Fake], tmp_path: Path) -> None:
    """Of ten cats and ten dogs on the images to evaluate on none is found: no threshold but the highest."""
    detector = Fake(["cat", "dog"], confidence=0.7)
    teacher = Teacher("fake", detector, np.array([0, 1]))  # type: ignore[arg-type]
    (held,) = samples(tmp_path / "val", 1, objects=10)
    elsewhere = GroundTruth(held.labels.xyxy + 100, held.labels.class_id)
    check = data(["cat", "dog"], (Sample("0.jpg", held.path, "val", "0", "", elsewhere, held.rows),))
    labels = label_images([teacher], samples(tmp_path / "more", 2), check, tmp_path, Noting())
    assert labels.samples == ()


def test_an_image_that_cannot_be_read_is_left_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    detector, watcher = Fake(["cat"]), Noting()
    teacher = Teacher("fake", detector, np.array([0]))  # type: ignore[arg-type]
    images = samples(tmp_path, 3)
    images[1].path.unlink()
    assert [sample.name for sample, _ in teacher.label(images, watcher)] == ["0.jpg", "2.jpg"]
    assert [(step.part, step.done, step.total) for step in watcher.steps][-1] == ("labelling images", 3, 3)


def test_an_interrupted_labelling_goes_on(tmp_path: Path) -> None:
    detector, journal, images = Fake(["cat"]), tmp_path / "labels.ndjson", samples(tmp_path, 3)
    teacher = Teacher("fake", detector, np.array([0]))  # type: ignore[arg-type]
    for _ in teacher.label(images[:2], Noting(), journal):
        pass
    found = list(teacher.label(images, Noting(), journal))
    assert detector.asked == ["0.jpg", "1.jpg", "2.jpg"]
    assert [len(each) for _, each in found] == [1, 1, 1]


def test_key_points_of_a_teacher_are_dropped(tmp_path: Path) -> None:
    found = Detections(BOX, np.array([0.9]), np.array([0]), keypoints=np.ones((1, 17, 3)))
    detector = SimpleNamespace(detect_timed=lambda images: ([found] * len(images), Times(0.0, 0.0, 0.0)))
    teacher = Teacher("fake", detector, np.array([0]))  # type: ignore[arg-type]
    [(_, labelled)] = teacher.label(samples(tmp_path, 1), Noting())
    assert labelled.keypoints is None
