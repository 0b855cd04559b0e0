"""A folder, whose images are detected several at a time, gives what its images give one by one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.shared import ROOT
from yolo_cli.cli import main
from yolo_cli.hardware import installed
from yolo_cli.images import read_image, write_image

OPTIONS = ["--no-save", "--format", "ndjson", "--imgsz", "224", "--conf", "0.05"]
TIMES = re.compile(r'"time_ms": \{[^}]*\}')


@pytest.mark.parametrize("engine", ["onnx", *(["openvino"] if installed("openvino") else [])])
def test_the_json_of_a_folder_is_that_of_each_image(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte, but for the times; from the 17th image on they are detected several at a time."""
    monkeypatch.setenv("YOLO_CLI_THREADS", "2")
    pixels = read_image(ROOT / "examples" / "astronaut.jpg").rgb
    for number in range(20):
        write_image(tmp_path / f"{number:02}.png", np.roll(pixels, 20 * number, axis=1)[:400, :300])
    images = sorted(map(str, tmp_path.iterdir()))

    def lines(*sources: str) -> list[str]:
        done = CliRunner().invoke(main, ["detect", *sources, *OPTIONS, "--engine", engine])
        assert done.exit_code == 0, done.output
        return TIMES.sub("", done.stdout).splitlines()

    folder = lines(str(tmp_path))
    assert len(folder) == 20
    assert sum('"class_name": "person"' in line for line in folder) > 10
    assert folder[:16] == lines(*images[:16])
    assert folder[16:] == [line for image in images[16:] for line in lines(image)]
