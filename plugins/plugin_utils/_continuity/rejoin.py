"""Create the replication of a pair again, with the server that has the right data as primary member.

Note that this utility is private to the collection.

The group is deleted, and gone from both members, before the other server's disk goes online: its files are older, and would be taken for news.
Of a first replication the primary member's files always win ("dfsr-faq"); what the other one has besides goes to PreExisting, what differs to
ConflictAndDeleted, whose quota may drop it. So its cluster is set aside before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import ContinuityError, GateError
from .facts import NORMAL, FolderFacts, ServerFacts
from .gates import Gate, judged
from .journal import FENCED, GONE, REJOINED, REPLICATING, SET_ASIDE, Journal, Rejoin
from .marker import Marker
from .pair import Pair, Server
from .switch import require, server_facts


@dataclass(slots=True)
class BackFacts:
    """What is read before the group is created again.

    Attributes:
        marker: what the domain controller says; ``ours``: a move of this pair to this primary is under way.
        primary, other: both servers.
        named: inventory name that was given as the primary.
        group: whether the group is there.
        folders: host to what the member says of the folder.
    """

    marker: Marker | None
    primary: ServerFacts
    other: ServerFacts
    named: str
    group: bool
    folders: dict[str, FolderFacts | None]


def primary_named(facts: BackFacts) -> Gate:
    """Somebody has said by name whose data win, with both checkpoints before his eyes; and it is the active server."""
    said = "; ".join(f"latest checkpoint on {one.host}: {_time(one)}" for one in (facts.primary, facts.other))
    active = facts.marker is not None and facts.marker.names(facts.primary.name)
    named = facts.named == facts.primary.host
    cure = f"give the server whose data win as the primary: failback_primary={facts.primary.host}"
    if named and not active:
        cure = "its data are not those of the active server; look at the marker and at both servers"
    return judged(
        "primary_named",
        named and active,
        f"{said}; the marker names {facts.marker.shown if facts.marker else 'nobody'}",
        cure,
    )


def other_answers(facts: BackFacts) -> Gate:
    """The server that comes back can be asked, for it has to be seen that nothing of PostgreSQL runs there."""
    return judged(
        "other_answers",
        facts.other.reachable,
        facts.other.why or f"{facts.other.host} answers",
        f"switch {facts.other.host} on",
    )


def other_stands(facts: BackFacts) -> Gate:
    """Nothing of PostgreSQL runs on the server that comes back."""
    other = facts.other
    numbers = f", process {', '.join(map(str, other.processes))}" if other.processes else ""
    return judged(
        "other_stands",
        other.reachable and not other.running,
        f"{other.service or 'PostgreSQL'} is {other.state or 'unknown'} on {other.host}{numbers}",
        f"two servers ran at once: see which data are wanted, then stop PostgreSQL on {other.host}",
    )


def group_gone(facts: BackFacts) -> Gate:
    """The group is gone from the domain and from both members: only then may older files come back."""
    known = [host for host, folder in facts.folders.items() if folder is None or folder.known]
    said = f"{'the group is in the domain' if facts.group else 'no group in the domain'}; " + (
        f"known to {', '.join(known)}" if known else "no member knows the folder"
    )
    return judged(
        "group_gone", not facts.group and not known, said, "wait until both members have read the domain again"
    )


#: The gates of a re-creation; the last is judged when the group was deleted, before the disk goes online.
GATES: dict[str, Callable[[BackFacts], Gate]] = {
    "primary_named": primary_named,
    "other_answers": other_answers,
    "other_stands": other_stands,
    "group_gone": group_gone,
}
BEFORE = ("primary_named", "other_answers", "other_stands")


def observe(pair: Pair, rejoin: Rejoin, named: str) -> BackFacts:
    """Read what the gates look at. Nothing is changed."""
    primary, other = pair.server(rejoin.primary), pair.server(rejoin.other)
    facts = BackFacts(
        marker=pair.directory.marker(),
        primary=primary.facts(),
        other=server_facts(pair, other, primary),
        named=named,
        group=pair.directory.group() is not None,
        folders={},
    )
    facts.folders = {primary.host: primary.folder(), other.host: other.folder() if facts.other.reachable else None}
    return facts


def look(pair: Pair, rejoin: Rejoin, named: str, names: Sequence[str] = BEFORE) -> list[Gate]:
    """Return the gates as things are now."""
    facts = observe(pair, rejoin, named)
    return [GATES[name](facts) for name in names]


def healthy(pair: Pair) -> bool:
    """Return whether the replication works: connections enabled both ways, state 4 on both members."""
    hosts = list(pair.servers)
    if pair.directory.group() is None:
        return False
    for host, server in pair.servers.items():
        if server.reachable():
            return False
        folder = server.folder()
        others = {pair.servers[name].name.casefold() for name in hosts if name != host}
        if (
            folder.state != NORMAL
            or folder.disabled
            or not others <= {partner.casefold() for partner in folder.enabled}
        ):
            return False
    return True


def run(pair: Pair, journal: Journal, rejoin: Rejoin, named: str) -> None:
    """Bring a re-creation that has begun to its end.

    Args:
        pair: the pair.
        journal: that it belongs to.
        rejoin: the re-creation.
        named: inventory name that was given as the primary.

    Raises:
        GateError: a gate is closed.
        LyceeError: a host cannot be asked; the next run goes on.
    """
    primary, other = pair.server(rejoin.primary), pair.server(rejoin.other)
    both = [primary, other]
    if not rejoin.is_past(FENCED):
        require(look(pair, rejoin, named), "Nothing was changed.")
        fence(pair, journal, rejoin)
    if not rejoin.is_past(GONE):
        # Between the fence and this, both servers may have been worked on.
        require(look(pair, rejoin, named), "The group was not deleted.")
        other.stop_openerp(pair.step)
        other.stop_postgresql(pair.step)
        pair.do("delete the replication group")
        _delete(pair, both)
        _stage(pair, rejoin, GONE)
    if not rejoin.is_past(SET_ASIDE):
        _leftover(pair, both)
        _old_files(pair, journal, rejoin, other, named)
        _stage(pair, rejoin, SET_ASIDE)
    if not rejoin.is_past(REPLICATING):
        _leftover(pair, both)
        # Since the other server was looked at, anybody may have started something there, and its files are replaced now.
        require(look(pair, rejoin, named, [*BEFORE, "group_gone"]), "The group was not created.")
        rejoin.since = {server.host: server.clock() for server in both}
        pair.save()
        pair.do(f"create the replication group, {primary.host} is the primary member")
        pair.directory.create_group(journal.group, primary.name)
        _polled(both)
        _stage(pair, rejoin, REPLICATING)
    if not rejoin.is_past(REJOINED):
        pair.do(f"wait until {other.host} has everything")
        pair.waiting.replicated(primary, other, rejoin.since)
        _stage(pair, rejoin, REJOINED)


def _delete(pair: Pair, both: Sequence[Server]) -> None:
    if pair.directory.group() is not None:
        pair.directory.delete_group()
    _polled(both)
    pair.waiting.gone(both)


def _leftover(pair: Pair, both: Sequence[Server]) -> None:
    """Delete a group that a run which was cut, or somebody else, has created in the meantime."""
    if pair.directory.group() is not None:
        pair.do("delete the replication group that is there again")
        _delete(pair, both)


def enabled(pair: Pair) -> bool:
    """Return whether a member that can be asked knows an enabled connection."""
    return any(bool(server.folder().enabled) for server in pair.servers.values() if not server.reachable())


def fence(pair: Pair, journal: Journal, rejoin: Rejoin) -> None:
    """Disable the connections, after it was noted how the group is configured.

    Raises:
        ContinuityError: there is no group.
        LyceeError: a host cannot be asked; the next run goes on.
    """
    both = [pair.server(rejoin.primary), pair.server(rejoin.other)]
    _keep_group(pair, journal)
    pair.do("disable the connections of the replication")
    if pair.directory.group() is not None:
        pair.directory.fence()
        _polled(both)
        pair.waiting.fenced(both)
    _stage(pair, rejoin, FENCED)


def _keep_group(pair: Pair, journal: Journal) -> None:
    """Note how the group is configured, before it is deleted."""
    if not journal.group:
        found = pair.directory.group()
        if found is None:
            raise ContinuityError(
                f"the replication group of {pair.name} is not there, so nobody knows how it was; create it with configure_dfs_replication.yml"
            )
        journal.group = found
        pair.save()


def _old_files(pair: Pair, journal: Journal, rejoin: Rejoin, other: Server, named: str) -> None:
    """Bring the other server's disk online behind the fence, and set its cluster aside."""
    gate = look(pair, rejoin, named, ["other_stands", "group_gone"])
    require(gate, "The disk was not touched.")
    if other.bring_disk_online():
        pair.progress(f"the disk of {other.host} is online again")
        # A service that waited for its disk would start on it, now and not before.
        other.stop_openerp(pair.step)
        other.stop_postgresql(pair.step)
    found = other.facts()
    if found.running:
        raise GateError(f"{found.service} runs on {other.host} now that its disk is there; stop it and run again", gate)
    if found.data_seen and rejoin.keep:
        rejoin.aside = f"{pair.aside}\\{journal.folder}-{rejoin.primary}"
        pair.do(f"set aside what {other.host} has ({rejoin.aside})")
        copy = other.set_aside(rejoin.aside)
        if copy.differences:
            raise ContinuityError(
                f"{other.host}: {copy.folder} is not what the cluster is (robocopy tells {copy.differences}); run again, for its files are replaced next"
            )


def _polled(servers: Sequence[Server]) -> None:
    for server in servers:
        server.poll()


def _stage(pair: Pair, rejoin: Rejoin, stage: str) -> None:
    rejoin.stage = stage
    pair.save()


def _time(server: ServerFacts) -> str:
    if not server.reachable:
        return "it does not answer"
    return server.control.time if server.control is not None else "cannot be read (is its disk offline?)"
