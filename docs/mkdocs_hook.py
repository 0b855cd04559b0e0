"""A hook of MkDocs: links to files of the project outside the docs become their paths."""

from __future__ import annotations

import re
from typing import Any

OUTSIDE = re.compile(r"\[(?P<text>[^]]+)\]\(\.\./(?P<path>[^)#]+)(?:#[^)]*)?\)")
NOT_A_PAGE = re.compile(r"\[(?P<text>[^]]+)\]\((?P<path>[\w./-]+\.(?:py|ipynb|json)|schemas/?)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with ``path`` in place of each link to what the site does not have."""
    inside = OUTSIDE.sub(_as_path, markdown)
    return NOT_A_PAGE.sub(lambda found: f"`docs/{found['path']}`", inside)


def _as_path(found: re.Match[str]) -> str:
    text, path = found["text"], found["path"]
    return f"`{path}`" if text.startswith("`") else f"{text} (`{path}`)"
