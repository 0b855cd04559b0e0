"""What every test needs: quiet frameworks, and one hypothesis profile for CI and one for development."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# The same examples every time in CI, so that a red run can be looked into; new ones every time elsewhere.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=60, print_blob=True)
settings.register_profile("dev", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
# A few, always the same, and not shrunk: `python -m tests.mutation` asks only whether one fails.
settings.register_profile(
    "mutation",
    derandomize=True,
    deadline=None,
    max_examples=15,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("YOLO_CLI_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture
def server(monkeypatch):
    """A server on this computer; pauses before reconnecting are short."""
    from tests.stream_server import stream_server
    from yolo_cli.live import following

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(following, "_FIRST_PAUSE_S", 0.02)
    with stream_server() as running:
        yield running
