# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets of OpenERP's programs: HTTP with their own headers, and the means to have all of it gone at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

from lab.windows.http import HttpAnswer, HttpConnection, HttpRequest


@dataclass
class Answer(HttpAnswer):
    """An answer with the ``Server`` header of the program behind."""

    server: str = ""
    cookies: list[str] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """As sent on the wire."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", f"Server: {self.server}",
                 f"Date: {formatdate(usegmt=True)}", f"Content-Type: {self.content_type}",
                 f"Content-Length: {len(self.body)}"]  # fmt: skip
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Set-Cookie: {value}" for value in self.cookies]
        if self.close:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + self.body


Serve = Callable[[HttpRequest], Awaitable[HttpAnswer]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Sockets:
    """What one process listens on."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._connections: set[HttpConnection] = set()
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> int:
        """How many connections are open."""
        return len(self._connections) + len(self._talks)

    async def http(self, address: str, port: int, serve: Serve) -> None:
        """Listen for HTTP. Raises OSError."""

        async def answer(request: HttpRequest, connection: HttpConnection) -> HttpAnswer:
            return await serve(request)

        def made() -> HttpConnection:
            connection = HttpConnection(answer, lambda: None, self._connections.discard)
            self._connections.add(connection)
            return connection

        loop = asyncio.get_running_loop()
        await self._listen(await loop.create_server(made, address, port, backlog=64, start_serving=False))

    async def _listen(self, server: asyncio.Server) -> None:
        """A start that is cancelled leaves nothing behind: the socket is known before it serves."""
        self._servers.append(server)
        await server.start_serving()

    async def talk(self, address: str, port: int, talk: Talk) -> None:
        """Listen for a protocol of its own. Raises OSError."""

        async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._talks.add(task)
            try:
                await talk(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                self._talks.discard(task)
                writer.close()

        await self._listen(await asyncio.start_server(served, address, port, backlog=64, start_serving=False))

    def end(self) -> None:
        """The process is gone: nobody listens, every connection is dropped."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.drop()
        for task in list(self._talks):
            task.cancel()
        self._servers.clear()
