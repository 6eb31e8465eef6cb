"""Tasks of the Task Scheduler that start at boot: given and read back as XML, which is the same in every language.

Note that this utility is private to the collection.

The elements are those of [MS-TSCH] 2.5 (version 1.2: Vista and Server 2008); schtasks takes them in UTF-16 with a byte order mark.
"""

from __future__ import annotations

import contextlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from . import files
from .accounts import BUILT_IN, built_in, is_sid, sid_of
from .errors import OptionError, StateError
from .quoting import is_full_path
from .result import RunResult
from .session import Session
from .temporary import temporary_file

_SCHTASKS = "C:\\Windows\\System32\\schtasks.exe"
_FOLDER = "C:\\Windows\\System32\\Tasks"
_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
USERS = {
    "SYSTEM": BUILT_IN["LocalSystem"][1],
    "LOCAL SERVICE": BUILT_IN["LocalService"][1],
    "NETWORK SERVICE": BUILT_IN["NetworkService"][1],
}
_NAME = re.compile(r'[^\x00-\x1f"%/\\:*?<>|]{1,200}')
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
#: The scheduler takes no shorter and no longer repetition ("Interval (repetitionType) Element").
_SHORTEST, _LONGEST = 60, 31 * 86400
_DEFAULT_LIMIT = 72 * 3600


