# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DFS namespaces: roots, folders (links) and their targets, domain-based ones in AD and stand-alone ones on their server.

Sources: [MS-DFSNM] 2.2.4 (states of roots, links and targets), Microsoft's dfsutil pages, "Migrating your DFS Namespaces in three
(sorta) easy steps" (the export, byte for byte but its quotes; the name of the root is that of the domain in NetBIOS form), and a
published report script: an ampersand is written as it is, which is no XML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.windows.dfs.directory import is_up
from lab.windows.files import WindowsPathError

if TYPE_CHECKING:
    from lab.windows.host import Host

VOLUME_OK, VOLUME_OFFLINE = 1, 3
TARGET_OFFLINE, TARGET_ONLINE = 1, 2
_ROOT_TIMEOUT, _LINK_TIMEOUT = 300, 1800


@dataclass
class Target:
    """A share that a root or a folder leads to. ``share`` may name a folder of the share: ``share\\\\sub``."""

    server: str
    share: str
    state: int = TARGET_ONLINE

    @property
    def path(self) -> str:
        """``\\\\SRV\\share``."""
        return f"\\\\{self.server}\\{self.share}"

    def is_at(self, server: str, share: str) -> bool:
        """Whether it is this one; a server may be named by its DNS name."""
        return (self.server.partition(".")[0].lower(), self.share.lower()) == (
            server.partition(".")[0].lower(),
            share.lower(),
        )


@dataclass
class Link:
    """A folder of a namespace, named by its path below the root."""

    name: str
    targets: list[Target] = field(default_factory=list)
    comment: str = ""
    state: int = VOLUME_OK
    timeout: int = _LINK_TIMEOUT

    def target(self, server: str, share: str) -> Target | None:
        """One of its targets."""
        return next((item for item in self.targets if item.is_at(server, share)), None)


@dataclass
class Namespace:
    """A namespace. ``owner``: the domain's NetBIOS name, or the server of a stand-alone one. ``version``: 1, 2, 0 stand-alone."""

    owner: str
    name: str
    version: int
    targets: list[Target] = field(default_factory=list)
    comment: str = ""
    state: int = VOLUME_OK
    links: dict[str, Link] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """``\\\\LYCEE\\Donnees``."""
        return f"\\\\{self.owner}\\{self.name}"

    def export(self) -> str:
        """What ``dfsutil root export`` writes."""
        lines = ['<?xml version="1.0"?>',
                 f'<Root Name="{self.path}" State="{self.state}" Timeout="{_ROOT_TIMEOUT}" Attributes="64"'
                 f'{_comment(self.comment)} >']  # fmt: skip
        lines += [f"\t{_target(item)}" for item in self.targets]
        for link in self.links.values():
            lines.append(
                f'\t<Link Name="{link.name}" State="{link.state}" Timeout="{link.timeout}"{_comment(link.comment)} >'
            )
            lines += [f"\t\t{_target(item)}" for item in link.targets]
            lines.append("\t</Link>")
        return "\r\n".join([*lines, "</Root>", ""])


def _comment(text: str) -> str:
    return f' Comment="{text}"' if text else ""


def _target(target: Target) -> str:
    return f'<Target Server="{target.server}" Folder="{target.share}" State="{target.state}" />'


def split(path: str) -> tuple[str, str, str]:
    """(domain or server, namespace, folder) of ``\\\\lycee.example\\Donnees\\Data``. Raises WindowsPathError 123."""
    head, _unused, rest = path[2:].partition("\\")
    name, _unused, below = rest.strip("\\").partition("\\")
    if not path.startswith("\\\\") or not head or not name or set(f"{head}{name}{below}") & set('<>:"|?*/'):
        raise WindowsPathError(123)
    return head, name, below


def find(host: Host, path: str) -> tuple[Namespace, str]:
    """The namespace that a path is in, and the rest of the path. Raises WindowsPathError: 1168 none, 1355 no domain controller.

    Whether the caller may ask the domain, or another server, is not looked at here.
    """
    owner, name, below = split(path)
    directory = host.dfs.directory
    domain = directory.named(owner) if directory else None
    if domain is not None:
        if domain.controller() is None:
            raise WindowsPathError(1355)
        found = domain.namespaces.get(name.lower())
    else:
        server = (
            host
            if owner.partition(".")[0].lower() == host.plan.computer_name.lower()
            else host.find_host(owner.partition(".")[0])
        )
        found = server.dfs.roots.get(name.lower()) if server else None
    if found is None:
        raise WindowsPathError(1168)
    return found, below


def resolve(host: Host, path: str) -> str:
    """A UNC path through a namespace becomes that of the first target that is online and whose server is up; others stay.

    Raises:
        WindowsPathError: 53 no server of the namespace, or none of the folder's targets, can be reached.
    """
    owner, name = path[2:].split("\\")[:2] if path.count("\\") > 2 else ("", "")
    directory = host.dfs.directory
    domain = directory.named(owner) if directory and owner else None
    other = host.find_host(owner) if owner and domain is None else None
    if domain is None and not (other and name.lower() in other.dfs.roots):
        return path
    try:
        namespace, below = find(host, path)
    except WindowsPathError:
        raise WindowsPathError(53) from None
    if not any(_serves(host, target, namespace=True) for target in namespace.targets):
        raise WindowsPathError(53)
    for key, link in namespace.links.items():
        if below.lower() == key or below.lower().startswith(f"{key}\\"):
            usable = [item for item in link.targets if item.state == TARGET_ONLINE and _serves(host, item)]
            if link.state != VOLUME_OK or not usable:
                raise WindowsPathError(53)
            return f"{usable[0].path}{below[len(key) :]}"
    root = namespace.targets[0]
    return "\\".join([root.path, *([below] if below else [])])


def _serves(host: Host, target: Target, namespace: bool = False) -> bool:
    name = target.server.partition(".")[0]
    server = host if name.lower() == host.plan.computer_name.lower() else host.find_host(name)
    if server is None or not is_up(server):
        return False
    from lab.windows.dfs import NAMESPACE

    return not namespace or server.dfs.is_running(NAMESPACE)


def check_share(host: Host, server: str, share: str) -> None:
    """What is to become a target must be there. Raises WindowsPathError: 53 no such computer, 67 no such share."""
    name = server.partition(".")[0]
    other = host if name.lower() == host.plan.computer_name.lower() else host.find_host(name)
    if other is None or not is_up(other):
        raise WindowsPathError(53)
    if share.partition("\\")[0].lower() not in other.shares:
        raise WindowsPathError(67)
