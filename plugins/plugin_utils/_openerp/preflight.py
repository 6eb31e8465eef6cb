"""What stands for and against an upgrade, read before anything is changed.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .._windows.accounts import built_in
from .._windows.services import RUNNING
from .conf import SERVER, WEB, interpolated
from .installation import minor
from .logs import Login
from .look import State
from .versions import Release, jump_problem, release, shown

BLOCKER, WARNING, NOTE = "blocker", "warning", "note"
#: What is kept free beyond what is known to be needed.
_RESERVE = 200 << 20
#: Where users of a server may not read what others put there.
_PRIVATE = "C:\\Windows\\Temp"
#: MB that an update of a whole school's database may take; the default of a remote shell is 150 (facts: quotas of WinRM 2.0).
_MEMORY = 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        severity: ``blocker`` (nothing is begun), ``warning``, ``note``.
        subject: a word: version, services, databases, users, disk, setups, configuration, backup, topology.
        text: a sentence.
    """

    severity: str
    subject: str
    text: str


@dataclass(slots=True)
class Plan:
    """What an upgrade would do.

    Attributes:
        server, web: whether their setup is run.
        databases: names of those whose data are loaded.
        findings: everything that was found.
    """

    server: bool = False
    web: bool = False
    databases: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def needed(self) -> bool:
        """Return whether there is anything to do."""
        return self.server or self.web or bool(self.databases)

    @property
    def blockers(self) -> list[Finding]:
        """Return what stands against it."""
        return [one for one in self.findings if one.severity == BLOCKER]

    def add(self, severity: str, subject: str, text: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(severity, subject, text))

    def as_dict(self) -> dict[str, Any]:
        """Return it for a result."""
        return {
            "needed": self.needed,
            "server": self.server,
            "web": self.web,
            "databases": self.databases,
            "findings": [asdict(one) for one in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Rules:
    """What the administrator decided.

    Attributes:
        to_release: what is wanted.
        web: whether the web client is upgraded with the server.
        accept_pending: databases that are updated although an update of them was interrupted.
        leave: databases that are left as they are although they cannot be read or do not answer.
        refuse_users: whether users who are at work stand against it.
        active_minutes: how far back a login counts.
    """

    to_release: Release
    web: bool = True
    accept_pending: Sequence[str] = ()
    leave: Sequence[str] = ()
    refuse_users: bool = False
    active_minutes: int = 30


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured for the plan; None where it could not be.

    Attributes:
        free: bytes of the drive with the work folder.
        data_free: bytes of the drive with PostgreSQL's data.
        one_drive: whether these are the same drive.
        folders: bytes of what is copied.
        users: who logged in lately; None where nobody can tell.
        setups: what is wrong with each setup that would be run, by kind; an empty text when nothing is.
        robocopy: whether the server has it.
        memory: MB that the programs of a remote shell may take.
        work: the work folder.
    """

    free: int | None
    folders: int | None
    users: Sequence[Login] | None
    setups: dict[str, str]
    robocopy: bool
    data_free: int | None = None
    one_drive: bool = True
    memory: int | None = None
    work: str = _PRIVATE


def make_plan(state: State, rules: Rules) -> Plan:
    """Return what is to be done, with what the state itself tells for and against it."""
    plan = Plan()
    wanted = rules.to_release
    if state.server is None or not state.version:
        plan.add(BLOCKER, "services", "; ".join(state.problems) or "OpenERP does not answer")
        return plan
    now = release(state.version)
    problem = jump_problem(now, wanted)
    if problem:
        plan.add(BLOCKER, "version", problem)
        return plan
    plan.server = now != wanted
    plan.add(
        NOTE, "version", f"{state.version} runs" + (f"; {shown(wanted)} is wanted" if plan.server else ", as wanted")
    )
    if state.web is not None and rules.web:
        # Some setups write a constant there: it is believed where the server's own is right.
        trusted = minor(state.registry[SERVER][1]) == now[2]
        told = minor(state.registry[WEB][1])
        plan.web = plan.server or (trusted and told is not None and told < wanted[2])
    elif state.web is None:
        plan.add(NOTE, "services", "no web client is installed here")
    _judge_services(plan, state)
    _judge_databases(plan, state, rules)
    _judge_configuration(plan, state)
    return plan


def _judge_services(plan: Plan, state: State) -> None:
    for problem in state.problems:
        plan.add(BLOCKER, "services", problem)
    for part in (state.server, state.web):
        if part is None:
            continue
        name = part.service.name
        if part.service.state != RUNNING and plan.needed:
            plan.add(BLOCKER, "services", f"{name} does not run; start it and see that it serves before it is upgraded")
        gets_setup = plan.server if part.kind.name == SERVER else plan.web
        if part.service.start_mode == "Disabled" and plan.needed:
            plan.add(
                BLOCKER,
                "services",
                f"{name} runs and is disabled, so it could not be started again; set it to automatic or manual",
            )
        if built_in(part.service.account) is None and gets_setup:
            plan.add(
                BLOCKER,
                "services",
                f"{name} runs as {part.service.account}; the setup makes it LocalSystem, and the password to put it back is known to you "
                "only: make it LocalSystem first",
            )
    for part in (state.server, state.web):
        other = [one.folder for one in (state.server, state.web) if one is not None and one is not part]
        for inner in (state.data_folder, *other):
            if part is not None and inner and f"{inner}\\".casefold().startswith(f"{part.folder}\\".casefold()):
                plan.add(
                    BLOCKER,
                    "services",
                    f"{inner} is inside {part.folder}, which is copied and put back as a whole; that would tear it. Move one of them",
                )
    if not state.postgresql_registered:
        plan.add(
            WARNING,
            "services",
            "Windows knows no installed PostgreSQL here (HKLM\\SOFTWARE\\PostgreSQL\\Installations): never run the all-in-one setup on this "
            "server, it would delete PostgreSQL's folder with its data",
        )


def _judge_databases(plan: Plan, state: State, rules: Rules) -> None:
    others = []
    for name, one in state.databases.items():
        if name in rules.leave:
            plan.add(NOTE, "databases", f"{name}: it is left as it is, as you said")
        elif one.problem:
            plan.add(BLOCKER, "databases", f"{name}: {one.problem}; see to it, or name it in leave")
        elif not one.openerp:
            others.append(name)
        elif not one.listed:
            plan.add(
                WARNING,
                "databases",
                f"{name}: OpenERP does not offer it (its owner is {one.database.owner}); it is left as it is",
            )
        elif not one.serves:
            plan.add(WARNING, "databases", f"{name}: it does not serve even now ({one.login}), and is left as it is")
        elif not one.nameable:
            plan.add(
                WARNING,
                "databases",
                f"{name}: its name cannot be given to OpenERP's update, so it is left as it is; rename it",
            )
        elif one.fingerprint is not None and one.fingerprint.pending and name not in rules.accept_pending:
            states = ", ".join(one.fingerprint.pending)
            plan.add(
                BLOCKER,
                "databases",
                f"{name}: an update of it was interrupted ({states}); restore it (restore_context.yml), or name it in accept_pending",
            )
        elif one.fingerprint is not None and (
            one.fingerprint.loaded is False or one.fingerprint.pending or (plan.server and not one.fingerprint.loaded)
        ):
            plan.databases.append(name)
    if others:
        plan.add(NOTE, "databases", f"no databases of OpenERP, left as they are: {', '.join(others)}")
    if state.page is not None and state.listed is not None and set(state.page) != set(state.listed):
        plan.add(
            NOTE,
            "databases",
            "the login page offers others than the server does (dblist.filter); it has to offer the same afterwards",
        )


def _judge_configuration(plan: Plan, state: State) -> None:
    if state.conf is None:
        return
    for one in state.drift:
        plan.add(
            WARNING,
            "configuration",
            f"{one['option']} of openerp-server.conf is {one['is']}, and should be {one['wanted']}; it is left so",
        )
    if len(state.conf.sections) > 1:
        plan.add(
            NOTE,
            "configuration",
            "openerp-server.conf has further sections, at which the setup's own rewriting fails; the file is put back whole",
        )
    for name in interpolated(state.conf):
        plan.add(
            BLOCKER,
            "configuration",
            f"{name} of openerp-server.conf holds '%(', with which the server cannot start again",
        )


def judge(plan: Plan, rules: Rules, measured: Measured, state: State) -> None:
    """Add what was measured to a plan."""
    for kind, problem in measured.setups.items():
        word = "server" if kind == SERVER else "web client"
        if problem:
            plan.add(BLOCKER, "setups", problem)
        else:
            plan.add(NOTE, "setups", f"the setup of the {word} is the wanted one")
    if not measured.robocopy and (plan.server or plan.web):
        plan.add(BLOCKER, "disk", "there is no robocopy.exe, by which the folders are kept; Windows has it since 2008")
    _judge_room(plan, measured, state)
    _judge_memory(plan, measured)
    severity = BLOCKER if rules.refuse_users else WARNING
    if measured.users is None:
        plan.add(severity, "users", "who logged in lately cannot be told, since the log of OpenERP cannot be read")
    elif measured.users:
        who = ", ".join(f"{one.user} in {one.database} ({one.at:%H:%M})" for one in measured.users[:6])
        more = f" and {len(measured.users) - 6} more" if len(measured.users) > 6 else ""
        plan.add(
            severity,
            "users",
            f"logged in within {rules.active_minutes} minutes: {who}{more}; they lose what they have not saved",
        )
    else:
        plan.add(NOTE, "users", f"nobody logged in within {rules.active_minutes} minutes")


def _judge_room(plan: Plan, measured: Measured, state: State) -> None:
    kept, restored = _needed(plan, measured, state)
    rooms = [("the drive of the work folder", measured.free, kept + (restored if measured.one_drive else 0))]
    if not measured.one_drive:
        rooms.append(("the drive of PostgreSQL's data", measured.data_free, restored))
    for name, free, needed in rooms:
        if free is None:
            plan.add(WARNING, "disk", f"what is free on {name} could not be read")
        elif needed > free:
            plan.add(
                BLOCKER,
                "disk",
                f"{_mb(free)} are free on {name} and {_mb(needed)} are needed for what brings the server back",
            )
        else:
            plan.add(NOTE, "disk", f"{_mb(free)} are free on {name}, {_mb(needed)} are needed")
    if not f"{measured.work}\\".casefold().startswith(f"{_PRIVATE}\\".casefold()):
        plan.add(
            WARNING,
            "disk",
            f"users of the server may be able to read {measured.work}, where dumps of every context will lie",
        )


def _judge_memory(plan: Plan, measured: Measured) -> None:
    cure = f'winrm set winrm/config/winrs @{{MaxMemoryPerShellMB="{_MEMORY}"}}'
    if measured.memory is None:
        plan.add(
            NOTE,
            "memory",
            f"what a remote shell may take could not be read; where an update ends for want of memory: {cure}",
        )
    elif 0 < measured.memory < _MEMORY and plan.databases:
        plan.add(
            BLOCKER,
            "memory",
            f"a remote shell may take {measured.memory} MB, too little for an update; on the server: {cure}",
        )


def _needed(plan: Plan, measured: Measured, state: State) -> tuple[int, int]:
    """Return the bytes of what is kept, and of what an update and a restore take beside what is there."""
    sizes = [state.databases[name].database.size for name in plan.databases]
    return (measured.folders or 0) + sum(sizes) + _RESERVE, 2 * max(sizes, default=0) + _RESERVE


def _mb(size: int) -> str:
    return f"{size / (1 << 20):.0f} MB"
