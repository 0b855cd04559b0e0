"""Writing a model: two files that belong together, at half the size if wanted, whole or not at all."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import h5py
import keras
import numpy as np
import onnx
import pytest

from tests.model_files import CARD
from tests.networks import every_layer, random_values
from yolo_cli.engines import KerasEngine, OnnxEngine
from yolo_cli.errors import DataError
from yolo_cli.model import build_model
from yolo_cli.model.keras_file import load_keras
from yolo_cli.weights import ModelFiles, check_pair, find_model, read_card
from yolo_cli.weights import save as saving
from yolo_cli.weights.canonical import canonical_graph
from yolo_cli.weights.save import save_keras, save_model

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 40, 32, 3), np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Every kind of layer."""
    network = every_layer(tmp_path_factory.mktemp("cfg"))
    return build_model(network, random_values(network))


@pytest.fixture(scope="module")
def files(model, tmp_path_factory) -> dict[bool, ModelFiles]:
    """Written whole (False) and with half the precision (True)."""
    folder = tmp_path_factory.mktemp("models")
    return {half: save_model(model, CARD, folder / f"half-{half}", half=half) for half in (False, True)}


def raw_heads(model, pixels):
    [head] = keras.tree.flatten(model(pixels, training=False))
    return keras.ops.convert_to_numpy(head)


def test_a_file_that_names_its_optimizer_is_loaded(model, tmp_path):
    """As Keras itself writes it after training, and as earlier versions of this program did."""
    compiled = keras.models.clone_model(model)
    compiled.compile(optimizer="rmsprop", loss="mse")
    compiled.save(tmp_path / "a.keras")
    loaded = load_keras(tmp_path / "a.keras")
    assert not loaded.compiled
    assert raw_heads(loaded, PIXELS).shape == raw_heads(model, PIXELS).shape


@pytest.mark.parametrize("half", [False, True])
def test_the_two_files_belong_together_and_carry_the_card(files, half):
    written = files[half]
    assert (read_card(written.keras), read_card(written.onnx)) == (CARD, CARD)
    check_pair(written)
    assert find_model(str(written.keras)) == written


def test_both_engines_give_the_heads_of_the_model(model, files):
    """At a size and a number of images other than those of the export."""
    expected = raw_heads(model, PIXELS)
    for engine in (OnnxEngine(files[False].onnx), KerasEngine(files[False].keras)):
        [found] = engine.run(PIXELS)
        np.testing.assert_allclose(found, expected, atol=1e-5 * expected.std())


@pytest.mark.parametrize("half", [False, True])
def test_two_exports_of_one_model_are_equal_files(model, files, half, tmp_path):
    """Keras writes dates and addresses, tf2onnx numbers that go on through the whole process."""
    again = save_model(model, CARD, tmp_path / f"half-{half}", half=half)
    assert [path.read_bytes() for path in again.paths] == [path.read_bytes() for path in files[half].paths]


def test_half_precision_moves_heads_by_little(model, files):
    """A float16 has 11 significant bits, so the relative error of a kernel is at most 1 / 2048."""
    expected = raw_heads(model, PIXELS)
    for engine in (OnnxEngine(files[True].onnx), KerasEngine(files[True].keras)):
        [found] = engine.run(PIXELS)
        gap = np.abs(found - expected).max() / expected.std()
        assert 1e-6 < gap < 1e-2


def test_half_precision_is_for_kernels_alone(files, tmp_path):
    graph = onnx.load(str(files[True].onnx)).graph
    for tensor in graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float16:
            assert values.ndim >= 2
        if values.dtype == np.float32:
            assert values.ndim < 2 or values.size <= 64
    kinds = dict(_stored(files[True].keras, tmp_path))
    assert (kinds[1], kinds[4]) == (np.float32, np.float16)
    assert {kind for _, kind in _stored(files[False].keras, tmp_path)} == {np.dtype(np.float32)}


