# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of a run: which ones live, how all of them are ended, and how the output of the first one is followed.

ansible-playbook starts a session of its own for each worker, so a signal to its process group does not reach them.
A process belongs to a run when it descends from its ansible-playbook, stands in its process group, or carries the run's
mark in its environment while being an ansible-playbook itself. A daemon that a job leaves behind is none of these.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Proc:
    """One live process. It is known by pid and start together: the parent changes when the first one dies."""

    pid: int
    start: int
    parent: int = field(compare=False)
    group: int = field(compare=False)
    session: int = field(compare=False)


def parse_stat(text: str) -> Proc | None:
    """A line of /proc/PID/stat; None for a process that has already ended."""
    head, _unused, rest = text.rpartition(")")
    fields = rest.split()
    if fields[0] in "ZX":
        return None
    return Proc(int(head.split(" ", 1)[0]), int(fields[19]), int(fields[1]), int(fields[2]), int(fields[3]))


def processes() -> list[Proc]:
    """All live processes."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                proc = parse_stat((entry / "stat").read_text(encoding="utf-8", errors="replace"))
                if proc:
                    found.append(proc)
    return found


def descendants(procs: list[Proc], root: int) -> set[Proc]:
    """`root` and what descends from it."""
    pids = {root}
    found: set[Proc] = set()
    while True:
        more = {p for p in procs if (p.pid in pids or p.parent in pids) and p not in found}
        if not more:
            return found
        found |= more
        pids |= {p.pid for p in more}


def members(procs: list[Proc], run_id: str, group: int | None) -> set[Proc]:
    """The marked processes that stand in the run's group or are an ansible-playbook."""
    mark = f"LYCEE_RUN_ID={run_id}".encode()
    found = set()
    for proc in procs:
        with contextlib.suppress(OSError):
            if mark not in Path(f"/proc/{proc.pid}/environ").read_bytes().split(b"\0"):
                continue
            words = Path(f"/proc/{proc.pid}/cmdline").read_bytes().split(b"\0")
            ansible = any(word.rpartition(b"/")[2] == b"ansible-playbook" for word in words)
            if ansible or (group is not None and group in (proc.group, proc.session)):
                found.add(proc)
    return found


class Supervisor:
    """Follows one child to its end; a signal or the time limit ends the child and all that belongs to it."""

    def __init__(self) -> None:
        self._write: Callable[[bytes], None] = lambda _data: None
        self._buffer = b""
        self.signal: int | None = None
        self._wake, wake_write = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, self._stop)

    def _stop(self, signum: int, _frame: object) -> None:
        self.signal = self.signal or signum

    def follow(
        self,
        child: subprocess.Popen[bytes],
        write: Callable[[bytes], None],
        run_id: str,
        timeout: int | None,
        grace: int,
    ) -> tuple[int, str | None]:
        """Waits for the child; returns its status, and `timeout` or a signal's number when the runner ended it."""
        assert child.stdout is not None
        self._write = write
        os.set_blocking(child.stdout.fileno(), False)
        deadline = time.monotonic() + timeout if timeout else None
        stopped: str | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            selector.register(child.stdout, selectors.EVENT_READ)
            while child.poll() is None and not stopped:
                left = deadline - time.monotonic() if deadline else None
                if self.signal:
                    stopped = str(self.signal)
                elif left is not None and left <= 0:
                    stopped = "timeout"
                else:
                    self._pump(selector, child, left)
            if stopped:
                self._end(selector, child, run_id, grace)
            drained_by = time.monotonic() + 5  # a daemon that the job left behind may hold the pipe and write on
            while self._pump(selector, child, 0) and time.monotonic() < drained_by:
                pass
        if self._buffer:
            self._write(self._buffer + b"\n")
        return child.wait(), stopped

    def _pump(self, selector: selectors.BaseSelector, child: subprocess.Popen[bytes], wait: float | None) -> bool:
        """Waits for output or a signal and passes whole lines on; false when the child wrote nothing."""
        assert child.stdout is not None
        got = False
        for key, _unused in selector.select(wait):
            data = os.read(key.fd, 65536)
            if key.fd == self._wake:
                continue
            if not data:
                selector.unregister(child.stdout)
                continue
            got = True
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            for line in lines:
                self._write(line + b"\n")
        return got

    def _end(self, selector: selectors.BaseSelector, child: subprocess.Popen[bytes], run_id: str, grace: int) -> None:
        """TERM, a wait of at most `grace` seconds for all of them to be gone, then KILL."""
        targets: set[Proc] = set()
        for signum, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 10)):
            now = processes()
            targets |= descendants(now, child.pid) | members(now, run_id, child.pid)
            for proc in targets & set(now):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(proc.pid, signum)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                child.poll()
                now = processes()
                if not (targets & set(now)) and not members(now, run_id, child.pid):
                    return
                self._pump(selector, child, 0.1)
        left = targets & set(processes())
        if left:
            self._write(f"Still running after SIGKILL: process {', '.join(str(p.pid) for p in left)}.\n".encode())
