"""A stream, read in a thread of its own: what it gives is there when it is needed, or is dropped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread
from time import monotonic

from yolo_cli.errors import DataError
from yolo_cli.live.streams import Decode, Stream
from yolo_cli.video import Pages, Video

__all__ = ["Feed", "Packet"]

_WAITING = 2  # packets that wait if none is dropped
_LEAVE_S = 1.0  # a thread that still waits for the network then is left to its timeout


@dataclass(frozen=True, slots=True)
class Packet:
    """One frame that is not decoded yet.

    Attributes:
        number: from 0, of all that the stream gave.
        at: when it came, by the monotonic clock.
        rate: frames a second, about.
        still: whether it is one image, and no frame.
        decode: gives its pixels.
    """

    number: int
    at: float
    rate: float
    still: bool
    decode: Decode


class Feed:
    """Opens a stream and reads it.

    Attributes:
        dropped: packets that nobody took in time.
        fault: why there will be no more packets.
        video: what was opened, if it is to be read as a video; there are no packets then.
        still: whether one image is on its way.
    """

    def __init__(self, opened: Callable[[], Stream | Video], keep_all: bool, every: int, first: int) -> None:
        self.dropped, self.fault, self.still, self._over = 0, "", False, False
        self.video: Video | Pages | None = None
        self._error: BaseException | None = None
        self._opened, self._keep_all, self._every, self._number = opened, keep_all, every, first
        self._packets: deque[Packet] = deque()
        self._changed, self._stop = Condition(), False
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether there is no packet left, and none will come."""
        with self._changed:
            return self._over and not self._packets

    def take(self, timeout: float) -> Packet | None:
        """The next packet; None if the stream has ended, or none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._packets or self._over, timeout)
            packet = self._packets.popleft() if self._packets else None
            self._changed.notify_all()
        if self._error is not None:
            raise self._error
        return packet

    def put_back(self, packet: Packet) -> None:
        """Let the next `take` give this packet."""
        with self._changed:
            self._packets.appendleft(packet)

    def close(self) -> None:
        """End the thread, which lets go of the stream as soon as that answers."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join(_LEAVE_S)

    def _run(self) -> None:
        try:
            opened = self._opened()
            if isinstance(opened, Video):
                self.video = opened
            else:
                self._read(opened)
        except DataError as fault:
            self.fault = fault.text
        except BaseException as error:  # whoever takes packets is to get it
            self._error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _read(self, stream: Stream) -> None:
        self.still = stream.still
        try:
            while not self._stop and (decode := stream.read()):
                if isinstance(decode, Pages):
                    self.video = decode
                    return
                if self._number % self._every == 0:
                    self._put(Packet(self._number, monotonic(), stream.rate, stream.still, decode))
                self._number += 1
        finally:
            stream.close()

    def _put(self, packet: Packet) -> None:
        """Add a packet: when few wait, or in place of the one that waits."""
        with self._changed:
            if self._keep_all:
                self._changed.wait_for(lambda: len(self._packets) < _WAITING or self._stop)
            else:
                self.dropped += len(self._packets)
                self._packets.clear()
            self._packets.append(packet)
            self._changed.notify_all()
