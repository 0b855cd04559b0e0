"""A card survives JSON; anything else is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model_files import CARD
from yolo_cli.codec import Head
from yolo_cli.errors import DataError
from yolo_cli.limits import name_fault
from yolo_cli.weights import ModelCard
from yolo_cli.weights.card import card_text

FULL = replace(
    CARD,
    suppression="diounms",
    beta=0.7,
    licence="Apache-2.0",
    origin="made by hand",
    training_data="none",
    source={"cfg": "it.cfg"},
    figures=("mAP50 0.5 on nothing",),
    limits=("sees nothing", "hears nothing"),
)
sides = st.floats(0.5, 2000, allow_nan=False)
heads = st.builds(
    Head,
    kind=st.sampled_from(["yolo", "new_coords", "region"]),
    anchors=st.lists(st.tuples(sides, sides), min_size=1, max_size=3).map(tuple),
    stride=st.sampled_from([8, 16, 32]),
    class_count=st.just(2),
    scale_x_y=st.floats(1, 2),
) | st.builds(Head, st.just("gfl"), st.just(()), st.integers(1, 64), st.just(2), bins=st.integers(1, 9))
names = st.text(min_size=1, max_size=60).filter(lambda name: not name_fault(name))
texts = st.text(st.characters(exclude_categories=["Cs"]))
cards = st.builds(
    ModelCard,
    name=names,
    class_names=st.just(("cat", "Straßenbahn")),
    heads=st.lists(heads, min_size=1, max_size=3).map(tuple),
    input_size=st.tuples(st.integers(32, 640), st.integers(32, 640)),
    resize=st.sampled_from(["letterbox", "stretch"]),
    suppression=st.sampled_from(["iou", "greedynms", "diounms", "soft"]),
    source=st.dictionaries(texts, texts, max_size=2),
    figures=st.lists(texts, max_size=2).map(tuple),
)


@given(cards)
def test_a_card_comes_back_as_it_was(card):
    assert ModelCard.from_json(card.to_json(), "here") == card


def test_every_field_comes_back():
    again = ModelCard.from_json(FULL.to_json(), "here")
    assert again == FULL
    assert hash(again.heads) == hash(FULL.heads)  # tuples all the way down, as before
    assert isinstance(again.input_size, tuple)


def test_names_stay_readable_in_the_file():
    assert "Straßenbahn" in CARD.to_json()


def without(key):
    values = json.loads(FULL.to_json())
    del values[key]
    return json.dumps(values)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "its model card cannot be read"),
        ("{", "its model card cannot be read"),
        ("[]", "its model card cannot be read"),
        ("null", "its model card cannot be read"),
        ("{}", "its model card cannot be read (it has no format)"),
        (without("heads"), "its model card cannot be read (it has no heads)"),
        (without("class_names"), "its model card cannot be read (it has no class_names)"),
        (FULL.to_json().replace('"beta"', '"alpha"'), "its model card cannot be read"),
        (FULL.to_json().replace('"stride": 32', '"step": 32'), "its model card cannot be read"),
        (FULL.to_json().replace("[10.0, 20.5]", "[10.0]"), "its model card cannot be read"),
        (
            FULL.to_json().replace('"format": 1', '"format": 2'),
            "its model card cannot be read (it has format 2, but",
        ),
    ],
)
def test_what_is_no_card_is_one_line(text, says):
    with pytest.raises(DataError) as caught:
        ModelCard.from_json(text, "a.onnx")
    assert str(caught.value).startswith(f"a.onnx: {says}")
    assert "\n" not in str(caught.value)


def test_the_markdown_has_every_field():
    page = card_text(FULL, {"mine.keras": "abc"})
    for words in (
        "# mine",
        "2 classes, input 256 x 320 pixels (letterbox), suppression diounms.",
        "**Licence.** Apache-2.0",
        "- cfg: `it.cfg`",
        "- mine.keras: `abc`",
        "- mAP50 0.5 on nothing",
        "- hears nothing",
        "- yolo, stride 32, anchors 10x20.5, 30x40",
        "**Classes.** cat, Straßenbahn",
    ):
        assert words in page
    assert "**Figures**" not in card_text(CARD, {})


def test_the_markdown_states_whether_confidences_are_calibrated():
    assert "**Calibration.** None: a confidence of 0.5" in card_text(CARD, {})
    calibrated = replace(CARD, calibration=((0.0, 1.0), (0.0, 0.8)))
    assert "**Calibration.** Confidences are calibrated: 0.1 → 0.08, 0.25 → 0.20" in card_text(calibrated, {})


@pytest.mark.parametrize(
    "head",
    [
        Head("gfl", ((1.0, 2.0),), 8, 2, bins=8),
        Head("gfl", (), 8, 2),
        Head("yolo", (), 8, 2),
        Head("yolo", ((1.0, 2.0),), 8, 2, bins=8),
        Head("gfl", (), 8, 2, bins=101),
    ],
)
def test_a_head_has_either_anchors_or_distances(head):
    with pytest.raises(DataError, match=r"it\.keras: its model card cannot be read"):
        ModelCard.from_json(replace(CARD, heads=(head,)).to_json(), "it.keras")


def test_the_last_grid_of_distance_heads_is_rounded_up():
    """Strides 8, 16, 32 and 64: multiples of 32 will do. With anchors, the largest stride decides."""
    gfl, yolo = (tuple(Head(kind, (), 2**n, 2, bins=8) for n in (3, 4, 5, 6)) for kind in ("gfl", "yolo"))
    assert replace(CARD, heads=gfl).size_step == 32
    assert replace(CARD, heads=yolo).size_step == 64
    assert replace(CARD, heads=gfl[-1:]).size_step == 64
    assert "- gfl, stride 64, 8 distances a side" in card_text(replace(CARD, heads=gfl), {})
