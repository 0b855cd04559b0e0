"""What the command evaluates and prints, a program gets from the same functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.fake_eval import Cli, fake_cli
from tests.made_sets import write_image, write_text
from yolo_cli.datasets import UNSPLIT
from yolo_cli.errors import UsageError
from yolo_cli.pipeline.evaluating import open_evaluation_data


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    return fake_cli(tmp_path, monkeypatch)


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
    with pytest.raises(UsageError, match="has train and test, and no val; choose one with split"):
        open_evaluation_data("yolo", None)
