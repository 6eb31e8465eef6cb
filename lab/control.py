# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control channel of a running lab: one JSON object per line over a Unix socket.

The socket stands in a folder of mode 0700, and both ends check by SO_PEERCRED that they talk to the same user.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lab.errors import LabError

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
SOCKET = "control.sock"


def _short(folder: Path, descriptor: int) -> str:
    """A path that fits the 108 bytes of sun_path however long the folder's name is (unix(7))."""
    path = str(folder / SOCKET)
    return path if len(path) < 100 else f"/proc/self/fd/{descriptor}/{SOCKET}"


def _peer(connection: socket.socket) -> tuple[int, int]:
    """The (pid, uid) at the other end."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _unused = struct.unpack("3i", raw)
    return pid, uid


class Client:
    """A connection to the server of a state folder.

    Attributes:
        pid: the process that really holds the socket.
    """

    def __init__(self, folder: Path) -> None:
        """Connect. Raises OSError when nobody listens there."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(60)
            try:
                self._socket.connect(_short(folder, descriptor))
            except OSError:
                self._socket.close()
                raise
        finally:
            os.close(descriptor)
        self.pid, uid = _peer(self._socket)
        if uid != os.getuid():
            self._socket.close()
            raise LabError(f"the lab of {folder} belongs to another user")
        self._stream = self._socket.makefile("rw", encoding="utf-8")

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Send a request, return the answer. Raises LabError when it is a refusal or when the server goes away."""
        try:
            self._stream.write(json.dumps({"op": operation, **arguments}) + "\n")
            self._stream.flush()
            line = self._stream.readline()
        except OSError as error:
            raise LabError(f"the lab does not answer ({error})") from None
        if not line:
            raise LabError("the lab ended while it was asked")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise LabError(answer["error"], int(answer.get("status", 1)))
        return answer

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()


async def listen(folder: Path, handler: Handler) -> asyncio.AbstractServer:
    """Serve requests in a state folder; a former server's socket file is replaced."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The lab's end cancels whoever is still connected, which is no news for the log.
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await converse(reader, writer)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        if _peer(connection)[1] == os.getuid():
            while line := await reader.readline():
                try:
                    answer = await handler(json.loads(line))
                except LabError as error:
                    answer = {"error": error.sentence, "status": error.status}
                except Exception as error:  # one bad request must not end the lab of everybody
                    logging.exception("control request failed")
                    answer = {"error": f"the lab failed at this request ({error!r}); its log says where", "status": 1}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        (folder / SOCKET).unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(_short(folder, descriptor))
    finally:
        os.close(descriptor)
    # A request may be as long as a configuration that is typed on a console.
    return await asyncio.start_unix_server(serve, sock=listener, limit=16 * 1024 * 1024)
