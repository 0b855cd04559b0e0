"""Small data sets in the forms whose exporters are not on PyPI; each cites what it follows.

They have the images and boxes of the examples that the exporters themselves wrote: see `make_examples.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.exporters.make_examples import BOXES, NAMES, SIZES, SPLITS
from tests.made_sets import write_image, write_json, write_text, write_xml

__all__ = ["CITED"]

LINES = [(stem, NAMES[class_id], box) for stem, boxes in BOXES.items() for class_id, box in boxes]


def images(folder: Path, stems: str = "abc", suffix: str = ".png") -> None:
    for stem in stems:
        write_image(folder / f"{stem}{suffix}", SIZES[stem], ord(stem))


def table(path: Path, head: str, rows: list[str]) -> None:
    write_text(path, "\n".join([head, *rows]) + "\n")


def cvat(root: Path) -> None:
    """A project's "CVAT for images 1.1": cvat-ai/cvat, site/content/en/docs/dataset_management/formats/
    format-cvat.md (annotations.xml, images/SUBSET/), and cvat/apps/dataset_manager/formats/cvat.py."""
    parts = []
    for number, stem in enumerate(SIZES):
        (width, height), subset = SIZES[stem], SPLITS[stem].capitalize()
        boxes = "".join(
            f'<box label="{NAMES[c]}" source="manual" occluded="0" xtl="{x1:.2f}" ytl="{y1:.2f}" '
            f'xbr="{x2:.2f}" ybr="{y2:.2f}" z_order="0"><attribute name="wet">no</attribute></box>'
            for c, (x1, y1, x2, y2) in BOXES[stem]
        )
        head = f'<image id="{number}" name="{stem}.png" subset="{subset}" task_id="1" '
        parts.append(head + f'width="{width}" height="{height}">{boxes}</image>')
        images(root / "images" / subset, stem)
    labels = "".join(
        f"<label><name>{name}</name><type>any</type><attributes/></label>" for name in (*NAMES, "bird")
    )
    meta = f"<meta><project><labels>{labels}</labels></project></meta>"
    write_text(
        root / "annotations.xml", f"<annotations><version>1.1</version>{meta}{''.join(parts)}</annotations>"
    )


def via_regions(stem: str) -> list[dict[str, object]]:
    return [
        {
            "shape_attributes": {"name": "rect", "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1},
            "region_attributes": {"animal": NAMES[c]},
        }
        for c, (x1, y1, x2, y2) in BOXES[stem]
    ]


def via_project(root: Path) -> None:
    """VIA 2's project: gitlab.com/vgg/via, via-2.x.y/src/via.js, project_save_confirmed."""
    images(root)
    metadata = {
        f"{stem}.png99": {
            "filename": f"{stem}.png",
            "size": 99,
            "regions": via_regions(stem),
            "file_attributes": {},
        }
        for stem in SIZES
    }
    options = {"type": "dropdown", "options": {"cat": "", "dog": ""}, "default_options": {}}
    attributes = {"region": {"animal": options}}
    project = {"_via_settings": {}, "_via_img_metadata": metadata, "_via_attributes": attributes}
    write_json(root / "via_project.json", project)


def via_annotations(root: Path) -> None:
    """VIA's "export annotations (as json)", with VIA 1's mapping of regions: pack_via_metadata('json')."""
    images(root)
    regions = {stem: {str(i): region for i, region in enumerate(via_regions(stem))} for stem in SIZES}
    write_json(
        root / "via_region_data.json",
        {
            f"{s}.png99": {"filename": f"{s}.png", "size": 99, "regions": regions[s], "file_attributes": {}}
            for s in SIZES
        },
    )


def via_csv(root: Path) -> None:
    """VIA's "export annotations (as csv)": pack_via_metadata('csv')."""
    images(root)
    head = (
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    )
    rows = []
    for stem in SIZES:
        found = via_regions(stem)
        for i, region in enumerate(found):
            fields = [json.dumps(region[key]) for key in ("shape_attributes", "region_attributes")]
            quoted = ",".join('"' + field.replace('"', '""') + '"' for field in fields)
            rows.append(f'{stem}.png,99,"{{}}",{len(found)},{i},{quoted}')
        if not found:
            rows.append(f'{stem}.png,99,"{{}}",0,0,"{{}}","{{}}"')
    table(root / "via_csv.csv", head, rows)


