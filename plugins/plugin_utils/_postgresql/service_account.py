"""Give the PostgreSQL service of a Windows host an account that is the same everywhere, and prove that it serves.

Note that this utility is private to the collection.

OpenERP's installer runs PostgreSQL as a local account (``openpgsvc``), whose SID is another one on each server and after
each re-creation. Replicated rights then name an account that the host does not know, and the service does not start (the
source document, action 3). LocalSystem and NetworkService have the same SID everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .._errors import LyceeError
from .._windows import acl, services
from .._windows.accounts import BUILT_IN, built_in, same_account
from .._windows.errors import OptionError, StateError, WindowsError
from .._windows.services import RUNNING, STOPPED, Service
from .._windows.session import Session
from .cluster import State, ask, event_reason, openerp_services, read_state, what_is_wrong

Step = Callable[[str], None]
#: The account of OpenERP's installer and its password, which is the same everywhere and public (its setup script).
_INSTALLER_ACCOUNT, _INSTALLER_PASSWORD = "openpgsvc", "0p3npgsvcPWD"
_ADMINISTRATORS = "S-1-5-32-544"
#: What a server of a replicated pair is.
ACTIVE, STANDBY = "active", "standby"
#: Seconds between two questions to a cluster that is starting.
_INTERVAL = 0.5


def fix(
    session: Session,
    arguments: Mapping[str, Any],
    *,
    check: bool,
    step: Step,
    progress: Callable[[str], None] = lambda text: None,
    guard: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Bring the service to the wanted account and prove it; on failure put the former account back.

    Args:
        session: the session with the host.
        arguments: as ``postgresql_service_account`` documents them.
        check: only read and compare.
        step: asked before each step; raises when the run was ended from outside.
        progress: told what is being done.
        guard: asked before anything is changed; raises where a server of a pair may not be touched.

    Raises:
        OptionError: the query is not answered even now, or the former account could not be put back.
        StateError: the service does not serve under the wanted account; the text says why and what state the host is in.
        WindowsError: one of its kinds.
    """
    account, timeout = arguments["account"], arguments["timeout"]
    query = {key: arguments[f"database_{key}"] for key in ("host", "port", "user", "password")}
    query["database"] = arguments["database"]
    state = read_state(session, account, arguments["service"], query)
    if arguments["pair"] == STANDBY:
        return _fix_standby(session, arguments, state, check=check, step=step, progress=progress, guard=guard)
    cluster = state.cluster
    result = _result(state, account)
    # Of a pair nothing starts by itself; of its active server OpenERP is to run all the same.
    modes = ("Auto", "Manual") if arguments["pair"] == ACTIVE else ("Auto",)
    idle = [one for one in state.openerp if one.start_mode in modes and one.state != RUNNING]
    if state.running and not state.served:
        raise OptionError(
            f"{session.name}: {cluster.service.name} runs and does not answer a query even now, so nothing was changed: "
            f"{state.answers}. Correct database_password, database_user or database_port"
        )
    password = _former_password(session, cluster.service, arguments) if not state.account_ok else ""
    if not state.needs_work and not idle:
        return result
    result["changed"] = True
    if check:
        return result
    guard()
    wanted = {one.name for one in state.openerp if one.state == RUNNING or one.start_mode in modes}
    openerp = [one for one in state.openerp if one.name in wanted]
    proven = state
    if state.needs_work:
        started = services.call_time(session)
        try:
            proven = _change(session, state, account, timeout, query, step, progress)
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
    proven.openerp = openerp_services(services.services(session))
    return {**_result(proven, account), "changed": True, "diff": result["diff"]}


def _fix_standby(
    session: Session,
    arguments: Mapping[str, Any],
    state: State,
    *,
    check: bool,
    step: Step,
    progress: Callable[[str], None],
    guard: Callable[[], None],
) -> dict[str, Any]:
    """Give the standby of a pair the account and the rights, with PostgreSQL stopped all the time.

    Raises:
        StateError: PostgreSQL runs there, or something is not as wanted afterwards.
        WindowsError: one of its kinds.
    """
    account, service = arguments["account"], state.cluster.service
    if service.state != STOPPED:
        raise StateError(
            f"{session.name}: it is the standby of its pair, and {service.name} is {service.state} there; two servers on one set of data destroy "
            "it, so stop it, or correct openerp_active_server"
        )
    result = _result(state, account)
    result["changed"] = not state.account_ok or state.denied > 0 or state.hidden
    result["diff"]["after"]["serves"] = False
    if check or not result["changed"]:
        return result
    guard()
    _give(session, state, account, step, progress)
    after = read_state(session, account, service.name, {})
    if not after.account_ok or after.denied or after.hidden or after.running:
        raise StateError(f"{session.name}: {what_is_wrong(after, account)}")
    return {**_result(after, account), "changed": True, "diff": result["diff"]}


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
) -> State:
    """Stop what uses the cluster, give rights and account, start, prove, and return the state that was proven."""
    cluster = state.cluster
    name = cluster.service.name
    for one in reversed(state.openerp):
        if one.state == RUNNING:
            _say(progress, step, f"stop {one.name}")
            services.stop(session, one.name, timeout, step)
    if state.cluster.service.state != STOPPED:
        _say(progress, step, f"stop {name}")
        services.stop(session, name, timeout, step)
    _give(session, state, account, step, progress)
    _say(progress, step, f"start {name}")
    services.start(session, name, timeout, step)
    return _prove(session, account, name, timeout, query, step)


def _give(session: Session, state: State, account: str, step: Step, progress: Callable[[str], None]) -> None:
    """Give the account the rights and the service; nothing runs meanwhile."""
    cluster = state.cluster
    if state.hidden:
        # Rights that name nobody of this host leave only the right of an administrator to take the files over.
        _say(progress, step, "take the data folder over")
        acl.set_owner(session, cluster.data, _ADMINISTRATORS, below=True)
        acl.grant(session, cluster.data, _ADMINISTRATORS, "F", inherit=True, below=True)
    if state.denied or state.hidden:
        _say(progress, step, f"grant {account} the data folder")
        acl.grant(session, cluster.data, BUILT_IN[account][1], "F", inherit=True, below=True)
    if not state.account_ok:
        _say(progress, step, f"run {cluster.service.name} as {account}")
        services.change(session, cluster.service.name, StartName=BUILT_IN[account][0], StartPassword="")


def _prove(session: Session, account: str, name: str, timeout: float, query: Mapping[str, Any], step: Step) -> State:
    """Ask until the cluster answers, and return the state: after a crash a service that runs recovers its files for minutes.

    Account and rights are read once, which takes a look at every file; what is asked again is the service and the query.
    """
    deadline = time.monotonic() + timeout
    state = read_state(session, account, name, query)
    while not (state.running and state.served and state.account_ok and not state.denied):
        if not state.running or state.denied or not state.account_ok or time.monotonic() > deadline:
            raise StateError(f"{session.name}: {what_is_wrong(state, account)}")
        step("ask the cluster again")
        time.sleep(_INTERVAL)
        state.cluster = replace(state.cluster, service=services.service(session, name))
        state.answers = ask(session, state.cluster, query, state.version)
    return state


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
        if not same_account(now.account, service.account, session.computer_name):
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
