"""Which units of a layer are shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from yolo_cli.visualisation.excitation import _choosiest


def test_of_few_images_the_unit_that_prefers_one_comes_first() -> None:
    # The strongest responses in three images. Unit 1 likes the second: (9 − 3) / 4.24 = 1.41 deviations above
    # its mean. Unit 2 likes two of them: (4 − 3.33) / 0.94 = 0.71. Unit 0 answers all alike: 0.
    top = np.array([[5.0, 0.0, 2.0], [5.0, 9.0, 4.0], [5.0, 0.0, 4.0]])
    layer = cast("Any", SimpleNamespace(name="layer", box=lambda row, column: (0, 0, 1, 1)))
    samples = cast("Any", [SimpleNamespace(name=f"{n}.jpg") for n in range(3)])
    units = _choosiest(layer, top, np.zeros((3, 3), np.intp), samples, 1)
    assert [unit.channel for unit in units] == [1, 2, 0]
    assert units[0].patches[0].image == "1.jpg"
