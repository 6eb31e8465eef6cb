"""Failover and failback of a pair: what each takes, begun or taken up again.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from typing import Any

from . import gates as gate_rules
from . import rejoin as again
from . import switch as moves
from .errors import ContinuityError, OptionError
from .facts import CRASH, PLANNED
from .gates import Gate
from .journal import ANNOUNCED, FAILBACK, FAILOVER, FENCED, STANDING, STARTING, SUSPENSION, Journal, Rejoin, Switch
from .marker import now
from .pair import Pair
from .switch import Outcome

MOVED, UNCHANGED, DUMPS_NEEDED = "moved", "unchanged", "dumps needed"


def active_host(pair: Pair) -> str:
    """Return the inventory name of the server that the marker names; empty where it names nobody, or another computer.

    Raises:
        ContinuityError: there is no marker.
    """
    marker = pair.directory.marker()
    if marker is None:
        raise ContinuityError(
            f"{pair.directory.host} has no marker of the active server of {pair.name}; run configure_dfs_replication.yml, which writes it"
        )
    found = pair.of_computer(marker.active) if marker.active else None
    return found.host if found is not None else ""


def failover(pair: Pair, to: str, mode: str, *, check: bool) -> Outcome:
    """Take the service to a server.

    Args:
        pair: the pair.
        to: inventory name of the server that is to be active.
        mode: ``planned`` or ``crash``.
        check: only look at the gates.

    Raises:
        GateError: a gate is closed.
        ProofError: the server does not serve.
        LyceeError: a host cannot be asked; the next run goes on.
    """
    source = pair.other(to).host
    begun = pair.store.load()
    if begun is not None and _can_be_given_up(begun, to):
        if check:
            return Outcome("planned", f"the move to {begun.to} would be given up; {to} would take over again")
        pair.journal = begun
        return _ended(pair, begun, moves.give_up(pair, begun.switch or Switch(to, source, mode)))
    journal = _begun(pair, FAILOVER, to, in_a_crash=mode == CRASH)
    if journal is None and active_host(pair) == to:
        return Outcome(UNCHANGED, f"{to} is the active server already")
    switch = journal.switch if journal is not None else None
    if switch is not None and mode == CRASH and switch.mode == PLANNED and not switch.is_past(STANDING):
        # The source died while it was moved from. A crash has its fence first, so it begins anew.
        switch.mode, switch.stage = CRASH, ANNOUNCED
        if not check:
            moves.begin(pair, switch)
    switch = switch or Switch(source, to, mode)
    if check:
        gates = moves.look(pair, switch)
        return Outcome("planned", _told(gates, f"{switch.mode} failover from {source} to {to}"), gates)
    if journal is None:
        gates = moves.begin(pair, switch)
        for line in gate_rules.table(gates):
            pair.progress(line)
        journal = Journal(pair.name, FAILOVER, now(), to, switch=switch)
        pair.journal = journal
        pair.save()
    pair.journal = journal
    outcome = moves.run(pair, journal, switch, resume=True)
    return _ended(pair, journal, outcome)


def _can_be_given_up(journal: Journal, to: str) -> bool:
    """Return whether a failover goes away from ``to`` and its target has never served."""
    switch = journal.switch
    return (
        journal.operation == FAILOVER
        and switch is not None
        and switch.source == to
        and not switch.is_past(STARTING)
        and not switch.fallback
    )


def finish(pair: Pair, to: str) -> Outcome:
    """Complete a failover whose databases have come from their dumps.

    Raises:
        ContinuityError: none is under way.
        LyceeError: a host cannot be asked; the next run goes on.
    """
    journal = _begun(pair, FAILOVER, to)
    if journal is None or journal.switch is None:
        raise ContinuityError(f"{to}: no failover is under way, so there is nothing to finish")
    pair.journal = journal
    moves.restored(pair, journal.switch)
    outcome = moves.run(pair, journal, journal.switch, resume=True)
    return _ended(pair, journal, outcome)


def failback(pair: Pair, to: str, primary: str, *, restore_primary: bool, check: bool) -> Outcome:
    """Bring the other server back into the pair, and the service back to a server.

    Args:
        pair: the pair.
        to: inventory name of the server that is to be active.
        primary: inventory name of the server whose data win; needed where the replication has to be created again.
        restore_primary: create it once more in the end, with the active server as the primary member.
        check: only look at the gates.

    Raises:
        GateError: a gate is closed.
        ProofError: the server does not serve.
        LyceeError: a host cannot be asked; the next run goes on.
    """
    journal = _begun(pair, FAILBACK, to)
    if journal is None:
        active = active_host(pair)
        if not active:
            raise ContinuityError(
                f"the marker of {pair.name} names no active server of the pair; complete the failover that has begun (failover.yml)"
            )
        works = again.healthy(pair)
        if works and active == to:
            return Outcome(UNCHANGED, f"{to} is the active server, and the replication works")
        journal = Journal(pair.name, FAILBACK, now(), to, restored_primary=restore_primary and not works)
        journal.before = None if works else Rejoin(active, pair.other(active).host)
        journal.switch = Switch(active, to, PLANNED) if active != to else None
        if journal.switch is not None and journal.restored_primary:
            journal.after = Rejoin(to, active, keep=False)
        gates = _look_back(pair, journal, primary)
        if check:
            return Outcome("planned", _told(gates, f"failback to {to}"), gates)
        moves.require(gates, "Nothing was changed.")
        for line in gate_rules.table(gates):
            pair.progress(line)
        pair.journal = journal
        pair.save()
    elif check:
        gates = _look_back(pair, journal, primary)
        return Outcome("planned", _told(gates, f"failback to {to}, which has begun"), gates)
    pair.journal = journal
    proof, gates = None, []
    if journal.before is not None:
        # Whoever began it has named the primary; the journal keeps what it was.
        again.run(pair, journal, journal.before, journal.before.primary)
    if journal.switch is not None:
        if not journal.switch.stopped:
            moves.begin(pair, journal.switch)
        outcome = moves.run(pair, journal, journal.switch, resume=journal.after is None)
        proof, gates = outcome.proof, outcome.gates
    if journal.after is not None:
        again.run(pair, journal, journal.after, journal.after.primary)
    text = f"{to} is the active server" + (
        f", and {pair.other(to).host} follows it again"
        if journal.before or journal.after
        else ", and the replication goes on"
    )
    return _ended(pair, journal, Outcome(MOVED, text, gates, proof))


def _look_back(pair: Pair, journal: Journal, primary: str) -> list[Gate]:
    """Return the gates of a failback as things are now."""
    if primary and primary not in pair.servers:
        raise OptionError(
            f"{primary}: it is none of the pair {pair.name} ({' and '.join(pair.servers)}); correct the primary"
        )
    if journal.before is not None and not journal.before.stage:
        return again.look(pair, journal.before, primary)
    if journal.switch is not None:
        facts = moves.observe(pair, journal.switch, rights=True, room=True, stopped=journal.switch.is_past(ANNOUNCED))
        return gate_rules.look(facts, gate_rules.BEFORE if journal.before is None else gate_rules.STANDING)
    return []


def suspend(pair: Pair, active: str, *, check: bool) -> Outcome:
    """Disable the replication while both servers are worked on.

    Where it is disabled already, by a failover, nothing is done: that fence is not ours to take away.

    Args:
        pair: the pair.
        active: inventory name of the active server.
        check: only look.

    Raises:
        LyceeError: a host cannot be asked; the next run goes on.
    """
    journal = pair.store.load()
    if journal is not None and journal.operation != SUSPENSION:
        raise OptionError(
            f"{pair.name}: a {journal.operation} to {journal.to} has begun at {journal.stamp} and not ended; complete it before other work is done"
        )
    found = active_host(pair)
    if found != active:
        raise OptionError(
            f"{pair.name}: by the inventory {active} is the active server, and by the marker {found or 'nobody'}; set openerp_active_server to the one "
            "that is, or complete the move that has begun"
        )
    if journal is None:
        if pair.directory.group() is None or not again.enabled(pair):
            return Outcome(UNCHANGED, "the replication is disabled already, or there is none")
        journal = Journal(
            pair.name, SUSPENSION, now(), active, before=Rejoin(active, pair.other(active).host, keep=False)
        )
        if check:
            return Outcome(MOVED, "the replication would be disabled")
    elif journal.before is not None and journal.before.is_past(FENCED):
        return Outcome(UNCHANGED, "the replication is suspended")
    pair.journal = journal
    pair.save()
    if journal.before is not None:
        again.fence(pair, journal, journal.before)
    return Outcome(MOVED, "the replication is suspended")


def resume(pair: Pair, *, check: bool) -> Outcome:
    """Create the replication again after a suspension, with the active server as the primary member.

    Enabling the connections again would not do: what was changed on the standby meanwhile is newer there, and would win.

    Raises:
        GateError: PostgreSQL runs on the standby, or the active server is another one by now.
        LyceeError: a host cannot be asked; the next run goes on.
    """
    journal = pair.store.load()
    if journal is None or journal.operation != SUSPENSION or journal.before is None:
        return Outcome(UNCHANGED, "the replication is not suspended")
    if check:
        return Outcome(MOVED, "the replication would be created again")
    pair.journal = journal
    again.run(pair, journal, journal.before, journal.before.primary)
    return _ended(pair, journal, Outcome(MOVED, f"{journal.before.other} follows {journal.before.primary} again"))


def _begun(pair: Pair, operation: str, to: str, *, in_a_crash: bool = False) -> Journal | None:
    """Return the move that has begun, None for none.

    Raises:
        OptionError: it is another one than what is asked for.
    """
    journal = pair.store.load()
    if journal is None:
        return None
    if journal.operation == SUSPENSION:
        if in_a_crash:
            # The active server died while it was worked on. The fence stands; the failback creates the replication again.
            return None
        raise OptionError(
            f"{pair.name}: the replication is suspended since {journal.stamp}, by the upgrade or another work on both servers; complete that first, "
            "or run resume_dfs_replication.yml"
        )
    if (
        in_a_crash
        and journal.operation == FAILBACK
        and (journal.switch is None or not journal.switch.is_past(STANDING))
    ):
        # The active server died while the other one came back; whether its copy is complete the gates tell.
        return None
    if journal.operation != operation or journal.to != to:
        raise OptionError(
            f"{pair.name}: a {journal.operation} to {journal.to} has begun at {journal.stamp} and not ended; run {journal.operation}.yml for it "
            "again, which completes it"
        )
    return journal


def _ended(pair: Pair, journal: Journal, outcome: Outcome) -> Outcome:
    """Close the journal of a move that has ended; one that waits for dumps goes on."""
    if outcome.word != DUMPS_NEEDED:
        pair.store.close(journal.stamp, report(pair, journal, outcome))
        pair.journal = None
    return outcome


def report(pair: Pair, journal: Journal, outcome: Outcome) -> dict[str, Any]:
    """Return how a move ended, as data."""
    switch = journal.switch
    return {
        "pair": pair.name,
        "operation": journal.operation,
        "outcome": outcome.word,
        "text": outcome.text,
        "began": journal.stamp,
        "active": journal.to,
        "mode": switch.mode if switch is not None else "",
        "accepted_loss": switch.accepted if switch is not None else "",
        "from_dumps": bool(switch is not None and switch.fallback),
        "seconds_away": round(switch.served - switch.stopped, 1) if switch is not None and switch.served else 0.0,
        "aside": [
            one for one in (switch.aside if switch else "", journal.before.aside if journal.before else "") if one
        ],
        "gates": gate_rules.as_result(outcome.gates),
        "databases": dict(outcome.proof.databases) if outcome.proof is not None else {},
        "openerp": outcome.proof.version if outcome.proof is not None else "",
        "steps": journal.steps,
    }


def _told(gates: list[Gate], what: str) -> str:
    """Return the sentence of check mode."""
    shut = gate_rules.closed(gates)
    if shut:
        return f"the {what} would be stopped by {', '.join(gate.name for gate in shut)}"
    return f"the {what} could begin"
