"""Run a setup over what is installed, and put back what it overwrites.

Note that this utility is private to the collection.

A silent setup writes localhost, 5432, openpg and openpgpwd into the configuration, has the server rewrite the whole file (comments
gone, ``logfile`` reset), registers the service anew as LocalSystem and starts it (setup.nsi of 6.0.3 and 6.0.4). So the bytes of the
configuration and the settings of the service are kept before and put back after, and both are read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._windows import files, services
from .._windows.accounts import built_in
from .._windows.errors import DeadlineError, StateError, WindowsError
from .._windows.manage import manage_service, recovery_of
from .._windows.quoting import quote
from .._windows.session import Session
from .conf import Conf, differences
from .errors import ConfError, InstallationError, OptionError
from .installation import Kind, Part, end_processes, find_part, registry_values, running_programs

Step = Callable[[str], None]
_SC = "C:\\Windows\\System32\\sc.exe"
_ACTIONS = ("none", "restart", "reboot", "run")
_MODES = {"Auto": "auto", "Manual": "manual", "Disabled": "disabled"}
#: What cmd.exe would not hand on as it is in an argument without quotes, which is how /D= must be given.
_UNSAFE = "&|<>^%\"'"
#: Seconds in which a program that was told to end has to be gone.
_GONE_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What an administrator may have set of a service, and a setup resets.

    Attributes:
        name, display, path: of the service.
        account: its user.
        start_mode: ``Auto``, ``Manual`` or ``Disabled``.
        reset, actions: what Windows does when it fails; type and delay (ms) of each action.
        depends: names of the services that have to run before it.
    """

    name: str
    display: str
    path: str
    account: str
    start_mode: str
    reset: int
    actions: tuple[tuple[int, int], ...]
    depends: tuple[str, ...] = ()

    @classmethod
    def of(cls, session: Session, part: Part) -> Settings:
        """Read them."""
        one = part.service
        reset, actions = recovery_of(session, one.name)
        return cls(
            one.name,
            one.display_name,
            one.path,
            one.account,
            one.start_mode,
            reset,
            tuple(actions),
            depends_of(session, one.name),
        )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settings:
        """Read them from a journal."""
        actions = tuple((int(kind), int(delay)) for kind, delay in data["actions"])
        return cls(**{**data, "actions": actions, "depends": tuple(data.get("depends", ()))})

    def as_dict(self) -> dict[str, Any]:
        """Return them for a journal."""
        return asdict(self)


def depends_of(session: Session, name: str) -> tuple[str, ...]:
    """Return the services that have to run before one, as the registry has them (``\\0`` between the names)."""
    key = f"HKLM\\SYSTEM\\CurrentControlSet\\Services\\{name}"
    text = registry_values(session, key).get("DependOnService", ("", ""))[1]
    return tuple(part for part in text.split("\\0") if part)


def hold(session: Session, part: Part) -> None:
    """Keep a service from starting by itself, so that a restart of the machine serves nobody what is half done.

    Raises:
        StateError: Windows refuses.
    """
    if part.service.start_mode == "Auto":
        services.change(session, part.service.name, StartMode="Manual")
        if services.service(session, part.service.name).start_mode != "Manual":
            raise StateError(f"{session.name}: {part.service.name} still starts by itself")


def check_folder(folder: str) -> str:
    """Return a folder that a setup can be given.

    Raises:
        OptionError: it cannot stand in ``/D=``, which knows no quotes.
    """
    folder = files.check_path(folder)
    if any(character in folder for character in _UNSAFE):
        raise OptionError(f"a setup cannot be told the folder '{folder}'; choose one without {' '.join(_UNSAFE)}")
    return folder


def stop(session: Session, part: Part, timeout: float, step: Step) -> None:
    """Stop a service and wait until its program is gone too: what still runs would keep files of the folder in use.

    Raises:
        StateError: it does not end.
    """
    services.stop(session, part.service.name, timeout, step)
    deadline = time.monotonic() + _GONE_WITHIN
    while count := running_programs(session, part):
        if time.monotonic() > deadline:
            raise StateError(
                f"{session.name}: {part.service.name} is stopped and {count} of {part.kind.program} still run; end them in the task manager"
            )
        step(f"wait for {part.kind.program}")
        time.sleep(0.5)


def run_setup(session: Session, path: str, folder: str, timeout: float) -> None:
    """Run a setup silently into a folder.

    Raises:
        InstallationError: it failed, or did not end in time.
    """
    name = path.rpartition("\\")[2]
    try:
        done = session.run_line(f"{quote(path)} /S /D={check_folder(folder)}", timeout=timeout)
    except DeadlineError:
        end_processes(session, path)
        raise InstallationError(f"{session.name}: {name} did not end within {timeout:g} s; it was ended") from None
    if done.rc != 0:
        raise InstallationError(f"{session.name}: {name} ended with code {done.rc} ({done.said or 'it said nothing'})")


