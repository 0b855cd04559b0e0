"""``python -m yolo_cli``, ``yolo`` and ``yolo-cli``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(prog_name: str | None = None) -> None:
    """Run the command line; Ctrl-C while it is imported ends it in one line, too."""
    try:
        from yolo_cli.cli import main as run

        run(prog_name=prog_name)
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main("yolo")
