"""`yolo serve`: detection over HTTP."""

from __future__ import annotations

from typing import Any

import click

from yolo_cli.cli.group import YoloCommand
from yolo_cli.cli.options import config_option, serving_options, talk_options
from yolo_cli.cli.terminal import say
from yolo_cli.config import ServeConfig

__all__ = ["serve"]

_DEFAULTS = ServeConfig()

# \b keeps click from filling a paragraph.
_HELP = """Serve models over HTTP, with a page for people.

POST an image to /detect, and the response is what `yolo detect --format json` prints. Only this machine can
use the server unless --host names another address, which needs a token. Ctrl-C stops it; requests that were
accepted are finished first.

\b
yolo serve
yolo serve --weights runs/train --weights yolov4-tiny-coco --port 8000
YOLO_CLI_TOKEN=… yolo serve --host 0.0.0.0
curl --data-binary @photo.jpg http://127.0.0.1:8080/detect

Exit codes: 0 stopped, 2 wrong usage, 3 a model cannot be used.
"""


_SERVER = (
    click.option(
        "--host", metavar="ADDRESS", default=_DEFAULTS.host, show_default=True, help="Address to listen on."
    ),
    click.option(
        "--port", type=int, default=_DEFAULTS.port, show_default=True, help="Port; 0 takes any that is free."
    ),
    click.option(
        "--token",
        envvar="YOLO_CLI_TOKEN",
        help="What clients must send; better in YOLO_CLI_TOKEN.",
    ),
    *(
        click.option(
            f"--{name.replace('_', '-')}",
            type=type(getattr(_DEFAULTS, name)),
            metavar=metavar,
            default=getattr(_DEFAULTS, name),
            show_default=True,
            help=text,
        )
        for name, metavar, text in (
            ("batch", "N", "Maximum images in a batch, of any requests."),
            ("max_delay", "MS", "Longest wait of an image for its batch."),
            ("queue", "N", "Maximum requests under way; others get 503."),
            ("max_size", "MB", "Maximum size of a request."),
            ("max_megapixels", "N", "Maximum size of an image in megapixels."),
            ("max_images", "N", "Maximum images of a request."),
            ("timeout", "SECONDS", "Time in which a request must arrive."),
        )
    ),
)


@click.command("serve", cls=YoloCommand, help=_HELP)
@serving_options(*_SERVER)
@config_option
@talk_options
def serve(detection: dict[str, Any], quiet: bool, verbose: bool, **server: Any) -> int:  # noqa: ARG001
    """Everything, from the models to the end of the server."""
    from yolo_cli.api import serving

    def started(url: str) -> None:
        if not quiet:
            say(f"serving at {url}; Ctrl-C stops")

    serving.serve(**detection, **server, started=started)
    return 0
