"""Read Darknet's files as plain data, without a framework."""

from yolo_cli.darknet.cfg import Network, Section, read_cfg, read_names
from yolo_cli.darknet.shapes import Shape, shapes
from yolo_cli.darknet.weights import Convolution, read_weights

__all__ = ["Convolution", "Network", "Section", "Shape", "read_cfg", "read_names", "read_weights", "shapes"]
