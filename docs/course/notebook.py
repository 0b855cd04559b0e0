"""Write docs/course.ipynb from docs/course.md: its text, and a cell for each of its commands.

python docs/course/notebook.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1]
TITLE = "Run it in a clone of the project with `yolo-cli` installed; the first cell goes to its root."
START = "import os\nif not os.path.isdir('examples'):\n    os.chdir('..')"


def cells(page: str) -> list[dict[str, Any]]:
    """The cells of a page in Markdown: each block of commands is one of code."""
    found = [_cell("markdown", TITLE), _cell("code", START)]
    for number, part in enumerate(re.split(r"^```sh\n(.*?)^```\n", page, flags=re.MULTILINE | re.DOTALL)):
        text = part.strip()
        if number % 2:
            found.append(_cell("code", "\n".join(f"!{line}" for line in text.splitlines())))
        elif text:
            found.append(_cell("markdown", _for_a_notebook(text)))
    for number, cell in enumerate(found):
        cell["id"] = f"cell-{number}"
    return found


def _for_a_notebook(text: str) -> str:
    """A notebook knows no dark pages: only the plots for light ones stay."""
    text = re.sub(r"^!\[[^\n]*#gh-dark-mode-only\)\n?", "", text, flags=re.MULTILINE)
    return text.replace("#gh-light-mode-only", "")


def _cell(kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def notebook(page: str) -> str:
    """The notebook of a page in Markdown, as the text of its file."""
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    whole = {"cells": cells(page), "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (DOCS / "course.ipynb").write_text(notebook((DOCS / "course.md").read_text("utf-8")), "utf-8")
