"""A detector on tiles finds what it finds on each tile, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract import assert_is_detector
from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors import Cost, Times, load_detector
from yolo_cli.detectors.tiling import TiledDetector, tile_levels
from yolo_cli.errors import UsageError
from yolo_cli.explanation.explaining import explain
from yolo_cli.images import Image, read_image
from yolo_cli.weights import ModelCard

Box = tuple[int, int, int, int]
GREY = 90
CARD = ModelCard("patches", ("patch",), (), (64, 64), "stretch")


@dataclass(frozen=True)
class Patches:
    """Finds bright patches whose longer side is at least an eighth of what it looks at."""

    config: DetectConfig
    card: ModelCard = CARD
    class_names: tuple[str, ...] = ("patch",)
    input_size: tuple[int, int] = (64, 64)

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        assert len(images) <= 8, "as many tiles at a time as memory is meant for"
        return [self._found(image) for image in images], Times(1.0, 2.0, 3.0)

    def _found(self, image: Image) -> Detections:
        bright = (image.rgb[..., 0] > GREY).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        rows = [row for row in stats[1:].tolist() if max(row[2:4]) * 8 >= max(image.rgb.shape)]
        xyxy = np.float32([[x, y, x + w, y + h] for x, y, w, h, _ in rows]).reshape(-1, 4)
        level = np.float32([image.rgb[y : y + h, x : x + w, 0].max() / 255 for x, y, w, h, _ in rows])
        order = np.argsort(-level, kind="stable")
        return Detections(xyxy[order], level[order], np.zeros(len(rows), int))

    def cost(self, image: Image) -> Cost:
        return Cost(image.height * image.width, 7)

    def with_config(self, config: DetectConfig) -> Any:
        return replace(self, config=config)


def on_tiles(**options: Any) -> TiledDetector:
    return TiledDetector(Patches(DetectConfig(**{"tile": "auto", **options})))  # type: ignore[arg-type]


def image_of(size: tuple[int, int], patches: Sequence[Box]) -> Image:
    """Grey, with patches, the first the brightest."""
    rgb = np.full((*size, 3), GREY, np.uint8)
    for number, (left, top, right, bottom) in enumerate(patches):
        rgb[top:bottom, left:right] = 250 - number
    return Image(rgb)


def rows(found: Detections) -> set[tuple[float, ...]]:
    return {tuple(box) for box in found.xyxy.tolist()}


@st.composite
def patches(draw: st.DrawFn) -> tuple[tuple[int, int], list[Box]]:
    """A size, and patches in cells of 20 x 20 that do not touch."""
    down, across = draw(st.integers(3, 12)), draw(st.integers(3, 12))
    cells = draw(st.sets(st.tuples(st.integers(0, down - 1), st.integers(0, across - 1)), max_size=12))
    sides = st.integers(8, 18)
    boxes = [(20 * x + 1, 20 * y + 1, 20 * x + 1 + draw(sides), 20 * y + 1 + draw(sides)) for y, x in cells]
    return (20 * down, 20 * across), boxes


@given(patches())
def test_small_objects_are_found_once_and_exactly(drawn: tuple[tuple[int, int], list[Box]]) -> None:
    """Sides of 8 to 18 pixels: an eighth of a tile of 64 at least; whole on a tile if overlaps are 32."""
    size, boxes = drawn
    [found] = on_tiles(tile_overlap=0.5).detect([image_of(size, boxes)])
    assert rows(found) == set(boxes)
    assert len(found) == len(boxes)


@given(patches())
def test_an_object_inside_a_tile_is_found_as_on_the_crop(drawn: tuple[tuple[int, int], list[Box]]) -> None:
    image = image_of(*drawn)
    detector = on_tiles()
    [found] = detector.detect([image])
    for tile in detector.tiles(image):
        left, top, right, bottom = tile.window
        [[crop], _] = detector.inner.detect_timed([Image(image.rgb[top:bottom, left:right])])
        for (x1, y1, x2, y2), confidence in zip(crop.xyxy.tolist(), crop.confidence.tolist(), strict=True):
            inside = x1 > 2 and y1 > 2 and x2 < right - left - 2 and y2 < bottom - top - 2
            if inside and (x2 - x1 > tile.finer[1] or y2 - y1 > tile.finer[0]):
                same = found[
                    (found.xyxy == np.float32([x1 + left, y1 + top, x2 + left, y2 + top])).all(axis=1)
                ]
                assert same.confidence.tolist() == pytest.approx([confidence])


def test_large_objects_come_from_wider_tiles() -> None:
    """In 512 x 512 pixels: 300 pixels are larger than a tile of 64, 10 are too small for the whole image."""
    boxes = [(100, 150, 400, 380), (10, 10, 20, 20), (440, 60, 452, 70)]
    image = image_of((512, 512), boxes)
    assert rows(on_tiles(tile=None).inner._found(image)) == {boxes[0]}
    [found] = on_tiles().detect([image])
    assert rows(found) == set(boxes)


def test_an_object_longer_than_any_tile_can_see_is_joined() -> None:
    """4 pixels high and 200 wide in 64 x 400: too flat for nothing; the tiles of 64 cut it into parts."""
    [found] = on_tiles().detect([image_of((64, 400), [(100, 30, 300, 34)])])
    assert rows(found) == {(100, 30, 300, 34)}


def test_levels_grow_by_the_root_of_two_up_to_the_whole_image() -> None:
    levels = tile_levels((400, 300), (100, 100), 0.2)
    # 400 / 100 = 4: tiles of 100, 141, 200 and 283, whose next would be the whole, then the whole.
    assert [level[0].window[2:] for level in levels] == [
        (100, 100),
        (141, 141),
        (200, 200),
        (283, 283),
        (300, 400),
    ]
    assert [level[0].finer for level in levels][:3] == [(0, 0), (20, 20), pytest.approx((28.2, 28.2))]
    assert [len(level) for level in tile_levels((64, 64), (64, 64), 0.2)] == [1]


def test_an_image_no_larger_than_a_tile_is_as_without_tiles() -> None:
    image = image_of((64, 50), [(5, 5, 30, 40)])
    detector = on_tiles()
    [found], times = detector.detect_timed([image])
    assert rows(found) == rows(detector.inner._found(image))
    assert times.infer_ms == 2


def test_times_and_cost_are_those_of_all_tiles() -> None:
    image, detector = image_of((64, 100), []), on_tiles()
    # 100 pixels need two tiles of 64, and there is the whole image: 3 in one run.
    assert [tile.window for tile in detector.tiles(image)] == [
        (0, 0, 64, 64),
        (36, 0, 100, 64),
        (0, 0, 100, 64),
    ]
    assert detector.detect_timed([image])[1].infer_ms == 2
    assert detector.cost(image) == Cost(2 * 64 * 64 + 64 * 100, 7)


@pytest.fixture(scope="module")
def coffee() -> Image:
    return read_image("examples/coffee.jpg")


@pytest.fixture(scope="module")
def tiled() -> Any:
    config = DetectConfig(tile=(200, 200), conf=0.05)
    return load_detector("yolov4-tiny-coco", engine="onnx", device="cpu", config=config)


def test_keeps_the_contract(tiled: Any, coffee: Image) -> None:
    assert_is_detector(tiled)
    assert_is_detector(tiled, [Image(coffee.rgb[:210, :260], "part")])


def test_calibration_is_applied_once(tiled: Any, coffee: Image) -> None:
    """A calibration that halves confidences halves those on tiles, too."""
    halving = replace(tiled.card, calibration=((0.0, 1.0), (0.0, 0.5)))
    other = tiled.with_card(halving).with_config(replace(tiled.config, conf=0.025))
    [plain], [halved] = tiled.detect([coffee]), other.detect([coffee])
    assert len(plain) > 2
    assert halved.confidence.tolist() == pytest.approx((plain.confidence / 2).tolist(), rel=1e-4)


def test_options_turn_tiles_on_and_off(tiled: Any, coffee: Image) -> None:
    plain = tiled.with_config(replace(tiled.config, tile=None))
    assert not isinstance(plain, TiledDetector)
    assert isinstance(plain.with_config(tiled.config), TiledDetector)


def test_explain_says_that_it_follows_one_run(tiled: Any, coffee: Image) -> None:
    with pytest.raises(UsageError, match="explain a crop"):
        explain(tiled, coffee, (300, 150))


@pytest.mark.parametrize("kind", ["fast-rcnn-voc"])
def test_any_detector_can_be_tiled(kind: str) -> None:
    detector = load_detector(kind, engine="onnx", device="cpu", config=DetectConfig(tile=(150, 150)))
    image = Image(read_image("examples/cat.jpg").rgb[:160, :200])
    trace = detector.trace(image)
    assert trace.regions is not None
    assert len(trace.regions) == trace.evaluated > 1
