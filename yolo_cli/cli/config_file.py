"""The file of ``--config``: values for options that the command line does not give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from yolo_cli.cli.usage import near_option
from yolo_cli.errors import UsageError
from yolo_cli.text import read_yaml, shorten

__all__ = ["read_config"]


def read_config(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    """Make the file's values the defaults of this run."""
    if path is None:
        return
    known = {
        name.lstrip("-"): (option, name in option.secondary_opts)
        for option in ctx.command.params
        if isinstance(option, click.Option) and option.name != "config"
        for name in option.opts + option.secondary_opts
    }
    defaults: dict[str, Any] = {}
    for key, value in read_yaml(Path(path)).items():
        name = str(key).replace("_", "-")
        if name not in known:
            near = near_option(f"--{name}", [f"--{other}" for other in known])
            hint = f"did you mean {near.lstrip('-')}?" if near else f"see {ctx.command_path} --help"
            raise UsageError(f"{path}: '{key}' is not an option of {ctx.info_name}; {hint}")
        option, negated = known[name]
        _check_value(option, value, f"{path}: {key}")
        several = option.multiple and not isinstance(value, list)
        defaults[str(option.name)] = [value] if several else not value if negated else value
    ctx.default_map = defaults


def _check_value(option: click.Option, value: Any, what: str) -> None:
    """Raise a UsageError unless a value of a configuration file is one that its option can take."""
    # Text options read lists as text, such as imgsz: [320, 416], and say themselves what is wrong.
    several = option.multiple or option.nargs != 1 or option.type is click.STRING
    values = value if isinstance(value, list) and several else [value]
    kinds = bool if option.is_flag else (str, int, float)
    if not all(isinstance(each, kinds) and (option.is_flag or not isinstance(each, bool)) for each in values):
        wanted = "true or false" if option.is_flag else "a number or text"
        raise UsageError(f"{what} is {shorten(repr(value), 60)}, but must be {wanted}")
