# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that loses power, and its next start.

What ran is gone without a word: no service is told, no postmaster shuts down, no program tidies up behind itself. What
was written stays (a half-written folder as well). The host is dark until the fault that did it is switched off.
Sources: event 6008 and 6005 of the source EventLog; services.msc: only automatic services start with the system.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.windows.host import Host

FAULTS = ("power_cut_after", "power_cut_in", "no_power")


def _nothing() -> None:
    """Nobody is to be told."""


class Power:
    """Whether a host has power, and what happens when that changes.

    Attributes:
        on_cut: told when the power goes: drops the lines and what ran in shells.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.lost = False
        self.on_cut: Callable[[], None] = _nothing
        self._boot: asyncio.Task[None] | None = None

    def due(self, program: str) -> bool:
        """Whether the power goes in the middle of this program (its file name, with or without .exe)."""
        wanted = (self._host.faults.text("power_cut_in") or "").lower().removesuffix(".exe")
        return bool(wanted) and not self.lost and wanted == program.lower().removesuffix(".exe")

    async def halfway(self, *programs: str) -> None:
        """A program, known under these names, is in its middle: when the power goes now, this never returns."""
        if any(map(self.due, programs)):
            self.cut()
            await asyncio.Event().wait()

    def cut(self) -> None:
        """The power goes."""
        if self.lost:
            return
        host = self._host
        self.lost = True
        if self._boot:
            self._boot.cancel()
        host.scm.lose_power()
        host.tasks.vanish()
        for cluster in host.clusters():
            cluster.crash()
        host.remember("power lost")
        for process in list(host.processes.values()):
            if process.task:
                process.task.cancel()
        host.processes.clear()
        self.on_cut()

    def follow(self) -> None:
        """The faults were switched: a host whose power is back boots."""
        if "no_power" in self._host.faults:
            self.cut()
        if self.lost and not any(name in self._host.faults for name in FAULTS):
            self.lost = False
            self._boot = asyncio.get_running_loop().create_task(self._booted())

    async def _booted(self) -> None:
        host = self._host
        gone = time.strftime("%H:%M:%S"), time.strftime("%d/%m/%Y")
        host.boot_time = time.time()
        host.events.add("System", "EventLog", 6008, 1, host.say(
            f"L'arrêt système précédant à {gone[0]} le {gone[1]} n'était pas prévu.",
            f"The previous system shutdown at {gone[0]} on {gone[1]} was unexpected.",
        ), list(gone))  # fmt: skip
        host.events.add("System", "EventLog", 6005, 3, host.say(
            "Le service d'Enregistrement d'événement a démarré.", "The Event log service was started."
        ))  # fmt: skip
        for cluster in host.clusters():
            await cluster.wait()
        host.features.boot()
        host.scm.boot()
        host.tasks.boot()

    def end(self) -> None:
        """The lab goes down."""
        if self._boot:
            self._boot.cancel()
