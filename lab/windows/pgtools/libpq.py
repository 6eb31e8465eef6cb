# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What libpq makes of a host, a database name, a password file and the PG* variables of a shell.

Sources: fe-connect.c of 8.3 and 8.4: a database name that holds ``=`` is a conninfo string (PQsetdbLogin); PGPASSFILE,
else %APPDATA%\\postgresql\\pgpass.conf, whose rights Windows does not look at. The real libpq behind is newer: it also
takes ``postgresql://`` for more than a name, which 8.4 did not.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from lab.windows.files import WindowsPathError
from lab.windows.pgtools.ansi import argument, file_name
from lab.windows.processes import Call

_PAIR = re.compile(r"\s*([^\s=]+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s\\]|\\.)*)", re.DOTALL)
_URI = ("postgresql://", "postgres://")
_KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")
_NOT_WINDOWS = ("PGHOST", "PGHOSTADDR", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR")


def conninfo(text: str) -> list[tuple[str, str]] | None:
    """The pairs of a conninfo string, or None for what is not one."""
    found, position = [], 0
    while text[position:].strip():
        match = _PAIR.match(text, position)
        if not match:
            return None
        value = match[2][1:-1] if match[2].startswith("'") else match[2]
        found.append((match[1], re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)))
        position = match.end()
    return found


def _quoted(pairs: list[tuple[str, str]]) -> str:
    return " ".join("{}='{}'".format(key, re.sub(r"(['\\])", r"\\\1", value)) for key, value in pairs)


class Target:
    """Where a program of this host connects: the names it was given, and what the real libpq needs instead.

    Args:
        host: the option -h, or None. database: as the program passes it to libpq, already in ANSI bytes; None leaves it
            to PGDATABASE and the user's name.
    """

    def __init__(
        self, call: Call, host: str | None, database: str | None, user: str | None, port: str | None = None
    ) -> None:
        self._call = call
        pairs = conninfo(database) if database and "=" in database else []
        self._pairs = dict(pairs or [])
        self._database = database
        self._broken = pairs is None
        named = self._pairs.get("host") or self._pairs.get("hostaddr") or host
        self.host = named or call.env.get("PGHOSTADDR") or call.env.get("PGHOST") or ""
        own = ("", "localhost", "127.0.0.1", "::1", call.host.plan.computer_name.lower(), call.host.plan.name.lower())
        self.is_here = self.host.lower() in own or self.host == call.host.plan.address
        self.address = call.host.plan.address if self.is_here else self.host
        self.user = self._pairs.get("user") or user or argument(call.env.get("PGUSER", "") or call.user)
        self.port = self._pairs.get("port") or port or call.env.get("PGPORT") or "5432"
        name = self._pairs.get("dbname", "") if self._pairs else database or ""
        self.name = name or argument(call.env.get("PGDATABASE", "")) or self.user

    @property
    def bytes_of_name(self) -> bytes:
        """The database's name as it goes over the wire."""
        return os.fsencode(self.name)

    def database(self) -> str | None:
        """The database's name, or conninfo string, for the real program."""
        if self._pairs:
            # The host goes as an option, which a fault may lead elsewhere; one in the string would win over it.
            return _quoted([(key, value) for key, value in self._pairs.items() if key not in ("host", "hostaddr")])
        if self._database and not self._broken and self._database.startswith(_URI):
            return _quoted([("dbname", self._database)])
        return self._database

    def environment(self, scratch: Path) -> dict[str, str]:
        """The variables for the real program; a copy of the password file goes into the scratch folder."""
        call = self._call
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        for name, value in call.env.items():
            if name.startswith("PG") and name not in _NOT_WINDOWS and value:
                environment[name] = argument(value)
        environment.setdefault("PGUSER", argument(call.user))
        environment.setdefault("PGPORT", "5432")
        environment.update(LC_ALL="C", PSQLRC="/dev/null", PGPASSFILE=str(scratch / "absent"))
        wanted = call.env.get("PGPASSFILE") or f"{call.env.get('APPDATA', 'C:')}\\postgresql\\pgpass.conf"
        try:
            data = call.host.drive.read(call.path(file_name(wanted)))
        except WindowsPathError:
            return environment
        copy = scratch / "pgpass.conf"
        copy.touch(mode=0o600)
        copy.write_bytes(self._passwords(data.replace(b"\r\n", b"\n")))
        environment["PGPASSFILE"] = str(copy)
        return environment

    def _passwords(self, data: bytes) -> bytes:
        """The lines that fit the host as the program named it, for the address behind it.

        libpq compares names, not addresses: who says 127.0.0.1 does not find the line of localhost (8.4, PasswordFromFile).
        """
        name = re.escape((self.host or "localhost").replace("\\", "\\\\").replace(":", "\\:").encode())
        kept = re.findall(rb"(?m)^(?:%s|\*):.*$" % name, data)
        return b"".join(b"*:" + line[re.match(rb"(?:\\.|[^:])*", line).end() + 1 :] + b"\n" for line in kept)  # type: ignore[union-attr]
