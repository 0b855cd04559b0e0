"""What an ``.onnx`` file of a stranger may ask for: checked when it is opened, and before it runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError
from yolo_cli.graphs import without_weights
from yolo_cli.limits import MAX_MODEL, network_bytes, read_file

__all__ = ["OPENED_FOR", "check_content", "check_network", "check_signature"]

OPENED_FOR = 3 * 416 * 416  # bytes of the batch that networks are opened for; larger ones ask again
_EXTERNAL = b"\x0a\x08location\x12"  # the key of an entry of TensorProto.external_data

_LOOPS = (b'"\x04Loop', b'"\x04Scan', b'"\x0bSequenceMap')  # NodeProto.op_type


def check_content(source: Path | bytes, name: str) -> int:
    """The size of a file in bytes; one whose weights are in other files, or that has loops, is refused.

    Raises:
        DataError: if they are, or it has.
    """
    try:
        pieces = list(without_weights(source))
    except ValueError:  # fields that ONNX does not have: ONNX Runtime may be able to read them
        pieces = [source if isinstance(source, bytes) else read_file(source, name, MAX_MODEL, "model")]
    if any(_EXTERNAL in piece for piece in pieces):
        raise DataError(f"{name}: its weights are in other files; save it as one file")
    if any(loop in piece for piece in pieces for loop in _LOOPS):
        raise DataError(f"{name}: holds a loop, which may never end; no network for images needs one")
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def check_signature(inputs: Sequence[str], outputs: Sequence[str], name: str) -> None:
    """Raise a DataError unless a network takes one array of numbers, and returns some.

    Args:
        inputs: the type of each input, such as "tensor(uint8)" or "u8".
        outputs: of each output.
        name: the file's, for messages.
    """
    if len(inputs) != 1 or not outputs:
        raise DataError(
            f"{name}: has {len(inputs)} inputs and {len(outputs)} outputs, but a detector has one input"
        )
    wrong = [kind for kind in outputs if kind not in ("tensor(float)", "f32", "f16", "bf16")]
    if inputs[0] not in ("tensor(uint8)", "tensor(float)", "u8", "f32") or wrong:
        kinds = f"{inputs[0]} to {', '.join(outputs)[:60]}"
        raise DataError(f"{name}: maps {kinds}, but a detector maps uint8 or float32 to float32")


def check_network(network: Any, given: int, stored: int, name: str) -> None:
    """Raise a DataError if a network of OpenVINO would need too much memory at its fixed shape.

    Counted are the values that exist at the same time, if each is freed after its last use.

    Args:
        network: of static shapes, as after ``reshape``.
        given: bytes of the batch.
        stored: bytes of the file.
        name: the file's, for messages.
    """
    most = network_bytes(given, stored)
    last: dict[str, int] = {}
    steps = [step for step in network.get_ordered_ops() if step.get_type_name() != "Constant"]
    for at, step in enumerate(steps):
        for value in step.input_values():
            last[value.get_node().get_name()] = at
    alive, ending = 0, dict[int, int]()
    for at, step in enumerate(steps):
        size = _bytes_of(step, name)
        alive += size
        if alive > most:
            raise DataError(f"{name}: asks for over {most >> 20:,} MiB of memory; no network for images does")
        end = last.get(step.get_name(), at)
        ending[end] = ending.get(end, 0) + size
        alive -= ending.pop(at, 0)


def _bytes_of(step: Any, name: str) -> int:
    """Bytes of the outputs of one operation."""
    shapes = [output.get_partial_shape() for output in step.outputs()]
    if any(shape.is_dynamic for shape in shapes):
        raise DataError(
            f"{name}: the memory that {step.get_type_name()} in it takes is not known; try --engine onnx"
        )
    kinds = (output.get_element_type().size or 1 for output in step.outputs())
    return sum(math.prod(shape.to_shape()) * size for shape, size in zip(shapes, kinds, strict=True))
