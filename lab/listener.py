# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listening socket of a played host, of whatever kind: who may connect, and the faults ``off`` and ``mute``."""

from __future__ import annotations

import asyncio
import errno
import os
import socket

from lab.errors import LabError
from lab.faults import FaultSet


class Listener:
    """Accepts the connections of one host; a kind of host says what it serves.

    The socket is watched by the event loop itself rather than by one asyncio server per host: accepting by hand lets
    faults decide per connection, and a host that nobody talks to costs one descriptor and nothing else.
    """

    variable = "ansible_port"  # of the inventory, where the port is written

    def __init__(self, name: str, address: str, port: int, faults: FaultSet) -> None:
        self._name, self._address, self._port = name, address, port
        self.faults = faults
        self._listener: socket.socket | None = None
        self._mute: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Listen. Raises LabError naming host, address and port when that is not possible."""
        if self._listener is not None:
            return
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._address, self._port))
            listener.listen(64)
        except OSError as error:
            listener.close()
            raise LabError(self._cannot_listen(error)) from None
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener.fileno(), self._accept)

    def close(self) -> None:
        """Stop listening; open connections go on."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            self._listener.close()
            self._listener = None

    def release(self) -> None:
        """The fault ``mute`` is off: who waited is let go."""
        self._drop_mute()

    async def settle(self) -> None:
        """Wait until what was cancelled has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _drop_mute(self) -> None:
        for connection in self._mute:
            connection.close()
        self._mute.clear()

    def _accept(self) -> None:
        if self._listener is None:
            return
        try:
            connection, _unused = self._listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        if not self._admit(connection):
            connection.close()
            return
        if "mute" in self.faults:
            self._mute.add(connection)
            return
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _admit(self, connection: socket.socket) -> bool:
        """Whether the host takes one more connection."""
        return True

    async def _serve(self, connection: socket.socket) -> None:
        raise NotImplementedError

    def _cannot_listen(self, error: OSError) -> str:
        where = f"{self._address}:{self._port}"
        if error.errno == errno.EADDRINUSE:
            return (
                f"host {self._name}: {where} is already in use by another program; "
                f"end that program ('ss -ltnp' names it) or change {self.variable}"
            )
        if error.errno == errno.EADDRNOTAVAIL:
            return f"host {self._name}: the address {self._address} is not on this machine; use 'python -m lab shell'"
        if error.errno in (errno.EACCES, errno.EPERM):
            return f"host {self._name}: port {self._port} needs root; use a port above 1023 or 'python -m lab shell'"
        if error.errno == errno.EMFILE:
            return "too many open files for so many devices; raise the limit with 'ulimit -n 4096'"
        return f"host {self._name}: cannot listen on {where}: {os.strerror(error.errno or 0)}"
