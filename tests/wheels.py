"""A folder of the wheels of `requirements/detect.txt`, from which a test can install without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.shared import ROOT

LOCK = ROOT / "requirements" / "detect.txt"
WHEELS = Path(os.environ.get("YOLO_CLI_TEST_WHEELS", ROOT / ".ci" / "cache" / "wheels"))


@cache
def wheels() -> Path:
    """The folder, filled from the package index if needed; skips where that cannot be reached."""
    download = [sys.executable, "-m", "pip", "download", "-q", "-d", str(WHEELS)]
    for what in (["--require-hashes", "-r", str(LOCK)], ["hatchling>=1.26"]):
        if subprocess.run([*download, *what], capture_output=True, check=False).returncode:
            pytest.skip("the package index cannot be reached for the wheels of requirements/detect.txt")
    return WHEELS


def offline() -> dict[str, str]:
    """The environment in which pip knows only that folder, and Python only what is installed."""
    left = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels()), "PIP_CONFIG_FILE": os.devnull}
    return {**left, **pip, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
