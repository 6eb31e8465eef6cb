"""The gates between two servers of a pair: what has to be true before PostgreSQL starts on the other one.

Note that this utility is private to the collection.

Each is a function of the facts and of nothing else. A closed gate stops a move; none can be opened by an option, but that a loss is accepted
in a crash. A gate whose facts come into being only while the service stands is ``later`` before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .facts import CRASH, NORMAL, PLANNED, Facts, ServerFacts

OPEN, CLOSED, LATER = "open", "closed", "later"


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate.

    Attributes:
        name: of it.
        state: ``open``, ``closed``, or ``later``: it is measured once the service stands.
        evidence: what was seen.
        cure: what opens it.
    """

    name: str
    state: str
    evidence: str
    cure: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it for a result."""
        return {"name": self.name, "state": self.state, "evidence": self.evidence, "cure": self.cure}


def judged(name: str, is_open: bool, evidence: str, cure: str) -> Gate:
    """Return a gate that is open or closed; an open one needs no cure."""
    return Gate(name, OPEN if is_open else CLOSED, evidence, "" if is_open else cure)


def marker(facts: Facts) -> Gate:
    """The domain controller says that the source is the active server, or that this very move is under way."""
    found = facts.marker
    if found is None:
        return Gate(
            "marker",
            CLOSED,
            "the domain controller has no marker of the active server",
            "run configure_dfs_replication.yml, which writes it",
        )
    good = found.names(facts.source.name) or facts.ours
    cure = f"the active server is another one; move from there, or look at {found.moving or found.active or 'both servers'}"
    return judged("marker", good, f"the marker names {found.shown}", cure)


def accept_loss(facts: Facts) -> Gate:
    """In a crash, what had not been replicated is lost, and somebody has to say that this is so."""
    if facts.mode == PLANNED:
        return Gate("accept_loss", OPEN, "a planned move loses nothing")
    control, folder = facts.target.control, facts.folders.get(facts.target.host)
    seen = [
        f"the copy's latest checkpoint is of {control.time}" if control else "the copy's checkpoint cannot be read",
        f"{facts.target.host} last received something at {folder.last_sync}"
        if folder is not None and folder.last_sync
        else f"nobody knows when {facts.target.host} last received something",
    ]
    return judged(
        "accept_loss",
        facts.accept_loss,
        f"what {facts.source.host} wrote after that may be lost, and files may be torn: {'; '.join(seen)}",
        "say that this is so with openerp_failover_accept_loss: true",
    )


def other_stopped(facts: Facts) -> Gate:
    """Nothing of PostgreSQL runs on the source: it says so itself, or it is proven to be gone. Nothing opens this gate but that."""
    source = facts.source
    if not source.reachable:
        silent = "; ".join(source.silent)
        if source.signs:
            return Gate(
                "other_stopped",
                CLOSED,
                f"{source.host} does not answer over WinRM ({source.why}), and yet it lives: {'; '.join(source.signs)}",
                "switch it off, or take it off the network; two servers on one set of data destroy it",
            )
        return judged(
            "other_stopped",
            bool(silent),
            f"{source.host} answers nobody: {silent}"
            if silent
            else f"{source.host} does not answer this machine, and nobody else could ask it",
            "see that it is off, and that the other server or the domain controller can ask for it by its address",
        )
    if facts.mode == PLANNED and not facts.stopped and source.running:
        return Gate("other_stopped", LATER, f"{source.service} runs on {source.host}, and is stopped by the move")
    if not source.running:
        gone = "" if source.data_seen else f"; its data folder {source.data} is not there"
        return Gate(
            "other_stopped",
            OPEN,
            f"{source.service} is {source.state} on {source.host}, no postgres.exe runs there{gone}",
        )
    numbers = f", postgres.exe runs (process {', '.join(map(str, source.processes))})" if source.processes else ""
    cure = "a server that runs is moved from in planned mode" if facts.mode == CRASH else "stop it"
    return Gate("other_stopped", CLOSED, f"{source.service} is {source.state} on {source.host}{numbers}", cure)


def replication(facts: Facts) -> Gate:
    """Each member that can be asked replicates normally; in a crash the source need not."""
    wanted = [facts.target.host] if facts.mode == CRASH else [facts.source.host, facts.target.host]
    said, good = [], True
    for host in (facts.source.host, facts.target.host):
        folder = facts.folders.get(host)
        said.append(f"{host}: {folder.shown if folder is not None else 'cannot be asked'}")
        if host in wanted:
            good = good and folder is not None and folder.known and folder.state == NORMAL
    if good and facts.mode == PLANNED and not facts.stopped and not _connected(facts):
        return Gate(
            "replication",
            CLOSED,
            f"{'; '.join(said)}; and connections are disabled",
            f"run failback.yml -e failback_to={facts.source.host} -e failback_primary={facts.source.host}, which creates the replication again",
        )
    return judged(
        "replication",
        good,
        "; ".join(said),
        f"wait until it is state {NORMAL} (dfs_replication_info tells), or look at the member's event log 'DFS Replication'",
    )


def _connected(facts: Facts) -> bool:
    """Return whether both members know the other's connection for enabled."""
    for server, partner in ((facts.source, facts.target), (facts.target, facts.source)):
        folder = facts.folders.get(server.host)
        if folder is None or partner.name.casefold() not in {name.casefold() for name in folder.enabled}:
            return False
    return True


