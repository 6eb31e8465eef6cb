# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running program of a host: its streams, its place in the process list, what it was asked to do."""

from __future__ import annotations

import asyncio
import codecs
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.windows.host import Host

_BEST_FIT = str.maketrans(
    {
        0x2019: "'",
        0x2018: "'",
        0x201C: '"',
        0x201D: '"',
        0x2026: "...",
        0x2013: "-",
        0x2014: "-",
        0x153: "o",
        0x20AC: "?",
    }
)
_CODECS = {65001: "utf-8", 20127: "ascii", 28591: "latin-1", 1200: "utf-16-le"}


def codec(code_page: int) -> str | None:
    """Python's name of a Windows code page; None for one that does not exist."""
    name = _CODECS.get(code_page, f"cp{code_page}")
    try:
        codecs.lookup(name)
    except LookupError:
        return None
    return name


class Input:
    """Standard input: bytes that arrive until the end is told."""

    def __init__(self, data: bytes | None = None) -> None:
        self._data = bytearray(data or b"")
        self._more = asyncio.Event()
        self._ended = data is not None

    def feed(self, data: bytes, end: bool = False) -> None:
        """More bytes; ``end``: the last ones."""
        self._data += data
        self._ended = self._ended or end
        self._more.set()

    async def read_all(self) -> bytes:
        """Everything, once the end is there."""
        while not self._ended:
            self._more.clear()
            await self._more.wait()
        data = bytes(self._data)
        self._data.clear()
        return data

    async def pieces(self) -> AsyncIterator[bytes]:
        """What arrives, as it arrives, up to the end."""
        while self._data or not self._ended:
            if not self._data:
                self._more.clear()
                await self._more.wait()
                continue
            data = bytes(self._data)
            self._data.clear()
            yield data

    async def read_line(self) -> bytes:
        """Up to the next line end, or what is left; empty at the end."""
        while b"\n" not in self._data and not self._ended:
            self._more.clear()
            await self._more.wait()
        at = self._data.find(b"\n") + 1 or len(self._data)
        line = bytes(self._data[:at])
        del self._data[:at]
        return line


@dataclass
class Console:
    """What the programs of a shell share: its code page, which chcp changes."""

    code_page: int


Writer = Callable[[bytes], None]


async def _at_once() -> None:
    return None


@dataclass
class Call:
    """One run of a program.

    Attributes:
        argv: arguments by the C runtime's rules, without the program. line: the raw rest of the command line.
        env: names in upper case. encoding: of the console's code page.
        drain: waits until the reader of the output has taken what a program wrote; for programs that write much.
    """

    host: Host
    argv: list[str]
    line: str
    stdin: Input
    write: Writer
    write_error: Writer
    env: dict[str, str]
    cwd: str
    console: Console
    user: str
    drain: Callable[[], Awaitable[None]] = _at_once

    @property
    def code_page(self) -> int:
        """The console's code page."""
        return self.console.code_page

    @property
    def encoding(self) -> str:
        """Python's codec of the console."""
        return codec(self.code_page) or "cp437"

    def encode(self, text: str) -> bytes:
        """Text in the console's code page, with Windows' best fit for what the page lacks (a typographic apostrophe becomes ``'``)."""
        text = text.replace("\n", "\r\n")
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError:
            return text.translate(_BEST_FIT).encode(self.encoding, "replace")

    def out(self, text: str, end: str = "\n") -> None:
        """Print text on standard output in the console's code page."""
        self.write(self.encode(text + end))

    def err(self, text: str, end: str = "\n") -> None:
        """Print text on standard error."""
        self.write_error(self.encode(text + end))

    def say(self, french: str, english: str) -> str:
        """A text in the host's language."""
        return self.host.say(french, english)

    def path(self, text: str, unc: bool = False) -> str:
        """A path given by the user, absolute. ``unc``: one on another computer may be meant."""
        return self.host.drive.absolute(text, self.cwd, unc)


@dataclass(slots=True)
class Process:
    """A row of the process list."""

    pid: int
    name: str
    path: str
    command_line: str
    parent: int = 4
    started: float = field(default_factory=time.time)
    task: asyncio.Task[Any] | None = None
