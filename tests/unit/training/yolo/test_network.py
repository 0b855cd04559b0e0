"""The network while it learns: its precision, its averaged weights, its new heads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.training_sets import write_tiny_cfg
from yolo_cli.codec import Head, decode
from yolo_cli.config import TrainConfig
from yolo_cli.darknet import read_cfg
from yolo_cli.loss import YoloLoss
from yolo_cli.model import build_model
from yolo_cli.training.yolo.heads import remake_heads
from yolo_cli.training.yolo.network import LearningModel, averaged, choose_precision, with_precision
from yolo_cli.training.yolo.optimizer import make_optimizer

OLD = Head("yolo", ((16.0, 16.0), (28.0, 28.0)), 16, 2, 1.05)
NAMES = ("square", "disc")


@pytest.fixture
def model(tmp_path: Path):
    keras.utils.set_random_seed(0)
    return build_model(read_cfg(write_tiny_cfg(tmp_path)))


def make_images(count: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3)).astype(np.uint8)


def run(model, batch: np.ndarray) -> np.ndarray:
    out = model(batch, training=False)
    return keras.ops.convert_to_numpy(out[0] if isinstance(out, list) else out)


def test_the_same_classes_and_anchors_give_nearly_the_same_boxes(model) -> None:
    new = replace(OLD, scale_x_y=2.0)
    remade = remake_heads(model, [OLD], [new], NAMES, NAMES)
    before = decode([run(model, make_images())[0]], [OLD], 0.1)
    after = decode([run(remade, make_images())[0]], [new], 0.1)
    assert len(before) > 0
    np.testing.assert_allclose(after.confidence, before.confidence, rtol=1e-4)
    # σ is not a straight line, so centres move a little when its range is widened.
    np.testing.assert_allclose(after.xyxy, before.xyxy, atol=1.5)


def test_a_shared_class_keeps_its_row_in_its_new_place(model) -> None:
    new = replace(OLD, class_count=3)
    values = run(remake_heads(model, [OLD], [new], NAMES, ("bird", "disc", "cat")), make_images()).reshape(
        -1, 2, 8
    )
    old = run(model, make_images()).reshape(-1, 2, 7)
    np.testing.assert_allclose(values[..., 6], old[..., 6], rtol=1e-4, atol=1e-5)  # disc: row 5 + 1 in both


def test_a_new_anchor_starts_with_the_size_of_the_old_one(model) -> None:
    # 32 × 20 in place of 16 × 16: the bias of tw falls by ln 2, so that the box stays as wide.
    new = replace(OLD, anchors=((32.0, 20.0), (56.0, 56.0)), scale_x_y=1.05)
    remade = remake_heads(model, [OLD], [new], NAMES, NAMES)
    wide = run(remade, make_images()).reshape(-1, 2, 7), run(model, make_images()).reshape(-1, 2, 7)
    nearest = 1  # of the old anchors, 28 × 28 is nearer to 32 × 20 than 16 × 16 is
    np.testing.assert_allclose(np.exp(wide[0][:, 0, 2]) * 32, np.exp(wide[1][:, nearest, 2]) * 28, rtol=1e-3)


def test_nothing_is_carried_over_from_a_network_that_knows_nothing(model) -> None:
    remade = remake_heads(model, [OLD], [OLD], None, NAMES)
    objectness = run(remade, make_images()).reshape(-1, 7)[:, 4]
    np.testing.assert_allclose(1 / (1 + np.exp(-objectness)), 0.01, atol=0.005)


def test_new_heads_are_drawn_on_a_gpu_without_numpy(model, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tensor on a GPU refuses to become an array by itself; on PyTorch that ended every run."""

    class OnGpu:
        def __init__(self, values: Any) -> None:
            self.values = values

        def __array__(self, *_: Any, **__: Any) -> Any:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")

    normal, convert = keras.random.normal, keras.ops.convert_to_numpy
    monkeypatch.setattr(keras.random, "normal", lambda *args, **more: OnGpu(normal(*args, **more)))
    monkeypatch.setattr(
        keras.ops, "convert_to_numpy", lambda x: convert(x.values if isinstance(x, OnGpu) else x)
    )
    assert run(remake_heads(model, [OLD], [OLD], None, NAMES), make_images()).dtype == np.float32


