"""Seeded changes of good files: bytes, values of JSON, words of text."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

__all__ = ["mutated", "odd_json", "odd_numbers"]

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
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: with_odd_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
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


def odd_numbers(data: bytes, rng: random.Random) -> bytes:
    """A text file with one word replaced by something odd."""
    words = data.split(b" ") if rng.random() < 0.5 else data.split(b"\n")
    at = rng.randrange(len(words))
    words[at] = words[at][: rng.randrange(len(words[at]) + 1)] + str(rng.choice(ODD)).encode(errors="replace")
    return (b" " if b" " in data and rng.random() < 0.5 else b"\n").join(words)
