"""Any content of a cfg or weights file gives a network with its card, or one plain line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks import EVERY_LAYER
from tests.tiny import CFG, VALUES, write_tiny
from yolo_cli.darknet import read_cfg, read_names, read_weights
from yolo_cli.errors import DataError
from yolo_cli.weights.darknet_import import card_of

WORDS = ["0", "-1", "2", "3", "1.5", "nan", "inf", "1e30", "", "x", "1,2", "999999999999"]


def card_or_line(folder, text):
    """What an import does before it builds the network; only a DataError of one line may come of it."""
    files = write_tiny(folder, cfg=text, values=np.zeros(VALUES))
    line = "a card"
    try:
        network = read_cfg(files.cfg)
        card_of(network, read_names(files.names), "it")
        read_weights(files.weights, network)
    except DataError as fault:
        line = str(fault)
    assert line
    assert "\n" not in line


@given(st.data())
@settings(max_examples=300)
def test_any_value_of_any_option(tmp_path_factory, data):
    lines = data.draw(st.sampled_from([CFG, EVERY_LAYER])).splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([i for i, line in enumerate(lines) if "=" in line]))
        lines[place] = f"{lines[place].split('=')[0]}={data.draw(st.sampled_from(WORDS))}"
    card_or_line(tmp_path_factory.mktemp("cfg"), "\n".join(lines))


@given(st.data())
@settings(max_examples=200)
def test_lines_that_are_lost_doubled_or_moved(tmp_path_factory, data):
    lines = data.draw(st.sampled_from([CFG, EVERY_LAYER])).splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        here, there = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        match data.draw(st.sampled_from(["lose", "double", "move"])):
            case "lose":
                del lines[here]
            case "double":
                lines.insert(there, lines[here])
            case _:
                lines.insert(there, lines.pop(here))
    card_or_line(tmp_path_factory.mktemp("cfg"), "\n".join(lines))


@given(st.binary(max_size=200))
def test_any_bytes_as_a_cfg(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("cfg") / "it.cfg"
    path.write_bytes(data)
    with pytest.raises(DataError):
        read_cfg(path)


@given(st.data())
def test_any_bytes_as_weights(tmp_path_factory, data):
    files = write_tiny(tmp_path_factory.mktemp("weights"))
    whole = files.weights.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    files.weights.write_bytes(whole[:cut] + data.draw(st.binary(max_size=40)))
    network = read_cfg(files.cfg)
    try:
        found, _ = read_weights(files.weights, network)
    except DataError as fault:
        assert "\n" not in str(fault)  # noqa: PT017
    else:
        assert all(np.isfinite(values.kernel).all() for values in found.values())
