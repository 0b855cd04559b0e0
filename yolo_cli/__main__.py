"""``python -m yolo_cli`` is ``yolo``."""

from yolo_cli.cli import main

if __name__ == "__main__":
    main(prog_name="yolo")
