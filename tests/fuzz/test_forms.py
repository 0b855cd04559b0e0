"""Wrong types and values anywhere in an export: a data set or one line, never a traceback."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.exporters import cited
from tests.exporters.test_exporters import EXAMPLES
from yolo_cli.datasets import read_dataset
from yolo_cli.errors import UserError

HOSTILE: list[Any] = [
    None, True, False, 0, -1, 10**9, -(10**30), 10**400, 0.5, float("nan"), float("inf"), -1e308, "", " ",
    "x" * 5000, "NaN", "1e400", "../../../../etc/passwd", "/dev/zero", "a\0b", "\ud800", "🐱", "1_000", [],
    {}, [[]], [None], {"": None}, [1, 2, 3], [[1, 2]], {"x": {}, "y": []}, {"name": ["rect"]},
    [float("nan")] * 4, "[1,2,3,4]",
]  # fmt: skip
ROUNDS = 15
SUFFIXES = (".json", ".csv", ".xml", ".jsonl", ".txt", ".md")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON document, the document's own first."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any, drop: bool) -> Any:
    """A copy with another value at a path, or without it."""
    if not path:
        return value
    result = copy.deepcopy(document)
    target = result
    for key in path[:-1]:
        target = target[key]
    if drop:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return result


def mutated_json(text: str, chance: random.Random) -> str:
    document = json.loads(text)
    for _ in range(chance.choice((1, 1, 2, 5))):
        path = chance.choice(list(places(document)))
        document = changed(document, path, chance.choice(HOSTILE), bool(path) and chance.random() < 0.2)
    return json.dumps(document)


def mutated_text(text: str, chance: random.Random) -> str:
    """XML, CSV or JSON lines with values exchanged, cut or doubled."""
    found = list(re.finditer(r"[\w./-]+", text))
    for _ in range(chance.choice((1, 2, 5))):
        word = chance.choice(found)
        value = str(chance.choice(HOSTILE)).replace("\ud800", "?")[:6000]
        text = text[: word.start()] + value + text[word.end() :]
    return text[: chance.randrange(len(text))] if chance.random() < 0.1 else text


def check(root: Path, label: Path, mutate: Callable[[str, random.Random], str]) -> None:
    """Read a data set with many mutations of one of its files."""
    original = label.read_text()
    for seed in range(ROUNDS):
        label.write_text(mutate(original, random.Random(seed)))
        for allow_unlabelled in (False, True):
            try:
                dataset = read_dataset(root, allow_unlabelled=allow_unlabelled, extras=True)
            except UserError as caught:
                line, dataset = str(caught), None
            else:
                line = ""
            assert "\n" not in line
            assert len(line) < 2000
            for sample in dataset.samples if dataset else ():
                assert len(sample.ground_truth) == len(sample.rows), seed
            assert all(len(finding.what) < 1000 for finding in (dataset.findings if dataset else ())), seed
    label.write_text(original)


def mutator(path: Path) -> Callable[[str, random.Random], str]:
    return mutated_json if path.suffix == ".json" else mutated_text


@pytest.mark.parametrize("write", cited.CITED, ids=lambda write: write.__name__)
def test_what_exporters_are_documented_to_write(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path)
    labels = [
        path
        for path in sorted(tmp_path.rglob("*"))
        if path.suffix in (".json", ".csv", ".xml", ".jsonl", ".txt", ".md")
    ]
    for label in labels:
        check(tmp_path, label, mutator(label))


@pytest.mark.parametrize(
    "label",
    [
        "label-studio-json/result.json",
        "label-studio-json-min/result.json",
        "labelme/train/a.json",
        "supervision-createml/train/_annotations.createml.json",
        "datumaro-cvat/train.xml",
    ],
)
def test_what_exporters_wrote(tmp_path: Path, label: str) -> None:
    folder = EXAMPLES / label.split("/", maxsplit=1)[0]
    for path in folder.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    target = tmp_path / label.split("/", maxsplit=1)[1]
    check(tmp_path, target, mutator(target))


@pytest.mark.parametrize("write", cited.CITED, ids=lambda write: write.__name__)
def test_deep_nesting(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path)
    for label in tmp_path.rglob("*.json"):
        text = label.read_text()
        label.write_text(text[:-1] + ', "deep": ' + "[" * 100_000 + "]" * 100_000 + text[-1])
    with suppress(UserError):
        read_dataset(tmp_path)
