"""VoTT 2: the JSON export, and the ``*-asset.json`` files of a project.

An export has ``tags`` and ``assets``; an asset file has one ``asset`` with its ``regions``, whose
``boundingBox`` is in pixels (microsoft/VoTT, src/models/applicationState.ts). A region with several tags is
an object of each, as in VoTT's own exports. Assets that nobody visited (state 0) are unlabelled; visited ones
without regions show no objects. VoTT's CSV is read as any CSV with boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_cli.datasets.extras import Extra, extras_wanted
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.forms.assembling import Entry, Export, Shape, assemble, split_of
from yolo_cli.datasets.forms.form import Form, matcher
from yolo_cli.datasets.forms.values import (
    Corners,
    as_list,
    as_map,
    as_text,
    bounds,
    flat,
    pair,
    size_of,
    xywh,
)
from yolo_cli.datasets.layout import below
from yolo_cli.datasets.sample import Dataset
from yolo_cli.errors import DataError
from yolo_cli.text import number, read_json

__all__ = ["VOTT"]

Map = Mapping[str, Any]
_NOT_VISITED = 0.0


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the files of a folder. Where there is an export, asset files are passed over."""
    entries: list[Entry] = []
    findings: list[Finding] = []
    names: dict[str, None] = {}
    whole = [path for path in files if _is_export(path)]
    for path in whole or files:
        where = below(path, root)
        try:
            document = as_map(read_json(path))
        except DataError as fault:
            findings.append(Finding("Y203", where, fault.text.replace(str(path), "the label")))
            continue
        names |= dict.fromkeys(as_text(as_map(tag).get("name")) for tag in as_list(document.get("tags")))
        assets = as_list(document["assets"]) if "assets" in document else [document]
        row = 0
        for asset in map(as_map, assets):
            entry, visited = _entry(as_map(asset.get("asset")), path, root)
            if visited or allow_unlabelled:
                row = _fill(entry, as_list(asset.get("regions")), row)
                entries.append(entry)
            else:
                findings.append(Finding("Y201", where, f"{entry.file[:80]}: nobody has labelled the image"))
    names.pop("", None)
    return assemble(Export(root, "vott", entries, tuple(names), tuple(findings)), allow_unlabelled)


def _entry(asset: Map, path: Path, root: Path) -> tuple[Entry, bool]:
    """The image of an asset, and whether somebody visited it."""
    size = as_map(asset.get("size"))
    named = as_text(asset.get("name")) or as_text(asset.get("path"))
    entry = Entry(named, path, split_of(path, root), size=size_of(size.get("height"), size.get("width")))
    return entry, number(asset.get("state")) != _NOT_VISITED


def _fill(entry: Entry, regions: Sequence[Any], row: int) -> int:
    """Add the regions of an asset; returns the number of the last."""
    for region in map(as_map, regions):
        row += 1
        names = list(filter(None, map(as_text, as_list(region.get("tags")))))
        corners = _corners(region)
        if corners is None or not names:
            entry.refused.append((row, "the region has no tag" if corners else "the region has no box"))
            continue
        extra = _extra(region) if extras_wanted() else None
        entry.shapes += [Shape(row, name, corners, extra=extra) for name in names]
    return row


def _corners(region: Map) -> Corners | None:
    """The box of a region: its own, else that around its points."""
    box = as_map(region.get("boundingBox"))
    return xywh(map(box.get, ("left", "top", "width", "height"))) if box else bounds(_points(region))


def _points(region: Map) -> list[tuple[float, float]]:
    found = [pair(value) for value in as_list(region.get("points"))]
    return [] if None in found else [point for point in found if point is not None]


def _extra(region: Map) -> Extra:
    """The outline of a region that is not a rectangle."""
    return Extra((flat(_points(region)),) if region.get("type") == "POLYGON" else ())


_is_export = matcher(r'"assets"\s*:\s*\{', r'"(?:tags|securityToken|videoSettings)"\s*:')
_is_asset = matcher(r'"asset"\s*:\s*\{', r'"(?:regions|format)"\s*:')

VOTT = Form("vott", "VoTT", (".json",), lambda path: _is_export(path) or _is_asset(path), _read)
