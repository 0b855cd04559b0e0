"""Label Studio: its JSON and JSON_MIN exports.

Both are a list of tasks. In JSON a task has its image in ``data`` and ``annotations`` (older:
``completions``) with a list ``result``; in JSON_MIN the image and one list of results per control tag are
keys of the task. Results give percentages of the image's size: ``x y width height`` of a rectangle,
``points`` of a polygon, centre and radii of an ellipse (label_studio_sdk/converter). A ``rotation`` other
than 0 is refused. Results with one id are one region, whose class may be in a separate result; each of
several classes gets a box.

Of several annotations the one marked as ground truth counts, else the newest that was not cancelled. A task
without any is unlabelled; one with an empty result shows no objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from yolo_cli.datasets.extras import Extra, Point, Value, extras_wanted
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.forms.assembling import Entry, Export, Shape, assemble, by_name, split_of
from yolo_cli.datasets.forms.form import Form, matcher
from yolo_cli.datasets.forms.values import (
    Corners,
    as_list,
    as_map,
    as_text,
    bounds,
    ellipse,
    flat,
    numbers,
    pair,
    size_of,
    xywh,
)
from yolo_cli.datasets.layout import below
from yolo_cli.datasets.sample import UNSPLIT, Dataset
from yolo_cli.datasets.voc_xml import read_xml
from yolo_cli.images import SUFFIXES
from yolo_cli.text import number, read_json

__all__ = ["LABEL_STUDIO"]

Map = Mapping[str, Any]
_IMAGE_KEYS = ("image", "img", "photo", "url")  # of the usual labelling templates
_SIDES = ("x", "y", "width", "height")


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the exports of a folder."""
    entries, findings = [], []
    for path in files:
        row, where = 0, below(path, root)
        for task, versions in _tasks(as_list(read_json(path))):
            image = _image(task)
            entry = Entry(image, path, _split(image, path, root), fractions=True)
            if not versions and not allow_unlabelled:
                findings.append(Finding("Y201", where, f"{entry.file[:80]}: the task has no annotation"))
                continue
            if len(versions) > 1:
                what = f"{entry.file[:80]}: {len(versions)} annotations of one task; the newest counts"
                findings.append(Finding("Y205", where, what))
            row = _fill(entry, versions[0] if versions else [], row)
            entries.append(entry)
    names = {shape.name for entry in entries for shape in entry.shapes}
    declared, points = _declared(root)
    order = declared if names <= set(declared) else ()
    export = Export(root, "label-studio", entries, order, tuple(findings), keypoint_names=points)
    return assemble(export, allow_unlabelled)


def _split(image: str, path: Path, root: Path) -> str:
    """The split in the name of the export, else in the folders of an image in local storage."""
    own, local = split_of(path, root, by_name=True), image.partition("?d=")[2]
    return own if own != UNSPLIT or not local else split_of(root / unquote(local), root)


