"""How every command is found, how its faults are told, and what it exits with."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.interrupts import interruptible
from yolo_cli.cli.terminal import say
from yolo_cli.errors import UsageError, UserError, not_importable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["INTERRUPTED", "SECTIONS", "CommandGroup", "YoloCommand", "YoloGroup", "exit_code"]

INTERRUPTED = 130  # exit code
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_FILES = ("SOURCE...", "IMAGE", "PATH", "FILE", "DIR", "RUN", "CFG")  # metavars of file names
_OPTION_COLUMN = 28  # characters; longer options have their help on the next line
_BOUND = str.maketrans({" ": "\u00a0", "-": "\u2011"})  # no line is broken at these
_LOOSE = str.maketrans({"\u00a0": " ", "\u2011": "-"})

_OTHER_COMMANDS = {"predict": "detect", "val": "eval", "test": "eval", "fit": "train", "check": "lint"}


# The headings of --help, and the options below each, in order; a test finds options that are left out.
SECTIONS = {
    "Data": "data mot split test use-val unlabelled teacher group-by map names at box style filters saliency"
    " layers stages targets overlap loss recursive limit background tile tile-overlap"
    " allow-unlabelled accept-damaged encoding",
    "Identities": "gallery min-score false-accept embedding embedding-loss quarter-turns whole appearance",
    "Model": "weights detector detectors model backbone backbone-weights from-scratch imgsz resize cfg card"
    " half sha256 verify",
    "Detections": "conf nms-iou max-det classes region multi-label agnostic suppression",
    "Video": "every from until max-frames",
    "Live sources": "live stall reconnect camera-size camera-rate",
    "Tracking": "low-conf min-hits lost camera-motion count-line zone smooth",
    "Evaluation": "detections iou protocol tide target-precision fail-under baseline fail-if-worse"
    " cross-check sigmas",
    "Training": "cross-validate epochs steps style-weight"
    " max-minutes patience learning-rate warmup weight-decay label-smoothing"
    " freeze interpolate ema",
    "Augmentation": "no-augment mosaic close-mosaic flip-vertical preview",
    "Anchors": "k against starts",
    "Export": "nms preprocess dynamic int8 calibration max-loss",
    "Compute": "device engine precision batch ray workers seed rounds time-limit timeout",
    "Server": "host port token max-delay queue max-size max-megapixels max-images",
    "Drawing": "line-width no-labels no-confidence",
    "Output": "format to out copy exist-ok resume save segment show save-crops save-txt plots tensorboard fix"
    " apply",
    "General": "rules config quiet verbose help",
}


class FileName(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases
    """Any text, which the shell completes as the name of a file."""

    name = "path"

    def shell_complete(self, _: Any, __: Any, incomplete: str) -> list[CompletionItem]:
        """Leave it to the shell."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


