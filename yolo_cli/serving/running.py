"""The server process: uvicorn with bounds on what it leaves unbounded, and a graceful end."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from yolo_cli.config import ServeConfig
from yolo_cli.errors import UsageError

__all__ = ["Server"]

_HEADER_SECONDS = 10.0
_MOST_CONNECTIONS = 1000
_BACKLOG = 128


class _Protocol(H11Protocol):
    """Closes a connection that does not send the whole header of a request in time.

    uvicorn has a limit only for the time between two requests.
    """

    _timed: object = None  # the request after which the next one's header is awaited

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Await the first header."""
        super().connection_made(transport)
        self._await_header(None)

    def data_received(self, data: bytes) -> None:
        """Await the header of which a part has come, if it is not awaited already."""
        super().data_received(data)
        if self.cycle is not None and self.cycle.response_complete and self._timed is not self.cycle:
            self._await_header(self.cycle)

    def _await_header(self, after: Any) -> None:
        self._timed = after
        self.loop.call_later(_HEADER_SECONDS, self._close_if_late, after)

    def _close_if_late(self, after: Any) -> None:
        if self.cycle is after and not self.transport.is_closing():
            self.transport.close()


class Server:
    """An app at an address. In ``with``, it runs in a thread, and the end of the block stops it.

    Attributes:
        url: where it can be reached.

    Args:
        app: the app.
        config: its address and limits.

    Raises:
        UsageError: if the address cannot be used.
    """

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self._socket = _listen(config.host, config.port)
        host, port = self._socket.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        settings = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=round(config.timeout) + 30,
        )
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._run)

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM; then answer what was accepted, and return."""
        with _ignoring_repeats():
            self._run()

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join()

    def stop(self) -> None:
        """Accept no more requests, and end when those that were accepted are answered."""
        self._server.should_exit = True

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._socket]))


def _listen(host: str, port: int) -> socket.socket:
    """A socket at an address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With the protocol, asyncio sends what it has at once; else bodies wait 40 ms for headers (Nagle).
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as fault:
        raise UsageError(f"cannot serve at --host {host} --port {port}: {fault.strerror}") from None
    return listener


@contextmanager
def _ignoring_repeats() -> Iterator[None]:
    """The signal that stopped uvicorn, and that it raises once more at its end, does nothing then."""
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.signal(kind, lambda *_: None) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