def _stored(path, folder):
    """Number of axes and type of every stored weight with more than 64 values, and of every vector."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        weights = archive.extract("model.weights.h5", folder)
    found = []
    with h5py.File(weights) as file:
        file.visititems(
            lambda _, item: (
                found.append((item.ndim, item.dtype))
                if isinstance(item, h5py.Dataset) and (item.ndim == 1 or item.size > 64)
                else None
            )
        )
    return found


def test_a_variance_beyond_float16_survives(tmp_path):
    """The largest float16 is 65,504."""
    image = keras.Input((None, None, 3), dtype="uint8")
    x = keras.layers.Conv2D(100, 1)(keras.layers.Rescaling(1 / 255)(image))
    wide = keras.Model(image, keras.layers.BatchNormalization(name="norm")(x))
    norm = wide.get_layer("norm")
    norm.set_weights([*norm.get_weights()[:3], np.full(100, 1e6)])
    save_keras(wide, CARD, tmp_path / "wide.keras", half=True)
    loaded = keras.saving.load_model(tmp_path / "wide.keras", compile=False)
    np.testing.assert_array_equal(loaded.get_layer("norm").get_weights()[3], np.full(100, 1e6))


def test_loaded_weights_are_float32_again(files):
    loaded = keras.saving.load_model(files[True].keras, compile=False)
    assert {weight.dtype for weight in loaded.weights} == {"float32"}


def test_a_failure_leaves_the_old_file_and_no_draft(model, tmp_path, monkeypatch):
    path = tmp_path / "mine.keras"
    path.write_bytes(b"old")

    def fails(*_):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(saving, "_half_h5", fails)
    with pytest.raises(RuntimeError):
        save_keras(model, CARD, path, half=True)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["mine.keras"]  # noqa: PTH208 - hidden files, too


def test_a_new_version_takes_the_place_of_the_old(model, tmp_path):
    path = tmp_path / "mine.keras"
    path.write_bytes(b"old")
    save_keras(model, replace(CARD, name="new"), path)
    assert read_card(path).name == "new"
    assert os.listdir(tmp_path) == ["mine.keras"]  # noqa: PTH208


def test_a_folder_that_cannot_be_made_is_one_line(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError) as caught:
        save_model(model, CARD, tmp_path / "file" / "mine")
    assert str(caught.value).startswith(f"{tmp_path / 'file'}: cannot be written: ")
    assert "\n" not in str(caught.value)


def test_without_what_onnx_needs_there_is_a_keras_file_and_no_old_onnx(
    model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"of another model")
    monkeypatch.setattr(saving, "missing_for_onnx", lambda: ["tf2onnx"])
    files = save_model(model, CARD, tmp_path / "net")
    assert files == ModelFiles("net", tmp_path / "net.keras", None)
    assert [path.name for path in tmp_path.iterdir()] == ["net.keras"]


def test_what_was_exported_before_does_not_matter(model, tmp_path: Path, monkeypatch) -> None:
    """tf2onnx works in the order of its names as texts, so all its numbers need the same number of digits."""
    monkeypatch.setattr("tf2onnx.utils.INTERNAL_NAME", 930)
    saving.export_graph(model, tmp_path / "net.onnx")
    names = " ".join(node.name for node in onnx.load(str(tmp_path / "net.onnx")).graph.node)
    assert {len(number) for number in re.findall(r"__(\d+)", names)} == {6}


def test_another_process_exports_the_same_graph(model, tmp_path: Path, monkeypatch) -> None:
    """Byte for byte in canonical form, though sets of strings have another order there."""
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    saving._export_elsewhere(model, tmp_path / "there.onnx")
    saving.export_graph(model, tmp_path / "here.onnx")
    here, there = (onnx.load(str(tmp_path / f"{name}.onnx")) for name in ("here", "there"))
    for graph in (here, there):
        canonical_graph(graph)
    assert here.SerializeToString() == there.SerializeToString()
    onnx.checker.check_model(here)


def test_what_another_process_says_when_it_fails(
    model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "_EXPORT", "raise SystemExit('out of ink')")
    with pytest.raises(DataError, match=r"there\.onnx: TensorFlow could not write it \(out of ink\)"):
        saving._export_elsewhere(model, tmp_path / "there.onnx")
