"""Ray on this machine: the files have what one process finds, though a worker is killed or the run is cut."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from pyarrow import parquet

from tests.shared import ROOT
from yolo_cli import UsageError, detect_on_ray, load_detector
from yolo_cli.errors import DataError
from yolo_cli.images import read_image, write_image

MODEL = {"weights": "yolov4-tiny-coco", "engine": "onnx"}


def photographs(folder, count):
    """Many from few: the examples, small, each shifted by another number of pixels; and one that is none."""
    folder.mkdir()
    examples = [read_image(path).rgb[::2, ::2] for path in sorted((ROOT / "examples").glob("*.jpg"))]
    for number in range(count - 1):
        write_image(folder / f"{number:05}.jpg", np.roll(examples[number % len(examples)], number, axis=1))
    (folder / "broken.jpg").write_text("no image")
    return folder


def alone(folder):
    """The rows that one process gives, sorted by path."""
    detector, rows = load_detector(**MODEL), []
    for path in sorted(map(str, folder.iterdir())):
        try:
            result = detector(path)
        except DataError as fault:
            rows.append({"image": path, "error": fault.text, "class_id": [], "confidence": [], "box": []})
        else:
            found = result.detections
            columns = zip(
                ("class_id", "confidence", "box"), (found.class_id, found.confidence, found.xyxy), strict=True
            )
            rows.append({"image": path, "error": None} | {name: values.tolist() for name, values in columns})
    return rows


def written(folder):
    """The rows of the files, sorted by path."""
    rows = parquet.read_table(folder).select(["image", "error", "class_id", "confidence", "box"]).to_pylist()
    return sorted(rows, key=lambda row: row["image"])


class Killer:
    """Kills the worker that reports the n-th shard."""

    def __init__(self, after):
        self.left, self.killed = after, []

    def __call__(self, counts):
        self.left -= 1
        if self.left == 0:
            os.kill(counts["pid"], signal.SIGKILL)
            self.killed.append(counts["pid"])


def check_with_a_killed_worker(tmp_path, capfd, count, shard, workers):
    folder, killer = photographs(tmp_path / "p", count), Killer(2)
    run = detect_on_ray(
        folder, tmp_path / "out", watch=killer, shard_images=shard, workers=workers, ray="local", **MODEL
    )
    assert killer.killed
    printed = capfd.readouterr()
    assert "worker died" not in printed.out + printed.err
    assert (run.images, run.failed, run.skipped) == (count, 1, 0)
    rows = written(tmp_path / "out")
    assert rows == alone(folder)
    assert run.objects == sum(len(row["class_id"]) for row in rows)


def test_a_killed_worker_loses_nothing_and_doubles_nothing(tmp_path, capfd):
    check_with_a_killed_worker(tmp_path, capfd, 41, 5, 2)


@pytest.mark.slow
def test_two_thousand_images_and_a_killed_worker(tmp_path, capfd):
    check_with_a_killed_worker(tmp_path, capfd, 2000, 100, 2)


def test_a_run_that_was_cut_is_continued(tmp_path):
    folder, out = photographs(tmp_path / "p", 9), tmp_path / "out"
    detect_on_ray(folder, out, shard_images=3, **MODEL)
    whole = written(out)
    (out / "part-000001.parquet").unlink()
    (out / ".part-000002.parquet.draft").write_bytes(b"PAR1")  # of a writer that was killed
    before = (out / "part-000000.parquet").stat().st_mtime_ns
    run = detect_on_ray(folder, out, shard_images=3, resume=True, **MODEL)
    assert (run.images, run.skipped) == (3, 2)
    assert (out / "part-000000.parquet").stat().st_mtime_ns == before
    assert written(out) == whole
    for changed in ({"conf": 0.5}, {"shard_images": 4}):
        with pytest.raises(DataError, match="was made with other"):
            detect_on_ray(folder, out, resume=True, **{"shard_images": 3, **MODEL, **changed})
    with pytest.raises(DataError, match="holds a run"):
        detect_on_ray(folder, out, **MODEL)


def test_a_cluster_that_is_not_there_is_told(tmp_path):
    photographs(tmp_path / "p", 2)
    with pytest.raises(UsageError, match="no Ray cluster can be reached"):
        detect_on_ray(tmp_path / "p", tmp_path / "out", ray="auto", **MODEL)


def test_statistics_are_off_before_ray_is_imported():
    code = (
        "import os, sys; from yolo_cli.runtimes import import_ray\n"
        "assert 'ray' not in sys.modules; import_ray()\n"
        "from ray._common.usage.usage_lib import usage_stats_enabled; print(usage_stats_enabled())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "False"


def test_the_command_and_its_evaluation(tmp_path):
    """`detect --ray` on a tiny data set, then `eval` of its files gives what `eval` of the model gives."""
    data = tmp_path / "data"
    for part in ("images", "labels"):
        (data / part).mkdir(parents=True)
    for name, line in (("cat", "0 0.49 0.5 0.92 1.0"), ("coffee", "1 0.48 0.38 0.41 0.69")):
        shutil.copy(ROOT / "examples" / f"{name}.jpg", data / "images")
        (data / "labels" / f"{name}.txt").write_text(line + "\n")
    (data / "data.yaml").write_text("train: images\nval: images\nnames: [cat, cup]\n")
    done = yolo("detect", "data/images", "--ray", "local", "--out", "out", "--conf", "0.001", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 images" in done.stderr
    figures = []
    for words in (("--detections", "out"), ("--weights", "yolov4-tiny-coco")):
        done = yolo("eval", "--data", "data", *words, "--format", "json", "--no-save", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        figures.append(json.loads(done.stdout))
    assert figures[0]["map50"] == figures[1]["map50"] > 0.9
    assert figures[0]["map50_95"] == figures[1]["map50_95"]


def yolo(*words, cwd):
    command = [sys.executable, "-m", "yolo_cli", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, capture_output=True, cwd=cwd, text=True, check=False, timeout=300, env=environment
    )