def vott_json(root: Path) -> None:
    """microsoft/VoTT, src/providers/export/vottJson.ts; IAsset and IRegion in applicationState.ts."""
    folder = root / "vott-json-export"
    images(folder)
    assets = {
        f"id{stem}": {
            "asset": {
                "format": "png", "id": f"id{stem}", "name": f"{stem}.png",
                "path": f"file:/C:/data/{stem}.png",
                "size": {"width": SIZES[stem][0], "height": SIZES[stem][1]}, "state": 2 if BOXES[stem] else 1,
                "type": 1,
            },
            "regions": [
                {"id": "r", "type": "RECTANGLE", "tags": [NAMES[c]],
                 "boundingBox": {"height": y2 - y1, "width": x2 - x1, "left": x1, "top": y1},
                 "points": [{"x": x1, "y": y1}, {"x": x2, "y": y1}, {"x": x2, "y": y2}, {"x": x1, "y": y2}]}
                for c, (x1, y1, x2, y2) in BOXES[stem]
            ],
            "version": "2.2.0",
        }
        for stem in SIZES
    }  # fmt: skip
    tags = [{"name": name, "color": "#5db300"} for name in NAMES]
    document = {
        "name": "pets",
        "securityToken": "t",
        "tags": tags,
        "id": "x",
        "version": "2.2.0",
        "assets": assets,
    }
    write_json(folder / "pets-export.json", document)


def vott_csv(root: Path) -> None:
    """microsoft/VoTT, src/providers/export/csv.ts: quoted fields, no lines for images without regions."""
    folder = root / "vott-csv-export"
    images(folder, "ac")
    rows = [f'"{stem}.png",{x1},{y1},{x2},{y2},"{name}"' for stem, name, (x1, y1, x2, y2) in LINES]
    table(folder / "pets-export.csv", '"image","xmin","ymin","xmax","ymax","label"', rows)


def supervisely(root: Path) -> None:
    """docs.supervisely.com, "Supervisely JSON format"; the last pixel is included (rectangle.py)."""
    write_json(
        root / "meta.json",
        {"classes": [{"title": n, "shape": "rectangle", "color": "#FF0000"} for n in NAMES]},
    )
    for stem in SIZES:
        objects = [
            {"classTitle": NAMES[c], "geometryType": "rectangle", "tags": [], "labelerLogin": "me",
             "points": {"exterior": [[x1, y1], [x2 - 1, y2 - 1]], "interior": []}}
            for c, (x1, y1, x2, y2) in BOXES[stem]
        ]  # fmt: skip
        size = {"height": SIZES[stem][1], "width": SIZES[stem][0]}
        document = {"description": "", "tags": [], "size": size, "objects": objects}
        images(root / SPLITS[stem] / "img", stem)
        write_json(root / SPLITS[stem] / "ann" / f"{stem}.png.json", document)


def oxford_pets(root: Path) -> None:
    """robots.ox.ac.uk/~vgg/data/pets: annotations/README; VOC's pixels from 1; c is of the test list."""
    images(root / "images", suffix=".jpg")
    folder = root / "annotations"
    for stem in "ac":
        boxes = [(NAMES[c], box) for c, box in BOXES[stem]]
        write_xml(folder / "xmls" / f"{stem}.xml", f"{stem}.jpg", SIZES[stem], boxes)
    table(folder / "list.txt", "#Image CLASS-ID SPECIES BREED ID", ["a 1 1 1", "b 1 1 1", "c 2 2 1"])
    write_text(folder / "trainval.txt", "a 1 1 1\nb 1 1 1\n")
    write_text(folder / "test.txt", "c 2 2 1\n")


def open_images(root: Path) -> None:
    """storage.googleapis.com/openimages/web/download_v7.html: boxes, and descriptions without a head."""
    flags = "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
    head = f"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,{flags}"
    codes = {"cat": "/m/01yrx", "dog": "/m/0bt9lr"}
    for split, word in (("train", "train"), ("val", "validation")):
        rows = []
        for stem, name, (x1, y1, x2, y2) in LINES:
            if SPLITS[stem] == split:
                width, height = SIZES[stem]
                edges = f"{x1 / width},{x2 / width},{y1 / height},{y2 / height}"
                rows.append(f"{stem},xclick,{codes[name]},1,{edges},0,0,{int(name == 'cat')},0,0")
        table(root / f"{word}-annotations-bbox.csv", head, rows)
        images(root / word, "".join(stem for stem in "ac" if SPLITS[stem] == split))
    table(root / "class-descriptions-boxable.csv", "/m/011k07,Tortoise", ["/m/01yrx,cat", "/m/0bt9lr,dog"])


