"""PyTorch, Darknet and Keras files of strangers: what they ask for is bounded by what they hold."""

from __future__ import annotations

import io
import json
import time
import zipfile

import numpy as np
import pytest

from tests.torch_files import EMPTY, number, tensor, text, whole, zip_form, zipped
from yolo_cli.darknet import read_cfg, read_names, shapes
from yolo_cli.errors import DataError
from yolo_cli.model.keras_file import load_keras
from yolo_cli.model.torch_file import read_torch_file

HEAD = "[yolo]\nmask=0,1,2\nanchors=10,10,20,20,30,30\nclasses=1\nnum=3\n"
NET = "[net]\nwidth=32\nheight=32\nchannels=3\n"


def fault(read, path, data: bytes | str) -> str:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    start = time.process_time()
    with pytest.raises(DataError) as caught:
        read(path)
    assert time.process_time() - start < 5
    assert "\n" not in caught.value.text
    return caught.value.text


def of_tensors(*entries: bytes) -> bytes:
    return EMPTY + b"(" + b"".join(entries) + b"u"


def pickled(program: bytes, **members: bytes) -> bytes:
    return zipped(
        {"mine/data.pkl": whole(program), **{f"mine/data/{key}": data for key, data in members.items()}}
    )


def deep(count: int) -> bytes:
    return b")" + b"\x85" * count  # a tuple in a tuple in a tuple …


