"""The marker of the active server: a file on the domain controller, which both servers of a pair can read and neither can write.

Note that this utility is private to the collection.

It is the one place that says who may start PostgreSQL. A server that boots looks for its own name in it (``starter.py``); while the
service moves it names nobody.

    active=SRV-OPENERP1
    moving=
    since=2026-11-24T16:30:00+00:00
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import ContinuityError

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
