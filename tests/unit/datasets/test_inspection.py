"""Nearly the same images are found, others are not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from yolo_cli.datasets.inspection import (
    HASH_BITS,
    NEAR_BITS,
    NEAR_LEVELS,
    Inspection,
    inspect_images,
    near_pairs,
)


def inspected(root: Path, *images: np.ndarray) -> list[object]:
    for i, image in enumerate(images):
        cv2.imwrite(str(root / f"{i}.png"), image)
    return list(inspect_images([root / f"{i}.png" for i in range(len(images))]).values())


def make_image(seed: int = 0) -> np.ndarray:
    blots = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    return cv2.resize(blots, (640, 480), interpolation=cv2.INTER_CUBIC)


def test_a_copy_made_again_is_found(tmp_path: Path) -> None:
    original = make_image()
    again = cv2.imdecode(cv2.imencode(".jpg", original, [1, 40])[1], 1)
    half = cv2.resize(original, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    bright = cv2.convertScaleAbs(original, alpha=1.05, beta=5)
    inspections = inspected(tmp_path, original, again, half, bright)
    assert [(i, j) for i, j, _, _ in near_pairs(inspections[:1], inspections[1:])] == [
        (0, 0),
        (0, 1),
        (0, 2),
    ]


def test_others_are_not(tmp_path: Path) -> None:
    original = make_image()
    moved = original.copy()  # a fixed camera, and something white of 60x60 pixels that has come
    moved[200:260, 300:360] = 255
    inspections = inspected(tmp_path, original, make_image(1), original[:, ::-1], original[::-1], moved)
    assert list(near_pairs(inspections[:1], inspections[1:])) == []


def test_the_same_bytes_are_another_rule(tmp_path: Path) -> None:
    inspections = inspected(tmp_path, make_image(), make_image())
    assert list(near_pairs(inspections[:1], inspections[1:])) == []


def test_plain_images_resemble_nothing(tmp_path: Path) -> None:
    inspections = inspected(tmp_path, np.full((64, 64, 3), 90, np.uint8), np.full((64, 64, 3), 91, np.uint8))
    assert list(near_pairs(inspections[:1], inspections[1:])) == []


def test_many_are_compared_block_by_block_like_a_few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inspections = inspected(tmp_path, *(cv2.convertScaleAbs(make_image(i % 3), beta=i) for i in range(9)))
    whole = sorted(near_pairs(inspections, inspections))
    monkeypatch.setattr("yolo_cli.datasets.inspection._BLOCK", 2)
    assert sorted(near_pairs(inspections, inspections)) == whole
    assert {(i, j) for i, j, _, _ in whole} == {
        (i, j) for i in range(9) for j in range(9) if i != j and i % 3 == j % 3
    }


@pytest.mark.parametrize(
    ("bits", "levels", "near"), [(NEAR_BITS, NEAR_LEVELS, True), (NEAR_BITS + 1, 0, False),
                                 (0, NEAR_LEVELS + 1, False)]
)  # fmt: skip
def test_the_limits_of_near_duplicates(bits: int, levels: int, near: bool, tmp_path: Path) -> None:
    """Images of 32 × 32 pixels are their own thumbnails."""
    assert (NEAR_BITS, NEAR_LEVELS) == (40, 48)
    hashed = np.ones(HASH_BITS, np.int8)
    pair = []
    for level, flipped in ((100, 0), (100 + levels, bits)):
        path = tmp_path / f"{len(pair)}.png"
        path.write_bytes(cv2.imencode(".png", np.full((32, 32, 3), level, np.uint8))[1].tobytes())
        other = hashed.copy()
        other[:flipped] = -1
        pair.append(Inspection("", str(level + flipped), None, other, path))
    assert bool(list(near_pairs(pair[:1], pair[1:]))) is near
