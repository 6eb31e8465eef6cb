"""Give the PostgreSQL service of a Windows host an account that is the same everywhere, and prove that it serves.

Note that this utility is private to the collection.

OpenERP's installer runs PostgreSQL as a local account (``openpgsvc``), whose SID is another one on each server and after
each re-creation. Replicated rights then name an account that the host does not know, and the service does not start (the
source document, action 3). LocalSystem and NetworkService have the same SID everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._errors import LyceeError
from .._windows import acl, files, services, wsman
from .._windows.accounts import BUILT_IN, built_in, same_account
from .._windows.errors import OptionError, StateError, WindowsError
from .._windows.manage import computer_name
from .._windows.quoting import split_image_path
from .._windows.services import RUNNING, STOPPED, Service
from .._windows.session import Session

Step = Callable[[str], None]
#: OpenERP's services in the order in which they start; both need PostgreSQL and declare no dependency.
_OPENERP_ORDER = ("openerp-server", "openerp-web")
#: The account of OpenERP's installer and its password, which is the same everywhere and public (its setup script).
_INSTALLER_ACCOUNT, _INSTALLER_PASSWORD = "openpgsvc", "0p3npgsvcPWD"
_ADMINISTRATORS = "S-1-5-32-544"
#: Seconds between two questions to a cluster that is starting.
_INTERVAL = 0.5


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL service and what its image path says.

    Attributes:
        service: the service.
        bin: folder of the programs.
        data: folder of the cluster.
    """

    service: Service
    bin: str
    data: str


@dataclass(slots=True)
class State:
    """What was read of a cluster and its surroundings.

    Attributes:
        cluster: the service and its folders.
        account_ok: it has the wanted account.
        denied: how many paths of the data folder the wanted account may not use.
        hidden: the data folder is there and even an administrator cannot look into it.
        version: the major version of the cluster's files, ``8.4``; empty when it is hidden.
        answers: empty when a query was answered, else why not.
        openerp: OpenERP's services, in starting order.
    """

    cluster: Cluster
    account_ok: bool
    denied: int
    hidden: bool
    version: str
    answers: str
    openerp: list[Service] = field(default_factory=list)

    @property
    def served(self) -> bool:
        """Return whether a real query was answered."""
        return self.answers == ""

    @property
    def running(self) -> bool:
        """Return whether the service runs."""
        return self.cluster.service.state == RUNNING

    @property
    def needs_work(self) -> bool:
        """Return whether account, rights or the service's state are not as wanted."""
        return not self.account_ok or self.denied > 0 or self.hidden or not self.running

    @property
    def idle(self) -> list[Service]:
        """Return OpenERP's services that start by themselves and do not run: an interrupted run, or PostgreSQL's absence."""
        return [one for one in self.openerp if one.start_mode == "Auto" and one.state != RUNNING]


def find_cluster(found: list[Service], name: str | None, host: str) -> Cluster:
    """Return the PostgreSQL service: by its image path, since its name differs from one packaging to the next.

    Args:
        found: all services of the host.
        name: the one that is meant, where there are several.
        host: for sentences.

    Raises:
        OptionError: there is none, or more than one and none is named.
    """
    clusters = []
    for service in found:
        # pg_ctl registers its own path with slashes of both kinds, and a folder that ends in a backslash swallows its quote.
        argv = [argument.replace("/", "\\") for argument in split_image_path(service.path)]
        program = argv[0].rpartition("\\")[2].casefold() if argv else ""
        if program in ("pg_ctl.exe", "postgres.exe") and "-D" in argv[:-1]:
            data = argv[argv.index("-D") + 1].rstrip('\\"')
            clusters.append(Cluster(service, argv[0].rpartition("\\")[0], data))
    if name is not None:
        clusters = [one for one in clusters if one.service.name.casefold() == name.casefold()]
    if not clusters:
        wanted = f" '{name}'" if name else ""
        raise OptionError(
            f"{host}: no PostgreSQL service{wanted} is on this host (none whose program is pg_ctl.exe with -D)"
        )
    if len(clusters) > 1:
        names = ", ".join(one.service.name for one in clusters)
        raise OptionError(f"{host}: there are several PostgreSQL services ({names}); name one with the option service")
    return clusters[0]


