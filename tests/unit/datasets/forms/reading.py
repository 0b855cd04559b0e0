"""Read one label file beside one image, and show what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.made_sets import write_image, write_json, write_text
from yolo_cli.datasets import Dataset, read_dataset

__all__ = ["boxes", "read_json_beside", "read_text_beside", "refusals"]

SIZE = (100, 50)  # width, height


def read_json_beside(folder: Path, document: Any, name: str = "a.json", **options: Any) -> Dataset:
    """The data set of a JSON file beside a.png of 100 x 50."""
    write_image(folder / "a.png", SIZE)
    write_json(folder / name, document)
    return read_dataset(folder, **options)


def read_text_beside(folder: Path, text: str, name: str, **options: Any) -> Dataset:
    """The same of a text file."""
    write_image(folder / "a.png", SIZE)
    write_text(folder / name, text)
    return read_dataset(folder, **options)


def boxes(dataset: Dataset) -> list[tuple[str, tuple[float, ...]]]:
    """Class name and edges, to a millionth of a pixel, of every box."""
    return [
        (dataset.class_names[class_id], tuple(round(float(edge), 6) for edge in edges))
        for sample in dataset.samples
        for class_id, edges in zip(sample.ground_truth.class_id, sample.ground_truth.xyxy, strict=True)
    ]


def refusals(dataset: Dataset) -> list[str]:
    """What the findings say that leave something out."""
    return [finding.what for finding in dataset.findings if finding.code not in ("Y405", "Y504")]
