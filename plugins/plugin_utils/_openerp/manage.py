"""Bring one thing of OpenERP to what is wanted: a configuration, a program, the data of databases.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from .._backup.machine import Machine
from .._errors import LyceeError
from .._postgresql.server import Access, Server
from .._windows import files, services
from .._windows.services import RUNNING
from .._windows.session import Session
from . import conf as conf_file
from .conf import SERVER, WEB, Conf
from .databases import read
from .errors import InstallationError, OpenErpError, OptionError, ServiceError, UpdateError
from .install import Settings, check_folder, put_over, stop
from .installation import KINDS, Part, all_services, find_part, minor, postgresql_registered, read_conf, uninstall_key
from .look import Target, rpc_of, web_port
from .rpc import login_page
from .source import bring, setup_of
from .source import look as look_at_setup
from .update import check_name, update
from .versions import jump_problem, release, shown

Step = Callable[[str], None]
Progress = Callable[[str], None]
_INTERVAL = 0.5
#: Where a configuration is kept on the host while a setup may have overwritten it.
_KEPT = "kept-{kind}.conf"


def target_of(session: Session, machine: Machine, arguments: Mapping[str, Any]) -> Target:
    """Return how the host is reached, from the options that all modules of OpenERP share."""
    if bool(arguments["login_user"]) != bool(arguments["login_password"]):
        raise OptionError(f"{session.name}: login_user and login_password go together; give both or none")
    access = Access(
        host=arguments["database_host"],
        port=arguments["database_port"],
        user=arguments["database_user"],
        password=arguments["database_password"] or "",
        bin=arguments["pg_bin"],
        database=arguments["database"],
    )
    return Target(
        session=session,
        machine=machine,
        access=access,
        host=arguments["openerp_host"] or session.address,
        login=arguments["login_user"] or "",
        password=arguments["login_password"] or "",
        server_service=arguments["server_service"],
        web_service=arguments["web_service"],
        configuration=arguments.get("configuration") or {},
        timeout=arguments["answer_timeout"],
    )


def _part(target: Target, kind: str) -> Part:
    name = target.server_service if kind == SERVER else target.web_service
    found = find_part(all_services(target.session), kind, name, target.name)
    if found is None:
        raise InstallationError(
            f"{target.name}: OpenERP's {kind} is not installed (no service runs {KINDS[kind].wrapper})"
        )
    return found


def wait_until_it_answers(target: Target, part: Part, conf: Conf, timeout: float, step: Step) -> None:
    """Wait for a real answer of a program that was started; one that ends meanwhile ends the wait.

    Raises:
        ServiceError: it ended, or does not answer in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            if part.kind.name == SERVER:
                rpc_of(target, conf).databases()
            else:
                login_page(target.name, target.host, web_port(conf), target.timeout)
        except ServiceError:
            if services.service(target.session, part.service.name).state != RUNNING or time.monotonic() > deadline:
                raise
        else:
            return
        step(f"wait for {part.service.name}")
        time.sleep(_INTERVAL)


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
    result: dict[str, Any] = {
        "changed": bool(changes),
        "path": part.conf,
        "changes": shown_changes,
        "restarted": False,
        "diff": {
            "before": {name: one["before"] for name, one in shown_changes.items()},
            "after": {name: one["after"] for name, one in shown_changes.items()},
        },
    }
    if not changes or check:
        return result
    restart = arguments["restart"] and part.service.state == RUNNING
    step("write")
    progress(f"write {part.conf}")
    _write(session, part, conf.to_bytes())
    if not restart:
        return result
    try:
        _restart(target, part, conf, arguments["timeout"], step, progress)
    except LyceeError as error:
        if error.unreachable:
            raise
        _write(session, part, former)
        _restart(target, part, Conf(kind, former, part.conf), arguments["timeout"], step, progress)
        raise ServiceError(
            f"{target.name}: OpenERP does not serve with the new values of {', '.join(changes)} ({error}); the former file is back and "
            "serves"
        ) from None
    return {**result, "restarted": True}


