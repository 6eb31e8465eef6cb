"""The upgrade of one server as a task: plan, and where nothing stands against it, run; or complete what was cut.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from .._backup.names import STAMP_PATTERN
from .._errors import LyceeError
from .._windows import files, services
from .._windows.quoting import quote
from . import dumps, logs, mirror, report
from .begin import begin, describe, refuse, unfinished
from .conf import SERVER, WEB
from .errors import OptionError, PreflightError
from .journal import BACK, SAVING, Journal, Look, Store
from .look import State, Target, look, rpc_port, web_port
from .outcome import UNCHANGED, UNFINISHED, UPGRADED, Options, Outcome
from .preflight import Measured, Plan, Rules, judge, make_plan
from .source import Setup, setup_of
from .source import look as look_at_setup
from .upgrade import Upgrade, marker
from .versions import FINGERPRINTS, release, shown

Step = Callable[[str], None]
Progress = Callable[[str], None]
_FINDSTR = "C:\\Windows\\System32\\findstr.exe"
PLANNED, ABANDONED = "planned", "begun anew"


def options_of(arguments: Mapping[str, Any]) -> Options:
    """Return how the upgrade is done, from the options of ``openerp_upgrade``, without its setups.

    Raises:
        OptionError: one cannot be used.
    """
    return Options(
        rules=Rules(
            to_release=release(arguments["release"]),
            web=arguments["web"],
            accept_pending=tuple(arguments["accept_pending"]),
            leave=tuple(arguments["leave"]),
            refuse_users=arguments["refuse_users"],
            active_minutes=arguments["active_minutes"],
        ),
        work=files.check_path(arguments["work_folder"]),
        setup_timeout=arguments["setup_timeout"],
        update_timeout=arguments["update_timeout"],
        copy_timeout=arguments["copy_timeout"],
        service_timeout=arguments["timeout"],
        keep_copies=arguments["keep_copies"],
    )


def setups_of(arguments: Mapping[str, Any]) -> dict[str, Setup]:
    """Return the setups that the options name.

    Raises:
        OptionError: one cannot be used.
    """
    wanted = shown(release(arguments["release"]))
    return {
        kind: setup_of(kind, wanted, arguments[f"{kind}_source"], arguments[f"{kind}_sha256"])
        for kind in ((SERVER, WEB) if arguments["web"] else (SERVER,))
    }


def upgrade(
    target: Target,
    arguments: Mapping[str, Any],
    host: str,
    set_name: str,
    *,
    check: bool,
    step: Step,
    progress: Progress,
) -> dict[str, Any]:
    """Do what ``openerp_upgrade`` documents.

    Args:
        target: the host.
        arguments: the module's.
        host: inventory name.
        set_name: of the host's backups.
        check: only plan.
        step: asked before each step.
        progress: told what is being done.

    Raises:
        PreflightError: something stands against it; nothing was changed.
        LyceeError: the host cannot be asked, or the run was ended from outside.
    """
    store = Store(Path(arguments["state_dir"]).expanduser(), host)
    only_plan = check or arguments["phase"] == "plan"
    journal = store.load()
    options = options_of(arguments)
    if journal is not None:
        text = unfinished(journal, options)
        if journal.direction != BACK and not journal.is_past(SAVING):
            # Nothing was changed but that services stand, and what was kept may be old: it begins anew, with a new backup.
            if check:
                return _planned(
                    None, f"{text.rpartition('; ')[0]}; it is begun anew", resume=True, databases=[], contexts=[]
                )
            progress("an upgrade that was begun and had changed nothing is begun anew")
            Upgrade(target, options, store, journal, step=step, progress=progress).abandon()
            store.close(
                journal, {"outcome": ABANDONED, "host": host, "msg": "it had changed nothing and was begun anew"}
            )
        else:
            # It is completed with the setups that it was begun with, wherever those of the inventory are now.
            progress(_short(text, host))
            if only_plan:
                return _planned(None, text, resume=True, databases=list(journal.databases), contexts=[])
            return _run(target, options, store, journal, None, step, progress)
    progress("look at the server")
    began = server_time(target)
    state = look(target, options.rules.to_release, progress)
    # Our own logins stand in the log too, of this run and of those before it.
    ours = store.note_look(began, server_time(target))
    plan = make_plan(state, options.rules)
    wanted = shown(options.rules.to_release)
    if not plan.needed and not plan.blockers:
        return _unchanged(target, options, state, plan, progress)
    if not plan.blockers:
        options = replace(options, setups=setups_of(arguments))
        judge(plan, options.rules, measure(target, options, plan, state, ours), state)
    for line in report.findings(plan):
        progress(line)
    for line in report.plan_lines(plan, wanted):
        progress(line)
    refuse(plan, target.name)
    if only_plan:
        text = f"{target.name}: {state.version} would be taken to {wanted}, with {len(plan.databases)} databases"
        return _planned(plan, text, resume=False, databases=plan.databases, contexts=state.served()) | {
            "changed": check,
            "diff": {"before": {"release": state.version}, "after": {"release": wanted}},
        }
    _check_backups(arguments, set_name, state, target.name)
    journal = begin(state, plan, options, host)
    for part, kind in ((state.server, SERVER), (state.web, WEB)):
        if part is None:
            continue
        setup = plan.server if kind == SERVER else plan.web
        port = rpc_port(state.conf) if kind == SERVER else web_port(state.web_conf)
        known = describe(target.session, part, state.registry[kind], port, setup=setup)
        if kind == SERVER:
            journal.server = known
        else:
            journal.web = known
    _tidy_former(target, options)
    store.save(journal)
    return _run(target, options, store, journal, plan, step, progress)


def _short(text: str, host: str) -> str:
    """Return a sentence without the name that is shown before it."""
    return text.removeprefix(f"{host}: ")


def _planned(
    plan: Plan | None, text: str, *, resume: bool, databases: list[str], contexts: list[str]
) -> dict[str, Any]:
    return {
        "changed": False,
        "outcome": PLANNED,
        "needed": True,
        "resume": resume,
        "databases": databases,
        "contexts": contexts,
        "msg": text,
        "report": {"outcome": PLANNED, "msg": text, "plan": plan.as_dict() if plan is not None else None},
    }


def _unchanged(target: Target, options: Options, state: State, plan: Plan, progress: Progress) -> dict[str, Any]:
    wanted = shown(options.rules.to_release)
    served = state.served()
    silent = sum(one.openerp and one.listed and not one.serves for one in state.databases.values())
    known = options.rules.to_release in FINGERPRINTS
    carried = (
        f"{len(served)} databases carry its data"
        if known
        else "nobody can tell of this release whether its data are loaded"
    )
    left = f", {silent} do not serve and were left as they are" if silent else ""
    text = f"{target.name}: {wanted} runs and {carried}{left}; nothing was to be done"
    for line in report.findings(plan):
        progress(line)
    progress(_short(text, target.name))
    outcome = Outcome(UNCHANGED, text, None, state.version)
    return {
        "changed": False,
        "outcome": UNCHANGED,
        "needed": False,
        "resume": False,
        "databases": [],
        "contexts": served,
        "msg": text,
        "report": {
            **report.as_dict(outcome, plan),
            "host": target.name,
            "databases": {name: {"state": "carries the data", "login": state.databases[name].login} for name in served},
        },
    }


def _run(
    target: Target, options: Options, store: Store, journal: Journal, plan: Plan | None, step: Step, progress: Progress
) -> dict[str, Any]:
    work = Upgrade(target, options, store, journal, step=step, progress=progress)
    began = server_time(target)
    outcome = work.back(journal.reason) if journal.direction == BACK else work.forward()
    with contextlib.suppress(LyceeError):
        store.note_look(began, server_time(target))
    data = report.as_dict(outcome, plan)
    path = store.report(journal.stamp, data) if outcome.word == UNFINISHED else store.close(journal, data)
    for line in report.lines(outcome):
        progress(line)
    failed = outcome.word != UPGRADED
    # Of a failed task everything is shown: its sentence is enough there, the rest is in the file.
    told = {"failed": True} if failed else {"report": data}
    return {
        "changed": True,
        **told,
        "outcome": outcome.word,
        "needed": False,
        "resume": outcome.word == UNFINISHED,
        **({} if failed else {"databases": list(journal.databases)}),
        "msg": outcome.text,
        "report_file": str(path),
        "diff": {"before": {"release": journal.from_release}, "after": {"release": outcome.version}},
    }


def _check_backups(arguments: Mapping[str, Any], set_name: str, state: State, host: str) -> None:
    if not arguments["catalog_dir"]:
        return
    oids = {name: state.databases[name].database.oid for name in state.served()}
    missing = dumps.without_backup(
        Path(arguments["catalog_dir"]).expanduser(), set_name, oids, arguments["backup_hours"]
    )
    if missing:
        raise PreflightError(
            f"{host}: nothing was changed, for no proven backup of the last {arguments['backup_hours']:g} hours is at a destination of: "
            f"{', '.join(missing)}. Run backup_databases.yml and look at what it says"
        )


def measure(target: Target, options: Options, plan: Plan, state: State, ours: Sequence[Look]) -> Measured:
    """Read what a plan depends on beside the state itself.

    Raises:
        WindowsError: the host cannot be asked.
    """
    session = target.session
    robocopy = files.exists(session, mirror.ROBOCOPY)
    folders: int | None = 0
    setups = {}
    for kind, part in ((SERVER, state.server), (WEB, state.web)):
        if part is None or not (plan.server if kind == SERVER else plan.web):
            continue
        setups[kind] = look_at_setup(session, options.setups[kind], options.copy_timeout)
        size = mirror.size_of(session, part.folder, f"{options.work}\\none", options.copy_timeout) if robocopy else None
        folders = folders + size if folders is not None and size is not None else None
    return Measured(
        free=target.machine.free(options.work),
        data_free=target.machine.free(state.data_folder) if state.data_folder else None,
        one_drive=state.data_folder[:2].casefold() in ("", options.work[:2].casefold()),
        folders=folders,
        users=_users(target, options, state, ours),
        setups=setups,
        robocopy=robocopy,
        memory=_shell_memory(target),
        work=options.work,
    )


def _shell_memory(target: Target) -> int | None:
    """Return how many MB the programs of a remote shell may take, None where it does not tell. The names of the options are not localized."""
    done = target.session.run_line("winrm get winrm/config/winrs")
    found = re.search(r"MaxMemoryPerShellMB\s*=\s*(\d+)", done.text)
    return int(found[1]) if found else None


def _users(target: Target, options: Options, state: State, ours: Sequence[Look]) -> list[logs.Login] | None:
    """Return who logged in lately, by the log of the server, but for our own logins; None where it cannot be read."""
    path = (state.conf.get("logfile") or "") if state.conf is not None else ""
    if path in ("", "None", "False"):
        return None
    try:
        path = files.check_path(path.replace("/", "\\"))
        if not files.exists(target.session, path):
            return None
        done = target.session.run([_FINDSTR, "/C:successful login from", path])
    except LyceeError:
        return None
    found = logs.logins(done.text, server_time(target), options.rules.active_minutes)
    return [one for one in found if not any(begin <= one.at <= end for begin, end in ours)]


def server_time(target: Target) -> datetime:
    """Return the server's own local time, which its log is written in.

    Raises:
        WindowsError: the host does not answer.
    """
    return datetime.strptime(services.call_time(target.session)[:14], "%Y%m%d%H%M%S")


def _tidy_former(target: Target, options: Options) -> None:
    """Remove what former upgrades kept on the server, each in a folder named by its time: this one keeps its own."""
    session = target.session
    if not files.folder_exists(session, options.work):
        return
    for name in session.run_line(f"dir /b /ad {quote(options.work)}").text.split("\n"):
        if STAMP_PATTERN.fullmatch(name.strip()) is None:
            continue
        folder = f"{options.work}\\{name.strip()}"
        if files.exists(session, marker(folder)):
            raise OptionError(
                f"{target.name}: {folder} brings back a server whose upgrade did not end, begun from another machine, or its journal is "
                "gone; end it there, or see that the server is sound and remove that folder"
            )
        session.run_line(f"rd /s /q {quote(folder)}")
        if files.folder_exists(session, folder):
            raise OptionError(
                f"{target.name}: {folder}, which a former upgrade left, cannot be removed; is a file of it in use?"
            )