def backlog(facts: Facts) -> Gate:
    """The target lacks nothing that the source has, measured twice."""
    numbers = ", then ".join(map(str, facts.backlog))
    if facts.mode == CRASH:
        return Gate("backlog", OPEN, "cannot be counted without the source; the loss was accepted")
    if not facts.stopped:
        return Gate(
            "backlog",
            LATER,
            f"{numbers or 'not counted'} now, while people work; is counted again when nothing is written",
        )
    return judged(
        "backlog",
        len(facts.backlog) >= 2 and not any(facts.backlog[-2:]),
        f"files that {facts.target.host} lacks: {numbers or 'not counted'}",
        "wait until they have arrived",
    )


def shut_down(facts: Facts) -> Gate:
    """The target's copy is that of a cluster that was shut down; after a crash it is that of one in production, which is recovered."""
    target = facts.target
    if facts.mode == PLANNED and not facts.stopped:
        return Gate("shut_down", LATER, f"the copy is that of a server that runs ({_state(target)})")
    if target.control is None:
        return Gate(
            "shut_down",
            CLOSED,
            f"pg_controldata cannot read the copy on {target.host} ({target.data})",
            "restore the databases from their dumps: the copy is of no use"
            if facts.mode == CRASH
            else "wait for the files, or look at the folder",
        )
    if target.control_agrees is None:
        return Gate(
            "shut_down",
            CLOSED,
            f"pg_controldata says '{target.control.state}' on {target.host}, and global\\pg_control cannot be read",
            "run again, or see which program keeps the file for itself",
        )
    if not target.control_agrees:
        return Gate(
            "shut_down",
            CLOSED,
            f"pg_controldata says '{target.control.state}' on {target.host}, and global\\pg_control says something else",
            "the copy is damaged: re-create the replication with the source as primary",
        )
    if facts.mode == CRASH and not target.control.shut_down:
        return Gate(
            "shut_down",
            OPEN,
            f"{_state(target)}: a copy of a crash, which PostgreSQL has to recover; the loss was accepted",
        )
    return judged(
        "shut_down",
        target.control.shut_down,
        _state(target),
        "stop PostgreSQL on the source in an orderly way, and wait",
    )


