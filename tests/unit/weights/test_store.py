"""Where models are found, what is said where none is, and pairs that do not belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_files import CARD, write_keras, write_onnx
from yolo_cli.detectors import load_detector
from yolo_cli.errors import DataError
from yolo_cli.weights import ModelFiles, check_pair, find_model, list_models, read_card
from yolo_cli.weights.store import CARD_KEY, sha256


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def fault_of(call, *arguments):
    with pytest.raises(DataError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("place", [".", "weights"])
def test_a_name_is_found_here_and_in_weights(place):
    write_keras(Path(place, "mine.keras"))
    found = find_model("mine")
    assert (found.name, found.keras, found.onnx) == ("mine", Path(place, "mine.keras"), None)


def test_the_nearest_place_wins():
    for place in (".", "weights"):
        write_keras(Path(place, "mine.keras"))
        write_keras(Path(place, "yolov4-tiny-coco.keras"))
    assert find_model("mine").keras == Path("mine.keras")
    assert find_model("yolov4-tiny-coco").keras == Path("yolov4-tiny-coco.keras")


def test_either_file_names_the_pair():
    write_keras(Path("a/mine.keras"))
    write_onnx(Path("a/mine.onnx"))
    pair = ModelFiles("mine", Path("a/mine.keras"), Path("a/mine.onnx"))
    for name in ("a/mine.keras", "a/mine.onnx", "a/mine"):
        assert find_model(name) == pair
    assert find_model(str(Path("a/mine").resolve())).keras == Path("a/mine.keras").resolve()


def test_a_name_with_a_dot():
    write_keras(Path("yolo-1.1.keras"))
    assert find_model("yolo-1.1").keras == Path("yolo-1.1.keras")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "yolov4tiny-coco",
            "no model is called 'yolov4tiny-coco'; did you mean yolov4-tiny-coco? (`yolo weights",
        ),
        ("my-detektor", "no model is called 'my-detektor'; did you mean my-detector? (`yolo weights list`"),
        ("zzz", "no model is called 'zzz'; there are my-detector, "),
        ("no.keras", "no.keras: no such file"),
        ("weights/no.onnx", "weights/no.onnx: no such file"),
    ],
)
def test_a_name_that_is_none_gets_a_hint(name, says):
    write_keras(Path("weights/my-detector.keras"))
    assert fault_of(find_model, name).startswith(says)


def test_models_are_listed_once_ours_first():
    write_keras(Path("weights/b.keras"))
    write_onnx(Path("weights/b.onnx"))
    write_onnx(Path("weights/a.onnx"))
    write_keras(Path("weights/yolov4-tiny-coco.keras"))
    Path("weights/notes.txt").write_text("")
    listed = list_models()
    assert [files.name for files in listed][:2] == ["a", "b"]
    assert (listed[0].keras, listed[1].keras) == (None, Path("weights/b.keras"))
    same = [files for files in listed if files.name == "yolov4-tiny-coco"]
    assert [files.keras for files in same] == [Path("weights/yolov4-tiny-coco.keras")]


def test_both_files_carry_the_card():
    assert read_card(write_keras(Path("mine.keras"))) == CARD
    assert read_card(write_onnx(Path("mine.onnx"))) == CARD


@pytest.mark.parametrize("suffix", [".keras", ".onnx"])
@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04"])
def test_what_is_no_model_file(suffix, data):
    path = Path(f"it{suffix}")
    path.write_bytes(data)
    kind = "a Keras model file" if suffix == ".keras" else "an ONNX model"
    assert fault_of(read_card, path) == f"{path}: is not {kind}, or is cut off"


def test_a_model_of_another_program_is_refused():
    """Somebody's .keras or .onnx file: nothing says what its classes and anchors are."""
    keras, onnx = write_keras(Path("a.keras"), None), write_onnx(Path("b.onnx"), {"author": "somebody"})
    assert fault_of(read_card, keras) == "a.keras: has no model card, so its classes and anchors are unknown"
    for call in (lambda: read_card(onnx), lambda: load_detector("b.onnx")):
        assert fault_of(call) == "b.onnx: has no model card; was it made by this program?"


def test_a_card_that_is_broken_names_its_file():
    assert fault_of(read_card, write_onnx(Path("b.onnx"), {CARD_KEY: "{"})).startswith(
        "b.onnx: its model card"
    )


def test_a_pair_belongs_together_by_hash():
    keras = write_keras(Path("mine.keras"))
    files = ModelFiles("mine", keras, write_onnx(Path("mine.onnx"), keras=keras))
    check_pair(files)
    write_keras(keras, more=b"trained further")
    says = (
        "mine.onnx: was not made from mine.keras beside it, but from another version; "
        "export the pair again, or move one of the two away"
    )
    assert fault_of(check_pair, files) == says
    assert fault_of(load_detector, "mine") == says


def test_a_file_alone_needs_no_partner():
    onnx = write_onnx(Path("mine.onnx"))
    check_pair(ModelFiles("mine", None, onnx))
    check_pair(ModelFiles("mine", write_keras(Path("mine.keras")), None))


def test_sha256_of_a_file():
    """Of the three bytes "abc", as FIPS 180-2 gives it."""
    Path("abc").write_bytes(b"abc")
    assert sha256(Path("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_run_folder_means_its_best_model(tmp_path):
    write_keras(Path("runs/train/weights/last.keras"))
    best = write_keras(Path("runs/train/weights/best.keras"))
    for name in ("runs/train", "runs/train/", "./runs/train"):
        assert find_model(name) == ModelFiles("runs/train", best, None)
    assert find_model(str(tmp_path / "runs" / "train")).keras == tmp_path / best


def test_a_folder_without_a_best_model():
    Path("runs/train/weights").mkdir(parents=True)
    assert fault_of(find_model, "runs/train").startswith("runs/train: has no weights/best.keras or .onnx; ")


def test_a_name_is_not_taken_for_a_folder_beside_it():
    Path("mine").mkdir()
    write_keras(Path("weights/mine.keras"))
    assert find_model("mine").keras == Path("weights/mine.keras")


def test_best_models_of_runs_are_listed_after_ours():
    write_keras(Path("weights/z.keras"))
    for folder in ("runs/train", "runs/voc/second", "runs/a/b/c"):
        write_keras(Path(folder, "weights/best.keras"))
        Path(folder, "weights/best.md").write_text("")
    write_keras(Path("runs/unfinished/weights/last.keras"))
    assert [files.name for files in list_models()][:4] == [
        "z",
        "runs/train",
        "runs/voc/second",
        "clip-states",  # the first of the bundled ones
    ]
    assert find_model("runs/voc/second") in list_models()