def openerp_services(found: list[Service]) -> list[Service]:
    """Return OpenERP's services in the order in which they start."""
    ordered = []
    for prefix in _OPENERP_ORDER:
        ordered += [service for service in found if service.name.casefold().startswith(prefix)]
    return ordered


def read_state(session: Session, account: str, name: str | None, query: Mapping[str, Any]) -> State:
    """Read everything that the fix depends on.

    Raises:
        WindowsError: one of its kinds; above all when the data folder is none.
    """
    found = services.services(session)
    cluster = find_cluster(found, name, session.name)
    version, hidden = _cluster_version(session, cluster)
    denied = _denied(session, cluster, account)
    running = cluster.service.state == RUNNING
    answers = ask(session, cluster, query, version) if running else f"the service is {cluster.service.state}"
    same = same_account(account, cluster.service.account, computer_name(session))
    return State(cluster, same, denied, hidden, version, answers, openerp_services(found))


def _cluster_version(session: Session, cluster: Cluster) -> tuple[str, bool]:
    """Return the version in PG_VERSION, and whether it could not be looked at although its folder is there."""
    version_file = f"{cluster.data}\\PG_VERSION"
    if files.exists(session, version_file):
        return files.read(session, version_file).decode("ascii", "replace").strip(), False
    if not files.folder_exists(session, cluster.data):
        raise StateError(
            f"{session.name}: {cluster.data}, the data folder of the service {cluster.service.name}, does not exist; is its "
            "disk online and mounted?"
        )
    return "", True


def _denied(session: Session, cluster: Cluster, account: str) -> int:
    """Return how many paths of the data folder the account may not use; 1 when not even their rights can be read."""
    sid, mask = BUILT_IN[account][1], acl.RIGHTS["F"]
    try:
        rights = acl.saved(session, cluster.data, below=True)
    except StateError:
        return 1
    return sum(not acl.grants(entries, sid, mask) for entries in rights.values())


