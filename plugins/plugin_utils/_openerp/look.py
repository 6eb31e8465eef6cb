"""Look at an OpenERP server: what is installed, what runs, what it serves, and what its databases carry.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._backup.machine import Machine
from .._errors import LyceeError
from .._postgresql.server import Access, Database, Server
from .._windows import services
from .._windows.services import RUNNING
from .._windows.session import Session
from . import conf as conf_file
from .conf import SERVER, WEB, Conf, Value
from .databases import Fingerprint, own_login, read
from .errors import OpenErpError, ServiceError
from .installation import Part, facts, find_part, postgresql_registered, read_conf, uninstall_key
from .rpc import GOOD, Rpc, login_page
from .versions import Release

#: Databases that are nobody's work.
NO_CONTEXTS = ("postgres",)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """How the host is reached, and what is wanted of it.

    Attributes:
        session: with the Windows host.
        machine: the same, for PostgreSQL's programs.
        access: to its PostgreSQL.
        host: where OpenERP's ports are, as seen from this machine.
        login, password: of a user of OpenERP who is in every database; empty: the database's own first one.
        server_service, web_service: names, where a host has several.
        configuration: options of openerp-server.conf that are to have these values.
        timeout: seconds that an answer of OpenERP may take.
    """

    session: Session
    machine: Machine
    access: Access
    host: str
    login: str = ""
    password: str = field(default="", repr=False)
    server_service: str | None = None
    web_service: str | None = None
    configuration: Mapping[str, Value] = field(default_factory=dict)
    timeout: float = 60.0

    @property
    def name(self) -> str:
        """Return the host's name."""
        return self.session.name

    def secrets(self) -> tuple[str, ...]:
        """Return what no text may show."""
        return tuple(text for text in (self.password, self.access.password) if text)


@dataclass(slots=True)
class DatabaseState:
    """One database as it was found.

    Attributes:
        database: what PostgreSQL says of it.
        fingerprint: what its tables say; None when they could not be read (``problem``).
        listed: whether OpenERP offers it.
        login: ``good``, ``refused``, a fault; empty when nobody tried.
        problem: why it could not be read.
        nameable: whether a command line can hold its name, as that of one database.
    """

    database: Database
    fingerprint: Fingerprint | None = None
    listed: bool = False
    login: str = ""
    problem: str = ""
    nameable: bool = True

    @property
    def openerp(self) -> bool:
        """Return whether it is one of OpenERP's."""
        return self.fingerprint is not None and self.fingerprint.openerp

    @property
    def serves(self) -> bool:
        """Return whether a login was answered, good or not."""
        return self.login in (GOOD, "refused")

    def as_dict(self) -> dict[str, Any]:
        """Return it for a result."""
        return {
            "name": self.database.name,
            "size": self.database.size,
            "owner": self.database.owner,
            "listed": self.listed,
            "login": self.login,
            "problem": self.problem,
            **(self.fingerprint or Fingerprint(openerp=False)).as_dict(),
        }


@dataclass(slots=True)
class State:
    """A server as it was found; a field that could not be read is empty and ``problems`` says why.

    Attributes:
        server, web: the programs, None where there is none.
        conf, web_conf: what they read.
        registry: registry key and values of each.
        version: release of the running code.
        listed: databases that OpenERP offers; None when it could not say.
        databases: those of PostgreSQL, by name.
        page: databases that the login page offers; None when it could not say.
        drift: options of the server's configuration that are not as wanted.
        postgresql_registered: whether Windows knows an installed PostgreSQL.
        data_folder: of PostgreSQL's service.
        problems: sentences.
    """

    server: Part | None = None
    web: Part | None = None
    conf: Conf | None = None
    web_conf: Conf | None = None
    registry: dict[str, tuple[str, dict[str, tuple[str, str]]]] = field(default_factory=dict)
    version: str = ""
    listed: list[str] | None = None
    databases: dict[str, DatabaseState] = field(default_factory=dict)
    page: list[str] | None = None
    drift: list[dict[str, str]] = field(default_factory=list)
    postgresql_registered: bool = True
    data_folder: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        """Return whether OpenERP answers, reaches its databases, and each that it offers took a login that was good before or refused."""
        offered = [one for one in self.databases.values() if one.listed and one.openerp]
        return self.listed is not None and all(one.serves for one in offered)

    def served(self) -> list[str]:
        """Return the names of OpenERP's databases that it offers and that took a login, good or not."""
        return [name for name, one in self.databases.items() if one.openerp and one.listed and one.serves]

    def as_dict(self) -> dict[str, Any]:
        """Return what ``openerp_info`` documents."""
        return {
            "version": self.version,
            "healthy": self.healthy,
            "server": facts(self.server, self.registry.get(SERVER, ("", {}))[1]),
            "web": facts(self.web, self.registry.get(WEB, ("", {}))[1]),
            "listed": self.listed,
            "login_page": self.page,
            "databases": [one.as_dict() for one in self.databases.values()],
            "drift": self.drift,
            "postgresql_registered": self.postgresql_registered,
            "problems": self.problems,
        }