def test_a_third_head_has_cells_half_as_large(tmp_path: Path, model) -> None:
    fine = replace(OLD, stride=8)
    remade = remake_heads(model, [OLD], [OLD, fine], NAMES, NAMES)
    assert [tuple(out.shape[1:3]) for out in remade(make_images(), training=False)] == [(4, 4), (8, 8)]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_precision_changes_little_and_weights_stay_float32(model, precision: str) -> None:
    copy = with_precision(model, precision)
    assert {v.dtype for v in copy.variables} == {"float32"}
    np.testing.assert_allclose(run(copy, make_images()), run(model, make_images()), rtol=0.1, atol=0.05)
    assert run(copy, make_images()).dtype == np.float32


@pytest.mark.parametrize("scaled", [False, True])
def test_averaged_weights_come_and_go(model, scaled: bool) -> None:
    """In float16 the loss is scaled by an optimizer around the one that keeps the averages."""
    learning = LearningModel(model.input, model.outputs, yolo_loss=YoloLoss([OLD]))
    inner = make_optimizer(TrainConfig(ema=0.5), 1e-3, 10)
    optimizer = keras.optimizers.LossScaleOptimizer(inner) if scaled else inner
    learning.compile(optimizer=optimizer, jit_compile=False)
    learning.optimizer.build(learning.trainable_variables)
    own = [v.copy() for v in learning.get_weights()]
    for average in inner._model_variables_moving_average:
        average.assign(keras.ops.zeros_like(average) + 7)
    with averaged(learning):
        assert all((keras.ops.convert_to_numpy(v) == 7).all() for v in learning.trainable_variables)
    assert all(np.array_equal(a, b) for a, b in zip(own, learning.get_weights(), strict=True))


def test_precision_follows_the_machine() -> None:
    assert choose_precision("float32", gpu=True) == "float32"
    assert choose_precision("auto", gpu=True) == "float16"
    assert choose_precision("auto", gpu=False) in ("float32", "bfloat16")


def test_the_range_of_centres_scales_kernel_and_bias(model) -> None:
    """From a range of 1.05 cells to one of 2, what goes into σ is 1.05 / 2 of what it was."""
    remade = remake_heads(model, [OLD], [replace(OLD, scale_x_y=2.0)], NAMES, NAMES)
    before, after = (run(each, make_images(3)).reshape(-1, 7) for each in (model, remade))
    assert before[:, :2].std() > 0.01  # the kernel has a part in it
    np.testing.assert_allclose(after[:, :2], before[:, :2] * 1.05 / 2, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(after[:, 2:], before[:, 2:], rtol=1e-3, atol=1e-4)


def test_only_kernels_decay(model) -> None:
    learning = LearningModel(model.input, model.outputs, yolo_loss=YoloLoss([OLD]))
    optimizer = make_optimizer(TrainConfig(weight_decay=0.1), 1e-3, 10)
    learning.compile(optimizer=optimizer, jit_compile=False)
    optimizer.build(learning.trainable_variables)
    decays = {v.path.rpartition("/")[2]: optimizer._use_weight_decay(v) for v in learning.trainable_variables}
    assert decays == {"kernel": True, "gamma": False, "beta": False, "bias": False}


def test_averages_are_over_a_tenth_of_the_steps() -> None:
    assert float(make_optimizer(TrainConfig(ema=0.1), 1e-3, 1000).ema_momentum) == pytest.approx(0.99)


def test_the_loss_is_divided_by_the_replicas(model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Since TensorFlow sums the gradients of all of them."""
    learning = LearningModel(model.input, model.outputs, yolo_loss=YoloLoss([OLD]))
    targets = {
        "slot": np.zeros((1, 1), np.int32), "cxcywh": np.ones((1, 1, 4), np.float32),
        "class_id": np.zeros((1, 1), np.int32), "positive": np.zeros((1, 1), np.float32),
        "taken": np.zeros((1, 32), np.uint8), "ground_truths": np.zeros((1, 1, 4), np.float32),
        "ignored": np.zeros((1, 1), np.float32),
    }  # fmt: skip
    raw = learning(make_images(), training=False)
    whole = float(learning.compute_loss(y=targets, y_pred=raw))
    monkeypatch.setattr("yolo_cli.training.yolo.network._replicas", lambda: 4)
    assert float(learning.compute_loss(y=targets, y_pred=raw)) == pytest.approx(whole / 4)
