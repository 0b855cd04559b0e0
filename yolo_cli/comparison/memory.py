"""Peak memory of the process, where the system reports it (Linux)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["peak_memory", "reset_peak"]

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def reset_peak() -> bool:
    """Reset the peak; False if the system does not support it."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


def peak_memory() -> int | None:
    """Peak memory in bytes since `reset_peak`; None if unknown."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return 1024 * int(found[0]) if found else None
