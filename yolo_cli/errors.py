"""Errors that the user can fix: one line that states what, where and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

__all__ = [
    "DataError",
    "OnError",
    "UsageError",
    "UserError",
    "check_choice",
    "not_importable",
    "report",
    "unreadable",
]


class UserError(Exception):
    """An error that the user can fix. Its message is one line, shown without a traceback.

    It is raised with a text that names options as the command line does, which shows ``text``; ``str``
    names them as Python does. Commands between backticks stay as they are.

    Attributes:
        exit_code: what the command line exits with when nothing catches the fault.

    >>> print(UsageError("--nms-iou is 2; see `yolo detect --help`"))
    nms_iou is 2; see `yolo detect --help`
    """

    exit_code = 3

    @property
    def text(self) -> str:
        """The text with options as the command line names them."""
        return super().__str__()

    def __str__(self) -> str:
        return re.sub(r"`[^`]*`|(?<![\w/-])--([a-z][a-z-]*)(?![\w./])", _in_python, self.text)


def _in_python(found: re.Match[str]) -> str:
    return found[1].replace("-", "_") if found[1] else found[0]


class DataError(UserError):
    """A file or data set that cannot be used (exit code 3)."""


class UsageError(UserError):
    """Options or arguments that contradict each other or name something unknown (exit code 2)."""

    exit_code = 2


OnError = Callable[[DataError], object]
"""Takes the error of each input that cannot be used, so that the others can."""


def report(fault: DataError, on_error: OnError | None) -> None:
    """Give an error to ``on_error``; without one, raise it."""
    if on_error is None:
        raise fault
    on_error(fault)


def check_choice(option: str, value: str, choices: Collection[str]) -> None:
    """Raise the UsageError for a value that is none of an option's."""
    if value not in choices:
        raise UsageError(f"--{option} is {value!r}, but must be one of {', '.join(choices)}")


def unreadable(name: object, fault: OSError | ValueError, hint: str = "") -> DataError:
    """The error for a file that cannot be read, in one line.

    >>> unreadable("a.txt", FileNotFoundError(2, "No such file or directory"), "write it").text
    'a.txt: no such file; write it'
    """
    missing = isinstance(fault, FileNotFoundError)
    reason = "no such file" if missing else f"cannot be read: {getattr(fault, 'strerror', None) or fault}"
    return DataError(f"{name}: {reason}{hint and '; '}{hint}")


_OF_TRAINING = {
    "defusedxml",
    "jinja2",
    "keras",
    "matplotlib",
    "onnx",
    "rich",
    "scipy",
    "skimage",
    "tensorflow",
}
_OF_WINDOWS = ("libGL", "libX", "libxcb", "libSM", "libICE", "libgthread", "libglib")


def not_importable(fault: ImportError) -> UserError | None:
    """What to do where a package cannot be imported; None if it is none of those that can be missing.

    >>> print(not_importable(ImportError("libGL.so.1: cannot open shared object file: No such file")))
    OpenCV needs libGL.so.1; install it (Debian: libgl1), or opencv-python-headless in place of opencv-python
    >>> print(not_importable(ModuleNotFoundError("No module named 'keras'", name="keras")))
    keras is not installed, as this installation only detects; run: pip install yolo-cli
    >>> print(not_importable(ImportError("libtensorflow_cc.so.2: failed to map segment from shared object")))
    out of memory while libraries are loaded; close other programs, or raise ulimit -v
    """
    library = re.match(r"(lib[\w.+-]+\.so[.\d]*): cannot open shared object", str(fault))
    if library and library[1].startswith(_OF_WINDOWS):
        instead = "opencv-python-headless in place of opencv-python"
        return UsageError(f"OpenCV needs {library[1]}; install it (Debian: libgl1), or {instead}")
    if re.search("failed to map segment|annot allocate memory", str(fault)):
        return UserError("out of memory while libraries are loaded; close other programs, or raise ulimit -v")
    package = (fault.name or "").partition(".")[0]
    if isinstance(fault, ModuleNotFoundError) and package in _OF_TRAINING:
        why = "as this installation only detects"
        return UsageError(f"{package} is not installed, {why}; run: pip install yolo-cli")
    return None
