"""The tensors of a PyTorch ``.pth`` file, read without PyTorch.

Such a file is a pickle: a small program that builds objects, and that may call any function by name. This
reader supports only what a table of tensors needs: it calls nothing by name and refuses all globals except
those of tensors, so that untrusted files are safe.

Both formats are read: the zip archive of PyTorch 1.6 and later, and the older sequence of pickles followed by
the values.
"""

from __future__ import annotations

import io
import math
import pickletools
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, unreadable
from yolo_cli.limits import MAX_MODEL, check_size, open_zip, read_file, read_member

__all__ = ["read_torch_file"]

MAX_PICKLE = 8 << 20  # bytes of the table of tensors in a zip archive
MAX_STEPS = 1_000_000  # of a pickle; ten make a tensor
MAGIC = 0x1950A86A20F9469CFC6C  # the beginning of a file in the older format


class _Storage(NamedTuple):
    """An array of values: its key in the file, and NumPy type."""

    key: str
    dtype: str


class _Tensor(NamedTuple):
    """A view of a storage; offset and strides count values."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_file(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read a ``.pth`` file with tensors by name, as written by ``torch.save(model.state_dict(), …)``.

    They may be below the name ``state_dict``, with other plain values beside them.

    Returns:
        The tensors by name, in the file's order.

    Raises:
        DataError: if the file cannot be read, is not such a file, is truncated, or has other objects than
            tensors.
    """
    path = Path(path)
    try:
        data = read_file(path, most=MAX_MODEL, kind="model")
    except OSError as fault:
        raise unreadable(path, fault) from None
    try:
        read = _read_zip if zipfile.is_zipfile(io.BytesIO(data)) else _read_older
        table, storages = read(io.BytesIO(data))
        _check_tensors(table, len(data), str(path))
        return {str(name): _array(tensor, storages) for name, tensor in table.items()}
    except DataError:
        raise
    except Exception as fault:  # damaged bytes can fail anywhere
        reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:120]
        raise DataError(f"{path}: is not a PyTorch file with tensors by name ({reason})") from None


def _read_zip(file: BinaryIO) -> tuple[Mapping[str, _Tensor], Mapping[str, bytes]]:
    """The table in ``NAME/data.pkl``, and the values of each storage in ``NAME/data/KEY``."""
    with open_zip(file, "it") as archive:
        names = archive.namelist()
        size = file.seek(0, 2)
        pickled = next((name for name in names if name.endswith("/data.pkl")), None)
        if pickled is None:
            raise ValueError("it is a zip archive without data.pkl")
        folder = pickled.removesuffix("data.pkl") + "data/"
        table = _tensors(_Unpickler().load(io.BytesIO(read_member(archive, pickled, "it", MAX_PICKLE))))
        check_size(sum(member.file_size for member in archive.infolist()), size, "it", "its values")
        needed = {tensor.storage.key for tensor in table.values()}
        return table, {key: read_member(archive, folder + key, "it", MAX_MODEL) for key in needed}


def _read_older(file: BinaryIO) -> tuple[Mapping[str, _Tensor], Mapping[str, bytes]]:
    """Magic number, version, machine, table and keys; then each storage: number of values, and values."""
    if _Unpickler().load(file) != MAGIC:
        raise ValueError("it does not begin like one")
    _version, machine = _Unpickler().load(file), _Unpickler().load(file)
    if not machine["little_endian"]:
        raise ValueError("it was written on a big-endian machine")
    table = _tensors(_Unpickler().load(file))
    types = {tensor.storage.key: np.dtype(tensor.storage.dtype) for tensor in table.values()}
    storages = {}
    for key in _Unpickler().load(file):
        (count,) = struct.unpack("<q", file.read(8))
        size = count * types[key].itemsize
        storages[key] = file.read(size)
        if len(storages[key]) != size:
            raise ValueError("it is cut off")
    return table, storages


def _check_tensors(table: Mapping[str, _Tensor], stored: int, name: str) -> None:
    """Raise an error if the tensors take far more memory than the file, as views that repeat values do."""
    if not all(isinstance(tensor, _Tensor) for tensor in table.values()):
        raise ValueError("it holds other things than tensors")
    sizes = (math.prod(tensor.shape) * np.dtype(tensor.storage.dtype).itemsize for tensor in table.values())
    check_size(sum(sizes), stored, name, "its tensors")


def _tensors(loaded: Mapping[str, Any]) -> Mapping[str, _Tensor]:
    """The table of tensors: what was saved, or its ``state_dict``, as training programs save it."""
    inner = loaded.get("state_dict")
    return inner if isinstance(inner, Mapping) else loaded


