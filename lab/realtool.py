# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real program of this machine behind an emulated one: its streams, its end, and a disk that is full for it.

A full disk is played with RLIMIT_FSIZE (setrlimit(2)): the kernel lets the program's files grow no further, a write
fails with EFBIG, and the message is given the words of ENOSPC. The limit can be set on a program that runs already
(prlimit(2)), so the disk may also fill up in the middle. SIGXFSZ, which Python ignores, stays ignored in the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from lab.errors import LabError

Sink = Callable[[bytes], None]
_CHUNK = 1 << 16
_FULL = (b"File too large (27)", b"No space left on device (28)"), (b"File too large", b"No space left on device")


def tied(command: list[str]) -> list[str]:
    """A command line whose program is killed when the lab is (prctl(2), PR_SET_PDEATHSIG)."""
    return [*(["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []), *command]


def rsync() -> str:
    """The rsync of this machine. Raises LabError."""
    found = shutil.which("rsync")
    if found is None:
        raise LabError(
            "rsync is not installed and the inventory has hosts with it; install it ('apt-get install rsync')"
        )
    return found


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for number in found:
        for task in Path(f"/proc/{number}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in task.read_text().split()]
    return found


class Disk:
    """The disk on which a host's real programs write: full or not, for those that run as well."""

    def __init__(self, is_full: Callable[[], bool]) -> None:
        self._is_full = is_full
        self._running: set[int] = set()

    def command(self, command: list[str]) -> list[str]:
        """A command line that can write nothing when the disk is full."""
        return ["sh", "-c", 'ulimit -S -f 0; exec "$@"', "sh", *command] if self._is_full() else command

    def add(self, pid: int) -> None:
        """A program runs."""
        self._running.add(pid)

    def remove(self, pid: int) -> None:
        """It has ended."""
        self._running.discard(pid)

    def follow(self) -> None:
        """The fault was switched: what runs notices it at its next write."""
        limit = 0 if self._is_full() else resource.RLIM_INFINITY
        for pid in [number for top in self._running for number in tree(top)]:
            with contextlib.suppress(OSError, ValueError):
                hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))


def full_words(data: bytes) -> bytes:
    """EFBIG's words as ENOSPC's."""
    for ours, theirs in _FULL:
        data = data.replace(ours, theirs)
    return data


async def _nothing() -> None:
    return None


async def run(
    command: list[str],
    environment: dict[str, str],
    cwd: str,
    disk: Disk,
    out: Sink,
    error: Sink,
    stdin: AsyncIterator[bytes] | None = None,
    drain: Callable[[], Awaitable[None]] = _nothing,
    started: Callable[[int], None] | None = None,
) -> int:
    """Run a program to its end and hand its output on piece by piece; returns its exit code.

    A cancelled caller, or a sink that raises, ends the program and all that it started.

    Args:
        drain: waits until what was written may grow. started: told the process number.
    """
    process = await asyncio.create_subprocess_exec(
        *tied(disk.command(command)),
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        restore_signals=False,
    )
    disk.add(process.pid)
    if started:
        started(process.pid)
    assert process.stdout is not None
    assert process.stderr is not None
    flow = _Flow(drain)
    pumps = [
        asyncio.ensure_future(flow.pump(process.stdout, out)),
        asyncio.ensure_future(flow.pump(process.stderr, lambda data: error(full_words(data)))),
    ]
    feeder = asyncio.ensure_future(_feed(process.stdin, stdin)) if stdin and process.stdin else None
    alone = False
    try:
        while not alone:
            before = flow.passed
            done, pending = await asyncio.wait(pumps, timeout=0.25, return_when=asyncio.FIRST_EXCEPTION)
            for pump in done:
                pump.result()
            # A program may leave a child behind that holds its streams: rsync's receiver does, for a minute.
            gone = process.returncode is not None and flow.passed == before and not flow.blocked
            alone = not pending or gone
        return process.returncode if process.returncode is not None else await process.wait()
    finally:
        for task in [*pumps, *([feeder] if feeder else [])]:
            task.cancel()
        if process.returncode is None or not all(pump.done() for pump in pumps):
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
        await asyncio.gather(*pumps, return_exceptions=True)
        await reaped(process)
        disk.remove(process.pid)


async def reaped(process: asyncio.subprocess.Process) -> int:
    """Wait for the end of a program whose output nobody reads any more; returns its exit code.

    ``wait()`` of asyncio ends when the pipes have, and one that is paused since its buffer is full never does
    (python/cpython#119710): what is left in them is thrown away.
    """
    for stream in filter(None, (process.stdout, process.stderr)):
        while await stream.read(_CHUNK):
            pass
    return await process.wait()


class _Flow:
    """The output of one program on its way."""

    def __init__(self, drain: Callable[[], Awaitable[None]]) -> None:
        self._drain = drain
        self.passed = self.blocked = 0

    async def pump(self, source: asyncio.StreamReader, sink: Sink) -> None:
        """Hand on everything up to the end."""
        while data := await source.read(_CHUNK):
            sink(data)
            self.passed += len(data)
            self.blocked += 1
            await self._drain()
            self.blocked -= 1


async def _feed(target: asyncio.StreamWriter, source: AsyncIterator[bytes]) -> None:
    with contextlib.suppress(OSError):
        async for data in source:
            target.write(data)
            await target.drain()
    with contextlib.suppress(OSError):
        target.close()
