"""Writes PyTorch files without PyTorch: the bytes of the pickle, one operation after the other."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

import numpy as np

MAGIC = b"\x80\x02\x8a\n" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little") + b"."
TYPES = {"<f2": "Half", "<f4": "Float", "<f8": "Double", "<i4": "Int", "<i8": "Long"}
Tables = Mapping[str, np.ndarray]


def older_form(tensors: Tables) -> bytes:
    """Magic number, version 1001, machine, table, keys; then length and values of each storage."""
    machine = b"}(" + text("little_endian") + b"\x88u"
    keys = b"](" + b"".join(text(str(i)) for i in range(len(tensors))) + b"e"
    pickles = [whole(number(1001)), whole(machine), whole(table(tensors, b"N")), whole(keys)]
    storages = [struct.pack("<q", a.size) + np.ascontiguousarray(a).tobytes() for a in tensors.values()]
    return MAGIC + b"".join(pickles) + b"".join(storages)


def zip_form(tensors: Tables, below: str = "") -> bytes:
    """A zip archive with the table in data.pkl and each storage in a file of its own.

    With ``below``, the table is the value of that name in a dictionary that has a number beside it.
    """
    program = table(tensors)
    if below:
        program = b"}(" + text("epoch") + number(3) + text(below) + program + b"u"
    members = {"mine/data.pkl": whole(program), "mine/version": b"3\n"}
    for i, array in enumerate(tensors.values()):
        members[f"mine/data/{i}"] = np.ascontiguousarray(array).tobytes()
    return zipped(members)


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def whole(program: bytes) -> bytes:
    return b"\x80\x02" + program + b"."


def table(tensors: Tables, view: bytes = b"") -> bytes:
    """An OrderedDict of tensors, with the attribute that PyTorch gives it."""
    entries = [
        text(name) + tensor(str(i), array.dtype.str, array.shape, strides(array), 0, array.size, view)
        for i, (name, array) in enumerate(tensors.items())
    ]
    attributes = b"}" + text("_metadata") + EMPTY + b"s"
    return EMPTY + b"(" + b"".join(entries) + b"u" + attributes + b"b"


def tensor(key, dtype, shape, steps, offset, count, view=b"") -> bytes:
    """A call of torch._utils._rebuild_tensor_v2 with a storage, an offset, a shape and strides."""
    kind = f"ctorch\n{TYPES[dtype]}Storage\n".encode()
    storage = b"(" + text("storage") + kind + text(key) + text("cpu") + number(count) + view + b"tQ"
    arguments = storage + number(offset) + numbers(shape) + numbers(steps) + b"\x89" + EMPTY
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + arguments + b"tR"


def strides(array: np.ndarray) -> list[int]:
    return [step // array.itemsize for step in np.array(array, order="C").strides]


def numbers(values) -> bytes:
    return b"(" + b"".join(number(value) for value in values) + b"t"


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


EMPTY = b"ccollections\nOrderedDict\n)R"
