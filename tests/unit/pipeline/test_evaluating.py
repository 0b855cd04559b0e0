"""What the command evaluates and prints, a program gets from the same functions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.fake_eval import Cli, Fake, fake_cli
from tests.made_sets import write_image, write_text
from yolo_cli.config import EVALUATION_CONF
from yolo_cli.datasets import UNSPLIT
from yolo_cli.errors import UsageError
from yolo_cli.evaluation import match_classes
from yolo_cli.pipeline.evaluating import evaluate_detector, open_evaluation_data
from yolo_cli.report import About, analyse, evaluation_result


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    return fake_cli(tmp_path, monkeypatch)


def test_the_command_prints_what_the_functions_return(cli: Cli) -> None:
    printed = cli.figures("eval", "--data", "yolo", "--no-save", "--target-precision", "0.5", "--cross-check")
    detector = Fake(config=replace(cli.fake.config, conf=EVALUATION_CONF))
    data = open_evaluation_data("yolo", None)
    classes = match_classes(detector.class_names, data.part.class_names)
    seen = []
    done = evaluate_detector(
        detector, data, classes, watch=lambda outcomes, total: seen.append(total) or outcomes
    )
    result = evaluation_result(
        analyse(done.evaluation_set, conditions=done.conditions),
        About(done.model, data.name, done.notes),
        target_precision=0.5,
        pycocotools=True,
    )
    assert json.loads(json.dumps(result.to_json(), allow_nan=False)) == printed
    assert (seen, done.faults, done.notes) == ([2], (), ())


@pytest.mark.parametrize(
    ("split", "name"), [(None, "val"), ("val", "val"), ("valid", "val"), ("train", "train")]
)
def test_a_split_is_named_as_it_is_called_here(cli: Cli, split: str | None, name: str) -> None:
    data = open_evaluation_data("yolo", split)
    assert (data.split, data.name) == (name, f"yolo, split {name}")
    assert len(data.part) + len(data.others()) == len(data.whole)


def test_a_data_set_that_is_not_split_is_named_without_one(cli: Cli) -> None:
    for number in range(2):
        write_image(Path(f"flat/images/{number}.jpg"), (64, 48), number)
        write_text(Path(f"flat/labels/{number}.txt"), "0 0.5 0.5 0.5 0.5\n")
    data = open_evaluation_data("flat", None)
    assert (data.split, data.name, len(data.others())) == (UNSPLIT, "flat", 0)


def test_a_split_that_is_not_there_or_not_clear_is_one_line(cli: Cli) -> None:
    with pytest.raises(UsageError, match="has no split 'test'"):
        open_evaluation_data("yolo", "test")
    Path("yolo/images/val").rename("yolo/images/test")
    Path("yolo/labels/val").rename("yolo/labels/test")
    Path("yolo/data.yaml").write_text("train: images/train\ntest: images/test\nnames: [cat, dog]\n")
    with pytest.raises(UsageError, match="has train and test, and no val; choose one with --split"):
        open_evaluation_data("yolo", None)