def _write(session: Session, part: Part, data: bytes) -> None:
    files.write(session, part.conf, data)
    if files.read(session, part.conf) != data:
        raise InstallationError(f"{session.name}: {part.conf} does not read back as it was written")


def _restart(target: Target, part: Part, conf: Conf, timeout: float, step: Step, progress: Progress) -> None:
    progress(f"restart {part.service.name}")
    step("stop")
    stop(target.session, part, timeout, step)
    step("start")
    services.start(target.session, part.service.name, timeout, step)
    wait_until_it_answers(target, part, conf, timeout, step)


# A setup


def install(
    target: Target, arguments: Mapping[str, Any], *, check: bool, step: Step, progress: Progress
) -> dict[str, Any]:
    """Run a setup over what is there, or where nothing is, as ``openerp_install`` documents it.

    Raises:
        OptionError, SourceError: the setup is not the wanted one; nothing was changed.
        InstallationError: it failed, or something is not as it should be afterwards.
    """
    session, kind, wanted = target.session, arguments["program"], release(arguments["release"])
    setup = setup_of("openerp_install", arguments["source"], arguments["sha256"])
    name = target.server_service if kind == SERVER else target.web_service
    part = find_part(all_services(session), kind, name, target.name)
    now = _release_of(target, part)
    folder = part.folder if part is not None else arguments["folder"]
    if not folder:
        raise OptionError(
            f"{target.name}: OpenERP's {kind} is not installed here; name the folder of a fresh installation"
        )
    folder = check_folder(folder)
    if now and (problem := jump_problem(release(now), wanted)):
        raise OptionError(f"{target.name}: {problem}")
    kept = f"{arguments['work_folder']}\\{_KEPT.format(kind=kind)}"
    cut = files.exists(session, kept)
    result: dict[str, Any] = {
        "changed": now != shown(wanted) or cut,
        "folder": folder,
        "from": now,
        "to": now,
        "diff": {"before": {"release": now or "(none)"}, "after": {"release": shown(wanted)}},
    }
    if not result["changed"]:
        return result
    if check:
        if problem := look_at_setup(session, setup, arguments["timeout"]):
            raise OptionError(problem)
        return {**result, "to": shown(wanted)}
    target.machine.make_private_folder(arguments["work_folder"])
    step("bring the setup")
    progress(f"bring {setup.name}")
    path = bring(session, setup, arguments["work_folder"], 3600)
    registered = postgresql_registered(session)
    if part is None:
        found = _fresh(target, kind, folder, path, arguments, step, progress)
        put_back: list[str] = []
    else:
        found, put_back = _over(target, part, path, kept, arguments, step, progress)
    progress(f"start {found.service.name}")
    services.start(session, found.service.name, arguments["timeout"], step)
    wait_until_it_answers(target, found, read_conf(session, found), arguments["timeout"], step)
    after = _release_of(target, _part(target, kind))
    if after != shown(wanted):
        raise InstallationError(f"{target.name}: {after or 'nothing'} runs after the setup, not {shown(wanted)}")
    if files.exists(session, kept):
        files.remove(session, kept)
    warnings = (
        []
        if registered
        else [
            f"{target.name}: Windows knows no installed PostgreSQL here; never run the all-in-one setup, it would delete PostgreSQL's data"
        ]
    )
    return {**result, "to": after, "put_back": put_back, "warnings": warnings}


def _release_of(target: Target, part: Part | None) -> str:
    """Return the release of a program: what the running server says; of the web client, and of one that does not run, the registry."""
    if part is None:
        return ""
    if part.kind.name == SERVER and part.service.state == RUNNING:
        try:
            return rpc_of(target, read_conf(target.session, part)).version()
        except OpenErpError:
            pass
    number = minor(uninstall_key(target.session, part)[1])
    series = part.service.name.rpartition("-")[2]
    return f"{series}.{number}" if number is not None else ""


