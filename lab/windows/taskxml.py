# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The XML of a scheduled task, as far as it is played.

Sources: [MS-TSCH] 2.5 (schema, defaults: an Interval without Duration repeats for ever), "Task Scheduler Schema".
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from lab.windows.accounts import LOCAL_SERVICE, NETWORK_SERVICE, SYSTEM
from lab.windows.refusal import LabRefusal

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_T = f"{{{NAMESPACE}}}"
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_NAMED = {"system": SYSTEM, "nt authority\\system": SYSTEM, "système": SYSTEM, "autorite nt\\système": SYSTEM,
          "local service": LOCAL_SERVICE, "nt authority\\local service": LOCAL_SERVICE, "network service": NETWORK_SERVICE,
          "nt authority\\network service": NETWORK_SERVICE}  # fmt: skip


class Malformed(Exception):
    """The task's XML is not what the schema wants: the words in parentheses that schtasks prints."""


@dataclass(frozen=True)
class Boot:
    """A BootTrigger; seconds. ``interval`` 0: it runs once. ``duration`` 0: for ever."""

    enabled: bool
    delay: float
    interval: float
    duration: float


@dataclass(frozen=True)
class Exec:
    """One program that a task starts."""

    command: str
    arguments: str
    folder: str


@dataclass
class Definition:
    """A task. ``user``: a SID."""

    root: ET.Element
    boots: list[Boot]
    actions: list[Exec]
    user: str
    parallel: bool

    @property
    def enabled(self) -> bool:
        """Settings/Enabled."""
        return _boolean(self.root.find(f"{_T}Settings"), "Enabled")

    def enable(self, wanted: bool) -> None:
        """Set it."""
        settings = self.root.find(f"{_T}Settings")
        if settings is None:
            settings = ET.SubElement(self.root, f"{_T}Settings")
        element = settings.find(f"{_T}Enabled")
        if element is None:
            element = ET.SubElement(settings, f"{_T}Enabled")
        element.text = "true" if wanted else "false"

    def xml(self) -> str:
        """As the service gives it back: indented its own way, with the account's SID."""
        ET.register_namespace("", NAMESPACE)
        ET.indent(self.root)
        return '<?xml version="1.0" encoding="UTF-16"?>\n' + ET.tostring(self.root, encoding="unicode")


def user_sid(text: str) -> str | None:
    """The SID of one of the three accounts that need no password."""
    return _NAMED.get(text.lower()) or (
        text.upper() if text.upper() in (SYSTEM, LOCAL_SERVICE, NETWORK_SERVICE) else None
    )


def _text(element: ET.Element | None, name: str) -> str:
    found = element.find(f"{_T}{name}") if element is not None else None
    return (found.text or "").strip() if found is not None else ""


def _boolean(element: ET.Element | None, name: str) -> bool:
    text = _text(element, name) or "true"
    if text not in ("true", "false", "1", "0"):
        raise Malformed(f"(1,1):{name}:{text}")
    return text in ("true", "1")


def _seconds(element: ET.Element | None, name: str) -> float:
    text = _text(element, name)
    match = _DURATION.fullmatch(text)
    if text and (not match or text.endswith(("P", "T"))):
        raise Malformed(f"(1,1):{name}:{text}")
    days, hours, minutes, seconds = (int(part or 0) for part in (match.groups() if match else ("",) * 4))
    return days * 86400 + hours * 3600 + minutes * 60 + seconds


def _boot(trigger: ET.Element) -> Boot:
    repetition = trigger.find(f"{_T}Repetition")
    interval, duration = _seconds(repetition, "Interval"), _seconds(repetition, "Duration")
    if repetition is not None and not 60 <= interval <= 31 * 86400:
        raise Malformed(f"(1,1):Interval:{_text(repetition, 'Interval')}")
    return Boot(_boolean(trigger, "Enabled"), _seconds(trigger, "Delay"), interval, duration)


def read(data: bytes, run_as: str | None) -> Definition:
    """Read a file given to ``schtasks /create /xml``: UTF-16 with a byte order mark. Raises Malformed, LabRefusal.

    Args:
        run_as: the SID of /ru, which replaces the principal of the file.
    """
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Malformed("(1,40)::unable to switch the encoding")
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError) as error:
        line, column = getattr(error, "position", (1, 0))
        raise Malformed(f"({line},{column})::") from None
    if root.tag != f"{_T}Task":
        raise Malformed(f"(1,2)::{root.tag.rpartition('}')[2]}")
    actions_of, triggers_of = root.find(f"{_T}Actions"), root.find(f"{_T}Triggers")
    if actions_of is None or not len(actions_of):
        raise Malformed("(1,2):Actions:")
    actions = []
    for action in actions_of:
        if action.tag != f"{_T}Exec":
            raise LabRefusal(f"this action of a task is not played: {action.tag.rpartition('}')[2]}")
        if not _text(action, "Command"):
            raise Malformed("(1,2):Command:")
        actions.append(Exec(_text(action, "Command"), _text(action, "Arguments"), _text(action, "WorkingDirectory")))
    boots = []
    for trigger in triggers_of if triggers_of is not None else ():
        if trigger.tag != f"{_T}BootTrigger":
            raise LabRefusal(f"this trigger of a task is not played: {trigger.tag.rpartition('}')[2]}")
        boots.append(_boot(trigger))
    principal = root.find(f"{_T}Principals/{_T}Principal")
    user = run_as or user_sid(_text(principal, "UserId"))
    if user is None:
        raise LabRefusal("a task is played only as SYSTEM, LOCAL SERVICE or NETWORK SERVICE")
    _set_user(root, user)
    policy = _text(root.find(f"{_T}Settings"), "MultipleInstancesPolicy") or "IgnoreNew"
    if policy not in ("IgnoreNew", "Parallel"):
        raise LabRefusal(f"this MultipleInstancesPolicy is not played: {policy}")
    found = Definition(root, boots, actions, user, policy == "Parallel")
    _boolean(root.find(f"{_T}Settings"), "Enabled")
    return found


def _set_user(root: ET.Element, user: str) -> None:
    """The service stores the SID of the account; LogonType is none of a service account's."""
    principals = root.find(f"{_T}Principals")
    if principals is None:
        principals = ET.SubElement(root, f"{_T}Principals")
    principal = principals.find(f"{_T}Principal")
    if principal is None:
        principal = ET.SubElement(principals, f"{_T}Principal", {"id": "Author"})
    element = principal.find(f"{_T}UserId")
    if element is None:
        element = ET.Element(f"{_T}UserId")
        principal.insert(0, element)
    element.text = user
