"""Detections in Parquet, as `yolo detect --ray` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from yolo_cli.errors import DataError
from yolo_cli.evaluation.parquet_results import _COLUMNS, _open

pa = pytest.importorskip("pyarrow", reason="needs pyarrow, the extra 'parquet'")


def written(path: Path, names: list[str]) -> Path:
    from pyarrow.parquet import write_table

    write_table(pa.table({name: [1] for name in names}), path)
    return path


def test_columns_that_it_needs_and_others(tmp_path: Path) -> None:
    assert _open(written(tmp_path / "exact.parquet", list(_COLUMNS))).metadata.num_rows == 1
    assert _open(written(tmp_path / "more.parquet", [*_COLUMNS, "note"])).metadata.num_rows == 1
    for missing in _COLUMNS:
        few = written(tmp_path / "few.parquet", [name for name in _COLUMNS if name != missing])
        with pytest.raises(DataError, match="needs the columns"):
            _open(few)
