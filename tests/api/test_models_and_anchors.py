"""What `yolo weights` and `yolo anchors` print and write, a program gets from the API."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.made_sets import write_yolo
from tests.tiny import write_tiny
from yolo_cli import (
    UsageError,
    UserError,
    fit_anchors,
    import_model,
    list_models,
    load_detector,
    read_image,
    show_model,
)
from yolo_cli.anchors import read_anchors
from yolo_cli.cli import main
from yolo_cli.datasets import open_dataset


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def yolo(*words: object) -> str:
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("opened", [False, True])
def test_anchors(tmp_path, opened):
    path = write_yolo(tmp_path / "pets")
    fitted = fit_anchors(open_dataset(path) if opened else str(path), 2, imgsz=320, against="yolov3", seed=3)
    words = ("anchors", "--data", path, "-k", 2, "--imgsz", 320, "--against", "yolov3", "--seed", 3)
    assert fitted.to_json() + "\n" == yolo(*words, "--format", "json")
    assert fitted.to_text() == yolo(*words, "--out", "theirs.yaml")
    assert repr(fitted) == "<FittedAnchors pets-2: mean IoU 1.000>"
    assert pickle.loads(pickle.dumps(fitted)).to_dict() == fitted.to_dict()
    assert fitted.save("mine.yaml") == Path("mine.yaml")
    for suffix in (".yaml", ".png"):
        assert Path(f"mine{suffix}").read_bytes() == Path(f"theirs{suffix}").read_bytes()
    assert np.array_equal(fitted.plot(), read_image("mine.png").rgb)
    assert read_anchors("mine.yaml").wh.tolist() == fitted.to_dict()["anchors"]
    with pytest.raises(UsageError, match=r"mine\.yaml exists"):
        fitted.save("mine.yaml")
    assert fitted.save(".", exist_ok=True) == Path("anchors.yaml")


@pytest.mark.parametrize("imgsz", [0, -5, 1e9])
def test_anchors_for_a_size_out_of_range(tmp_path, imgsz):
    with pytest.raises(UsageError, match=r"imgsz is .*, but must be between 32 and 4096"):
        fit_anchors(write_yolo(tmp_path / "pets"), 2, imgsz=imgsz)


def test_a_model_is_imported_and_listed(tmp_path):
    tiny = write_tiny(tmp_path)
    cfg, weights, _, names = tiny.arguments
    files = import_model([cfg, weights], names, "mine", half=True)
    assert files.paths == (Path("weights/mine.keras"), Path("weights/mine.onnx"))
    yolo("weights", "import", *tiny.arguments, "--out", "theirs", "--half")
    page = Path("weights/theirs.md").read_text()
    assert Path("weights/mine.md").read_text().splitlines()[1:4] == page.splitlines()[1:4]
    with pytest.raises(UsageError, match=r"weights/mine.keras: exists; choose another name"):
        import_model([cfg, weights], names, "mine")
    with pytest.raises(UsageError, match="there is no option 'hlaf'; did you mean half"):
        import_model([cfg, weights], names, "mine", hlaf=True)
    Path("weights/broken.keras").write_bytes(b"cut off")
    with pytest.raises(UserError, match="broken"):
        list_models()
    errors = []
    models = list_models(on_error=errors.append)
    assert [error.text.split(":")[0] for error in errors] == ["weights/broken.keras"]
    assert [model.to_dict() for model in models] == json.loads(yolo("weights", "list", "--format", "json"))
    assert repr(models[0]) == "<Model mine 64x64: 2 classes>"
    assert load_detector(models[0].files).class_names == ("cat", "dog")
    assert show_model("mine") == models[0]
    assert show_model("mine").to_text().rstrip() + "\n" == yolo("weights", "show", "mine")
