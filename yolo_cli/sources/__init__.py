"""Sources of images and frames: what a user names, read one at a time."""

from yolo_cli.sources.expanding import Source, natural_key, open_source
from yolo_cli.sources.items import SourceItem
from yolo_cli.sources.stdin import STDIN

__all__ = ["STDIN", "Source", "SourceItem", "natural_key", "open_source"]
