# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SCP server of IOS (``ip scp server enable``): one file at a time, to and from flash.

Source: Cisco "Secure Copy" feature guide; the protocol is that of BSD rcp (``C0644 SIZE NAME``, a zero byte for each
step).
"""

from __future__ import annotations

import asyncio
import shlex
import time
from typing import TYPE_CHECKING

from lab.ios.device import Device, FlashFile
from lab.ios.filesystem import file_name, place

if TYPE_CHECKING:
    from lab.ios.ssh import _Channel


def is_scp(command: str) -> bool:
    """Whether an exec request is one of scp's."""
    return command.split()[:1] == ["scp"]


class _Refused(Exception):
    """The transfer cannot be done; the text goes to the client."""


class ScpServer:
    """One transfer."""

    def __init__(self, device: Device, channel: _Channel, command: str) -> None:
        self._device = device
        self._channel = channel
        self._command = command
        self._input = bytearray()
        self._ready = asyncio.Event()
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Bytes from the client."""
        self._input += data
        self._ready.set()

    def eof(self) -> None:
        """The client has ended."""
        self._ended = True
        self._ready.set()

    async def _read(self, count: int) -> bytes:
        while len(self._input) < count:
            if self._ended:
                raise _Refused("lost connection")
            self._ready.clear()
            await self._ready.wait()
        data = bytes(self._input[:count])
        del self._input[:count]
        return data

    async def _line(self) -> str:
        text = b""
        while not text.endswith(b"\n"):
            text += await self._read(1)
        return text.decode("latin-1").rstrip("\n")

    async def run(self) -> None:
        """Do the transfer and close the channel with scp's exit status."""
        status = 0
        try:
            words = shlex.split(self._command)
            if self._device.running.value("ip scp server enable") is None:
                raise _Refused("Administratively disabled.")
            if "-t" in words:
                await self._receive(words[-1])
            elif "-f" in words:
                await self._transmit(words[-1])
            else:
                raise _Refused("Unsupported scp request.")
        except (_Refused, ValueError) as error:
            self._channel.write(b"\x01" + str(error).encode("latin-1", "replace") + b"\n")
            status = 1
        self._channel.close(status)

    async def _receive(self, target: str) -> None:
        name = file_name(self._device, target)
        if name is None:
            raise _Refused(f"{target}: No such device")
        self._channel.write(b"\0")
        header = await self._line()
        while header.startswith("T"):
            self._channel.write(b"\0")
            header = await self._line()
        if not header.startswith("C"):
            raise _Refused("Protocol error: only single files are copied")
        _unused, size, source = header.split(" ", 2)
        used = sum(file.size for file in self._device.flash.values())
        if int(size) > self._device.model.flash - used:
            raise _Refused("No space left on device")
        self._channel.write(b"\0")
        content = await self._read(int(size))
        await self._read(1)
        self._device.flash[name or source] = FlashFile(content, len(content), time.time())
        self._channel.write(b"\0")

    async def _transmit(self, source: str) -> None:
        where = place(self._device, source) or f"flash:{file_name(self._device, source) or ''}"
        if where == "running-config":
            content: bytes | None = self._device.running.text.encode("latin-1")
        elif where == "startup-config":
            content = self._device.startup.encode("latin-1") if self._device.startup is not None else None
        else:
            file = self._device.flash.get(where[6:])
            content = file.content if file else None
        if content is None:
            raise _Refused(f"{source}: No such file or directory")
        name = where.rpartition(":")[2]
        await self._read(1)
        self._channel.write(f"C0644 {len(content)} {name}\n".encode("latin-1"))
        await self._read(1)
        self._channel.write(content + b"\0")
        await self._read(1)