def _fresh(
    target: Target, kind: str, folder: str, path: str, arguments: Mapping[str, Any], step: Step, progress: Progress
) -> Part:
    progress(f"install OpenERP's {kind} into {folder}")
    found, _changed = put_over(
        target.session,
        KINDS[kind],
        folder,
        path,
        None,
        None,
        timeout=arguments["setup_timeout"],
        stop_timeout=arguments["timeout"],
        step=step,
        quiet=step,
    )
    if kind == SERVER:
        conf = read_conf(target.session, found)
        access = target.access
        wanted = {
            "db_host": access.host,
            "db_port": access.port,
            "db_user": access.user,
            **({"db_password": access.password} if access.password else {}),
            **arguments["configuration"],
        }
        if conf_file.apply(conf, wanted):
            step("write the configuration")
            _write(target.session, found, conf.to_bytes())
    return found


def _over(
    target: Target, part: Part, path: str, kept: str, arguments: Mapping[str, Any], step: Step, progress: Progress
) -> tuple[Part, list[str]]:
    """Run a setup over an installation; the web client, which needs the server, stands meanwhile."""
    session, kind = target.session, part.kind.name
    settings = Settings.of(session, part)
    web = find_part(all_services(session), WEB, target.web_service, target.name) if kind == SERVER else None
    web_ran = web is not None and web.service.state == RUNNING
    if not files.exists(session, kept):
        # A run that was cut after the setup finds the right one here and the setup's own in its place.
        files.copy(session, part.conf, kept)
    data = files.read(session, kept)
    for one in (web, part):
        if one is not None and one.service.state == RUNNING:
            progress(f"stop {one.service.name}")
            stop(session, one, arguments["timeout"], step)
    progress(f"run {path.rpartition(chr(92))[2]}")
    found, changed = put_over(
        session,
        part.kind,
        part.folder,
        path,
        data,
        settings,
        timeout=arguments["setup_timeout"],
        stop_timeout=arguments["timeout"],
        step=step,
        quiet=step,
    )
    if web_ran and web is not None:
        services.start(session, found.service.name, arguments["timeout"], step)
        services.start(session, web.service.name, arguments["timeout"], step)
    return found, changed


# The data


def update_databases(
    target: Target, arguments: Mapping[str, Any], *, check: bool, step: Step, progress: Progress
) -> dict[str, Any]:
    """Load a release's data into databases, as ``openerp_database_update`` documents it.

    Raises:
        UpdateError: one failed; those after it were not begun.
        LyceeError: the host or its PostgreSQL cannot be asked.
    """
    wanted = release(arguments["release"])
    part = _part(target, SERVER)
    now = _release_of(target, part)
    if now and now != shown(wanted):
        raise OptionError(
            f"{target.name}: {now} runs, so it cannot load the data of {shown(wanted)}; upgrade the server (upgrade_openerp.yml)"
        )
    server = Server(target.machine, target.access)
    server.identify()
    present = {one.name for one in server.databases()}
    names = [check_name(name) for name in arguments["databases"]]
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
    for number, name in enumerate(todo, 1):
        step(f"update {name}")
        progress(f"[{number}/{len(todo)}] {name}: update")
        done = update(
            target.session,
            server,
            part,
            name,
            wanted,
            modules=arguments["modules"],
            folder=arguments["work_folder"],
            secrets=target.secrets(),
            timeout=arguments["timeout"],
        )
        result["updated"].append(done.as_dict())
        if done.problem:
            later = todo[number:]
            rest = f"; not begun: {', '.join(later)}" if later else ""
            raise UpdateError(
                f"{target.name}: {name}: {done.problem}{rest}. Restore it from its backup (restore_context.yml)"
            )
        progress(f"[{number}/{len(todo)}] {name}: updated in {done.seconds:.1f} s")
    return result
