"""Take the service from one server of a pair to the other, once the gates are open, and see that it serves there.

Note that this utility is private to the collection.

The order keeps the data: nobody may start (marker), the source stands, the target has everything (drained), the gates, the fence, a copy aside,
and only then the first start. What is written on the target never reaches the source before it is proven. Each step can be done again;
the journal says which ones need not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .._errors import LyceeError
from .._lease import LeaseError
from . import gates as gate_rules
from .errors import ContinuityError, CopyError, GateError, ProofError
from .facts import CRASH, PLANNED, Facts, ServerFacts
from .gates import Gate
from .journal import ANNOUNCED, SERVING, STANDING, STARTING, SWITCHED, Journal, Switch
from .marker import Marker, moving, now
from .pair import Pair, Proof, Server

#: In a crash these are judged before anything is touched; the others once the fence stands, since the source may come back any time.
_CRASH_BEFORE = ("marker", "accept_loss", "other_stopped")
#: Gates that say that the copy itself is of no use, for which there are the dumps.
_UNUSABLE = frozenset({"shut_down", "same_build", "copies_agree", "account"})


@dataclass(slots=True)
class Outcome:
    """How a move ended, or how far it is.

    Attributes:
        word: ``moved``, ``unchanged``, ``rolled back``, ``dumps needed``, ``planned`` (check mode).
        text: a sentence.
        gates: as they were looked at last.
        proof: what the new active server serves.
    """

    word: str
    text: str
    gates: list[Gate] = field(default_factory=list)
    proof: Proof | None = None


def observe(pair: Pair, switch: Switch, *, rights: bool = False, room: bool = False, stopped: bool = False) -> Facts:
    """Read everything that the gates of a switch look at. Nothing is changed.

    Raises:
        LyceeError: the target or the domain controller cannot be asked.
    """
    source, target = pair.server(switch.source), pair.server(switch.target)
    marker = pair.directory.marker()
    facts = Facts(
        mode=switch.mode,
        accept_loss=pair.accept_loss,
        source=server_facts(pair, source, target),
        target=target.facts(rights=rights, room=room),
        marker=marker,
        ours=marker is not None and marker.moving == f"{source.name}>{target.name}",
        stopped=stopped,
    )
    facts.folders = {target.host: target.folder(), source.host: source.folder() if facts.source.reachable else None}
    if stopped:
        facts.backlog = list(switch.backlog)
    elif facts.source.reachable:
        facts.backlog = pair.waiting.backlog(source, target)
    return facts


def server_facts(pair: Pair, server: Server, peer: Server) -> ServerFacts:
    """Read a server that may not answer; of one that does not, ask the others for signs of life."""
    why = server.reachable()
    if not why:
        return server.facts()
    facts = ServerFacts(server.host, server.name, reachable=False, why=why, signs=server.signs())
    for asker in (peer, pair.directory):
        answered = asker.answers(server.address)
        if answered:
            facts.signs.append(f"it answers a ping of {asker.host}")
        elif answered is not None:
            facts.silent.append(f"a ping of {asker.host} is not answered")
    if not facts.signs and facts.silent:
        facts.silent.append("no port of it answers this machine")
    return facts


def look(pair: Pair, switch: Switch) -> list[Gate]:
    """Return every gate with its evidence, as things are now; nothing is changed."""
    facts = observe(pair, switch, rights=True, room=True, stopped=switch.is_past(ANNOUNCED))
    return gate_rules.look(facts)


def begin(pair: Pair, switch: Switch) -> list[Gate]:
    """Judge the gates that can be judged before anything is touched.

    Raises:
        GateError: one is closed; nothing was changed.
    """
    if switch.mode == CRASH:
        gates = gate_rules.look(observe(pair, switch), _CRASH_BEFORE)
    else:
        gates = gate_rules.look(observe(pair, switch, rights=True, room=True), gate_rules.BEFORE)
    require(gates, "Nothing was changed.")
    return gates


def require(gates: Sequence[Gate], rest: str) -> None:
    """Raise GateError for closed gates.

    Args:
        gates: that were looked at.
        rest: how the pair is left.
    """
    found = gate_rules.closed(gates)
    if found:
        said = " ".join(f"The gate {gate.name} is closed: {gate.evidence}; {gate.cure}." for gate in found)
        raise GateError(f"{said} {rest}".strip(), gates)


def run(pair: Pair, journal: Journal, switch: Switch, *, resume: bool) -> Outcome:
    """Bring a switch that has begun to its end.

    Args:
        pair: the pair.
        journal: that the switch belongs to; it is written before each effect that it announces.
        switch: the switch.
        resume: whether the replication goes on afterwards, from the new active server to the other.

    Raises:
        GateError: a gate is closed, and the source serves again where it could.
        ProofError: the target does not serve; the source does again where it could.
        LyceeError: a host cannot be asked; the next run goes on.
    """
    source, target = pair.server(switch.source), pair.server(switch.target)
    gates: list[Gate] = []
    if switch.back:
        return _take_back(pair, journal, switch)
    if not switch.is_past(STANDING) and not switch.fallback:
        try:
            if not switch.is_past(ANNOUNCED):
                _stand_still(pair, switch, source, target)
                switch.stage = STANDING
                pair.save()
            gates = _cross(pair, journal, switch, source, target)
        except GateError as error:
            raise _reopened(pair, journal, switch, error) from None
        except CopyError as error:
            return _fall_back(pair, journal, switch, str(error))
        except LyceeError as error:
            # Nothing was started on the target, so people need not wait for what hinders the move.
            if switch.mode == CRASH or isinstance(error, LeaseError) or source.reachable():
                raise
            raise _reopened(pair, journal, switch, GateError(f"{error}.", gates)) from None
        switch.stage = STARTING
        pair.save()
    if switch.fallback in ("wanted", "damaged", "empty"):
        return _fall_back(pair, journal, switch, "")
    if not switch.is_past(STARTING):
        _judge_again(pair, switch, gate_rules.ALWAYS)
        try:
            _start(pair, switch, target)
        except LyceeError as error:
            if error.unreachable or isinstance(error, LeaseError):
                raise
            if switch.mode == PLANNED:
                return _begin_to_take_back(pair, journal, switch, str(error))
            # Only a copy that is of no use is given up; whatever else went wrong is cured and the move run again.
            if pair.dumps and isinstance(error, CopyError):
                return _fall_back(pair, journal, switch, str(error))
            raise
        switch.stage = SERVING
        pair.save()
    return _serve(pair, journal, switch, source, target, gates, resume)


def _judge_again(pair: Pair, switch: Switch, names: Sequence[str]) -> None:
    """Judge gates once more right before an effect: since they were open, anybody may have started something.

    Raises:
        GateError: one is closed.
    """
    facts = observe(pair, switch, stopped=True)
    if facts.marker is not None and facts.marker.names(facts.target.name):
        # The move was cut right after its last word.
        names = [name for name in names if name != "marker"]
    gates = gate_rules.look(facts, names)
    require(gates, f"{switch.target} goes no further; two servers on one set of data destroy it.")


def _stand_still(pair: Pair, switch: Switch, source: Server, target: Server) -> None:
    """See that nobody may start, and that the source stands; in a crash the fence comes first."""
    if not switch.stopped:
        switch.stopped = round(time.time(), 1)
        pair.save()
    pair.do("the marker of the active server names nobody")
    pair.directory.write_marker(moving(source.name, target.name, now()))
    here = not source.reachable()
    if switch.mode == CRASH:
        _fence(pair, [server for server in (target, source) if server is target or here])
    if here:
        if switch.mode == PLANNED and not switch.databases and source.facts().running:
            switch.databases = source.databases()
            pair.save()
        pair.do(f"stop OpenERP and PostgreSQL on {source.host}")
        source.stop_openerp(pair.step)
        source.stop_postgresql(pair.step)
    pair.do(f"see that nothing runs on {target.host}")
    target.stop_openerp(pair.step)
    target.stop_postgresql(pair.step)


def _fence(pair: Pair, servers: Sequence[Server]) -> None:
    pair.do("disable the connections of the replication")
    pair.directory.fence()
    for server in servers:
        server.poll()
    pair.waiting.fenced(servers)


def _cross(pair: Pair, journal: Journal, switch: Switch, source: Server, target: Server) -> list[Gate]:
    """Judge the gates while everything stands, fence, and set a copy aside; returns the gates.

    Raises:
        GateError: one is closed; the target was not started.
    """
    if switch.mode == PLANNED:
        # In every run: what an earlier one has measured says nothing of what was written since.
        pair.do(f"wait until {target.host} has everything")
        switch.backlog = pair.waiting.drained(source, target)
    pair.do("look at the gates")
    facts = observe(pair, switch, rights=True, room=True, stopped=True)
    gates = gate_rules.look(facts, gate_rules.STANDING)
    found = {gate.name for gate in gate_rules.closed(gates)}
    if found and found <= _UNUSABLE and switch.mode == CRASH and pair.dumps and _is_useless(facts.target):
        raise CopyError(" ".join(f"{gate.name}: {gate.evidence}." for gate in gate_rules.closed(gates)))
    require(gates, "")
    switch.accepted = (
        next(gate.evidence for gate in gates if gate.name == "accept_loss") if switch.mode == CRASH else ""
    )
    if switch.mode == PLANNED:
        _fence(pair, [source, target])
    switch.aside = f"{pair.aside}\\{journal.folder}"
    pair.save()
    pair.do(f"set a copy of the cluster aside ({switch.aside})")
    facts.aside = target.set_aside(switch.aside)
    last = gate_rules.look(facts, ["set_aside"])
    require([*gates, *last], "")
    return [*gates, *last]


def _is_useless(target: ServerFacts) -> bool:
    """Return whether the programs of the target are there and find no cluster in its copy."""
    return bool(target.program) and (target.control is None or target.control_agrees is False)


def _start(pair: Pair, switch: Switch, target: Server) -> None:
    """Start PostgreSQL on the target and read what it has.

    Raises:
        ProofError: it does not start, or has not the databases that the source had.
    """
    target.drop_pid_file()
    pair.do(f"start PostgreSQL on {target.host}")
    found = target.start_postgresql(pair.step, whole=switch.mode == CRASH)
    if lost := sorted(set(switch.databases) - set(found)):
        raise ProofError(f"{target.host}: PostgreSQL runs and lacks {', '.join(lost)}")


def _serve(
    pair: Pair, journal: Journal, switch: Switch, source: Server, target: Server, gates: list[Gate], resume: bool
) -> Outcome:
    """Start OpenERP, prove it, and let the marker name the target."""
    if not switch.is_past(SERVING):
        _judge_again(pair, switch, gate_rules.ALWAYS)
        try:
            # Where a run was cut, or the recovery from dumps has ended, PostgreSQL may stand.
            target.start_postgresql(pair.step, whole=False)
            pair.do(f"start OpenERP on {target.host}")
            proof = target.start_openerp(pair.step)
            if proof.problems:
                raise ProofError(f"{target.host}: {'; '.join(proof.problems)}")
        except LyceeError as error:
            # In a run that was cut, people may have worked there already: that is not taken back.
            if error.unreachable or isinstance(error, LeaseError) or switch.mode == CRASH or switch.opened:
                raise
            return _begin_to_take_back(pair, journal, switch, str(error))
        switch.opened = True
        pair.save()
        pair.do(f"the marker of the active server names {target.host}")
        pair.directory.write_marker(Marker(target.name, since=now()))
        switch.served = round(time.time(), 1)
        switch.stage = SWITCHED
        pair.save()
    else:
        proof = target.start_openerp(pair.step)
    if resume and switch.mode == PLANNED:
        _judge_again(pair, switch, ["other_stopped"])
        pair.do(f"enable the connections: {source.host} follows")
        pair.directory.unfence()
        for server in (target, source):
            server.poll()
    served = sum(1 for login in proof.databases.values() if login)
    text = f"{target.host} is the active server, and serves {served} contexts"
    return Outcome("moved", text, gates, proof)


def _reopened(pair: Pair, journal: Journal, switch: Switch, error: GateError) -> GateError:
    """Let people work on again after a gate that was closed, and return the error that says how the pair is left."""
    source = pair.server(switch.source)
    if switch.mode == CRASH:
        return GateError(f"{error} {switch.target} was not started; run again when that is cured.", error.gates)
    pair.do(f"{source.host} takes over again")
    # Nothing was written on the target, so the replication can go on as it was. That people can work matters more than that it does.
    missed = []
    for about, work in (
        ("the connections could not be enabled", pair.directory.unfence),
        *((f"{server.host} could not be told", server.poll) for server in pair.servers.values()),
    ):
        try:
            work()
        except LeaseError:
            raise
        except LyceeError as second:
            missed.append(f"{about} ({second})")
    # A run that is cut from here on begins anew: what was measured is not true any more once people work.
    switch.stage, switch.backlog, switch.databases = ANNOUNCED, [], []
    pair.save()
    source.start_postgresql(pair.step, whole=False)
    source.start_openerp(pair.step)
    pair.directory.write_marker(Marker(source.name, since=now()))
    pair.store.close(journal.stamp, {"outcome": "gate closed", "gates": gate_rules.as_result(error.gates)})
    pair.journal = None
    rest = f" And {'; '.join(missed)}: look with dfs_replication_info." if missed else ""
    return GateError(f"{error} {source.host} serves again; {switch.target} was not started.{rest}", error.gates)


def give_up(pair: Pair, switch: Switch) -> Outcome:
    """The source takes over again from a move whose target never served and cannot: it is stopped, or proven gone.

    Raises:
        GateError: the target is neither.
        ProofError: the source does not serve.
    """
    source, target = pair.server(switch.source), pair.server(switch.target)
    require(
        gate_rules.look(observe(pair, Switch(target.host, source.host, CRASH)), ["other_stopped"]),
        "Nothing was changed.",
    )
    pair.do(f"the move to {target.host} is given up; {source.host} takes over again")
    source.drop_pid_file()
    source.start_postgresql(pair.step, whole=False)
    proof = source.start_openerp(pair.step)
    if proof.problems:
        raise ProofError(f"{source.host}: {'; '.join(proof.problems)}")
    pair.directory.write_marker(Marker(source.name, since=now()))
    text = (
        f"{source.host} is the active server again; the replication may be disabled: run failback.yml -e failback_to={source.host} "
        f"-e failback_primary={source.host} when {target.host} is back"
    )
    return Outcome("moved", text, [], proof)


def _begin_to_take_back(pair: Pair, journal: Journal, switch: Switch, reason: str) -> Outcome:
    switch.back = reason
    pair.save()
    return _take_back(pair, journal, switch)


def _take_back(pair: Pair, journal: Journal, switch: Switch) -> Outcome:
    """The target does not serve: the source, to which nothing of it has come through the fence, takes over again.

    Raises:
        ProofError: always, with how the pair is left.
    """
    source, target = pair.server(switch.source), pair.server(switch.target)
    pair.do(f"{target.host} does not serve; {source.host} takes over again")
    target.stop_openerp(pair.step)
    target.stop_postgresql(pair.step)
    source.start_postgresql(pair.step, whole=False)
    proof = source.start_openerp(pair.step)
    pair.directory.write_marker(Marker(source.name, since=now()))
    text = (
        f"{switch.back}. {source.host} serves again as before. The replication stays disabled, since PostgreSQL has written to the copy on "
        f"{target.host}: run failback.yml -e failback_to={source.host} -e failback_primary={source.host}, which creates it again"
    )
    if proof.problems:
        text = f"{text}. And {source.host}: {'; '.join(proof.problems)}"
    pair.store.close(journal.stamp, {"outcome": "rolled back", "text": text})
    pair.journal = None
    raise ProofError(text)


def _fall_back(pair: Pair, journal: Journal, switch: Switch, reason: str) -> Outcome:
    """The copy is of no use: make room for an empty cluster, into which the newest proven dumps are restored."""
    target = pair.server(switch.target)
    if not switch.fallback:
        pair.do(f"the copy on {target.host} is of no use ({reason}); its databases come from the newest proven dumps")
        switch.accepted = f"{switch.accepted}; the copy was of no use: {reason}".lstrip("; ")
        switch.fallback = "wanted"
        pair.save()
    if switch.fallback == "wanted":
        pair.do("move the damaged cluster away")
        target.stop_postgresql(pair.step)
        target.move_damaged(f"damaged-{journal.folder}")
        switch.fallback = "damaged"
        pair.save()
    if switch.fallback == "damaged":
        pair.do(f"make an empty cluster on {target.host}")
        target.begin_anew(f"damaged-{journal.folder}")
        switch.fallback = "empty"
        pair.save()
    # The dumps are restored into a cluster that runs.
    target.start_postgresql(pair.step, whole=False)
    return Outcome(
        "dumps needed", f"{target.host} has an empty cluster, which waits for the databases from their dumps"
    )


def restored(pair: Pair, switch: Switch) -> None:
    """Take note that the databases have come from their dumps.

    Raises:
        ContinuityError: no recovery from dumps is under way.
    """
    if switch.fallback == "restored":
        return
    if switch.fallback != "empty":
        raise ContinuityError(f"{switch.target}: no recovery from dumps is under way, so there is nothing to finish")
    switch.fallback, switch.stage = "restored", SERVING
    pair.save()
