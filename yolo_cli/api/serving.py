"""A detector over HTTP: `serve`, and `create_app` for other servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Unpack

from yolo_cli.api.detection import load_detector
from yolo_cli.api.options import LoadOptions, check_options
from yolo_cli.config import DEFAULT_MODEL, ServeConfig
from yolo_cli.errors import UsageError
from yolo_cli.hardware import installed

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from yolo_cli.detectors import Detector

__all__ = ["ServeOptions", "create_app", "serve"]

INSTALL = "pip install 'yolo-cli[serve]'"
_PACKAGES = ("starlette", "uvicorn", "python_multipart", "prometheus_client")

Weights = str | os.PathLike[str]


class ServeOptions(LoadOptions, total=False):
    """The options of ``yolo serve``; `ServeConfig` says what each is."""

    host: str
    port: int
    token: str | None
    batch: int
    max_delay: float
    queue: int
    max_size: float
    max_megapixels: float
    max_images: int
    timeout: float


def serve(
    weights: Weights | Sequence[Weights] = DEFAULT_MODEL,
    *,
    started: Callable[[str], object] = lambda _: None,
    **options: Unpack[ServeOptions],
) -> None:
    """Serve models over HTTP until Ctrl-C or SIGTERM; requests that were accepted are answered first.

    Args:
        weights: one model or several; the first is the default.
        started: called with the server's address, before the first request.
        **options: see `ServeOptions`: ``port``, ``token``, ``batch``, ``conf``, …

    Raises:
        UserError: if a model or an option is wrong, the address is taken, or a package is missing.
    """
    detectors, config = _prepared(weights, options)
    from yolo_cli.serving import Server
    from yolo_cli.serving import create_app as app_of

    server = Server(app_of(detectors, config), config)
    started(server.url)
    server.run()


def create_app(
    weights: Weights | Sequence[Weights] = DEFAULT_MODEL, **options: Unpack[ServeOptions]
) -> Starlette:
    """The ASGI app of `serve`, to be run by another server or mounted in another app.

    Args:
        weights: one model or several; the first is the default.
        **options: as for `serve`; requests must name ``host``, or come with the ``token``.

    Raises:
        UserError: if a model or an option is wrong, or a package is missing.
    """
    detectors, config = _prepared(weights, options)
    from yolo_cli.serving import create_app as app_of

    return app_of(detectors, config)


def _prepared(
    weights: Weights | Sequence[Weights], options: ServeOptions
) -> tuple[list[Detector], ServeConfig]:
    """The detectors and the limits."""
    check_options(options, ServeOptions)
    missing = [name for name in _PACKAGES if not installed(name)]
    if missing:
        raise UsageError(f"{missing[0]} is not installed, which serving needs; {INSTALL}")
    given: dict[str, Any] = {**options}
    mine = {field.name: given.pop(field.name) for field in fields(ServeConfig) if field.name in given}
    config = ServeConfig(**mine)
    several = [weights] if isinstance(weights, str | os.PathLike) else weights
    return [load_detector(one, **given).detector for one in several], config
