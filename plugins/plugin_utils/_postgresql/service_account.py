"""Give the PostgreSQL service of a Windows host an account that is the same everywhere, and prove that it serves.

Note that this utility is private to the collection.

OpenERP's installer runs PostgreSQL as a local account (``openpgsvc``), whose SID is another one on each server and after
each re-creation. Replicated rights then name an account that the host does not know, and the service does not start (the
source document, action 3). LocalSystem and NetworkService have the same SID everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._windows import acl, files, services, wsman
from .._windows.accounts import BUILT_IN, built_in, same_account
from .._windows.errors import OptionError, StateError, WindowsError
from .._windows.manage import computer_name
from .._windows.quoting import split
from .._windows.services import RUNNING, STOPPED, Service
from .._windows.session import Session

Step = Callable[[str], None]
#: OpenERP's services in the order in which they start; both need PostgreSQL and declare no dependency.
_OPENERP_ORDER = ("openerp-server", "openerp-web")


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
        owned: the data folder looks like a cluster's (PG_VERSION).
        version: the major version of the cluster's files, ``8.4``.
        answers: a query was answered, or why not.
        openerp: OpenERP's services, in starting order.
    """

    cluster: Cluster
    account_ok: bool
    denied: int
    version: str
    answers: str
    openerp: list[Service] = field(default_factory=list)

    @property
    def served(self) -> bool:
        """Return whether a real query was answered."""
        return self.answers == ""


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
        argv = [argument.replace("/", "\\") for argument in split(service.path)]
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
    version_file = f"{cluster.data}\\PG_VERSION"
    if not files.exists(session, version_file):
        raise StateError(
            f"{session.name}: {cluster.data}, the data folder of the service {cluster.service.name}, holds no cluster "
            "(PG_VERSION is missing); is its disk online and mounted?"
        )
    version = files.read(session, version_file).decode("ascii", "replace").strip()
    sid, mask = BUILT_IN[account][1], acl.RIGHTS["F"]
    rights = acl.saved(session, cluster.data, below=True)
    denied = sum(not acl.grants(entries, sid, mask) for entries in rights.values())
    running = cluster.service.state == RUNNING
    answers = ask(session, cluster, query) if running else f"the service is {cluster.service.state}"
    same = same_account(account, cluster.service.account, computer_name(session))
    return State(cluster, same, denied, version, answers, openerp_services(found))