def _array(tensor: _Tensor, storages: Mapping[str, bytes]) -> NDArray[Any]:
    """The values of ``tensor``, copied from its storage."""
    _, offset, shape, strides = tensor
    values = np.frombuffer(storages[tensor.storage.key], tensor.storage.dtype)  # (length of the storage,)
    last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    if min((offset, *strides)) < 0 or min(shape, default=1) < 1 or last >= len(values):
        raise ValueError("a tensor reaches beyond its values")
    steps = [step * values.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(values[offset:], shape, steps, writeable=False).copy()


class _Unpickler:
    """Interprets the subset of pickle's opcodes that tables of tensors need."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[int] = []  # the height of the stack at each open mark
        self._memo: dict[int, Any] = {}

    def load(self, file: BinaryIO) -> Any:
        """The object built by the pickle at the file's position, which moves past it."""
        for number, (opcode, argument, _) in enumerate(pickletools.genops(file)):
            if number > MAX_STEPS:
                raise ValueError("it has too many steps for a table of tensors")
            if opcode.name in _ARGUMENTS:
                self._stack.append(argument)
            elif opcode.name in _NEW:
                self._stack.append(_NEW[opcode.name]())
            elif opcode.name in _STEPS:
                _STEPS[opcode.name](self, argument)
            elif opcode.name not in ("PROTO", "STOP"):
                raise ValueError(f"it asks for {opcode.name}, which is refused")
        return self._stack.pop()

    def put(self, key: int) -> None:
        """Memoise the object on top."""
        self._memo[key] = self._stack[-1]

    def get(self, key: int) -> None:
        """Push a memoised object."""
        self._stack.append(self._memo[key])

    def mark(self, _: None) -> None:
        """Push a mark."""
        self._marks.append(len(self._stack))

    def tuple(self, count: int | None = None) -> None:
        """Replace the objects above the mark, or the top ``count``, by a tuple."""
        self._stack.append(tuple(self._row() if count is None else self._pop(count)))

    def items(self, _: None) -> None:
        """Add the keys and values above the mark to the dictionary below it."""
        row = self._row()
        keys = [_key(key) for key in row[::2]]
        self._stack[-1].update(zip(keys, row[1::2], strict=True))

    def item(self, _: None) -> None:
        """Add one key and its value to the dictionary below them."""
        key, value = self._pop(2)
        self._stack[-1][_key(key)] = value

    def extend(self, _: None) -> None:
        """Append the objects above the mark to the list below it."""
        row = self._row()
        self._stack[-1].extend(row)

    def name(self, text: str) -> None:
        """Push a global's name as text, never a callable."""
        if text not in _NAMES:
            raise ValueError(f"it asks for {text.replace(' ', '.')}, which is refused")
        self._stack.append(_NAMES[text])

    def reduce(self, _: None) -> None:
        """Evaluate a call: only an empty dictionary or a tensor."""
        what, arguments = self._pop(2)
        self._stack.append(_MADE[_key(what)](*arguments))

    def storage(self, _: None) -> None:
        """A persistent id of a storage is ("storage", type, key, device, length, …)."""
        _, dtype, key, *_rest = self._stack.pop()
        self._stack.append(_Storage(_key(key), _key(dtype)))

    def _pop(self, count: int) -> list[Any]:
        row = self._stack[-count:]
        del self._stack[-count:]
        return row

    def _row(self) -> list[Any]:
        start = self._marks.pop()
        row = self._stack[start:]
        del self._stack[start:]
        return row


def _key(value: Any) -> str:
    """A key, which must be text: Python hashes tuples in tuples by recursion without an end."""
    if not isinstance(value, str):
        raise TypeError(f"it has a {type(value).__name__} where a name belongs")
    return value


def _tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, _Storage) or not all(type(number) is int for number in numbers):
        raise TypeError("a tensor in it is described by other things than whole numbers")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _first(tensor: _Tensor, *_: Any) -> _Tensor:
    return tensor


_MADE: Mapping[str, Callable[..., Any]] = {"dict": dict, "parameter": _first, "tensor": _tensor}
_ARGUMENTS = frozenset(["BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"])
_NEW: Mapping[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
}
_STEPS: Mapping[str, Callable[[_Unpickler, Any], Any]] = {
    "BINPUT": _Unpickler.put,
    "LONG_BINPUT": _Unpickler.put,
    "BINGET": _Unpickler.get,
    "LONG_BINGET": _Unpickler.get,
    "MARK": _Unpickler.mark,
    "TUPLE": _Unpickler.tuple,
    "TUPLE1": lambda self, _: self.tuple(1),
    "TUPLE2": lambda self, _: self.tuple(2),
    "TUPLE3": lambda self, _: self.tuple(3),
    "SETITEM": _Unpickler.item,
    "SETITEMS": _Unpickler.items,
    "APPENDS": _Unpickler.extend,
    "GLOBAL": _Unpickler.name,
    "REDUCE": _Unpickler.reduce,
    "BINPERSID": _Unpickler.storage,
    "BUILD": lambda self, _: self._pop(1),  # attributes of a dictionary: versions, which are not needed
}
_NAMES: Mapping[str, str] = {
    "collections OrderedDict": "dict",
    "torch._utils _rebuild_tensor_v2": "tensor",
    "torch._utils _rebuild_parameter": "parameter",
    "torch HalfStorage": "<f2",
    "torch FloatStorage": "<f4",
    "torch DoubleStorage": "<f8",
    "torch IntStorage": "<i4",
    "torch LongStorage": "<i8",
}
