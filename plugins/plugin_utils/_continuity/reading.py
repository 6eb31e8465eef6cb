"""Read one server of a pair over its session: its PostgreSQL, its copy of the cluster, and who it is.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import ipaddress
import re
import socket

from .._errors import LyceeError
from .._openerp import mirror
from .._openerp.installation import processes
from .._postgresql import controldata
from .._postgresql.cluster import Cluster, find_cluster, openerp_services
from .._postgresql.controldata import ControlData
from .._postgresql.server import shown, version_of
from .._windows import accounts, acl, files, services, wsman
from .._windows.errors import OptionError, StateError, WindowsError
from .._windows.facts import address_width
from .._windows.session import Session
from .facts import ServerFacts

#: Ports whose answer shows that a server lives, beside that of its PostgreSQL: SMB, OpenERP's XML-RPC and web client.
_PORTS = (445, 8069, 8080)
#: Seconds that a port has to answer.
_PORT_TIMEOUT = 3.0
_PID = re.compile(rb"\s*(\d+)")


def read_server(session: Session, host: str, name: str, service: str | None) -> tuple[ServerFacts, Cluster]:
    """Return what a server says of itself, without the rights of its files, and the cluster's service.

    Raises:
        OptionError: it has no PostgreSQL service, or several.
        WindowsError: it cannot be asked.
    """
    found = services.services(session)
    cluster = find_cluster(found, service, host)
    openerp = openerp_services(found)
    facts = ServerFacts(
        host=host,
        name=name,
        service=cluster.service.name,
        state=cluster.service.state,
        account=cluster.service.account,
        start_modes={one.name: one.start_mode for one in (cluster.service, *openerp)},
        openerp={one.name: one.state for one in openerp},
        data=cluster.data,
        width=address_width(session),
    )
    facts.processes = postgres_processes(session, cluster)
    facts.data_seen = files.exists(session, f"{cluster.data}\\PG_VERSION")
    if facts.data_seen:
        facts.cluster = files.read(session, f"{cluster.data}\\PG_VERSION").decode("ascii", "replace").strip()
        facts.control, facts.control_agrees = read_control(session, cluster, cluster.data)
        facts.pid = read_pid(session, cluster)
    facts.program = program_version(session, cluster)
    return facts, cluster


def postgres_processes(session: Session, cluster: Cluster) -> list[int]:
    """Return the numbers of the postgres.exe that run from the cluster's programs; one whose path cannot be read counts as one of them."""
    found = []
    for row in processes(session, "Name = 'postgres.exe'"):
        path = wsman.text(row, "ExecutablePath").replace("/", "\\")
        if not path or path.casefold().startswith(f"{cluster.bin}\\".casefold()):
            found.append(wsman.number(row, "ProcessId") or 0)
    return sorted(found)


def program_version(session: Session, cluster: Cluster) -> str:
    """Return the version that the programs say, empty where they are not there."""
    program = f"{cluster.bin}\\postgres.exe"
    if not files.exists(session, program):
        return ""
    return shown(version_of(session.run([program, "--version"]).text))


def read_control(session: Session, cluster: Cluster, data: str) -> tuple[ControlData | None, bool | None]:
    """Return what pg_controldata says of a data folder, and whether the file itself says the same."""
    control = controldata.parse(session.run([f"{cluster.bin}\\pg_controldata.exe", data]).text)
    if control is None:
        return None, False
    try:
        return control, controldata.agrees(control, files.read(session, f"{data}\\global\\pg_control"))
    except StateError:
        return control, None


def read_pid(session: Session, cluster: Cluster) -> int | None:
    """Return the process number in postmaster.pid, None for no file; 0 for one that holds none."""
    path = f"{cluster.data}\\postmaster.pid"
    if not files.exists(session, path):
        return None
    try:
        match = _PID.match(files.read(session, path))
    except StateError:
        # The postmaster removed it in the meantime, or holds it.
        return None if not files.exists(session, path) else 0
    return int(match[1]) if match is not None else 0


def read_rights(session: Session, facts: ServerFacts) -> None:
    """Fill in whether the account of the service may use every file of the cluster."""
    try:
        facts.sid = accounts.sid_of(session, facts.account or accounts.LOCAL_SYSTEM, session.computer_name)
    except OptionError:
        facts.sid = ""
    if not facts.data_seen and not files.folder_exists(session, facts.data):
        return
    try:
        rights = acl.saved(session, facts.data, below=True)
    except StateError:
        return
    facts.denied = sum(not acl.grants(entries, facts.sid, acl.RIGHTS["F"]) for entries in rights.values())


def read_room(session: Session, facts: ServerFacts, folder: str, free: int | None, timeout: float) -> None:
    """Fill in how large the cluster is, and what is free where it would be copied to.

    Args:
        session: the session.
        facts: to fill in.
        folder: of the server, that does not exist.
        free: bytes on its disk.
        timeout: seconds.
    """
    facts.free = free
    try:
        facts.size = mirror.size_of(session, facts.data, folder, timeout) if facts.data_seen else None
    except LyceeError:
        facts.size = None


def answers_ping(session: Session, address: str) -> bool | None:
    """Ask another computer from this one, by Win32_PingStatus (0: an answer); None where this one cannot tell."""
    try:
        rows = session.query(
            f"SELECT StatusCode FROM Win32_PingStatus WHERE Address = {wsman.literal(address)} AND Timeout = 2000"
        )
    except WindowsError:
        return None
    # Without a number the name could not be resolved, and nothing was asked.
    codes = [wsman.number(row, "StatusCode") for row in rows]
    return codes[0] == 0 if codes and codes[0] is not None else None


def live_ports(address: str, database_port: int) -> list[str]:
    """Return the ports of a server that answer this machine, as clauses. A port that is refused shows a running system as well.

    On a loopback address it is this machine itself that refuses, which says nothing of anybody.
    """
    try:
        local = ipaddress.ip_address(address).is_loopback
    except ValueError:
        local = address == "localhost"
    found = []
    for port in (database_port, *_PORTS):
        try:
            with socket.create_connection((address, port), timeout=_PORT_TIMEOUT):
                found.append(f"port {port} answers this machine")
        except ConnectionRefusedError:
            if not local:
                found.append(f"port {port} refuses this machine, so a system runs there")
        except OSError:
            continue
    return found