def tensorflow_csv(root: Path) -> None:
    """Roboflow's "TensorFlow Object Detection CSV" and datitran/raccoon_dataset, xml_to_csv.py."""
    for split, folder in (("train", "train"), ("val", "valid")):
        rows = [
            f"{s}.png,{SIZES[s][0]},{SIZES[s][1]},{name},{x1},{y1},{x2},{y2}"
            for s, name, (x1, y1, x2, y2) in LINES
            if SPLITS[s] == split
        ]
        table(root / folder / "_annotations.csv", "filename,width,height,class,xmin,ymin,xmax,ymax", rows)
        images(root / folder, "".join(s for s in "ac" if SPLITS[s] == split))


def global_wheat(root: Path) -> None:
    """kaggle.com/c/global-wheat-detection: train.csv with image_id, width, height, bbox, source."""
    images(root / "train", "a", ".jpg")
    rows = [
        f'{s},{SIZES[s][0]},{SIZES[s][1]},"[{x1}.0, {y1}.0, {x2 - x1}.0, {y2 - y1}.0]",usask_1'
        for s, _, (x1, y1, x2, y2) in LINES
        if s == "a"
    ]
    table(root / "train.csv", "image_id,width,height,bbox,source", rows)


def keras_retinanet(root: Path) -> None:
    """fizyr/keras-retinanet, README, "CSV datasets": negatives have no numbers; classes by number."""
    images(root / "images")
    rows = [f"images/{s}.png,{x1},{y1},{x2},{y2},{name}" for s, name, (x1, y1, x2, y2) in LINES]
    table(root / "annotations.csv", rows[0], [*rows[1:], "images/b.png,,,,,"])
    table(root / "classes.csv", "dog,0", ["cat,1"])


def automl(root: Path) -> None:
    """cloud.google.com/vision/automl/object-detection/docs/csv-format: corners as fractions."""
    images(root)
    rows = []
    for stem, name, (x1, y1, x2, y2) in LINES:
        width, height = SIZES[stem]
        word = {"train": "TRAIN", "val": "VALIDATION"}[SPLITS[stem]]
        low, high = f"{x1 / width},{y1 / height}", f"{x2 / width},{y2 / height}"
        rows.append(f"{word},gs://bucket/pets/{stem}.png,{name},{low},,,{high},,")
    table(root / "export.csv", rows[0], [*rows[1:], "TRAIN,gs://bucket/pets/b.png,,,,,,,,,"])


def image_folder(root: Path) -> None:
    """huggingface.co/docs/datasets/image_load, "Object detection": metadata.jsonl beside the images."""
    for split, folder in (("train", "train"), ("val", "validation")):
        stems = [stem for stem in SIZES if SPLITS[stem] == split]
        images(root / folder, "".join(stems))
        lines = []
        for stem in stems:
            boxes = [[x1, y1, x2 - x1, y2 - y1] for _, (x1, y1, x2, y2) in BOXES[stem]]
            objects = {"bbox": boxes, "categories": [c for c, _ in BOXES[stem]]}
            lines.append(json.dumps({"file_name": f"{stem}.png", "objects": objects}))
        write_text(root / folder / "metadata.jsonl", "\n".join(lines) + "\n")
    write_text(root / "README.md", f"---\n{FEATURES}---\n# Pets\n")


FEATURES = """dataset_info:
  features:
    - name: objects
      sequence:
        - name: categories
          dtype:
            class_label:
              names:
                '0': cat
                '1': dog
"""


CITED: tuple[Callable[[Path], None], ...] = (
    cvat, via_project, via_annotations, via_csv, vott_json, vott_csv, supervisely, oxford_pets, open_images,
    tensorflow_csv, global_wheat, keras_retinanet, automl, image_folder,
)  # fmt: skip
