"""Text, JSON, XML and CSV files below the folder of a new data set."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from yolo_cli.files import make_folder

__all__ = ["child", "put", "put_csv", "put_json", "put_xml"]


def put(folder: Path, name: str, text: str) -> None:
    """Write a file in UTF-8; ``name`` is its path with slashes."""
    path = folder / name
    (make_folder(path.parent) / path.name).write_bytes(text.encode())


def put_json(folder: Path, name: str, value: Any, spaces: int | None = None) -> None:
    """Write a JSON file."""
    put(folder, name, json.dumps(value, ensure_ascii=False, allow_nan=False, indent=spaces))


def put_csv(folder: Path, name: str, rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    put(folder, name, text.getvalue())


def put_xml(folder: Path, name: str, root: Element) -> None:
    """Write an XML file, indented."""
    indent(root)
    put(folder, name, tostring(root, encoding="unicode") + "\n")


def child(parent: Element, tag: str, text: object = None) -> Element:
    """Add a child element, with a text if given."""
    element = SubElement(parent, tag)
    element.text = None if text is None else str(text)
    return element
