"""Requests that cannot be served: an HTTP status and one line that says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

__all__ = ["RefusedError", "refusal"]


class RefusedError(Exception):
    """A request that is refused.

    Attributes:
        status: the HTTP status.
        headers: of the response.
    """

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


async def refusal(_request: Request, fault: Any) -> JSONResponse:
    """The response for a `RefusedError`: ``{"error": "one line"}``."""
    return JSONResponse({"error": str(fault)}, fault.status, fault.headers)
