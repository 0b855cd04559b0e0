"""`yolo lint`: what is wrong with a data set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from yolo_cli.cli.damaged import accept_damaged_option
from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.lint_suspects import (
    check_suspecting,
    found_suspects,
    save_suspects,
    suspect_lines,
    suspect_options,
    suspects_folder,
)
from yolo_cli.cli.options import allow_unlabelled_option, data_option, format_option, general_options
from yolo_cli.cli.progress import track
from yolo_cli.cli.terminal import echo, say, shown
from yolo_cli.text import counted

if TYPE_CHECKING:
    from yolo_cli.datasets import LintReport
    from yolo_cli.suspects import SuspectReport

__all__ = ["lint"]

_ROWS_A_RULE = 10

# The sign \b keeps click from filling a paragraph.
_HELP = """Check a data set for errors.

\b
yolo lint --data dir                 print errors and warnings by rule
yolo lint --data dir --fix fixed     write a fixed copy
yolo lint --data dir --weights runs/train     find suspect labels
yolo lint --data dir --cross-validate 3       with models trained for it
yolo lint --rules                    list the rules

The data set is a folder or a file in YOLO format (images/ and labels/, or a data.yaml), COCO format (a .json
file) or Pascal VOC format (Annotations/*.xml). It is never modified.

Suspect labels are ranked by what a model sees: objects without a label, wrong classes, boxes that do not fit,
labels without an object. A page to accept or reject each is saved; --apply writes what was accepted into a
copy.

Exit codes: 0 no errors (there may be warnings), 2 wrong usage, 3 errors; with --fix, in the copy.
"""


def _show_rules(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print every rule and end."""
    if wanted and not ctx.resilient_parsing:
        from yolo_cli.datasets import RULES

        for rule in RULES.values():
            echo(f"{rule.code}  {rule.severity:7}  {rule.name}: {rule.meaning}  [--fix: {rule.fixing}]")
        ctx.exit()


@click.command("lint", cls=YoloCommand, help=_HELP)
@data_option()
@click.option(
    "--imgsz",
    type=click.IntRange(32, 4096),
    metavar="PIXELS",
    default=416,
    show_default=True,
    help="Input size to check boxes for.",
)
@allow_unlabelled_option
@format_option("table", "json")
@click.option("--fix", metavar="DIR", help="Write a fixed copy into this new folder.")
@click.option("--apply", metavar="FILE", help="Corrections from the page, to apply in --fix.")
@suspect_options
@click.option(
    "--rules",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_rules,
    help="List the rules and exit.",
)
@accept_damaged_option
@general_options
def lint(
    data: str, imgsz: int, output_format: str, suspecting: dict[str, Any], quiet: bool, **given: Any
) -> int:
    """Look, print, and fix if asked."""
    from yolo_cli.api.linting import lint as look

    wanted = check_suspecting(suspecting)
    watch = None if quiet else partial(track, what="images")
    asked = {name: given[name] for name in ("allow_unlabelled", "fix", "apply")}
    report = look(data, imgsz=imgsz, watch=watch, **asked)
    folder = suspects_folder(report, suspecting) if wanted else None
    suspects = found_suspects(report, suspecting, quiet) if wanted else None
    _echo(report, suspects, output_format)
    if suspects and folder:
        save_suspects(suspects, folder, quiet)
    fixed = report.fixed
    if not quiet:
        say(f"{report.count}{f'; {fixed.report.count} in the copy in {fixed.out}' if fixed else ''}")
    return 3 if (fixed.report if fixed else report).errors else 0


def _echo(report: LintReport, suspects: SuspectReport | None, output_format: str) -> None:
    """The findings, what was fixed, and the suspects, on stdout."""
    if output_format == "json":
        more = {"suspects": suspects.to_dict()} if suspects else {}
        echo(json.dumps(report.to_dict() | more, indent=1, ensure_ascii=False, allow_nan=False))
        return
    done = report.fixed.done if report.fixed else ()
    more_lines = suspect_lines(suspects) if suspects else ()
    lines = [*map(shown, _summary(report)), *_table(report), *map(shown, _done(done)), *more_lines]
    echo("\n".join(lines), painted=True)


def _summary(report: LintReport) -> Iterator[str]:
    """What the data set is: form, splits, classes, boxes."""
    from yolo_cli.datasets import TITLES

    data = report.dataset
    splits = ", ".join(f"{len(data.in_split(split))} {split}" for split in data.splits)
    classes = counted(len(data.class_names), "class")
    content = f"{classes}, {counted(int(data.class_counts().sum()), 'box')}"
    yield f"{TITLES[data.kind]} data set: {counted(len(data), 'image')} ({splits}), {content}"


def _table(report: LintReport) -> list[str]:
    """The findings, at most ten of a rule."""
    from yolo_cli.cli.table import table

    if not report.findings:
        return ["nothing is wrong with it"]
    rows, colours = [("rule", "where", "what")], {}
    for code in dict.fromkeys(finding.code for finding in report.findings):
        found = [finding for finding in report.findings if finding.code == code]
        title, more = f"{code} {found[0].rule.severity}", len(found) - _ROWS_A_RULE
        colours[title] = "red" if found[0].rule.severity == "error" else "yellow"
        rows += [(title, finding.where, finding.what) for finding in found[:_ROWS_A_RULE]]
        rows += [("", "", f"and {more} more; --format json lists all")] if more > 0 else []
    return table(rows, (0, 1, 2), colours).splitlines()


def _done(actions: tuple[str, ...]) -> Iterator[str]:
    """What was fixed, each on a line."""
    if actions:
        yield ""
        yield f"fixed in the copy ({len(actions)}):"
    for action in actions:
        yield f"  {_one_line(action)}"


def _one_line(text: str) -> str:
    """A file name may hold a line break."""
    return " ".join(text.split())
