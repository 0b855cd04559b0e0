"""A camera or stream → frames, for as long as it can be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic, perf_counter, sleep

from yolo_cli.errors import DataError
from yolo_cli.images import FramePosition, Image
from yolo_cli.live.address import Address
from yolo_cli.live.feed import Feed, Packet
from yolo_cli.live.options import LiveOptions
from yolo_cli.live.streams import Stream, open_address
from yolo_cli.text import counted
from yolo_cli.video import Frame, FrameChoice, Video

__all__ = ["live_frames"]

_POLL_S = 0.1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0


def live_frames(
    address: Address,
    choice: FrameChoice | None = None,
    options: LiveOptions | None = None,
    opened: Callable[[Address, LiveOptions], Stream | Video] = open_address,
) -> Iterator[Frame]:
    """The frames of a camera or an address, until it ends, is stopped, or cannot be reached any more.

    A source that stalls or breaks is opened again after 1, 2, 4, … seconds, at most 30; numbers and times
    go on. Times are seconds from the first frame, by the clock of this computer. If the source cannot be
    reached again, the last `Frame` has the fault. An address may also hold one image or a video.

    Args:
        address: the source.
        choice: the frames that are given; None is all.
        options: how it is followed.
        opened: opens the source.
    """
    following = _Following(address, choice or FrameChoice(), options or LiveOptions(), opened)
    try:
        yield from following.frames()
    finally:
        following.close()


class _Following:
    """One source, over all its connections."""

    def __init__(
        self,
        address: Address,
        choice: FrameChoice,
        options: LiveOptions,
        opened: Callable[[Address, LiveOptions], Stream | Video],
    ) -> None:
        self._title, self._name = address.title, address.name
        self._choice, self._options = choice, options
        self._opened = partial(opened, address, options)
        self._feed = self._new_feed(0)
        self._next, self._dropped, self._given = 0, 0, 0
        self._first_at = self._last_at = 0.0

    def frames(self) -> Iterator[Frame]:
        """The chosen frames; a fault is the last of them."""
        while True:
            packet = self._wait(self._options.stall)
            if packet:
                yield from self._chosen(packet)
                if self._is_done(packet):
                    return
            elif self._feed.video:
                yield from self._feed.video.frames(self._choice)
                return
            elif self._options.stopped() or (self._feed.ended and not self._feed.fault):
                return
            elif fault := self._again():
                yield Frame(self._name, fault=fault)
                return

    def close(self) -> None:
        """Let go of the source, and tell how many frames were dropped."""
        self._leave()
        if self._dropped:
            total = counted(self._next, "frame")
            say = f"{self._dropped} of {total} dropped while the network was busy; `--live all` waits instead"
            self._options.tell(f"{self._title}: {say}")

    def _new_feed(self, first: int) -> Feed:
        return Feed(self._opened, self._options.live == "all", self._choice.every, first)

    def _leave(self) -> None:
        self._feed.close()
        self._dropped += self._feed.dropped
        self._feed.dropped = 0

    def _wait(self, seconds: float) -> Packet | None:
        """The next packet; None after so many seconds, at an end, or once it is to stop."""
        until = monotonic() + seconds
        while True:
            packet = self._feed.take(min(_POLL_S, seconds))
            late = monotonic() >= until and not self._feed.still  # an image has a limit of its own
            if packet or self._feed.ended or late or self._options.stopped():
                return packet

    def _chosen(self, packet: Packet) -> Iterator[Frame]:
        """The frame of a packet, if it is in the time range."""
        self._first_at = self._first_at or packet.at
        self._next, self._last_at = packet.number + 1, packet.at
        time_s = packet.at - self._first_at
        end = self._choice.end
        if time_s >= self._choice.start and (end is None or time_s < end):
            self._given += 1
            yield self._frame(packet, time_s)

    def _frame(self, packet: Packet, time_s: float) -> Frame:
        name = self._name if packet.still else f"{self._name}#{packet.number}"
        place = FramePosition(self._name, packet.number, round(time_s, 3), packet.rate)
        began = perf_counter()
        try:
            rgb = packet.decode(name)
        except DataError as fault:
            return Frame(name, fault=fault.text)
        image = Image(rgb, name, None if packet.still else place)
        return Frame(name, image, decode_ms=(perf_counter() - began) * 1000)

    def _is_done(self, packet: Packet) -> bool:
        """Whether no later frame is chosen."""
        end = self._choice.end
        return self._given == self._choice.max_frames or (
            end is not None and packet.at - self._first_at >= end
        )

    def _again(self) -> str:
        """Reach the source once more; why that cannot be done, or nothing."""
        why = self._feed.fault or f"{self._title}: no frame for {self._options.stall:g} s"
        if not self._next:  # it never gave a frame: an address that is wrong, most likely
            return why
        for number in range(self._options.reconnect):
            self._leave()
            pause = min(_FIRST_PAUSE_S * 2.0**number, _LONGEST_PAUSE_S)
            self._options.tell(
                f"{why}; trying again in {pause:g} s ({number + 1} of {self._options.reconnect})"
            )
            if self._sleep(pause):
                return ""
            self._feed = self._new_feed(self._next)
            if packet := self._wait(self._options.stall):
                self._feed.put_back(packet)
                self._options.tell(f"{self._title}: frames again, after {packet.at - self._last_at:.1f} s")
                return ""
            why = self._feed.fault or why
        return f"{why}; what is done is kept"

    def _sleep(self, seconds: float) -> bool:
        """Wait; whether it is to stop."""
        until = monotonic() + seconds
        while monotonic() < until and not self._options.stopped():
            sleep(_POLL_S)
        return self._options.stopped()
