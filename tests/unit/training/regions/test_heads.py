"""The losses by hand, and heads that learn what can be learnt."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from yolo_cli.model.proposals import build_proposal_network
from yolo_cli.model.region_heads import build_linear_head, build_localisation_head, build_mlp_head
from yolo_cli.model.windows import as_convolutions, build_window_classifier
from yolo_cli.training.regions.examples import Examples
from yolo_cli.training.regions.heads import box_loss, fit_linear_head, fit_mlp_head, one_class_loss


def test_one_class_loss_by_hand():
    logits = np.array([[0.0, 0.0], [np.log(3), 0.0]], np.float32)
    # Background: -ln(1/2) twice. Class 0 at σ = 3/4: -ln(3/4), and -ln(1/2) for class 1.
    found = keras.ops.convert_to_numpy(one_class_loss(np.array([-1, 0]), logits))
    assert found == pytest.approx([2 * np.log(2), np.log(4 / 3) + np.log(2)], abs=1e-5)


def test_box_loss_by_hand():
    target = np.array([[1, 0.1, 0, 0, 0], [-1, 0, 0, 0, 0], [0, 0, 0, 0.6, 0]], np.float32)
    said = np.zeros((3, 8), np.float32)
    said[0, :4] = 9  # of another class: does not count
    # Row 0: |0 - 0.1| / 0.1 = 1, so 1 - 0.5. Row 1 is background. Row 2: 0.6 / 0.2 = 3, so 3 - 0.5.
    assert keras.ops.convert_to_numpy(box_loss(target, said)) == pytest.approx([0.5, 0, 2.5], abs=1e-5)


def examples() -> Examples:
    """Features that say plainly which of two classes is there, and how far the box must move."""
    random = np.random.default_rng(0)
    class_id = random.integers(-1, 2, 3000)
    features = random.normal(0, 0.1, (3000, 1, 1, 4))
    features[np.arange(3000), 0, 0, class_id] += 1  # background goes to the last place
    deltas = np.zeros((3000, 4), np.float32)
    deltas[:, 0] = features[:, 0, 0, 2] = random.uniform(-0.2, 0.2, 3000)
    deltas[class_id < 0] = 0
    return Examples(features.astype(np.float16), class_id, deltas)


def test_the_linear_head_learns():
    learnt = examples()
    model = fit_linear_head(learnt, 2, 25, rate=0.05)
    logits, deltas = (np.asarray(part) for part in model.predict_on_batch(learnt.features.astype(np.float32)))
    said = np.where(logits.max(axis=1) > 0, logits.argmax(axis=1), -1)
    assert (said == learnt.class_id).mean() > 0.95
    assert deltas.shape == (3000, 8)


def test_the_mlp_head_learns():
    learnt = examples()
    model = fit_mlp_head(learnt, 2, 12)
    logits, deltas = (np.asarray(part) for part in model.predict_on_batch(learnt.features.astype(np.float32)))
    said = logits.argmax(axis=1)
    assert (np.where(said == 2, -1, said) == learnt.class_id).mean() > 0.95
    near = learnt.class_id >= 0
    own = deltas.reshape(-1, 2, 4)[np.flatnonzero(near), learnt.class_id[near]]
    assert np.corrcoef(own[:, 0], learnt.deltas[near, 0])[0, 1] > 0.8


def test_a_short_run_learns_the_statistics():
    """After 12 batches in each of 6 epochs, the mean that detection subtracts is that of the features."""
    learnt = examples()
    learnt.features[:] += np.float16(5)
    model = fit_linear_head(learnt, 2, 6)
    mean, true = model.get_layer("standard").moving_mean, learnt.features.mean(axis=(0, 1, 2), dtype=float)
    assert np.asarray(mean) == pytest.approx(true, abs=0.05)


@pytest.mark.parametrize(
    "network",
    [
        build_linear_head((1, 1, 4), 2),
        build_mlp_head((1, 1, 4), 2),
        build_localisation_head((2, 2, 4), 2),
        build_window_classifier(3),
        build_proposal_network(4, 9),
    ],
    ids=lambda network: network.name,
)
def test_statistics_of_every_head_follow_short_runs(network):
    layers = [each for each in network.layers if isinstance(each, keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in layers} == {0.9}


def test_dense_layers_become_convolutions():
    """With random values: each window of an image gets the scores of its crop."""
    keras.utils.set_random_seed(0)
    dense = build_window_classifier(5, width=4)
    whole = as_convolutions(dense)
    image = np.random.default_rng(0).integers(0, 256, (1, 160, 192, 3), np.uint8)
    scores = np.asarray(whole.predict_on_batch(image)).reshape(3, 5, 5)
    for row in range(3):
        for column in range(5):
            crop = image[:, 16 * row : 16 * row + 128, 16 * column : 16 * column + 128]
            alone = np.asarray(dense.predict_on_batch(crop)).reshape(5)
            assert scores[row, column] == pytest.approx(alone, abs=1e-4)
