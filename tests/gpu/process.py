"""Each check of a GPU in a process of its own, with the backend and the settings that it needs."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

__all__ = ["MISSING", "NO_TIME", "run_check"]

ROOT = Path(__file__).resolve().parents[2]
MISSING, NO_TIME = "ModuleNotFoundError", "there was no time left"
ENVIRONMENT = {
    # Convolutions of float32 use TF32 otherwise, which the CPU does not have.
    "losses": {"JAX_DEFAULT_MATMUL_PRECISION": "float32"},
    "cpu_losses": {"JAX_PLATFORMS": "cpu"},
    "memory": {"XLA_PYTHON_CLIENT_MEM_FRACTION": ".05"},
    "torch": {"KERAS_BACKEND": "torch"},
    "torch_run": {"KERAS_BACKEND": "torch"},
}


def run_check(name: str, options: argparse.Namespace, seconds: float) -> tuple[str, str]:
    """What a check prints; and, if it fails, why: beginning with `MISSING` or `NO_TIME` where it is that."""
    words = [sys.executable, "-m", "tests.gpu.check", str(options.out), "--only", name]
    words += ["--data", options.data] if options.data else []
    words += ["--small"] if options.small else []
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"KERAS_BACKEND": "jax", "PYTHONPATH": paths} | ENVIRONMENT.get(name, {})
    with TemporaryFile("w+") as out, TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            words, env=environment, stdout=out, stderr=errors, cwd=ROOT, start_new_session=True
        )
        code = _wait(process, seconds)
        out.seek(0)
        errors.seek(0)
        printed, log = out.read(), errors.read().strip()
    if code is None:
        return printed, NO_TIME
    return printed, _reason(log.splitlines()) or f"exit status {code}" if code else ""


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """Its exit status; None if it was ended after these seconds, with all that it has started."""
    try:
        return process.wait(max(1.0, seconds))
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _reason(lines: Sequence[str]) -> str:
    """The missing module that is named in a log, or else the end of it."""
    missing = [line for line in lines if line.startswith(MISSING)]
    return missing[-1] if missing else " ".join(lines[-5:])[-300:]