FOUR = np.zeros(1, np.float32).tobytes()
SPREAD = text("a") + tensor("0", "<f4", (1000, 1000, 1000), (0, 0, 0), 0, 1)
WIDE = tensor("0", "<f4", (4096, 4096), (0, 0), 0, 1)
ODD = {
    "stride 0": (pickled(of_tensors(SPREAD), **{"0": FOUR}), "its tensors would take 3,815 MiB"),
    "deep key": (pickled(b"}" + deep(50_000) + number(1) + b"s"), "it has a tuple where a name belongs"),
    "deep storage": (
        pickled(of_tensors(text("a") + tensor("0", "<f4", (1,), (1,), 0, 1).replace(text("0"), deep(9_999)))),
        "it has a tuple where a name belongs",
    ),
    "many views": (
        pickled(of_tensors(*(text(f"{i}") + WIDE for i in range(9))), **{"0": FOUR}),
        "its tensors would take 576 MiB",
    ),
    "no tensors": (pickled(b"}" + text("a") + number(1) + b"s"), "is not a PyTorch file with tensors"),
    "no such storage": (pickled(of_tensors(SPREAD)), ""),
    "many steps": (pickled(b"}0" * 600_000 + b"}"), ""),
    "negative": (pickled(of_tensors(text("a") + tensor("0", "<f4", (1,), (1,), -1, 1)), **{"0": FOUR}), ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_pytorch_files(kind, tmp_path):
    data, says = ODD[kind]
    assert says in fault(read_torch_file, tmp_path / "a.pth", data)


def test_a_pytorch_archive_that_unpacks_to_gigabytes(tmp_path):
    """A gigabyte of zeros takes a megabyte; overlapping members would take none."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mine/data.pkl", whole(of_tensors()))
        with archive.open("mine/data/0", "w") as member:
            for _ in range(300):
                member.write(bytes(1 << 20))
    assert "would take 300 MiB" in fault(read_torch_file, tmp_path / "a.pth", buffer.getvalue())


def test_a_pytorch_file_that_is_right_is_read(tmp_path):
    (tmp_path / "a.pth").write_bytes(zip_form({"a": np.arange(6, dtype=np.float32).reshape(2, 3)}))
    assert read_torch_file(tmp_path / "a.pth")["a"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("[maxpool]\nsize=1000000000\nstride=1", "a.cfg:6: [maxpool] size=1000000000 must be a whole number"),
        ("[upsample]\nstride=20000", "a.cfg:6: [upsample] stride=20000 must be a whole number"),
        ("[convolutional]\nfilters=1e9", "a.cfg:6: [convolutional] filters=1e9 must be a whole number"),
        ("[convolutional]\npad=-1", "a.cfg:6: [convolutional] pad=-1 must be a whole number"),
        ("[reorg]\nstride=1e300", "a.cfg:6: [reorg] stride=1e300 must be a whole number"),
        ("[route]\nlayers=" + "-1," * 65, "a.cfg:6: [route] layers="),
        ("[shortcut]\nfrom=-1e9", "a.cfg:6: [shortcut] from=-1e9 must be at most 64 numbers"),
        ("[upsample]\nstride=32\n" * 4, "gives 3 channels of 32768 x 32768 cells, which are over"),
        ("[dropout]\n" * 2_001, "a.cfg: has 2,003 sections, but at most 2,000 are read"),
    ],
)
def test_numbers_of_a_cfg(section, says, tmp_path):
    said = fault(lambda path: shapes(read_cfg(path)), tmp_path / "a.cfg", f"{NET}{section}\n{HEAD}")
    assert says in said


def test_an_input_that_no_memory_holds(tmp_path):
    assert fault(read_cfg, tmp_path / "a.cfg", NET.replace("width=32", "width=32000") + HEAD).startswith(
        "a.cfg:2: [net] width=32000 must be a whole number, at least 1 and at most 4096"
    )


def test_names_of_a_darknet_model(tmp_path):
    assert "holds a control character" in fault(read_names, tmp_path / "a.names", "a\x1b[31m\n")


def keras_file(**members: bytes) -> bytes:
    return zipped(
        {"metadata.json": b"{}", **{name.replace("__", "."): data for name, data in members.items()}}
    )


def layer(module: str, kind: str) -> dict[str, bytes]:
    entry = {"module": module, "class_name": kind, "config": {"name": "d"}, "registered_name": None}
    return {"config__json": json.dumps(entry).encode()}


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({}, "config.json"),
        ({"config__json": b"{"}, "cannot be loaded by Keras"),
        ({"config__json": b"[" * 100_000}, "cannot be loaded by Keras"),
        (layer("keras.layers", "Lambda"), "keras.layers.Lambda, which is not loaded"),
        (layer("os", "system"), "os.system, which is not loaded from files"),
        (layer("keras.layers", "TFSMLayer"), "TFSMLayer, which is not loaded"),
        ({"config__json": b"{}", "assets/a__txt": b"x"}, "holds assets"),
        ({"config__json": b"{}", "model__weights__h5": b""}, "cannot be loaded by Keras"),
    ],
)  # fmt: skip
def test_keras_files(members, says, tmp_path):
    assert says in fault(load_keras, tmp_path / "a.keras", keras_file(**members))


@pytest.mark.slow
@pytest.mark.parametrize("units", [400_000_000, 4_000_000])
def test_a_keras_file_of_a_thousand_bytes_that_declares_gigabytes(units, tmp_path):
    """3 inputs and a bias: 4 · 4 · units bytes; a layer of 4 million values a pixel is too large, too."""
    import h5py

    from yolo_cli.framework import keras

    image = keras.Input((None, None, 3), name="i")
    model = keras.Model(image, keras.layers.Dense(7, name="d")(image))
    model.save(tmp_path / "small.keras")
    with zipfile.ZipFile(tmp_path / "small.keras") as archive:
        config = archive.read("config.json").replace(b'"units": 7', f'"units": {units}'.encode())
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_group("layers")
    data = keras_file(config__json=config, model__weights__h5=(tmp_path / "w.h5").read_bytes())
    says = fault(load_keras, tmp_path / "a.keras", data)
    assert "would take" in says


def test_weights_in_another_file_are_not_opened(tmp_path):
    import h5py

    (tmp_path / "secret").write_bytes(bytes(400))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("a", (100,), "f4", external=[(str(tmp_path / "secret"), 0, 400)])
    data = keras_file(config__json=b"{}", model__weights__h5=(tmp_path / "w.h5").read_bytes())
    assert "its weights are in other files" in fault(load_keras, tmp_path / "a.keras", data)


def test_weights_that_are_a_shape_alone(tmp_path):
    import h5py

    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("a", (1 << 40,), "f4", chunks=(1 << 20,))
    data = keras_file(config__json=b"{}", model__weights__h5=(tmp_path / "w.h5").read_bytes())
    assert "its weights would take 4,194,304 MiB" in fault(load_keras, tmp_path / "a.keras", data)