def put_over(
    session: Session,
    kind: Kind,
    folder: str,
    setup: str,
    conf: bytes | None,
    settings: Settings | None,
    *,
    timeout: float,
    stop_timeout: float,
    step: Step,
    quiet: Step,
) -> tuple[Part, list[str]]:
    """Run a setup over an installation, stop what it starts, and put configuration and service settings back.

    Args:
        session: the session.
        kind: which program.
        folder: where it is.
        setup: path of the setup on the server.
        conf: bytes of the configuration to put back; None for a fresh installation.
        settings: of the service, to put back; None for a fresh installation.
        timeout, stop_timeout: seconds for the setup, and for a service.
        step: asked before each step, and shown.
        quiet: asked while something is waited for.

    Returns:
        The program as it is now, and the options of its configuration that the setup had changed.

    Raises:
        InstallationError: the setup failed, or something is not as it should be afterwards.
        WindowsError: the host cannot be asked.
    """
    step(f"run {setup.rpartition(chr(92))[2]}")
    run_setup(session, setup, folder, timeout)
    found = find_part(services.services(session), kind.name, settings.name if settings else None, session.name)
    if found is None or found.folder.casefold() != folder.casefold():
        raise InstallationError(f"{session.name}: after {setup} no service of OpenERP's {kind.name} is in {folder}")
    step(f"stop {found.service.name}")
    stop(session, found, stop_timeout, quiet)
    for name in (kind.program, kind.wrapper):
        if not files.exists(session, f"{folder}\\{name}"):
            raise InstallationError(f"{session.name}: after {setup} there is no {folder}\\{name}")
    changed: list[str] = []
    if conf is not None:
        step(f"put {kind.conf} back")
        changed = put_conf_back(session, found, conf)
    if settings is not None:
        step(f"put the settings of {settings.name} back")
        put_settings_back(session, settings, stop_timeout, quiet)
    return found, changed


def write_conf(session: Session, part: Part, data: bytes) -> None:
    """Write a configuration and read it again.

    Raises:
        InstallationError: it does not read back.
        WindowsError: it cannot be written.
    """
    files.write(session, part.conf, data)
    if files.read(session, part.conf) != data:
        raise InstallationError(f"{session.name}: {part.conf} does not read back as it was written")


def put_conf_back(session: Session, part: Part, data: bytes) -> list[str]:
    """Give the program the configuration that it had, byte for byte, and return the options that the setup had changed.

    Raises:
        InstallationError: it does not read back.
    """
    try:
        now = files.read(session, part.conf) if files.exists(session, part.conf) else b""
        changed = _changed(part, now, data)
        if now != data:
            write_conf(session, part, data)
    except WindowsError as error:
        raise InstallationError(f"{session.name}: the configuration cannot be put back: {error}") from None
    return changed


def _changed(part: Part, now: bytes, before: bytes) -> list[str]:
    try:
        return differences(Conf(part.kind.name, now, part.conf), Conf(part.kind.name, before, part.conf))
    except ConfError:
        return []


def put_settings_back(session: Session, wanted: Settings, timeout: float, step: Step) -> None:
    """Give a service the settings that it had; one that is gone is registered again. It is left stopped.

    Raises:
        InstallationError: its account's password would be needed.
        WindowsError: one of its kinds.
    """
    found = [one for one in services.services(session) if one.name.casefold() == wanted.name.casefold()]
    if not found:
        mode = {"Auto": "auto", "Manual": "demand", "Disabled": "disabled"}.get(wanted.start_mode, "demand")
        session.run(
            [_SC, "create", wanted.name, "binPath=", wanted.path, "start=", mode, "DisplayName=", wanted.display]
        )
        found = [services.service(session, wanted.name)]
    if found[0].account.casefold() != wanted.account.casefold() and built_in(wanted.account) is None:
        raise InstallationError(
            f"{session.name}: {wanted.name} ran as {wanted.account}, whose password only you know; give it that account again (services.msc)"
        )
    if depends_of(session, wanted.name) != wanted.depends:
        session.run([_SC, "config", wanted.name, "depend=", "/".join(wanted.depends) or "/"])
        if depends_of(session, wanted.name) != wanted.depends:
            raise InstallationError(
                f"{session.name}: {wanted.name} depended on {', '.join(wanted.depends) or 'nothing'}, which could not be put back"
            )
    if found[0].path != wanted.path or found[0].display_name != wanted.display:
        services.change(session, wanted.name, PathName=wanted.path, DisplayName=wanted.display)
    manage_service(
        session,
        {
            "name": wanted.name,
            "timeout": timeout,
            "start_mode": _MODES.get(wanted.start_mode),
            "account": wanted.account if built_in(wanted.account) else None,
            "password": None,
            "update_password": "on_create",
            "state": None,
            "recovery": {
                "reset": wanted.reset,
                "actions": [{"type": _ACTIONS[kind], "delay": delay} for kind, delay in wanted.actions],
            }
            if wanted.actions
            else None,
        },
        check=False,
        step=step,
    )