def _declared(root: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Classes and key points of the configuration that `yolo convert` writes beside its tasks, or ()."""
    path = root / "label_config.xml"
    if not path.is_file():
        return (), ()
    names: tuple[dict[str, None], dict[str, None]] = ({}, {})
    for control in read_xml(path, "View").iter():
        labels = (label.get("value") or "" for label in control.findall("Label"))
        names[control.tag == "KeyPointLabels"].update(dict.fromkeys(filter(None, labels)))
    return tuple(names[False]), tuple(names[True])


def _tasks(listed: Sequence[Any]) -> Iterator[tuple[Map, list[list[Map]]]]:
    """Each task's data, and the results of its annotations, the one that counts first."""
    short: dict[str, list[Map]] = {}
    for index, task in enumerate(map(as_map, listed)):
        if isinstance(task.get("data"), dict):
            given = map(as_map, as_list(task.get("annotations", task.get("completions"))))
            kept = [one for one in given if not (one.get("was_cancelled") or one.get("skipped"))]
            kept.sort(key=_rank, reverse=True)
            yield task["data"], [[as_map(result) for result in as_list(one.get("result"))] for one in kept]
        else:
            short.setdefault(as_text(task.get("id")) or f"index {index}", []).append(task)
    for versions in short.values():  # JSON_MIN has one element per annotation
        versions.sort(key=_rank, reverse=True)
        yield versions[0], [_short_results(one) for one in versions]


def _rank(annotation: Map) -> tuple[bool, str]:
    """The order of annotations: ground truth last, then by time."""
    return annotation.get("ground_truth") is True, as_text(annotation.get("created_at"))


def _short_results(task: Map) -> list[Map]:
    """The results in JSON_MIN, in the shape that they have in JSON."""
    values = [as_map(value) for found in task.values() if isinstance(found, list) for value in found]
    return [{"value": value, **value} for value in values]


def _image(data: Map) -> str:
    """The image that a task's data names."""
    usual = [data[key] for key in _IMAGE_KEYS if key in data]
    texts = [text for text in map(as_text, (*usual, *data.values())) if text]
    return next(
        (text for text in texts if text.lower().split("?X-")[0].endswith(SUFFIXES)), "".join(texts[:1])
    )


def _fill(entry: Entry, results: Sequence[Map], row: int) -> int:
    """Add the regions of one annotation to its entry; returns the number of the last one."""
    regions = _regions(results)
    points = _keypoints(regions)
    for region_id, region in regions.items():
        if _is_point(region) and as_text(region.get("parentID")) in regions:
            continue
        row += 1
        classes, corners = _classes(region), _corners(region)
        entry.size = size_of(region.get("original_height"), region.get("original_width")) or entry.size
        if isinstance(corners, str) or not classes:
            entry.refused.append((row, corners if isinstance(corners, str) else "the region has no label"))
            continue
        extra = _extra(region) if extras_wanted() else None
        named = by_name(points.get(region_id, ()))
        entry.shapes += [Shape(row, name, corners, extra=extra, keypoints=named) for name in classes]
    return row


def _regions(results: Sequence[Map]) -> dict[Any, dict[str, Any]]:
    """The results with a geometry, those with the same id merged; choices for the image have none."""
    regions: dict[Any, dict[str, Any]] = {}
    for index, result in enumerate(results):
        value = as_map(result.get("value"))
        if any(key in value for key in ("x", "points", "rle", "sequence", "vertices")):
            key = as_text(result.get("id")) or index
            frame = {k: result[k] for k in ("original_width", "original_height", "image_rotation", "parentID")
                     if k in result}  # fmt: skip
            regions.setdefault(key, {}).update({**value, **frame})
    for result in results:
        key = as_text(result.get("id"))
        if key in regions:
            regions[key].update(as_map(result.get("value")))
    return regions


def _classes(region: Map) -> list[str]:
    """The labels of a region."""
    lists = [as_list(value) for key, value in region.items() if key.endswith("labels")]
    return list(dict.fromkeys(filter(None, (as_text(name) for found in lists for name in found))))


def _is_point(region: Map) -> bool:
    return "keypointlabels" in region


def _keypoints(regions: Mapping[Any, Map]) -> dict[Any, list[tuple[str, Point]]]:
    """The key points of each region with their names, in fractions."""
    found: dict[Any, list[tuple[str, Point]]] = {}
    for region in regions.values():
        at = numbers((region.get("x"), region.get("y")))
        parent = as_text(region.get("parentID"))
        if _is_point(region) and parent and at:
            name = next(iter(_classes(region)), "point")
            found.setdefault(parent, []).append((name, (at[0] / 100, at[1] / 100, 2.0)))
    return found


def _corners(region: Map) -> Corners | str:
    """The box of a region in fractions of the image's size, or why it has none."""
    for key, whose in (("rotation", "a box"), ("image_rotation", "an image")):
        if number(region.get(key)):
            return f"{whose} turned by {as_text(region[key])[:12]} degrees is not read; draw an upright box"
    box = _percent(region)
    if box is None:
        return "the region has no box: brush masks, lone key points and videos are not read"
    left, top, right, bottom = (value / 100 for value in box)
    return left, top, right, bottom


def _percent(region: Map) -> Corners | None:
    """The box of a region in percent."""
    if _is_point(region) or "rle" in region or "sequence" in region:
        return None
    if "radiusX" in region:
        found = numbers(region.get(key) for key in ("x", "y", "radiusX", "radiusY"))
        return ellipse((found[0], found[1]), found[2], found[3]) if found else None
    if "points" in region or "vertices" in region:
        return bounds(_points(region))
    return xywh(region.get(side) for side in _SIDES)


def _points(region: Map) -> list[tuple[float, float]]:
    """The points of a polygon or vector; [] if one is not a pair of numbers."""
    found = [pair(value) for value in as_list(region.get("points", region.get("vertices")))]
    return [] if None in found else [point for point in found if point is not None]


def _extra(region: Map) -> Extra:
    """The outline in fractions, and the answers given for the region."""
    outline = tuple(value / 100 for value in flat(_points(region))) if "points" in region else ()
    attributes: dict[str, Value] = {}
    for key in ("choices", "text", "taxonomy"):
        if as_list(region.get(key)):
            attributes[key] = ", ".join(filter(None, map(as_text, as_list(region[key]))))
    for key in ("rating", "number"):
        if number(region.get(key)) is not None:
            attributes[key] = region[key]
    return Extra((outline,) if outline else (), attributes=attributes)


_is_list = matcher(r"\A\s*\[")
_is_task = matcher(r'"(?:annotations|completions)"\s*:\s*\[', r'"(?:data"\s*:\s*\{|result"\s*:\s*\[)')
_is_short = matcher(
    r'"(?:annotation_id|original_width|lead_time)"\s*:', r'"[a-z]*labels"\s*:|"annotator"\s*:'
)

LABEL_STUDIO = Form(
    "label-studio",
    "Label Studio",
    (".json",),
    lambda path: _is_list(path) and (_is_task(path) or _is_short(path)),
    _read,
)
