"""Model files without a network worth the name: a card in a zip archive, and an ONNX graph of one node."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from yolo_cli.codec import Head
from yolo_cli.weights import ModelCard
from yolo_cli.weights.store import CARD_KEY, CARD_MEMBER, PAIR_KEY, sha256

CARD = ModelCard(
    name="mine",
    class_names=("cat", "Straßenbahn"),
    heads=(Head("yolo", ((10.0, 20.5), (30.0, 40.0)), 32, 2, scale_x_y=1.05),),
    input_size=(256, 320),
    resize="letterbox",
)


def write_keras(path: Path, card: ModelCard | None = CARD, more: bytes = b"") -> Path:
    """What `read_card` needs of a ``.keras`` file; ``more`` makes two of them differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", more)
        if card is not None:
            archive.writestr(CARD_MEMBER, card.to_json())
    return path


def write_onnx(path: Path, metadata: Mapping[str, str] | None = None, keras: Path | None = None) -> Path:
    """A graph that passes its input on, with a card and, for ``keras``, that file's hash."""
    from onnx import TensorProto, helper, save

    path.parent.mkdir(parents=True, exist_ok=True)
    given = helper.make_tensor_value_info("x", TensorProto.UINT8, [1])
    back = helper.make_tensor_value_info("y", TensorProto.UINT8, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "it", [given], [back])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    card = {CARD_KEY: CARD.to_json()} if metadata is None else metadata
    helper.set_model_props(model, {**card, **({PAIR_KEY: sha256(keras)} if keras else {})})
    save(model, str(path))
    return path
