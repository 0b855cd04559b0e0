"""Names, help, errors, docs and docstrings use the terms of the field, not those that they replaced."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from yolo_cli.cli import main

ROOT = Path(__file__).parents[2]
SUFFIXES = {".py", ".md", ".html", ".js", ".css", ".yaml", ".toml", ".txt", ".json"}
FOLDERS = ("yolo_cli", "tests", "docs", "anchors", "weights", "examples")

# Each row: the term to use, and what must not be used instead. `(?<![a-z])` and `(?![a-z])` take the place of
# `\b`, which does not match beside an underscore. A space matches any white space, also across lines.
WORDS = {
    "image": r"pictur(?!esque)",
    "ground truth, annotation, label": (
        r"(?<!ground[\s_-])(?<!ground)(?<![a-z])truths?(?![a-z]|_thresh)"
        r"|(?<![a-z_])truths(?![a-z])|what is there(?![a-z])"
    ),
    "evaluate, evaluation": r"(?<![a-z])judg",
    "fix": r"(?<![a-z])mend(s|ed|ing|able)?(?![a-z])",
    "atomic write": r"write_whole|(?<![a-z])appearing(?![a-z])|(?<![a-z])whole[ _]file",
    "package, module, layer": r"(?<![a-z])(rooms?|houses?)(?![a-z])|(?<![a-z])floors?(?![a-z])",
    "assign, match, assigned slots": (
        r"(?<![a-z])answer(s|ed)? (for|at)(?![a-z])|(?<![a-z])(teachers?|taught|wish(es)?|bends?)(?![a-z])"
        r"|likes? best|struck out"
    ),
    "ignore, ignored": r"(?<![a-z])(unasked|spared)(?![a-z])|asked nothing",
    "fraction, ratio, weight interpolation": (
        r"start.share|way.back|(?<![a-z])shares?[ _]of(?![a-z])|(?<![a-z])_shares?(?![a-z])"
        r"|\b(a|the|this|that|what|which|its|each|same|equal|final) shares?(?![a-z])"
    ),
    "close mosaic; freeze batch-norm statistics": r"(?<![a-z])calm",
    "silence (a library's output)": r"(?<![a-z])hush",
    "all-gather, all-reduce": r"(?<![a-z])heard(?![a-z])|(?<!at[\s_])(?<![a-z])least(?![a-z])",
    "merge with the head": r"(?<![a-z])marri",
    "entry, method": r"contender",
    "maximum detections per image": r"at most so many",
    "batch size": r"so many (images|boxes|times)",
    "IoU threshold for NMS": r"overlap by more, one",
    "peak learning rate; weight decay (kernels only); random seed": (
        r"the highest (learning )?rate|decay of kernels|everything random"
    ),
    "time budget in minutes": r"(?<![a-z])done by then",
    "not a": r"(?<!there )(?<![a-z])(is|are) no(?![a-z-])(?! (longer|more)(?![a-z]))",
    "is, are": r"(?<![a-z])(lies?|stands?)(?![a-z-])",
    "see the model card": r"whole story",
    "the model card lists": r"(?<![a-z])of (itself|themselves)(?![a-z])",
    "start again": r"(?<![a-z])anew(?![a-z])",
}

# What may be said all the same, and why.
EXCEPTIONS = {
    "np.floor": "NumPy's function",
    "math.floor": "Python's function",
    "ops.floor": "Keras's function",
    '"floor"': "ONNX's operator",
    "confidence floor": "the term for the threshold of an evaluation, as in the model cards",
    "confidence_floor": "the same, in JSON",
    "start-share": "a hidden alias of --interpolate, which inputs from before use",
    "start_share": "the same alias",
    "truth_thresh": "an option in Darknet's files",
    "least confident": "the superlative",
    "teacher": "the term for a model that labels images for another, as in distillation",
}

SPLIT = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def _patterns() -> dict[str, re.Pattern[str]]:
    return {word: re.compile(text.replace(" ", r"\s"), re.IGNORECASE) for word, text in WORDS.items()}


PATTERNS = _patterns()


def _flat(text: str) -> str:
    """The text without indentation, comment signs and exceptions; line numbers are preserved."""
    text = re.sub(r"[ \t]*\n[ \t]*#?[ \t]*", "\n", text)
    for allowed in EXCEPTIONS:
        words = re.escape(allowed).replace(r"\ ", r"(\s)")
        text = re.sub(words, r"\1" if r"(\s)" in words else "", text, flags=re.IGNORECASE)
    return text


def _files() -> list[Path]:
    """The tracked files; without git, those of the project's folders."""
    run = ["git", "ls-files"]
    try:
        names = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        paths = [ROOT / name for name in names]
    except (OSError, subprocess.CalledProcessError):
        paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")] + list(ROOT.iterdir())
    return [
        path
        for path in sorted(paths)
        if path.suffix in SUFFIXES and path.is_file() and path != Path(__file__).resolve()
    ]


