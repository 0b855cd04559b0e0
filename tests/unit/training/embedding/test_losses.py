"""The losses against loops over every pair and triplet."""

from __future__ import annotations

import numpy as np
import pytest

from yolo_cli.evaluation.verification import BIAS
from yolo_cli.training.embedding.losses import MARGIN, NEAREST, siamese_loss, triplet_loss

IDENTITY = np.repeat(np.arange(5), 3)


def batch(seed, unit=True):
    vectors = np.random.default_rng(seed).normal(size=(15, 4)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if unit else vectors


def slow_triplets(identity, vectors):
    """FaceNet's semi-hard triplets, one by one."""
    losses = []
    for a in range(len(identity)):
        others = [np.sum((vectors[a] - vectors[n]) ** 2) for n in np.flatnonzero(identity != identity[a])]
        for p in np.flatnonzero(identity == identity[a]):
            if p != a:
                positive = np.sum((vectors[a] - vectors[p]) ** 2)
                beyond = [each for each in others if each > positive]
                negative = min(beyond) if beyond else max(others)
                losses.append(max(0.0, positive - negative + MARGIN))
    return np.mean(losses)


def slow_pairs(identity, vectors):
    """Cross-entropy of all pairs of one identity, and of the nearest of another."""
    same, different = [], []
    for a in range(len(identity)):
        logit = BIAS - np.abs(vectors[a] - vectors).sum(axis=1)
        same += [np.log1p(np.exp(-logit[p])) for p in np.flatnonzero(identity == identity[a]) if p != a]
        nearest = np.sort(logit[identity != identity[a]])[::-1][:NEAREST]
        different += np.log1p(np.exp(nearest)).tolist()
    return np.mean(same) + np.mean(different)


@pytest.mark.parametrize("seed", range(4))
def test_triplets_are_those_of_a_loop(seed):
    vectors = batch(seed)
    assert float(triplet_loss(IDENTITY, vectors)) == pytest.approx(slow_triplets(IDENTITY, vectors), abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_pairs_are_those_of_a_loop(seed):
    vectors = batch(seed, unit=False)
    assert float(siamese_loss(IDENTITY, vectors)) == pytest.approx(slow_pairs(IDENTITY, vectors), abs=1e-5)


def test_well_separated_identities_have_no_triplet_loss():
    vectors = np.repeat(np.eye(5, 4, dtype=np.float32)[:4], 3, axis=0)
    assert float(triplet_loss(IDENTITY[:12], vectors)) == 0
