# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command and count its wall clock, its CPU and its memory, daemons that it leaves behind included."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
#: How long a command's daemons may outlive it before they are given up (``ansible-connection`` ends by itself).
_REAP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds of wall clock until the command ended, CPU seconds of it and its descendants, peak MB of memory.

    Memory is the sum of the proportional set sizes of all its processes; 0 where it was not sampled.
    """

    wall: float
    cpu: float
    memory_mb: float = 0.0


@contextlib.contextmanager
def adopting_daemons() -> Iterator[None]:
    """Be the parent of orphaned descendants meanwhile, so that their CPU is counted (prctl(2)).

    The lab's server is started outside of this, or it would be waited for.
    """
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        library.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def run(command: list[str], *, cwd: Path, environment: dict[str, str], memory: bool = False) -> Sample:
    """Run ``command`` to its end and return what it took.

    Raises:
        RuntimeError: it failed; the text holds the end of its output.
    """
    before = _cpu()
    started = time.monotonic()
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        peak = _Peak(process.pid) if memory else None
        output, _unused = process.communicate()
        wall = time.monotonic() - started
        megabytes = peak.stop() if peak else 0.0
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-3000:]}")
    _reap()
    return Sample(wall, _cpu() - before, megabytes)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _reap() -> None:
    """Wait for adopted daemons; CPU counts once they are reaped."""
    deadline = time.monotonic() + _REAP_SECONDS
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)


class _Peak:
    """Samples the memory of a process and its descendants five times a second."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._over = pid, 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self._peak = max(self._peak, sum(_pss(pid) for pid in _tree(self._pid)))

    def stop(self) -> float:
        """End the sampling and return the peak in MB."""
        self._over.set()
        self._thread.join()
        return self._peak / 1024


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text("ascii").split())
    return found


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
