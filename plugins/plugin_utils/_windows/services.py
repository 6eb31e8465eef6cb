"""Services by WMI: state, start mode and account, the same words in every language.

Note that this utility is private to the collection.

Win32_Service's methods answer with numbers ("Win32_Service class" in Microsoft's documentation): 0 done, 10 already
running, 6 not started, 15 the account cannot log on, 22 the account does not exist, and so on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import wsman
from .errors import OperationTimeoutError, OptionError, StateError
from .session import Session

RUNNING, STOPPED = "Running", "Stopped"
_PROPERTIES = "Name, DisplayName, State, StartMode, StartName, PathName, ProcessId, ExitCode, ServiceSpecificExitCode"
_REASONS = {
    2: "access is denied",
    3: "other services that depend on it are running",
    5: "it does not accept this now",
    7: "it did not answer in time",
    8: "it failed while it started",
    9: "its program was not found",
    14: "it is disabled",
    15: "its account cannot log on (wrong password, or the right to log on as a service is missing)",
    16: "it is marked for deletion",
    21: "a parameter is not valid",
    22: "its account does not exist, or may not run a service",
    24: "it is paused",
}
#: The number of a service that is on its way from one state to another.
_NOT_NOW = 5
#: Seconds between two looks at a service that is on its way.
_INTERVAL = 0.5


@dataclass(frozen=True, slots=True)
class Service:
    """One service as WMI shows it; the fields are those of Win32_Service."""

    name: str
    display_name: str
    state: str
    start_mode: str
    account: str
    path: str
    process_id: int
    exit_code: int
    specific_exit_code: int

    def as_dict(self) -> dict[str, object]:
        """Return what a module returns of it."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "state": self.state,
            "start_mode": self.start_mode,
            "account": self.account,
            "path": self.path,
            "process_id": self.process_id,
        }


def _service(row: wsman.Instance) -> Service:
    return Service(
        name=wsman.text(row, "Name"),
        display_name=wsman.text(row, "DisplayName"),
        state=wsman.text(row, "State"),
        start_mode=wsman.text(row, "StartMode"),
        account=wsman.text(row, "StartName"),
        path=wsman.text(row, "PathName"),
        process_id=wsman.number(row, "ProcessId") or 0,
        exit_code=wsman.number(row, "ExitCode") or 0,
        specific_exit_code=wsman.number(row, "ServiceSpecificExitCode") or 0,
    )


def services(session: Session) -> list[Service]:
    """Return all services, by name.

    Raises:
        WindowsError: one of its kinds.
    """
    rows = session.query(f"SELECT {_PROPERTIES} FROM Win32_Service")
    return sorted((_service(row) for row in rows), key=lambda one: one.name.casefold())


def service(session: Session, name: str) -> Service:
    """Return the service of this name.

    Raises:
        OptionError: there is none.
        WindowsError: one of its kinds.
    """
    rows = session.query(f"SELECT {_PROPERTIES} FROM Win32_Service WHERE Name = {wsman.literal(name)}")
    if not rows:
        raise OptionError(
            f"{session.name}: there is no service '{name}'; 'name' is the short name, as sc query shows it"
        )
    return _service(rows[0])


def call(session: Session, name: str, method: str, arguments: dict[str, str | None] | None = None) -> int:
    """Call a method of Win32_Service and return its number.

    Raises:
        WindowsError: one of its kinds.
    """
    answer = session.invoke("Win32_Service", method, arguments, Name=name)
    value = wsman.number(answer, "ReturnValue")
    return -1 if value is None else value


def _asked(session: Session, name: str, method: str) -> int:
    """Call a method that may take longer than one operation; what counts is the state afterwards."""
    try:
        return call(session, name, method)
    except OperationTimeoutError:
        return 0


def reason(number: int) -> str:
    """Return what a method's number means."""
    return _REASONS.get(number, f"Windows gives the number {number}")


def wait_for(session: Session, name: str, state: str, timeout: float, step: Callable[[str], None]) -> Service:
    """Look at a service until it is in ``state`` and return it; one that stopped while it should start ends the wait.

    Raises:
        StateError: it is not there after ``timeout`` seconds, or has ended.
        WindowsError: one of its kinds.
    """
    deadline = time.monotonic() + timeout
    while True:
        found = service(session, name)
        if found.state == state:
            return found
        if state == RUNNING and found.state == STOPPED:
            raise StateError(f"{session.name}: the service {name} ended while it started ({_exit(found)})")
        if time.monotonic() > deadline:
            raise StateError(
                f"{session.name}: the service {name} is still '{found.state}' after {timeout:g} s; wanted {state}"
            )
        step(f"wait for {name}")
        time.sleep(_INTERVAL)


def _exit(found: Service) -> str:
    if found.specific_exit_code:
        return f"its own exit code {found.specific_exit_code}"
    return f"exit code {found.exit_code}"


def start(session: Session, name: str, timeout: float, step: Callable[[str], None] = lambda name: None) -> Service:
    """Start a service and wait until it runs; one that runs already is left alone.

    Raises:
        StateError: it does not run.
        WindowsError: one of its kinds.
    """
    number = _asked(session, name, "StartService")
    if number not in (0, 10):
        # The service may be on its way all the same (7: no answer in time); what counts is its state.
        found = service(session, name)
        if found.state not in (RUNNING, "Start Pending"):
            raise StateError(f"{session.name}: the service {name} does not start: {reason(number)}")
    return wait_for(session, name, RUNNING, timeout, step)


def stop(session: Session, name: str, timeout: float, step: Callable[[str], None] = lambda name: None) -> Service:
    """Stop a service and wait until it has; one that is stopped is left alone.

    Raises:
        StateError: it does not stop.
        WindowsError: one of its kinds.
    """
    deadline = time.monotonic() + timeout
    while True:
        number = _asked(session, name, "StopService")
        if number not in (0, _NOT_NOW, 6, 7):
            raise StateError(f"{session.name}: the service {name} does not stop: {reason(number)}")
        if number != _NOT_NOW or time.monotonic() > deadline:
            return wait_for(session, name, STOPPED, timeout, step)
        # It is on its way to another state, such as up after a boot, and takes no order until it is there: then it is told again.
        found = service(session, name)
        if found.state == STOPPED:
            return found
        step(f"wait for {name}")
        time.sleep(_INTERVAL)


def change(session: Session, name: str, **arguments: str | None) -> None:
    """Change a service by Win32_Service.Change; the caller reads back.

    Raises:
        StateError: Windows refuses the change.
        WindowsError: one of its kinds.
    """
    number = call(session, name, "Change", dict(arguments))
    if number != 0:
        raise StateError(f"{session.name}: the service {name} cannot be changed: {reason(number)}")


def call_time(session: Session) -> str:
    """Return the host's own time as WMI writes it, to ask for the events since.

    Raises:
        WindowsError: one of its kinds.
    """
    return dmtf(wsman.text(session.one_row("SELECT LocalDateTime FROM Win32_OperatingSystem"), "LocalDateTime"))


def dmtf(text: str) -> str:
    """Return a time as WQL wants it (``20261124083000.000000+060``), from there or from the xs:dateTime of WS-Man."""
    with contextlib.suppress(ValueError):
        time_there = datetime.fromisoformat(text)
        minutes = int((time_there.utcoffset() or timedelta()).total_seconds() // 60)
        return f"{time_there:%Y%m%d%H%M%S}.000000{minutes:+04d}"
    return text
