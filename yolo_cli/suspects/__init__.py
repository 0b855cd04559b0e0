"""Label errors: what a model sees against the labels of a data set, ranked, with a page to correct them."""

from yolo_cli.suspects.finding import SUSPECT_CONF, CrossValidation, cross_validate, inspect_with_model
from yolo_cli.suspects.suspect import KINDS, Kind, Label, Suspect, SuspectReport

__all__ = [
    "KINDS",
    "SUSPECT_CONF",
    "CrossValidation",
    "Kind",
    "Label",
    "Suspect",
    "SuspectReport",
    "cross_validate",
    "inspect_with_model",
]
