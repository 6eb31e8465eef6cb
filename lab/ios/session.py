# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command line session: prompts, modes, the exec commands, and how a line that is not understood is refused."""

from __future__ import annotations

import asyncio
import logging

from lab.ios import show
from lab.ios.commands import config_grammar, exec_grammar
from lab.ios.config_mode import ConfigMode
from lab.ios.device import Device
from lab.ios.exec_mode import ExecMode
from lab.ios.filters import apply_filter, split_filter
from lab.ios.grammar import Grammar, Match, Refusal
from lab.ios.terminal import CTRL_C, CTRL_Z, Disconnected, Terminal

LAB = "% LAB: known to IOS, not played by this lab: "


class Session:
    """One login on a device.

    Args:
        user: the name given at login; empty on a console without login.
        privilege: level after login (1 user exec, 15 privileged exec).
        line_name: the line that ``show users`` names, such as ``vty 0``; host: where the client is.
    Attributes:
        refusals: how many lines were not understood so far.
    """

    def __init__(
        self, device: Device, terminal: Terminal, user: str, privilege: int, *, line_name: str = "vty 0", host: str = ""
    ) -> None:
        self.device = device
        self.terminal = terminal
        self.user = user
        self.privilege: int = privilege
        self.line_name = line_name
        self.host = host
        self.mode = "exec"
        self.history: list[str] = []
        self.refusals = 0
        self.over = False
        self._exec = ExecMode(self)
        self.config = ConfigMode(self)

    @property
    def prompt(self) -> str:
        """The prompt of the present mode; a configuration prompt shows 20 characters of the host name."""
        name = self.device.hostname
        if self.mode == "exec":
            return name + ("#" if self.privilege > 1 else ">")
        return f"{name[:20]}({self.mode})#"

    @property
    def is_console(self) -> bool:
        """Whether this is the serial line."""
        return self.line_name.startswith("con")

    async def run(self) -> None:
        """Serve lines until the client leaves or is thrown out."""
        self.device.counters.sessions += 1
        self.device.sessions.add(self)
        try:
            while not self.over:
                await self._step()
        except Disconnected:
            pass
        finally:
            self.device.sessions.discard(self)
            self.terminal.wire.close()

    def drop(self) -> None:
        """The device goes off: the connection ends without a word."""
        self.over = True
        self.terminal.eof()
        self.terminal.wire.close()

    async def _step(self) -> None:
        prompt = self.prompt.encode("latin-1")
        self.terminal.write(prompt)
        line = await self.terminal.read_line(True, self._help, prompt)
        key = line[-1:] if line[-1:] in (CTRL_C, CTRL_Z) else ""
        line = line.rstrip(CTRL_C + CTRL_Z)
        if key == CTRL_C:
            self.mode = "exec"
            return
        try:
            await self.execute(line)
        except Disconnected:
            raise
        except Exception:  # a mistake of the lab shows as LAB:, which fails every test, and not as a hanging client
            logging.exception("%s: %s", self.device.plan.name, line)
            self.refusals += 1
            self.terminal.line(f"% LAB: internal error at: {line.strip()}")
        if key == CTRL_Z:
            self.mode = "exec"

    async def execute(self, line: str) -> None:
        """Do one line in the present mode."""
        stripped = line.strip()
        if not stripped or stripped.startswith("!"):
            return
        self.device.counters.commands += 1
        self.history.append(stripped)
        del self.history[:-20]
        latency = self.device.plan.latency.get("command", 0.0)
        if latency:
            await asyncio.sleep(latency)
        if self.mode == "exec":
            await self.run_exec(line)
        else:
            await self.config.execute(line)

    def grammar(self) -> Grammar:
        """The grammar of the present mode."""
        family = self.device.model.family
        return exec_grammar(family) if self.mode == "exec" else config_grammar(self.mode, family)

    def _allowed(self) -> str:
        return "user" if self.mode == "exec" and self.privilege < 2 else ""

    def _help(self, line: str) -> bytes:
        words = self.grammar().candidates(line, self._allowed())
        text = "\r\n".join(f"  {word}" for word in words) if words else "% Unrecognized command"
        return text.encode("latin-1") + b"\r\n\r\n"

    async def run_exec(self, line: str, offset: int | None = None) -> None:
        """Do one exec command; ``offset`` is where the line stands on the screen (default: after the prompt)."""
        command, pipe = split_filter(line)
        start = len(self.prompt) if offset is None else offset
        found = exec_grammar(self.device.model.family).parse(command, self._allowed())
        if isinstance(found, Refusal):
            words = command.split()
            if found.kind == "invalid" and found.depth == 0 and len(words) == 1:
                self._translate(words[0])
            else:
                self.refuse(found, command, start)
            return
        action = found.rule.action if found.rule else "lab"
        if action == "lab":
            self.not_played(command)
        elif action == "nothing":
            return
        elif action in ("show_run", "show_run_interface"):
            await self._running(found, pipe, command, start)
        elif action in show.COMMANDS:
            await self.show(show.COMMANDS[action](self, found), pipe)
        else:
            await self._exec.run(action, found, pipe)

    async def show(self, text: str, pipe: str = "") -> None:
        """Send the output of a command (LF line ends), filtered as the part after ``|`` says."""
        if pipe:
            filtered = apply_filter(text, pipe)
            if filtered is None:
                self.refusals += 1
                self.terminal.line("                 ^\n% Invalid input detected at '^' marker.\n")
                return
            text = filtered
        await self.terminal.output(text.encode("latin-1", "replace").replace(b"\n", b"\r\n"))

    async def _running(self, found: Match, pipe: str, command: str, start: int) -> None:
        device = self.device
        if "privilege" in device.faults:
            refused = exec_grammar(device.model.family).parse(command, "user")
            if isinstance(refused, Refusal):
                self.refuse(refused, command, start)
            return
        slow = device.faults.pair("slow")
        pause = slow[1] if slow else device.plan.latency.get("show_run", 0.0)
        if pause:
            await asyncio.sleep(pause)
        if found.args:
            await self.show(show.running_interface(device, found.args[0]), pipe)
        elif pipe:
            await self.show(show.running(device).decode("latin-1").replace("\r\n", "\n"), pipe)
        else:
            await self.terminal.output(show.running(device))

    def refuse(self, refusal: Refusal, line: str, start: int) -> None:
        """Say why a line was not understood, with IOS's words and the caret under the offending character."""
        self.refusals += 1
        if refusal.kind == "ambiguous":
            self.terminal.line(f'% Ambiguous command:  "{line.strip()}"')
        elif refusal.kind == "incomplete":
            self.terminal.line("% Incomplete command.\n")
        else:
            self.terminal.line(" " * (start + refusal.column) + "^\n% Invalid input detected at '^' marker.\n")

    def not_played(self, line: str) -> None:
        """Refuse what IOS would do and the lab does not; any test that sees LAB: has to fail."""
        self.refusals += 1
        self.terminal.line(LAB + line.strip())

    def _translate(self, word: str) -> None:
        """A single unknown word is a host to telnet to (Cisco "ip domain-lookup": the default is to look it up).

        The real device waits some ten seconds for 255.255.255.255; the lab does not.
        """
        self.refusals += 1
        config = self.device.running
        off = config.value("no ip domain-lookup") is not None or config.value("no ip domain lookup") is not None
        first = f'Translating "{word}"' + ("" if off else "...domain server (255.255.255.255)")
        self.terminal.line(f"{first}\n")
        if off:
            self.terminal.line(f'Translating "{word}"')
        self.terminal.line("% Unknown command or computer name, or unable to find computer address")
