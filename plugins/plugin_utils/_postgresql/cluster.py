"""Read the PostgreSQL cluster of a Windows host: its service, its folder's rights, whether it answers, and what the log says.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._windows import acl, files, services, wsman
from .._windows.accounts import BUILT_IN, same_account
from .._windows.errors import OptionError, StateError, WindowsError
from .._windows.quoting import split_image_path
from .._windows.services import RUNNING, Service
from .._windows.session import Session

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
    answers = ask(session, cluster, query, version)
    same = same_account(account, cluster.service.account, session.computer_name)
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
    """Ask the cluster a real question and return an empty text, or what was said instead; one that does not run is not asked.

    The password stands in the environment of a shell of its own, whose messages are sealed: in no argument and no file.

    Raises:
        WindowsError: the host cannot be asked.
    """
    if cluster.service.state != RUNNING:
        return f"the service is {cluster.service.state}"
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


def what_is_wrong(state: State, account: str) -> str:
    """Return what of ``state`` is not as wanted, as clauses of a sentence."""
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
