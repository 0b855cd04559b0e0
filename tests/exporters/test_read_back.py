"""Other programs read what `yolo convert` writes: the same images, classes and boxes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.there_and_back import contents, make_images, memory_set
from yolo_cli.datasets.converting import Output, convert

BOXES = {
    "a": [[0, 8, 12, 40, 36], [1, 0.3, 0.1, 16.7, 24]],
    "b": [],
    "c": [[2, 1.5, 2.25, 600.125, 400]],
    "d": [[0, 1, 2, 30, 31]],
}
# supervision has float32, Datumaro rounds to hundredths; Datumaro leaves VOC's numbers from 1 as they are.
PROGRAMS = {
    "pycocotools": ("coco", 1e-9),
    "supervision_yolo": ("yolo", 1e-4),
    "supervision_coco": ("coco", 1e-4),
    "supervision_voc": ("voc", 1e-4),
    "labelme": ("labelme", 1e-9),
    "label_studio": ("label-studio", 1e-9),
    "datumaro_cvat": ("cvat", 0.0051),
    "datumaro_openimages": ("openimages", 0.0051),
    "datumaro_coco": ("coco", 0.0051),
    "datumaro_voc": ("voc", 1.0051),
    "hugging_face": ("parquet", 1e-9),
}


def read_back(program: str, folder: Path) -> dict[str, list[list]]:
    python = os.environ.get("YOLO_CLI_EXPORTERS_PYTHON")
    if not python:
        pytest.skip("YOLO_CLI_EXPORTERS_PYTHON names no Python with tests/exporters/requirements.txt")
    script = Path(__file__).with_name("read_back.py")
    run = subprocess.run([python, script, program, folder], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_reads_the_same(tmp_path: Path, program: str) -> None:
    form, tolerance = PROGRAMS[program]
    dataset = memory_set(make_images(tmp_path / "in"), BOXES)
    convert([dataset], Output(form, tmp_path / "out"))
    read = read_back(program, tmp_path / "out")
    ours = {stem: sorted(map(list, rows)) for (_, stem), rows in contents(dataset).items()}
    assert read.keys() == ours.keys()
    for stem, rows in ours.items():
        theirs = sorted(read[stem])  # Datumaro has an order of its own
        assert [row[0] for row in theirs] == [row[0] for row in rows]
        edges = [np.array([row[1:] for row in part], float).reshape(-1, 4) for part in (theirs, rows)]
        np.testing.assert_allclose(*edges, rtol=0, atol=tolerance)


def test_a_polygon_is_a_polygon_there(tmp_path: Path) -> None:
    from yolo_cli.datasets.extras import Extra

    ring = (8.0, 12.0, 40.0, 12.0, 40.0, 36.0)
    dataset = memory_set(make_images(tmp_path / "in"), {"a": [BOXES["a"][0]]}, extra=Extra(polygons=(ring,)))
    convert([dataset], Output("labelme", tmp_path / "out"))
    assert read_back("labelme", tmp_path / "out") == {"a": [["milk bottle", *ring]]}
