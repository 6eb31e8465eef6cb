# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One terminal line: echo, line editing, the pager, and the faults that act on the output.

Nothing here knows whether the bytes travel over SSH, telnet or the console.

Sources: Cisco IOS Configuration Fundamentals, "Using the Command-Line Interface" (editing keys, ``--More--``);
raw captures of sessions (the pager erases itself with nine backspaces, eight blanks, nine backspaces).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from lab.faults import FaultSet

MORE = b" --More-- "
_ERASE = b"\b" * 9 + b" " * 8 + b"\b" * 9
CTRL_C, CTRL_Z = "\x03", "\x1a"
# Fewer bytes than this is not "a long output" for the faults cut and hang: prompts and short answers pass.
_SHORT = 256


class Disconnected(Exception):
    """The client has gone, or the device has closed the session."""


class Wire(Protocol):
    """What a transport offers to a terminal."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def close(self) -> None:
        """Close in good order."""

    def abort(self) -> None:
        """Drop the connection: the client sees a reset."""


class Terminal:
    """The device's side of a session.

    Attributes:
        length, width: lines and columns; a length of 0 means no pager. IOS starts with 24 and 80. The width is
            remembered only: the ``$`` scrolling of a typed line longer than the terminal is not played.
    """

    def __init__(self, wire: Wire, faults: FaultSet, length: int = 24, width: int = 80) -> None:
        self.wire = wire
        self.faults = faults
        self.length = length
        self.width = width
        self._input = bytearray()
        self._ready = asyncio.Event()
        self._closed = False
        self._after_cr = False
        self._muted = False

    def feed(self, data: bytes) -> None:
        """Bytes from the client."""
        self._input += data
        self._ready.set()

    def eof(self) -> None:
        """The client will send nothing more; what it sent before is still read."""
        self._closed = True
        self._ready.set()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        if not self._muted:
            self.wire.write(data)

    def line(self, text: str = "") -> None:
        """Send one line."""
        self.write(text.replace("\n", "\r\n").encode("latin-1", "replace") + b"\r\n")

    async def _wait(self) -> None:
        """Wait for input. Raises Disconnected when none will come.

        A CR may be followed by an LF or NUL that belongs to it (RFC 854), perhaps in the next packet: it is dropped.
        """
        while True:
            while not self._input:
                if self._closed:
                    raise Disconnected
                self._ready.clear()
                await self._ready.wait()
            belongs, self._after_cr = self._after_cr and self._input[0] in (10, 0), False
            if not belongs:
                return
            del self._input[0]

    async def _take(self) -> int:
        """The next byte of input."""
        await self._wait()
        byte = self._input.pop(0)
        self._after_cr = byte == 13
        return byte

    async def read_line(
        self, echo: bool = True, help_for: Callable[[str], bytes] | None = None, prompt: bytes = b""
    ) -> str:
        """Read a line with echo and editing.

        Args:
            help_for: called with the line so far when ``?`` is typed; its answer is shown and the line goes on.
        Returns: the line without its end; it ends with Ctrl-C or Ctrl-Z when one of these ended it.
        """
        text = ""
        while True:
            await self._wait()
            plain = self._plain(help_for is not None)
            if plain:
                text += plain
                if echo:
                    self.write(plain.encode("latin-1"))
                continue
            byte = await self._take()
            if byte in (10, 13):
                self.write(b"\r\n")
                return text
            if byte in (3, 26):
                self.write(b"^C\r\n" if byte == 3 else b"^Z\r\n")
                return text + chr(byte)
            if byte in (8, 127):
                if text:
                    text = text[:-1]
                    self.write(b"\b \b" if echo else b"")
            elif byte in (21, 24):
                self.write(b"\b \b" * len(text) if echo else b"")
                text = ""
            elif byte == 23:
                kept = text.rstrip()
                kept = kept[: kept.rfind(" ") + 1]
                self.write(b"\b \b" * (len(text) - len(kept)) if echo else b"")
                text = kept
            elif byte == 22:
                text += chr(await self._take())  # Ctrl-V: the next character is meant literally
            elif byte == 63 and help_for:
                self.write(b"?\r\n" + help_for(text) + prompt + text.encode("latin-1"))
            elif byte == 27:
                await self._escape()

    def _plain(self, has_help: bool) -> str:
        """Take all the printable characters that are already there: one echo instead of one per byte."""
        count = 0
        for byte in self._input:
            if byte < 32 or byte == 127 or (byte == 63 and has_help):
                break
            count += 1
        if not count:
            return ""
        text = self._input[:count].decode("latin-1")
        del self._input[:count]
        return text

    async def _escape(self) -> None:
        """Swallow a cursor key."""
        if await self._take() in (91, 79):
            while not 64 <= await self._take() <= 126:
                pass

    async def ask(self, question: str, echo: bool = True) -> str:
        """Ask and read the answer (stripped). Raises Disconnected when the client goes."""
        self.write(question.encode("latin-1", "replace"))
        return (await self.read_line(echo)).strip(" ")

    async def confirm(self, question: str) -> bool:
        """A ``[confirm]``: Enter or y goes on, any other key does not; one key is enough, as on IOS."""
        self.write(question.encode("latin-1"))
        byte = await self._take()
        if byte in (121, 89):
            self.write(b"y")
            self._skip_line_end()
        self.write(b"\r\n")
        return byte in (10, 13, 121, 89)

    def _skip_line_end(self) -> None:
        """Drop the Enter that a program sends after the y, when it is already there."""
        while self._input and self._input[0] in (10, 13):
            del self._input[0]

    async def output(self, data: bytes) -> None:
        """Send the output of a command (CRLF line ends) through the pager and the faults."""
        length = self.length or (24 if "pager" in self.faults else 0)
        if length and data.count(b"\r\n") >= length:
            await self._paged(data, length)
        else:
            await self._send(data)

    async def _paged(self, data: bytes, length: int) -> None:
        lines = data.splitlines(keepends=True)
        shown, room = 0, length - 1
        while shown < len(lines):
            await self._send(b"".join(lines[shown : shown + room]))
            shown += room
            if shown >= len(lines):
                return
            self.write(MORE)
            key = await self._take()
            self.write(_ERASE)
            if key == 32:
                room = length - 1
            elif key in (10, 13):
                room = 1
            else:
                return

    async def _send(self, data: bytes) -> None:
        hang, cut = self.faults.number("hang"), self.faults.number("cut")
        is_long = len(data) > _SHORT
        if is_long and cut is not None and cut < len(data):
            await self._pieces(data[:cut])
            self.wire.abort()
            raise Disconnected
        if is_long and hang is not None and hang < len(data):
            await self._pieces(data[:hang])
            self._muted = True  # from here on this session is dead, as after a lost line
            while True:
                await self._take()
        await self._pieces(data)

    async def _pieces(self, data: bytes) -> None:
        trickle = self.faults.pair("trickle")
        if trickle is None:
            self.write(data)
            return
        size, pause = int(trickle[0]), trickle[1] / 1000
        for start in range(0, len(data), size):
            self.write(data[start : start + size])
            if start + size < len(data):
                await asyncio.sleep(pause)
