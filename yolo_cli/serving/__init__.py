"""A detector over HTTP: an app for any ASGI server, and the server that `yolo serve` runs."""

from yolo_cli.serving.app import create_app
from yolo_cli.serving.running import Server
from yolo_cli.serving.service import named

__all__ = ["Server", "create_app", "named"]