def copies_agree(facts: Facts) -> Gate:
    """Both copies are of the same cluster and end at the same checkpoint."""
    source, target = facts.source.control, facts.target.control
    if facts.mode == CRASH and source is None:
        return Gate("copies_agree", OPEN, f"the copy of {facts.source.host} cannot be read; the loss was accepted")
    if facts.mode == PLANNED and not facts.stopped:
        return Gate("copies_agree", LATER, "the copies are compared when nothing is written")
    if source is None or target is None:
        return Gate(
            "copies_agree", CLOSED, "one of the two copies cannot be read", "look at the data folders of both servers"
        )
    if source.identifier != target.identifier:
        return Gate(
            "copies_agree",
            CLOSED,
            f"{facts.source.host} has the cluster {source.identifier}, {facts.target.host} has {target.identifier}",
            "these are not copies of one cluster: re-create the replication with the right primary",
        )
    same = source.checkpoint == target.checkpoint
    evidence = (
        f"latest checkpoint {source.checkpoint} on {facts.source.host}, {target.checkpoint} on {facts.target.host}"
    )
    if facts.mode == CRASH and not same:
        return Gate("copies_agree", OPEN, f"{evidence}; the loss was accepted")
    return judged(
        "copies_agree",
        same,
        evidence,
        "wait until the files have arrived, or re-create the replication with the source as primary",
    )


def no_live_pid(facts: Facts) -> Gate:
    """postmaster.pid, which is replicated like any file, names no process of the target; and nothing of PostgreSQL runs there."""
    target = facts.target
    if target.running:
        numbers = ", ".join(map(str, target.processes))
        return Gate(
            "no_live_pid",
            CLOSED,
            f"PostgreSQL runs on {target.host} ({target.state}{f', process {numbers}' if numbers else ''})",
            "stop it there: it works on the copy while the other server writes it",
        )
    if target.pid is None:
        return Gate("no_live_pid", OPEN, f"no postmaster.pid on {target.host}, no postgres.exe")
    return judged(
        "no_live_pid",
        target.pid not in target.processes,
        f"postmaster.pid names process {target.pid}, which is no postgres.exe of {target.host}: it came with the replica and is removed",
        "stop that process",
    )


def same_build(facts: Facts) -> Gate:
    """The programs of the target are of the version and the width that wrote the data."""
    source, target = facts.source, facts.target
    said = [f"cluster {target.cluster or '?'}, programs {target.program or '?'} on {target.host}"]
    good = bool(target.cluster) and _major(target.program) == target.cluster
    if source.program:
        said.append(f"programs {source.program} on {source.host}")
        good = good and _major(source.program) == _major(target.program)
    if source.width and target.width:
        said.append(f"Windows of {source.width} and {target.width} bits")
        good = good and source.width == target.width
    if source.control is not None and target.control is not None:
        good = good and source.control.build == target.control.build
        if source.control.build != target.control.build:
            said.append("the control files have other formats")
    if not target.data_seen:
        said.append(f"no cluster is in {target.data or 'its folder'}")
    return judged(
        "same_build",
        good,
        "; ".join(said),
        "install the same PostgreSQL, of the same version and width, on both servers",
    )


def account(facts: Facts) -> Gate:
    """The account of the target's service may use every file: a replica carries the SIDs of the other server."""
    target = facts.target
    who = f"{target.service} on {target.host} runs as {target.account}" + (
        f" ({target.sid})" if target.sid else ", which it does not know"
    )
    if target.denied is None:
        return Gate(
            "account",
            CLOSED,
            f"{who}; the rights of {target.data} could not be read",
            "look at the folder's rights (icacls)",
        )
    return judged(
        "account",
        target.denied == 0 and bool(target.sid),
        f"{who}, and may not use {target.denied} paths of {target.data}"
        if target.denied
        else f"{who}, and may use every file of {target.data}",
        f"run fix_postgres_service_account.yml{f' --limit {target.host}' if facts.mode == CRASH else ''}: the rights came from the other "
        "server, whose accounts are others",
    )


