"""Omniglot one-shot: errors of both losses; see `tests.omniglot`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.omniglot import LOSSES, SEEDS, SETS, one_run, unzip
from tests.shared import needs_shared

pytestmark = [pytest.mark.slow, needs_shared("data", "omniglot")]

MOST_ERRORS = {"triplet": 0.15, "siamese": 0.15}  # mean of both sets and three seeds


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return unzip(tmp_path_factory.mktemp("omniglot"))


@pytest.mark.parametrize("loss", LOSSES)
def test_one_shot_error(folder, loss, capsys):
    errors = []
    for name in SETS:
        for seed in SEEDS:
            error, figures = one_run(folder, loss, name, seed)
            errors.append(error)
            with capsys.disabled():
                print(f"\n{loss}, {name}, seed {seed}: error {error:.1%}; {figures}")
    assert np.mean(errors) <= MOST_ERRORS[loss]
