"""The members of one task on a replication group: what they are told, and what is waited for.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._windows.errors import SessionError, UnreachableError
from . import waiting
from .domain import Domain
from .errors import MemberError
from .member import IN_ERROR, INITIAL_SYNC, Member
from .names import same_filter, same_path
from .replication import Group, GroupSpec

Step = Callable[[str], None]
#: Seconds that a member may take for its configuration, once it knows the group.
_TAKE_OVER = 300.0


@dataclass(slots=True)
class Seat:
    """A member of the task: its inventory name, its session when it answers, else why it does not."""

    host: str
    member: Member | None = None
    why: str = ""


@dataclass(slots=True)
class Work:
    """One task on a replication group.

    Attributes:
        domain: the controller.
        seats: inventory host to what is known of it, in the order of the task.
        names: inventory host to computer name.
        progress: told what is done and what changes.
        step: asked before each step; raises when the run was ended from outside.
        warnings: sentences for the result.
    """

    domain: Domain
    seats: dict[str, Seat]
    names: dict[str, str]
    progress: Step
    step: Step
    warnings: list[str] = field(default_factory=list)

    @property
    def reached(self) -> list[Member]:
        """Return the members that answer."""
        return [one.member for one in self.seats.values() if one.member is not None]

    @property
    def lost(self) -> dict[str, str]:
        """Return why each of the others does not."""
        return {one.host: one.why for one in self.seats.values() if one.member is None}


def poll(work: Work) -> None:
    """Have every member that answers read its configuration; one that cannot gets a warning."""
    for seat in work.seats.values():
        if seat.member is not None:
            work.step(f"have {seat.host} read its configuration")
            try:
                seat.member.poll()
            except (UnreachableError, SessionError, MemberError) as error:
                seat.member, seat.why = None, str(error)


def spread(work: Work, spec: GroupSpec, enabled: bool, limit: float) -> Group | None:
    """Have the members read what was changed, wait until they have it, and return what the directory has.

    Raises:
        WaitError: a member does not have it in time, and what it has.
        WindowsError: one of its kinds.
    """
    after = work.domain.group(spec.name)
    guid = after.guid if after else ""
    waiting.wait_known(work.reached, spec.name, spec.folder, limit, work.progress, work.step, guid=guid)
    waiting.wait_connections(work.reached, spec.name, enabled, limit, work.progress, work.step)
    what = f"the configuration of {spec.folder} is taken over"
    limit = min(limit, _TAKE_OVER)
    waiting.wait_until(work.reached, what, lambda member: _wrong(member, spec), limit, work.progress, work.step)
    return after


def _wrong(member: Member, spec: GroupSpec) -> str:
    """Return what a member has otherwise than it was to learn."""
    wanted, config = spec.member(member.name), member.config(spec.name, spec.folder)
    if wanted is None or config is None:
        return ""
    wrong = []
    if not same_path(config.root_path, wanted.path):
        wrong.append(f"its folder is {config.root_path}")
    if (config.staging_mb, config.conflict_mb) != (wanted.staging_mb, wanted.conflict_mb):
        wrong.append(f"it has {config.staging_mb} MB for staging and {config.conflict_mb} MB for conflicts")
    if not config.enabled:
        wrong.append("its membership is disabled")
    if not same_filters(config.file_filter, config.directory_filter, spec):
        wrong.append(f"it leaves out {', '.join((*config.file_filter, *config.directory_filter)) or 'nothing'}")
    return f"{member.host} does not have the group {spec.name} as wanted: {'; '.join(wrong)}" if wrong else ""


def same_filters(files_out: Sequence[str], folders_out: Sequence[str], spec: GroupSpec) -> bool:
    """Return whether the filters that a member has are those that are wanted."""
    return same_filter(files_out, spec.file_filter) and same_filter(folders_out, spec.directory_filter)


def replicated(
    work: Work, spec: GroupSpec, primary: str, since: Mapping[str, str], arguments: Mapping[str, Any], limit: float
) -> None:
    leader = next((one for one in work.reached if one.name.casefold() == primary.casefold()), None)
    others = [one for one in work.reached if one is not leader]
    if leader is None:
        work.warnings.append(
            f"the primary member {primary} does not answer, so the first replication of {spec.folder} cannot begin; it was not waited for"
        )
        return
    waiting.wait_replicated(
        leader,
        others,
        spec.name,
        spec.folder,
        since,
        limit,
        work.progress,
        work.step,
        restart_hung=arguments["restart_hung"],
        hang_after=float(arguments["hang_after"]),
    )


def settle(work: Work, spec: GroupSpec, arguments: Mapping[str, Any], limit: float, since: Mapping[str, str]) -> None:
    """Wait for the first replication of a new member, or one that an earlier run began; what is normal, or in error, is left alone."""
    states = {}
    for member in work.reached:
        found = member.folder(spec.name, spec.folder)
        states[member.host] = found.state if found else -1
    bad = [host for host, state in states.items() if state == IN_ERROR]
    if bad:
        work.warnings.append(f"{', '.join(bad)}: the folder {spec.folder} is in error; look with dfs_replication_info")
    # A member that is new may not have begun when it is looked at; one whose service does not run never begins.
    begun = {host for host, state in states.items() if state <= INITIAL_SYNC and (state >= 0 or host in since)}
    if bad or not begun:
        return
    first = next((one for one in work.reached if one.host not in begun), work.reached[0])
    waiting.wait_replicated(
        first,
        [one for one in work.reached if one is not first],
        spec.name,
        spec.folder,
        {},
        limit,
        work.progress,
        work.step,
        restart_hung=arguments["restart_hung"],
        hang_after=float(arguments["hang_after"]),
    )
