# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One played device: its configuration, NVRAM, flash, VLAN database and power."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.faults import FaultSet
from lab.ios import secrets
from lab.ios.configuration import LAST_CHANGE, NVRAM_UPDATE, Configuration
from lab.ios.models import MODELS, default_config, image_name
from lab.plan import DevicePlan

if TYPE_CHECKING:
    from lab.ios.session import Session

_DEFAULT_VLANS = {1: "default", 1002: "fddi-default", 1003: "token-ring-default", 1004: "fddinet-default",
                  1005: "trnet-default"}  # fmt: skip


@dataclass
class FlashFile:
    """A file in flash: its content (None for the IOS image, which has only a size), size in bytes and time."""

    content: bytes | None
    size: int
    modified: float


@dataclass
class Counters:
    """What ``lab status`` counts since the lab came up."""

    sessions: int = 0
    commands: int = 0
    refused_logins: int = 0


class KnownSecrets:
    """The passwords behind hashes that stand in the configuration files of the lab.

    A file's hash of a password that nobody can recompute (a sanitized one) still has to let the inventory's user in,
    also after that file has been restored to another device.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def learn(self, text: str, plan: DevicePlan) -> None:
        """Remember the passwords of this plan for the hashes in its configuration."""
        for line in text.split("\n"):
            words = line.split()
            if words[:1] == ["enable"] and plan.enable_secret:
                password = plan.enable_secret
            elif words[:2] == ["username", plan.user] and plan.password:
                password = plan.password
            else:
                continue
            stored = secrets.stored_secret(words)
            if stored and stored[0] != "0":
                self._known[stored[1]] = password

    def matches(self, kind: str, stored: str, password: str) -> bool:
        """Whether a password is the one behind a stored value."""
        if stored in self._known and password == self._known[stored]:
            return True
        return secrets.matches(kind, stored, password)


@dataclass(eq=False)
class Device:
    """The state of a device and what happens to it as a whole; sessions and transports hold a reference to it."""

    plan: DevicePlan
    known: KnownSecrets
    faults: FaultSet = field(default_factory=FaultSet)
    counters: Counters = field(default_factory=Counters)
    sessions: set[Session] = field(default_factory=set)
    flash: dict[str, FlashFile] = field(default_factory=dict)
    modified: bool = False
    powered: bool = True
    on_power_off: Callable[[float], None] | None = None
    on_new_key: Callable[[int], None] | None = None

    def __post_init__(self) -> None:
        plan = self.plan
        self.model = MODELS[plan.model]
        self.boot_time = time.time()
        text = plan.running_config if plan.running_config is not None else self._generated()
        text = text if text.endswith("\n") else text + "\n"
        self.running = Configuration(text)
        self.startup: str | None = text
        if plan.startup_absent:
            self.startup = None
        elif plan.startup_config is not None:
            self.startup = plan.startup_config
        self.known.learn(text, plan)
        self.known.learn(self.startup or "", plan)
        self.vlans: dict[int, str] = dict(_DEFAULT_VLANS)
        self.vtp_mode, self.vtp_domain, self.vtp_revision = "server", plan.vtp_domain, 0
        self.image = plan.image.rpartition(":")[2].lstrip("/") or image_name(self.model, plan.ios_version)
        size = 14500000 if self.model.is_switch else 108000000
        self.flash[self.image] = FlashFile(None, size, self.boot_time - 86400 * 400)
        if self.model.is_switch:
            self._read_vlans()
            self.vlans.update(plan.vlans)
            self.vlan_dat_size = 676
            self.flash["vlan.dat"] = FlashFile(None, self.vlan_dat_size, self.boot_time)
        for name, value in plan.faults:
            self.faults.set(name, value)

    def _generated(self) -> str:
        plan = self.plan
        user = ""
        if plan.user:
            hashed = secrets.hash_secret(plan.password, plan.name + "/user")
            level = " privilege 15" if plan.privilege == 15 else ""
            user = f"username {plan.user}{level} secret 5 {hashed}"
        secret = ""
        if plan.enable_secret:
            secret = f"enable secret 5 {secrets.hash_secret(plan.enable_secret, plan.name + '/enable')}"
        return default_config(self.model, plan.ios_version, plan.name, user, secret)

    def _read_vlans(self) -> None:
        """VTP mode and VLANs as the configuration has them (only transparent and off keep VLANs there)."""
        self.vtp_mode = self.plan.vtp_mode or self.running.value("vtp mode ") or "server"
        self.vtp_domain = self.running.value("vtp domain ") or self.vtp_domain
        for header in self.running.top("vlan "):
            names = [line[5:] for line in self.running.children(header) if line.startswith("name ")]
            for number in vlan_numbers(header[5:].strip()) or []:
                self.vlans[number] = names[0] if names else f"VLAN{number:04d}"

    @property
    def hostname(self) -> str:
        """The name in the prompt."""
        return self.running.value("hostname ") or ("Switch" if self.model.is_switch else "Router")

    @property
    def is_unsaved(self) -> bool:
        """Whether running and startup configuration differ in more than the remarks about who saved them when."""
        return self.startup is None or Configuration(self.startup).essence() != self.running.essence()

    @property
    def mac(self) -> str:
        """The base Ethernet address, derived from the serial, as 12 hexadecimal digits."""
        return "001d45" + hashlib.sha256(self.plan.serial.encode()).hexdigest()[:5] + "0"

    def banner(self, kind: str) -> str:
        """The text of a banner without its delimiters, LF line ends; empty when there is none."""
        for start, stop in self.running.blocks():
            header = self.running.lines[start]
            if header.startswith(f"banner {kind} "):
                text = "\n".join([header[len(f"banner {kind} ") :], *self.running.lines[start + 1 : stop]])
                delimiter = "^C" if text.startswith("^C") else text[:1]
                return text[len(delimiter) :].partition(delimiter)[0]
        return ""

    def flash_boot(self) -> str:
        """What ``show boot`` names as the image to start."""
        wanted = self.running.value("boot system ")
        return wanted or f"{self.model.flash_name}:{'/' if self.model.is_switch else ''}{self.image}"

    def stamp(self) -> str:
        """The device's clock as IOS prints it (UTC)."""
        return time.strftime("%H:%M:%S UTC %a %b ", time.gmtime()) + time.strftime("%d %Y", time.gmtime()).lstrip("0")

    def _remark(self, prefix: str, user: str) -> None:
        # IOS 15 keeps these two remarks; 12.2 on a 2960 has neither in the files seen.
        if self.plan.config_header == "auto" and not self.plan.ios_version.startswith("12."):
            self.running.remark(prefix, self.stamp() + (f" by {user}" if user else ""))

    def changed(self, user: str) -> None:
        """A configuration command was accepted; also one that changed nothing counts for IOS."""
        self.modified = True
        self._remark(LAST_CHANGE, user)

    def save(self, user: str) -> None:
        """``write memory``."""
        self._remark(NVRAM_UPDATE, user)
        self.startup = self.running.text
        self.modified = False

    def check_login(self, user: str, password: str) -> bool:
        """Whether this user name and password may log in (locally defined users; no AAA server is played)."""
        if "wrong_password" in self.faults:
            return False
        line = self.running.value(f"username {user} ") if user else None
        if line is not None:
            stored = secrets.stored_secret(line.split())
            return stored is None or self.known.matches(*stored, password)
        # No such user in the configuration: the inventory says how one gets in, as a RADIUS server would.
        return user == self.plan.user and password == self.plan.password

    def login_privilege(self, user: str) -> int:
        """The privilege level after login."""
        line = (self.running.value(f"username {user} ") if user else None) or ""
        words = line.split()
        level = int(words[words.index("privilege") + 1]) if "privilege" in words[:-1] else 1
        return max(level, self.plan.privilege)

    def check_enable(self, password: str) -> bool | None:
        """Whether this is the enable secret; None when none is set."""
        for prefix in ("enable secret ", "enable password "):
            line = self.running.value(prefix)
            if line is not None:
                stored = secrets.stored_secret(("secret " + line).split())
                return "wrong_enable" not in self.faults and bool(stored and self.known.matches(*stored, password))
        if self.plan.enable_secret:
            return "wrong_enable" not in self.faults and password == self.plan.enable_secret
        return None

    def power_cycle(self, seconds: float) -> None:
        """Switch off and on: what was not saved is lost, sessions end, nothing listens for ``seconds``."""
        for session in list(self.sessions):
            session.drop()
        self.running = Configuration(self.startup if self.startup is not None else self._blank())
        self.modified = False
        self.boot_time = time.time()
        if self.model.is_switch and "vlan.dat" not in self.flash:
            self.vlans, self.vtp_mode = dict(_DEFAULT_VLANS), "server"
            self.flash["vlan.dat"] = FlashFile(None, self.vlan_dat_size, self.boot_time)
        if self.model.is_switch and self.startup is not None and self.running.top("vtp mode "):
            self._read_vlans()
        if self.on_power_off:
            self.on_power_off(seconds)

    def _blank(self) -> str:
        """What a device without startup-config runs."""
        name = "Switch" if self.model.is_switch else "Router"
        return default_config(self.model, self.plan.ios_version, name, "", "")


def vlan_numbers(text: str) -> list[int] | None:
    """The VLANs of a list such as ``10,20-22``; None when it is not one or leaves 1 to 4094."""
    found: list[int] = []
    for part in text.split(","):
        first, _unused, last = part.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            return None
        found += range(int(first), int(last or first) + 1)
    return found if found and all(1 <= number <= 4094 for number in found) else None
