# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration mode: lines that edit the running configuration, and the modes they open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.ios import vlan_database
from lab.ios.commands import config_grammar
from lab.ios.config_secrets import SecretCommands
from lab.ios.grammar import Match, Refusal, interface_name
from lab.ios.terminal import Disconnected

if TYPE_CHECKING:
    from lab.ios.session import Session

_DEFAULTS_SWITCH = ("switchport access vlan 1", "duplex auto", "speed auto", "switchport trunk native vlan 1",
                    "switchport trunk allowed vlan all")  # fmt: skip


class ConfigMode:
    """The configuration commands of one session.

    Attributes:
        scope: the headers of the blocks that a line of the present mode edits (several after ``interface range``).
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._device = session.device
        self._terminal = session.terminal
        self.scope: list[str] = []
        self._secrets = SecretCommands(session)
        self._merging: list[str] | None = None

    async def merge(self, lines: list[str]) -> None:
        """Do a block of a file as ``copy FILE running-config`` does; banners and certificates are read from it."""
        self._session.mode, self.scope = "config", []
        self._merging = list(lines)
        while self._merging:
            line = self._merging.pop(0)
            if line.strip() and not line.lstrip().startswith("!"):
                await self.execute(line)
        self._merging = None

    async def _next_line(self) -> str:
        """The next line of a text that a command reads itself (banner, certificate)."""
        if self._merging is None:
            return await self._terminal.read_line()
        if not self._merging:
            raise Disconnected
        return self._merging.pop(0)

    async def execute(self, line: str) -> None:
        """Do one line; what the mode does not know is tried in global configuration mode, as IOS does."""
        session = self._session
        stripped = line.lstrip()
        offset = len(line) - len(stripped)
        negate = bool(re.match(r"no\s", stripped))
        if negate:
            offset += len(stripped) - len(stripped[2:].lstrip())
        body = line[offset:]
        family = self._device.model.family
        found = config_grammar(session.mode, family).parse(body, partial=negate)
        if isinstance(found, Refusal) and session.mode != "config":
            outer = config_grammar("config", family).parse(body, partial=negate)
            if isinstance(outer, Match):
                session.mode, self.scope, found = "config", [], outer
            elif outer.depth > found.depth:
                found = outer
        if isinstance(found, Refusal):
            found.column += offset
            session.refuse(found, line, len(session.prompt))
            return
        await self._run(found, negate, line)

    async def _run(self, match: Match, negate: bool, line: str) -> None:
        session = self._session
        action, _unused, argument = (match.rule.action if match.rule else "").partition(" ")
        if action == "end":
            session.mode = "exec"
        elif action == "exit":
            session.mode, self.scope = ("exec" if session.mode == "config" else "config"), []
        elif action == "do":
            await session.run_exec(match.args[0], len(session.prompt) + line.index(match.args[0]))
        elif action == "lab":
            session.not_played(line)
        elif action == "nothing":
            return
        else:
            prompt_length = len(session.prompt)
            refused = await self._change(action, argument, match, negate)
            if refused is not None:
                session.refuse(Refusal("invalid", max(line.rfind(refused), 0)), line, prompt_length)
            else:
                self._device.changed(session.user)

    async def _change(self, action: str, argument: str, match: Match, negate: bool) -> str | None:
        """Do a command that changes the configuration; returns the word that is refused, or None."""
        if action == "mode":
            return self._enter(argument, match, negate)
        if action == "range":
            return self._range(match.args[-1])
        if action == "default":
            return await self._default(match.args[-1])
        if action == "default_interface":
            return self._default_interface(match.args[-1])
        if action in ("secret", "user"):
            await self._secrets.run(action, match, negate)
        elif action in ("rsa", "zeroize"):
            await self._secrets.keys(action, match, negate)
        elif action == "banner":
            await self._banner(match, negate)
        elif action == "certificate":
            await self._certificate(match)
        elif action in vlan_database.ACTIONS:
            return vlan_database.run(self, self._session, action, match, negate)
        elif action == "name_server":
            for address in match.line.split()[2:]:
                self.apply(f"ip name-server {address}", f"ip name-server {address}", match, negate)
        else:
            self.apply(match.subject, match.line, match, negate)
            if match.subject.startswith("channel-group") and not negate:
                self._port_channel(match.args[0])
        return None

    def apply(self, subject: str, line: str, match: Match, negate: bool) -> None:
        """Write a setting into the blocks of the mode, or at top level."""
        flags = match.rule.flags if match.rule else frozenset()
        new: str | None
        shown = self._device.plan.ios_version.startswith("12.")  # 12.2 writes some defaults that 15 hides
        if "on" in flags or ("shown12" in flags and not shown):
            new = f"no {subject}" if negate else None
            if match.rule and len(match.tokens) > match.rule.key and not negate:
                new = line
        elif "both" in flags or "shown12" in flags:
            new = f"no {subject}" if negate else line
        else:
            new = None if negate else line
        if self._device.model.is_switch and new in _DEFAULTS_SWITCH:
            new = None
        if new and (subject.startswith("access-list") or "nacl" in self._session.mode):
            new = re.sub(r"\bdeny ", "deny   ", new, count=1)  # so that addresses line up with those of "permit"
        self.write(subject, new, whole=not negate and match.rule is not None and match.rule.whole)

    def write(self, subject: str, new: str | list[str] | None, whole: bool = False) -> None:
        """Make ``new`` the only line (or lines) about the subject in each block of the mode (None: remove it)."""
        running = self._device.running
        for header in self.scope:
            running.set_child(header, subject, new, whole)
        if not self.scope:
            running.set_top(subject, new[0] if isinstance(new, list) else new, whole=whole)

    def _enter(self, mode: str, match: Match, negate: bool) -> str | None:
        session, running = self._session, self._device.running
        header = match.line
        if mode == "config-if":
            return self._interface(match.args[-1], negate)
        headers = self._lines(match) if mode == "config-line" else [header]
        if negate:
            for header in headers:
                running.remove_block(header)
            return None
        for header in headers:
            running.ensure_block(header)
        session.mode, self.scope = mode, headers
        return None

    def _lines(self, match: Match) -> list[str]:
        """The blocks of ``line vty 0 15``: those that exist within the range, else a new one."""
        kind = {"console": "con"}.get(match.tokens[1], match.tokens[1])
        if kind.isdigit():
            return [match.line]
        numbers = [int(number) for number in match.args]
        header = f"line {kind} " + " ".join(match.args)
        inside = []
        for existing in self._device.running.top(f"line {kind} "):
            bounds = [int(number) for number in existing.split()[2:]]
            if numbers[0] <= bounds[0] and bounds[-1] <= numbers[-1]:
                inside.append(existing)
        return inside or [header]

    def _exists(self, name: str) -> bool:
        return name in self._device.model.ports or self._device.running.find(f"interface {name}") is not None

    def _interface(self, name: str, negate: bool) -> str | None:
        """Physical ports exist or not; virtual ones and subinterfaces are created (Cisco "interface")."""
        running = self._device.running
        header = f"interface {name}"
        physical = name in self._device.model.ports
        virtual = name.startswith(("Vlan", "Loopback", "Port-channel", "Tunnel", "Null")) or (
            "." in name and not self._device.model.is_switch and self._exists(name.split(".", maxsplit=1)[0])
        )
        if not physical and not virtual and not running.find(header):
            return re.sub(r"^\D+", "", name)
        if negate:
            if physical:
                self._terminal.line("% Removal of physical interfaces is not permitted")
            else:
                running.remove_block(header)
            return None
        if running.ensure_block(header) and name.startswith(("Vlan", "Loopback", "Tunnel")):
            running.set_child(header, "ip address", "no ip address")
        self._session.mode = "config-subif" if "." in name else "config-if"
        self.scope = [header]
        return None

    def _range(self, text: str) -> str | None:
        """``interface range fa0/1 - 4 , gi0/1``."""
        headers: list[str] = []
        for part in text.split(","):
            found = re.fullmatch(r"\s*(\D+[\d/]*?)(\d+)\s*(?:-\s*(\d+))?\s*", part)
            if not found:
                return part.strip() or text
            for number in range(int(found[2]), int(found[3] or found[2]) + 1):
                name = interface_name(f"{found[1].replace(' ', '')}{number}")
                if name is None or not self._exists(name):
                    return part.strip()
                headers.append(f"interface {name}")
        for header in headers:
            self._device.running.ensure_block(header)
        self._session.mode, self.scope = "config-if-range", headers
        return None

    def _port_channel(self, number: str) -> None:
        """Cisco "channel-group": creates the port-channel interface when it is not there."""
        header = f"interface Port-channel{number}"
        if self._device.running.ensure_block(header):
            self._terminal.line(f"Creating a port-channel interface Port-channel {number}\n")

    async def _default(self, line: str) -> str | None:
        """``default X``: the line about X goes, and so does its ``no`` form."""
        found = config_grammar(self._session.mode, self._device.model.family).parse(line, partial=True)
        if isinstance(found, Refusal):
            return line.rsplit(maxsplit=1)[-1]
        self.write(found.subject, None)
        return None

    def _default_interface(self, name: str) -> str | None:
        running, header = self._device.running, f"interface {name}"
        span = running.find(header)
        if span is None:
            return re.sub(r"^\D+", "", name)
        del running.lines[span[0] + 1 : span[1]]
        running.touch()
        if not self._device.model.is_switch:
            running.set_child(header, "ip address", "no ip address")
        self._terminal.line(f"Interface {name} set to default configuration")
        return None

    async def _banner(self, match: Match, negate: bool) -> None:
        """Cisco "banner motd": the first character is the delimiter; ``^C``, as IOS prints it, counts as one."""
        kind = match.tokens[1]
        running = self._device.running
        if negate or len(match.tokens) < 3:
            running.set_top(f"banner {kind}", None)
            return
        text = match.tokens[2]
        delimiter = "^C" if text.startswith("^C") else text[0]
        rest = text[len(delimiter) :]
        lines = [rest]
        if delimiter not in rest:
            if self._merging is None:
                self._terminal.line(f"Enter TEXT message.  End with the character '{delimiter}'.")
            while delimiter not in lines[-1]:
                lines.append(await self._next_line())
        lines[-1] = lines[-1].partition(delimiter)[0]
        lines[-1] += "^C"
        lines[0] = f"banner {kind} ^C" + lines[0]
        running.set_top(f"banner {kind}", lines[0], lines[1:])

    async def _certificate(self, match: Match) -> None:
        """Hexadecimal lines until ``quit``; IOS writes them again as eight groups and a blank."""
        lines = [" " + match.line]
        digits = ""
        if self._merging is None:
            self._terminal.line("Enter the certificate in hexadecimal representation....\n")
        while True:
            line = await self._next_line()
            if line.strip() == "quit":
                break
            digits += "".join(line.split())
        for start in range(0, len(digits), 64):
            groups = [digits[index : index + 8] for index in range(start, min(start + 64, len(digits)), 8)]
            lines.append("  " + " ".join(groups) + (" " if start + 64 < len(digits) else ""))
        running = self._device.running
        for header in self.scope:
            span = running.find(header)
            if span:
                running.lines[span[0] + 1 : span[1]] = [*lines, "  \tquit"]
                running.touch()
