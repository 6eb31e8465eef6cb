# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listening socket of a device: who may connect, and when it is off."""

from __future__ import annotations

import asyncio
import socket

from lab.ios.device import Device
from lab.ios.hostkeys import HostKeys
from lab.ios.ssh import SshFront
from lab.ios.telnet import TelnetProtocol
from lab.listener import Listener

_VTY_LINES = 16  # line vty 0 15: a 2960 closes the seventeenth connection


class Endpoint(Listener):
    """Accepts the connections of one device."""

    def __init__(self, device: Device, keys: HostKeys) -> None:
        super().__init__(device.plan.name, device.plan.address, device.plan.port, device.faults)
        self.device = device
        self._ssh = SshFront(device, keys) if device.plan.transport == "ssh" else None
        self._timer: asyncio.TimerHandle | None = None
        device.on_power_off = self._power_off
        self.on = asyncio.Event()
        self.on.set()
        if self._ssh:
            device.on_new_key = self._ssh.new_key

    def shut(self) -> None:
        """Stop listening and drop everybody, for the end of the lab."""
        if self._timer:
            self._timer.cancel()
        self.close()
        self._drop_all()

    def refresh(self) -> None:
        """Follow the fault ``off`` and the power switch."""
        if self.device.powered and "off" not in self.faults:
            self.open()
        else:
            self.close()
            if "off" in self.faults:
                self._drop_all()
        if "mute" not in self.faults:
            self._drop_mute()

    def _drop_all(self) -> None:
        for session in list(self.device.sessions):
            session.drop()
        if self._ssh:
            self._ssh.drop_all()
        self._drop_mute()

    def _power_off(self, seconds: float) -> None:
        self.device.powered = False
        self.on.clear()
        self._drop_all()
        self.refresh()
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._power_on)

    def _power_on(self) -> None:
        self._timer = None
        self.device.powered = True
        self.refresh()
        self.on.set()

    def _admit(self, connection: socket.socket) -> bool:
        return len(self.device.sessions) < _VTY_LINES

    async def _serve(self, connection: socket.socket) -> None:
        try:
            if self._ssh:
                await self._ssh.serve(connection)
            else:
                loop = asyncio.get_running_loop()
                await loop.connect_accepted_socket(lambda: TelnetProtocol(self.device), connection)
        except OSError:
            connection.close()
