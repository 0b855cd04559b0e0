"""The images of a request: the bytes of one, or the files of a form; bounded in size, number and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from yolo_cli.config import ServeConfig
from yolo_cli.serving.errors import RefusedError

__all__ = ["drain", "read_body"]

_DRAIN_SECONDS = 2.0  # most clients send a whole request before they read the answer


class _InMemory(MultiPartParser):
    """Files stay in memory, which `read_body` bounds; a server in a container may not write."""

    spool_max_size = 1 << 40


async def read_body(request: Request, config: ServeConfig) -> list[tuple[str, bytes]]:
    """Name and bytes of each image of a request.

    The body is one image, named by the query parameter ``name``, else "-" as on standard input; or a form
    (multipart/form-data) with a file for each image.

    Raises:
        RefusedError: if the request is too large, too slow, or not of this form.
        ClientDisconnect: if the client is gone.
    """
    limit = int(config.max_size * 1e6)
    if _announced(request) > limit:
        await drain(request, config)
        raise _too_large(config)
    try:
        async with asyncio.timeout(config.timeout):
            return await _images(request, _bounded(request, limit, config), config)
    except TimeoutError:
        text = f"the request took longer than {config.timeout:g} s to arrive; send less, or faster"
        raise RefusedError(408, text, {"Connection": "close"}) from None
    except MultiPartException as fault:
        raise RefusedError(400, f"the form cannot be read: {fault.message}") from None


async def drain(request: Request, config: ServeConfig) -> None:
    """Drop the body of a request that is refused, so that its client reads the answer.

    That ends after twice the maximum size, and after two seconds; such a client may see its connection cut.
    One that waits for permission to send (RFC 9110, 10.1.1), as curl does, has sent nothing.
    """
    if request.headers.get("expect", "").lower() == "100-continue":
        return
    left = 2 * config.max_size * 1e6
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return


def _announced(request: Request) -> int:
    """The number of bytes that the client says it will send; 0 if it does not say."""
    length = request.headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _too_large(config: ServeConfig) -> RefusedError:
    text = f"the request is larger than {config.max_size:g} MB; shrink the images, or send fewer"
    return RefusedError(413, text, {"Connection": "close"})


async def _bounded(request: Request, limit: int, config: ServeConfig) -> AsyncGenerator[bytes, None]:
    """The body's parts, of ``limit`` bytes together."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            yield chunk
        elif size > 2 * limit:  # up to here it is dropped, so that the client reads the answer
            break
    if size > limit:
        raise _too_large(config)


async def _images(
    request: Request, body: AsyncGenerator[bytes, None], config: ServeConfig
) -> list[tuple[str, bytes]]:
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        return [(request.query_params.get("name", "-"), b"".join([part async for part in body]))]
    if "boundary=" not in request.headers["content-type"]:
        raise RefusedError(400, "the form has no boundary; let the client write the Content-Type")
    return [image async for image in _files(request, body, config)]


async def _files(
    request: Request, body: AsyncGenerator[bytes, None], config: ServeConfig
) -> AsyncIterator[tuple[str, bytes]]:
    """The files of a form."""
    most = config.max_images
    parser = _InMemory(request.headers, body, max_files=most, max_fields=most)
    form = await parser.parse()
    files = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
    if not files:
        raise RefusedError(400, "the form has no file; send each image as a file: curl -F image=@cat.jpg")
    for file in files:
        yield file.filename or "-", await file.read()
        await file.close()
