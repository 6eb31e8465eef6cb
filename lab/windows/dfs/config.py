# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Active Directory holds of DFS Replication: groups, folders, members, memberships, connections.

Source: [MS-FRS2] 2.3 (msDFSR-ReplicationGroup, -ContentSet, -Member, -Connection, -Subscription); defaults of
facts/windows.md 4 (staging 4096 MB, conflicts 660 MB, files ``~*, *.bak, *.tmp``).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

FILE_FILTER = "~*, *.bak, *.tmp"


def new_guid() -> str:
    """A GUID as AD writes it."""
    return str(uuid.uuid4()).upper()


@dataclass
class Folder:
    """A replicated folder (content set). Filters are comma separated, as AD holds them."""

    name: str
    guid: str = field(default_factory=new_guid)
    description: str = ""
    dfs_path: str = ""
    file_filter: str = FILE_FILTER
    folder_filter: str = ""


@dataclass
class Member:
    """A computer of a group, by its NetBIOS name."""

    name: str
    guid: str = field(default_factory=new_guid)
    description: str = ""


@dataclass
class Connection:
    """One direction between two members, by their names."""

    sender: str
    receiver: str
    enabled: bool = True
    rdc: bool = True
    guid: str = field(default_factory=new_guid)


@dataclass
class Membership:
    """A member's copy of a folder. ``path`` is empty until somebody sets it; sizes in MB."""

    path: str = ""
    enabled: bool = False
    primary: bool = False
    staging: int = 4096
    conflicts: int = 660
    staging_path: str = ""

    @property
    def private(self) -> str:
        """The folder that DFS Replication keeps for itself."""
        return f"{self.path}\\DfsrPrivate"


@dataclass
class Group:
    """A replication group. Everything is found by names in lower case."""

    name: str
    description: str = ""
    guid: str = field(default_factory=new_guid)
    folders: dict[str, Folder] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    connections: list[Connection] = field(default_factory=list)
    memberships: dict[tuple[str, str], Membership] = field(default_factory=dict)

    def membership(self, folder: str, member: str) -> Membership:
        """A member's copy of a folder: each member has one of each folder, disabled and without a path at first."""
        return self.memberships.setdefault((folder.lower(), member.lower()), Membership())

    def connection(self, sender: str, receiver: str) -> Connection | None:
        """The connection from one member to another."""
        wanted = (sender.lower(), receiver.lower())
        return next((item for item in self.connections if (item.sender.lower(), item.receiver.lower()) == wanted), None)

    def remove_member(self, name: str) -> None:
        """A member goes with its connections and memberships."""
        low = name.lower()
        del self.members[low]
        self.connections = [
            item for item in self.connections if low not in (item.sender.lower(), item.receiver.lower())
        ]
        self.memberships = {key: item for key, item in self.memberships.items() if key[1] != low}

    def remove_folder(self, name: str) -> None:
        """A folder goes with its memberships."""
        del self.folders[name.lower()]
        self.memberships = {key: item for key, item in self.memberships.items() if key[0] != name.lower()}
