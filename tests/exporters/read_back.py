"""What another program reads of a data set: ``python read_back.py PROGRAM FOLDER`` prints it as JSON.

It is run in the environment of those programs. The output has, for each image by its stem, a row
``class name, left, top, right, bottom`` for each box.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
Boxes = dict[str, list[list[Any]]]


def _corners(bbox: list[float]) -> list[float]:
    x, y, width, height = bbox
    return [x, y, x + width, y + height]


def pycocotools(folder: Path) -> Boxes:
    from pycocotools.coco import COCO

    found: Boxes = {}
    for path in sorted((folder / "annotations").glob("*.json")):
        coco = COCO(str(path))
        for image in coco.loadImgs(coco.getImgIds()):
            rows = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
            names = [coco.loadCats(row["category_id"])[0]["name"] for row in rows]
            found[Path(image["file_name"]).stem] = [
                [name, *_corners(row["bbox"])] for name, row in zip(names, rows, strict=True)
            ]
    return found


def _supervision(parts: Iterable[Any]) -> Boxes:
    found: Boxes = {}
    for part in parts:
        for path, _, marked in part:
            pairs = zip(marked.class_id, marked.xyxy, strict=True)
            found[Path(path).stem] = [[part.classes[int(i)], *map(float, box)] for i, box in pairs]
    return found


def supervision_yolo(folder: Path) -> Boxes:
    from supervision import DetectionDataset

    labels, about = folder / "labels", str(folder / "data.yaml")
    splits = sorted((folder / "images").iterdir())
    return _supervision(
        DetectionDataset.from_yolo(str(images), str(labels / images.name), about) for images in splits
    )


def supervision_coco(folder: Path) -> Boxes:
    from supervision import DetectionDataset

    return _supervision(
        DetectionDataset.from_coco(str(images), str(folder / "annotations" / f"instances_{images.name}.json"))
        for images in sorted((folder / "images").iterdir())
    )


def supervision_voc(folder: Path) -> Boxes:
    from supervision import DetectionDataset

    images, labels = str(folder / "JPEGImages"), str(folder / "Annotations")
    return _supervision([DetectionDataset.from_pascal_voc(images, labels)])


def labelme(folder: Path) -> Boxes:
    from labelme._label_file import read_label_file

    found: Boxes = {}
    for path in sorted(folder.rglob("*.json")):
        data = read_label_file(str(path))
        found[path.stem] = [[shape["label"], *chain.from_iterable(shape["points"])] for shape in data.shapes]
    return found


def label_studio(folder: Path) -> Boxes:
    """Its own converter writes COCO, with x, y, width and height."""
    from label_studio_sdk.converter import Converter

    converter = Converter(
        config=str(folder / "label_config.xml"), project_dir=str(folder), download_resources=False
    )
    with tempfile.TemporaryDirectory() as out:
        converter.convert_to_coco(str(folder / "tasks.json"), out, is_dir=False)
        document = json.loads((Path(out) / "result.json").read_text())
    names = {entry["id"]: entry["name"] for entry in document["categories"]}
    stems = {entry["id"]: Path(entry["file_name"].split("?d=")[-1]).stem for entry in document["images"]}
    found: Boxes = {stem: [] for stem in stems.values()}
    for entry in document["annotations"]:
        row = [names[entry["category_id"]], *_corners(entry["bbox"])]
        found[stems[entry["image_id"]]].append(row)
    return found


def _datumaro(folder: Path, form: str) -> Boxes:
    from datumaro import Dataset
    from datumaro.components.annotation import AnnotationType

    dataset = Dataset.import_from(str(folder), form)
    names = [label.name for label in dataset.categories()[AnnotationType.label]]
    return {
        Path(item.id).stem: [
            [names[box.label], *box.points] for box in item.annotations if box.type == AnnotationType.bbox
        ]
        for item in dataset
    }


def datumaro_cvat(folder: Path) -> Boxes:
    return _datumaro(folder, "cvat")


def datumaro_openimages(folder: Path) -> Boxes:
    return _datumaro(folder, "open_images")


def datumaro_coco(folder: Path) -> Boxes:
    return _datumaro(folder, "coco")


def datumaro_voc(folder: Path) -> Boxes:
    return _datumaro(folder, "voc")


def hugging_face(folder: Path) -> Boxes:
    from datasets import load_dataset

    os.environ["HF_HUB_OFFLINE"] = "1"
    with tempfile.TemporaryDirectory() as cache:
        loaded = load_dataset(str(folder), cache_dir=cache)
        found: Boxes = {}
        for part in loaded.values():
            names = part.features["objects"]["category"].feature
            for row, path in zip(part, part.data.column("image").to_pylist(), strict=True):
                assert row["image"].size == (row["width"], row["height"])
                pairs = zip(row["objects"]["category"], row["objects"]["bbox"], strict=True)
                stem = Path(path["path"]).stem
                found[stem] = [[names.int2str(i), *_corners(bbox)] for i, bbox in pairs]
    return found


if __name__ == "__main__":
    program, place = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):
        read = globals()[program](Path(place))
    print(json.dumps(read))