TEXTS = [(str(path.relative_to(ROOT)), _flat(path.read_text(encoding="utf-8"))) for path in _files()]


@pytest.mark.parametrize("word", WORDS)
def test_files_use_the_term(word: str) -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {text[match.start() - 30 : match.end() + 30]!r}"
        for name, text in TEXTS
        for match in PATTERNS[word].finditer(text)
    ]
    assert not found, f"say {word}:\n" + "\n".join(found)


def _commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _commands(child, click.Context(child, info_name=name, parent=context))


HELP = dict(_commands(main, click.Context(main, info_name="yolo", **main.context_settings)))


@pytest.mark.parametrize("path", HELP)
def test_help_uses_the_terms(path: str) -> None:
    text = _flat(HELP[path])
    assert [word for word, pattern in PATTERNS.items() if pattern.search(text)] == []


def _names(source: str) -> Iterator[str]:
    """Every identifier of a Python file, as words with spaces between: ``GroundTruth`` is "ground truth"."""
    for allowed in (*EXCEPTIONS, "ground_truths"):  # a name may have the plural, a sentence may not
        source = source.replace(allowed, "_")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            yield " ".join(SPLIT.findall(token.string)).lower()


def test_identifiers_use_the_terms() -> None:
    found = set()
    for path in (ROOT / "yolo_cli").rglob("*.py"):
        for name in _names(path.read_text(encoding="utf-8")):
            text = _flat(name)
            found |= {(word, name) for word, pattern in PATTERNS.items() if pattern.search(text)}
    assert not found


def test_modules_use_the_terms() -> None:
    names = [" ".join(SPLIT.findall(path.stem)).lower() for path in (ROOT / "yolo_cli").rglob("*.py")]
    assert [name for name in names for pattern in PATTERNS.values() if pattern.search(_flat(name))] == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("def judged(", "evaluate, evaluation"),
        ("per_picture", "image"),
        ("one truth\n    of", "ground truth, annotation, label"),
        ("at most\n    # so many", "maximum detections per image"),
        ("what it says\n    of itself", "the model card lists"),
        ("a dot is no\n   file", "not a"),
        ("start-share", None),
        ("ground\n    truth", None),
        ("at least one; there is no such file", None),
        ("x = np.floor(y)", None),
    ],
)
def test_the_patterns_find_words_and_only_those(text: str, word: str | None) -> None:
    hits = [name for name, pattern in PATTERNS.items() if pattern.search(_flat(text))]
    assert hits == ([word] if word else [])


def test_exceptions_are_used() -> None:
    sources = [path.read_text(encoding="utf-8").lower() for path in _files()]
    unused = [
        text for text in EXCEPTIONS if not any(re.search(text.replace(" ", r"\s+"), s) for s in sources)
    ]
    assert not unused


def test_sources_parse() -> None:
    """The files read here are those of the package, so that an empty listing cannot pass."""
    python = [name for name, _ in TEXTS if name.endswith(".py") and name.startswith("yolo_cli")]
    assert len(python) > 100
    assert all(ast.parse((ROOT / name).read_text(encoding="utf-8")) for name in python[:3])
