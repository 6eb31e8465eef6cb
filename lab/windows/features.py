# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and features of a Windows Server: what is installed, and what an installation brings.

Sources: Microsoft's page of Win32_ServerFeature (numbers); names of ServerManagerCmd -query and of dism /get-features;
KB2495051 (on 2008 R2 DFS Namespaces bring the service of DFS Replication as well, on 2008 they do not).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.windows.host import Host

FAULT = "feature_needs_reboot"


@dataclass(frozen=True)
class Feature:
    """One feature: its name for ServerManagerCmd, its number, its parent's, its name for dism (empty: none)."""

    name: str
    number: int
    parent: str
    dism: str
    french: str
    english: str
    kind: str = "RoleService"


_FILES = "File-Services"
_ALL = (
    Feature(_FILES, 6, "", "File-Services", "Services de fichiers", "File Services", "Role"),
    Feature("FS-FileServer", 255, _FILES, "CoreFileServer", "Serveur de fichiers", "File Server"),
    Feature("FS-DFS", 100, _FILES, "", "Système de fichiers distribués", "Distributed File System"),
    Feature("FS-DFS-Namespace", 101, "FS-DFS", "DFSN-Server", "Espaces de noms DFS", "DFS Namespaces"),
    Feature("FS-DFS-Replication", 102, "FS-DFS", "DFSR-Infrastructure-ServerEdition", "Réplication DFS", "DFS Replication"),
    Feature("RSAT-DFS-Mgmt-Con", 278, "RSAT", "DfsMgmt", "Outils du système de fichiers distribués (DFS)",
            "Distributed File System Tools", "Feature"),
    Feature("RSAT", 67, "", "", "Outils d'administration de serveur distant", "Remote Server Administration Tools", "Feature"),
)  # fmt: skip
FEATURES = {item.name.lower(): item for item in _ALL}
#: Others that lab_features may name: number, French and English name.
_OTHERS = {
    1: ("Serveur d'applications", "Application Server"), 2: ("Serveur Web (IIS)", "Web Server (IIS)"),
    7: ("Services d'impression", "Print Services"), 10: ("Services de domaine Active Directory", "Active Directory Domain Services"),
    12: ("Serveur DHCP", "DHCP Server"), 13: ("Serveur DNS", "DNS Server"),
    18: ("Services Terminal Server", "Terminal Services"), 33: ("Clustering avec basculement", "Failover Clustering"),
    36: ("Fonctionnalités .NET Framework 3.0", ".NET Framework 3.0 Features"),
    39: ("Fonctionnalités de la Sauvegarde de Windows Server", "Windows Server Backup Features"),
    44: ("Client Telnet", "Telnet Client"), 110: ("Contrôleur de domaine Active Directory", "Active Directory Domain Controller"),
}  # fmt: skip


class Features:
    """What a host has.

    Attributes:
        pending, leaving: names of what is installed, or removed, and acts after the next start.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.numbers = set(host.plan.features)
        self.pending: list[str] = []
        self.leaving: list[str] = []
        if host.plan.dfs:
            self.numbers |= {6, 100, 101, 102}
        if host.plan.domain_controller:
            self.numbers |= {10, 110}

    def has(self, name: str) -> bool:
        """Whether a feature is installed, by its name for ServerManagerCmd."""
        return FEATURES[name.lower()].number in self.numbers

    def known(self) -> list[Feature]:
        """The features that this version of Windows knows: 2008 has no DFS tools of their own [K]."""
        return [item for item in _ALL if not (self._host.plan.is_nt60 and item.name == "RSAT-DFS-Mgmt-Con")]

    def find(self, name: str, dism: bool = False) -> Feature | None:
        """One of them by its name for ServerManagerCmd, or for dism."""
        low = name.lower()
        return next((item for item in self.known() if low == (item.dism if dism else item.name).lower()), None)

    def missing(self, feature: Feature, parents: bool = True) -> list[Feature]:
        """What installing a feature installs: its parents that are not there, itself, and of a mere heading all below."""
        found: list[Feature] = []
        parent = FEATURES.get(feature.parent.lower())
        if parents and parent:
            found += [item for item in self.missing(parent) if item.name in (parent.name, parent.parent)]
        found.append(feature)
        if feature.name == "FS-DFS":
            found += [item for item in _ALL if item.parent == feature.name]
        return [item for item in found if item.number not in self.numbers and item.name not in self.pending]

    def install(self, features: list[Feature]) -> bool:
        """Install; whether a restart is needed for it."""
        later = FAULT in self._host.faults
        for item in features:
            if later:
                self.pending.append(item.name)
            else:
                self._brought(item)
        return later

    def remove(self, feature: Feature) -> bool:
        """Remove a feature, and what depends on it; whether a restart is needed: its services go with the next start."""
        gone = [item for item in _ALL if feature.name in (item.name, item.parent)]
        self.numbers -= {item.number for item in gone}
        self.leaving += [item.name for item in gone]
        return True

    def boot(self) -> None:
        """The host starts: what waited for it is there."""
        from lab.windows.dfs import removed

        waiting, self.pending = self.pending, []
        for name in self.leaving:
            removed(self._host, name)
        self.leaving.clear()
        for name in waiting:
            self._brought(FEATURES[name.lower()])

    def _brought(self, feature: Feature) -> None:
        from lab.windows.dfs import installed

        self.numbers.add(feature.number)
        names = [feature.name]
        if feature.name == "FS-DFS-Namespace" and self._host.plan.version.startswith("6.1"):
            names.append("FS-DFS-Replication")
        for name in names:
            if name.startswith("FS-DFS-"):
                installed(self._host, name)

    def rows(self) -> list[tuple[int, str, int]]:
        """(number, name in the host's language, number of the parent) of what is installed."""
        found = []
        for number in sorted(self.numbers):
            item = next((item for item in _ALL if item.number == number), None)
            names = (
                (item.french, item.english) if item else _OTHERS.get(number, (f"Feature {number}", f"Feature {number}"))
            )
            parent = FEATURES[item.parent.lower()].number if item and item.parent else 10 if number == 110 else 0
            found.append((number, self._host.say(*names), parent))
        return found
