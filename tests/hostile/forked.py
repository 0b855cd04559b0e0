"""`yolo` in a forked process: many runs, of which none imports TensorFlow once more."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

__all__ = ["CHANGES", "Forked", "import_everything"]

CHANGES = "rename,renameat2,write,unlink"  # system calls that change what is on a disk


def import_everything() -> None:
    """Import what commands import when they run, and nothing that starts a thread."""
    os.environ |= {"YOLO_CLI_CACHE": "off", "KERAS_BACKEND": "tensorflow"}
    import onnx
    import tf2onnx

    import yolo_cli.api
    import yolo_cli.cli
    from yolo_cli.framework import keras
    from yolo_cli.runtimes import import_onnxruntime

    assert all((onnx, tf2onnx, yolo_cli.api, yolo_cli.cli, keras, import_onnxruntime()))


class Forked:
    """A run of `yolo` that was begun, in a session of its own.

    Args:
        words: its arguments.
        cwd: where.
        killed_at: a system call of `CHANGES` and a number: it is killed just before its n-th such call.
    """

    def __init__(self, words: str, cwd: Path, killed_at: tuple[str, int] | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 — closed by `end`
        self.pid = os.fork()
        if self.pid == 0:
            self._live(words, cwd, held=killed_at is not None)
        self._tracer = killed_at and self._traced(*killed_at)

    def _live(self, words: str, cwd: Path, held: bool) -> None:
        """The life of the new process."""
        code = 1
        try:
            os.setsid()
            os.chdir(cwd)
            nothing = os.open(os.devnull, os.O_RDWR)
            for mine, its in ((nothing, 0), (nothing, 1), (self._errors.fileno(), 2)):
                os.dup2(mine, its)
            if held:
                os.kill(os.getpid(), signal.SIGSTOP)
            from yolo_cli.cli import main

            main(words.split(), prog_name="yolo")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            atexit._run_exitfuncs()
            sys.stderr.flush()
            os._exit(code)

    def _traced(self, call: str, number: int) -> subprocess.Popen[bytes]:
        """Let strace end the process, which has stopped itself."""
        os.waitpid(self.pid, os.WUNTRACED)
        inject = f"inject={call}:signal=KILL:when={number}"
        words = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={CHANGES}", "-e", inject]
        tracer = subprocess.Popen([*words, "-p", str(self.pid)], stderr=subprocess.DEVNULL)
        while "TracerPid:\t0" in Path(f"/proc/{self.pid}/status").read_text() and tracer.poll() is None:
            time.sleep(0.01)
        os.kill(self.pid, signal.SIGCONT)
        return tracer

    def kill_after(self, seconds: float) -> None:
        """Kill it after some time, if it still runs."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            time.sleep(0.005)
        os.killpg(self.pid, signal.SIGKILL)

    def end(self) -> tuple[int, str]:
        """Wait for it: its exit code, negative for a signal, and what it wrote on stderr."""
        _, status = os.waitpid(self.pid, 0)
        if self._tracer:
            self._tracer.wait()
        with self._errors as file:
            file.seek(0)
            return os.waitstatus_to_exitcode(status), file.read().decode(errors="replace")
