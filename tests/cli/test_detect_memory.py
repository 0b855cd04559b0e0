"""Memory of a long stream: it must not grow."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import chain, repeat
from pathlib import Path

import pytest

from tests.stream_server import part, stream_server

FRAMES, SETTLED = 20_000, 500
MEGABYTE = 1 << 20


def resident(process: subprocess.Popen[str]) -> int:
    """Bytes of a process that are in memory."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_stream_of_20_000_frames_is_saved_in_constant_memory(tmp_path):
    pattern = [part(number) for number in range(19)]

    def answer(handler):
        handler.start("multipart/x-mixed-replace; boundary=frame")
        for data in chain.from_iterable(repeat(pattern, FRAMES // 19 + 1)):
            handler.wfile.write(data)

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "no_proxy": "127.0.0.1"}
    words = [sys.executable, "-m", "yolo_cli", "detect", "--live", "all", "--imgsz", "32", "--max-frames"]
    words += [str(FRAMES), "--format", "ndjson", "--segment", "1", "--out", str(tmp_path / "o"), "-q"]
    sizes = {}
    with stream_server() as server:
        server.routes["/cam"] = answer
        words.append(f"{server.url}/cam")
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
            for number, _ in enumerate(process.stdout, start=1):
                if number % SETTLED == 0:
                    sizes[number] = resident(process)
        assert process.returncode == 0
    assert len(sizes) == FRAMES // SETTLED
    print(f"\n{ {number: size // MEGABYTE for number, size in sizes.items()} } MB")
    last = max(size for number, size in sizes.items() if number > FRAMES // 2)
    assert last - sizes[SETTLED] < 10 * MEGABYTE
