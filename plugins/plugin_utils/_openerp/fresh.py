"""Run one setup, over what is there or where nothing is, and prove what comes of it.

Note that this utility is private to the collection.

What a run would need after it was cut stands on the host before the setup is run: the configuration, the settings of the service, and
whether the web client was running. The run after it finds them and completes what was begun.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import LyceeError
from .._lease import LeaseError
from .._windows import files, services
from .._windows.accounts import built_in
from .._windows.services import RUNNING
from . import conf as conf_file
from .conf import SERVER, WEB, interpolated
from .errors import InstallationError, OptionError
from .install import Settings, check_folder, put_over, stop, write_conf
from .installation import KINDS, Part, find_part, minor, postgresql_registered, read_conf, uninstall_key
from .look import Target, part_of, rpc_of
from .manage import release_of, wait_for
from .source import bring, setup_of
from .source import look as look_at_setup
from .versions import jump_problem, release, shown

Step = Callable[[str], None]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Begun:
    """A setup that was begun and not ended, as it stands on the host.

    Attributes:
        release: that it brings.
        settings: of the service before; None for a fresh installation.
        web_ran: whether the web client was running.
    """

    release: str
    settings: dict[str, Any] | None
    web_ran: bool


def install(
    target: Target,
    arguments: Mapping[str, Any],
    *,
    check: bool,
    step: Step,
    progress: Progress,
    partners: Callable[[], list[str]] = list,
) -> dict[str, Any]:
    """Run a setup over what is there, or where nothing is, as ``openerp_install`` documents it.

    Raises:
        OptionError, SourceError: the setup is not the wanted one, or something stands against it; nothing was changed.
        InstallationError: it failed, or something is not as it should be afterwards.
    """
    session, kind, wanted = target.session, arguments["program"], release(arguments["release"])
    if kind == WEB and arguments["configuration"]:
        raise OptionError(
            f"{target.name}: configuration is for the server; change the web client's file with openerp_config"
        )
    setup = setup_of(kind, shown(wanted), arguments["source"], arguments["sha256"])
    part = _find(target, kind)
    now = release_of(target, part)
    if part is None and not arguments["folder"]:
        raise OptionError(
            f"{target.name}: OpenERP's {kind} is not installed here; name the folder of a fresh installation"
        )
    folder = check_folder(part.folder if part is not None else arguments["folder"])
    begun = _read_begun(target, kind, arguments)
    if begun is not None and begun.release != shown(wanted):
        raise OptionError(
            f"{target.name}: an installation of {begun.release} was begun and not ended; run it once more for that release"
        )
    unknown = part is not None and not now
    changed = (
        begun is not None or part is None or (now != shown(wanted) and not unknown) or (unknown and arguments["force"])
    )
    result: dict[str, Any] = {
        "changed": changed,
        "folder": folder,
        "from": now,
        "to": now,
        "diff": {"before": {"release": now or "(none)"}, "after": {"release": shown(wanted)}},
        "warnings": [],
    }
    if unknown and not changed:
        result["warnings"] = [
            f"{target.name}: nobody can tell which release of the {kind} this is; force: true runs the setup"
        ]
    if not changed:
        return result
    if begun is None:
        _refuse(target, part, now, shown(wanted))
    if check:
        if problem := look_at_setup(session, setup, arguments["timeout"]):
            raise OptionError(problem)
        return {**result, "to": shown(wanted)}
    if arguments["standby"] and (names := partners()):
        raise OptionError(
            f"{target.name}: it is the standby of its pair and replicates with {', '.join(names)}, so what is installed here would go there; run "
            "upgrade_openerp.yml for both servers and localhost, which suspends the replication"
        )
    target.machine.make_private_folder(arguments["work_folder"])
    step("bring the setup")
    progress(f"bring {setup.name}")
    path = bring(session, setup, arguments["work_folder"], arguments["copy_timeout"])
    try:
        if begun is None:
            begun = _begin(target, kind, part, shown(wanted), arguments)
        found, put_back = _run(target, kind, folder, path, begun, arguments, step, progress)
        _prove(target, kind, found, begun, shown(wanted), arguments, step, progress)
    except LeaseError:
        raise
    except LyceeError as error:
        if error.unreachable:
            raise
        raise InstallationError(
            f"{error}. OpenERP may stand still; what it needs is kept in {arguments['work_folder']}, and the same task completes it once "
            "that is mended"
        ) from None
    for name in (_state(kind, arguments), _conf(kind, arguments)):
        if files.exists(session, name):
            files.remove(session, name)
    if not postgresql_registered(session):
        result["warnings"].append(
            f"{target.name}: Windows knows no installed PostgreSQL here; never run the all-in-one setup, it would delete PostgreSQL's data"
        )
    return {**result, "to": shown(wanted), "put_back": put_back}


def _find(target: Target, kind: str) -> Part | None:
    if find_part(services.services(target.session), kind, None, target.name) is None:
        return None
    return part_of(target, kind)


def _refuse(target: Target, part: Part | None, now: str, wanted: str) -> None:
    """Raise for what stands against a setup."""
    if now and (problem := jump_problem(release(now), release(wanted))):
        raise OptionError(f"{target.name}: {problem}")
    if part is None:
        return
    if built_in(part.service.account) is None:
        raise OptionError(
            f"{target.name}: {part.service.name} runs as {part.service.account}; the setup makes it LocalSystem, and only you know the "
            "password to put it back: make it LocalSystem first"
        )
    if names := interpolated(read_conf(target.session, part)):
        raise OptionError(
            f"{target.name}: {', '.join(names)} of {part.conf} holds '%(', with which OpenERP cannot start again"
        )


def _state(kind: str, arguments: Mapping[str, Any]) -> str:
    return f"{arguments['work_folder']}\\begun-{kind}.json"


def _conf(kind: str, arguments: Mapping[str, Any]) -> str:
    return f"{arguments['work_folder']}\\begun-{kind}.conf"


def _read_begun(target: Target, kind: str, arguments: Mapping[str, Any]) -> _Begun | None:
    path = _state(kind, arguments)
    if not files.exists(target.session, path):
        return None
    try:
        return _Begun(**json.loads(files.read(target.session, path)))
    except (ValueError, TypeError):
        raise OptionError(
            f"{target.name}: {path} is damaged, so nobody knows what was begun; see that OpenERP is sound and remove it"
        ) from None


def _begin(target: Target, kind: str, part: Part | None, wanted: str, arguments: Mapping[str, Any]) -> _Begun:
    """Put on the host what a cut run would need; the file that says so last."""
    web = part_of(target, WEB) if kind == SERVER else None
    begun = _Begun(
        wanted,
        Settings.of(target.session, part).as_dict() if part is not None else None,
        web is not None and web.service.state == RUNNING,
    )
    if part is not None:
        files.copy(target.session, part.conf, _conf(kind, arguments))
    data = {"release": begun.release, "settings": begun.settings, "web_ran": begun.web_ran}
    files.write(target.session, _state(kind, arguments), json.dumps(data).encode())
    return begun


def _run(
    target: Target,
    kind: str,
    folder: str,
    path: str,
    begun: _Begun,
    arguments: Mapping[str, Any],
    step: Step,
    progress: Progress,
) -> tuple[Part, list[str]]:
    """Run the setup, with the web client, which needs the server, standing."""
    session = target.session
    for one in (part_of(target, WEB), _find(target, kind)):
        if one is not None and one.service.state == RUNNING and kind in (one.kind.name, SERVER):
            progress(f"stop {one.service.name}")
            stop(session, one, arguments["timeout"], step)
    progress(f"run {path.rpartition(chr(92))[2]} into {folder}")
    conf = files.read(session, _conf(kind, arguments)) if begun.settings is not None else None
    part, changed = put_over(
        session,
        KINDS[kind],
        folder,
        path,
        conf,
        Settings.from_dict(begun.settings) if begun.settings is not None else None,
        timeout=arguments["setup_timeout"],
        stop_timeout=arguments["timeout"],
        step=step,
        quiet=step,
    )
    if kind == SERVER and begun.settings is None:
        fresh = read_conf(session, part)
        access = target.access
        wanted: dict[str, conf_file.Value] = {"db_host": access.host, "db_port": access.port, "db_user": access.user}
        password = {"db_password": access.password} if access.password else {}
        if conf_file.apply(fresh, {**wanted, **password, **arguments["configuration"]}):
            step("write the configuration")
            write_conf(session, part, fresh.to_bytes())
    return part, changed


def _prove(
    target: Target,
    kind: str,
    part: Part,
    begun: _Begun,
    wanted: str,
    arguments: Mapping[str, Any],
    step: Step,
    progress: Progress,
) -> None:
    """Start, and ask the program itself; on a standby nothing is started, and Windows' own list has to say it."""
    session, timeout = target.session, arguments["timeout"]
    if arguments["standby"]:
        stop(session, part, timeout, step)
        if minor(uninstall_key(session, part)[1]) != release(wanted)[-1]:
            raise InstallationError(
                f"{target.name}: Windows does not list {wanted} of {part.kind.display} after the setup"
            )
        return
    progress(f"start {part.service.name}")
    services.start(session, part.service.name, timeout, step)
    conf = read_conf(session, part)
    wait_for(target, part, conf, timeout, step)
    if kind == SERVER:
        runs = rpc_of(target, conf).version()
        if runs != wanted:
            raise InstallationError(f"{target.name}: {runs} runs after the setup, not {wanted}")
    web = part_of(target, WEB) if kind == SERVER and begun.web_ran else None
    if web is not None:
        progress(f"start {web.service.name}")
        services.start(session, web.service.name, timeout, step)
        wait_for(target, web, read_conf(session, web), timeout, step)
