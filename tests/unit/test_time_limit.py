import os
import signal
import time

import pytest

from tests.images import encode, smooth
from yolo_cli import image_timeout, read_image
from yolo_cli.damage import accept_damaged
from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import DamagedError, Image
from yolo_cli.time_limit import LIMIT, Limited


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def end_by(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.fixture(scope="module")
def limited():
    caller = Limited(0.5)
    yield caller
    caller.close()


def test_what_takes_too_long_is_one_line_and_the_next_is_read(limited):
    assert limited.call("a.jpg", sleep, 0) == 0
    start = time.monotonic()
    with pytest.raises(DataError) as late:
        limited.call("a.jpg", sleep, 60)
    assert time.monotonic() - start < 20
    assert (
        late.value.text == "a.jpg: was not read within 0.5 s (--timeout); it is damaged, or its disk is slow"
    )
    assert limited.call("b.jpg", sleep, 0) == 0


def test_a_decoder_that_crashes_is_one_line(limited):
    with pytest.raises(DataError, match=r"b.png: ended the process that decoded it \(code -11\)"):
        limited.call("b.png", end_by, signal.SIGSEGV)
    assert limited.call("c.png", sleep, 0) == 0


def test_faults_pass(limited):
    with pytest.raises(TypeError):
        limited.call("c.png", sleep, "long")


def test_images_within_the_limit_are_the_same(tmp_path):
    whole, cut = tmp_path / "whole.jpg", tmp_path / "cut.jpg"
    whole.write_bytes(encode(smooth(), "JPEG"))
    cut.write_bytes(whole.read_bytes()[:-100])
    with image_timeout(60):
        image = read_image(whole)
        with pytest.raises(DamagedError, match=r"cut.jpg: the JPEG file"):
            read_image(cut)
    assert isinstance(image, Image)
    assert (image.rgb == read_image(whole).rgb).all()
    with accept_damaged() as notes, image_timeout(60):
        read_image(cut)
    assert len(notes) == 1
    assert LIMIT.limited is None


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e9])
def test_odd_limits(seconds):
    with pytest.raises(UsageError, match="timeout is"), image_timeout(seconds):
        pass


def test_no_limit_starts_no_process(tmp_path, monkeypatch):
    monkeypatch.setattr("subprocess.Popen", None)
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(smooth(), "JPEG"))
    with image_timeout(None):
        read_image(path)
