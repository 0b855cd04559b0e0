"""What is wrong with a command line, in one line that helps."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence

import click

from yolo_cli.text import did_you_mean, nearest

__all__ = ["check_words", "named_options", "near_option", "usage_text"]

# What people know from other programs, and what it is called here.
_OTHER_OPTIONS = {
    "--model": "--weights",
    "--img": "--imgsz",
    "--img-size": "--imgsz",
    "--iou": "--nms-iou",
    "--iou-thres": "--nms-iou",
    "--conf-thres": "--conf",
    "--confidence": "--conf",
    "--thresh": "--conf",
    "--batch-size": "--batch",
    "--agnostic-nms": "--agnostic",
    "--lr0": "--learning-rate",
    "--project": "--out",
    "--name": "--out",
}
_NEAR = 0.8  # likeness of a misspelt key; an image may be called city=rome.jpg


def named_options(command: click.Command) -> dict[str, click.Option]:
    """The options of a command by each of their names, as ``--save``, ``--no-save`` or ``-q``."""
    options = [param for param in command.params if isinstance(param, click.Option)]
    return {name: option for option in options for name in option.opts + option.secondary_opts}


def check_words(words: Sequence[str], ctx: click.Context) -> None:
    """Refuse empty words, and the ``key=value`` of other programs, with the option that it means.

    Raises:
        click.UsageError: if a word is empty, or neither an option's value nor the name of a file, and names
            an option.
    """
    options = named_options(ctx.command)
    before, places = "", 0
    for word in words:
        if not word or word in [f"{name}=" for name in options]:
            what = word.rstrip("=") or (before if before in options else _argument(places, ctx))
            raise click.UsageError(f"{what}: is empty; is a variable of the shell not set?", ctx)
        is_value = before in options and not options[before].is_flag
        hint = None if is_value else _translate(word, options)
        if hint:
            raise click.UsageError(f"'{word}': options begin with two dashes; {hint}", ctx)
        before, places = word, places + (not is_value and not word.startswith("-"))


def _argument(place: int, ctx: click.Context) -> str:
    """The name of the argument whose place, from 0, is that of a word; the last takes the rest."""
    names = [_name(param) for param in ctx.command.params if isinstance(param, click.Argument)]
    return names[min(place, len(names) - 1)] if names else "an argument"


def usage_text(fault: click.ClickException) -> str:
    """A fault that click found, as we say it."""
    param: click.Parameter | None = getattr(fault, "param", None)
    ctx: click.Context | None = getattr(fault, "ctx", None)
    hint = f" (see {ctx.command_path} --help)" if ctx else ""
    if isinstance(fault, click.NoSuchOption) and ctx:
        text = f"no such option: {fault.option_name}{_near(fault.option_name, ctx)}"
    elif isinstance(fault, click.MissingParameter) and param and ctx:
        text = f"{_name(param)} is missing{_bare_word(param, ctx)}"
    elif isinstance(fault, click.BadParameter) and param:
        text = f"{_name(param)}: {fault.message.rstrip('.')}{_choice(fault.message, param)}"
    else:
        message = fault.format_message()
        capitals = message.partition(":")[0].isupper()  # the name of an argument
        text = (message if capitals else message[:1].lower() + message[1:]).removesuffix(".")
    return text + hint


def _name(param: click.Parameter) -> str:
    return param.opts[0] if isinstance(param, click.Option) else param.human_readable_name


def _near(name: str, ctx: click.Context) -> str:
    if name == "--source":
        return "; images are named without an option"
    near = near_option(name, named_options(ctx.command))
    return f"; did you mean {near}?" if near else ""


def near_option(name: str, options: Collection[str]) -> str | None:
    """What ``name`` of another program is called here, else the option with the nearest name, if any."""
    other = _OTHER_OPTIONS.get(name)
    return other if other in options else nearest(name, options)


def _bare_word(param: click.Parameter, ctx: click.Context) -> str:
    """What to do with a word that is in the place of the missing option ``param``."""
    words: Sequence[str] = ctx.meta.get(__name__, ())
    takes_words = any(isinstance(other, click.Argument) for other in ctx.command.params)
    if takes_words or not words or words[0].startswith("-"):
        return ""
    return f"; did you mean {_name(param)} {words[0]}?"


def _choice(message: str, param: click.Parameter) -> str:
    """The nearest of the choices of an option."""
    wrong = re.match(r"'(.*?)' is not one of", message)
    near = isinstance(param.type, click.Choice) and wrong and did_you_mean(wrong[1], param.type.choices)
    return f"; {near}" if near else ""


def _translate(word: str, options: Mapping[str, click.Option]) -> str | None:
    """What ``conf=0.3`` is called here; None if the word is not an option, or names a file."""
    pair = re.fullmatch(r"-{0,2}([a-z][a-z_0-9]*)=(.*)", word)
    if pair is None or os.path.exists(word):  # noqa: PTH110 - answers False for names that are too long
        return None
    name, value = "--" + pair[1].replace("_", "-"), pair[2]
    if name in options and word.startswith("--"):
        return None
    if name == "--source":
        return f"did you mean {value}?"
    if name == "--model" and not value.endswith(".cfg") and "--weights" in options:
        name = "--weights"
    known = (name, _OTHER_OPTIONS.get(name), nearest(name, options, _NEAR))
    near = next((other for other in known if other in options), None)
    if near:
        return _as_given(near, options[near], value)
    return f"there is no {name}" if value in ("True", "False") else None


def _as_given(name: str, option: click.Option, value: str) -> str:
    """How an option is given the value of ``name=value``."""
    if option.is_flag and value.lower() in ("false", "no", "off", "0"):
        others = option.secondary_opts if name in option.opts else option.opts
        return f"did you mean {others[0]}?" if others else f"it is off without {name}"
    if option.is_flag:
        return f"did you mean {name}?"
    if name == "--device":
        value = re.sub(r"^cuda|^(?=\d+$)", lambda start: "gpu" if start[0] else "gpu:", value)
    return f"did you mean {name} {value}?"
