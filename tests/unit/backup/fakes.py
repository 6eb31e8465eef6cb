# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A school's server in memory, which can be cut after any effect: its PostgreSQL, its files, and a proof that needs no PostgreSQL.

A dump of this server is a line ``FAKE``, the database's rows, and a checksum; ``read`` is its pg_restore.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.errors import ProofError, ServerError
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.machine import Done
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.script import Content

OWNER = "openpg"


class Cut(BaseException):
    """The power went."""


class Effects:
    """Counts what reaches the outside, and cuts after the wanted number of effects."""

    def __init__(self) -> None:
        self.count = 0
        self.limit: int | None = None
        self._lock = threading.Lock()

    def happen(self) -> None:
        """Note an effect; after the last one that may happen, nothing works any more."""
        with self._lock:
            if self.limit is not None and self.count >= self.limit:
                raise Cut
            self.count += 1


@dataclass
class FakeServer:
    """The server: databases by name (their rows as text), files by path."""

    effects: Effects = field(default_factory=Effects)
    databases: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    commands: list[list[str]] = field(default_factory=list)
    environments: list[dict[str, str]] = field(default_factory=list)
    version: str = "8.4.12"


def dump_of(name: str, rows: str) -> bytes:
    """Return the dump of a database."""
    body = f"{name}\n{rows}"
    return f"FAKE\n{hashlib.sha256(body.encode()).hexdigest()}\n{body}".encode()


def read(path: Path, programs: Path, timeout: float = 0.0) -> Content:
    """Read a dump in full, as ``dumpfile.read`` does."""
    magic, _line, rest = path.read_bytes().partition(b"\n")
    digest, _line, body = rest.partition(b"\n")
    if magic != b"FAKE" or hashlib.sha256(body).hexdigest() != digest.decode("ascii", "replace"):
        raise ProofError("pg_restore cannot read it to its end: could not read from input file: end of file")
    rows = body.decode().partition("\n")[2]
    return Content({("public", "t"): len(rows.split())}, 0, hashlib.sha256(rows.encode()).hexdigest())


class FakeScratch:
    """Stands for the scratch cluster: what a dump holds is what a restore gives."""

    def __init__(self, programs: Path) -> None:
        self._rows: dict[str, dict[tuple[str, str], int]] = {}

    def __enter__(self) -> FakeScratch:
        return self

    def __exit__(self, *_args: object) -> None:
        pass

    def restore(self, dump: Path, number: int, encoding: str) -> tuple[str, str]:
        """Restore."""
        self._rows[f"proof_{number}"] = read(dump, dump).rows
        return f"proof_{number}", ""

    def row_counts(self, database: str, tables: Sequence[tuple[str, str]], encoding: str) -> dict[tuple[str, str], int]:
        """Count."""
        return self._rows[database]

    def large_objects(self, database: str) -> int:
        """Count."""
        return 0

    def drop(self, name: str) -> None:
        """Drop."""
        del self._rows[name]


