"""The examples of docs/export.md, in three languages, on the same image."""

from __future__ import annotations

import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.browser import browser, needs_chromium
from tests.shared import ROOT
from yolo_cli import export, load_detector

PAGE = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
WEB = "onnxruntime-web@1.30.0"


def example(language):
    """The example in a language; the first one, if there are several."""
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with ``photo.png`` and the exports of the bundled model that the examples use."""
    folder = tmp_path_factory.mktemp("examples")
    photo = cv2.imread(str(ROOT / "examples" / "coffee.jpg"))
    cv2.imwrite(str(folder / "photo.png"), photo)
    export("yolov4-tiny-coco", nms=True, out=folder / "model.onnx")
    export("yolov4-tiny-coco", preprocess=False, batch=1, out=folder / "raw.onnx")
    return folder


@pytest.fixture(scope="module")
def expected(place):
    """Class ids, confidences and boxes, most confident first."""
    detector = load_detector("yolov4-tiny-coco", engine="onnx", suppression="iou")
    found = detector.detector.detect([detector(place / "photo.png").image])[0]
    assert len(found) >= 2
    return found


def check(expected, class_ids, confidences, boxes):
    order = np.argsort(-np.asarray(confidences), kind="stable")
    assert np.asarray(class_ids)[order].tolist() == expected.class_id.tolist()
    assert np.asarray(confidences)[order] == pytest.approx(expected.confidence, abs=0.005)
    assert np.asarray(boxes)[order] == pytest.approx(expected.xyxy, abs=0.5)


def test_python(place, expected):
    done = subprocess.run(
        [sys.executable, "-c", example("python")], cwd=place, capture_output=True, text=True, check=True
    )
    rows = [re.match(r"(.+) ([\d.]+) (\[.*\])", line).groups() for line in done.stdout.splitlines()]
    names = load_detector("yolov4-tiny-coco").class_names
    found = [(names.index(name), float(score), json.loads(box)) for name, score, box in rows]
    check(expected, *zip(*found, strict=True))


@pytest.fixture(scope="module")
def ort_web(tmp_path_factory):
    """The folder of onnxruntime-web's scripts, from npm's cache or registry."""
    folder = tmp_path_factory.mktemp("npm")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    done = subprocess.run(
        [npm, "pack", "--prefer-offline", WEB],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        pytest.skip(f"{WEB} is not at hand: npm pack {WEB}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package" / "dist"


BROWSER = """<!doctype html><title>it</title><script src="ort.wasm.min.js"></script><script>
DETECT
(async () => {
  ort.env.wasm.numThreads = 1;
  const image = new Image();
  image.src = "photo.png";
  await image.decode();
  const session = await ort.InferenceSession.create("model.onnx");
  document.title = JSON.stringify(await detect(session, image));
})().catch((error) => { document.title = `failed: ${error}`; });
</script>"""


@needs_chromium
def test_javascript_in_a_browser(place, expected, ort_web, tmp_path):
    for name in ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        shutil.copy(ort_web / name, tmp_path / name)
    for name in ("photo.png", "model.onnx"):
        shutil.copy(place / name, tmp_path / name)
    (tmp_path / "index.html").write_text(BROWSER.replace("DETECT", example("javascript")), encoding="utf-8")
    title = _title_of_the_page(tmp_path)
    assert not title.startswith("failed"), title
    found = json.loads(title)
    check(expected, *([row[key] for row in found] for key in ("classId", "score", "box")))


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012

    def log_message(self, *words):
        pass


def _title_of_the_page(folder: Path) -> str:
    """The title that ``index.html`` gives itself when it has finished."""
    from selenium.webdriver.support.wait import WebDriverWait

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with browser(folder / "profile") as driver:
            driver.get(f"http://127.0.0.1:{server.server_port}/index.html")
            WebDriverWait(driver, 120).until(lambda page: page.title not in ("", "it"))
            return driver.title
    finally:
        server.shutdown()
        server.server_close()


def test_cpp(place, expected, tmp_path):
    if not (shutil.which("g++") and shutil.which("pkg-config")):
        pytest.skip("g++ or pkg-config is not installed")
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "opencv4"], capture_output=True, text=True, check=False
    )
    if flags.returncode:
        pytest.skip("OpenCV's headers are not installed: libopencv-dev")
    (tmp_path / "yolo.cpp").write_text(example("cpp"), encoding="utf-8")
    subprocess.run(["g++", "yolo.cpp", "-o", "yolo", *flags.stdout.split()], cwd=tmp_path, check=True)
    done = subprocess.run(
        ["./yolo", place / "raw.onnx", place / "photo.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    number = r"(-?[\d.]+)"
    row = re.compile(rf"(\d+) {number} \[{number} x {number} from \({number}, {number}\)\]")
    found = [tuple(map(float, row.match(line).groups())) for line in done.stdout.splitlines()]
    ids, scores, widths, heights, lefts, tops = np.array(found).T
    size = np.array([600, 400, 600, 400])
    boxes = np.stack([lefts, tops, lefts + widths, tops + heights], axis=1)
    check(expected, ids.astype(int), scores, np.clip(boxes, 0, size))
