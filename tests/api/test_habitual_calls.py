"""What people type into notebooks, as they type it."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image as Pillow

from yolo_cli import (
    Detections,
    Predictor,
    Result,
    UserError,
    draw,
    evaluate,
    load_detector,
    read_image,
    train,
)
from yolo_cli.cli import main

CAT = "photos/cat.jpg"
pytestmark = pytest.mark.usefixtures("photos")


def same(result, expected):
    """Whether a result has the same detections as another one of the same image by another way."""
    return (
        np.allclose(result.xyxy, expected.xyxy, atol=0.01)
        and np.allclose(result.confidence, expected.confidence, atol=1e-4)
        and (result.class_names == expected.class_names).all()
    )


@pytest.fixture
def cat(expected):
    return expected["cat.jpg"]


@pytest.fixture
def coffee(expected):
    return expected["coffee.jpg"]


def test_a_path(detector, cat):
    result = detector(CAT)
    assert isinstance(result, Result)
    assert same(result, cat)
    assert result.image.name == CAT
    assert repr(result) == "<Result photos/cat.jpg 451x270: 1 cat>"
    assert same(detector(Path(CAT)), cat)
    assert set(result.time_ms) == {"read", "prepare", "infer", "post"}


def test_a_folder_gives_a_list(detector, expected):
    results = detector("photos")
    assert [Path(result.image.name).name for result in results] == list(expected)
    assert all(same(result, expected[Path(result.image.name).name]) for result in results)
    assert repr(results[1:2]) == "[<Result photos/cat.jpg 451x270: 1 cat>]"


def test_a_glob(detector):
    assert [result.image.name for result in detector("photos/c*.jpg")] == [CAT, "photos/coffee.jpg"]
    assert len(detector(f"{CAT[:-1]}?")) == 1  # a list, even of one


def test_a_list_file(detector):
    Path("list.txt").write_text("photos/cat.jpg\nphotos/coffee.jpg\n")
    assert [result.image.name for result in detector("list.txt")] == [CAT, "photos/coffee.jpg"]


def test_folders_of_folders(detector):
    assert len(detector(".", recursive=True)) == 3


def test_a_list_of_paths_in_batches(detector, expected):
    results = detector(list(Path("photos").glob("*.jpg")), batch=2)
    assert len(results) == 3
    assert all(same(result, expected[Path(result.image.name).name]) for result in results)


def test_bytes(detector, cat):
    assert same(detector(Path(CAT).read_bytes()), cat)


def test_an_rgb_array(detector, cat):
    rgb = np.asarray(Pillow.open(CAT))
    assert np.allclose(detector(rgb).xyxy, cat.xyxy, atol=1)  # another JPEG decoder
    assert same(detector(read_image(CAT).rgb), cat)


def test_a_bgr_array_of_opencv(detector, cat):
    bgr = cv2.imread(CAT)
    assert same(detector(bgr, bgr=True), cat)
    assert same(detector(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)), cat)
    assert not same(detector(bgr), cat)


def test_grey_and_transparent_arrays(detector, cat):
    grey = cv2.imread(CAT, cv2.IMREAD_GRAYSCALE)
    assert same(detector(grey), detector(np.stack([grey] * 3, axis=2)))
    rgba = np.dstack([cat.image.rgb, np.full(cat.image.rgb.shape[:2], 255, np.uint8)])
    assert same(detector(rgba), cat)


def test_a_pil_image(detector):
    opened = Pillow.open(CAT)
    result = detector(opened)
    assert result.image.name == CAT
    assert same(result, detector(np.asarray(opened)))


def test_a_list_of_everything(detector, cat):
    results = detector([CAT, cat.image, cat.image.rgb, Pillow.open(CAT), Path(CAT).read_bytes(), "photos"])
    assert len(results) == 5 + 3
    assert all(result.class_names[0] == "cat" for result in results[:5])
    names = [CAT, cat.image.name, "image-2", CAT, "image-4"]
    assert [result.image.name for result in results[:5]] == names
    assert detector([]) == []


def test_a_generator_of_frames(detector, cat):
    def frames():
        for _ in range(2):
            yield cat.image.rgb[..., ::-1]
        raise AssertionError("nobody asked for a third frame")

    stream = detector.stream(frames(), bgr=True)
    assert same(next(stream), cat)
    assert same(next(stream), cat)


def test_options_at_loading_and_afterwards(detector):
    strict = load_detector("yolov4-tiny-coco", engine="onnx", device="cpu", conf=0.9, classes="cup")
    assert [found.class_name for found in strict("photos/coffee.jpg")] == ["cup"]
    loose = detector.with_options(conf=0.05, max_det=3, imgsz=320)
    assert loose.input_size == (320, 320)
    assert len(loose("photos/coffee.jpg")) == 3
    assert detector.input_size == (416, 416)
    only = detector.with_options(classes=["cup", 15])
    assert [r.class_names.tolist() for r in only(["photos/coffee.jpg", CAT])] == [["cup"], ["cat"]]
    assert same(only.with_options(classes=None)(CAT), detector(CAT))


def test_what_the_detector_knows_of_itself(detector):
    assert isinstance(detector, Predictor)
    assert repr(detector) == "<Predictor yolov4-tiny-coco 416x416: 80 classes>"
    assert detector.class_names[:2] == ("person", "bicycle")
    assert detector.card.name == "yolov4-tiny-coco"
    assert detector.card.licence


def test_iteration(coffee):
    for found in coffee:
        x1, y1, x2, y2 = found.xyxy
        assert 0 <= x1 < x2 <= 600
        assert 0 <= y1 < y2 <= 400
    best = coffee[0]
    assert (best.class_name, round(best.confidence, 1)) == ("cup", 0.9)
    assert max(coffee, key=lambda found: found.confidence) == best


def test_slices_and_masks(coffee):
    assert len(coffee) == 2
    assert coffee[:1].class_names.tolist() == ["cup"]
    assert coffee[coffee.confidence > 0.5] == coffee[:1]
    assert coffee[coffee.class_names == "diningtable"] == coffee[1:]


def test_filtering(coffee):
    assert coffee.filter(classes="cup") == coffee.filter(conf=0.5) == coffee[:1]
    with pytest.raises(UserError, match=r"no class 'cupp'; did you mean cup\?"):
        coffee.filter(classes="cupp")


def test_counting(detector):
    counts = sum((Counter(result.counts) for result in detector("photos")), Counter())
    assert counts == {"person": 1, "cat": 1, "cup": 1, "diningtable": 1}


def test_cropping(coffee):
    for found in coffee:
        x1, y1, x2, y2 = map(int, found.xyxy)
        assert coffee.image.rgb[y1:y2, x1:x2].size


def test_plotting(cat):
    plotted = cat.plot(line_width=3)
    assert plotted.shape == cat.image.rgb.shape
    assert plotted.dtype == np.uint8
    Pillow.fromarray(plotted).save("plotted.png")
    assert (draw(cat.image.rgb, cat, line_width=3) == plotted).all()
    assert (draw(cat.image, cat.detections, cat.names, line_width=3) == plotted).all()
    assert not (draw(cat.image, Detections()) != cat.image.rgb).any()
    with pytest.raises(UserError, match="array is float64"):
        draw(cat.image.rgb / 255, cat)


def test_saving(cat):
    assert cat.save("out.png") == Path("out.png")
    assert (read_image("out.png").rgb == cat.plot()).all()
    with pytest.raises(UserError, match=r"out.docx: cannot write .docx"):
        cat.save("out.docx")


def test_notebook_display(cat):
    assert cat._repr_png_().startswith(b"\x89PNG")
    assert cat._repr_html_().endswith("451x270: 1 cat")


def test_pandas(detector):
    frame = pd.concat([result.to_pandas() for result in detector("photos")], ignore_index=True)
    assert frame.class_name.tolist() == ["person", "cat", "cup", "diningtable"]
    assert frame[frame.confidence > 0.7].image.nunique() == 3


def test_supervision(coffee):
    supervision = pytest.importorskip("supervision", reason="supervision is optional")
    found = coffee.to_supervision()
    assert found.class_id.tolist() == coffee.class_id.tolist()
    drawn = supervision.BoxAnnotator().annotate(coffee.image.rgb.copy(), found)
    assert drawn.shape == coffee.image.rgb.shape


def test_pickling(coffee):
    assert pickle.loads(pickle.dumps([coffee, coffee[0]])) == [coffee, coffee[0]]


def test_json_is_what_the_command_prints(detector):
    shown = CliRunner().invoke(
        main, ["detect", "photos", "--format", "json", "--no-save", "--engine", "onnx"]
    )
    printed = json.loads(shown.stdout)["images"]
    for record, result in zip(printed, detector("photos"), strict=True):
        ours = json.loads(result.to_json())
        assert ours.pop("time_ms").keys() == record.pop("time_ms").keys()
        assert ours == record


def test_an_image_that_cannot_be_read_is_one_line(detector):
    Path("bad.jpg").write_text("hello")
    with pytest.raises(UserError, match=r"^bad.jpg: .*$"):
        detector("bad.jpg")
    with pytest.raises(UserError, match=r"nope.jpg: no such file"):
        detector("nope.jpg")
    with pytest.raises(UserError, match="array is uint16"):
        detector(np.zeros((9, 9), np.uint16))


def test_unreadable_images_of_a_list_are_raised_or_handed_over(detector):
    Path("photos/bad.jpg").write_text("hello")
    for source in ("photos", [CAT, "photos/bad.jpg"]):
        with pytest.raises(UserError, match=r"bad.jpg: "):
            detector(source)
    failed = []
    results = detector(["nope.jpg", CAT, "photos/bad.jpg", b""], batch=3, on_error=failed.append)
    assert [result.image.name for result in results] == [CAT]
    assert [str(error).split(":")[0] for error in failed] == ["nope.jpg", "photos/bad.jpg", "image-3"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda d: d(42), "image: int is not an image; give a path, bytes, an array or a PIL image"),
        (lambda d: d([CAT], batch=0), "batch is 0, but must be at least 1"),
        (lambda d: d.with_options(confidence=0.5), "there is no option 'confidence'; the options are conf, "),
        (lambda d: d.with_options(classes="dgo"), "the model has no class 'dgo'; did you mean dog?"),
        (lambda d: d.with_options(conf=2), "conf is 2, but must"),
        (lambda d: d.with_options(conf="a"), "conf is 'a', but must be a number"),
        (lambda d: d.with_options(max_det=1.5), "max_det is 1.5, but must be a whole number"),
        (lambda d: d.with_options(imgsz="a"), "imgsz is 'a', but must be"),
        (lambda d: d.with_options(imgsz=5), "imgsz is 5, but must be between 32 and 4096"),
        (lambda d: draw(CAT, Detections()), "image: str is not an array"),
        (lambda d: evaluate(".", iou="x"), "iou is 'x', but must be a number"),
        (lambda d: train(".", epochs="x"), "epochs is 'x', but must be a whole number"),
        (lambda d: load_detector("yolov9"), "no model is called 'yolov9'; "),
    ],
)
def test_wrong_usage_is_one_line(detector, call, says):
    with pytest.raises(UserError) as fault:
        call(detector)
    assert str(fault.value).startswith(says)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("weights", "engine"),
    [
        ("yolov4-tiny-coco", "onnx"),
        ("windows-voc", "onnx"),
        ("localisation-voc", "onnx"),
        pytest.param("fast-rcnn-voc", "onnx", marks=pytest.mark.slow),
        pytest.param("faster-rcnn-voc", "onnx", marks=pytest.mark.slow),
        pytest.param("yolov4-tiny-coco", "keras", marks=pytest.mark.slow),
    ],
)
def test_threads_share_a_detector(weights, engine):
    """Images of three shapes at once, many times: what one thread does must not reach another."""
    detector = load_detector(weights, engine=engine, device="cpu")
    alone = detector("photos")
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector, [result.image for result in alone] * 4))
    assert together == alone * 4
