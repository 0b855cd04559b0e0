"""The rounds of a run, with training and labelling replaced: which model teaches, which is kept, how long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.made_sets import write_text
from tests.unit.training.watchers import CrashError, Noting
from yolo_cli.config import TrainConfig
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.detections import GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.training import TrainJob
from yolo_cli.training.unlabelled import recipe
from yolo_cli.training.unlabelled.conclusion import verdict
from yolo_cli.training.unlabelled.labelling import PseudoLabels
from yolo_cli.training.unlabelled.progress import Progress, Round
from yolo_cli.training.workspace import Workspace


def sample(name: str, split: str = "train") -> Sample:
    labels = GroundTruth(np.array([[0.0, 0.0, 9.0, 9.0]]), np.array([0]))
    return Sample(name, Path(name), split, name, "", labels, (1,))


class World:
    """Trains models with these mAP50-95; with ``images`` confident images in each round."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, figures: Sequence[float]) -> None:
        self.folder, self.figures, self.images = folder, list(figures), 6
        self.jobs: list[TrainJob] = []
        self.shown: list[list[str]] = []
        self.teachers: list[str] = []
        self.watcher, self.now = Noting(), 0.0
        self.config = TrainConfig()
        write_text(folder / "0.jpg", "x")
        unlabelled = Sample("unlabelled/0.jpg", folder / "0.jpg", "train", "0", "")
        self.unlabelled = (unlabelled,)
        monkeypatch.setattr(recipe, "train_yolo", self.train)
        monkeypatch.setattr(recipe, "own_teacher", lambda weights, *_: self.teachers.append(weights))
        monkeypatch.setattr(recipe, "label_images", self.label)
        monkeypatch.setattr(recipe, "read_card", lambda _: SimpleNamespace(input_size=(96, 64)))
        monkeypatch.setattr(recipe, "time", SimpleNamespace(monotonic=lambda: self.now))

    def train(self, job: TrainJob, data: Dataset, workspace: Workspace) -> SimpleNamespace:
        self.jobs.append(job)
        self.shown.append([each.name for each in data.samples if each.split != "val"])
        figure = self.figures.pop(0)
        self.now = workspace.started + 60
        return SimpleNamespace(
            report=SimpleNamespace(map50=figure + 0.1, map50_95=figure), state=SimpleNamespace(seconds=50.0)
        )

    def label(self, *_: object) -> PseudoLabels:
        images = tuple(sample(f"p{number}") for number in range(self.images))
        return PseudoLabels(images, np.array([self.images]), 2)

    def run(self, teacher: str | None = None) -> tuple[Round, ...]:
        job = TrainJob(
            "data", self.folder, unlabelled="more", teacher=teacher, from_scratch=True, config=self.config
        )
        data = Dataset(Path("data"), "yolo", ("cat",), (sample("a"), sample("b"), sample("v", "val")))
        given = SimpleNamespace(classes=frozenset({0})) if teacher else None
        run = recipe._Run(job, data, self.unlabelled, given, Workspace(self.folder, self.watcher))
        return run.rounds()

    @property
    def starts(self) -> list[str | None]:
        return [job.weights and Path(job.weights).parts[-3] for job in self.jobs]


def test_each_model_teaches_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six images with pseudo-labels, two labelled: these are shown once and 6 // (2 * 2) = 1 time more."""
    world = World(tmp_path, monkeypatch, [0.5, 0.6, 0.7])
    world.config = TrainConfig(freeze=3, interpolate=0.5)  # of the network that the run starts from
    assert [each.name for each in world.run()] == ["labelled", "round1", "round2"]
    assert world.starts == [None, "labelled", "round1"]
    assert world.shown[0] == ["a", "b"]
    assert world.shown[1] == ["a", "b", "p0", "p1", "p2", "p3", "p4", "p5", "a#0", "b#0"]
    first, second, _ = world.jobs
    assert first.from_scratch
    assert not second.from_scratch
    assert first.config.imgsz is None
    assert second.config.imgsz == (96, 64)
    assert (first.config.freeze, first.config.interpolate) == (3, 0.5)
    assert (second.config.freeze, second.config.interpolate) == (0, None)
    assert all(job.unlabelled is None for job in world.jobs)
    assert "round 1: 6 of 1 unlabelled image with confident boxes: cat 6; 2 uncertain boxes ignored" in (
        world.watcher.lines
    )


def test_no_round_follows_one_that_does_not_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, [0.5, 0.5])
    rounds = world.run()
    assert [each.name for each in rounds] == ["labelled", "round1"]
    assert Progress("", rounds).best.name == "labelled"


def test_without_confident_boxes_nothing_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, [0.5])
    world.images = 0
    assert [each.name for each in world.run()] == ["labelled"]
    assert world.watcher.lines[-1] == "round 1: no box on any unlabelled image is confident"


def test_another_model_teaches_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, [0.5, 0.6])
    assert [each.name for each in world.run(teacher="big")] == ["labelled", "round1"]
    assert world.teachers == []


def test_a_time_budget_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 12 minutes the first model gets a third. Each took one: (11.52 - 1) / 2, then (11.52 - 2) / 1."""
    world = World(tmp_path, monkeypatch, [0.5, 0.6, 0.7])
    world.config = TrainConfig(max_minutes=12)
    world.run()
    assert [job.config.max_minutes for job in world.jobs] == pytest.approx([4, 5.26, 9.52])


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted in the second round; the third model has figures of its own."""
    world = World(tmp_path, monkeypatch, [0.5, 0.6])

    def crash(*_: object) -> None:
        raise CrashError

    train = world.train
    monkeypatch.setattr(recipe, "train_yolo", lambda *a: train(*a) if world.figures else crash())
    with pytest.raises(CrashError):
        world.run()
    world.figures, world.jobs = [0.7], []
    assert [(each.name, each.map50_95) for each in world.run()] == [
        ("labelled", 0.5),
        ("round1", 0.6),
        ("round2", 0.7),
    ]
    assert world.starts == ["round1"]


def test_other_images_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, [0.5, 0.6, 0.7])
    world.run()
    write_text(tmp_path / "0.jpg", "longer")
    with pytest.raises(DataError, match="its images have changed since the run began"):
        world.run()


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ([0.5], "no unlabelled image was of use; the first model is kept"),
        (
            [0.5, 0.4],
            "the unlabelled images do not help on val: round 1: mAP50 0.500, mAP50-95 0.400, "
            "not 0.600 and 0.500; the first model is kept",
        ),
        (
            [0.5, 0.7, 0.6],
            "the unlabelled images, with the training they add, help on val: round 1: mAP50 0.800, "
            "mAP50-95 0.700, not 0.600 and 0.500",
        ),
    ],
)
def test_the_verdict(figures: list[float], says: str) -> None:
    names = ("labelled", "round1", "round2")
    rounds = tuple(Round(name, figure + 0.1, figure) for name, figure in zip(names, figures, strict=False))
    assert verdict(Progress("", rounds)) == says


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"rounds": [{}], "images": ""}'):
        write_text(tmp_path / "rounds.json", text)
        with pytest.raises(DataError, match=r"rounds.json(:1: is not JSON|: is damaged)"):
            Progress.read(tmp_path, [])


def test_progress_comes_back(tmp_path: Path) -> None:
    done = Round("round1", 0.5, 0.25, 3, (1, 2), 7.5)
    Progress.read(tmp_path, []).with_round(done, tmp_path)
    assert Progress.read(tmp_path, []).rounds == (done,)
