"""The job of a run: its options, and the file that holds them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from yolo_cli.config import AugmentConfig, TrainConfig
from yolo_cli.errors import DataError, UsageError
from yolo_cli.training import TrainJob, new_job, read_job
from yolo_cli.training.job import write_job


@pytest.mark.parametrize(
    "job",
    [
        TrainJob("some/where", Path(), "rcnn", allow_unlabelled=True, fingerprint="abc", finished=True),
        TrainJob("x", Path(), model="a.cfg", config=TrainConfig(imgsz=(64, 96)), augment=AugmentConfig.off()),
    ],
)
def test_a_job_is_written_and_read_again(job: TrainJob, tmp_path: Path) -> None:
    from dataclasses import replace

    job = replace(job, out=tmp_path)
    write_job(job)
    assert read_job(tmp_path) == job


def written(**changes: object) -> str:
    """The job file of another version, in which some keys of `config` are different."""
    config = {"imgsz": None, **changes}
    return yaml.safe_dump({"data": "x", "config": config, "augment": {}, "version": "0"})


@pytest.mark.parametrize(
    "text",
    [
        "weights: x\n", written(start_share=None, unknown=0.15), written(epochs=0),
        "detector: rcnn\nepochs: 1\nseed: 0\nversion: 1\ndata: x\n",
        "version: 1\ndetector: ssd\ndata: x\nconfig: {imgsz: null}\naugment: {}\n",
    ],
)  # fmt: skip
def test_other_files_and_those_of_older_versions_are_refused_in_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "args.yaml").write_text(text)
    with pytest.raises(
        DataError, match=r"args\.yaml: was not written by this version of `yolo train`; train again"
    ) as caught:
        read_job(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "- 1\n", "{"])
def test_a_broken_file_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "args.yaml").write_text(text)
    with pytest.raises(DataError, match=r"args\.yaml:") as caught:
        read_job(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"args\.yaml: no such file"):
        read_job(tmp_path)


def test_options_as_on_the_command_line(tmp_path: Path) -> None:
    job = new_job(
        data=str(tmp_path), out=tmp_path, epochs=3, no_augment=True, flip_vertical=0.5, use_val=True
    )
    assert (job.config.epochs, job.use_val, job.detector) == (3, True, "yolo")
    assert (job.augment.flip, job.augment.mosaic, job.augment.flip_vertical) == (0, 0, 0.5)
    assert new_job(data=str(tmp_path), out=tmp_path, mosaic=0.1).augment == AugmentConfig(mosaic=0.1)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"weights": "a", "model": "b.cfg"}, "weights and model: training starts from one of them"),
        ({"use_val": True, "patience": 1}, "leave one out"),
        ({"backbone_weights": "a"}, "goes with backbone"),
        ({"detector": "rcnn", "weights": "a"}, "weights: only detector yolo has this option"),
        ({"detector": "rcnn", "warmup": 1}, "warmup: only detector yolo"),
        ({"detector": "rcnn", "mosaic": 0.1}, "mosaic: only detector yolo"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, object], fault: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=fault):
        new_job(data=str(tmp_path), out=tmp_path, **options)


def test_every_detector_has_a_recipe() -> None:
    from yolo_cli.config import TRAINABLE
    from yolo_cli.training.run import RECIPES

    assert tuple(RECIPES) == TRAINABLE


def test_a_run_keeps_its_paths_wherever_it_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    write_job(TrainJob("data", tmp_path, weights="yolov4-tiny"))
    job = read_job(tmp_path)
    assert (job.data, job.weights) == (str(tmp_path / "data"), "yolov4-tiny")  # a model's name is not a path


def test_resuming_may_name_the_new_place_of_the_data(tmp_path: Path) -> None:
    from yolo_cli.api.training import _job_to_resume

    (tmp_path / "data").mkdir()
    write_job(TrainJob(str(tmp_path / "data"), tmp_path))
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(DataError, match="is not there; if it was moved, name it with"):
        _job_to_resume(tmp_path, None, {})
    assert _job_to_resume(tmp_path, tmp_path / "moved", {}).data == str(tmp_path / "moved")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"teacher": "big"}, "labels the images of unlabelled FOLDER; give both, or neither"),
        ({"unlabelled": "more", "use_val": True}, "leaves no images to see whether unlabelled helps"),
        ({"unlabelled": "more", "detector": "rcnn"}, "unlabelled: only detector yolo has this option"),
    ],
)
def test_options_for_images_without_labels(options: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        TrainJob("data", tmp_path, **options)  # type: ignore[arg-type]
