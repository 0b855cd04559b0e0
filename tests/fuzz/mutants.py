"""Seeded mutations of good files, and the readers that must survive them.

A reader survives if it returns, or raises a `UserError` of one line, within seconds and without filling the
memory. By hand: ``python -m tests.fuzz.mutants --minutes 60 [--target images] [--count 2000] [--seed 1]``.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.fuzz.model_seeds import changed_member, darknet_files, darknet_weights, keras_files, torch_files
from tests.fuzz.mutations import mutated, odd_json, odd_numbers
from yolo_cli.errors import UserError

__all__ = ["TARGETS", "Report", "Target", "attack"]

SLOWEST = 5.0  # seconds of processor time
EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Target:
    """A reader, with good files by suffix, and how to change them further than by bytes."""

    read: Callable[[Path], object]
    seeds: Callable[[], Mapping[str, bytes]]
    change: Callable[[bytes, random.Random], bytes] | None = None


@dataclass
class Report:
    """What became of the mutants of one target."""

    tried: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def __str__(self) -> str:
        found = f"{self.tried} mutants, {self.refused} refused, {len(self.faults)} faults"
        return f"{found}, slowest {self.slowest:.1f} s"


def attack(target: Target, count: int, seed: int, seconds: float) -> Report:
    """Read up to ``count`` mutants, for at most some seconds."""
    report, seeds, end = Report(), list(target.seeds().items()), time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        for suffix, data in seeds:  # they are good, and imports are not counted as time
            path = Path(folder) / f"a{suffix}"
            path.write_bytes(data)
            target.read(path)
        for number in range(count):
            if time.monotonic() > end:
                break
            rng = random.Random(seed * 1_000_003 + number)
            suffix, data = rng.choice(seeds)
            change = target.change if target.change and rng.random() < 0.6 else mutated
            path = Path(folder) / f"a{suffix}"
            path.write_bytes(change(data, rng))
            _try(target.read, path, report, f"seed {seed}, number {number}, {suffix}")
    return report


def _try(read: Callable[[Path], object], path: Path, report: Report, which: str) -> None:
    start, report.tried = time.process_time(), report.tried + 1
    try:
        read(path)
    except UserError as fault:
        report.refused += 1
        if "\n" in fault.text or len(fault.text) > 1000 + len(str(path)):
            report.faults.append(f"{which}: not one short line: {fault.text[:200]!r}")
    except Exception:  # what a user would see as exit 1
        report.faults.append(f"{which}: {traceback.format_exc(limit=-3)}")
    took = time.process_time() - start
    report.slowest = max(report.slowest, took)
    if took > SLOWEST:
        report.faults.append(f"{which}: {took:.1f} s")


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


def _odd_card(data: bytes, rng: random.Random) -> bytes:
    import onnx

    model = onnx.load_from_string(data)
    model.metadata_props[0].value = odd_json(model.metadata_props[0].value.encode(), rng).decode()
    return bytes(model.SerializeToString())


def _run_model(engine: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        from yolo_cli.detectors import load_detector
        from yolo_cli.images import Image

        detector = load_detector(path, engine=engine)  # type: ignore[arg-type]
        detector.detect([Image(np.zeros((20, 30, 3), np.uint8))])

    return run


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
    """Lint a small data set in which the mutant has a place."""

    def read(path: Path) -> None:
        from yolo_cli.datasets.lint import lint
        from yolo_cli.images import encode_image

        root = path.parent / "set"
        png = encode_image(np.zeros((6, 8, 3), np.uint8), ".png")
        for name, data in {**others, place: path.read_bytes(), "images/a.png": png}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        lint(root)

    return read


TARGETS: Mapping[str, Target] = {
    "images": Target(_read_image, _images),
    "cards": Target(_read_card, _cards, odd_json),
    "onnx": Target(_run_model("onnx"), _onnx_models, _odd_card),
    "openvino": Target(_run_model("openvino"), _onnx_models, _odd_card),
    "archives": Target(_read_keras_card, _card_archives),
    "keras": Target(_read_keras, keras_files, changed_member),
    "torch": Target(_read_torch, torch_files),
    "darknet": Target(_read_darknet, darknet_files, odd_numbers),
    "weights": Target(_read_weights, darknet_weights),
    "yaml": Target(
        _lint_with("data.yaml", **{"labels/a.txt": b"0 .5 .5 .5 .5\n"}), lambda: {".yaml": _YAML}, odd_numbers
    ),
    "labels": Target(
        _lint_with("labels/a.txt", **{"data.yaml": b"train: images\nnames: [a, b]\n"}),
        lambda: {".txt": b"0 .5 .5 .5 .5\n1 .1 .1 .2 .1 .2 .2\n"},
        odd_numbers,
    ),
    "coco": Target(_lint_with("annotations/a.json"), lambda: {".json": json.dumps(_COCO).encode()}, odd_json),
    "voc": Target(_lint_with("Annotations/a.xml"), lambda: {".xml": _VOC}, odd_numbers),
}


def _all(targets: Iterator[str], seed: int, seconds: float, count: int) -> int:
    faults = 0
    for name in targets:
        report = attack(TARGETS[name], count, seed, seconds)
        print(f"{name}: {report}", *report.faults[:5], sep="\n  ", flush=True)
        faults += len(report.faults)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"most memory: {peak:,} MiB")
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
