# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains of a lab: who belongs to one, its accounts, and what its Active Directory holds for DFS.

Sources: "Well-known SIDs" (RIDs 500 to 516); a domain's accounts have the names of the language in which its first domain
controller was installed; facts/windows.md 1.5 (the second hop) and 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.windows.dfs.config import Group
from lab.windows.dfs.worker import Worker

if TYPE_CHECKING:
    from lab.windows.dfs.namespace import Namespace
    from lab.windows.host import Host
    from lab.windows.plan import WindowsPlan

# RID: (French name, English name)
_GROUPS = {
    512: ("Admins du domaine", "Domain Admins"),
    513: ("Utilisateurs du domaine", "Domain Users"),
    514: ("Invités du domaine", "Domain Guests"),
    515: ("Ordinateurs du domaine", "Domain Computers"),
    516: ("Contrôleurs de domaine", "Domain Controllers"),
}
_USER, _GROUP = 1, 2  # SID_NAME_USE
_FIRST_COMPUTER = 1101


@dataclass(eq=False)
class Domain:
    """A domain: its DNS name, its NetBIOS name, its SID, its computers (DNS-less names in upper case).

    Attributes:
        controller: gives the domain controller, None when it cannot be asked. groups, namespaces: by lower-case name.
    """

    name: str
    netbios: str
    sid: str
    computers: list[str]
    french: bool
    controller: Callable[[], Host | None]
    groups: dict[str, Group] = field(default_factory=dict)
    namespaces: dict[str, Namespace] = field(default_factory=dict)

    @property
    def distinguished(self) -> str:
        """``DC=lycee,DC=example``."""
        return ",".join(f"DC={part}" for part in self.name.split("."))

    def is_named(self, text: str) -> bool:
        """Whether somebody means this domain."""
        return text.lower() in (self.name.lower(), self.netbios.lower())

    def computer_sid(self, computer: str) -> str:
        """The SID of the account that a computer has in the domain."""
        return f"{self.sid}-{_FIRST_COMPUTER + self.computers.index(computer.upper())}"

    def principals(self) -> Iterator[tuple[str, str, int]]:
        """(SID, name, SIDType) of the domain's accounts; none when no domain controller answers."""
        controller = self.controller()
        if controller is None:
            return
        for account in controller.accounts.users.values():
            yield account.sid, account.name, _USER
        for rid, names in _GROUPS.items():
            yield f"{self.sid}-{rid}", names[0 if self.french else 1], _GROUP
        for computer in self.computers:
            yield self.computer_sid(computer), f"{computer}$", _USER

    def parts_of(self, sid: str) -> tuple[str, str, int] | None:
        """(domain, name, SIDType) of a SID of this domain."""
        if not sid.startswith(f"{self.sid}-"):
            return None
        return next(((self.netbios, name, kind) for known, name, kind in self.principals() if known == sid), None)

    def sid_of(self, text: str) -> str | None:
        """The SID of ``LYCEE\\name``, ``name@lycee.example`` or a bare name."""
        domain, backslash, name = text.rpartition("\\")
        if not backslash and "@" in text:
            name, _unused, domain = text.partition("@")
        if domain and not self.is_named(domain):
            return None
        return next((sid for sid, known, _unused in self.principals() if known.lower() == name.lower()), None)


def is_up(host: Host) -> bool:
    """Whether other computers reach a host: it has power, and nothing takes it off the network."""
    return not host.power.lost and "off" not in host.faults


class Directory:
    """All domains of a lab, and the worker that replicates between their members.

    Args:
        host_of: a host by its inventory name, made when nobody has asked it anything yet. made: the same, None instead.
    """

    def __init__(self, plans: Iterable[WindowsPlan], host_of: Callable[[str], Host], made: Callable[[str], Host | None]
                 ) -> None:  # fmt: skip
        self._host_of, self._made = host_of, made
        self.domains: dict[str, Domain] = {}
        self._plans = {plan.computer_name: plan for plan in plans}
        for plan in self._plans.values():
            if "." in plan.domain and plan.domain.lower() not in self.domains:
                self.domains[plan.domain.lower()] = self._domain(plan.domain)
        self.worker = Worker(self)

    def _domain(self, name: str) -> Domain:
        from lab.windows.plan import domain_sid

        found = [plan for plan in self._plans.values() if plan.domain.lower() == name.lower()]
        controller = next((plan for plan in found if plan.domain_controller), None)
        others = sorted(plan.computer_name for plan in found if plan is not controller)
        computers = ([controller.computer_name] if controller else []) + others
        netbios = next((plan.netbios for plan in [controller, *found] if plan and plan.netbios), "")

        def ask() -> Host | None:
            host = self._host_of(controller.name) if controller else None
            return host if host is not None and is_up(host) else None

        french = controller is None or controller.language == "fr"
        return Domain(name, netbios, domain_sid(name), computers, french, ask)

    def of(self, plan: WindowsPlan) -> Domain | None:
        """The domain of a host."""
        return self.domains.get(plan.domain.lower())

    def named(self, text: str) -> Domain | None:
        """A domain by its DNS or its NetBIOS name."""
        return next((item for item in self.domains.values() if item.is_named(text)), None)

    def host(self, computer: str) -> Host | None:
        """A host by its computer name, whether it is on or not."""
        plan = self._plans.get(computer.upper())
        return self._host_of(plan.name) if plan else None

    def known_host(self, computer: str) -> Host | None:
        """A host that somebody has asked something already."""
        plan = self._plans.get(computer.upper())
        return self._made(plan.name) if plan else None

    async def end(self) -> None:
        """The lab goes down."""
        await self.worker.end()
