"""Which backups are kept, and which are restored tonight to prove that they can be.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .errors import OptionError


@dataclass(frozen=True, slots=True)
class Keep:
    """How many backups of a database are kept, by the grandfather-father-son scheme.

    Each number counts periods that hold a backup, not periods of the calendar: a month of failed nights removes nothing.

    Attributes:
        daily, weekly, monthly: of so many days, ISO weeks and months the newest one.
        minimum: never fewer than so many.
        dropped_days: those of a database that was dropped on the server, so many days after it was last seen.
    """

    daily: int = 14
    weekly: int = 8
    monthly: int = 12
    minimum: int = 3
    dropped_days: int = 400

    def __post_init__(self) -> None:
        """Refuse what would remove everything.

        Raises:
            OptionError: a number is negative, or nothing would be kept.
        """
        for name in ("daily", "weekly", "monthly", "minimum", "dropped_days"):
            if getattr(self, name) < 0:
                raise OptionError(f"keep: {name} is {getattr(self, name)}; it cannot be negative")
        if self.minimum < 1:
            raise OptionError("keep: minimum is 0; at least one backup of each database is kept")


@dataclass(frozen=True, slots=True)
class Kept:
    """What the policy sees of one backup.

    Attributes:
        key: names the backup.
        moments: when its content was that of the database: when it was made, and each later night that found it unchanged.
        proven: whether it was read in full.
    """

    key: str
    moments: tuple[datetime, ...]
    proven: bool


def kept(backups: Sequence[Kept], keep: Keep) -> set[str]:
    """Return the keys of the backups of one database that stay.

    The newest proven one always stays, and ``minimum`` of them in any case.
    """
    points = sorted(((moment, one) for one in backups for moment in one.moments), key=lambda point: point[0])
    points.reverse()
    chosen: set[str] = set()
    for count, period in (
        (keep.daily, lambda moment: moment.date().isoformat()),
        (keep.weekly, lambda moment: moment.isocalendar()[:2]),
        (keep.monthly, lambda moment: (moment.year, moment.month)),
    ):
        seen: list[Any] = []
        for moment, one in points:
            if len(seen) >= count:
                break
            # An unproven backup does not stand for its period while a proven one of the same period exists.
            if period(moment) in seen or (not one.proven and _proven_in(points, period, moment)):
                continue
            seen.append(period(moment))
            chosen.add(one.key)
    newest_first = list(dict.fromkeys(one.key for _moment, one in points))
    proven_first = list(dict.fromkeys(one.key for _moment, one in points if one.proven))
    chosen.update(newest_first[:1])
    chosen.update(proven_first[: keep.minimum])
    for key in newest_first:
        if len(chosen) >= keep.minimum:
            break
        chosen.add(key)
    return chosen


def _proven_in(points: Sequence[tuple[datetime, Kept]], period: Any, moment: datetime) -> bool:
    return any(one.proven and period(other) == period(moment) for other, one in points)


def dropped_expired(last_seen: datetime, now: datetime, keep: Keep) -> bool:
    """Return whether the backups of a database that is no more on the server have stayed long enough."""
    return now - last_seen > timedelta(days=keep.dropped_days)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A backup that could be restored tonight.

    Attributes:
        key: names the database.
        restored: when a restore of this database was last proven, None for never.
        changed: whether its content differs from the one that was last proven by a restore.
    """

    key: str
    restored: datetime | None
    changed: bool


def sample(candidates: Iterable[Candidate], now: datetime, *, within_days: int, at_least: int) -> list[str]:
    """Return the databases to restore tonight: all of them within ``within_days``, changed ones first.

    Those whose time would run out before their turn come before everything else; then changed ones, the longest unproven first.

    Args:
        candidates: each database with a proven dump.
        now: the time of the run.
        within_days: every database is restored once in so many days.
        at_least: so many a night even when fewer would do.
    """
    found = list(candidates)
    if not found:
        return []
    count = max(at_least, -(-len(found) // max(1, within_days)))

    def order(one: Candidate) -> tuple[bool, bool, float, str]:
        age = float("inf") if one.restored is None else (now - one.restored).total_seconds()
        due = age >= (within_days - 1) * 86400
        return (not due, not one.changed, -age, one.key)

    ordered = sorted(found, key=order)
    due = [one for one in ordered if not order(one)[0] and one.restored is not None]
    return [one.key for one in ordered[: max(count, len(due))]]