class FakeMachine:
    """The machine of a FakeServer; each thing that it does is an effect."""

    def __init__(self, server: FakeServer, name: str = "srv") -> None:
        self.server, self.name = server, name

    @contextlib.contextmanager
    def worker(self) -> Iterator[FakeMachine]:
        """Give itself."""
        yield self

    def run(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 0.0,
    ) -> Done:
        """Be PostgreSQL's programs."""
        self.server.effects.happen()
        self.server.commands.append(list(argv))
        self.server.environments.append({**(environment or {}), **(secrets or {})})
        program = argv[0].rpartition("/")[2]
        if argv[1:] == ["--version"]:
            return Done(0, f"{program} (PostgreSQL) {self.server.version}\n".encode(), b"")
        if program == "psql":
            return self._sql(stdin.decode())
        if program == "pg_dump":
            return self._dump(argv, (environment or {}).get("PGDATABASE"))
        if program == "pg_dumpall":
            text = "CREATE ROLE openpg;\nALTER ROLE openpg WITH SUPERUSER PASSWORD 'md5x';\n"
            self.server.files[argv[argv.index("-f") + 1]] = (
                f"{text}-- PostgreSQL database cluster dump complete\n".encode()
            )
            return Done(0, b"", b"")
        return Done(1, b"", b"unknown program")

    def _sql(self, text: str) -> Done:
        if "server_version" in text:
            return Done(0, f"{self.server.version}|UTF8\n".encode(), b"")
        if "FROM pg_database" in text:
            rows = [
                f"{number}|{name.encode().hex()}|t|UTF8|{OWNER.encode().hex()}|1000"
                for number, name in enumerate(sorted(self.server.databases), 100)
            ]
            return Done(0, "".join(f"{row}\n" for row in rows).encode(), b"")
        return Done(0, b"", b"")

    def _dump(self, argv: Sequence[str], database: str | None) -> Done:
        name = database or argv[-1].removeprefix("dbname='").removesuffix("'").replace("\\'", "'").replace("\\\\", "\\")
        path = argv[argv.index("-f") + 1]
        data = dump_of(name, self.server.databases[name])
        how = self.server.broken.get(name, "")
        if how == "fails":
            self.server.files[path] = data[: len(data) // 2]
            return Done(1, b"", b"pg_dump: server closed the connection unexpectedly")
        if how == "silent":
            return Done(0, b"", b"")
        self.server.files[path] = data[:-3] if how == "truncated" else data
        return Done(0, b"", b"")

    def default_staging(self) -> str:
        """Return a folder."""
        return "/staging"

    def join(self, folder: str, *names: str) -> str:
        """Join."""
        return "/".join([folder.rstrip("/"), *names])

    def parent(self, path: str) -> str:
        """Cut."""
        return path.rpartition("/")[0]

    def program(self, folder: str, name: str) -> str:
        """Join."""
        return f"{folder}/{name}"

    def argument(self, text: str) -> str:
        """Return it."""
        return text

    def can_hold(self, argument: str) -> bool:
        """Return whether it can be protected, as on Windows."""
        return "%" not in argument

    def find_programs(self, wanted: str) -> str:
        """Return a folder."""
        return "/bin"

    def data_folder(self) -> str | None:
        """Return nothing."""
        return None

    def find_rsync(self, wanted: str | None) -> str | None:
        """Return that there is none: dumps come through the session."""
        return None

    def rsync_path(self, folder: str) -> str:
        """Return it."""
        return folder

    def seen(self, path: str) -> Path | None:
        """Return nothing: it is another machine."""
        return None

    def make_private_folder(self, path: str) -> None:
        """Do nothing: files need no folder here."""
        self.server.effects.happen()

    def size(self, path: str) -> int | None:
        """Return the size."""
        return len(self.server.files[path]) if path in self.server.files else None

    def free(self, path: str) -> int | None:
        """Return plenty."""
        return 10**12

    def digest(self, path: str) -> str:
        """Return the SHA-1, as Server 2008 does."""
        if path not in self.server.files:
            return ""
        return f"sha1:{hashlib.sha1(self.server.files[path], usedforsecurity=False).hexdigest()}"

    def move(self, source: str, target: str) -> None:
        """Rename."""
        self.server.effects.happen()
        self.server.files[target] = self.server.files.pop(source)

    def copy(self, source: str, target: str) -> None:
        """Copy."""
        self.server.effects.happen()
        self.server.files[target] = self.server.files[source]

    def remove(self, paths: Iterable[str]) -> None:
        """Remove, one effect each."""
        for path in paths:
            self.server.effects.happen()
            self.server.files.pop(path, None)

    def files_below(self, path: str) -> list[str]:
        """List."""
        return sorted(name for name in self.server.files if name.startswith(f"{path}/") or name == path)

    def fetch(self, path: str, local: Path) -> None:
        """Fetch."""
        self.server.effects.happen()
        if path not in self.server.files:
            raise ServerError(f"{self.name}: the file {path} does not exist")
        local.write_bytes(self.server.files[path])

    def put(self, local: Path, path: str) -> None:
        """Put."""
        self.server.effects.happen()
        self.server.files[path] = local.read_bytes()


def counted(effects: Effects, function: Callable[..., object]) -> Callable[..., object]:
    """Return the function with an effect before it: the cut comes just before or just after any of them."""

    def call(*arguments: object, **named: object) -> object:
        effects.happen()
        return function(*arguments, **named)

    return call
