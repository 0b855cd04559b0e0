"""Several detectors, the same images, the same judge."""

from yolo_cli.comparison.contenders import CONTENDERS, Contender, open_contender
from yolo_cli.comparison.measure import Measured, Row, measure
from yolo_cli.comparison.page import write_page

__all__ = ["CONTENDERS", "Contender", "Measured", "Row", "measure", "open_contender", "write_page"]
