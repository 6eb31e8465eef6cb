# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an emulated program of PostgreSQL is read and run: its options, the password prompt, the real program behind."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lab import realtool
from lab.windows.pgtools import getopt
from lab.windows.pgtools.getopt import BadOption, Known, Words
from lab.windows.pgtools.libpq import Target
from lab.windows.pgtools.relay import relay
from lab.windows.processes import Call
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.host import Host

_RESTRICT = re.compile(rb"\\(?:un)?restrict [A-Za-z0-9]+")
_HALF_DUMPED, _HALF_RESTORED = 150_000, 30_000  # bytes on the line to the server
Sink = Callable[[bytes], None]


def folder(host: Host) -> str:
    """The bin folder."""
    database = host.plan.postgresql
    return f"{database['folder']}\\bin" if database else "C:\\no-postgresql"


def on(host: Host) -> bool:
    """Whether a host has PostgreSQL."""
    return host.plan.postgresql is not None


def version(call: Call) -> str:
    """The version that is played."""
    assert call.host.plan.postgresql is not None
    return str(call.host.plan.postgresql["version"])


def is_8_3(call: Call) -> bool:
    """Whether the older profile is played."""
    return version(call).startswith("8.3")


class Ended(Exception):
    """The program has said what it has to say: ``code`` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def fail(call: Call, program: str, text: str, hint: bool = False) -> Ended:
    """An error message in PostgreSQL's form, to be raised."""
    call.err(f"{program}: {text}")
    if hint:
        call.err(call.say(f"Essayez « {program} --help » pour plus d'informations.",
                          f'Try "{program} --help" for more information.'))  # fmt: skip
    return Ended(1)


def words(call: Call, program: str, profiles: tuple[Known, Known]) -> Words:
    """The command line, read by the options of 8.4 or 8.3. Raises Ended, LabRefusal."""
    if call.argv[:1] in (["--version"], ["-V"]):
        call.out(f"{program} (PostgreSQL) {version(call)}")
        raise Ended(0)
    if call.argv[:1] in (["--help"], ["-?"]):
        raise LabRefusal(f"the help text of {program} is not played")
    try:
        return getopt.read(call.argv, profiles[is_8_3(call)])
    except BadOption as problem:
        raise fail(call, program, str(problem), hint=True) from None


def crlf(sink: Sink) -> Sink:
    """A stream in text mode, as the C runtime's stdout and stderr are: each line end becomes CR LF."""
    return lambda data: sink(data.replace(b"\n", b"\r\n"))


class Unrestricted:
    r"""Takes the lines ``\restrict KEY`` out of a script: newer pg_dumps write them (CVE-2025-8714), 8.4 did not."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._held = b""
        self._inside = False  # the beginning of the line has gone out already

    def __call__(self, data: bytes) -> None:
        """A piece of the script."""
        lines = (self._held + data).split(b"\n")
        rest = lines.pop()
        kept = [
            line + b"\n"
            for index, line in enumerate(lines)
            if (index == 0 and self._inside) or not _RESTRICT.fullmatch(line)
        ]
        if lines:
            self._inside = False
        if self._inside or not rest.startswith(b"\\") or len(rest) > 200:
            kept.append(rest)
            self._inside = self._inside or bool(rest)
            rest = b""
        self._held = rest
        if any(kept):
            self._sink(b"".join(kept))

    def end(self) -> None:
        """The script has ended."""
        if self._held:
            self._sink(self._held)


async def forever() -> int:
    """A program that waits for what never comes, until somebody ends it."""
    await asyncio.Event().wait()
    return 1


async def run(
    call: Call,
    program: str,
    target: Target,
    arguments: list[str],
    asked: Words,
    out: Sink,
    stdin: AsyncIterator[bytes] | None = None,
    address: str | None = None,
) -> int:
    """Run the real program with a connection to this host's cluster; returns its exit code.

    Without a password and without -w 8.4 asks on the console, which under WinRS is there and which nobody types on:
    the program waits for ever (sprompt.c: it opens "con", not its standard input).

    Args:
        arguments: everything but the connection's host. address: connect there instead.
    """
    if asked.has("W"):
        return await forever()
    prompts = False

    def error(data: bytes) -> None:
        nonlocal prompts
        if b"no password supplied" in data and not asked.has("w"):
            prompts = True
        if not prompts:
            call.write_error(data.replace(b"\n", b"\r\n"))

    async def real(place: str) -> int:
        with tempfile.TemporaryDirectory(prefix="lab-pg") as scratch:
            binary = str(call.host.installation.binaries / program)
            return await realtool.run(
                [binary, "-w", "-h", place, *arguments],
                target.environment(Path(scratch)), scratch, call.host.disk, out, error, stdin, call.drain,
            )  # fmt: skip

    if call.host.power.due(program) and target.is_here:
        code = await _cut(call, program, target, real)
    else:
        code = await real(address or target.address)
    return await forever() if prompts else code


async def _cut(call: Call, program: str, target: Target, real: Callable[[str], Awaitable[int]]) -> int:
    """The power goes when so much has been sent; with a small database at the program's end, before anybody is told."""

    async def stop() -> None:
        await call.host.power.halfway(program)

    reads = program == "pg_restore"
    limit = _HALF_RESTORED if reads else _HALF_DUMPED
    async with relay(target.address, int(target.port), limit, stop, of_client=reads) as place:
        code = await real(place)
    await call.host.power.halfway(program)
    return code
