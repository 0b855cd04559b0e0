"""Write the examples of `tests/exporters/examples` by running the exporters themselves.

    python -m venv /tmp/exporters && . /tmp/exporters/bin/activate
    pip install -r tests/exporters/requirements.txt
    python tests/exporters/make_examples.py
    pip install supervisely==6.74.51  # in another environment
    python tests/exporters/make_examples.py supervisely

Every example has the same three images and boxes; ``test_exporters.py`` has the arithmetic.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent / "examples"
NAMES = ("cat", "dog")
SIZES = {"a": (32, 24), "b": (24, 32), "c": (32, 32)}  # width, height
SPLITS = {"a": "train", "b": "train", "c": "val"}
BOXES = {"a": [(0, (4, 6, 20, 18)), (1, (1, 2, 9, 10))], "b": [], "c": [(1, (2, 3, 12, 23))]}


def pixels(stem: str) -> np.ndarray:
    """The image, RGB: a colour of its own with its boxes filled."""
    width, height = SIZES[stem]
    image = np.full((height, width, 3), 40 * (1 + "abc".index(stem)), np.uint8)
    for class_id, (x1, y1, x2, y2) in BOXES[stem]:
        image[y1:y2, x1:x2] = (220, 60, 20) if class_id == 0 else (20, 60, 220)
    return image


def save(stem: str, path: Path) -> Path:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(stem)).save(path)
    return path


def fresh(name: str) -> Path:
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def datumaro_examples() -> None:
    """CVAT's own exporters of these formats are datumaro's."""
    from datumaro import AnnotationType, Bbox, Dataset, DatasetItem, LabelCategories
    from datumaro import Image as Media

    labels = LabelCategories.from_iterable(NAMES)
    for name, form in (
        ("datumaro-cvat", "cvat"),
        ("datumaro-yolo", "yolo"),
        ("datumaro-yolo-ultralytics", "yolo_ultralytics"),
        ("datumaro-voc", "voc_detection"),
        ("datumaro-coco", "coco_instances"),
        ("datumaro-open-images", "open_images"),
    ):
        items = [
            DatasetItem(
                stem,
                subset=SPLITS[stem],
                media=Media.from_numpy(pixels(stem)[..., ::-1].copy()),
                annotations=[
                    Bbox(
                        x1,
                        y1,
                        x2 - x1,
                        y2 - y1,
                        label=class_id,
                        id=i,
                        group=i,
                        attributes={"occluded": False},
                    )
                    for i, (class_id, (x1, y1, x2, y2)) in enumerate(BOXES[stem], start=1)
                ],
            )
            for stem in SIZES
        ]
        dataset = Dataset.from_iterable(items, categories={AnnotationType.label: labels}, media_type=Media)
        dataset.export(str(fresh(name)), form, save_media=True, image_ext=".png")


def labelme_example() -> None:
    from labelme._label_file import write_label_file

    folder = fresh("labelme")
    for stem, (width, height) in SIZES.items():
        image = save(stem, folder / SPLITS[stem] / f"{stem}.png")
        shapes = [_shape(stem, class_id, box) for class_id, box in BOXES[stem]]
        write_label_file(
            str(image.with_suffix(".json")),
            shapes=shapes,
            image_path=image.name,
            image_height=height,
            image_width=width,
            image_data=image.read_bytes(),
        )


def _shape(stem: str, class_id: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
    """A rectangle, drawn from its lower right corner; a polygon for the dog of a."""
    x1, y1, x2, y2 = map(float, box)
    shape = {"label": NAMES[class_id], "group_id": None, "description": "", "flags": {}, "mask": None}
    if class_id == 1 and stem == "a":
        return shape | {"shape_type": "polygon", "points": [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]}
    return shape | {"shape_type": "rectangle", "points": [[x2, y2], [x1, y1]]}


def label_studio_examples() -> None:
    from label_studio_sdk.converter import Converter

    config = """<View><Image name="image" value="$image"/>
      <RectangleLabels name="label" toName="image"><Label value="cat"/><Label value="dog"/></RectangleLabels>
    </View>"""
    for name, form in (
        ("label-studio-json", "JSON"),
        ("label-studio-json-min", "JSON_MIN"),
        ("label-studio-yolo", "YOLO"),
        ("label-studio-coco", "COCO"),
        ("label-studio-voc", "VOC"),
    ):
        folder = fresh(name)
        uploads = HERE.parent / "uploads"
        for stem in SIZES:
            save(stem, uploads / "1" / f"3f1c09a{'abc'.index(stem)}-{stem}.png")
        tasks = uploads / "tasks.json"
        tasks.write_text(json.dumps([_task(index, stem) for index, stem in enumerate(SIZES, start=1)]))
        converter = Converter(config, str(uploads), upload_dir=str(uploads), download_resources=True)
        converter.convert(str(tasks), str(folder), form, is_dir=False)
        for stem in SIZES if form != "VOC" else ():  # the others get no images: the user puts theirs beside
            upload = stem if form.startswith("JSON") else f"3f1c09a{'abc'.index(stem)}-{stem}"
            save(stem, folder / "images" / f"{upload}.png")
        shutil.rmtree(uploads)


def _task(index: int, stem: str) -> dict[str, Any]:
    """A task with one annotation, as Label Studio exports it."""
    width, height = SIZES[stem]
    results = [
        {
            "id": f"r{index}{i}", "type": "rectanglelabels", "from_name": "label", "to_name": "image",
            "original_width": width, "original_height": height, "image_rotation": 0, "origin": "manual",
            "value": {
                "x": 100 * x1 / width, "y": 100 * y1 / height, "rotation": 0,
                "width": 100 * (x2 - x1) / width, "height": 100 * (y2 - y1) / height,
                "rectanglelabels": [NAMES[class_id]],
            },
        }
        for i, (class_id, (x1, y1, x2, y2)) in enumerate(BOXES[stem])
    ]  # fmt: skip
    annotation = {
        "id": 10 + index, "completed_by": 1, "result": results, "was_cancelled": False, "ground_truth": False,
        "created_at": "2026-01-05T10:00:00Z", "updated_at": "2026-01-05T10:00:00Z", "lead_time": 3.5,
    }  # fmt: skip
    upload = f"3f1c09a{'abc'.index(stem)}-{stem}.png"
    return {
        "id": index, "annotations": [annotation], "predictions": [], "file_upload": upload, "meta": {},
        "data": {"image": f"/data/upload/1/{upload}"}, "project": 1,
    }  # fmt: skip


def supervision_examples() -> None:
    import cv2
    import supervision as sv

    def dataset(folder: Path, split: str) -> sv.DetectionDataset:
        paths, annotations = [], {}
        for stem in (stem for stem in SIZES if SPLITS[stem] == split):
            path = folder / "source" / f"{stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), pixels(stem)[..., ::-1])
            boxes = np.array([box for _, box in BOXES[stem]], float).reshape(-1, 4)
            ids = np.array([class_id for class_id, _ in BOXES[stem]], int)
            paths.append(str(path))
            annotations[str(path)] = sv.Detections(boxes, class_id=ids)
        return sv.DetectionDataset(list(NAMES), paths, annotations)

    makers = {
        "coco": lambda data, at: data.as_coco(str(at), str(at / "_annotations.coco.json")),
        "createml": lambda data, at: data.as_createml(str(at), str(at / "_annotations.createml.json")),
        "labelme": lambda data, at: data.as_labelme(str(at), str(at)),
        "voc": lambda data, at: data.as_pascal_voc(str(at), str(at)),
        "yolo": lambda data, at: data.as_yolo(
            str(at / "images"), str(at / "labels"), str(at.parent / "data.yaml")
        ),
    }  # the folders are those of Roboflow's exports
    for form, make in makers.items():
        folder = fresh(f"supervision-{form}")
        for split, name in (("train", "train"), ("val", "valid")):
            (folder / name).mkdir()
            make(dataset(folder, split), folder / name)
        shutil.rmtree(folder / "source")


def hugging_face_example() -> None:
    from datasets import ClassLabel, Dataset, Features, List, Value
    from datasets import Image as ImageFeature

    folder = fresh("hugging-face-parquet")
    objects = {
        "bbox": List(List(Value("float32"), length=4)),
        "category": List(ClassLabel(names=list(NAMES))),
    }
    features = Features({"image": ImageFeature(), "objects": objects})
    for split in ("train", "val"):
        rows = []
        for stem in (stem for stem in SIZES if SPLITS[stem] == split):
            path = save(stem, folder / f"{stem}.png")
            boxes = [[x1, y1, x2 - x1, y2 - y1] for _, (x1, y1, x2, y2) in BOXES[stem]]
            content = {"bytes": path.read_bytes(), "path": path.name}
            rows.append(
                {"image": content, "objects": {"bbox": boxes, "category": [c for c, _ in BOXES[stem]]}}
            )
            path.unlink()
        word = {"train": "train", "val": "validation"}[split]
        (folder / "data").mkdir(exist_ok=True)
        Dataset.from_list(rows, features=features).to_parquet(
            folder / "data" / f"{word}-00000-of-00001.parquet"
        )


def supervisely_example() -> None:
    """A local project of Supervisely's SDK, which needs an environment of its own."""
    import supervisely as sly

    folder = fresh("supervisely")
    classes = {name: sly.ObjClass(name, sly.AnyGeometry) for name in NAMES}
    project = sly.Project(str(folder / "pets"), sly.OpenMode.CREATE)
    project.set_meta(sly.ProjectMeta(obj_classes=list(classes.values())))
    for split in ("train", "val"):
        dataset = project.create_dataset(split)
        for stem in (stem for stem in SIZES if SPLITS[stem] == split):
            width, height = SIZES[stem]
            labels = [
                sly.Label(_geometry(stem, class_id, box), classes[NAMES[class_id]])
                for class_id, box in BOXES[stem]
            ]
            annotation = sly.Annotation((height, width), labels=labels)
            dataset.add_item_np(f"{stem}.png", pixels(stem), ann=annotation)


def _geometry(stem: str, class_id: int, box: tuple[int, int, int, int]) -> Any:
    """A rectangle up to the last pixel in it; a bitmap for the dog of a."""
    import supervisely as sly

    x1, y1, x2, y2 = box
    if class_id == 1 and stem == "a":
        return sly.Bitmap(np.ones((y2 - y1, x2 - x1), bool), origin=sly.PointLocation(y1, x1))
    return sly.Rectangle(y1, x1, y2 - 1, x2 - 1)


if __name__ == "__main__":
    if sys.argv[1:] == ["supervisely"]:
        supervisely_example()
    else:
        datumaro_examples()
        labelme_example()
        label_studio_examples()
        supervision_examples()
        hugging_face_example()
