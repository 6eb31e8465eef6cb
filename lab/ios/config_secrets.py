# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration commands that store passwords or make keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.ios import secrets
from lab.ios.grammar import Match

if TYPE_CHECKING:
    from lab.ios.session import Session

_NOT_A_HASH = (
    "ERROR: The secret you entered is not a valid encrypted secret.\n"
    "To enter an UNENCRYPTED secret, do not specify type {kind} encryption.\n"
    "When you properly enter an UNENCRYPTED secret, it will be encrypted."
)


class SecretCommands:
    """``enable secret``, ``username`` and ``crypto key``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._device = session.device
        self._terminal = session.terminal

    async def run(self, action: str, match: Match, negate: bool) -> None:
        """Do ``enable secret`` (action secret) or ``username`` (action user)."""
        if action == "secret":
            self._enable(match, negate)
        else:
            await self._user(match, negate)

    def _stored(self, words: list[str]) -> tuple[str, str] | None:
        """What is kept for ``secret ...``: a clear password becomes a type 5 hash; None when the hash is malformed."""
        kind, value = words[0], " ".join(words[1:])
        if not (len(kind) == 1 and kind in "045789" and value):
            kind, value = "0", " ".join(words)
        if kind == "0":
            return "5", secrets.hash_secret(value)
        marker = {"5": "$1$", "8": "$8$", "9": "$9$"}.get(kind, "")
        if not value.startswith(marker):
            self._terminal.line(_NOT_A_HASH.format(kind=kind))
            return None
        return kind, value

    def _enable(self, match: Match, negate: bool) -> None:
        running = self._device.running
        if negate:
            running.set_top("enable secret", None)
            return
        words = match.line.split()[2:]
        if words[0] == "level":
            self._session.not_played(match.line)
            return
        stored = self._stored(words)
        if stored:
            running.set_top("enable secret", f"enable secret {stored[0]} {stored[1]}")

    async def _user(self, match: Match, negate: bool) -> None:
        """Cisco "username": options given one after the other are kept together in one line."""
        running = self._device.running
        name = match.args[0]
        subject = f"username {name}"
        if negate:
            question = (
                "This operation will remove all username related configurations with same name."
                "Do you want to continue? [confirm]"
            )
            old = self._device.plan.ios_version.startswith("12.")
            if old or await self._terminal.confirm(question):
                running.set_top(subject, None)
            return
        before = (running.value(subject + " ") or "").split()
        after = match.line.split()[2:]
        privilege = _privilege(after) or _privilege(before)
        credential = _credential(after)
        if credential and credential[0] == "secret":
            stored = self._stored(credential[1:])
            if stored is None:
                return
            credential = ["secret", *stored]
        elif credential and credential[0] == "password" and credential[1] not in ("0", "7"):
            credential = ["password", "0", *credential[1:]]
        credential = credential or _credential(before)
        parts = ["username", name, *(["privilege", privilege] if privilege else []), *credential]
        running.set_top(subject, " ".join(parts))

    async def keys(self, action: str, match: Match, negate: bool) -> None:
        """Cisco "crypto key generate rsa": needs a host name and a domain name, asks before it replaces keys."""
        running = self._device.running
        if action == "zeroize":
            self._session.not_played(match.line)
            return
        domain = running.value("ip domain-name ") or running.value("ip domain name ")
        if not domain:
            self._terminal.line("% Please define a domain-name first.")
            return
        name = f"{self._device.hostname}.{domain}"
        self._terminal.line(f"% You already have RSA keys defined named {name}.")
        answer = await self._terminal.ask("% Do you really want to replace them? [yes/no]: ")
        if not answer.lower().startswith("y"):
            return
        bits = match.args[-1] if match.args else await self._modulus(name)
        if not bits.isdigit() or not 360 <= int(bits) <= 4096:
            self._terminal.line("% Invalid modulus size")
            return
        self._terminal.line(
            f"% Generating {bits} bit RSA keys, keys will be non-exportable...\n[OK] (elapsed time was 1 seconds)\n"
        )
        if self._device.on_new_key:
            self._device.on_new_key(int(bits))

    async def _modulus(self, name: str) -> str:
        self._terminal.line(
            f"The name for the keys will be: {name}\n"
            "Choose the size of the key modulus in the range of 360 to 4096 for your\n"
            "  General Purpose Keys. Choosing a key modulus greater than 512 may take\n  a few minutes.\n"
        )
        return await self._terminal.ask("How many bits in the modulus [512]: ") or "512"


def _privilege(words: list[str]) -> str:
    return words[words.index("privilege") + 1] if "privilege" in words[:-1] else ""


def _credential(words: list[str]) -> list[str]:
    for keyword in ("secret", "password", "nopassword"):
        if keyword in words:
            return words[words.index(keyword) :]
    return []
