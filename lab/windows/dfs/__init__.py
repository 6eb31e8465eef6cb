# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains, DFS namespaces and DFS Replication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.windows.dfs.directory import Directory, Domain, is_up
from lab.windows.dfs.member import SERVICE, Member
from lab.windows.files import WindowsPathError
from lab.windows.services import Service

if TYPE_CHECKING:
    from lab.windows.dfs.namespace import Namespace
    from lab.windows.host import Host

__all__ = ["NAMESPACE", "REPLICATION", "DfsHost", "Directory", "Domain", "installed", "is_up", "removed"]
#: The role services of Server 2008 (facts/windows.md 2.6).
NAMESPACE, REPLICATION = "FS-DFS-Namespace", "FS-DFS-Replication"
# Role service: service, French and English display, program, what it depends on (a default Server 2008).
_SERVICES = {
    NAMESPACE: ("Dfs", "Espace de noms DFS", "DFS Namespace", "C:\\Windows\\system32\\dfssvc.exe",
                ["LanmanServer", "LanmanWorkstation", "SamSs"]),
    REPLICATION: (SERVICE, "Réplication DFS", "DFS Replication", "C:\\Windows\\system32\\DFSRs.exe", ["RpcSs", "EventLog"]),
}  # fmt: skip


class DfsHost:
    """What a host has of DFS.

    Attributes:
        directory: the domains of its lab; None for a host on its own. features: the role services that are installed.
        roots: its stand-alone namespaces, by lower-case name. member: its replication service.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.directory: Directory | None = None
        self.features: set[str] = set()
        self.roots: dict[str, Namespace] = {}
        self.member = Member(host)

    @property
    def domain(self) -> Domain | None:
        """The domain that the host is in."""
        return self.directory.of(self._host.plan) if self.directory else None

    def join(self, directory: Directory) -> None:
        """The host belongs to a lab, and with it maybe to a domain."""
        self.directory = directory
        self._host.accounts.domain = self.domain

    def begin(self) -> None:
        """A new host: what its inventory says is there already. A domain controller has the service Dfs, without the tools."""
        if self._host.plan.domain_controller:
            _service(self._host, NAMESPACE)
        if self._host.plan.dfs:
            installed(self._host, NAMESPACE)
            installed(self._host, REPLICATION)

    def is_running(self, name: str) -> bool:
        """Whether the service of a role service runs."""
        service = self._host.scm.get(_SERVICES[name][0])
        return service is not None and service.state == "Running"


def _service(host: Host, name: str) -> None:
    """Register the service of a role service, and let it run; one that is there already stays as it is."""
    key, french, english, path, depends = _SERVICES[name]
    if host.scm.get(key) is None:
        service = host.scm.put(Service(key, host.say(french, english), path, depends=list(depends)))
        service.state, service.exit_code, service.pid = "Running", 0, host.new_pid()


def installed(host: Host, name: str) -> None:
    """A role service was installed: its service is registered and runs, its programs are there. Others are none of ours."""
    if name not in _SERVICES or name in host.dfs.features:
        return
    host.dfs.features.add(name)
    _service(host, name)
    if host.drive.is_made:
        for program in host.program_paths():
            try:
                if host.drive.find(program) is None:
                    host.drive.write(program, b"MZ\x90\0LAB: " + program.encode() + b"\r\n")
            except WindowsPathError:
                continue
    if name == REPLICATION and host.dfs.directory:
        host.dfs.directory.worker.wake()


def removed(host: Host, name: str) -> None:
    """A role service was removed: its service goes; the files that were replicated stay."""
    if name in host.dfs.features:
        host.dfs.features.discard(name)
        host.scm.services.pop(_SERVICES[name][0].lower(), None)
