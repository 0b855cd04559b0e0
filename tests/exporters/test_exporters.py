"""The table of forms: what is read of each exporter's own output, with the arithmetic.

Every example has these images. Train: a.png, 32x24, a cat with the edges 4, 6, 20, 18 and a dog with 1, 2,
9, 10; b.png, 24x32, nothing. Val: c.png, 32x32, a dog with 2, 3, 12, 23. What an exporter does
not write is listed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exporters import cited
from tests.exporters.make_examples import BOXES, NAMES, SPLITS
from yolo_cli.datasets import Dataset, open_dataset

EXAMPLES = Path(__file__).parent / "examples"

# Folder, kind, and the split of each image that is read.
ALL = {"a": "train", "b": "train", "c": "val"}
UNSPLIT = dict.fromkeys("abc", "all")
RUN = [
    ("datumaro-cvat", "cvat", ALL),
    ("datumaro-coco", "coco", ALL),
    ("datumaro-yolo", "yolo", ALL),
    ("datumaro-yolo-ultralytics", "yolo", ALL),
    ("datumaro-open-images", "openimages", {"a": "train", "c": "val"}),  # b has no line among the boxes
    ("hugging-face-parquet", "parquet", ALL),
    ("label-studio-coco", "coco", UNSPLIT),
    ("label-studio-json", "label-studio", UNSPLIT),
    ("label-studio-json-min", "label-studio", UNSPLIT),
    ("label-studio-yolo", "yolo", UNSPLIT),
    ("labelme", "labelme", ALL),
    ("supervisely", "supervisely", ALL),
    ("supervision-coco", "coco", ALL),
    ("supervision-createml", "createml", ALL),
    ("supervision-labelme", "labelme", ALL),
    ("supervision-voc", "voc", ALL),
    ("supervision-yolo", "yolo", ALL),
]
WRITTEN = {
    cited.cvat: ("cvat", ALL),
    cited.via_project: ("via", UNSPLIT),
    cited.via_annotations: ("via", UNSPLIT),
    cited.via_csv: ("via", UNSPLIT),
    cited.vott_json: ("vott", UNSPLIT),
    cited.vott_csv: ("csv", {"a": "all", "c": "all"}),
    cited.supervisely: ("supervisely", ALL),
    cited.oxford_pets: ("oxford-pets", {"a": "train", "c": "test"}),
    cited.open_images: ("openimages", {"a": "train", "c": "val"}),
    cited.tensorflow_csv: ("csv", {"a": "train", "c": "val"}),
    cited.global_wheat: ("csv", {"a": "train"}),
    cited.keras_retinanet: ("csv", UNSPLIT),
    cited.automl: ("csv", ALL),
    cited.image_folder: ("imagefolder", ALL),
}


def boxes_of(dataset: Dataset) -> dict[str, list[tuple[str, tuple[float, ...]]]]:
    """Class name and edges, to a thousandth of a pixel, of the boxes of each image, by its first letter."""
    found = {}
    for sample in dataset.samples:
        labels = sample.ground_truth
        found[sample.path.stem[-1]] = [
            (dataset.class_names[class_id], tuple(round(float(edge), 3) + 0.0 for edge in edges))
            for class_id, edges in zip(labels.class_id, labels.xyxy, strict=True)
        ]
    return found


def check(dataset: Dataset, kind: str, splits: dict[str, str], classes: tuple[str, ...] = NAMES) -> None:
    assert dataset.kind == kind
    assert dataset.class_names == classes
    assert {sample.path.stem[-1]: sample.split for sample in dataset.samples} == splits
    expected = {stem: [(NAMES[class_id], box) for class_id, box in BOXES[stem]] for stem in splits}
    assert boxes_of(dataset) == expected


@pytest.mark.parametrize(("folder", "kind", "splits"), RUN, ids=[row[0] for row in RUN])
def test_what_an_exporter_wrote(folder: str, kind: str, splits: dict[str, str]) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="needs pyarrow, the extra 'parquet'")
    check(open_dataset(EXAMPLES / folder), kind, splits)


@pytest.mark.parametrize(
    ("folder", "splits"),
    [("datumaro-voc", {"a": "train", "c": "val"}), ("label-studio-voc", {"a": "all", "c": "all"})],
)
def test_voc_of_tools_that_count_from_0(folder: str, splits: dict[str, str]) -> None:
    # They write xmin 4, ymin 6, xmax 20, ymax 18 for the cat. VOC counts from 1: its edges are 3, 5, 20, 18.
    # They write no XML file for b.
    dataset = open_dataset(EXAMPLES / folder)
    assert {sample.path.stem[-1]: sample.split for sample in dataset.samples} == splits
    assert boxes_of(dataset)["a"] == [("cat", (3, 5, 20, 18)), ("dog", (0, 1, 9, 10))]


@pytest.mark.parametrize("write", cited.CITED, ids=lambda write: write.__name__)
def test_what_an_exporter_is_documented_to_write(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path)
    kind, splits = WRITTEN[write]
    dataset = open_dataset(tmp_path)
    classes = {cited.cvat: ("cat", "dog", "bird"), cited.keras_retinanet: ("dog", "cat")}.get(write, NAMES)
    if write is cited.global_wheat:  # its table has no class: both boxes are objects
        assert boxes_of(dataset) == {"a": [("object", (4, 6, 20, 18)), ("object", (1, 2, 9, 10))]}
        assert "Y405" in {finding.code for finding in dataset.findings}
    else:
        check(dataset, kind, splits, classes)


def test_the_flags_of_a_group_are_crowds(tmp_path: Path) -> None:
    cited.open_images(tmp_path)
    crowds = [sample.labels.crowd.tolist() for sample in open_dataset(tmp_path).samples]
    assert crowds == [[True, False], [False]]  # IsGroupOf is 1 for cats


def test_every_form_has_an_example() -> None:
    from yolo_cli.datasets.opening import FORMS

    kinds = {kind for _, kind, _ in RUN} | {kind for kind, _ in WRITTEN.values()}
    assert {form.kind for form in FORMS} <= kinds
    assert SPLITS == ALL