class YoloCommand(click.Command):
    """A command with its options under headings, that knows what an option is called elsewhere."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for param in self.params:
            if param.metavar in _FILES and param.type is click.STRING:
                param.type = FileName()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options as `SECTIONS` has them; those that it leaves out come last."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = {_long_name(option): option.get_help_record(ctx) or ("", "") for option in options}
        width = min(max(len(left) for left, _ in records.values()), _OPTION_COLUMN)
        for title, names in _sections(records).items():
            with formatter.section(title):
                rows = [(records[name][0].ljust(width), _bound(records[name][1])) for name in names]
                formatter.write_dl(rows, col_max=width)
        formatter.buffer = [text.translate(_LOOSE) for text in formatter.buffer]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with a better hint for a wrong option and for the ``key=value`` of other programs."""
        from yolo_cli.cli.usage import check_words

        check_words(args, ctx)
        ctx.meta["yolo_cli.cli.usage"] = tuple(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as fault:
            fault.ctx = fault.ctx or ctx
            raise


class _ReaderGoneError(Exception):
    """Whoever read our output, such as `head`, has had enough."""


class CommandGroup(click.Group):
    """Commands, with a better hint for a wrong one."""

    command_class = YoloCommand

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; without a word there is help, of which click would make an error."""
        return super().parse_args(ctx, args or ["--help"] * self.no_args_is_help)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one comes nearest."""
        name, known = args[0], self.list_commands(ctx)
        if name in known or name.startswith("-"):
            return super().resolve_command(ctx, args)
        from yolo_cli.text import nearest

        near = _OTHER_COMMANDS.get(name) or nearest(name, known)
        hint = f"; did you mean '{near}'?" if near in known else f"; there are {', '.join(known)}"
        raise click.UsageError(f"no such command: '{name}'{hint}", ctx)


class YoloGroup(CommandGroup):
    """Commands that are imported when they are called.

    Args:
        lazy: the help line of each command, by name.
        options: as for `click.Group`.
    """

    def __init__(self, *, lazy: Mapping[str, str], **options: Any) -> None:
        super().__init__(**options)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names of the commands, in the order in which people need them."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the file of a command."""
        if cmd_name not in self.lazy:
            return None
        command: click.Command = getattr(importlib.import_module(f"yolo_cli.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.lazy.items()))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line, which may print help."""
        with _closed_pipe_told_apart():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _closed_pipe_told_apart():
            return super().invoke(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit with its code; every fault is one line on stderr."""
        words = sys.argv[1:] if args is None else list(args)
        run = partial(super().main, args, prog_name, complete_var, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        gc.set_threshold(10_000)  # imports leave no garbage; to look for it each 700 objects takes 10 ms
        _keep_unprintable_names_printable()
        os.environ["MPLBACKEND"] = "agg"  # plots go to files; another setting, if it is odd, stops Keras
        sys.exit(_guarded(run, verbose="--verbose" in words or "-v" in words))


def exit_code(failed: int, total: int) -> int:
    """0 if no input ``failed``, 3 if all did, else 5."""
    return 0 if not failed else 3 if failed == total else 5


def _sections(shown: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
    """The names of the options below each heading that has any; hidden options have no help."""
    names = [name for name, (left, _) in shown.items() if left]
    sections = {title: [name for name in text.split() if name in names] for title, text in SECTIONS.items()}
    placed = {name for section in sections.values() for name in section}
    sections["Other options"] = [name for name in names if name not in placed]
    return {title: section for title, section in sections.items() if section}


def _bound(help_: str) -> str:
    """Help in which no line break falls within ``[default: …]``."""
    return re.sub(r"\[[^]]+\]$", lambda end: end[0].translate(_BOUND), help_)


def _long_name(option: click.Option) -> str:
    """``save`` for ``--save/--no-save``, ``k`` for ``-k``."""
    return max(option.opts, key=len).lstrip("-")


@contextlib.contextmanager
def _closed_pipe_told_apart() -> Iterator[None]:
    """Name a closed pipe otherwise, before click makes an exit code of 1 of it."""
    try:
        yield
    except BrokenPipeError:
        raise _ReaderGoneError from None


def _guarded(run: Callable[[], Any], verbose: bool) -> int:
    """Run and return the exit code; say in one line what went wrong, and with ``verbose`` all of it."""
    try:
        _open_closed_streams()
        with interruptible():
            code = run()
            sys.stdout.flush()
    except (BrokenPipeError, _ReaderGoneError):
        _forget_stdout()
        return 0
    except (click.Abort, KeyboardInterrupt):
        return _complain("interrupted", INTERRUPTED)
    except click.ClickException as fault:
        from yolo_cli.cli.usage import usage_text

        return _complain(usage_text(fault), fault.exit_code)
    except UserError as fault:
        return _complain(fault.text, fault.exit_code)
    except ImportError as fault:
        known = not_importable(fault)
        return _complain(known.text, known.exit_code) if known else _unexpected(fault, verbose)
    except Exception as fault:  # the last door: whatever else comes here is a fault of ours
        return _unexpected(fault, verbose)
    return code if isinstance(code, int) else 0


def _unexpected(fault: Exception, verbose: bool) -> int:
    """Tell what the machine refused, or a fault of ours; called while it is handled."""
    if verbose:
        import traceback

        traceback.print_exc()
    if isinstance(fault, OSError | MemoryError):
        _forget_stdout()
        return _complain(_machine_fault(fault), UserError.exit_code)
    hint = "" if verbose else "; run again with --verbose for the traceback"
    return _complain(f"unexpected {type(fault).__name__}: {fault}{hint}", 1)


def _machine_fault(fault: OSError | MemoryError) -> str:
    """What the machine refused, such as space on its disk."""
    if isinstance(fault, MemoryError):
        return "out of memory; use a smaller --batch or --imgsz, or close other programs"
    from yolo_cli.files import unwritable

    name = fault.filename or "standard output"
    return unwritable(name, fault).text if fault.errno in _FULL else f"{name}: {fault.strerror or fault}"


def _complain(text: str, code: int) -> int:
    """One line on stderr, whatever signs the text holds."""
    say(f"error: {text}")
    return code


def _open_closed_streams() -> None:
    """Replace streams that the caller closed, as ``>&-`` does: files would get their numbers.

    Raises:
        UsageError: if it is stdout, where all results go.
    """
    closed = [number for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)) if stream is None]
    while closed and os.open(os.devnull, os.O_RDWR) < max(closed):
        pass  # the lowest free number is taken first
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        raise UsageError("standard output is closed; send it to a file, or to /dev/null")


def _forget_stdout() -> None:
    """Let nothing more be written to a pipe that is closed, not even at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _keep_unprintable_names_printable() -> None:
    """Escape characters that a stream cannot encode, such as file names that are not UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")
