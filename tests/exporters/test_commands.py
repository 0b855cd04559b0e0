"""What commands do with data sets in the forms of exporters and in archives."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.exporters import cited
from tests.exporters.test_exporters import EXAMPLES, boxes_of
from yolo_cli.cli import main
from yolo_cli.datasets import TITLES, hold_out, lint, open_dataset
from yolo_cli.datasets.fixing import fix
from yolo_cli.datasets.opening import FORMS as READ
from yolo_cli.datasets.writing import FORMS


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def pack(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as out:
        for path in sorted(folder.rglob("*")):
            out.write(path, path.relative_to(folder))
    return archive


@pytest.mark.parametrize("write", cited.CITED, ids=lambda write: write.__name__)
def test_a_fixed_copy_is_in_the_same_form_or_in_coco_s(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path / "data")
    check_fixed(tmp_path / "data", tmp_path / "fixed")


@pytest.mark.parametrize("name", ["labelme", "label-studio-json", "supervisely", "hugging-face-parquet"])
def test_a_fixed_copy_of_an_example(tmp_path: Path, name: str) -> None:
    if "parquet" in name:
        pytest.importorskip("pyarrow", reason="needs pyarrow, the extra 'parquet'")
    check_fixed(EXAMPLES / name, tmp_path / "fixed")


def check_fixed(data: Path, out: Path) -> None:
    """The copy has the same boxes and splits, in the form that the first line names."""
    original = open_dataset(data)
    done = fix(lint(original), out)
    fixed = open_dataset(out)
    assert fixed.kind == (original.kind if original.kind in FORMS else "coco")
    assert done[0].startswith(f"written in {TITLES[fixed.kind]} form with boxes only")
    assert (fixed.splits, fixed.class_names) == (original.splits, original.class_names)
    assert boxes_of(fixed) == boxes_of(original)


def test_lint_prints_the_form_and_its_findings(tmp_path: Path) -> None:
    assert run("lint", "--data", EXAMPLES / "labelme").stdout.startswith(
        "LabelMe data set: 3 images (2 train, 1 val)"
    )
    done = run("lint", "--data", EXAMPLES / "labelme", "--format", "json")
    report = json.loads(done.stdout)
    assert report["kind"] == "labelme"
    assert report["splits"] == {"train": 2, "val": 1}
    (tmp_path / "a").mkdir()
    for path in (EXAMPLES / "labelme" / "val").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes().replace(b'"rectangle"', b'"rotation"'))
    assert "a rotated box (rotation) is not read" in run("lint", "--data", tmp_path).stdout


def test_an_archive_evaluates_as_its_folder_does(tmp_path: Path) -> None:
    results = [{"image_id": "a", "category_id": 0, "bbox": [4, 6, 16, 12], "score": 0.9}]
    (tmp_path / "results.json").write_text(json.dumps(results))
    archive = pack(EXAMPLES / "labelme", tmp_path / "export.zip")
    words = ("--detections", tmp_path / "results.json", "--no-save", "--format", "json", "--split", "train")
    found = [
        json.loads(run("eval", "--data", data, *words).stdout) for data in (archive, EXAMPLES / "labelme")
    ]
    assert found[0]["map50"] == found[1]["map50"]
    assert found[0]["protocol"] == found[1]["protocol"]


def test_anchors_and_a_held_out_split(tmp_path: Path) -> None:
    cited.vott_json(tmp_path)
    assert run("anchors", "--data", tmp_path, "-k", "2", "--imgsz", "64").exit_code == 0
    assert hold_out(open_dataset(tmp_path)).splits == ("train", "val")


def test_the_guide_names_every_form() -> None:
    guide = (EXAMPLES.parents[2] / "docs" / "data.md").read_text()
    missing = [
        form.title for form in READ if form.title.removeprefix("Hugging Face's ").lower() not in guide.lower()
    ]
    assert missing == []
