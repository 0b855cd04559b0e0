"""Who may use the server: this machine's own programs, or whoever has the token."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from yolo_cli.config import ServeConfig

__all__ = ["OPEN", "Guard"]

OPEN = ("/health", "/openapi.json", "/", "/page.css", "/page.js")
"""Paths that need no token: they tell and cost nothing."""

_LOCAL = ("localhost", "127.0.0.1", "::1")


class Guard:
    """Refuses requests before any of their body is read.

    With a token, each request must bear it. Without one, the server listens to this machine only, and web
    pages of others must not reach it through a browser here: neither by a name of their own that leads to
    this address (DNS rebinding), nor from another origin.
    """

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self._app, self._config = app, config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refused = self._refusal(scope["path"], Headers(scope=scope)) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> JSONResponse | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return _refuse(403, "requests of pages of other origins are refused")
        token = self._config.token
        if token is None:
            if _hostname(host) in (*_LOCAL, self._config.host):
                return None
            return _refuse(403, f"this server is not called {host!r}; set a token to serve other names")
        given = headers.get("authorization", "").encode("utf-8", "replace")
        if path in OPEN or hmac.compare_digest(given, f"Bearer {token}".encode()):
            return None
        return _refuse(401, "send the server's token: Authorization: Bearer TOKEN")


def _hostname(host: str) -> str | None:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _refuse(status: int, text: str) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"error": text}, status, {**headers, "Connection": "close"})
