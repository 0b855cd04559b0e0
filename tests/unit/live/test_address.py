"""What is an address, and what is shown of it."""

from __future__ import annotations

import pytest

from yolo_cli.live import find_address


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("rtsp://cam/live", "rtsp://cam/live"),
        ("rtsp://me@cam/live", "rtsp://***@cam/live"),
        ("https://pw@cam/a.jpg", "https://***@cam/a.jpg"),
        ("rtsp://me:pw@cam:554/live", "rtsp://me:***@cam:554/live"),
        ("rtsp://me:p@s@cam/live", "rtsp://me:***@cam/live"),
        ("rtsp://me:p/s?x#y@cam/live", "rtsp://me:***@cam/live"),
        ("http://:pw@cam/", "http://:***@cam/"),
        ("http://cam:8080/@me/a.jpg", "http://cam:8080/@me/a.jpg"),
        ("HTTP://cam/a?user=me&Password=pw&x=1", "HTTP://cam/a?user=me&Password=***&x=1"),
        (
            "http://cam/a?access_token=abc;apikey=def#sig=ghi",
            "http://cam/a?access_token=***;apikey=***#sig=***",
        ),
        ("rtsp://cam/user=me&password=pw&channel=1", "rtsp://cam/user=me&password=***&channel=1"),
    ],
)
def test_passwords_are_masked(typed, shown):
    address = find_address(typed)
    assert (address.name, address.url) == (shown, typed)
    assert "pw" not in repr(address)


@pytest.mark.parametrize("path", ["a.jpg", "C:\\a.jpg", "1234", "-1", "0.5", "http:/a", "//cam/a", ""])
def test_paths_are_no_addresses(path):
    assert find_address(path) is None


@pytest.mark.parametrize(
    ("typed", "place", "is_image"),
    [
        ("0", "camera-0", False),
        ("http://me:pw@cam/../a%20b.JPG?pwd=x", "a_b.JPG", True),
        ("http://cam/%2e%2e", "cam", False),
        ("rtsp://me:pw@192.168.0.5:554", "192-168-0-5", False),
        ("rtsp://cam/user=me&password=pw", "user_me_password_", False),
        ("rtsp://cam/a.jpg", "a.jpg", False),
    ],
)
def test_the_file_that_it_becomes(typed, place, is_image):
    address = find_address(typed)
    assert (address.place, address.is_image) == (place, is_image)
