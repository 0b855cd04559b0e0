"""Names from outside, made fit for a terminal, a spreadsheet and a file system."""

from __future__ import annotations

import os
import re

from yolo_cli.errors import UsageError

__all__ = ["as_cell", "check_text", "folder_name", "masked_address", "printable", "short_name"]

LONGEST_NAME = 255  # bytes of a file name, on nearly all file systems
_DIGITS = 8  # of a hash, which keeps shortened names apart
# C0 and C1 control characters, line separators, and marks that change the direction of what follows.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

_USER = re.compile(r"(?<=://)([^/?#@:]*):[^/?#]*@")
_TOKEN = re.compile(r"(?<=://)[^/?#@:]+@")  # in place of a user and a password
_BROKEN_USER = re.compile(
    r"(?<=://)([^/?#@:]*):(?!\d*(?:[/?#]|\Z)).*@", re.DOTALL
)  # a password with a / in it
_SECRET = re.compile(r"((?:pass|pwd|psw|token|secret|auth|sig|key)[^=&/?#;]*=)[^&/#;]+", re.IGNORECASE)


def masked_address(text: str) -> str:
    """An address without its secrets, which is all that is ever shown or saved.

    Masked are a password before the host, a user without one, which may be a token, and values in path and
    query whose names sound like secrets.

    >>> masked_address("rtsp://me:s3cret@10.0.0.7/live?token=abc&channel=1")
    'rtsp://me:***@10.0.0.7/live?token=***&channel=1'
    >>> masked_address("https://s3cret@example.com/a.jpg")
    'https://***@example.com/a.jpg'
    """
    masked = _TOKEN.sub("***@", _BROKEN_USER.sub(r"\1:***@", _USER.sub(r"\1:***@", text)))
    return _SECRET.sub(r"\1***", masked)


def printable(text: str) -> str:
    r"""Text in which control characters are escaped as in JSON, except tabs and ends of lines.

    A terminal obeys some of them: a file name could change its title, or hide what follows.

    >>> printable("\x1b]0;x\x07.jpg")
    '\\u001b]0;x\\u0007.jpg'
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_cell(value: object) -> object:
    """A value for a cell of a CSV file that people open; in text, a spreadsheet then sees no formula.

    Numbers stay as they are. What begins as a formula does gets an apostrophe in front, and so does what
    begins with an apostrophe: without its first apostrophe, each cell is again the text. A lone "-", standard
    input, is not a formula.

    >>> as_cell("=1+1.jpg"), as_cell("a=b.jpg"), as_cell("'s.jpg"), as_cell("-")
    ("'=1+1.jpg", 'a=b.jpg', "''s.jpg", '-')
    """
    formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "'"))
    return f"'{value}" if formula and value != "-" else value


def short_name(stem: str, suffix: str = "", limit: int = LONGEST_NAME) -> str:
    """``stem + suffix`` in at most ``limit`` bytes; a longer stem is cut, and gets a hash of the whole.

    >>> short_name("a" * 300, ".png", 30)
    'aaaaaaaaaaaaaaaaa~9835fa6b.png'
    """
    left = limit - len(suffix.encode(errors="surrogatepass"))
    whole = stem.encode(errors="surrogatepass")
    if len(whole) <= left:
        return stem + suffix
    return f"{whole[: left - _DIGITS - 1].decode(errors='ignore')}~{_hash(stem)}{suffix}"


def folder_name(name: str) -> str:
    """A name for a folder that is safe everywhere; names that differ get folders that differ.

    >>> folder_name("traffic light"), folder_name("cats/dogs")
    ('traffic light', 'cats_dogs~01bd1273')
    """
    safe = re.sub(r"[^\w .-]", "_", name).strip(". ") or "_"
    return short_name(safe) if safe == name else short_name(safe, f"~{_hash(name)}")


def _hash(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]


def check_text(out: str | os.PathLike[str]) -> None:
    """Refuse a name for output that is not UTF-8, which libraries that write files need.

    Raises:
        UsageError: if it is not.
    """
    try:
        os.fspath(out).encode()
    except UnicodeEncodeError:
        raise UsageError(f"--out {out}: is not a name in UTF-8; choose another") from None