def start_modes(facts: Facts) -> Gate:
    """Nothing of PostgreSQL and OpenERP starts by itself: only the starter does, where the marker names the server."""
    automatic = [
        f"{service} on {server.host}"
        for server in (facts.source, facts.target)
        for service, mode in server.start_modes.items()
        if mode == "Auto"
    ]
    seen = "; ".join(
        f"{server.host}: {', '.join(f'{name} {mode}' for name, mode in server.start_modes.items()) or 'cannot be asked'}"
        for server in (facts.source, facts.target)
    )
    return judged(
        "start_modes",
        not automatic,
        seen,
        f"run configure_dfs_replication.yml: {', '.join(automatic)} would start at boot",
    )


def room(facts: Facts) -> Gate:
    """There is room for the copy that is set aside."""
    target = facts.target
    if target.size is None or target.free is None:
        return Gate(
            "room",
            CLOSED,
            f"the size of {target.data} or the free space is not known",
            "see that the folder can be read",
        )
    return judged(
        "room",
        target.free > target.size + target.size // 10,
        f"{_mb(target.size)} are set aside, {_mb(target.free)} are free",
        "make room, or name another folder as openerp_failover_aside_folder",
    )


def set_aside(facts: Facts) -> Gate:
    """A copy of the replica stands aside before its first start, and is what the replica is."""
    copy, control = facts.aside, facts.target.control
    if copy is None:
        return Gate("set_aside", LATER, "is made before the first start")
    good = copy.differences == 0 and (control is None or copy.checkpoint == control.checkpoint)
    return judged(
        "set_aside",
        good,
        f"{copy.folder}: latest checkpoint {copy.checkpoint or 'unknown'}, differences {copy.differences}",
        "run again: something wrote to the folder while it was copied",
    )


def _state(server: ServerFacts) -> str:
    control = server.control
    return f"{server.host}: {control.state if control else 'cannot be read'}"


def _major(version: str) -> str:
    parts = version.split(".")
    return ".".join(parts[:2] if parts[0].isdigit() and int(parts[0]) < 10 else parts[:1])


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


#: All gates by their names, in the order in which a person wants to read them.
GATES: dict[str, Callable[[Facts], Gate]] = {
    "marker": marker,
    "accept_loss": accept_loss,
    "other_stopped": other_stopped,
    "replication": replication,
    "backlog": backlog,
    "same_build": same_build,
    "shut_down": shut_down,
    "copies_agree": copies_agree,
    "no_live_pid": no_live_pid,
    "account": account,
    "start_modes": start_modes,
    "room": room,
    "set_aside": set_aside,
}
#: Those that can be judged before anything is stopped: a move that would be stopped later by one of them is not begun.
BEFORE = (
    "marker",
    "accept_loss",
    "other_stopped",
    "replication",
    "same_build",
    "no_live_pid",
    "account",
    "start_modes",
    "room",
)
#: Those that are judged again right before something starts, or is let through to the other server.
ALWAYS = ("marker", "other_stopped")
#: Those that are judged when the source stands and the copy is complete.
STANDING = (
    "marker",
    "accept_loss",
    "other_stopped",
    "replication",
    "backlog",
    "same_build",
    "shut_down",
    "copies_agree",
    "no_live_pid",
    "account",
    "start_modes",
    "room",
)


def look(facts: Facts, names: Sequence[str] = tuple(GATES)) -> list[Gate]:
    """Return the gates of these names."""
    return [GATES[name](facts) for name in names]


def closed(gates: Sequence[Gate]) -> list[Gate]:
    """Return those that are closed."""
    return [gate for gate in gates if gate.state == CLOSED]


def table(gates: Sequence[Gate]) -> list[str]:
    """Return a line per gate, for the terminal."""
    width = max((len(gate.name) for gate in gates), default=0)
    return [f"{gate.name.ljust(width)}  {gate.state:6}  {gate.evidence}" for gate in gates]


def as_result(gates: Sequence[Gate]) -> list[dict[str, Any]]:
    """Return them for a module's result."""
    return [gate.as_dict() for gate in gates]
