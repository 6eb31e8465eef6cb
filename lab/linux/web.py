# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server for the files of one folder: HEAD and GET, one request per connection (RFC 9110, 9112)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lab.errors import LabError
from lab.faults import FaultSet
from lab.linux.front import Front, will_reset
from lab.windows.openerp import setupfile

_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
_LIMIT = 16_384


class WebServer(Front):
    """Accepts the connections for one host's web server."""

    variable = "lab_http: port"

    def __init__(self, name: str, address: str, settings: dict[str, Any], faults: FaultSet) -> None:
        super().__init__(name, address, int(settings["port"]), faults)
        self._folder = Path(settings["path"])
        self._setups = bool(settings["setups"])

    def prepare(self) -> None:
        """Make the folder, which is never emptied, and put the setups there when they are asked for."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._setups:
                setupfile.write_all(self._folder)
        except OSError as error:
            raise LabError(f"host {self._name}: lab_http: the folder cannot be made ({error})") from None

    def drop(self) -> None:
        """Cut every connection."""
        for task in list(self._tasks):
            task.cancel()
        self._drop_mute()

    async def _converse(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        data = b""
        while b"\r\n\r\n" not in data:
            piece = await loop.sock_recv(connection, 4096)
            data += piece
            if not piece or len(data) > _LIMIT:
                return
        words = data.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/"):
            answer = self._answer(400, "GET", b"")
        elif words[0] not in ("GET", "HEAD"):
            answer = self._answer(405, words[0], b"", ("Allow: GET, HEAD",))
        else:
            answer = await asyncio.to_thread(self._file, words[0], words[1])
        limit = self.faults.number("cut")
        if limit is not None and len(answer) > limit:
            await loop.sock_sendall(connection, answer[:limit])
            # Reset rather than end; the bytes leave first.
            await asyncio.sleep(0.02)
            will_reset(connection)
            return
        await loop.sock_sendall(connection, answer)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)

    def _file(self, method: str, target: str) -> bytes:
        name = unquote(urlsplit(target).path).lstrip("/")
        folder = self._folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder) or "\0" in name:
            return self._answer(403, method, b"")
        if not path.is_file():
            return self._answer(404, method, b"")
        modified = formatdate(path.stat().st_mtime, usegmt=True)
        headers = ("Content-Type: application/octet-stream", f"Last-Modified: {modified}")
        return self._answer(200, method, path.read_bytes(), headers)

    @staticmethod
    def _answer(status: int, method: str, body: bytes, headers: tuple[str, ...] = ()) -> bytes:
        if status != 200:
            body, headers = f"{status} {_REASONS[status]}\n".encode(), (*headers, "Content-Type: text/plain")
        lines = [f"HTTP/1.1 {status} {_REASONS[status]}", *headers, f"Content-Length: {len(body)}",
                 f"Date: {formatdate(usegmt=True)}", "Connection: close", "", ""]  # fmt: skip
        return "\r\n".join(lines).encode("latin-1") + (b"" if method == "HEAD" else body)
