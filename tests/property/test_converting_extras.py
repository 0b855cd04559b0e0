"""What boxes have besides is kept there and back, where a form holds it; else the loss is counted."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.there_and_back import make_images, memory_set, same_boxes
from yolo_cli.datasets import Dataset, open_dataset
from yolo_cli.datasets.converting import Output, convert
from yolo_cli.datasets.extras import Extra
from yolo_cli.datasets.writing import FORMS

EDGES = (8.0, 12.0, 40.0, 36.0)  # in a.png, 64 x 48
LAW = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_images(tmp_path_factory.mktemp("images"))


@st.composite
def rings(draw: st.DrawFn) -> tuple[float, ...]:
    """A polygon whose edges are those of the box."""
    x1, y1, x2, y2 = EDGES
    corners = [(x1, draw(st.floats(y1, y2))), (draw(st.floats(x1, x2)), y1)]
    corners += [(x2, draw(st.floats(y1, y2))), (draw(st.floats(x1, x2)), y2)]
    return tuple(value for corner in corners for value in corner)


def kept(form: str, folder: Path, dataset: Dataset) -> tuple[tuple[str, ...], Dataset]:
    """What is lost, and the data set after writing and reading."""
    done = convert([dataset], Output(form, folder))
    read = open_dataset(folder, extras=True)
    same_boxes(dataset, read)
    shutil.rmtree(folder)
    return done.lost, read


def pixels(values: Any, form: str) -> np.ndarray:
    """Points (N, 2) in pixels of a.png; YOLO and Label Studio have fractions."""
    scale = (64, 48) if form in ("yolo", "label-studio") else (1, 1)
    return np.reshape(values, (-1, 2)) * scale


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if form.holds.polygons != "none"])
@LAW
@given(ring=rings())
def test_a_polygon(images: Path, tmp_path: Path, form: str, ring: tuple[float, ...]) -> None:
    dataset = memory_set(images, {"a": [[0, *EDGES]]}, extra=Extra(polygons=(ring,)))
    lost, found = kept(form, tmp_path / "out", dataset)
    [extra] = found.samples[0].extras
    assert lost == ()
    np.testing.assert_allclose(pixels(extra.polygons[0], form), np.reshape(ring, (-1, 2)), atol=1e-9)


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if form.holds.keypoints != "none"])
@LAW
@given(
    points=st.lists(
        st.tuples(st.floats(0, 64), st.floats(0, 48), st.sampled_from((1.0, 2.0))), min_size=2, max_size=2
    )
)
def test_key_points(images: Path, tmp_path: Path, form: str, points: list[tuple[float, ...]]) -> None:
    dataset = memory_set(
        images, {"a": [[0, *EDGES]], "c": [[1, 0, 0, 90, 90]]}, extra=Extra(keypoints=tuple(points))
    )
    dataset = replace(dataset, keypoint_names=("tail", "nose"), skeleton=((0, 1),))
    lost, found = kept(form, tmp_path / "out", dataset)
    holds, [extra] = FORMS[form].holds, found.samples[0].extras
    hidden = holds.keypoints == "visible" and any(point[2] == 1 for point in points)
    assert len(lost) == hidden + (not holds.skeleton)
    assert found.keypoint_names == ("tail", "nose")
    assert found.skeleton == (((0, 1),) if holds.skeleton else ())
    read = np.array(extra.keypoints)
    np.testing.assert_allclose(pixels(read[:, :2], form), np.array(points)[:, :2], atol=1e-9)
    assert read[:, 2].tolist() == [2 if holds.keypoints == "visible" else point[2] for point in points]


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if form.holds.attributes is None])
@LAW
@given(
    colour=st.sampled_from(("red", "dark blue", "é<&>")), flags=st.sets(st.sampled_from(("occluded", "worn")))
)
def test_attributes(images: Path, tmp_path: Path, form: str, colour: str, flags: set[str]) -> None:
    wanted = {"colour": colour, **dict.fromkeys(sorted(flags), True)}
    dataset = memory_set(images, {"a": [[0, *EDGES]]}, extra=Extra(attributes=wanted))
    lost, found = kept(form, tmp_path / "out", dataset)
    [extra] = found.samples[0].extras
    assert lost == ()
    read, ours = ({key: str(values[key]).lower() for key in values} for values in (extra.attributes, wanted))
    assert read == ours  # XML has only text


@pytest.mark.parametrize("flag", ["difficult", "crowd"])
@pytest.mark.parametrize("form", FORMS)
def test_flags(images: Path, tmp_path: Path, form: str, flag: str) -> None:
    dataset = memory_set(images, {"a": [[0, *EDGES]]}, **{flag: True})
    holds = getattr(FORMS[form].holds, flag)
    done = convert([dataset], Output(form, tmp_path / "out"))
    [label] = open_dataset(tmp_path / "out").samples
    assert getattr(label.labels, flag).tolist() == [holds]
    assert bool(done.lost) != holds
