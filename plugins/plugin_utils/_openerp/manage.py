"""Bring one thing of OpenERP to what is wanted: a configuration, a program, the data of databases.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._backup.machine import Machine
from .._errors import LyceeError
from .._lease import LeaseError
from .._postgresql.server import Access, Server
from .._windows import files, services
from .._windows.quoting import quote
from .._windows.services import RUNNING
from .._windows.session import Session
from . import conf as conf_file
from .conf import SERVER, WEB, Conf
from .databases import read
from .errors import InstallationError, OpenErpError, OptionError, ServiceError
from .install import stop, write_conf
from .installation import KINDS, Part, minor, read_conf, uninstall_key
from .look import Target, part_of, rpc_of, web_port
from .rpc import login_page
from .update import check_name, end_leftovers, update
from .versions import release, shown
from .waiting import wait_until_it_answers

Step = Callable[[str], None]
Progress = Callable[[str], None]


def target_of(session: Session, machine: Machine, arguments: Mapping[str, Any]) -> Target:
    """Return how the host is reached, from the options that all modules of OpenERP share."""
    if bool(arguments["login_user"]) != bool(arguments["login_password"]):
        raise OptionError(f"{session.name}: login_user and login_password go together; give both or none")
    return Target(
        session=session,
        machine=machine,
        access=Access.of(arguments),
        host=arguments["openerp_host"] or session.address,
        login=arguments["login_user"] or "",
        password=arguments["login_password"] or "",
        server_service=arguments["server_service"],
        web_service=arguments["web_service"],
        configuration=arguments.get("configuration") or {},
        timeout=arguments["answer_timeout"],
    )


def _part(target: Target, kind: str) -> Part:
    found = part_of(target, kind)
    if found is None:
        raise InstallationError(
            f"{target.name}: OpenERP's {kind} is not installed (no service runs {KINDS[kind].wrapper})"
        )
    return found


def wait_for(target: Target, part: Part, conf: Conf, timeout: float, step: Step) -> None:
    """Wait until a program that was started serves, at the port of its configuration.

    Raises:
        ServiceError: it ended, or does not answer in time.
    """

    def ask() -> list[str]:
        if part.kind.name == SERVER:
            return rpc_of(target, conf).databases()
        return login_page(target.name, target.host, web_port(conf), target.timeout)

    wait_until_it_answers(target.session, part.service.name, ask, timeout, step)


# The configuration


def change_configuration(
    target: Target, arguments: Mapping[str, Any], *, check: bool, step: Step, progress: Progress
) -> dict[str, Any]:
    """Change options of a configuration, as ``openerp_config`` documents it.

    Raises:
        ConfError: a value would be read as another one.
        ServiceError: OpenERP does not serve with the new values; the former file is back.
        LyceeError: the host or the file cannot be used.
    """
    session, kind = target.session, arguments["program"]
    part = _part(target, kind)
    conf = read_conf(session, part)
    former = conf.to_bytes()
    changes = conf_file.apply(conf, arguments["options"])
    shown_changes = {name: {"before": before, "after": after} for name, (before, after) in changes.items()}
    # A run that was cut between the file and the restart leaves this, with which it is known that the program has not read the file.
    unread = f"{part.conf}.unread"
    cut = arguments["restart"] and files.exists(session, unread)
    result: dict[str, Any] = {
        "changed": bool(changes) or cut,
        "path": part.conf,
        "changes": shown_changes,
        "restarted": False,
        "diff": {
            "before": {name: one["before"] for name, one in shown_changes.items()},
            "after": {name: one["after"] for name, one in shown_changes.items()},
        },
    }
    if not result["changed"] or check:
        return result
    restart = arguments["restart"] and (part.service.state == RUNNING or cut)
    step("write")
    if restart:
        session.run_line(f"type nul > {quote(unread)}")
    if changes:
        progress(f"write {part.conf}")
        write_conf(session, part, conf.to_bytes())
    if not restart:
        return result
    try:
        _restart(target, part, conf, arguments["timeout"], step, progress)
    except LeaseError:
        raise
    except LyceeError as error:
        if error.unreachable or not changes:
            raise
        write_conf(session, part, former)
        _restart(target, part, Conf(kind, former, part.conf), arguments["timeout"], step, progress)
        files.remove(session, unread)
        raise ServiceError(
            f"{target.name}: OpenERP does not serve with the new values of {', '.join(changes)} ({error}); the former file is back and "
            "serves"
        ) from None
    files.remove(session, unread)
    return {**result, "restarted": True}


def _restart(target: Target, part: Part, conf: Conf, timeout: float, step: Step, progress: Progress) -> None:
    progress(f"restart {part.service.name}")
    step("stop")
    stop(target.session, part, timeout, step)
    step("start")
    services.start(target.session, part.service.name, timeout, step)
    wait_for(target, part, conf, timeout, step)


# The data


def update_databases(
    target: Target, arguments: Mapping[str, Any], *, check: bool, step: Step, progress: Progress
) -> dict[str, Any]:
    """Load a release's data into databases, as ``openerp_database_update`` documents it.

    Raises:
        OptionError: a database or the release cannot be the one; nothing was changed.
        LyceeError: the host or its PostgreSQL cannot be asked.
    """
    wanted = release(arguments["release"])
    part = _part(target, SERVER)
    now = release_of(target, part)
    if now and now != shown(wanted):
        raise OptionError(
            f"{target.name}: {now} runs, so it cannot load the data of {shown(wanted)}; upgrade the server (upgrade_openerp.yml)"
        )
    server = Server(target.machine, target.access)
    server.identify()
    present = {one.name for one in server.databases()}
    names = [check_name(name) for name in dict.fromkeys(arguments["databases"])]
    if absent := [name for name in names if name not in present]:
        raise OptionError(f"{target.name}: there is no database {', '.join(absent)} here; correct the names")
    todo: list[str] = []
    unchanged: list[str] = []
    for name in names:
        found = read(server, name, wanted)
        if not found.openerp:
            raise OptionError(f"{target.name}: {name} is no database of OpenERP")
        (todo if arguments["force"] or not found.loaded or found.pending else unchanged).append(name)
    result: dict[str, Any] = {"changed": bool(todo), "updated": [], "unchanged": unchanged}
    if not todo or check:
        return {**result, "updated": [{"database": name} for name in todo]}
    target.machine.make_private_folder(arguments["work_folder"])
    end_leftovers(target.session, arguments["work_folder"])
    for number, name in enumerate(todo, 1):
        step(f"update {name}")
        progress(f"[{number}/{len(todo)}] {name}: update")
        done = update(
            target.session,
            server,
            part,
            name,
            wanted,
            folder=arguments["work_folder"],
            secrets=target.secrets(),
            timeout=arguments["timeout"],
        )
        result["updated"].append(done.as_dict())
        if done.problem:
            rest = f"; not begun: {', '.join(todo[number:])}" if todo[number:] else ""
            text = f"{target.name}: {name}: {done.problem}{rest}. Restore it from its backup (restore_context.yml)"
            return {**result, "failed": True, "msg": text}
        progress(f"[{number}/{len(todo)}] {name}: updated in {done.seconds:.1f} s")
    return result


def release_of(target: Target, part: Part | None) -> str:
    """Return the release of a program: what the running server says; of one that does not run, and of the web client, the registry's.

    Empty where nobody can tell: some setups write a constant into the registry, so the web client's is believed where the server's own
    is what the server says.
    """
    if part is None:
        return ""
    if part.kind.name == SERVER and part.service.state == RUNNING:
        try:
            return rpc_of(target, read_conf(target.session, part)).version()
        except OpenErpError:
            pass
    number = minor(uninstall_key(target.session, part)[1])
    told = f"{part.service.name.rpartition('-')[2]}.{number}" if number is not None else ""
    if part.kind.name == WEB and told:
        server = part_of(target, SERVER)
        if server is not None and server.service.state == RUNNING:
            theirs = minor(uninstall_key(target.session, server)[1])
            runs = release_of(target, server)
            return told if runs.endswith(f".{theirs}") else ""
    return told
