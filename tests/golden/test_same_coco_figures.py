"""The bundled model on ``coco128-val`` through `yolo eval`: COCO's twelve figures, held against pycocotools.

pycocotools reads the annotation file itself, and the boxes from the record that the run leaves on disk, so
that reading, matching of classes and evaluation are all held against it.
"""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests.shared import SHARED, needs_shared
from yolo_cli.cli import main
from yolo_cli.weights import find_model, read_card

DATA = SHARED / "data" / "coco128-val"
pytestmark = needs_shared("data", "coco128-val")

CALLED = {
    "motorbike": "motorcycle",
    "aeroplane": "airplane",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "tvmonitor": "tv",
}


def evaluated(*words: Any) -> dict[str, Any]:
    options = ["--data", DATA, "--format", "json", "-q", *words]
    done = CliRunner().invoke(main, ["eval", *map(str, options)])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The figures, and the folder of the run."""
    folder = tmp_path_factory.mktemp("run")
    return evaluated("--out", folder, "--exist-ok", "--batch", 8), folder


def coco_results(journal: Path) -> list[dict[str, Any]]:
    """The record of a run as COCO's results list."""
    ground_truth = json.loads((DATA / "annotations.json").read_text())
    image_ids = {entry["file_name"]: entry["id"] for entry in ground_truth["images"]}
    categories = {entry["name"]: entry["id"] for entry in ground_truth["categories"]}
    names = read_card(find_model("yolov4-tiny-coco").first).class_names
    results = []
    for line in journal.read_text().splitlines()[1:]:
        entry = json.loads(line)
        for box, score, k in zip(entry["boxes"], entry["confidence"], entry["class_id"], strict=True):
            x1, y1, x2, y2 = box
            results.append(
                {
                    "image_id": image_ids[Path(entry["image"]).name],
                    "category_id": categories[CALLED.get(names[k], names[k])],
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "score": score,
                }
            )
    return results


def pycocotools_figures(results: list[dict[str, Any]]) -> list[float]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own use of NumPy
        ground_truth = COCO(str(DATA / "annotations.json"))
        run = COCOeval(ground_truth, ground_truth.loadRes(results), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats.tolist()


def test_classes_are_matched_by_meaning_without_being_told(run: tuple[dict[str, Any], Path]) -> None:
    assert run[0]["protocol"]["class_synonyms"] == CALLED


def test_all_twelve_figures_are_those_of_pycocotools(run: tuple[dict[str, Any], Path]) -> None:
    figures, folder = run
    theirs = pycocotools_figures(coco_results(folder / "detections.ndjson"))
    ours = list(figures["coco"].values())
    differences = np.abs(np.array(ours) - theirs)
    print(f"largest difference {differences.max():.1e}; AP {ours[0]:.6f}, AP50 {ours[1]:.6f}")
    assert len(ours) == 12
    assert differences.max() < 1e-9


def test_the_results_file_of_the_same_boxes_has_the_same_figures(
    run: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    """As another program would write it; the model is not asked."""
    figures, folder = run
    file = tmp_path / "results.json"
    file.write_text(json.dumps(coco_results(folder / "detections.ndjson")))
    again = evaluated("--detections", file, "--no-save", "--cross-check")
    np.testing.assert_allclose(list(again["coco"].values()), list(figures["coco"].values()), atol=1e-9)
    checks = again["cross_check"].values()
    assert max(abs(it["ours"] - it["pycocotools"]) for it in checks) < 1e-9


def test_the_page_is_sane(run: tuple[dict[str, Any], Path]) -> None:
    page = run[1] / "report.html"
    print(f"{page.stat().st_size / 2**20:.2f} MiB")
    assert page.stat().st_size < 3_000_000
    assert page.read_text(encoding="utf-8").count("<image href") > 30
