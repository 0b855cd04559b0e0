"""`yolo weights`: import, list, show, and one clear line for each thing that can be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.oracles_nanodet import Oracle
from tests.tiny import CFG, VALUES, write_tiny
from yolo_cli.cli import main
from yolo_cli.engines import Runtime
from yolo_cli.weights import check_pair, find_model, save


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def yolo(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def fault(run: Result, code: int) -> str:
    """The one line that a failing command leaves on stderr, and nothing on stdout."""
    assert run.exit_code == code, run.output
    assert run.stdout == ""
    lines = [line for line in run.stderr.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert "Traceback" not in run.stderr
    return lines[0]


def test_a_model_is_imported_listed_shown_and_used(folder: Path) -> None:
    run = yolo("weights", "import", *write_tiny(folder).arguments, "--out", "tiny")
    assert run.exit_code == 0, run.stderr
    assert [Path(line).name for line in run.stdout.splitlines()] == ["tiny.keras", "tiny.onnx", "tiny.md"]

    listed = json.loads(yolo("weights", "list", "--format", "json").stdout)
    assert {"name": "tiny", "classes": 2}.items() <= listed[0].items()
    assert "yolov4-tiny-coco" in [row["name"] for row in listed]

    run = yolo("weights", "show", "tiny")
    shown = run.stdout
    assert run.stderr.startswith("with --engine auto here: engine o")  # onnx or openvino
    assert "anchors 10x20, 30x40" in shown
    assert shown.strip() == (folder / "weights" / "tiny.md").read_text().strip()

    found = yolo("detect", str(_image(folder)), "--weights", "tiny", "--format", "json", "--no-save")
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout)["model"]["class_names"] == ["cat", "dog"]


def test_without_tensorflow_a_line_says_how_to_make_the_onnx_file_and_that_makes_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(save, "missing_for_onnx", lambda: ["tensorflow", "tf2onnx"])
        run = yolo("weights", "import", *write_tiny(folder).arguments, "--out", "tiny")
        assert run.stderr.splitlines()[-1] == (
            "no .onnx file yet: pip install tensorflow tf2onnx, and then yolo weights export "
            "weights/tiny.keras; detection runs the .keras file"
        )
        assert fault(yolo("weights", "export", "weights/tiny.keras"), 2) == (
            "error: ONNX files need missing packages: pip install tensorflow tf2onnx"
        )
    run = yolo("weights", "export", "weights/tiny.keras")
    assert (run.stdout, run.exit_code) == ("weights/tiny.onnx\n", 0), run.stderr
    check_pair(find_model("tiny"))
    heads = [Runtime().open(Path(f"weights/tiny.{kind}")).run(np.zeros((1, 64, 64, 3), np.uint8))
             for kind in ("keras", "onnx")]  # fmt: skip
    np.testing.assert_allclose(heads[0], heads[1], atol=1e-5)


def test_only_a_keras_file_is_exported(folder: Path) -> None:
    assert yolo("weights", "import", *write_tiny(folder).arguments, "--out", "tiny").exit_code == 0
    (folder / "weights" / "tiny.keras").unlink()
    assert "tiny.onnx: has no .keras file beside it" in fault(yolo("weights", "export", "tiny"), 3)


@pytest.mark.parametrize(("width", "lines"), [(None, 1), (200, 1), (80, 2)])
def test_long_folders_are_wrapped_in_a_narrow_terminal(folder, monkeypatch, width, lines) -> None:
    """The folder ``weights/`` and 50 letters take two lines of 80 characters; a pipe has no width."""
    name = f"weights/{'w' * 50}/tiny"
    assert yolo("weights", "import", *write_tiny(folder).arguments, "--out", name).exit_code == 0
    monkeypatch.setattr("yolo_cli.weights.list_models", lambda: [find_model(name)])
    monkeypatch.setattr("yolo_cli.cli.table.terminal_width", lambda: width)
    title, *rows = yolo("weights", "list").stdout.splitlines()
    assert (title.split()[0], rows[0].split()[0], len(rows)) == ("model", "tiny", lines)


def test_a_model_that_cannot_be_read_hides_no_other(folder: Path) -> None:
    run = folder / "runs" / "train" / "weights"
    run.mkdir(parents=True)
    (run / "best.keras").write_bytes(b"cut off")
    done = yolo("weights", "list")
    assert done.exit_code == 0
    assert "yolov4-tiny-coco" in done.stdout
    assert "runs/train" not in done.stdout
    assert done.stderr == "warning: runs/train/weights/best.keras: is not a Keras model file, or is cut off\n"


def test_both_engines_give_the_same_boxes(folder: Path) -> None:
    from yolo_cli.config import DetectConfig
    from yolo_cli.detectors import load_detector
    from yolo_cli.images import read_image

    yolo("weights", "import", *write_tiny(folder).arguments, "--out", "tiny")
    image = read_image(_image(folder))
    config = DetectConfig(conf=0.0, nms_iou=1.0)
    onnx, keras = (
        load_detector("tiny", engine=e, config=config).detect([image])[0] for e in ("onnx", "keras")
    )
    assert len(onnx) == 2 * 2 * 2 * 2  # 2 x 2 cells, 2 anchors, 2 classes
    np.testing.assert_allclose(onnx.confidence, keras.confidence, atol=1e-6)
    np.testing.assert_allclose(onnx.xyxy, keras.xyxy, atol=1e-3)


def test_a_name_is_not_overwritten(folder: Path) -> None:
    arguments = [*write_tiny(folder).arguments, "--out", "tiny"]
    (folder / "weights").mkdir()
    (folder / "weights" / "tiny.md").write_text("mine")
    assert "--exist-ok" in fault(yolo("weights", "import", *arguments), 2)
    assert (folder / "weights" / "tiny.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"values": np.zeros(VALUES - 3)}, "ends 12 bytes early"),
        ({"values": np.zeros(VALUES + 5)}, "20 bytes are left over"),
        ({"values": np.full(VALUES, np.nan)}, "NaN"),
        ({"names": "cat\n"}, "says classes=2, but tiny.names holds 1 name"),
        ({"names": ""}, "no class names"),
        ({"cfg": CFG.replace("filters=14", "filters=13")}, "needs 2 anchors x (5 + 2 classes) = 14 channels"),
        (
            {"cfg": CFG.replace("stride=32", "strides=32")},
            "tiny.cfg:11: [convolutional] has no option 'strides'",
        ),
        ({"cfg": CFG.replace("leaky", "maxout")}, "tiny.cfg:13: the activation 'maxout'"),
        ({"cfg": CFG + "\n[lstm]\n"}, "tiny.cfg:27: [lstm] is a section that this program does not know"),
        ({"cfg": "hello"}, "tiny.cfg:1: 'hello' is neither a [section] nor key=value"),
        ({"cfg": ""}, "does not begin with a [net] section"),
    ],
)
def test_files_that_do_not_fit(folder: Path, parts: dict[str, object], says: str) -> None:
    files = write_tiny(folder, **parts)  # type: ignore[arg-type]
    assert says in fault(yolo("weights", "import", *files.arguments, "--out", "tiny"), 3)
    assert not (folder / "weights").exists()


def test_nan_in_the_weights_of_a_model_file_finds_nothing_and_does_not_crash(folder: Path) -> None:
    """A network whose answers are NaN sees nothing; comparing with NaN is always false."""
    from yolo_cli.codec import Head, decode

    raw = np.full((2, 2, 14), np.nan, np.float32)
    head = Head("yolo", ((10.0, 20.0), (30.0, 40.0)), 32, 2)
    assert len(decode([raw], [head], 0.25)) == 0


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ("- a list", "must hold lines"),
        ("licence: [", "is not YAML"),
        ("resize: crop", "must be stretch or letterbox"),
    ],
)
def test_cards_that_are_wrong(folder: Path, card: str, says: str) -> None:
    (folder / "card.yaml").write_text(card)
    arguments = [*write_tiny(folder).arguments, "--out", "tiny", "--card", "card.yaml"]
    assert says in fault(yolo("weights", "import", *arguments), 3)


def test_a_pair_that_does_not_belong_together(folder: Path) -> None:
    yolo("weights", "import", *write_tiny(folder).arguments, "--out", "tiny")
    other = write_tiny(folder, values=np.random.default_rng(1).uniform(0.1, 1.0, VALUES))
    yolo("weights", "import", *other.arguments, "--out", "other")
    (folder / "weights" / "other.onnx").replace(folder / "weights" / "tiny.onnx")
    run = yolo("detect", str(_image(folder)), "--weights", "tiny", "--no-save", "--format", "json")
    assert "was not made from" in fault(run, 3)


def test_a_model_file_that_is_cut_off(folder: Path) -> None:
    yolo("weights", "import", *write_tiny(folder).arguments, "--out", "tiny")
    for engine in ("onnx", "keras"):
        path = folder / "weights" / f"tiny.{engine}"
        path.write_bytes(path.read_bytes()[:1000])
        run = yolo(
            "detect", str(_image(folder)), "--weights", str(path), "--engine", engine, "--format", "json"
        )
        assert f"tiny.{engine}" in fault(run, 3)


def _image(folder: Path) -> Path:
    from yolo_cli.images import write_image

    path = folder / "image.png"
    write_image(path, np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))
    return path


def test_a_nanodet_is_imported_and_used(folder: Path) -> None:
    """At 96 x 96 pixels, which 64 does not divide."""
    oracle = Oracle(np.random.default_rng(3), classes=2)
    oracle.run(np.zeros((32, 32, 3), np.uint8))
    param, binary = map(str, oracle.write(folder / "nano"))
    (folder / "two.names").write_text("cat\ndog\n")
    (folder / "card.yaml").write_text("licence: Apache-2.0\ninput_size: 96\n")
    run = yolo(
        "weights", "import", param, binary, "--names", "two.names", "--out", "nano", "--card", "card.yaml"
    )
    assert run.exit_code == 0, run.stderr
    shown = yolo("weights", "show", "nano").stdout
    assert "2 classes, input 96 x 96 pixels (stretch)" in shown
    assert "gfl, stride 64, 8 distances a side" in shown
    found = [
        json.loads(yolo("detect", str(_image(folder)), "--weights", "nano", "--format", "json", "--no-save",
                        "--conf", "0.3", "--engine", engine).stdout)["images"][0]["detections"]
        for engine in ("onnx", "keras")
    ]  # fmt: skip
    assert len(found[0]) > 0
    assert [box["class_name"] for box in found[0]] == [box["class_name"] for box in found[1]]
    refused = yolo("detect", str(_image(folder)), "--weights", "nano", "--imgsz", "80", "--no-save")
    assert "each side must be a multiple of 32 for nano" in fault(refused, 2)


@pytest.mark.parametrize(
    "files", [("a.param",), ("a.onnx", "b.onnx", "c"), ("a.weights",), ("a.param", "b", "c")]
)
def test_files_of_no_known_kind(folder: Path, files: tuple[str, ...]) -> None:
    line = fault(yolo("weights", "import", *files, "--names", "two.names", "--out", "it"), 2)
    assert "give the CFG and WEIGHTS of Darknet" in line
