"""Where the shared data is, and a plain reason to skip where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def needs_shared(*parts: str) -> pytest.MarkDecorator:
    """Skip unless ``../shared/parts…`` is there.

    Example: ``@needs_shared("data", "fridge")``.
    """
    place = SHARED.joinpath(*parts)
    reason = f"shared data {'/'.join(parts)} is not beside the project"
    return pytest.mark.skipif(not place.exists(), reason=reason)
