# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The telnet server of a device (RFC 854, 857, 858).

IOS opens with WILL ECHO, WILL SUPPRESS-GO-AHEAD, DO TERMINAL-TYPE, DO NAWS, and refuses everything else.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import cast

from lab.ios.device import Device
from lab.ios.login import before_login, free_line, greeting
from lab.ios.session import Session
from lab.ios.terminal import Disconnected, Terminal

_IAC, _DONT, _DO, _WONT, _WILL, _SB, _SE = 255, 254, 253, 252, 251, 250, 240
_ECHO, _SGA, _TTYPE, _NAWS = 1, 3, 24, 31
_OPENING = bytes([_IAC, _WILL, _ECHO, _IAC, _WILL, _SGA, _IAC, _DO, _TTYPE, _IAC, _DO, _NAWS])


class TelnetProtocol(asyncio.Protocol):
    """One connection: the wire of a terminal."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._terminal = Terminal(self, device.faults)
        self._state: list[int] = []
        self._in_option = False
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Negotiate and start the login."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_OPENING)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._terminal.eof()

    def data_received(self, data: bytes) -> None:
        """Separate the options from the text."""
        if _IAC not in data and not self._state and not self._in_option:
            self._terminal.feed(data)
            return
        text = bytearray()
        for byte in data:
            if self._in_option:
                self._in_option = not (self._state == [_IAC] and byte == _SE)
                self._state = [_IAC] if byte == _IAC and self._in_option else []
            elif not self._state:
                if byte == _IAC:
                    self._state = [_IAC]
                else:
                    text.append(byte)
            elif len(self._state) == 1:
                self._command(byte, text)
            else:
                self._answer(self._state[1], byte)
                self._state = []
        self._terminal.feed(bytes(text))

    def _command(self, byte: int, text: bytearray) -> None:
        if byte == _IAC:
            text.append(_IAC)
        elif byte == _SB:
            self._in_option = True
        elif byte in (_DO, _DONT, _WILL, _WONT):
            self._state.append(byte)
            return
        self._state = []

    def _answer(self, verb: int, option: int) -> None:
        if verb == _DO and option not in (_ECHO, _SGA):
            self._transport.write(bytes([_IAC, _WONT, option]))
        elif verb == _WILL and option not in (_TTYPE, _NAWS, _SGA):
            self._transport.write(bytes([_IAC, _DONT, option]))

    def write(self, data: bytes) -> None:
        """Send bytes; 255 is doubled (RFC 854)."""
        if not self._transport.is_closing():
            self._transport.write(data.replace(b"\xff", b"\xff\xff"))

    def close(self) -> None:
        """Close in good order."""
        self._transport.close()

    def abort(self) -> None:
        """Reset the connection, after a moment that lets what was sent arrive."""
        asyncio.get_running_loop().call_later(0.1, self._reset)

    def _reset(self) -> None:
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    async def _serve(self) -> None:
        try:
            user = await self._login()
        except Disconnected:
            user = None
        if user is None:
            self._transport.close()
            return
        device = self._device
        peer = self._transport.get_extra_info("peername") or ("",)
        self.write(greeting(device, with_motd=False))
        await Session(
            device, self._terminal, user, device.login_privilege(user), line_name=free_line(device), host=str(peer[0])
        ).run()

    async def _login(self) -> str | None:
        """Three tries; the user name, or None. Without user in the inventory only a password is asked (``login``)."""
        device, terminal = self._device, self._terminal
        terminal.write(before_login(device))
        aaa = device.running.value("aaa new-model") is not None
        for _unused in range(3):
            user = ""
            if device.plan.user:
                user = await terminal.ask("Username: ")
                if not user:
                    continue
            password = await terminal.ask("Password: ", echo=False)
            slow = device.faults.pair("slow")
            pause = slow[0] if slow else device.plan.latency.get("login", 0.0)
            if pause:
                await asyncio.sleep(pause)
            if device.check_login(user, password):
                return user
            device.counters.refused_logins += 1
            terminal.line("% Authentication failed\n" if aaa else "% Login invalid\n")
        return None
