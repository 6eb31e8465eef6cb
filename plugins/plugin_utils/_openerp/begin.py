"""The beginning of an upgrade: what its journal says before anything happens, and what a journal that is found means.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from .._backup.names import stamp_of
from .._windows.services import RUNNING
from .._windows.session import Session
from .errors import OptionError, PreflightError
from .install import Settings
from .installation import Part
from .journal import BACK, DatabaseEntry, Journal
from .look import State
from .outcome import Options
from .preflight import Plan
from .versions import shown


def begin(state: State, plan: Plan, options: Options, host: str, now: datetime | None = None) -> Journal:
    """Return the journal of an upgrade that has not begun.

    Args:
        state: the server as it is.
        plan: what is to be done.
        options: how.
        host: inventory name.
        now: for tests.
    """
    stamp = stamp_of(now or datetime.now(UTC))
    found = Journal(
        host=host,
        stamp=stamp,
        from_release=state.version,
        to_release=shown(options.rules.to_release),
        work=f"{options.work}\\{stamp}",
        listed=sorted(state.listed or []),
        page=sorted(state.page) if state.page is not None else None,
        logins={name: one.login for name, one in state.databases.items() if one.login},
        present=sorted(state.databases),
        setups={kind: asdict(setup) for kind, setup in options.setups.items()},
    )
    for name in plan.databases:
        database = state.databases[name].database
        found.databases[name] = DatabaseEntry(
            owner=database.owner, encoding=database.encoding, login=state.databases[name].login
        )
    return found


def describe(
    session: Session, part: Part, registry: tuple[str, dict[str, tuple[str, str]]], port: int, *, setup: bool
) -> dict[str, Any]:
    """Return what the journal keeps of a program, of which ``setup`` says whether it gets one."""
    key, values = registry
    return {
        "folder": part.folder,
        "settings": Settings.of(session, part).as_dict(),
        "running": part.service.state == RUNNING,
        "setup": setup,
        "port": port,
        "key": key,
        "values": {name: list(value) for name, value in values.items()},
    }


def unfinished(journal: Journal, options: Options) -> str:
    """Return what the next run does with an upgrade that has begun.

    Raises:
        OptionError: it was begun for another release.
    """
    if journal.direction != BACK and journal.to_release != shown(options.rules.to_release):
        raise OptionError(
            f"{journal.host}: an upgrade to {journal.to_release} was begun at {journal.stamp} and not ended; run it once more for that release"
        )
    way = f"taken back to {journal.from_release}" if journal.direction == BACK else "completed"
    return f"{journal.host}: an upgrade to {journal.to_release} was begun at {journal.stamp} and stopped at '{journal.phase}'; it is {way}"


def refuse(plan: Plan, host: str) -> None:
    """Raise when something stands against a plan.

    Raises:
        PreflightError: naming everything that does.
    """
    if plan.blockers:
        sentences = "; ".join(f"{one.subject}: {one.text}" for one in plan.blockers)
        raise PreflightError(
            f"{host}: nothing was changed, for {len(plan.blockers)} finding(s) stand against the upgrade: {sentences}"
        )
