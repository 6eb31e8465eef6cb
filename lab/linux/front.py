# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands before the servers of a Linux host that talk over a plain socket: their connections, and the faults that strike each."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from lab.faults import FaultSet
from lab.listener import Listener


class Front(Listener):
    """Accepts the connections of one server; a subclass converses.

    Attributes:
        connections: how many came. running: those that are open.
    """

    def __init__(self, name: str, address: str, port: int, faults: FaultSet) -> None:
        super().__init__(name, address, port, faults)
        self.connections = 0
        self.running: set[socket.socket] = set()

    async def _serve(self, connection: socket.socket) -> None:
        self.connections += 1
        self.running.add(connection)
        try:
            pause = self.faults.seconds("slow")
            if pause:
                await asyncio.sleep(pause)
            self.faults.strike()
            await self._converse(connection)
        except OSError:
            pass
        finally:
            self.running.discard(connection)
            connection.close()

    async def _converse(self, connection: socket.socket) -> None:
        raise NotImplementedError


def will_reset(connection: socket.socket) -> None:
    """The connection will end with a reset rather than in good order (SO_LINGER 0, socket(7))."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
