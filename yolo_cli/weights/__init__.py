"""Find, load, save and check model files; model cards.

A model is ``NAME.keras`` with ``NAME.onnx`` beside it. Both carry the same card; the second also
carries the SHA-256 of the first, so that a mismatched pair is detected.
"""

from yolo_cli.weights.card import ModelCard
from yolo_cli.weights.store import ModelFiles, check_pair, find_model, list_models, read_card

__all__ = ["ModelCard", "ModelFiles", "check_pair", "find_model", "list_models", "read_card"]
