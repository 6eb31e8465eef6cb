"""The marker of the active server: a file on the domain controller, which both servers of a pair can read and neither can write.

Note that this utility is private to the collection.

It is the one place that says who may start PostgreSQL. A server that boots looks for its own name in it (role dfs_replication); while the
service moves it names nobody.

    active=SRV-OPENERP1
    moving=
    since=2026-11-24T16:30:00+00:00
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .._windows import files
from .._windows.session import Session
from .._windows.temporary import make_folder
from .errors import ContinuityError, OptionError

_LINE = re.compile(r"^(active|moving|since)=(.*)$")
_NAME = re.compile(r"[A-Za-z0-9-]{1,15}")


@dataclass(frozen=True, slots=True)
class Marker:
    """What the file says.

    Attributes:
        active: computer name of the server that may run; empty: none may.
        moving: ``FROM>TO`` while the service moves.
        since: when it was written, ISO 8601.
    """

    active: str
    moving: str = ""
    since: str = ""

    def to_bytes(self) -> bytes:
        """Return the file."""
        return f"active={self.active}\r\nmoving={self.moving}\r\nsince={self.since}\r\n".encode("ascii")

    def names(self, computer: str) -> bool:
        """Return whether it names this computer."""
        return bool(self.active) and self.active.casefold() == computer.casefold()

    @property
    def shown(self) -> str:
        """Return it for a sentence."""
        if self.moving:
            return f"nobody, since the service is moving ({self.moving.replace('>', ' to ')}, since {self.since})"
        return f"{self.active or 'nobody'} (since {self.since})"


def moving(source: str, target: str, since: str) -> Marker:
    """Return the marker for the time in which nobody may start."""
    return Marker("", f"{source}>{target}", since)


def parse(data: bytes, path: str) -> Marker:
    """Return what the bytes of the file say.

    Raises:
        ContinuityError: it is no marker.
    """
    found: dict[str, str] = {}
    for line in data.decode("ascii", "replace").splitlines():
        match = _LINE.match(line.strip())
        if match is not None:
            found[match[1]] = match[2].strip()
    active = found.get("active")
    if active is None or (active and not _NAME.fullmatch(active)):
        raise ContinuityError(
            f"{path} is no marker of the active server (no line 'active=NAME'); look which server runs, and write it there"
        )
    return Marker(active, found.get("moving", ""), found.get("since", ""))


def now() -> str:
    """Return the time for a marker and a stamp."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def read(session: Session, path: str) -> Marker | None:
    """Return the marker of the domain controller, None where there is none.

    Raises:
        ContinuityError: the file is no marker.
        WindowsError: it cannot be read.
    """
    if not files.exists(session, path):
        return None
    return parse(files.read(session, path), f"{session.name}: {path}")


def write(session: Session, path: str, marker: Marker) -> None:
    """Write the marker and read it again.

    Raises:
        ContinuityError: it reads back as something else.
        WindowsError: it cannot be written.
    """
    files.write(session, path, marker.to_bytes())
    if read(session, path) != marker:
        raise ContinuityError(
            f"{session.name}: the marker {path} does not read back as it was written; is somebody else writing it?"
        )


def ensure(session: Session, path: str, active: str, *, check: bool) -> dict[str, Any]:
    """See that the marker names ``active``, and write it where there is none; returns the result of ``openerp_marker``.

    Raises:
        OptionError: ``active`` is no computer name.
        ContinuityError: it names another server, or nobody since the service is moving.
        WindowsError: it cannot be read or written.
    """
    if not _NAME.fullmatch(active):
        raise OptionError(
            f"{session.name}: '{active}' is no computer name; give one of at most 15 letters, digits and hyphens"
        )
    found = read(session, path)
    result = {
        "changed": found is None,
        "active": active,
        "diff": {"before": {"active": ""}, "after": {"active": active}},
    }
    if found is None:
        if not check:
            make_folder(session, path.rpartition("\\")[0])
            write(session, path, Marker(active, since=now()))
        return result
    if found.moving:
        raise ContinuityError(
            f"{session.name}: by the marker {path} nobody is active, since the service is moving ({found.moving}, since {found.since}); run "
            "failover.yml or failback.yml again, which completes it"
        )
    if not found.names(active):
        raise ContinuityError(
            f"{session.name}: by the marker {path} the active server is {found.active}, and by the inventory {active}; set openerp_active_server "
            "to the server that is active"
        )
    return {**result, "diff": {"before": {"active": active}, "after": {"active": active}}}


def require_active(session: Session, path: str, computer: str, host: str) -> None:
    """Raise unless the marker of the domain controller names this computer.

    Args:
        session: with the domain controller.
        path: of the marker.
        computer, host: computer name and inventory name of the server that is about to start something.

    Raises:
        ContinuityError: it names another one, or nobody.
        WindowsError: it cannot be read.
    """
    found = read(session, path)
    if found is None or not found.names(computer):
        raise ContinuityError(
            f"{host}: it is the active server by the inventory, and by the marker {path} of {session.name} that is "
            f"{found.shown if found is not None else 'nobody'}, so nothing is started here; complete the move that has begun, or set "
            "openerp_active_server to the server that is active"
        )
