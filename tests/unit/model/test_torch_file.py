"""PyTorch files without PyTorch: both forms, views of a storage, and no call of anything by name."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torch_files import EMPTY, number, older_form, table, tensor, text, whole, zip_form, zipped
from yolo_cli.errors import DataError
from yolo_cli.model.torch_file import read_torch_file

TENSORS = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) / 8,
    "norm.num_batches_tracked": np.array(7, np.int64),
    "half": np.array([0.5, -2.0], np.float16),
    "double": np.array([[1e300]]),
}
FORMS = {"older": older_form, "zip": zip_form}


def read(data, tmp_path):
    path = tmp_path / "it.pth"
    path.write_bytes(data)
    return read_torch_file(path)


def fault_of(data, tmp_path):
    with pytest.raises(DataError) as caught:
        read(data, tmp_path)
    line = str(caught.value)
    assert "\n" not in line
    assert "it.pth: is not a PyTorch file with tensors by name (" in line
    return line


@pytest.mark.parametrize("form", FORMS)
def test_names_types_shapes_and_values_come_back(form, tmp_path):
    found = read(FORMS[form](TENSORS), tmp_path)
    assert list(found) == list(TENSORS)
    for name, array in TENSORS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def view(shape, steps, offset, count=6):
    """A file whose one tensor "t" looks at the storage 0, 1, 2, 3, 4, 5."""
    values = np.arange(6, dtype=np.float32)
    program = EMPTY + b"(" + text("t") + tensor("k", "<f4", shape, steps, offset, count) + b"u"
    return zipped({"a/data.pkl": whole(program), "a/data/k": values.tobytes()})


@pytest.mark.parametrize(
    ("shape", "steps", "offset", "expected"),
    [
        ((2, 3), (3, 1), 0, [[0, 1, 2], [3, 4, 5]]),
        ((3, 2), (1, 3), 0, [[0, 3], [1, 4], [2, 5]]),  # the transposed view of the same values
        ((2, 2), (3, 1), 1, [[1, 2], [4, 5]]),
        ((3,), (2,), 1, [1, 3, 5]),
        ((), (), 4, 4),
    ],
)
def test_a_tensor_can_be_a_view_of_its_storage(shape, steps, offset, expected, tmp_path):
    np.testing.assert_array_equal(read(view(shape, steps, offset), tmp_path)["t"], expected)


@pytest.mark.parametrize(
    ("shape", "steps", "offset"),
    [
        ((7,), (1,), 0),
        ((2, 3), (3, 1), 1),
        ((3,), (3,), 0),
        ((1,), (1,), 6),
        ((3,), (-1,), 2),
        ((1,), (1,), -1),
    ],
)
def test_no_tensor_reaches_beyond_its_storage(shape, steps, offset, tmp_path):
    assert "reaches beyond its values" in fault_of(view(shape, steps, offset), tmp_path)


class Stranger:
    """What a hostile file would have its reader call."""

    def __reduce__(self):
        return (print, ("called",))


def test_nothing_is_called_by_name(tmp_path, capsys):
    for data in (pickle.dumps({"t": Stranger()}, protocol=2), pickle.dumps(Stranger(), protocol=4)):
        fault_of(zipped({"a/data.pkl": data}), tmp_path)
        fault_of(data, tmp_path)
    older = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps(Stranger(), 2)
    assert "asks for __builtin__.print" in fault_of(older, tmp_path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["os system", "builtins eval", "builtins getattr", "torch._utils _rebuild"])
def test_names_that_tables_of_tensors_do_not_need_are_refused(name, tmp_path):
    program = EMPTY + b"(" + text("t") + f"c{name.replace(' ', chr(10))}\n".encode() + b"u"
    assert f"asks for {name.replace(' ', '.')}" in fault_of(zipped({"a/data.pkl": whole(program)}), tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        zipped({"a.txt": b""}),
        zipped({"a/data.pkl": whole(number(3))}),
        zipped({"a/data.pkl": whole(EMPTY + b"(" + text("t") + number(3) + b"u")}),
        zipped({"a/data.pkl": whole(table(TENSORS))}),  # no storages
        pickle.dumps({"a": 1}),
        older_form(TENSORS)[:200],
        older_form(TENSORS).replace(b"little_endian\x88", b"little_endian\x89"),
    ],
)
def test_other_files_are_one_line(data, tmp_path):
    fault_of(data, tmp_path)


def test_a_file_that_is_cut_off_says_so(tmp_path):
    assert "it is cut off" in fault_of(older_form(TENSORS)[:-8], tmp_path)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"no\.pth: no such file"):
        read_torch_file(tmp_path / "no.pth")


@pytest.mark.parametrize("form", FORMS)
@given(st.data())
@settings(max_examples=150)
def test_damaged_bytes_give_tensors_or_one_line(form, tmp_path_factory, data):
    content = bytearray(FORMS[form](TENSORS))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    folder = tmp_path_factory.mktemp("torch")
    try:
        found = read(bytes(content[:cut]) if data.draw(st.booleans()) else bytes(content), folder)
    except DataError as fault:
        assert "\n" not in str(fault)  # noqa: PT017
    else:
        assert all(isinstance(array, np.ndarray) for array in found.values())
