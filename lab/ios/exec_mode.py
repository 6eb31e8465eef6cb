# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exec commands that ask, change the device or end the session."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from lab.ios import filesystem
from lab.ios.config_mode import ConfigMode
from lab.ios.configuration import Configuration
from lab.ios.device import FlashFile
from lab.ios.grammar import Match
from lab.ios.terminal import Disconnected

if TYPE_CHECKING:
    from lab.ios.session import Session


class ExecMode:
    """The commands of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._terminal = session.terminal
        self._device = session.device

    async def run(self, action: str, match: Match, pipe: str) -> None:
        """Do the command of this action name."""
        text = filesystem.listing(self._device, action, match)
        if text is not None:
            await self._session.show(text, pipe)
        else:
            await getattr(self, "_" + action)(match)

    async def _enable(self, match: Match) -> None:
        session = self._session
        wanted = int(match.args[0]) if match.args else 15
        if wanted <= session.privilege:
            session.privilege = max(wanted, 1)
            return
        if self._device.check_enable("") is None:
            # Cisco "enable secret": without one, privileged mode is open on the console and closed on a vty.
            if session.is_console:
                session.privilege = wanted
            else:
                self._terminal.line("% No password set")
            return
        for _unused in range(3):
            if self._device.check_enable(await self._terminal.ask("Password: ", echo=False)):
                session.privilege = wanted
                return
        # Without AAA; with "aaa new-model" it is "% Access denied" (Cisco "enable").
        aaa = self._device.running.value("aaa new-model") is not None
        self._terminal.line("% Access denied\n" if aaa else "% Bad secrets\n")

    async def _disable(self, match: Match) -> None:
        self._session.privilege = min(self._session.privilege, int(match.args[0]) if match.args else 1)

    async def _exit(self, match: Match) -> None:
        self._session.over = True

    async def _help(self, match: Match) -> None:
        self._terminal.line("Help may be requested at any point in a command by entering\na question mark '?'.")

    async def _configure(self, match: Match) -> None:
        self._terminal.line("Enter configuration commands, one per line.  End with CNTL/Z.")
        self._session.mode = "config"

    async def _configure_ask(self, match: Match) -> None:
        answer = await self._terminal.ask("Configuring from terminal, memory, or network [terminal]? ")
        if answer and not "terminal".startswith(answer):
            self._session.not_played(f"configure {answer}")
        else:
            await self._configure(match)

    async def _terminal_length(self, match: Match) -> None:
        self._terminal.length = 24 if "pager" in self._device.faults else int(match.args[0])

    async def _terminal_width(self, match: Match) -> None:
        self._terminal.width = int(match.args[0])

    async def _write(self, match: Match) -> None:
        self._terminal.line("Building configuration...")
        self._device.save(self._session.user)
        self._terminal.line("[OK]")

    async def _erase(self, match: Match) -> None:
        if match.args and match.args[0] not in ("nvram:", "startup-config"):
            self._session.not_played(match.line)
            return
        question = "Erasing the nvram filesystem will remove all configuration files! Continue? [confirm]"
        if await self._terminal.confirm(question):
            self._device.startup = None
            self._terminal.line("[OK]\nErase of nvram: complete")

    async def _reload(self, match: Match) -> None:
        """Cisco "reload": asks to save when the configuration was touched, then asks once more."""
        device = self._device
        if device.modified:
            answer = ""
            while answer not in ("yes", "no", "y", "n"):
                answer = (
                    await self._terminal.ask("\r\nSystem configuration has been modified. Save? [yes/no]: ")
                ).lower()
                if answer not in ("yes", "no", "y", "n"):
                    self._terminal.line("% Please answer 'yes' or 'no'.")
            if answer.startswith("y"):
                await self._write(match)
        if await self._terminal.confirm("Proceed with reload? [confirm]"):
            await asyncio.sleep(0)  # let the echo of the answer go out before the line drops
            device.power_cycle(device.plan.reload_time)
            raise Disconnected

    async def _delete(self, match: Match) -> None:
        name = filesystem.file_name(self._device, match.args[0])
        if name is None:
            self._session.not_played(match.line)
            return
        answer = await self._terminal.ask(f"Delete filename [{name}]? ")
        name = answer or name
        if await self._terminal.confirm(f"Delete {self._device.model.flash_name}:/{name}? [confirm]"):
            self._remove(name)

    async def _delete_force(self, match: Match) -> None:
        name = filesystem.file_name(self._device, match.args[0])
        if name is None:
            self._session.not_played(match.line)
        else:
            self._remove(name)

    def _remove(self, name: str) -> None:
        if self._device.flash.pop(name, None) is None:
            path = f"{self._device.model.flash_name}:/{name}"
            self._terminal.line(f"%Error deleting {path} (No such file or directory)\n")

    async def _copy(self, match: Match) -> None:
        source, target = (filesystem.place(self._device, word) for word in match.args)
        if source is None or target is None or source == target:
            self._session.not_played(match.line)
            return
        default = (
            target
            if target in ("running-config", "startup-config")
            else (
                target[6:] or (source[6:] if source.startswith("flash:") else f"{self._device.hostname.lower()}-confg")
            )
        )
        answer = await self._terminal.ask(f"Destination filename [{default}]? ")
        if target.startswith("flash:"):
            target = "flash:" + (answer or default)
        text = self._content(source)
        if text is None:
            self._terminal.line(f"%Error opening {match.args[0]} (No such file or directory)")
            return
        await self._deliver(source, target, text)

    def _content(self, source: str) -> str | None:
        if source == "running-config":
            return self._device.running.text
        if source == "startup-config":
            return self._device.startup
        file = self._device.flash.get(source[6:])
        return file.content.decode("latin-1") if file and file.content is not None else None

    async def _deliver(self, source: str, target: str, text: str) -> None:
        device = self._device
        if source == "running-config" and target == "startup-config":
            self._terminal.line("Building configuration...")
            device.save(self._session.user)
            self._terminal.line("[OK]")
            return
        if target == "startup-config":
            device.startup = text.replace("\r\n", "\n")
            self._terminal.line("[OK]")
        elif target == "running-config":
            await self._merge(text)
        else:
            device.flash[target[6:]] = FlashFile(text.encode("latin-1"), len(text), time.time())
        self._terminal.line(f"{len(text)} bytes copied in 0.512 secs ({int(len(text) / 0.512)} bytes/sec)")

    async def _merge(self, text: str) -> None:
        """Cisco "copy": into the running configuration a file is merged line by line, it replaces nothing else."""
        session = self._session
        merged = Configuration(text.replace("\r\n", "\n").replace("\r", "\n"))
        config = ConfigMode(session)
        before, session.mode = session.mode, "config"
        try:
            for start, stop in merged.blocks():
                if merged.lines[start] != "end":
                    await config.merge(merged.lines[start:stop])
        finally:
            session.mode = before