def ask(session: Session, cluster: Cluster, query: Mapping[str, Any], version: str) -> str:
    """Ask the cluster a real question and return an empty text, or what was said instead of an answer.

    The password stands in the environment of a shell of its own, whose messages are sealed: in no argument and no file.

    Raises:
        WindowsError: the host cannot be asked.
    """
    argv = [
        f"{cluster.bin}\\psql.exe",
        *("-h", query["host"], "-p", str(query["port"]), "-U", query["user"], "-d", query["database"]),
        *("-A", "-t", "-X", "-c", "SELECT 40 + 2"),
    ]
    # Never ask for a password; psql of 8.3 has no such option.
    if _number(version) >= (8, 4):
        argv.append("-w")
    secrets = {"PGPASSWORD": query["password"]} if query["password"] else {}
    done = session.run(argv, timeout=60, secrets=secrets)
    return "" if done.text.strip() == "42" else done.said or f"psql said nothing (exit code {done.rc})"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def fix(
    session: Session,
    arguments: Mapping[str, Any],
    *,
    check: bool,
    step: Step,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Bring the service to the wanted account and prove it; on failure put the former account back.

    Args:
        session: the session with the host.
        arguments: as ``postgresql_service_account`` documents them.
        check: only read and compare.
        step: asked before each step; raises when the run was ended from outside.
        progress: told what is being done.

    Raises:
        OptionError: the query is not answered even now, or the former account could not be put back.
        StateError: the service does not serve under the wanted account; the text says why and what state the host is in.
        WindowsError: one of its kinds.
    """
    account, timeout = arguments["account"], arguments["timeout"]
    query = {key: arguments[f"database_{key}"] for key in ("host", "port", "user", "password")}
    query["database"] = arguments["database"]
    state = read_state(session, account, arguments["service"], query)
    cluster = state.cluster
    result = _result(state, account)
    if state.running and not state.served:
        raise OptionError(
            f"{session.name}: {cluster.service.name} runs and does not answer a query even now, so nothing was changed: "
            f"{state.answers}. Correct database_password, database_user or database_port"
        )
    password = _former_password(session, cluster.service, arguments) if not state.account_ok else ""
    if not state.needs_work and not state.idle:
        return result
    result["changed"] = True
    if check:
        return result
    wanted = {one.name for one in state.openerp if one.state == RUNNING or one.start_mode == "Auto"}
    openerp = [one for one in state.openerp if one.name in wanted]
    if state.needs_work:
        started = services.call_time(session)
        try:
            _change(session, state, account, timeout, query, step, progress)
        except LyceeError as error:
            raise _back(session, state, arguments, password, openerp, started, error, progress) from None
    failures = []
    for one in openerp:
        _say(progress, step, f"start {one.name}")
        try:
            services.start(session, one.name, timeout, step)
        except WindowsError as error:
            failures.append(str(error))
    if failures:
        raise StateError(f"{session.name}: PostgreSQL serves as {account}, and then: {'; '.join(failures)}")
    proven = read_state(session, account, cluster.service.name, query)
    return {**_result(proven, account), "changed": True, "diff": result["diff"]}


def _former_password(session: Session, service: Service, arguments: Mapping[str, Any]) -> str:
    """Return the password that puts the former account back; refuse before anything is changed when there is none."""
    if built_in(service.account) is not None:
        return ""
    if arguments["former_password"] is not None:
        return str(arguments["former_password"])
    if service.account.rpartition("\\")[2].casefold() == _INSTALLER_ACCOUNT:
        return _INSTALLER_PASSWORD
    raise OptionError(
        f"{session.name}: {service.name} runs as {service.account}, which could not be put back without its password; give "
        "it as former_password"
    )


def _change(
    session: Session,
    state: State,
    account: str,
    timeout: float,
    query: Mapping[str, Any],
    step: Step,
    progress: Callable[[str], None],
) -> None:
    """Stop what uses the cluster, give rights and account, start, and prove."""
    cluster = state.cluster
    name = cluster.service.name
    for one in reversed(state.openerp):
        if one.state == RUNNING:
            _say(progress, step, f"stop {one.name}")
            services.stop(session, one.name, timeout, step)
    if state.cluster.service.state != STOPPED:
        _say(progress, step, f"stop {name}")
        services.stop(session, name, timeout, step)
    if state.hidden:
        # Rights that name nobody of this host leave only the right of an administrator to take the files over.
        _say(progress, step, "take the data folder over")
        acl.set_owner(session, cluster.data, _ADMINISTRATORS, below=True)
        acl.grant(session, cluster.data, _ADMINISTRATORS, "F", inherit=True, below=True)
    if state.denied or state.hidden:
        _say(progress, step, f"grant {account} the data folder")
        acl.grant(session, cluster.data, BUILT_IN[account][1], "F", inherit=True, below=True)
    if not state.account_ok:
        _say(progress, step, f"run {name} as {account}")
        services.change(session, name, StartName=BUILT_IN[account][0], StartPassword="")
    _say(progress, step, f"start {name}")
    services.start(session, name, timeout, step)
    _prove(session, account, name, timeout, query, step)


def _prove(session: Session, account: str, name: str, timeout: float, query: Mapping[str, Any], step: Step) -> None:
    """Ask until the cluster answers: a service that runs may still be recovering its files, for minutes after a crash."""
    deadline = time.monotonic() + timeout
    while True:
        state = read_state(session, account, name, query)
        if state.running and state.served and state.account_ok and not state.denied:
            return
        wrong = _what_is_wrong(state, account)
        if not state.running or state.denied or not state.account_ok or time.monotonic() > deadline:
            raise StateError(f"{session.name}: {wrong}")
        step("ask the cluster again")
        time.sleep(_INTERVAL)


def _say(progress: Callable[[str], None], step: Step, text: str) -> None:
    step(text)
    progress(text)


def _result(state: State, account: str) -> dict[str, Any]:
    service = state.cluster.service
    before = {"account": service.account, "paths_denied": state.denied, "serves": state.served}
    after = {
        "account": service.account if state.account_ok else BUILT_IN[account][0],
        "paths_denied": 0,
        "serves": True,
    }
    return {
        "changed": False,
        "service": service.as_dict(),
        "data_folder": state.cluster.data,
        "cluster_version": state.version,
        "paths_denied": state.denied,
        "serves": state.served,
        "answer": state.answers or "42",
        "openerp_services": [one.name for one in state.openerp],
        "openerp_stopped": [one.name for one in state.idle],
        "diff": {"before": before, "after": after},
    }


def _what_is_wrong(state: State, account: str) -> str:
    wrong = []
    if not state.account_ok:
        wrong.append(f"the service runs as {state.cluster.service.account}, not {account}")
    if state.hidden:
        wrong.append(f"{state.cluster.data} cannot be looked into, or holds no cluster (PG_VERSION is not seen)")
    if state.denied:
        wrong.append(f"{account} may not use {state.denied} paths of {state.cluster.data}")
    if not state.served:
        wrong.append(f"the cluster does not answer a query: {state.answers}")
    return "; ".join(wrong)


def _back(
    session: Session,
    state: State,
    arguments: Mapping[str, Any],
    password: str,
    openerp: list[Service],
    started: str,
    error: LyceeError,
    progress: Callable[[str], None],
) -> StateError:
    """Put the former account back, start what ran, look, and return the error that says what failed and how the host is left.

    Each step is tried whatever became of the one before; the account comes first, since Windows takes it in any state.
    """
    service, timeout = state.cluster.service, arguments["timeout"]
    former = built_in(service.account)
    name = BUILT_IN[former][0] if former else service.account
    said = [f"{error}{event_reason(session, started)}"]

    def attempt(text: str, work: Callable[[], object]) -> None:
        progress(text)
        try:
            work()
        except WindowsError as second:
            said.append(str(second))

    def account_back() -> None:
        now = services.service(session, service.name)
        if not same_account(now.account, service.account, computer_name(session)):
            services.change(session, service.name, StartName=name, StartPassword=password)

    attempt(f"put the account {service.account} back", account_back)
    if state.running:
        attempt(f"stop {service.name}", lambda: services.stop(session, service.name, timeout))
        attempt(f"start {service.name}", lambda: services.start(session, service.name, timeout))
        for one in openerp:
            if one.state == RUNNING:
                attempt(f"start {one.name}", lambda one=one: services.start(session, one.name, timeout))  # type: ignore[misc]
    try:
        now = services.service(session, service.name)
        said.append(
            f"{service.name} is now {now.state} as {now.account}, and was {service.state} as {service.account} before"
        )
    except WindowsError as second:
        said.append(f"its state could not be read: {second}")
    return StateError(". ".join(said))


def event_reason(session: Session, since: str) -> str:
    """Return what the event log says since ``since`` of PostgreSQL and of services, as the end of a sentence.

    The text of an event is localized and only shown; nothing is decided by it.

    Args:
        session: the session.
        since: a time as WQL wants it.
    """
    # Without the name of a log, all of them would be looked through, which takes longer than an operation may.
    condition = (
        "(Logfile = 'Application' OR Logfile = 'System') AND "
        "(SourceName = 'PostgreSQL' OR SourceName = 'Service Control Manager') AND "
        f"EventType <> 3 AND TimeWritten >= {wsman.literal(since)}"
    )
    try:
        rows = session.query(
            f"SELECT Message, InsertionStrings, SourceName, RecordNumber FROM Win32_NTLogEvent WHERE {condition}"
        )
    except WindowsError as error:
        return f" (the event log could not be read: {error})"
    # PostgreSQL's own words say more than those of the service manager.
    rows.sort(
        key=lambda row: (wsman.text(row, "SourceName") != "PostgreSQL", -(wsman.number(row, "RecordNumber") or 0))
    )
    for row in rows:
        # Without the file of its messages Windows has no Message, only what was to be put into it.
        message = wsman.text(row, "Message") or " ".join(wsman.texts(row, "InsertionStrings"))
        if message.strip():
            return f" (event log: {' '.join(message.split())[:300]})"
    return ""
