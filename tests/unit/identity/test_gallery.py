"""The gallery's file: read back, refused where it is another's, and never half written."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.unit.identity.galleries import gallery, unit
from yolo_cli.errors import DataError
from yolo_cli.identity import Entry, changed_gallery, read_gallery, twins


@pytest.fixture
def path(tmp_path):
    """A gallery of a mug with two photos."""
    file = tmp_path / "g.json"
    with changed_gallery(file, "made", "abc") as known:
        known.entries += gallery(mug=[0, 30]).entries
    return file


def test_what_is_written_is_read(path):
    known = read_gallery(path, "abc")
    assert known.names == {"mug": 2}
    np.testing.assert_allclose(known.embeddings, [unit(0), unit(30)], atol=1e-6)
    assert (known.model, known.entries[1].photo) == ("made", "30.jpg")


def test_another_model_is_one_line(path):
    with pytest.raises(DataError, match=r"g.json: was made with another embedding, a model called 'made'"):
        read_gallery(path, "def")


def test_a_missing_gallery_says_how_to_make_one(tmp_path):
    with pytest.raises(DataError, match="no such file; `yolo identify learn"):
        read_gallery(tmp_path / "none.json")


def test_forget(path):
    with changed_gallery(path) as known:
        assert known.forget("mug") == 2
        assert known.forget("jug") == 0
    assert read_gallery(path).names == {}


def test_a_failure_leaves_the_file_as_it_was(path):
    before = path.read_bytes()

    def fail() -> None:
        with changed_gallery(path) as known:
            known.entries.clear()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["g.json"]


def test_writers_at_once_lose_nothing(path):
    def add(number: int) -> None:
        with changed_gallery(path) as known:
            known.entries.append(Entry(f"n{number}", "a.jpg", unit(number)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    assert len(read_gallery(path).names) == 25


ENTRY = {"name": "a", "photo": "p", "embedding": [1.0, 0.0]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "is not a gallery"),
        ({"more": 1}, "is not a gallery"),
        ({"entries": {}}, "not a list"),
        ({"entries": [7]}, "entry 1: does not have the fields"),
        ({"entries": [{**ENTRY, "name": "a\nb"}]}, "entry 1: name holds a control character"),
        ({"entries": [{**ENTRY, "embedding": "12"}]}, "entry 1: embedding is not a list of numbers"),
        ({"entries": [{**ENTRY, "embedding": [1e300]}]}, "embedding is not a list of numbers"),
        ({"entries": [{**ENTRY, "embedding": [float("nan")]}]}, "embedding is not a list of numbers"),
        ({"entries": [{**ENTRY, "embedding": [True]}]}, "embedding is not a list of numbers"),
        ({"entries": [ENTRY, {**ENTRY, "embedding": [1.0]}]}, "its embeddings have 2 lengths"),
    ],
)
def test_a_file_of_a_stranger_is_one_line(path, change, words):
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataError, match=words) as fault:
        read_gallery(path)
    assert "\n" not in str(fault.value)


def test_a_gallery_of_another_length_is_one_line(path):
    assert len(read_gallery(path, length=2).entries) == 2
    with pytest.raises(DataError, match=r"g.json: its embeddings have 2 numbers, those of 'made' 128; learn"):
        read_gallery(path, length=128)


@pytest.mark.parametrize("data", [b'{"format": "caf\xe9"}', b"\x80\x04K", "{}".encode("utf-16-le")])
def test_a_gallery_that_is_no_text_names_no_option(path, data):
    path.write_bytes(data)
    with pytest.raises(DataError, match="is not text") as fault:
        read_gallery(path)
    assert "--encoding" not in fault.value.text


def test_twins_are_equal_up_to_rounding():
    # 0.001 degrees are 1.7e-5 of the length, 1 degree 1.7e-2; the length does not matter.
    known = np.stack([unit(0), unit(0.001), unit(1), 2 * unit(0)])
    assert twins(unit(0)[None], known).tolist() == [[True, True, False, False]]
    assert twins(1e-3 * known, 1e-3 * known)[0].tolist() == [True, True, False, False]
