"""Archives with damaged bytes: a data set or one line, and nothing outside the temporary folder."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.made_sets import write_yolo
from tests.unit.datasets.test_archives import SUFFIXES, pack
from yolo_cli.datasets import read_dataset
from yolo_cli.errors import UserError


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_bytes(tmp_path: Path, suffix: str) -> None:
    archive = pack(write_yolo(tmp_path / "set"), tmp_path / f"x{suffix}")
    original = archive.read_bytes()
    for seed in range(60):
        chance = random.Random(seed)
        data = bytearray(original)
        for _ in range(chance.choice((1, 3, 20))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        archive.write_bytes(data[: chance.randrange(len(data))] if seed % 5 == 0 else data)
        try:
            read_dataset(archive)
            line = ""
        except UserError as caught:
            line = str(caught)
        assert "\n" not in line, seed
        assert len(line) < 2000, seed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", archive.name]
