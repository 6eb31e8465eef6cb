"""Wait for the replication: loops of short reads here, each with its end.

Note that this utility is private to the collection.

A member that does not answer for a while, or whose service restarts, is asked again until the time is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from .._windows.errors import SessionError, StateError, UnreachableError
from .errors import MemberError, WaitError
from .events import FINISHED, PRIMARY_FINISHED, WAITING
from .info import backlog
from .member import INITIAL_SYNC, NORMAL, Member

Step = Callable[[str], None]
#: Seconds between two looks: the first, and the longest.
_FIRST, _LONGEST = 0.5, 5.0
#: Seconds after which a member that does not know its configuration yet is told again to read it.
_POLL_AGAIN = 15.0
_PAUSE = 2.0
#: Seconds without any progress after which a first replication is held to hang.
HANG_AFTER = 300.0
_PASSING = (UnreachableError, SessionError, MemberError)
_HANG = (
    "the first replication hangs between event 4102 and 4104, as Server 2008 does (KB973123); restart the service DFSR there, or use "
    "restart_hung: true, and install the hotfix"
)


class _Clock:
    """A deadline, and pauses that grow."""

    def __init__(self, seconds: float, what: str) -> None:
        self.seconds, self.what = seconds, what
        self._end = time.monotonic() + seconds
        self._pause = _FIRST

    def rest(self, why: Callable[[], str]) -> None:
        """Pause, or raise WaitError with what is missing when the time is over."""
        if time.monotonic() > self._end:
            raise WaitError(f"{self.what} did not happen in {self.seconds:g} s: {why()}")
        time.sleep(max(0.0, min(self._pause, self._end - time.monotonic())))
        self._pause = min(self._pause * 1.5, _LONGEST)

    def reset(self) -> None:
        """Look often again."""
        self._pause = _FIRST


class _Polling:
    """Has members read their configuration: at once, and again while they seem not to have."""

    def __init__(self, members: Sequence[Member], step: Step) -> None:
        self._step = step
        self._next = {one.host: 0.0 for one in members}

    def tell(self, member: Member) -> str:
        """Have a member poll when its time has come, and return why it could not."""
        if time.monotonic() < self._next[member.host]:
            return ""
        self._next[member.host] = time.monotonic() + _POLL_AGAIN
        self._step(f"have {member.host} read its configuration")
        try:
            member.poll()
        except _PASSING as error:
            return str(error)
        return ""


def wait_until(
    members: Sequence[Member],
    what: str,
    wrong: Callable[[Member], str],
    deadline: float,
    progress: Step,
    step: Step,
) -> None:
    """Have each member read its configuration, and look at it until ``wrong`` finds nothing; then it is not looked at again.

    Args:
        members: those that answer.
        what: what is waited for, for the sentences.
        wrong: returns what a member has otherwise, or an empty text.
        deadline: seconds for all of it.
        progress: told what changes.
        step: asked before each read; raises when the run was ended from outside.

    Raises:
        WaitError: it is not there in time, and what is there.
        WindowsError: one of its kinds.
    """
    clock, polling = _Clock(deadline, what), _Polling(members, step)
    left: dict[str, str] = {one.host: "" for one in members}
    while left:
        for one in members:
            if one.host not in left:
                continue
            refused = polling.tell(one)
            step(f"look at {one.host}")
            try:
                why = wrong(one)
            except _PASSING as error:
                why = refused or str(error)
            if not why:
                del left[one.host]
                progress(f"{one.host}: {what}")
                clock.reset()
            elif why != left[one.host]:
                left[one.host] = why
                progress(why)
        if left:
            clock.rest(lambda: "; ".join(left.values()))


def wait_gone(members: Sequence[Member], group: str, folder: str, deadline: float, progress: Step, step: Step) -> None:
    """Have each member read its configuration, and wait until none has the replicated folder any more.

    Args:
        members: those that answer.
        group: the group that was deleted.
        folder: its replicated folder.
        deadline: seconds for all of it.
        progress: told what changes.
        step: asked before each read; raises when the run was ended from outside.

    Raises:
        WaitError: a member still has it.
        WindowsError: one of its kinds.
    """

    def wrong(member: Member) -> str:
        found = member.folder(group, folder)
        return f"{member.host} still has the folder {folder} ({found.shown})" if found else ""

    wait_until(members, f"the group {group} is gone", wrong, deadline, progress, step)


def wait_connections(
    members: Sequence[Member], group: str, enabled: bool, deadline: float, progress: Step, step: Step
) -> None:
    """Have each member read its configuration, and wait until all connections of a group that it knows are enabled, or none is.

    Raises:
        As ``wait_gone``.
    """
    word = "enabled" if enabled else "disabled"

    def wrong(member: Member) -> str:
        known = member.connections(group)
        other = sorted({one.partner for one in known if one.enabled != enabled})
        if enabled and not known:
            return f"{member.host} knows no connection of the group {group}"
        return f"{member.host} holds the connection with {', '.join(other)} for not {word}" if other else ""

    wait_until(members, f"the connections of {group} are {word}", wrong, deadline, progress, step)


def wait_fenced(members: Sequence[Member], group: str, deadline: float, progress: Step, step: Step) -> None:
    """Have each member read its configuration, and wait until all connections of a group that it knows are disabled.

    Raises:
        As ``wait_gone``.
    """
    wait_connections(members, group, False, deadline, progress, step)


def wait_known(
    members: Sequence[Member],
    group: str,
    folder: str,
    deadline: float,
    progress: Step,
    step: Step,
    *,
    guid: str = "",
) -> None:
    """Have each member read its configuration, and wait until it has the replicated folder.

    Args:
        members, group, folder, deadline, progress, step: as for ``wait_gone``.
        guid: identifier of the group, by which a group that was created again differs from the former one; empty: any.

    Raises:
        As ``wait_gone``.
    """

    def wrong(member: Member) -> str:
        same = not guid or member.group_guid(group) == guid
        if same and member.config(group, folder):
            return ""
        return f"{member.host} does not know the folder {folder} of the group {group} yet"

    wait_until(members, f"the folder {folder} is known", wrong, deadline, progress, step)


def wait_drained(
    sender: Member,
    receiver: Member,
    group: str,
    folder: str,
    deadline: float,
    progress: Step,
    step: Step,
    *,
    pause: float = _PAUSE,
) -> list[int]:
    """Wait until ``receiver`` lacks nothing of what ``sender`` has, measured twice with a pause, and return the measurements.

    Args:
        sender, receiver: the members.
        group, folder: what they replicate.
        deadline: seconds for all of it.
        progress: told each measurement that differs from the one before.
        step: asked before each read.
        pause: seconds between the two measurements that have to be 0.

    Raises:
        WaitError: there is still a backlog, or it could not be counted.
        WindowsError: one of its kinds.
    """
    clock = _Clock(deadline, f"a backlog of 0 from {sender.host} to {receiver.host}")
    measured: list[int] = []
    zeros = 0
    why = "it was not counted"
    while True:
        step(f"count what {receiver.host} lacks of {sender.host}")
        try:
            count: int | None = backlog(sender, receiver, group, folder)
        except _PASSING as error:
            count, why = None, str(error)
        if count is not None:
            if measured[-1:] != [count]:
                progress(f"{receiver.host} lacks {count} files of {sender.host}")
            measured.append(count)
            why = f"{receiver.host} lacks {count} files of {sender.host}"
        # A zero that could not be confirmed is none.
        zeros = zeros + 1 if count == 0 else 0
        if zeros == 2:
            return measured
        if zeros == 1:
            time.sleep(pause)
        else:
            clock.rest(partial(str, why))


@dataclass(slots=True)
class _Fresh:
    """What is known of a member during its first replication."""

    member: Member
    event: int
    since: str | None
    state: int = -1
    why: str = "nothing is known of it yet"
    hung: str = ""
    waiting: bool = False
    done: bool = False
    seen: tuple[object, ...] = ()
    moved: float = field(default_factory=time.monotonic)
    restarted: bool = False

    @property
    def shown(self) -> str:
        """Return why it is not done."""
        return f"{self.why}; {self.hung}" if self.hung else self.why


def wait_replicated(
    primary: Member,
    others: Sequence[Member],
    group: str,
    folder: str,
    since: Mapping[str, str],
    deadline: float,
    progress: Step,
    step: Step,
    *,
    restart_hung: bool = False,
    hang_after: float = HANG_AFTER,
    pause: float = _PAUSE,
) -> None:
    """Wait until the first replication is over: event 4112 on the primary member, 4104 on the others, state 4, and nothing left.

    Args:
        primary: the member whose files win.
        others: the other members that answer.
        group, folder: what they replicate.
        since: inventory host to its clock (``Member.now``) before the group was made; of a member that is missing here, the state alone counts.
        deadline: seconds for all of it.
        progress: told what changes.
        step: asked before each read.
        restart_hung: restart DFS Replication once on a member that makes no progress for ``hang_after`` seconds.
        hang_after: seconds.
        pause: seconds between the two measurements of each backlog.

    Raises:
        WaitError: it is not over, and why.
        WindowsError: one of its kinds.
    """
    clock = _Clock(deadline, f"the first replication of {folder} in the group {group}")
    end = time.monotonic() + deadline
    members = [primary, *others]
    polling = _Polling(members, step)
    fresh = [_Fresh(one, PRIMARY_FINISHED if one is primary else FINISHED, since.get(one.host)) for one in members]
    while not all(one.done for one in fresh):
        for one in fresh:
            if not one.done:
                _look(one, primary, group, folder, polling, progress, step)
                if not one.done and one.member is not primary:
                    _mend(one, hang_after, restart_hung, progress, step)
        if not all(one.done for one in fresh):
            clock.rest(lambda: "; ".join(one.shown for one in fresh if not one.done))
    for other in others:
        for sender, receiver in ((primary, other), (other, primary)):
            left = max(0.0, end - time.monotonic())
            wait_drained(sender, receiver, group, folder, left, progress, step, pause=pause)


def _look(one: _Fresh, primary: Member, group: str, folder: str, polling: _Polling, progress: Step, step: Step) -> None:
    member = one.member
    step(f"look at {member.host}")
    try:
        found = member.folder(group, folder)
        if found is None:
            refused = polling.tell(member)
            _say(one, refused or f"{member.host} does not know the folder {folder} yet", progress)
            return
        numbers: set[int] = set()
        if one.since is not None:
            numbers = {event.id for event in member.events(one.since, (WAITING, one.event)) if event.of(group)}
        one.waiting = WAITING in numbers or found.state == INITIAL_SYNC
        finished = one.since is None or one.event in numbers
        one.done = finished and found.state == NORMAL
        pending = None
        if not one.done and member is not primary:
            pending = _pending(primary, member, group, folder)
        seen = (found.state, found.last_error, found.stage_mb, frozenset(numbers), pending)
    except _PASSING as error:
        _say(one, str(error), progress)
        return
    if seen != one.seen:
        one.seen, one.moved, one.hung = seen, time.monotonic(), ""
    missing = "" if finished else f", event {one.event} not seen yet"
    lacks = f", {pending} files to come" if pending is not None else ""
    _say(one, f"{member.host} is in {found.shown}{missing}{lacks}", progress)


def _pending(primary: Member, member: Member, group: str, folder: str) -> int | None:
    try:
        return backlog(primary, member, group, folder)
    except _PASSING:
        return None


def _say(one: _Fresh, text: str, progress: Step) -> None:
    if text != one.why:
        progress(text)
    one.why = text


def _mend(one: _Fresh, hang_after: float, restart: bool, progress: Step, step: Step) -> None:
    """Restart the service of a member that hangs, once; or say what it looks like."""
    if not one.waiting or time.monotonic() - one.moved < hang_after:
        return
    host = one.member.host
    if not restart or one.restarted:
        if not one.hung:
            one.hung = _HANG + (" (it was restarted once)" if one.restarted else "")
            progress(f"{host}: {one.hung}")
        return
    step(f"restart DFS Replication on {host}")
    progress(
        f"{host}: no progress for {hang_after:g} s since event 4102; DFS Replication is restarted there (KB973123)"
    )
    one.restarted, one.moved = True, time.monotonic()
    try:
        one.member.restart_service()
    except (*_PASSING, StateError) as error:
        _say(one, str(error), progress)
