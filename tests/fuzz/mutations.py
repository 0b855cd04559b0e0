"""Seeded changes of good files: bytes, values of JSON and YAML, words of text, nodes of networks."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import onnx
import yaml

__all__ = ["mutated", "odd_graph", "odd_json", "odd_numbers", "odd_yaml"]

INTERESTING = (0, 1, 127, 128, 255)
NUMBERS = (-1, 0, 1, 2, 255, 65_535, 10**6, 10**9, 1 << 31, (1 << 63) - 1, 10**30, 1e308, float("nan"))
ODD: tuple[Any, ...] = (
    *NUMBERS,
    None,
    True,
    "",
    "x" * 300,
    "..",
    "/etc/passwd",
    "\x1b[31m",
    [],
    {},
    [[]],
    [1, 2],
)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut, repeated, moved or set to extremes."""
    raw = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        if raw:
            at, length = rng.randrange(len(raw)), rng.choice((1, 2, 4, 8, 64, 1 + len(raw) // 4))
            raw[at : at + length] = rng.choice(CHANGES)(bytes(raw[at : at + length]), rng)
    return bytes(raw) if rng.random() < 0.9 else bytes(raw)[: rng.randrange(len(raw) + 1)]


def _extreme(part: bytes, rng: random.Random) -> bytes:
    """A whole number that programs do not expect, and the rest as it was."""
    size = rng.choice((2, 4))
    value = rng.choice((0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)) & (256**size - 1)
    return value.to_bytes(size, rng.choice(("little", "big"))) + part[size:]


CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    lambda part, rng: bytes([rng.choice((*INTERESTING, rng.randrange(256)))]) + part[1:],
    lambda part, rng: bytes([part[0] ^ 1 << rng.randrange(8)]) + part[1:],
    lambda part, rng: b"",
    lambda part, rng: part * rng.choice((2, 4, 100)),
    lambda part, rng: rng.randbytes(len(part)),
    _extreme,
)


def with_odd_value(value: Any, rng: random.Random) -> Any:
    """JSON data with one value, somewhere inside, replaced, removed or repeated."""
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: with_odd_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.85:
        at = rng.randrange(len(value))
        if rng.random() < 0.1:
            return value * rng.choice((0, 2, 1000))
        return [*value[:at], with_odd_value(value[at], rng), *value[at + 1 :]]
    return rng.choice(ODD)


def odd_json(data: bytes, rng: random.Random) -> bytes:
    """A JSON file with odd values."""
    value = json.loads(data)
    for _ in range(rng.choice((1, 1, 3))):
        value = with_odd_value(value, rng)
    return json.dumps(value).encode()


def odd_yaml(data: bytes, rng: random.Random) -> bytes:
    """A YAML file with odd values, written as JSON, which is YAML too, or with an odd word."""
    if rng.random() < 0.3:
        return odd_numbers(data, rng)
    return odd_json(json.dumps(yaml.safe_load(data)).encode(), rng)


def odd_numbers(data: bytes, rng: random.Random) -> bytes:
    """A text file with one word or line replaced by something odd."""
    between = rng.choice((b" ", b"\n"))
    words = data.split(between)
    at = rng.randrange(len(words))
    words[at] = words[at][: rng.randrange(len(words[at]) + 1)] + str(rng.choice(ODD)).encode(errors="replace")
    return between.join(words)


def odd_graph(data: bytes, rng: random.Random) -> bytes:
    """An ONNX file with odd values in its card, or something odd in its graph."""
    model = onnx.load_from_string(data)
    for _ in range(rng.choice((1, 1, 3))):
        rng.choice(GRAPH_CHANGES)(model, rng)
    return bytes(model.SerializeToString())


def _odd_card(model: Any, rng: random.Random) -> None:
    entry = model.metadata_props[0]
    with suppress(ValueError):  # changed twice
        entry.value = odd_json(entry.value.encode(), rng).decode()


def _odd_node(model: Any, rng: random.Random) -> None:
    """Another operator, other or no inputs, or the node away or twice."""
    nodes = model.graph.node
    node = rng.choice(nodes)
    match rng.randrange(5):
        case 0:
            node.op_type = rng.choice([other.op_type for other in nodes] + list(OPERATORS))
        case 1 if node.input:
            node.input[rng.randrange(len(node.input))] = rng.choice(["", "rgb", *nodes[0].output, "nobody"])
        case 2 if node.output:
            node.output[rng.randrange(len(node.output))] = rng.choice(["", "rgb", *nodes[-1].output])
        case 3 if len(nodes) > 1:
            nodes.remove(node)
        case _:
            nodes.append(node)


def _odd_attribute(model: Any, rng: random.Random) -> None:
    attributes = [attribute for node in model.graph.node for attribute in node.attribute]
    if not attributes:
        return
    attribute = rng.choice(attributes)
    if attribute.ints:
        attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(WHOLE)
    elif rng.random() < 0.5:
        attribute.i = rng.choice(WHOLE)
    else:
        attribute.type = rng.randrange(12)


def _odd_weights(model: Any, rng: random.Random) -> None:
    """Another shape, type or content of a constant."""
    if not model.graph.initializer:
        return
    tensor = rng.choice(model.graph.initializer)
    match rng.randrange(3):
        case 0 if tensor.dims:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(WHOLE)
        case 1:
            tensor.data_type = rng.randrange(24)
        case _:
            tensor.raw_data = mutated(tensor.raw_data, rng)


def _odd_shape(model: Any, rng: random.Random) -> None:
    """Another type, size or number of what goes in or out."""
    values = rng.choice((model.graph.input, model.graph.output))
    if not values:
        return
    tensor = rng.choice(values).type.tensor_type
    match rng.randrange(4):
        case 0 if tensor.shape.dim:
            rng.choice(tensor.shape.dim).dim_value = rng.choice(WHOLE)
        case 1 if tensor.shape.dim:
            del tensor.shape.dim[rng.randrange(len(tensor.shape.dim))]
        case 2:
            tensor.elem_type = rng.randrange(24)
        case _:
            values.append(rng.choice(values))


OPERATORS = (
    "Expand",
    "Tile",
    "Resize",
    "Range",
    "NonZero",
    "Reshape",
    "Loop",
    "If",
    "Softmax",
    "ConstantOfShape",
)
WHOLE = (-1, 0, 1, 2, 3, 255, 65_535, 10**6, 1 << 31, (1 << 63) - 1)
GRAPH_CHANGES: tuple[Callable[[Any, random.Random], object], ...] = (
    _odd_card, _odd_card, _odd_node, _odd_attribute, _odd_weights, _odd_shape,
)  # fmt: skip
