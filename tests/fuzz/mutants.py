"""The readers that must survive seeded mutations of good files.

A reader survives if it returns, or raises a `UserError` of one line, within seconds and without filling the
memory. By hand: ``python -m tests.fuzz.mutants --minutes 60 [--target images] [--count 2000] [--seed 1]``.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from tests.fuzz.model_seeds import (
    changed_member,
    darknet_files,
    darknet_weights,
    keras_files,
    ncnn_files,
    torch_files,
)
from tests.fuzz.mutations import mutated, odd_graph, odd_json, odd_numbers, odd_yaml
from tests.fuzz.trials import Target, guarded
from tests.training_sets import write_shapes

__all__ = ["TARGETS"]

ROOT = Path(__file__).parents[2]
EXAMPLES, WEIGHTS = ROOT / "examples", ROOT / "weights"


def _images() -> dict[str, bytes]:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    image = Image.fromarray(pixels).resize((96, 72))
    alpha = image.convert("RGBA")
    ways = {
        ".jpg": (image, "JPEG", {}), "p.jpg": (image, "JPEG", {"progressive": True}),
        "c.jpg": (image.convert("CMYK"), "JPEG", {}), ".png": (image, "PNG", {}), "a.png": (alpha, "PNG", {}),
        "p.png": (image.quantize(9), "PNG", {"transparency": 0}), ".webp": (image, "WEBP", {}),
        "l.webp": (alpha, "WEBP", {"lossless": True}), ".gif": (image.quantize(9), "GIF", {}),
        ".bmp": (image, "BMP", {}), ".ppm": (image, "PPM", {}), ".tif": (image, "TIFF", {}),
        "l.tif": (image, "TIFF", {"compression": "tiff_lzw"}),
        "d.tif": (alpha, "TIFF", {"compression": "tiff_adobe_deflate"}),
        "j.tif": (image, "TIFF", {"compression": "jpeg"}),
    }  # fmt: skip
    made = {}
    for name, (source, kind, options) in ways.items():
        buffer = io.BytesIO()
        source.save(buffer, kind, **options)
        made[name] = buffer.getvalue()
    for path in sorted(EXAMPLES.glob("*.jpg"), key=lambda path: path.stat().st_size)[:3]:
        made[f"{path.stem}{path.suffix}"] = path.read_bytes()
    return made


def _read_image(path: Path) -> None:
    from yolo_cli.datasets.sizes import image_header
    from yolo_cli.images import read_image

    image = read_image(path)
    header = image_header(path)
    assert header.upright == (image.height, image.width)


def _onnx_models() -> dict[str, bytes]:
    from tests.hostile.models import tiny_model

    with tempfile.TemporaryDirectory() as folder:
        return {".onnx": tiny_model(Path(folder) / "a.onnx").read_bytes()}


def _run_model(engine: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        from yolo_cli.detectors import load_detector
        from yolo_cli.images import Image

        detector = load_detector(path, engine=engine)  # type: ignore[arg-type]
        detector.detect([Image(np.zeros((20, 30, 3), np.uint8))])

    return run


def _bundled(name: str) -> Callable[[], dict[str, bytes]]:
    return lambda: {".onnx": (WEIGHTS / f"{name}.onnx").read_bytes()}


def _smooth(path: Path) -> None:
    from tests.made_tracks import tracks_of
    from yolo_cli.temporal import TrackSmoother

    tracks = tracks_of([(frame, 1, 3.0 * frame) for frame in range(12)])
    TrackSmoother.load(path).smooth(tracks, np.arange(12))


def _tell_states(path: Path) -> None:
    from yolo_cli.temporal import ClipStates

    ClipStates.load(path).logits(np.zeros((2, 8, 32, 32, 3), np.uint8))


def _embed(path: Path) -> None:
    from yolo_cli.identity import load_embedder
    from yolo_cli.images import Image

    load_embedder(path)(Image(np.zeros((20, 30, 3), np.uint8)), np.float32([[1, 1, 9, 9]]))


def _gallery() -> dict[str, bytes]:
    entries = [{"name": name, "photo": f"{name}.jpg", "embedding": [0.5, 1, -2e-3]} for name in ("Ann", "Bo")]
    head = {"format": "yolo-cli gallery 1", "model": "objects-embedding", "model_sha256": "ab"}
    return {".json": json.dumps({**head, "entries": entries}).encode()}


def _read_gallery(path: Path) -> None:
    from tests.unit.identity.galleries import CARD
    from yolo_cli.identity import choose_threshold, read_gallery, recognise

    gallery = read_gallery(path)
    if gallery.entries:
        length = gallery.embeddings.shape[1]
        recognise(gallery, CARD, np.ones((1, length), np.float32), 0.5)
        choose_threshold(gallery, CARD)


def _cards() -> dict[str, bytes]:
    from tests.hostile.models import CARD

    return {".json": json.dumps(CARD).encode()}


def _read_card(path: Path) -> None:
    from yolo_cli.weights.card import ModelCard, card_text

    card_text(ModelCard.from_json(path.read_bytes(), "it"), {})


def _card_archives() -> dict[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b"{}" * 50)
        archive.writestr("yolo_cli.json", _cards()[".json"])
    return {".keras": buffer.getvalue()}


def _read_keras_card(path: Path) -> None:
    from yolo_cli.weights.store import read_card

    read_card(path)


def _read_keras(path: Path) -> None:
    from yolo_cli.model.keras_file import load_keras

    load_keras(path)


def _read_torch(path: Path) -> None:
    from yolo_cli.model.torch_file import read_torch_file

    read_torch_file(path)


def _read_darknet(path: Path) -> None:
    from yolo_cli.darknet import read_cfg
    from yolo_cli.weights.darknet_import import heads_of

    heads_of(read_cfg(path))


def _read_weights(path: Path) -> None:
    from tests.tiny import CFG
    from yolo_cli.darknet import read_cfg, read_weights

    cfg = path.with_suffix(".cfg")
    cfg.write_text(CFG)
    read_weights(path, read_cfg(cfg))


def _read_ncnn(path: Path) -> None:
    """With the other file of its pair, which is whole."""
    from yolo_cli.model.ncnn_file import read_ncnn

    other = path.with_suffix(".bin" if path.suffix == ".param" else ".param")
    other.write_bytes(_ncnn_files()[other.name.removeprefix("a")])
    read_ncnn(path.with_suffix(".param"), path.with_suffix(".bin"))


_ncnn_files = cache(ncnn_files)


def _odd_param(data: bytes, rng: random.Random) -> bytes:
    return odd_numbers(data, rng) if data.startswith(b"7767517") else mutated(data, rng)


def _find_unlabelled(path: Path) -> None:
    """In a folder of images without labels, with a copy of it, a good image and a pipe."""
    from yolo_cli.datasets import open_dataset
    from yolo_cli.training.unlabelled.images import find_unlabelled

    root, folder = path.parent / "labelled", path.parent / "unlabelled"
    if not folder.is_dir():
        write_shapes(root)
        (folder / "more").mkdir(parents=True)
        shutil.copy(next(EXAMPLES.glob("*.jpg")), folder)
        os.mkfifo(folder / "pipe.jpg")
    suffix = path.name.removeprefix("a").removeprefix(path.stem[1:])
    for name in ("one", "more/two"):
        (folder / name).with_suffix(suffix).write_bytes(path.read_bytes())
    said: list[str] = []
    for sample in find_unlabelled(str(folder), open_dataset(root), said.append):
        sample.read()
    assert not any("\n" in line for line in said)
    for name in ("one", "more/two"):
        (folder / name).with_suffix(suffix).unlink()


_YAML = b"""path: .
train: images
val: [images]
names:
  0: cat
  1: dog
