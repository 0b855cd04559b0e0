"""YAML, JSON and configuration files of strangers: bounded, and one line with the key."""

from __future__ import annotations

import time

import pytest
from click.testing import CliRunner

from yolo_cli.cli import main
from yolo_cli.errors import DataError
from yolo_cli.text import read_json, read_yaml
from yolo_cli.weights.about import read_about

LEVELS = [f"&x{i} [{', '.join([f'*x{i - 1}' if i else 'lol'] * 10)}]" for i in range(9)]
LAUGHS = "a:\n" + "".join(f"- {level}\n" for level in LEVELS)
"""Ten times ten times … 10⁹ values in a thousand bytes."""


@pytest.mark.parametrize("strings", [True, False])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "over 200,000 values, with those that its aliases repeat"),
        ("a: &a [*a]", "the alias *a names nothing that is complete before it"),
        ("a: " + "[" * 500 + "]" * 500, "lists in lists, more than 100 deep"),
        ("a: " + "- " * 500, ""),
        ("a: " + "[" * 100_000, ""),
        ("a: " + "1:" * 50_000 + "1", "line 1: a number of 100001 digits"),
        ("a: [" + "1, " * 250_000 + "]", "over 200,000 values"),
        ("names: {0: cat, 0: dog}", "line 1: the key '0' is there twice; remove one"),
        ("train: a\nval: {train: b}\ntrain: c", "line 3: the key 'train' is there twice; remove one"),
        ("{[a]: 1, a: 2, a: 3}", "the key 'a' is there twice"),
        ("a: " + "x" * (5 << 20), "over 4 MiB are not read"),
        ("a: !!python/object/apply:os.system [ls]", None),
    ],
)
def test_yaml_is_bounded(text, says, strings, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    start = time.process_time()
    if says is None and strings:
        assert read_yaml(path, strings=True) == {"a": ["ls"]}  # tags mean nothing to it
        return
    with pytest.raises(DataError) as caught:
        read_yaml(path, strings=strings)
    assert says is None or says in caught.value.text
    assert "\n" not in caught.value.text
    assert time.process_time() - start < 5


def test_aliases_that_repeat_little_are_read(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "a: a\nb: [{a: b, b: a}, {a: a}]\ntrain: &t images\nval: *t\nnames: &n [a, b]\nmore: {<<: {x: *n}}\n"
    )
    assert read_yaml(tmp_path / "a.yaml")["more"] == {"x": ["a", "b"]}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000, "[1e999999", '"\\ud800'])
def test_json_is_bounded(text, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS.replace("a:", "licence:"), "over 200,000 values"),
        ("figures: 5", "figures must be a list of texts"),
        ("limits: a", "limits must be a list of texts"),
        ("figures: [[a]]", "figures must be a list of texts"),
        ("licence: [a]", "licence must be text"),
        ("origin: {a: b}", "origin must be text"),
        ("licence: null", "licence must be text"),
        ("licence: 2020-99-99", "is not YAML: month must be in 1..12"),
    ],
)
def test_descriptions_of_models(text, says, tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_about(path)
    assert says in caught.value.text


def test_a_date_and_a_number_are_text_too(tmp_path):
    (tmp_path / "card.yaml").write_text("licence: 2020-09-09\nfigures: [0.5, a  b]\n")
    assert read_about(tmp_path / "card.yaml") == {"licence": "2020-09-09", "figures": ("0.5", "a b")}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("conf: [1, 2]", "conf is [1, 2], but must be a number or text"),
        ("conf: null", "conf is None, but must be a number or text"),
        ("conf: true", "conf is True, but must be a number or text"),
        ("conf: {a: b}", "conf is {'a': 'b'}, but must be a number or text"),
        ("save: 5", "save is 5, but must be true or false"),
        ("weights: 2020-01-01", "weights is datetime.date(2020, 1, 1), but must be a number or text"),
    ],
)
def test_values_of_configuration_files(text, says, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    done = CliRunner().invoke(main, ["detect", "a.jpg", "--config", str(path)], prog_name="yolo")
    assert (done.exit_code, says in done.stderr) == (2, True)
