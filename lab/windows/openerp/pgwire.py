# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of PostgreSQL, in place of the psycopg2 that an OpenERP server holds its connections with.

Protocol 3.0 (the manual, "Frontend/Backend Protocol"), simple queries only, values as text. Its connections stay open
between calls as psycopg2's do, and like them they do not notice that the server has gone before they are used.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import struct
from dataclasses import dataclass, field

from lab.windows.refusal import LabRefusal


class DatabaseError(Exception):
    """What PostgreSQL, or libpq, refused; the text is psycopg2's: severity, two blanks, message, line end."""

    def __init__(self, text: str, state: str = "") -> None:
        super().__init__(text)
        self.text, self.state = text, state


class ConnectionFailed(DatabaseError):
    """No connection: psycopg2's OperationalError of connect()."""


class ConnectionClosed(DatabaseError):
    """The server has gone under an open connection: psycopg2's InterfaceError."""

    def __init__(self) -> None:
        super().__init__("connection already closed")


@dataclass(frozen=True)
class Target:
    """Where to connect. ``shown`` is the host as the program was told it; ``address`` where that really is.

    Names and password are Python 2 strings: one character per byte of the file or command line they came from.
    """

    shown: str
    address: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str

    @property
    def dsn(self) -> str:
        """As sql_db.py makes it (and logs it, password and all)."""
        parts = {"host": self.shown, "port": str(self.port), "user": self.user, "password": self.password}
        return " ".join(f"{key}={value}" for key, value in parts.items() if value) + f" dbname={self.database}"


def literal(value: object) -> str:
    """A value as it may stand in a statement."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value).replace("\0", "").replace("\\", "\\\\").replace("'", "''")
    return f"E'{text}'"


def identifier(name: str) -> str:
    """A name as it may stand in a statement."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


Row = list[str | None]


class Connection:
    """One open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, target: Target) -> Connection:
        """Connect and log in. Raises ConnectionFailed."""
        try:
            reader, writer = await asyncio.open_connection(target.address, target.port)
        except OSError:
            # fe-connect.c of 8.4, connectFailureMessage()
            raise ConnectionFailed(
                f'could not connect to server: Connection refused\n\tIs the server running on host "{target.shown}" and '
                f"accepting\n\tTCP/IP connections on port {target.port}?\n"
            ) from None
        found = cls(reader, writer)
        try:
            await found._log_in(target)
        except ConnectionClosed:
            found.close()
            raise ConnectionFailed("server closed the connection unexpectedly\n") from None
        except DatabaseError as error:
            found.close()
            raise ConnectionFailed(error.text, error.state) from None
        except BaseException:
            found.close()
            raise
        return found

    async def _log_in(self, target: Target) -> None:
        pairs = {"user": target.user, "database": target.database, "client_encoding": "UTF8", "DateStyle": "ISO"}
        body = b"".join(f"{key}\0{value}\0".encode("latin-1") for key, value in pairs.items()) + b"\0"
        self._writer.write(struct.pack("!II", len(body) + 8, 196608) + body)
        while True:
            kind, data = await self._message()
            if kind == b"E":
                raise _error(data)
            if kind == b"Z":
                return
            if kind == b"R" and (code := struct.unpack("!I", data[:4])[0]):
                if not target.password:
                    raise DatabaseError("fe_sendauth: no password supplied\n")
                self._send(b"p", _answer(code, data[4:], target) + b"\0")

    def _send(self, kind: bytes, data: bytes) -> None:
        self._writer.write(kind + struct.pack("!I", len(data) + 4) + data)

    async def _message(self) -> tuple[bytes, bytes]:
        try:
            head = await self._reader.readexactly(5)
            return head[:1], await self._reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)
        except (asyncio.IncompleteReadError, OSError):
            raise ConnectionClosed from None

    async def run(self, sql: str) -> list[Row]:
        """Run statements, one implicit transaction; the rows of the last that has some. Raises DatabaseError."""
        self._send(b"Q", sql.encode() + b"\0")
        rows: list[Row] = []
        error: DatabaseError | None = None
        while True:
            kind, data = await self._message()
            if kind == b"T":
                rows = []
            elif kind == b"D":
                rows.append(_row(data))
            elif kind == b"E":
                error = _error(data)
                if error.text.startswith("FATAL"):
                    raise ConnectionClosed
            elif kind == b"Z":
                if error is not None:
                    raise error
                return rows

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._send(b"X", b"")
        self._writer.close()


def _answer(code: int, rest: bytes, target: Target) -> bytes:
    if code == 3:
        return target.password.encode("latin-1")
    if code != 5:
        raise LabRefusal(f"the cluster asks for authentication {code}; the lab's clusters use md5, as 8.4 did")
    inner = hashlib.md5(
        target.password.encode("latin-1") + target.user.encode("latin-1"), usedforsecurity=False
    ).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + rest[:4], usedforsecurity=False).hexdigest().encode()


def _error(data: bytes) -> DatabaseError:
    fields = {part[:1]: part[1:].decode(errors="replace") for part in data.split(b"\0") if part}
    return DatabaseError(f"{fields.get(b'S', 'ERROR')}:  {fields.get(b'M', '')}\n", fields.get(b"C", ""))


def _row(data: bytes) -> Row:
    found: Row = []
    position = 2
    for _column in range(struct.unpack("!H", data[:2])[0]):
        size = struct.unpack("!i", data[position : position + 4])[0]
        position += 4
        found.append(None if size < 0 else data[position : position + size].decode(errors="replace"))
        position += max(size, 0)
    return found
