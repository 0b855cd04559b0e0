"""Losses on a batch of embeddings, over all its pairs and triplets, in `keras.ops`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from yolo_cli.evaluation.verification import BIAS
from yolo_cli.framework import ops

__all__ = ["LOSSES", "siamese_loss", "triplet_loss"]

MARGIN = 0.2  # of squared distances, as in FaceNet
NEAREST = 8
FAR = 1e3  # above every logit


def triplet_loss(identity: Any, embeddings: Any) -> Any:
    """Triplet loss with semi-hard negatives, a scalar.

    Schroff, Kalenichenko and Philbin, "FaceNet", CVPR 2015: for each pair of one identity, the negative is
    the nearest that is further away than the positive; where there is none, the furthest of all.

    Args:
        identity: (B,) or (B, 1).
        embeddings: of length 1, (B, D).
    """
    distance = ops.maximum(2 - 2 * ops.matmul(embeddings, ops.transpose(embeddings)), 0.0)  # (B, B)
    same = _same(identity)  # (B, B)
    positive = same - ops.eye(ops.shape(same)[0])  # (B, B)
    other = (1 - same)[:, None, :]  # (B, 1, B)
    beyond = other * ops.cast(distance[:, None, :] > distance[:, :, None], "float32")  # (B, B, B)
    far = 9.0  # squared distances are at most 4
    nearest = ops.min(ops.where(beyond > 0, distance[:, None, :], far), axis=-1)  # (B, B)
    furthest = ops.max(distance * (1 - same), axis=-1, keepdims=True)  # (B, 1)
    negative = ops.where(nearest < far, nearest, furthest)  # (B, B)
    loss = ops.maximum(distance - negative + MARGIN, 0.0) * positive
    return ops.sum(loss) / ops.maximum(ops.sum(positive), 1.0)


def siamese_loss(identity: Any, embeddings: Any) -> Any:
    """Cross-entropy of "same identity?" over pairs, a scalar; both kinds of pairs weigh the same.

    Koch, Zemel and Salakhutdinov, "Siamese Neural Networks for One-shot Image Recognition", 2015: logistic
    regression on the absolute difference of each dimension. The weights, not below 0, are the network's last
    layer; the bias is fixed, as their scale is free. Koch draws pairs of two identities at random; here they
    are the `NEAREST` of each image in the batch, as most others are told apart soon.

    Args:
        identity: (B,) or (B, 1).
        embeddings: weighted, (B, D).
    """
    logit = BIAS - ops.sum(ops.abs(embeddings[:, None] - embeddings[None]), axis=-1)  # (B, B)
    same = _same(identity)  # (B, B)
    positive, negative = same - ops.eye(ops.shape(same)[0]), 1 - same
    hard = ops.top_k(ops.where(negative > 0, logit, -FAR), NEAREST)[0]  # (B, NEAREST)
    return _mean(ops.softplus(-logit), positive) + ops.mean(ops.softplus(hard))


def _same(identity: Any) -> Any:
    """1 where two of a batch have one identity, (B, B)."""
    flat = ops.reshape(identity, (-1,))
    return ops.cast(ops.equal(flat[:, None], flat[None]), "float32")


def _mean(values: Any, weight: Any) -> Any:
    return ops.sum(values * weight) / ops.maximum(ops.sum(weight), 1.0)


LOSSES: Mapping[str, Callable[[Any, Any], Any]] = {"triplet": triplet_loss, "siamese": siamese_loss}
