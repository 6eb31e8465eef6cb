# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listening socket of a device: who may connect, and when it is off."""

from __future__ import annotations

import asyncio
import errno
import os
import socket

from lab.errors import LabError
from lab.ios.device import Device
from lab.ios.hostkeys import HostKeys
from lab.ios.ssh import SshFront
from lab.ios.telnet import TelnetProtocol

_VTY_LINES = 16  # line vty 0 15: a 2960 closes the seventeenth connection


class Endpoint:
    """Accepts the connections of one device.

    The socket is watched by the event loop itself rather than by one asyncio server per device: accepting by hand lets
    faults decide per connection, and a device that nobody talks to costs one descriptor and nothing else.
    """

    def __init__(self, device: Device, keys: HostKeys) -> None:
        self.device = device
        self._ssh = SshFront(device, keys) if device.plan.transport == "ssh" else None
        self._listener: socket.socket | None = None
        self._mute: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        device.on_power_off = self._power_off
        self.on = asyncio.Event()
        self.on.set()
        if self._ssh:
            device.on_new_key = self._ssh.new_key

    def open(self) -> None:
        """Listen. Raises LabError naming host, address and port when that is not possible."""
        if self._listener is not None:
            return
        plan = self.device.plan
        family = socket.AF_INET6 if ":" in plan.address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((plan.address, plan.port))
            listener.listen(64)
        except OSError as error:
            listener.close()
            raise LabError(_cannot_listen(self.device, error)) from None
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener.fileno(), self._accept)

    def close(self) -> None:
        """Stop listening; open sessions go on."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            self._listener.close()
            self._listener = None

    def shut(self) -> None:
        """Stop listening and drop everybody, for the end of the lab."""
        if self._timer:
            self._timer.cancel()
        self.close()
        self._drop_all()

    def refresh(self) -> None:
        """Follow the fault ``off`` and the power switch."""
        if self.device.powered and "off" not in self.device.faults:
            self.open()
        else:
            self.close()
            if "off" in self.device.faults:
                self._drop_all()
        if "mute" not in self.device.faults:
            self._drop_mute()

    def _drop_all(self) -> None:
        for session in list(self.device.sessions):
            session.drop()
        if self._ssh:
            self._ssh.drop_all()
        self._drop_mute()

    def _drop_mute(self) -> None:
        for connection in self._mute:
            connection.close()
        self._mute.clear()

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

    def _accept(self) -> None:
        if self._listener is None:
            return
        try:
            connection, _unused = self._listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        if len(self.device.sessions) >= _VTY_LINES:
            connection.close()
            return
        if "mute" in self.device.faults:
            self._mute.add(connection)
            return
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        try:
            if self._ssh:
                await self._ssh.serve(connection)
            else:
                loop = asyncio.get_running_loop()
                await loop.connect_accepted_socket(lambda: TelnetProtocol(self.device), connection)
        except OSError:
            connection.close()


def _cannot_listen(device: Device, error: OSError) -> str:
    plan = device.plan
    where = f"{plan.address}:{plan.port}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"host {plan.name}: {where} is already in use by another program; "
            "end that program ('ss -ltnp' names it) or change ansible_port"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"host {plan.name}: the address {plan.address} is not on this machine; use 'python -m lab shell'"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"host {plan.name}: port {plan.port} needs root; use a port above 1023 or 'python -m lab shell'"
    if error.errno == errno.EMFILE:
        return "too many open files for so many devices; raise the limit with 'ulimit -n 4096'"
    return f"host {plan.name}: cannot listen on {where}: {os.strerror(error.errno or 0)}"
