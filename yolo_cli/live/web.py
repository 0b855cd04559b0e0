"""HTTP, bounded in time and size: only where the user typed the address, and never on to another scheme."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from yolo_cli.errors import DataError
from yolo_cli.live.address import Address
from yolo_cli.version import __version__

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

__all__ = ["Response", "connect"]

MAX_IMAGE_BYTES = 1 << 28
MAX_IMAGE_S = 60.0
_PIECE, _TAIL = 1 << 16, 100


class Response:
    """An answer whose content has not been read yet.

    Attributes:
        kind: its content type in lower case, such as "image/jpeg".
    """

    def __init__(self, address: Address, answer: Any) -> None:
        self._address, self._answer = address, answer
        self.kind = str(answer.headers.get_content_type()).lower()
        self._length = int(answer.headers.get("content-length") or 0)
        self._received, self._tail = 0, b""
        self._close_mark = f"{answer.headers.get_param('boundary')}--".encode()

    @property
    def whole(self) -> bool:
        """Whether all content has come: as much as was announced, or a multipart stream's closing mark."""
        return 0 < self._length <= self._received or self._tail.rstrip().endswith(self._close_mark)

    def pieces(self) -> Iterator[bytes]:
        """The content, as it comes.

        Raises:
            DataError: if the connection breaks.
        """
        with _errors(self._address):
            while piece := self._answer.read1(_PIECE):
                self._received += len(piece)
                self._tail = (self._tail + piece)[-_TAIL:]
                yield piece

    def image_bytes(self, begun: bytes = b"") -> bytes:
        """The whole content.

        Args:
            begun: what has been read of it.

        Raises:
            DataError: if it is too large or too slow to be an image, or the connection breaks.
        """
        data, started = bytearray(begun), time.monotonic()
        for piece in self.pieces():
            data += piece
            if len(data) > MAX_IMAGE_BYTES:
                limit = f"{MAX_IMAGE_BYTES >> 20} MB"
                raise DataError(f"{self._address.title}: is over {limit} and thus not an image")
            if time.monotonic() - started > MAX_IMAGE_S:
                raise DataError(f"{self._address.title}: not complete after {MAX_IMAGE_S:.0f} s; try again")
        return bytes(data)

    def close(self) -> None:
        """End the connection."""
        self._answer.close()


def connect(address: Address, timeout: float) -> Response:
    """Ask for an address, and wait for the head of the answer.

    A user and password in it are sent only to its host, and only if that asks for them.

    Args:
        address: with the scheme http or https.
        timeout: seconds to wait for each piece.

    Raises:
        DataError: if it cannot be reached, or the answer is an error.
    """
    from urllib.request import Request

    with _errors(address):
        where = urlsplit(address.url)
        host = where.netloc.rpartition("@")[2]
        url = where._replace(netloc=host, fragment="").geturl().replace(" ", "%20")
        request = Request(url, headers={"User-Agent": f"yolo-cli/{__version__}"})  # noqa: S310
        return Response(address, _opener(where, f"{where.scheme}://{host}/").open(request, timeout=timeout))


def _opener(where: SplitResult, root: str) -> OpenerDirector:
    """HTTP and HTTPS, with redirects between them alone."""
    from urllib import request

    class Redirects(request.HTTPRedirectHandler):
        def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
            scheme = urlsplit(headers.get("location") or headers.get("uri", "")).scheme.lower()
            if scheme not in ("http", "https", ""):
                raise DataError(f"redirects to {scheme}:, which is not followed")
            return super().http_error_302(req, fp, code, msg, headers)

        http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    passwords = request.HTTPPasswordMgrWithDefaultRealm()
    if where.username is not None:
        passwords.add_password(None, root, unquote(where.username), unquote(where.password or ""))
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.HTTPBasicAuthHandler(passwords),
        request.HTTPDigestAuthHandler(passwords),
        Redirects(),
    ):
        opener.add_handler(handler)
    return opener


@contextmanager
def _errors(address: Address) -> Iterator[None]:
    """Turn what goes wrong on the network into a DataError, which never has the address as it was typed."""
    from urllib.error import HTTPError

    try:
        yield
    except DataError as fault:
        known = fault.text.startswith(address.title)
        raise fault if known else DataError(f"{address.title}: {fault.text}") from None
    except HTTPError as fault:
        raise DataError(f"{address.title}: {_refusal(fault.code)}") from None
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise DataError(f"{address.title}: {_reason(fault)}") from None


def _refusal(code: int) -> str:
    """What an HTTP status means, and what to do."""
    words = http.client.responses.get(code, "an error")
    if code in (401, 407):
        return f"the server answers {code} {words}; write http://USER:PASSWORD@HOST"
    return f"the server answers {code} {words}; check the address"


def _reason(fault: Exception) -> str:
    """Why there is no answer. Only fixed words and the system's: other texts may quote the address."""
    cause = getattr(fault, "reason", fault)
    if isinstance(cause, TimeoutError):
        return "no answer in time; check the address, or wait longer with --stall"
    if isinstance(cause, http.client.HTTPException):
        return f"the connection broke or is not HTTP ({type(cause).__name__})"
    if isinstance(cause, OSError):
        reason = " ".join(str(getattr(cause, "strerror", None) or type(cause).__name__).split())
        return f"cannot be reached: {reason}; check the address"
    return "is not an address that can be opened; write http://HOST:PORT/PATH"
