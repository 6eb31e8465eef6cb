# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: switches that make a played device or host misbehave as real ones do.

A fault is looked at the moment when the device needs it, so switching one on or off acts on the sessions that
are already open as well.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable

from lab.errors import LabError
from lab.faultlist import FAULTS, KINDS, Fault, Value

__all__ = ["FAULTS", "KINDS", "Fault", "FaultSet", "Value", "parse_faults"]
_KILLS = {"kill_after": os.kill, "kill_tree_after": os.killpg}


class FaultSet:
    """The faults that are on for one device or host of a kind."""

    __slots__ = ("_known", "_on")

    def __init__(self, kind: str = "ios") -> None:
        self._known = KINDS[kind]
        self._on: dict[str, tuple[str, Value]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._on

    def set(self, name: str, text: str | None = None) -> None:
        """Switch a fault on. Raises LabError (status 2) for an unknown name or a value that is not understood."""
        fault = self._known.get(name)
        if fault is None:
            raise LabError(f"there is no fault {name!r}; choose one of: {', '.join(self._known)}, or clear", 2)
        try:
            value = fault.parse(text)
        except ValueError as error:
            raise LabError(f"fault {name} {error}", 2) from None
        self._on[name] = (f"{name}={text}" if fault.value and text is not None else name, value)

    def clear(self) -> None:
        """Switch every fault off."""
        self._on.clear()

    def drop(self, name: str) -> None:
        """Switch one fault off."""
        self._on.pop(name, None)

    def number(self, name: str) -> int | None:
        """The value in bytes of a fault such as cut, or None when it is off."""
        value = self._on[name][1] if name in self._on else None
        return value if isinstance(value, int) else None

    def seconds(self, name: str) -> float:
        """The value in seconds of a fault, 0 when it is off."""
        value = self._on[name][1] if name in self._on else None
        return value if isinstance(value, float) else 0.0

    def text(self, name: str) -> str | None:
        """The word that a fault was given, or None when it is off."""
        value = self._on[name][1] if name in self._on else None
        return value if isinstance(value, str) else None

    def consume(self, name: str) -> bool:
        """Whether a fault that happens a number of times happens now; the last time switches it off."""
        left = self.number(name)
        if left is None:
            return False
        if left > 1:
            self._on[name] = (f"{name}={left - 1}", left - 1)
        else:
            del self._on[name]
        return left > 0

    def strike(self) -> None:
        """A request or a connection came: kill_after and kill_tree_after count it, and kill when it is the one."""
        for name, kill in _KILLS.items():
            value = self._on[name][1] if name in self._on else None
            if not isinstance(value, tuple):
                continue
            left, number = int(value[0]) - 1, int(value[1])
            if left:
                self._on[name] = (f"{name}={left}:{number}", (left, number))
                continue
            del self._on[name]
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(number, signal.SIGKILL)

    def cuts_power(self) -> bool:
        """A request came: whether it is the one at which the power goes. The fault stays on: the host is dark."""
        left = self.number("power_cut_after")
        if not left:
            return False
        self._on["power_cut_after"] = (f"power_cut_after={left - 1}", left - 1)
        return left == 1

    def pair(self, name: str) -> tuple[float, float] | None:
        """The two numbers of trickle or slow, or None when it is off."""
        value = self._on[name][1] if name in self._on else None
        return value if isinstance(value, tuple) else None

    def names(self) -> list[str]:
        """What is on, written as on the command line: ``cut=2000``."""
        return [text for text, _unused in self._on.values()]


def parse_faults(entries: Iterable[object], kind: str = "ios") -> list[tuple[str, str | None]]:
    """Read ``lab_faults``: names, or ``name=value``. Raises LabError when one is not understood."""
    found: list[tuple[str, str | None]] = []
    trial = FaultSet(kind)
    for entry in entries:
        name, equals, value = str(entry).partition("=")
        pair = (name.strip(), value.strip() if equals else None)
        trial.set(*pair)
        found.append(pair)
    return found
