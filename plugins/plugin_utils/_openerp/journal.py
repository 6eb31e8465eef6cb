"""The journal of an upgrade, kept on this machine: what was begun, so that the next run completes it or takes it back.

Note that this utility is private to the collection.

It stands in STATE_DIR/HOST (``_journals.py``), and beside it

    STATE_DIR/HOST/looks.json     when we logged in ourselves, by the server's clock, so that nobody takes that for users

Each is replaced as a whole before the effect that it announces, so a run may be cut anywhere. It holds no secret.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from .._journals import JournalFolder
from .errors import JournalError

FORWARD, BACK = "forward", "back"
#: How far a database is.
WAITING, SAVED, UPDATING, UPDATED, FAILED, RESTORING, RESTORED = (
    "waiting",
    "saved",
    "updating",
    "updated",
    "failed",
    "restoring",
    "restored",
)
#: Where an upgrade is, in this order. Up to SAVING nothing of OpenERP was changed but that its services stand.
PHASES = (PREPARED, SAVING, INSTALLING, UPDATING_ALL, INSTALLING_WEB, STARTING) = (
    "prepared",
    "saving",
    "installing the server",
    "updating the databases",
    "installing the web client",
    "starting",
)


@dataclass(slots=True)
class DatabaseEntry:
    """One database of an upgrade.

    Attributes:
        state: how far it is.
        owner, encoding, properties: for a restore; what stands in no dump.
        dump, size, digest: its dump on the server.
        fingerprint: of the dump's content.
        login: how a login ended before.
        seconds: of its update.
        problem: why its update failed.
    """

    state: str = WAITING
    owner: str = ""
    encoding: str = "UTF8"
    properties: dict[str, Any] = field(default_factory=dict)
    dump: str = ""
    size: int = 0
    digest: str = ""
    fingerprint: dict[str, Any] = field(default_factory=dict)
    login: str = ""
    seconds: float = 0.0
    problem: str = ""


@dataclass(slots=True)
class Journal:
    """An upgrade that has begun.

    Attributes:
        host: inventory name.
        stamp: when it began.
        from_release, to_release: as text.
        work: folder of the server with everything that brings it back.
        direction: forward or back.
        phase: where it is.
        reason: why it goes back.
        server, web: folder, service settings, registry values, whether it was running and whether it gets a setup; None: not there.
        setup_begun: which programs a setup was begun for.
        listed: what ``db.list`` said before.
        page: what the login page offered before; None: there is no web client, or it did not serve.
        databases: those that are updated.
        logins: how a login ended before, of every database.
        present: databases that PostgreSQL had then.
        setups: source and SHA-256 of each setup.
        steps: name and seconds of what was done.
        stopped: since when nobody can work (UTC, seconds); 0 while people can.
        away: for how many seconds nobody could, before that.
    """

    host: str
    stamp: str
    from_release: str
    to_release: str
    work: str
    direction: str = FORWARD
    phase: str = PREPARED
    reason: str = ""
    server: dict[str, Any] = field(default_factory=dict)
    web: dict[str, Any] | None = None
    setup_begun: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    page: list[str] | None = None
    databases: dict[str, DatabaseEntry] = field(default_factory=dict)
    logins: dict[str, str] = field(default_factory=dict)
    present: list[str] = field(default_factory=list)
    setups: dict[str, dict[str, str]] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    stopped: float = 0.0
    away: float = 0.0

    def is_past(self, phase: str) -> bool:
        """Return whether the upgrade is further than ``phase``."""
        return PHASES.index(self.phase) > PHASES.index(phase)


#: Beginning and end of a time in which we logged in ourselves.
Look = tuple[datetime, datetime]
_LOOKS, _LOOKS_FILE = 20, "looks.json"


class Store:
    """The folder of one host's journals."""

    def __init__(self, root: Path, host: str) -> None:
        """Name it; nothing is made."""
        self._folder = root / host
        self._files = JournalFolder(self._folder, JournalError)

    def load(self) -> Journal | None:
        """Return the upgrade that has begun and not ended.

        Raises:
            JournalError: it cannot be read.
        """
        try:
            data = self._files.read()
            known = {one.name for one in fields(Journal)}
            values = {name: value for name, value in data.items() if name in known}
            values["databases"] = {name: DatabaseEntry(**one) for name, one in data["databases"].items()}
            return Journal(**values)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise JournalError(
                f"{self._files.path} is damaged, so nobody knows how far the last upgrade came; look at the server, and at "
                "C:\\Windows\\Temp\\lycee-upgrade there, before you move the file away"
            ) from None

    def save(self, journal: Journal) -> None:
        """Write the journal.

        Raises:
            JournalError: it cannot be written.
        """
        self._files.save(asdict(journal))

    def close(self, journal: Journal, report: dict[str, Any]) -> Path:
        """Write how the upgrade ended, and end the journal; returns the report's path.

        Raises:
            JournalError: it cannot be written.
        """
        return self._files.close(journal.stamp, report)

    def report(self, stamp: str, report: dict[str, Any]) -> Path:
        """Write a report and return its path.

        Raises:
            JournalError: it cannot be written.
        """
        return self._files.report(stamp, report)

    def note_look(self, begin: datetime, end: datetime) -> list[Look]:
        """Note when we logged in ourselves, and return this and the last such times. A file that is damaged is begun anew."""
        try:
            known = [
                (datetime.fromisoformat(one), datetime.fromisoformat(two))
                for one, two in json.loads((self._folder / _LOOKS_FILE).read_text())
            ]
        except (OSError, ValueError, TypeError):
            known = []
        known = [*known[-_LOOKS:], (begin, end)]
        self._files.note(_LOOKS_FILE, [[one.isoformat(), two.isoformat()] for one, two in known])
        return known
