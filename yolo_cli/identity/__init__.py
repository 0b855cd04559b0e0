"""Which one is it? Embeddings of crops, a gallery of those that are known, and who is nearest.

Importing this package imports no framework.
"""

from yolo_cli.identity.embedder import DEFAULT_EMBEDDING, Embedder, load_embedder
from yolo_cli.identity.gallery import Entry, Gallery, changed_gallery, read_gallery, twins
from yolo_cli.identity.identified import UNKNOWN, Identified
from yolo_cli.identity.recognition import Match, Threshold, Verdict, choose_threshold, recognise, verify
from yolo_cli.identity.running import WHOLE, Identification, whole_images

__all__ = [
    "DEFAULT_EMBEDDING",
    "UNKNOWN",
    "WHOLE",
    "Embedder",
    "Entry",
    "Gallery",
    "Identification",
    "Identified",
    "Match",
    "Threshold",
    "Verdict",
    "changed_gallery",
    "choose_threshold",
    "load_embedder",
    "read_gallery",
    "recognise",
    "twins",
    "verify",
    "whole_images",
]
