"""What the stages of a run share: where it works, and what became of each item and destination.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .._errors import LyceeError
from .._lease import LeaseError
from .catalog import Backup, Catalog, Item
from .destinations import Destination
from .names import stamp_of
from .selection import Options

SAVED, UNCHANGED, FAILED = "saved", "unchanged", "failed"


@dataclass(slots=True)
class Outcome:
    """What became of one item.

    Attributes:
        item: the item.
        state: saved, unchanged or failed.
        backup: the one that was made, or that still holds.
        problems: sentences.
        duration: seconds of its dump.
        restored: whether a restore was proven in this run.
    """

    item: Item
    state: str = ""
    backup: Backup | None = None
    problems: list[str] = field(default_factory=list)
    duration: float = 0.0
    restored: bool = False

    def fail(self, sentence: str) -> None:
        """Note a failure."""
        self.state = FAILED
        self.problems.append(sentence)


@dataclass(slots=True)
class DestinationState:
    """What became of one destination.

    Attributes:
        destination: the destination.
        listing: what is there, None while it is not at hand.
        problem: why it failed, empty when it did not.
        absent: why it is absent, where it may be.
    """

    destination: Destination
    listing: dict[str, int] | None = None
    problem: str = ""
    absent: str = ""

    @property
    def name(self) -> str:
        """Return its name."""
        return self.destination.settings.name

    @property
    def usable(self) -> bool:
        """Return whether it is there and did what it was asked so far."""
        return self.listing is not None and not self.problem


@dataclass(slots=True)
class RunState:
    """What a run works on.

    Attributes:
        catalog, options, scratch: where it works; ``scratch`` is a private folder of the controller.
        started: its time, from which its stamp comes.
        step: asked before each step; raises when the controller is gone.
        progress: told what is being done.
        destinations: in the order of the inventory.
        outcomes: by (kind, name).
        warnings: sentences that fail nothing.
        problems: sentences that fail the run and belong to no item.
        removed: files that the retention removed.
        brought: how many older backups a destination got that lacked them.
        sent_by_server: bytes that the server's own rsync sent.
    """

    catalog: Catalog
    options: Options
    scratch: Path
    started: datetime
    step: Callable[[str], None]
    progress: Callable[[str], None]
    destinations: list[DestinationState]
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    brought: int = 0
    sent_by_server: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def stamp(self) -> str:
        """Return the stamp of the run."""
        return stamp_of(self.started)

    @property
    def usable(self) -> list[DestinationState]:
        """Return the destinations that can be used."""
        return [one for one in self.destinations if one.usable]

    def outcome(self, item: Item) -> Outcome:
        """Return what became of an item so far."""
        with self.lock:
            return self.outcomes.setdefault((item.kind, item.name), Outcome(item))

    def fail(self, item: Item, error: LyceeError) -> None:
        """Note that an item failed; that the controller is gone is nobody's failure, and ends the run."""
        if isinstance(error, LeaseError):
            raise error
        self.outcome(item).fail(str(error))

    def save(self, item: Item) -> None:
        """Write an item to the catalog."""
        with self.lock:
            self.catalog.save(item)

    def say(self, text: str) -> None:
        """Tell what was done."""
        self.progress(text)


def now_stamp() -> str:
    """Return the time as a stamp."""
    return stamp_of(datetime.now(UTC))