nc: 2
kpt_shape: [2, 3]
flip_idx: [1, 0]
"""
_COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 8, "height": 6}],
    "categories": [{"id": 1, "name": "cat", "keypoints": ["x"], "skeleton": [[1, 1]]}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 4], "area": 16, "iscrowd": 0,
         "segmentation": [[1, 1, 5, 1, 5, 5]], "keypoints": [1, 1, 2]}
    ],
}  # fmt: skip
_VOC = (
    b"<annotation><filename>a.png</filename><size><width>8</width><height>6</height></size><object><name>cat</name>"
    b"<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>"
)


def _lint_with(place: str, **others: bytes) -> Callable[[Path], None]:
    """Lint and copy a small data set in which the mutant has a place."""

    def read(path: Path) -> None:
        from yolo_cli import convert
        from yolo_cli.datasets.lint import lint
        from yolo_cli.images import encode_image

        root = path.parent / "set"
        png = encode_image(np.zeros((6, 8, 3), np.uint8), ".png")
        for name, data in {**others, place: path.read_bytes(), "images/a.png": png}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        lint(root)
        shutil.rmtree(path.parent / "copy", ignore_errors=True)
        convert(root, "coco", path.parent / "copy")

    return read


TARGETS: Mapping[str, Target] = {
    "images": Target(_read_image, _images),
    "cards": Target(_read_card, _cards, odd_json),
    "onnx": Target(_run_model("onnx"), _onnx_models, odd_graph),
    "openvino": Target(_run_model("openvino"), _onnx_models, odd_graph),
    "smoother": Target(_smooth, _bundled("track-smoother"), odd_graph),
    "states": Target(_tell_states, _bundled("clip-states"), odd_graph),
    "embedding": Target(_embed, _bundled("objects-embedding"), odd_graph),
    "gallery": Target(_read_gallery, _gallery, odd_json),
    "archives": Target(_read_keras_card, _card_archives),
    "keras": Target(_read_keras, keras_files, changed_member),
    "torch": Target(_read_torch, torch_files),
    "darknet": Target(_read_darknet, darknet_files, odd_numbers),
    "ncnn": Target(_read_ncnn, _ncnn_files, _odd_param),
    "unlabelled": Target(_find_unlabelled, _images),
    "weights": Target(_read_weights, darknet_weights),
    "yaml": Target(
        _lint_with("data.yaml", **{"labels/a.txt": b"0 .5 .5 .5 .5\n"}), lambda: {".yaml": _YAML}, odd_yaml
    ),
    "labels": Target(
        _lint_with("labels/a.txt", **{"data.yaml": b"train: images\nnames: [a, b]\n"}),
        lambda: {".txt": b"0 .5 .5 .5 .5\n1 .1 .1 .2 .1 .2 .2\n"},
        odd_numbers,
    ),
    "key points": Target(
        _lint_with("labels/a.txt", **{"data.yaml": _YAML}),
        lambda: {".txt": b"0 .5 .5 .5 .5 .4 .4 2 0 0 0\n1 .1 .1 .2 .1 .1 .1 1 .2 .2 2\n"},
        odd_numbers,
    ),
    "coco": Target(_lint_with("annotations/a.json"), lambda: {".json": json.dumps(_COCO).encode()}, odd_json),
    "voc": Target(_lint_with("Annotations/a.xml"), lambda: {".xml": _VOC}, odd_numbers),
}


def _all(targets: Iterator[str], seed: int, seconds: float, count: int) -> int:
    faults = 0
    for name in targets:
        report = guarded(TARGETS[name], count, seed, seconds)
        print(f"{name}: {report}", *report.faults[:5], sep="\n  ", flush=True)
        faults += len(report.faults)
    return min(faults, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--count", type=int, default=10**9, help="of each target")
    parser.add_argument("--target", choices=TARGETS, action="append")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    chosen = given.target or list(TARGETS)
    raise SystemExit(_all(iter(chosen), given.seed, 60 * given.minutes / len(chosen), given.count))
