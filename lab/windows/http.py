# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 with keep-alive, as HTTP.sys speaks it in front of WinRM: one asyncio protocol per connection.

Own code rather than a framework: the state of a connection (NTLM), cutting it in mid-answer and slow answers are the
point of this lab, and it costs 0.25 ms per request (facts/lab.md 1).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import cast

_LIMIT = 64 * 1024
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
            411: "Length Required", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
            500: "Internal Server Error"}  # fmt: skip


@dataclass
class HttpRequest:
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class HttpAnswer:
    """One answer. ``close``: end the connection after it."""

    status: int
    body: bytes = b""
    content_type: str = "application/soap+xml;charset=UTF-8"
    headers: list[tuple[str, str]] = field(default_factory=list)
    close: bool = False

    def to_bytes(self) -> bytes:
        """As sent on the wire."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, '')}"]
        if self.body:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += ["Server: Microsoft-HTTPAPI/2.0", f"Date: {formatdate(usegmt=True)}",
                  f"Content-Length: {len(self.body)}"]  # fmt: skip
        if self.close:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


class HttpConnection(asyncio.Protocol):
    """Reads requests one after the other and writes their answers in order.

    Args:
        answer: serves one request. cut: how many bytes of an answer may leave before the line is cut, or None.
        on_open, on_close: told about the life of the connection.
    """

    def __init__(
        self,
        answer: Callable[[HttpRequest, HttpConnection], Awaitable[HttpAnswer]],
        cut: Callable[[], int | None],
        on_close: Callable[[HttpConnection], None],
    ) -> None:
        self._answer, self._cut, self._on_close = answer, cut, on_close
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self.identity: object = None
        self.negotiation: object = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone: what it waited for is no longer wanted."""
        if self._task:
            self._task.cancel()
        self._on_close(self)

    def data_received(self, data: bytes) -> None:
        """Collect bytes, serve the next complete request."""
        self._buffer += data
        if self._task is None:
            self._next()

    def drop(self, reset: bool = False) -> None:
        """Cut the line at once; ``reset``: the client is told by a reset rather than by the end of the stream."""
        if self._transport:
            if reset:
                line = self._transport.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    def _refuse(self, status: int) -> None:
        if self._transport:
            self._transport.write(HttpAnswer(status, close=True).to_bytes())
            self._transport.close()
        self._buffer.clear()

    def _next(self) -> None:
        if self._buffer[:1] == b"\x16":  # a TLS ClientHello on a clear port
            self._refuse(400)
            return
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _LIMIT:
                self._refuse(400)
            return
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            self._refuse(400)
            return
        length = headers.get("content-length", "0" if words[0] != "POST" else "")
        if not length.isdigit():
            self._refuse(411)
            return
        if int(length) > 16 * 1024 * 1024:
            self._refuse(413)
            return
        total = end + 4 + int(length)
        if len(self._buffer) < total:
            return
        request = HttpRequest(words[0], words[1], headers, bytes(self._buffer[end + 4 : total]))
        del self._buffer[:total]
        self._task = asyncio.get_running_loop().create_task(self._serve(request))

    async def _serve(self, request: HttpRequest) -> None:
        try:
            answer = await self._answer(request, self)
        except asyncio.CancelledError:
            return
        except Exception:  # a bug of the lab: the client sees what a broken service shows
            logging.exception("request failed")
            answer = HttpAnswer(500, b"LAB: internal error, see the lab's log", "text/plain", close=True)
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        data = answer.to_bytes()
        limit = self._cut()
        if limit is not None and len(data) > limit and answer.status == 200 and answer.body:
            transport.write(data[:limit])
            # Let the bytes leave before the reset.
            asyncio.get_running_loop().call_later(0.02, transport.abort)
            return
        transport.write(data)
        if answer.close or request.headers.get("connection", "").lower() == "close":
            transport.close()
            return
        self._task = None
        if self._buffer:
            self._next()
