"""The routes: ``/detect``, ``/health``, ``/models``, ``/metrics``, ``/openapi.json`` and the page."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from yolo_cli.config import ServeConfig, bundled
from yolo_cli.detectors import Detector
from yolo_cli.images import Image
from yolo_cli.pipeline import Outcome
from yolo_cli.pipeline.formats import FORMATS, Model
from yolo_cli.report.html import TEMPLATES
from yolo_cli.serving.bodies import drain, read_body
from yolo_cli.serving.errors import RefusedError, refusal
from yolo_cli.serving.guard import Guard
from yolo_cli.serving.metrics import CONTENT_TYPE
from yolo_cli.serving.service import Service, named
from yolo_cli.version import __version__

__all__ = ["create_app"]

_HERE = Path(__file__).parent
_MEDIA = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv",
          "coco": "application/json", "yolo": "text/plain"}  # fmt: skip
_GONE = 499  # nginx's number for a client that left; nobody sees it but the metrics
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def create_app(detectors: Sequence[Detector], config: ServeConfig | None = None) -> Starlette:
    """An ASGI app that serves detectors. Each runs once at once, since a first run takes longer.

    Args:
        detectors: the first is the default.
        config: limits and token; its host and port are those that the app must be reached by.
    """
    config = config or ServeConfig()
    service = Service(named(detectors), config)
    for detector in detectors:
        detector.detect([Image(np.zeros((*detector.input_size, 3), np.uint8))])

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    routes = [
        Route("/detect", partial(_detect, service), methods=["POST"]),
        Route("/health", partial(_health, service)),
        Route("/models", partial(_models, service)),
        Route("/metrics", partial(_metrics, service)),
        *(Route(path, _fixed(*parts)) for path, parts in _files().items()),
    ]
    guard = Middleware(Guard, config)
    return Starlette(
        routes=routes, middleware=[guard], exception_handlers={RefusedError: refusal}, lifespan=lifespan
    )


async def _detect(service: Service, request: Request) -> Response:
    """Images in; out comes what ``yolo detect --format json`` prints."""
    start = time.perf_counter()
    try:
        response = await _answer(service, request)
    except RefusedError as fault:
        response = await refusal(request, fault)
    except ClientDisconnect:
        response = Response(status_code=_GONE)
    service.metrics.seconds.observe(time.perf_counter() - start)
    service.metrics.requests.labels(str(response.status_code)).inc()
    return response


async def _answer(service: Service, request: Request) -> Response:
    """The response to a request that is not refused.

    Raises:
        RefusedError: if it is.
        ClientDisconnect: if nobody waits for a response.
    """
    form = request.query_params.get("format", "json")
    if form not in _MEDIA:
        raise RefusedError(400, f"there is no format {form!r}; there are {', '.join(_MEDIA)}")
    name, detector = service.choose(request.query_params)
    try:
        with service.place():
            images = await read_body(request, service.config)
            outcomes = await service.detect(detector, images)
    except RefusedError as fault:
        if fault.status == 503:
            await drain(request, service.config)
        raise
    failed = sum(outcome.image is None for outcome in outcomes)
    service.metrics.images.labels(name, "failed").inc(failed)
    service.metrics.images.labels(name, "detected").inc(len(outcomes) - failed)
    points = detector.card.keypoints
    model = Model(name, detector.class_names, detector.input_size, keypoints=points)
    text = "".join(FORMATS[form](outcomes, model))
    return Response(text, _status(outcomes), media_type=_MEDIA[form])


def _status(outcomes: Sequence[Outcome]) -> int:
    """422 if no image could be used: where the command line exits with 3."""
    return 200 if any(outcome.image is not None for outcome in outcomes) else 422


async def _health(service: Service, _request: Request) -> Response:
    """Whether the detectors run, for supervisors and load balancers."""
    alive = service.batcher.alive
    text = {"status": "ok" if alive else "failed", "version": __version__, "models": list(service.detectors)}
    return JSONResponse(text, 200 if alive else 503)


async def _models(service: Service, _request: Request) -> Response:
    """The models, the default first."""
    facts = [
        {"name": name, "input_size": one.input_size, "class_names": one.class_names, "conf": one.config.conf}
        for name, one in service.detectors.items()
    ]
    return JSONResponse({"models": facts})


async def _metrics(service: Service, _request: Request) -> Response:
    """The counters, for Prometheus."""
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def _files() -> Mapping[str, tuple[bytes, str]]:
    """Content and type of each path that never changes."""
    page = _HERE / "page"
    style = (TEMPLATES / "base.css").read_bytes() + (page / "page.css").read_bytes()
    script = (TEMPLATES / "theme.js").read_bytes() + (page / "page.js").read_bytes()
    return {
        "/": ((page / "page.html").read_bytes(), "text/html"),
        "/page.css": (style, "text/css"),
        "/page.js": (script, "text/javascript"),
        "/openapi.json": (json.dumps(_openapi()).encode(), "application/json"),
    }


def _openapi() -> dict[str, Any]:
    """The description of the routes, with the published schema of what ``yolo detect`` prints."""
    described: dict[str, Any] = json.loads((_HERE / "openapi.json").read_bytes())
    schema = (bundled("docs/schemas") / "detect.schema.json").read_text(encoding="utf-8")
    printed = json.loads(schema.replace("#/$defs/", "#/components/schemas/"))
    described["components"]["schemas"].update(printed["$defs"])
    described["info"]["version"] = __version__
    return described


def _fixed(content: bytes, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    async def respond(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers=_PAGE_HEADERS)

    return respond
