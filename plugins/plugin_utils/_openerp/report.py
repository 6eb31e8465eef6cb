"""What an upgrade did, as people read it and as a program does.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from typing import Any

from .._backup.names import printable
from .journal import FAILED, RESTORED, RESTORING, UPDATED, Journal
from .outcome import Outcome
from .preflight import BLOCKER, WARNING, Plan

_MARK = {BLOCKER: "!!", WARNING: " !"}
_WORDS = {
    UPDATED: "updated",
    FAILED: "failed",
    RESTORED: "restored from its dump",
    RESTORING: "not restored",
}


def as_dict(outcome: Outcome, plan: Plan | None) -> dict[str, Any]:
    """Return the report of one server; times in seconds."""
    journal = outcome.journal
    found: dict[str, Any] = {
        "outcome": outcome.word,
        "msg": outcome.text,
        "version": outcome.version,
        "problems": outcome.problems,
        "plan": plan.as_dict() if plan is not None else None,
    }
    if journal is not None:
        found |= {
            "host": journal.host,
            "begun": journal.stamp,
            "from": journal.from_release,
            "to": journal.to_release,
            "reason": journal.reason,
            "work": journal.work,
            "listed": journal.listed,
            "logins": journal.logins,
            "databases": {
                name: {"state": one.state, "seconds": one.seconds, "login": one.login, "problem": one.problem}
                for name, one in journal.databases.items()
            },
            "steps": journal.steps,
            "seconds": round(sum(one["seconds"] for one in journal.steps), 1),
            "interrupted": interrupted(journal),
        }
    return found


def interrupted(journal: Journal) -> float | None:
    """Return for how many seconds users had no OpenERP; None when it was not stopped, or is not back."""
    return None if journal.stopped else round(max(0.0, journal.away), 1)


def findings(plan: Plan) -> list[str]:
    """Return the findings of a plan, a line each, what stands against it first."""
    order = {BLOCKER: 0, WARNING: 1}
    ordered = sorted(plan.findings, key=lambda one: order.get(one.severity, 2))
    return [f"{_MARK.get(one.severity, '  ')} {one.subject}: {printable(one.text)}" for one in ordered]


def plan_lines(plan: Plan, wanted: str) -> list[str]:
    """Return what an upgrade would do, a line each."""
    if not plan.needed:
        return []
    lines = []
    if plan.server:
        lines.append(f"   would install the server {wanted}")
    if plan.databases:
        lines.append(
            f"   would load its data into {len(plan.databases)}: {', '.join(printable(name) for name in plan.databases)}"
        )
    if plan.web:
        lines.append(f"   would install the web client {wanted}")
    return lines


def lines(outcome: Outcome) -> list[str]:
    """Return the report of one server, a line each."""
    journal = outcome.journal
    if journal is None:
        return [outcome.text]
    found = [f"{journal.from_release} to {journal.to_release}: {outcome.word}; {outcome.version or 'nothing'} runs"]
    width = max((len(printable(name)) for name in journal.databases), default=0)
    for name, one in journal.databases.items():
        word = _WORDS.get(one.state, "not begun")
        seconds = f"{one.seconds:7.1f} s" if one.seconds else ""
        problem = f"  {one.problem}" if one.problem else ""
        found.append(f"   {printable(name):{width}}  {word:10}{seconds}{printable(problem)}")
    away = interrupted(journal)
    total = sum(one["seconds"] for one in journal.steps)
    found.append(
        f"   {total:.0f} s in all" + (f", {away:.0f} s without OpenERP for its users" if away is not None else "")
    )
    return found
