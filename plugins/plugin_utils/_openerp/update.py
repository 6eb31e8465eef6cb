"""Load a release's data into one database: a process of its own, and proof that it did.

Note that this utility is private to the collection.

``openerp-server.exe -u all -d A,B`` updates A only and ends with 0, so each database gets a process. It ends with 1 and a traceback for an
absent database or a wrong password; after a success there is no message either. So the code is not believed: what counts is what stands in the
database afterwards, and which release's code wrote the log (facts: measured on 6.0.4).
"""

from __future__ import annotations

import contextlib
import time
import uuid
from dataclasses import dataclass
from typing import Any

from .._postgresql.server import Server
from .._windows import files
from .._windows.errors import DeadlineError, WindowsError
from .._windows.quoting import quote
from .._windows.session import Session
from . import logs
from .databases import Fingerprint, read
from .errors import OptionError, UpdateError
from .installation import Part, end_processes
from .versions import Release, shown

_LINES = 12
#: Bytes of a log that are still brought here.
_LONGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did.

    Attributes:
        database: its name.
        code: exit code.
        seconds: how long it took.
        version: release whose code ran, by its log.
        log: last lines of the log, without passwords.
        before, after: fingerprints.
        problem: why it is no success; empty when it is one.
    """

    database: str
    code: int
    seconds: float
    version: str
    log: list[str]
    before: Fingerprint
    after: Fingerprint
    problem: str

    def as_dict(self) -> dict[str, Any]:
        """Return it for a result."""
        return {
            "database": self.database,
            "rc": self.code,
            "seconds": round(self.seconds, 1),
            "version": self.version,
            "log": self.log,
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "problem": self.problem,
        }


def check_name(database: str) -> str:
    """Return the name of a database that can be given to ``-d``.

    Raises:
        OptionError: the program would take it for two.
    """
    if "," in database:
        raise OptionError(
            f"the database '{database}' cannot be updated by OpenERP, which takes its name for two; rename it first"
        )
    return database


def problem(code: int, before: Fingerprint, after: Fingerprint, version: str, wanted: Release, lines: list[str]) -> str:
    """Return why an update is no success, or an empty text.

    Args:
        code: exit code.
        before, after: of the database.
        version: release whose code ran, empty when the log tells none.
        wanted: release whose data are to be there.
        lines: of the log and of standard error, redacted.
    """
    if code != 0:
        return f"the update ended with code {code}: {logs.reason(lines) or 'it said nothing'}"
    if version and version != shown(wanted):
        return f"the code of {version} ran, not that of {shown(wanted)}"
    if after.pending:
        return f"modules stand between two states: {', '.join(after.pending)}"
    if after.loaded is False:
        return f"the update ended with code 0 and did not load the data of {shown(wanted)}"
    if after.updated <= before.updated:
        return "the update ended with code 0 and loaded nothing"
    return ""


def end_leftovers(session: Session, folder: str) -> list[str]:
    """End what a killed run left at work in a folder of ours, remove the logs of its updates, which may name a password.

    Returns:
        The names of the programs that were ended.
    """
    ended = end_processes(session, folder)
    if files.folder_exists(session, folder):
        session.run_line(f"del /f /q {quote(folder)}\\update-*.txt")
    return ended


def update(
    session: Session,
    server: Server,
    part: Part,
    database: str,
    wanted: Release,
    *,
    folder: str,
    secrets: tuple[str, ...],
    timeout: float,
) -> Updated:
    """Update one database and read it again; the result says whether that was one.

    Args:
        session: the session with the host.
        server: its PostgreSQL.
        part: the OpenERP server.
        database: its name.
        wanted: release whose data are to be there.
        folder: of the server, for the log of this update.
        secrets: what no line of the log may show.
        timeout: seconds.

    Raises:
        UpdateError: it did not end in time.
        WindowsError, ServerError: the host or its PostgreSQL cannot be asked.
    """
    check_name(database)
    before = read(server, database, wanted)
    log = f"{folder}\\update-{uuid.uuid4().hex[:8]}.txt"
    argv = [
        part.program,
        "-u",
        "all",
        "-d",
        server.machine.argument(database),
        "--stop-after-init",
        f"--logfile={log}",
    ]
    started = time.monotonic()
    try:
        done = session.run(argv, timeout=timeout)
    except DeadlineError:
        end_processes(session, log)
        raise UpdateError(
            f"{session.name}: the update of {database} did not end within {timeout:g} s; it was ended"
        ) from None
    seconds = time.monotonic() - started
    data = b""
    # What counts stands in the database; a log that is too long to come through is no reason to undo a success.
    with contextlib.suppress(WindowsError):
        if 0 < (files.size(session, log) or 0) < _LONGEST:
            data = files.read(session, log, timeout=300)
    # It may name the database's password.
    with contextlib.suppress(WindowsError):
        files.remove(session, log)
    lines = [*logs.tail(data, _LINES, secrets), *logs.tail(done.stdout + b"\n" + done.stderr, _LINES, secrets)]
    after = read(server, database, wanted)
    version = logs.version(data)
    return Updated(
        database,
        done.rc,
        seconds,
        version,
        lines,
        before,
        after,
        problem(done.rc, before, after, version, wanted, lines),
    )
