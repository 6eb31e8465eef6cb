# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that dies in the middle of what it sends.

The program connects to a relay, which passes everything on until the server has sent so many bytes, then has the server
stopped and lets the broken connection speak for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from lab.errors import LabError


@contextlib.asynccontextmanager
async def relay(address: str, port: int, limit: int, stop: Callable[[], Awaitable[None]], of_client: bool = False
                ) -> AsyncIterator[str]:  # fmt: skip
    """An address of this machine on which the same port leads to the server until it has sent ``limit`` bytes.

    ``of_client``: until the client has.

    Same port, since libpq looks for the password by port too; another address, since the server has this one.
    """
    left = limit
    tasks: set[asyncio.Task[None]] = set()

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, counted: bool) -> None:
        nonlocal left
        with contextlib.suppress(OSError):
            while data := await source.read(16384):
                if counted:
                    data, left = data[: max(left, 0)], left - len(data)
                target.write(data)
                await target.drain()
                if counted and left <= 0:
                    await stop()
                    break
        target.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(address, port)
        except OSError:
            writer.close()
            return
        for task in (
            asyncio.create_task(pump(reader, far_writer, of_client)),
            asyncio.create_task(pump(far_reader, writer, not of_client)),
        ):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    last = ".".join(address.split(".")[2:]) if address.count(".") == 3 else "0.1"
    server = None
    for second in range(128, 250):
        with contextlib.suppress(OSError):
            server = await asyncio.start_server(serve, f"127.{second}.{last}", port)
            break
    if server is None:
        raise LabError(f"no address is free for a relay to {address}:{port}")
    try:
        yield str(server.sockets[0].getsockname()[0])
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