def ask(session: Session, cluster: Cluster, query: Mapping[str, Any]) -> str:
    """Ask the cluster a real question and return an empty text, or what was said instead of an answer.

    The password stands in the environment of a shell of its own, whose messages are sealed: in no argument and no file.

    Raises:
        WindowsError: the host cannot be asked.
    """
    argv = [
        f"{cluster.bin}\\psql.exe",
        *("-h", query["host"], "-p", str(query["port"]), "-U", query["user"], "-d", query["database"]),
        *("-A", "-t", "-X", "-w", "-c", "SELECT 40 + 2"),
    ]
    secrets = {"PGPASSWORD": query["password"]} if query["password"] else {}
    done = session.run(argv, timeout=60, secrets=secrets)
    return "" if done.text.strip() == "42" else done.said or f"psql said nothing (exit code {done.rc})"


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
        StateError: the service does not serve under the wanted account; the text says why and what state the host is in.
        WindowsError: one of its kinds.
    """
    account, timeout = arguments["account"], arguments["timeout"]
    query = {key: arguments[f"database_{key}"] for key in ("host", "port", "user", "password")}
    query["database"] = arguments["database"]
    state = read_state(session, account, arguments["service"], query)
    cluster = state.cluster
    result = _result(state, account)
    if state.account_ok and not state.denied and state.served:
        return result
    result["changed"] = True
    if check:
        return result
    running = [one for one in state.openerp if one.state == RUNNING]
    started = services.call_time(session)
    changed = False
    try:
        for one in reversed(running):
            _say(progress, step, f"stop {one.name}")
            services.stop(session, one.name, timeout, step)
        _say(progress, step, f"stop {cluster.service.name}")
        services.stop(session, cluster.service.name, timeout, step)
        if state.denied:
            _say(progress, step, f"grant {account} the data folder")
            acl.grant(session, cluster.data, BUILT_IN[account][1], "F", inherit=True, below=True)
        if not state.account_ok:
            _say(progress, step, f"run {cluster.service.name} as {account}")
            changed = True
            services.change(session, cluster.service.name, StartName=BUILT_IN[account][0], StartPassword="")
        _say(progress, step, f"start {cluster.service.name}")
        services.start(session, cluster.service.name, timeout, step)
        proven = read_state(session, account, cluster.service.name, query)
        if not proven.account_ok or proven.denied or not proven.served:
            raise StateError(f"{session.name}: {_what_is_wrong(proven, account)}")
    except WindowsError as error:
        raise _back(session, state, arguments, changed, running, started, error, progress) from None
    failures = []
    for one in running:
        _say(progress, step, f"start {one.name}")
        try:
            services.start(session, one.name, timeout, step)
        except WindowsError as error:
            failures.append(str(error))
    if failures:
        raise StateError(f"{session.name}: PostgreSQL serves as {account}, and then: {'; '.join(failures)}")
    return {**_result(proven, account), "changed": True, "diff": result["diff"]}


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
        "diff": {"before": before, "after": after},
    }


def _what_is_wrong(state: State, account: str) -> str:
    wrong = []
    if not state.account_ok:
        wrong.append(f"the service runs as {state.cluster.service.account}, not {account}")
    if state.denied:
        wrong.append(f"{account} may not use {state.denied} paths of {state.cluster.data}")
    if not state.served:
        wrong.append(f"the cluster does not answer a query: {state.answers}")
    return "; ".join(wrong)


def _back(
    session: Session,
    state: State,
    arguments: Mapping[str, Any],
    changed: bool,
    running: list[Service],
    started: str,
    error: WindowsError,
    progress: Callable[[str], None],
) -> StateError:
    """Put the former account back and start what ran; return the error that says what failed and how the host is left."""
    service, timeout = state.cluster.service, arguments["timeout"]
    said = [f"{error}{event_reason(session, started)}"]
    former = built_in(service.account)
    try:
        if changed:
            progress(f"put the account {service.account} back")
            services.stop(session, service.name, timeout)
            name = BUILT_IN[former][0] if former else service.account
            password = "" if former else arguments["former_password"]
            services.change(session, service.name, StartName=name, StartPassword=password)
            said.append(f"the former account {service.account} was put back")
        if service.state == RUNNING:
            services.start(session, service.name, timeout)
            for one in running:
                services.start(session, one.name, timeout)
            said.append(f"{service.name} runs as before")
        else:
            said.append(f"{service.name} is {STOPPED}, as it was before")
    except WindowsError as second:
        said.append(f"and the former state could not be reached: {second}")
    return StateError(". ".join(said))


def event_reason(session: Session, since: str) -> str:
    """Return what the event log says since ``since`` of PostgreSQL and of services, as the end of a sentence.

    The text of an event is localized and only shown; nothing is decided by it.
    """
    condition = (
        f"TimeWritten >= {wsman.literal(since)} AND "
        "(SourceName = 'PostgreSQL' OR SourceName = 'Service Control Manager') AND EventType <> 3"
    )
    try:
        rows = session.query(
            f"SELECT Message, SourceName, TimeWritten, RecordNumber FROM Win32_NTLogEvent WHERE {condition}"
        )
    except WindowsError:
        return ""
    # PostgreSQL's own words say more than those of the service manager.
    rows.sort(
        key=lambda row: (wsman.text(row, "SourceName") != "PostgreSQL", -(wsman.number(row, "RecordNumber") or 0))
    )
    messages = [" ".join(wsman.text(row, "Message").split()) for row in rows]
    shown = next((message for message in messages if message), "")
    return f" (event log: {shown[:300]})" if shown else ""
