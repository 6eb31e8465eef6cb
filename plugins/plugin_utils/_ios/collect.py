"""Fetch the captures of one device and hold its configurations to the completeness contract.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import contract
from .captures import CAPTURES, RUNNING, STARTUP, Capture, normalise_saved
from .errors import IncompleteError, LoginError
from .facts import DeviceFacts, parse_facts

#: The device does not know the command.
_UNKNOWN = re.compile(r"^% ?(?:Invalid input|Ambiguous command|Incomplete command|Unrecognized command)", re.M)
#: It knows it and does not answer it now, or not to this account.
_DENIED = re.compile(r"^(?:% ?(?:Authorization failed|Error)|Command authorization failed)[^\n]*", re.M | re.I)
_IOS_VERSION = re.compile(r"\bIOS\b.*\bVersion\b|Internetwork Operating System")
_PRIVILEGE = re.compile(r"Current privilege level is (\d+)")
#: How often a configuration is asked for when it breaks the contract: a log message may fall into one answer.
_ATTEMPTS = 2
#: The privilege level that sees everything.
_ALL = 15


class Asks(Protocol):
    """What a session has to offer; the unit tests bring recorded answers."""

    prompt: str

    def enable(self) -> None:
        """Enter privileged mode with the enable secret."""

    def ask(self, command: str, *, config: bool = False) -> str:
        """Return the answer to ``command``, line ends LF."""


@dataclass(slots=True)
class Collected:
    """What one session brought.

    Attributes:
        texts: capture name to its answer, line ends LF, ending in a line end.
        unsupported: names of the captures that the device does not know.
        facts: what identifies the device.
        startup_absent: the device has never been saved.
        denied: capture name to what the device said instead of an answer; what the archive holds of it stays.
        refused: startup configurations that broke the contract; the rest of the session counts all the same.
    """

    texts: dict[str, str] = field(default_factory=dict)
    unsupported: list[str] = field(default_factory=list)
    facts: DeviceFacts = field(default_factory=DeviceFacts)
    startup_absent: bool = False
    denied: dict[str, str] = field(default_factory=dict)
    refused: list[IncompleteError] = field(default_factory=list)

    @property
    def left_alone(self) -> set[str]:
        """Return the captures that brought no usable answer, so that what the archive holds of them stays."""
        return {*self.denied, *(error.capture for error in self.refused)}

    def unsaved_changes(self, volatile: Sequence[str] = ()) -> bool | None:
        """Return whether running and startup configuration differ; None when one of them was not fetched.

        Without a startup configuration everything is unsaved.
        """
        if RUNNING not in self.texts:
            return None
        if self.startup_absent:
            return True
        if STARTUP not in self.texts:
            return None
        return normalise_saved(self.texts[RUNNING], volatile) != normalise_saved(self.texts[STARTUP], volatile)


def collect(
    session: Asks,
    name: str,
    captures: Sequence[str],
    *,
    previous_sizes: Mapping[str, int] | None = None,
    minimum_ratio: float = 0.5,
    encoding: str = "latin-1",
) -> Collected:
    """Ask for the named captures and return what came.

    Args:
        session: an open session in privileged mode.
        name: the device's name, for sentences.
        captures: keys of ``CAPTURES``, in the order of asking.
        previous_sizes: bytes of the last good configurations, by capture name; leave one out to believe any size.
        minimum_ratio: the smallest share of the previous size that is believed.
        encoding: the device's, since sizes are bytes.

    Raises:
        IncompleteError: the running configuration breaks the contract, or ``show version`` has no answer; it holds the
            text that came.
        LoginError: the session has not the privilege that shows a whole configuration.
        SessionError: the conversation broke.
    """
    sizes = previous_sizes or {}
    collected = Collected()
    if RUNNING in captures or STARTUP in captures:
        _require_privilege(session, name)
    for capture_name in captures:
        capture = CAPTURES[capture_name]
        if capture.config:
            try:
                text = _ask_config(session, name, capture, sizes.get(capture_name), minimum_ratio, encoding)
            except IncompleteError as error:
                if capture_name == RUNNING:
                    raise
                collected.refused.append(error)
                continue
            if capture_name == STARTUP and contract.is_absent(text):
                collected.startup_absent = True
                continue
        else:
            text = session.ask(capture.command)
            denied = _DENIED.search(text[:400])
            if denied is not None:
                collected.denied[capture_name] = denied.group().strip()
                continue
            if capture.optional and _UNKNOWN.search(text[:400]):
                collected.unsupported.append(capture_name)
                continue
            if capture_name == "version" and not _IOS_VERSION.search(text):
                raise IncompleteError(
                    f"{name}: the answer to 'show version' is not that of IOS. The last good one was kept",
                    capture=capture_name,
                    partial=text,
                )
        collected.texts[capture_name] = text
    collected.facts = parse_facts(collected.texts.get("version", ""), collected.texts.get("inventory", ""))
    return collected


def _require_privilege(session: Asks, name: str) -> None:
    """A level below 15, or a view, sees only the lines that it may set, with a correct header and ``end``.

    (IOS security configuration guide, "Privilege Levels" and "Role-Based CLI Access".) A user whose level is between lands
    on a prompt that ends in ``#`` and may still have the enable secret.
    """
    answer = session.ask("show privilege")
    match = _PRIVILEGE.search(answer)
    if match is not None and int(match[1]) < _ALL:
        session.enable()
        match = _PRIVILEGE.search(session.ask("show privilege"))
    if match is None and not _DENIED.search(answer) and not _UNKNOWN.search(answer):
        raise LoginError(
            f"{name}: the session is in a view ('show privilege' names no level), which does not see the whole "
            "configuration; let the user log in without a view, with privilege 15"
        )
    if match is not None and int(match[1]) < _ALL:
        raise LoginError(
            f"{name}: the session has privilege level {match[1]}, which does not see the whole configuration; "
            "give the user privilege 15 or set ansible_become_password to the enable secret of level 15"
        )


def _ask_config(
    session: Asks, name: str, capture: Capture, previous: int | None, minimum_ratio: float, encoding: str
) -> str:
    text, broken = "", [""]
    for _attempt in range(_ATTEMPTS):
        text = _trimmed(session.ask(capture.command, config=True))
        if capture.name == STARTUP and contract.is_absent(text):
            return text
        broken = contract.violations(
            text,
            prompt=session.prompt,
            running=capture.name == RUNNING,
            previous_size=previous,
            minimum_ratio=minimum_ratio,
            encoding=encoding,
        )
        if not broken:
            return text
    raise IncompleteError(
        f"{name}: the {capture.name} is not accepted: {'; '.join(broken)}. The last good one was kept",
        capture=capture.name,
        partial=text,
    )


def _trimmed(text: str) -> str:
    """IOS prints an empty line between ``end`` and the prompt; it is no part of the configuration."""
    return text.rstrip("\n") + "\n" if text.strip() else ""
