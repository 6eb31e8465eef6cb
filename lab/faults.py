# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: switches that make a played device misbehave as real ones do.

A fault is looked at the moment when the device needs it, so switching one on or off acts on the sessions that
are already open as well. Nothing else in the lab knows how a value is written: the parsers are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lab.errors import LabError

Value = bool | int | tuple[float, float]


def _flag(text: str | None) -> Value:
    if text not in (None, "", "on", "yes", "true", "1"):
        raise ValueError("takes no value")
    return True


def _bytes(text: str | None) -> Value:
    if text is None or not text.isdigit():
        raise ValueError("needs a number of bytes, as in 2000")
    return int(text)


def _pair(text: str | None, example: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in (text or "").split(":"))
    except ValueError:
        raise ValueError(f"needs two numbers, as in {example}") from None
    if first < 0 or second < 0:
        raise ValueError("needs numbers that are not negative")
    return first, second


def _pieces(text: str | None) -> Value:
    size, pause = _pair(text, "97:20 (bytes:milliseconds)")
    if size < 1:
        raise ValueError("needs pieces of at least one byte")
    return size, pause


def _slow(text: str | None) -> Value:
    return _pair(text, "0.7:2 (seconds for the login:seconds for show running-config)")


@dataclass(frozen=True)
class Fault:
    """One switch: its name, what it does, how its value is read and what real trouble it stands for."""

    name: str
    value: str
    description: str
    source: str
    parse: Callable[[str | None], Value] = _flag


_ALL = (
    Fault("wrong_password", "", "every login is refused", "an account changed on the device and not in the inventory"),
    Fault(
        "wrong_enable",
        "",
        "every enable secret is refused",
        "oxidized #992: 'success' without a running-config because the enable password was wrong",
    ),
    Fault("off", "", "connection refused, nothing listens", "a device without power behind a host that answers"),
    Fault("mute", "", "accepts the TCP connection and never says a word", "a vty that hangs, a firewall that swallows"),
    Fault(
        "cut",
        "BYTES",
        "the TCP connection is reset after BYTES of a long output",
        "facts/lab.md 3: Netmiko reports this as a ReadTimeout, not as a lost connection",
        _bytes,
    ),
    Fault(
        "truncate",
        "BYTES",
        "show running-config stops after BYTES as if it were complete, the prompt follows",
        "ansible #42843, facts/cisco.md 3: cut output is accepted everywhere",
        _bytes,
    ),
    Fault("hang", "BYTES", "a long output stops after BYTES and no prompt ever comes", "oxidized #1377", _bytes),
    Fault(
        "trickle",
        "SIZE:MS",
        "output arrives in pieces of SIZE bytes every MS milliseconds",
        "facts/cisco.md 3: 97 bytes every 20 ms make Netmiko stop at a prompt inside the text",
        _pieces,
    ),
    Fault(
        "slow",
        "LOGIN:SHOW",
        "seconds to wait before a login is answered and before show running-config",
        "facts/cisco.md 8: the slow profile",
        _slow,
    ),
    Fault("pager", "", "terminal length 0 is accepted and ignored", "pager residue in saved configurations"),
    Fault(
        "kex",
        "",
        "offers only a key exchange that paramiko 3 and 4 do not have",
        "facts/cisco.md 3: 'no acceptable kex algorithm', netmiko #3892",
    ),
    Fault(
        "privilege",
        "",
        "after enable, show running-config is invalid input as at a lower privilege level",
        "Cisco 'privilege exec level': commands above the level of the user do not exist for him",
    ),
    Fault("empty", "", "show running-config prints only 'Building configuration...'", "netmiko #232"),
    Fault(
        "shrunk",
        "",
        "show running-config lacks most interface blocks, yet has a correct header and its end",
        "a configuration erased by hand; the size check against the former version",
    ),
    Fault(
        "noise",
        "",
        "a %LINK-3-UPDOWN line is printed in the middle of show running-config",
        "Cisco 'logging synchronous': without it messages are mixed into the output",
    ),
    Fault("hostkey", "", "presents another host key", "a replaced device, or somebody in between"),
)
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}


class FaultSet:
    """The faults that are on for one device."""

    __slots__ = ("_on",)

    def __init__(self) -> None:
        self._on: dict[str, tuple[str, Value]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._on

    def set(self, name: str, text: str | None = None) -> None:
        """Switch a fault on. Raises LabError (status 2) for an unknown name or a value that is not understood."""
        fault = FAULTS.get(name)
        if fault is None:
            raise LabError(f"there is no fault {name!r}; choose one of: {', '.join(FAULTS)}, or clear", 2)
        try:
            value = fault.parse(text)
        except ValueError as error:
            raise LabError(f"fault {name} {error}", 2) from None
        self._on[name] = (f"{name}={text}" if fault.value else name, value)

    def clear(self) -> None:
        """Switch every fault off."""
        self._on.clear()

    def number(self, name: str) -> int | None:
        """The value in bytes of a fault such as cut, or None when it is off."""
        value = self._on[name][1] if name in self._on else None
        return value if isinstance(value, int) else None

    def pair(self, name: str) -> tuple[float, float] | None:
        """The two numbers of trickle or slow, or None when it is off."""
        value = self._on[name][1] if name in self._on else None
        return value if isinstance(value, tuple) else None

    def names(self) -> list[str]:
        """What is on, written as on the command line: ``cut=2000``."""
        return [text for text, _unused in self._on.values()]


def parse_faults(entries: Iterable[object]) -> list[tuple[str, str | None]]:
    """Read ``lab_faults``: names, or ``name=value``. Raises LabError when one is not understood."""
    found: list[tuple[str, str | None]] = []
    trial = FaultSet()
    for entry in entries:
        name, equals, value = str(entry).partition("=")
        pair = (name.strip(), value.strip() if equals else None)
        trial.set(*pair)
        found.append(pair)
    return found
