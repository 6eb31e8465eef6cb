"""A PostgreSQL cluster of the controller's own, made for proofs and thrown away: a restore there touches no server.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .._postgresql.rows import Table, client_encoding, count_rows
from .errors import ProofError, ToolError
from .names import conninfo, identifier, literal
from .tools import environment

_PREFIX = "lycee-scratch-"
#: Nothing here has to survive a crash.
_SETTINGS = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "wal_level=minimal"),
    *("max_wal_senders=0", "listen_addresses=", "shared_buffers=64MB", "max_connections=20", "logging_collector=off"),
    *("checkpoint_timeout=1h", "max_wal_size=4GB", "lc_messages=C"),
)
_START_TIMEOUT = 60.0
_DEATHSIG = 1  # PR_SET_PDEATHSIG, prctl(2)


class ScratchCluster:
    """A context manager: initdb and start on entry, gone with all its files on exit.

    It listens on a socket in a folder that only its own account may enter, so that nobody else reaches pupils' data.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses root; any account does that can read its programs.
        self._user = _unprivileged() if os.geteuid() == 0 else None

    def __enter__(self) -> ScratchCluster:
        _remove_old()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        try:
            if self._user is not None:
                account = pwd.getpwnam(self._user)
                os.chown(self._folder, account.pw_uid, account.pw_gid)
            data = self._folder / "data"
            self._run("initdb", "-D", str(data), "-U", "lycee", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            self._start(self._folder, data)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def restore(self, dump: Path, number: int, encoding: str) -> tuple[str, str]:
        """Restore a dump into a database of its own.

        As one transaction; where a newer server makes errors of an old archive (8.x makes the language plpgsql, which is there
        since 9.0), again without, passing over them. Whether all is there is told by counting, not by them.

        Args:
            dump: a file that this process can read.
            number: tells the database from others.
            encoding: of the database.

        Returns:
            The name of the database, and what pg_restore passed over (empty: nothing).

        Raises:
            ProofError: the database cannot be made.
        """
        name = f"proof_{number}"
        self._create(name, encoding)
        said = self._restore(name, dump, "-1")
        if not said:
            return name, ""
        self.drop(name)
        self._create(name, encoding)
        return name, self._restore(name, dump)

    def row_counts(self, database: str, tables: Sequence[Table], encoding: str) -> dict[Table, int]:
        """Return the number of rows of each table; a table that is not there is left out.

        Raises:
            ProofError: the cluster does not answer.
        """
        client = client_encoding(encoding)
        return count_rows(lambda text: self._sql(database, text, client), tables)

    def large_objects(self, database: str) -> int:
        """Return how many large objects the database holds.

        Raises:
            ProofError: the cluster does not answer.
        """
        return int(self._sql(database, "SELECT count(*) FROM pg_largeobject_metadata;").strip())

    def drop(self, name: str) -> None:
        """Drop a database.

        Raises:
            ProofError: the cluster refuses.
        """
        self._sql("postgres", f"DROP DATABASE {identifier(name)};")

    def _create(self, name: str, encoding: str) -> None:
        self._sql("postgres", f"CREATE DATABASE {identifier(name)} TEMPLATE template0 ENCODING {literal(encoding)};")

    def _restore(self, name: str, dump: Path, *options: str) -> str:
        # The archive is read by this process: the cluster's account may not see it.
        done = self._client("pg_restore", "-O", "-x", *options, "-d", name, str(dump))
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
        return "" if done.returncode == 0 else said or f"pg_restore ended with code {done.returncode}"

    def _sql(self, database: str, text: str, encoding: str = "UTF8") -> str:
        done = self._client(
            *("psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", conninfo(database)),
            stdin=text.encode("utf-8", "surrogateescape"),
            encoding=encoding,
        )
        if done.returncode != 0:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
            raise ProofError(f"the scratch cluster refused a query: {said}")
        return done.stdout.decode("utf-8", "surrogateescape")

    def _client(
        self, program: str, *arguments: str, stdin: bytes = b"", encoding: str = ""
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self._programs / program, "-h", str(self._folder), "-U", "lycee", *arguments],
            input=stdin,
            capture_output=True,
            env=environment(PGCLIENTENCODING=encoding) if encoding else environment(),
            check=False,
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self._folder,
            env=environment(),
            **self._account(),
            check=False,
        )
        if done.returncode != 0:
            said = " ".join((done.stderr + done.stdout).decode("utf-8", "replace").split())[:300]
            raise ToolError(f"the scratch cluster cannot be made: {program}: {said}")

    def _account(self) -> Mapping[str, Any]:
        if self._user is None:
            return {}
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}

    def _start(self, folder: Path, data: Path) -> None:
        words = [word for setting in _SETTINGS for word in ("-c", setting)]
        log = folder / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", data, "-k", folder, *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env=environment(),
                # Started by the one thread that the action has at this moment.
                preexec_fn=_end_with_parent,  # noqa: PLW1509
                start_new_session=True,
                **self._account(),
            )
        deadline = time.monotonic() + _START_TIMEOUT
        while b"ready to accept connections" not in log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = " ".join(log.read_text("utf-8", "replace").split())[-300:]
                raise ToolError(f"the scratch cluster does not start: {said}")
            time.sleep(0.02)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            # Immediate: nothing of it is kept.
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _unprivileged() -> str:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise ToolError("PostgreSQL does not run as root, and there is neither an account 'postgres' nor 'nobody'")


def _end_with_parent() -> None:
    """Have the kernel end the cluster with the process that made it, however that ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_DEATHSIG, signal.SIGQUIT, 0, 0, 0)


def _remove_old() -> None:
    """Remove the folders of runs that were killed: the process in their name is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        number = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            shutil.rmtree(folder, ignore_errors=True)
