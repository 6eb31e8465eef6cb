"""The journal of a move between the servers of a pair, kept on this machine: what was begun, so that the next run completes it.

Note that this utility is private to the collection.

It stands in STATE_DIR/PAIR (``_journals.py``) and holds no secret. Where it is lost, the
gates are judged anew: that is safe, and may ask for a move in crash mode where the journal would have known better.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from .._journals import JournalFolder
from .errors import JournalError

FAILOVER, FAILBACK, SUSPENSION = "failover", "failback", "suspension"
#: Where a switch is, in this order. From STARTING on the target may have written to its copy.
SWITCH = (ANNOUNCED, STANDING, STARTING, SERVING, SWITCHED) = (
    "announced",
    "standing",
    "starting",
    "serving",
    "switched",
)
#: Where the re-creation of the group is, in this order.
REJOIN = (FENCED, GONE, SET_ASIDE, REPLICATING, REJOINED) = (
    "fenced",
    "group gone",
    "set aside",
    "replicating",
    "rejoined",
)


@dataclass(slots=True)
class Switch:
    """The service goes from one server to the other.

    Attributes:
        source, target: inventory names.
        mode: ``planned`` or ``crash``.
        stage: one of SWITCH.
        back: the target did not serve and the source takes over again; the reason.
        fallback: how far the recovery from dumps is: empty, ``damaged`` (the copy is moved away), ``empty`` (a new cluster waits for the dumps).
        aside: folder of the copy that was set aside.
        databases: what was served before, where the source could still be asked.
        backlog: what was measured when the source stood.
        opened: whether OpenERP serves on the target, so that people may have worked there.
        accepted: what was lost, in the words of the gate.
        stopped, served: UTC seconds between which nobody could work.
    """

    source: str
    target: str
    mode: str
    stage: str = ANNOUNCED
    back: str = ""
    fallback: str = ""
    aside: str = ""
    databases: list[str] = field(default_factory=list)
    backlog: list[int] = field(default_factory=list)
    opened: bool = False
    accepted: str = ""
    stopped: float = 0.0
    served: float = 0.0

    def is_past(self, stage: str) -> bool:
        """Return whether it is further than ``stage``."""
        return SWITCH.index(self.stage) > SWITCH.index(stage)


@dataclass(slots=True)
class Rejoin:
    """The group is deleted and created again with another primary member.

    Attributes:
        primary, other: inventory names.
        stage: one of REJOIN; empty: not begun.
        keep: whether what the other server has is set aside; not where it is known to be what the primary has.
        aside: folder with what the other server had.
        since: host to its clock when the group was created, to ask for the events since.
    """

    primary: str
    other: str
    stage: str = ""
    keep: bool = True
    aside: str = ""
    since: dict[str, str] = field(default_factory=dict)

    def is_past(self, stage: str) -> bool:
        """Return whether ``stage`` is done."""
        return bool(self.stage) and REJOIN.index(self.stage) >= REJOIN.index(stage)


@dataclass(slots=True)
class Journal:
    """A move that has begun.

    Attributes:
        pair: name of the pair.
        operation: ``failover``, ``failback``, or ``suspension``: the replication is disabled while both servers are worked on.
        stamp: when it began.
        to: inventory name of the server that is to be active in the end.
        group: how the group was before it was deleted, to create the same again.
        before, switch, after: what it takes, in this order: the group created again from the surviving server, the change of the active
            server, and the group created again from the server that it went to.
        restored_primary: whether the last of them is wanted.
        steps: what was done: name and UTC seconds.
    """

    pair: str
    operation: str
    stamp: str
    to: str
    group: dict[str, Any] = field(default_factory=dict)
    before: Rejoin | None = None
    switch: Switch | None = None
    after: Rejoin | None = None
    restored_primary: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def folder(self) -> str:
        """Return when it began, as the name of a folder on Windows."""
        return self.stamp.replace(":", "").replace("-", "")[:15]


class Store:
    """The folder of one pair's journals."""

    def __init__(self, root: Path, pair: str) -> None:
        """Name it; nothing is made."""
        self._files = JournalFolder(root / pair, JournalError)

    def load(self) -> Journal | None:
        """Return the move that has begun and not ended.

        Raises:
            JournalError: it cannot be read.
        """
        try:
            data = self._files.read()
            known = {one.name for one in fields(Journal)}
            values = {name: value for name, value in data.items() if name in known}
            values["switch"] = Switch(**data["switch"]) if data["switch"] else None
            for name in ("before", "after"):
                values[name] = Rejoin(**data[name]) if data[name] else None
            journal = Journal(**values)
            # A stage that is none is a ValueError here, and not in the middle of a move.
            for part in (journal.before, journal.switch, journal.after):
                if part is not None and part.stage:
                    part.is_past(part.stage)
            return journal
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise JournalError(
                f"{self._files.path} is damaged, so nobody knows how far the last move came; look which server runs before you move the file away"
            ) from None

    def save(self, journal: Journal) -> None:
        """Write the journal.

        Raises:
            JournalError: it cannot be written.
        """
        self._files.save(asdict(journal))

    def close(self, stamp: str, report: dict[str, Any]) -> Path:
        """Write how the move ended, end the journal, and return the report's path.

        Raises:
            JournalError: it cannot be written.
        """
        return self._files.close(stamp, report)
