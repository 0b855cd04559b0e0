"""Peak memory of the process, where the system reports it (Linux)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["peak_memory", "reset_peak"]

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def reset_peak() -> bool:
    """Measure the peak anew from now on; False where that cannot be done."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


def peak_memory() -> int | None:
    """The most bytes in memory at once since `reset_peak`; None if that is not known."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return 1024 * int(found[0]) if found else None
