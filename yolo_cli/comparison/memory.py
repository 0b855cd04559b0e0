"""How much memory the process held at most, where the system tells (Linux)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["forget_peak", "peak_memory"]

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def forget_peak() -> bool:
    """Begin anew to look for the peak; False where that cannot be done."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


def peak_memory() -> int | None:
    """The most bytes that were in memory at once since `forget_peak`; None where that is not known."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return 1024 * int(found[0]) if found else None
