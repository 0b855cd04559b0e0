"""The help pages: as they were, every option under a heading, and no option that says too much."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from yolo_cli.cli import COMMANDS, main
from yolo_cli.cli.group import SECTIONS

SNAPSHOTS = Path(__file__).parent / "snapshots"


def walk(command, *words, parent=None):
    """The words of each command, with its context."""
    name = words[-1] if words else "yolo"
    context = click.Context(command, parent=parent, info_name=name, **command.context_settings)
    yield words, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name), *words, name, parent=context)


PAGES = dict(walk(main))
OPTIONS = [
    pytest.param(context, option, id=" ".join([*words, option.opts[0]]))
    for words, context in PAGES.items()
    for option in context.command.get_params(context)
    if isinstance(option, click.Option) and not option.hidden
]


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_help_is_as_it_was(cli, words, monkeypatch):
    """New snapshots are taken with: NEW_SNAPSHOTS=1 pytest tests/cli/test_help.py"""
    monkeypatch.setenv("COLUMNS", "80")
    shown = cli(*words, "--help").stdout
    snapshot = SNAPSHOTS / f"{'-'.join(['yolo', *words])}.txt"
    if "NEW_SNAPSHOTS" in os.environ:
        snapshot.write_text(shown, encoding="utf-8")
    assert shown == snapshot.read_text(encoding="utf-8")
    assert max(map(len, shown.splitlines())) <= 80


def test_there_is_no_snapshot_of_a_command_that_is_gone():
    assert {path.stem for path in SNAPSHOTS.iterdir()} == {"-".join(["yolo", *words]) for words in PAGES}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_the_list_says(name):
    command = getattr(importlib.import_module(f"yolo_cli.cli.{name}"), name)
    assert command.get_short_help_str(limit=200).rstrip(".") == COMMANDS[name].rstrip(".")


@pytest.mark.parametrize(("context", "option"), OPTIONS)
def test_the_help_of_an_option_is_one_short_line(context, option):
    _, help_ = option.get_help_record(context)
    assert 10 <= len(help_) <= 60
    assert help_[0].isupper()
    assert option.help.partition("  [")[0].endswith(".")


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_every_option_has_a_heading(words):
    assert "Other options:" not in PAGES[words].get_help()


def test_no_option_has_two_headings():
    names = " ".join(SECTIONS.values()).split()
    assert sorted(names) == sorted(set(names))


def test_headings_name_options_that_exist():
    known = {max(option.opts, key=len).lstrip("-") for _, option in (param.values for param in OPTIONS)}
    assert set(" ".join(SECTIONS.values()).split()) <= known


def test_an_option_without_a_heading_is_shown_all_the_same(cli, monkeypatch):
    monkeypatch.setitem(SECTIONS, "Drawing", "line-width")
    shown = cli("detect", "--help").stdout
    assert "\nOther options:\n  --no-labels  " in shown
    assert "--no-labels" not in shown[: shown.index("Other options:")]


def test_no_default_is_broken_over_two_lines(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    for words in PAGES:
        lines = cli(*words, "--help").stdout.splitlines()
        assert all(line.count("[default: ") == 0 or line.endswith("]") for line in lines), words


def test_the_default_model_in_help_is_the_default():
    from yolo_cli.config import DEFAULT_MODEL

    [option] = [p for p in main.get_command(None, "detect").params if p.name == "weights"]
    assert f"[default: {DEFAULT_MODEL}]" in option.help


@pytest.mark.parametrize(
    ("words", "kind", "value"),
    [
        ("de", "plain", "detect"),
        ("detect --form", "plain", "--format"),
        ("detect --format j", "plain", "json"),
    ]
    + [(words, "file", words.split()[-1]) for words in ("detect photos/c", "eval --data d", "lint --fix f")],
)
def test_the_shell_completes_words_and_files(words, kind, value):
    *before, last = words.split()
    found = ShellComplete(main, {}, "yolo", "_YOLO_COMPLETE").get_completions(before, last)
    assert (kind, value) in [(item.type, item.value) for item in found]
