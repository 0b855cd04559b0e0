"""Read text, list, YAML and JSON files; broken ones raise a one-line DataError."""

from __future__ import annotations

import codecs
import gc
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from yolo_cli.encodings import likely_encoding
from yolo_cli.errors import DataError, UsageError, unreadable
from yolo_cli.limits import MAX_VALUES, read_file
from yolo_cli.yaml_text import parse_yaml

__all__ = [
    "Jsonable",
    "counted",
    "decoded",
    "did_you_mean",
    "fixed_slashes",
    "json_line",
    "nearest",
    "number",
    "read_json",
    "read_lines",
    "read_list",
    "read_text",
    "read_yaml",
    "shorten",
    "text_encoding",
    "without_collection",
]


class Jsonable:
    """A result that is also plain data."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data."""
        raise NotImplementedError

    def to_json(self) -> str:
        """`to_dict` as the JSON text that the command prints with ``--format json``."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)


_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ENCODING: ContextVar[str | None] = ContextVar("encoding", default=None)


@contextmanager
def text_encoding(encoding: str | None) -> Iterator[None]:
    """Within the block, files without a byte-order mark are read in ``encoding``; None changes nothing.

    Raises:
        UsageError: if the encoding is unknown.
    """
    try:
        "a".encode(encoding or "utf-8")
    except LookupError:
        raise UsageError(
            f"--encoding {encoding}: is not known; give a name such as cp1252, gbk or utf-16-le"
        ) from None
    token = _ENCODING.set(encoding or _ENCODING.get())
    try:
        yield
    finally:
        _ENCODING.reset(token)


def read_text(path: Path, encoding: str | None = None) -> str:
    r"""The text of a file: UTF-8, or UTF-16 with a byte-order mark; no mark is part of the text.

    Line ends of every kind become ``\n``.

    Args:
        path: the file.
        encoding: the encoding of a file without a byte-order mark; None means that of `text_encoding`, else
            UTF-8.

    Raises:
        DataError: if the file cannot be read or is not text in that encoding.
    """
    return _raw_text(path, encoding).replace("\r\n", "\n").replace("\r", "\n")


def _raw_text(path: Path, encoding: str | None) -> str:
    """As `read_text`, with line ends as they are."""
    try:
        data = read_file(path)
    except (OSError, ValueError) as fault:  # ValueError: a NUL byte in the name
        raise unreadable(path, fault) from fault
    return decoded(data, str(path), encoding)


def decoded(data: bytes, name: str, encoding: str | None = None) -> str:
    r"""The text of a file's bytes, as `read_text`; ``name`` is the file's, for messages."""
    given = encoding or _ENCODING.get() or "utf-8"
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), given)
    try:
        text = data.decode(marked)
    except UnicodeDecodeError as fault:
        advice = _advice(data) if encoding is None else "save it as UTF-8"
        raise DataError(f"{_undecodable(name, data, fault.start, marked)}; {advice}") from fault
    if "\0" in text:
        wide = encoding is None and data.count(b"\0") * 3 > len(data)
        hint = f"; it may be {likely_encoding(data)}" if wide else ""
        name_it = f"{hint}: name it with --encoding" if hint else "; write it again"
        raise DataError(f"{name}: is not text (it holds NUL bytes){name_it}")
    return text


def _undecodable(name: str, data: bytes, at: int, encoding: str) -> str:
    """The message for a file that is not in the expected encoding."""
    line = data.count(b"\n", 0, at) + 1
    what = f"is not text in {encoding.removesuffix('-sig').upper()} (byte {at}: 0x{data[at]:02X})"
    return f"{name}:{line}: {what}"


def _advice(data: bytes) -> str:
    """What to do with a file in another encoding, where one can be named."""
    return f"save it as UTF-8, or name its encoding, likely --encoding {likely_encoding(data)}"


def read_lines(path: Path, encoding: str | None = None) -> list[str]:
    """The stripped lines of a file, without blank lines at the end.

    Raises:
        DataError: as `read_text`.
    """
    return [line.strip() for line in read_text(path, encoding).rstrip().split("\n")]


def read_list(path: Path, encoding: str | None = None) -> list[tuple[int, str]]:
    """The entries of a file that lists paths, one per line, each with its line number.

    Blank lines and comments (#) are skipped, quotes around an entry removed, backslashes become slashes.

    Raises:
        DataError: as `read_text`.
    """
    lines = enumerate(read_lines(path, encoding), start=1)
    return [(at, fixed_slashes(_unquoted(line))) for at, line in lines if line and not line.startswith("#")]


def _unquoted(text: str) -> str:
    """A text without the quotation marks around it."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def read_yaml(path: Path, encoding: str | None = None, *, strings: bool = False) -> dict[str, Any]:
    """The mapping in a YAML file.

    Args:
        path: the file.
        encoding: as for `read_text`.
        strings: return every scalar as a string. YAML would turn a class called ``no`` or ``on`` into a
            boolean and ``1:30`` into 90.

    Raises:
        DataError: if the file cannot be read, is not YAML, or is not a mapping.
    """
    import yaml

    text = read_text(path, encoding)
    try:
        value = parse_yaml(text, strings)
    except yaml.MarkedYAMLError as fault:
        line = min(fault.problem_mark.line + 1, len(text.splitlines())) if fault.problem_mark else 1
        raise DataError(f"{path}:{line}: is not YAML: {fault.problem}; fix this line") from fault
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as fault:
        raise DataError(f"{path}: is not YAML: {shorten(fault)}; fix it") from fault
    if not isinstance(value, dict):
        raise DataError(f"{path}: must hold lines such as 'key: value'")
    return {str(key): item for key, item in value.items()}


def read_json(path: Path, encoding: str | None = None) -> Any:
    """The value in a JSON file.

    Raises:
        DataError: if the file cannot be read or is not JSON.
    """
    text = _raw_text(path, encoding)
    if text.count("{") + text.count("[") > MAX_VALUES:
        raise DataError(f"{path}: holds over {MAX_VALUES:,} lists and mappings; split it into smaller files")
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        place = f"{path}:{fault.lineno}"
        raise DataError(f"{place}: is not JSON (cut short?): {fault.msg}; write it again") from fault
    except (ValueError, RecursionError) as fault:
        raise DataError(f"{path}: is not JSON: {shorten(fault)}; write it again") from fault


@contextmanager
def without_collection() -> Iterator[None]:
    """Within the block, Python does not search for reference cycles, which slows down millions of objects."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A suggestion of the known word most similar to ``word``; ``otherwise`` if none is.

    >>> did_you_mean("detct", ["detect", "train"]), did_you_mean("x", ["detect"], "there is only detect")
    ('did you mean detect?', 'there is only detect')
    """
    near = nearest(word, known)
    return f"did you mean {near}?" if near else otherwise


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word most similar to ``word``, ignoring case; None if none is.

    ``cutoff`` is the smallest similarity, from 0 to 1, of `difflib.SequenceMatcher.ratio`.

    >>> nearest("ResNet5", ["resnet50", "vgg16"])
    'resnet50'
    """
    import difflib

    words = {other.casefold(): other for other in known}
    return next((words[near] for near in difflib.get_close_matches(word.casefold(), words, 1, cutoff)), None)


def number(value: Any) -> float | None:
    """A JSON number or a numeral as float (NaN and infinities too), or None for anything else.

    >>> number("2.5"), number(7), number(True), number("seven"), number(None)
    (2.5, 7.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and "_" in value:  # Python reads 1_000 as a thousand
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def counted(count: float, noun: str) -> str:
    """A number with its noun, in the plural unless it is 1.

    >>> counted(1, "image"), counted(2_000, "class"), counted(0, "box"), counted(1.5, "minute")
    ('1 image', '2000 classes', '0 boxes', '1.5 minutes')
    >>> counted(0, "identity"), counted(2, "day"), counted(2, "couch"), counted(2, "epoch")
    ('0 identities', '2 days', '2 couches', '2 epochs')
    """
    number = f"{count:g}" if isinstance(count, float) else str(count)
    return f"{number} {noun if count == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    hisses = noun.endswith(("s", "x", "ch", "sh")) and not noun.endswith("och")  # epochs
    return f"{noun}es" if hisses else f"{noun}s"


def json_line(value: Any) -> str:
    """Plain data as one line of JSON, with letters as they are.

    Raises:
        ValueError: if a number is not finite.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def shorten(value: object, length: int = 80) -> str:
    """A value as one line of at most ``length`` characters, for messages.

    >>> shorten("a  b" + chr(10) + "c", 4)
    'a b…'
    """
    line = " ".join(str(value).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def fixed_slashes(name: str) -> str:
    """A path with Windows' backslashes as slashes.

    >>> fixed_slashes("images" + chr(92) + "a.jpg")
    'images/a.jpg'
    """
    return name.replace("\\", "/")