@dataclass(frozen=True, slots=True)
class Task:
    """One task. Times are seconds.

    Attributes:
        user: the SID.
        delay: between the start of Windows and that of the command.
        interval: between two starts; 0 is one start per boot.
        duration: for which it is repeated; 0 is for ever.
        time_limit: after which it is ended; 0 is never.
        other: what the task has that is not told here; such a task is another one.
    """

    command: str
    arguments: str
    user: str
    description: str = ""
    delay: int = 0
    interval: int = 0
    duration: int = 0
    time_limit: int = _DEFAULT_LIMIT
    enabled: bool = True
    other: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return what the module returns of it."""
        return {**asdict(self), "other": list(self.other)}


def seconds(text: str) -> int:
    """Return the seconds of a duration (``PT1M30S``, ``P1D``); an empty text is 0.

    Raises:
        ValueError: it is none, or has years or months.
    """
    match = _DURATION.fullmatch(text or "PT0S")
    if match is None:
        raise ValueError(f"'{text}' is no duration")
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def task_xml(task: Task) -> str:
    """Return the definition of a task."""
    repetition = ""
    if task.interval:
        duration = f"<Duration>PT{task.duration}S</Duration>" if task.duration else ""
        repetition = f"<Repetition><Interval>PT{task.interval}S</Interval>{duration}<StopAtDurationEnd>false</StopAtDurationEnd></Repetition>"
    delay = f"<Delay>PT{task.delay}S</Delay>" if task.delay else ""
    description = f"<Description>{escape(task.description)}</Description>" if task.description else ""
    arguments = f"<Arguments>{escape(task.arguments)}</Arguments>" if task.arguments else ""
    return (
        '<?xml version="1.0" encoding="UTF-16"?>\r\n'
        f'<Task version="1.2" xmlns="{_NAMESPACE}">'
        f"<RegistrationInfo><Author>lycee.openerp</Author>{description}</RegistrationInfo>"
        f"<Triggers><BootTrigger>{repetition}<Enabled>true</Enabled>{delay}</BootTrigger></Triggers>"
        f'<Principals><Principal id="Author"><UserId>{task.user}</UserId><RunLevel>HighestAvailable</RunLevel></Principal></Principals>'
        "<Settings><MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>"
        "<DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries><StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>"
        "<AllowHardTerminate>true</AllowHardTerminate><StartWhenAvailable>false</StartWhenAvailable>"
        "<RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable><AllowStartOnDemand>true</AllowStartOnDemand>"
        f"<Enabled>{'true' if task.enabled else 'false'}</Enabled><Hidden>false</Hidden><RunOnlyIfIdle>false</RunOnlyIfIdle>"
        f"<WakeToRun>false</WakeToRun><ExecutionTimeLimit>PT{task.time_limit}S</ExecutionTimeLimit><Priority>7</Priority></Settings>"
        f'<Actions Context="Author"><Exec><Command>{escape(task.command)}</Command>{arguments}</Exec></Actions></Task>\r\n'
    )


def parse_task(text: str) -> Task:
    """Return the task that a definition describes; the user is as it is written there.

    Raises:
        ValueError: it is no definition of a task.
    """
    try:
        # The declaration names the encoding of the file that it came from, which the text has no more.
        root = ET.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text.removeprefix("\ufeff")))
    except ET.ParseError as error:
        raise ValueError(f"it is no XML ({error})") from None
    if _local(root) != "Task":
        raise ValueError(f"it is a {_local(root)}, not a Task")
    triggers, actions = _children(root, "Triggers"), _children(root, "Actions")
    other = [f"a trigger {_local(one)}" for one in triggers if _local(one) != "BootTrigger"]
    other += [f"an action {_local(one)}" for one in actions if _local(one) != "Exec"]
    boots = [one for one in triggers if _local(one) == "BootTrigger"]
    executions = [one for one in actions if _local(one) == "Exec"]
    if len(boots) != 1 or len(executions) != 1:
        other.append(f"{len(boots)} starts at boot, {len(executions)} commands")
    boot = boots[0] if boots else ET.Element("BootTrigger")
    execution = executions[0] if executions else ET.Element("Exec")
    for name in ("StartBoundary", "EndBoundary", "ExecutionTimeLimit"):
        if _text(boot, name):
            other.append(f"a {name}")
    if _text(boot, "Enabled", default="true") != "true":
        other.append("a start at boot that is disabled")
    if _text(execution, "WorkingDirectory"):
        other.append("a working folder")
    policy = _text(root, "Settings", "MultipleInstancesPolicy", default="IgnoreNew")
    if policy != "IgnoreNew":
        other.append(f"the policy {policy}")
    for name in ("RunOnlyIfIdle", "RunOnlyIfNetworkAvailable"):
        if _text(root, "Settings", name, default="false") != "false":
            other.append(name)
    # These two are true when they are left out.
    for name in ("DisallowStartIfOnBatteries", "StopIfGoingOnBatteries"):
        if _text(root, "Settings", name, default="true") != "false":
            other.append(name)
    return Task(
        command=_text(execution, "Command"),
        arguments=_text(execution, "Arguments"),
        user=_text(root, "Principals", "Principal", "UserId"),
        description=_text(root, "RegistrationInfo", "Description"),
        delay=seconds(_text(boot, "Delay")),
        interval=seconds(_text(boot, "Repetition", "Interval")),
        duration=seconds(_text(boot, "Repetition", "Duration")),
        time_limit=seconds(_text(root, "Settings", "ExecutionTimeLimit", default=f"PT{_DEFAULT_LIMIT}S")),
        enabled=_text(root, "Settings", "Enabled", default="true") == "true",
        other=tuple(other),
    )


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: ET.Element, name: str) -> list[ET.Element]:
    return [child for one in element if _local(one) == name for child in one]


def _text(element: ET.Element, *path: str, default: str = "") -> str:
    for name in path:
        found = next((one for one in element if _local(one) == name), None)
        if found is None:
            return default
        element = found
    return (element.text or "").strip() or default


def _shown(done: RunResult) -> str:
    """Return the definition that schtasks shows: in the code page of the shell, or in UTF-16 where it keeps that."""
    return done.stdout.decode("utf-16-le", "replace") if b"\0" in done.stdout[:8] else done.text


def read(session: Session, name: str) -> Task | None:
    """Return the task of this name, or None.

    Raises:
        StateError: it cannot be read.
        WindowsError: one of its kinds.
    """
    done = session.run([_SCHTASKS, "/query", "/tn", name, "/xml"])
    if done.rc != 0 or not done.stdout.strip():
        # The code is the same whatever is wrong; the scheduler keeps each task in a file of its name.
        if not files.exists(session, f"{_FOLDER}\\{name}"):
            return None
        raise StateError(f"{session.name}: the task {name} cannot be read ({done.said or 'schtasks said nothing'})")
    try:
        task = parse_task(_shown(done))
    except ValueError as error:
        raise StateError(f"{session.name}: what schtasks shows of the task {name} cannot be read: {error}") from None
    return replace(task, user=_user_sid(session, task.user))


def _user_sid(session: Session, user: str) -> str:
    """Return the SID of the user of a task, which some versions show by its name in their language."""
    if is_sid(user) or not user:
        return user
    known = built_in(user)
    if known is not None:
        return BUILT_IN[known][1]
    with contextlib.suppress(OptionError):
        return sid_of(session, user, session.computer_name)
    return user


def wanted_task(session: Session, arguments: Mapping[str, Any]) -> Task:
    """Return the task that the arguments of ``windows_scheduled_task`` describe.

    Raises:
        OptionError: they cannot be.
    """
    command, boot = arguments["command"], arguments["boot"] or {}
    if not command or not is_full_path(command) or '"' in command:
        raise OptionError(
            f"command is '{command or ''}'; give the full path of a program, as in C:\\Windows\\System32\\cmd.exe"
        )
    delay, interval, duration = boot.get("delay") or 0, boot.get("interval") or 0, boot.get("duration") or 0
    if interval and not _SHORTEST <= interval <= _LONGEST:
        raise OptionError(f"boot.interval is {interval}; the scheduler repeats every {_SHORTEST} to {_LONGEST} seconds")
    if duration and not 0 < interval < duration:
        raise OptionError("boot.duration is longer than boot.interval, or there is no repetition; correct them")
    if delay < 0 or arguments["time_limit"] < 0:
        raise OptionError("boot.delay and time_limit are seconds, 0 or more")
    task = Task(
        command=command,
        arguments=(arguments["arguments"] or "").strip(),
        user=USERS[arguments["user"]],
        description=(arguments["description"] or "").strip(),
        delay=delay,
        interval=interval,
        duration=duration,
        time_limit=arguments["time_limit"],
        enabled=arguments["enabled"],
    )
    for text in (task.command, task.arguments, task.description):
        if any(character < " " for character in text):
            raise OptionError("command, arguments and description are one line each")
        # schtasks shows the task in this code page, in which it is compared.
        session.encode(text)
    return task


def manage_task(
    session: Session, arguments: Mapping[str, Any], *, check: bool, step: Callable[[str], None] = lambda name: None
) -> dict[str, Any]:
    """Bring a task to what ``windows_scheduled_task`` documents and return its result.

    Raises:
        WindowsError: one of its kinds.
    """
    name = arguments["name"]
    if _NAME.fullmatch(name) is None or name != name.strip():
        raise OptionError(
            f"'{name}' is no name for a task; it has none of \" % / \\ : * ? < > | and no blank at its ends"
        )
    absent = arguments["state"] == "absent"
    wanted = None if absent else wanted_task(session, arguments)
    present = read(session, name)
    before, after = (one.as_dict() if one else {} for one in (present, wanted))
    if present == wanted:
        return {"changed": False, "diff": {"before": {}, "after": {}}, "task": before}
    result: dict[str, Any] = {"changed": True, "diff": {"before": before, "after": after}, "task": after}
    if check:
        return result
    if wanted is None:
        step("remove")
        done = session.run([_SCHTASKS, "/delete", "/tn", name, "/f"])
    else:
        data = b"\xff\xfe" + task_xml(wanted).encode("utf-16-le")
        with temporary_file(session, "task.xml", data) as path:
            step("create")
            done = session.run([_SCHTASKS, "/create", "/tn", name, "/xml", path, "/f"])
    found = read(session, name)
    if found != wanted:
        raise StateError(
            f"{session.name}: the task {name} is not as wanted after schtasks ended with {done.rc} "
            f"({done.said[-200:] or 'it said nothing'}); found: {found.as_dict() if found else 'none'}"
        )
    return result