def rpc_of(target: Target, conf: Conf | None) -> Rpc:
    """Return the XML-RPC side, by the port of the configuration."""
    return Rpc(target.name, target.host, rpc_port(conf), target.timeout)


def part_of(target: Target, kind: str) -> Part | None:
    """Return a program as its service tells it now, None where there is none.

    Raises:
        InstallationError: there are several and none is named, or the named one is none.
    """
    name = target.server_service if kind == SERVER else target.web_service
    return find_part(services.services(target.session), kind, name, target.name)


def rpc_port(conf: Conf | None) -> int:
    """Return the port of XML-RPC."""
    return _port(conf, "xmlrpc_port", 8069)


def web_port(conf: Conf | None) -> int:
    """Return the port of the web client."""
    return _port(conf, "server.socket_port", 8080)


def _port(conf: Conf | None, name: str, default: int) -> int:
    text = (conf.text(name) or "") if conf is not None else ""
    return int(text) if text.isdigit() else default


def look(target: Target, wanted: Release, progress: Progress = lambda text: None) -> State:
    """Read a server. What cannot be read is told in the state; only a host that does not answer ends it.

    Raises:
        WindowsError: the host does not answer.
        OpenErpError: it has several OpenERP services of a kind, and none is named.
    """
    state = State()
    session = target.session
    found = services.services(session)
    state.server = find_part(found, SERVER, target.server_service, target.name)
    state.web = find_part(found, WEB, target.web_service, target.name)
    for part in (state.server, state.web):
        if part is not None:
            state.registry[part.kind.name] = uninstall_key(session, part)
    state.postgresql_registered = postgresql_registered(session)
    if state.server is None:
        state.problems.append(
            f"{target.name}: no OpenERP server is installed (no service whose program is OpenERPServerService.exe)"
        )
        return state
    state.conf = _conf(session, state, state.server)
    state.web_conf = _conf(session, state, state.web) if state.web is not None else None
    if state.conf is not None:
        state.drift = conf_file.drift(state.conf, target.configuration)
    _serving(target, state)
    _databases(target, state, wanted, progress)
    if state.web is not None and state.web.service.state == RUNNING:
        try:
            state.page = login_page(target.name, target.host, web_port(state.web_conf), target.timeout)
        except ServiceError as error:
            state.problems.append(str(error))
    return state


def _conf(session: Session, state: State, part: Part) -> Conf | None:
    try:
        return read_conf(session, part)
    except OpenErpError as error:
        state.problems.append(str(error))
        return None


def _serving(target: Target, state: State) -> None:
    if state.server is None or state.server.service.state != RUNNING:
        state.problems.append(f"{target.name}: OpenERP's service does not run")
        return
    rpc = rpc_of(target, state.conf)
    try:
        state.version = rpc.version()
        state.listed = rpc.databases()
    except ServiceError as error:
        state.problems.append(str(error))


def _databases(target: Target, state: State, wanted: Release, progress: Progress) -> None:
    try:
        server = Server(target.machine, target.access)
        server.identify()
        state.data_folder = target.machine.data_folder() or ""
        found = [one for one in server.databases() if one.connectable and one.name not in NO_CONTEXTS]
    except LyceeError as error:
        state.problems.append(str(error))
        return
    rpc = rpc_of(target, state.conf)
    for number, database in enumerate(found, 1):
        one = DatabaseState(database, listed=database.name in (state.listed or []))
        one.nameable = target.machine.can_hold(target.machine.argument(database.name)) and "," not in database.name
        state.databases[database.name] = one
        progress(f"[{number}/{len(found)}] {database.name}: read")
        try:
            one.fingerprint = read(server, database.name, wanted)
            if one.openerp and one.listed:
                one.login = try_login(target, server, rpc, database.name)
        except LyceeError as error:
            one.problem = str(error)


def try_login(target: Target, server: Server, rpc: Rpc, database: str) -> str:
    """Log in to a database, as the user who is named or as its own first one, and return how that ended.

    Raises:
        ServerError: PostgreSQL cannot be asked for the latter.
        ServiceError: OpenERP does not answer.
    """
    user, password = (target.login, target.password) if target.login else own_login(server, database)
    # Without any, a wrong password is tried: an answer that it is wrong proves as well that the database serves.
    return rpc.login(database, user or "admin", password)
