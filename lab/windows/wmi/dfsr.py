# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The classes of root/MicrosoftDFS: what a member knows and does.

Sources: Microsoft's pages of the DFSR WMI classes (properties, keys, methods, MONITOR_STATUS codes); the configuration's provider
reads what the service last polled and answers without it, the monitoring provider asks the service itself and has nothing to
list without it [K].
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lab.windows.dfs.config import Connection, Group
from lab.windows.dfs.private import CONFLICTS, STAGING
from lab.windows.dfs.replica import RootGoneError
from lab.windows.dfs.tree import PRIVATE
from lab.windows.dfs.versions import Vector
from lab.windows.wmi.classes import Arguments, WmiClass, method, register
from lab.windows.wmi.values import DateTime, Row

if TYPE_CHECKING:
    from lab.windows.dfs.member import Copy
    from lab.windows.host import Host

NAMESPACE = "root/microsoftdfs"
_SUCCESS, _VOLUME_NOT_FOUND, _GENERIC_ERROR = 0, 3, 5  # MONITOR_STATUS
_ONLINE, _OFFLINE = 1, 2  # DfsrConnectionInfo.State
_SCHEDULE = [255] * 336


def _element() -> Row:
    """What CIM_LogicalElement and CIM_Setting add."""
    return {"Caption": None, "Description": None}


def _groups(host: Host) -> list[Group]:
    return sorted(host.dfs.member.known.values(), key=lambda group: group.name.lower())


def _dn(host: Host, *parts: str) -> str:
    """A distinguished name below the global settings of DFS Replication ([MS-FRS2] 2.3)."""
    domain = host.dfs.domain
    tail = domain.distinguished if domain else ""
    return ",".join([*(f"CN={part}" for part in parts), "CN=DFSR-GlobalSettings", "CN=System", tail])


def _group_config(host: Host) -> Iterator[Row]:
    for group in _groups(host):
        yield {
            **_element(), "DefaultFileFilter": "~*, *.bak, *.tmp", "Description": group.description, "LastChangeNumber": "0",
            "LastChangeSource": "0", "LastChangeTime": None, "Options": 0, "ReplicationGroupDn": _dn(host, group.name),
            "ReplicationGroupGuid": group.guid, "ReplicationGroupName": group.name, "ReplicationGroupType": 0,
            "SettingID": None, "TombstoneExpiryInMin": 86400, "Schedule": _SCHEDULE,
        }  # fmt: skip


def _folder_config(host: Host) -> Iterator[Row]:
    name = host.plan.computer_name
    for group in _groups(host):
        for folder in group.folders.values():
            membership = group.membership(folder.name, name)
            if not membership.path:
                continue
            yield {
                **_element(), "CacheObeyConnectionSchedule": False, "CompressedExtensions": None,
                "ConflictPath": f"{membership.private}\\{CONFLICTS}", "ConflictSizeInMb": membership.conflicts,
                "Description": folder.description, "DirectoryFilter": folder.folder_filter, "DisableReanimateDeletes": False,
                "DisableSaveDeletes": False, "Enabled": membership.enabled, "FileFilter": folder.file_filter, "Ghosted": False,
                "IsPrimary": membership.primary, "MaxAgeInCacheInMin": 0, "MemberGuid": group.members[name.lower()].guid,
                "MinAgeInCacheInMin": 0, "ReadOnly": False, "ReplicatedFolderDn": _dn(host, folder.name, "Content", group.name),
                "ReplicatedFolderGuid": folder.guid, "ReplicatedFolderName": folder.name, "ReplicationGroupGuid": group.guid,
                "RootPath": membership.path, "RootSizeInMb": 10240, "SettingID": None, "SharedStaging": False,
                "StagingPath": membership.staging_path or f"{membership.private}\\{STAGING}",
                "StagingSizeInMb": membership.staging, "VolumeGuid": folder.guid,
            }  # fmt: skip


def _copies(host: Host) -> list[Copy]:
    """The replicas that the service has; none while it does not run."""
    member = host.dfs.member
    return list(member.copies.values()) if member.is_alive else []


def _staged(copy: Copy) -> int:
    real = copy.port.root()
    try:
        sizes = [item.stat().st_size for item in (real / PRIVATE / STAGING).iterdir()] if real else []
    except OSError:
        sizes = []
    return (sum(sizes) + (1 << 19)) >> 20


def _folder_info(host: Host) -> Iterator[Row]:
    for copy in _copies(host):
        yield {
            **_element(), "CurrentConflictSizeInMb": copy.replica.private.megabytes(), "CurrentStageSizeInMb": _staged(copy),
            "InstallDate": None, "LastConflictCleanupTime": None, "LastErrorCode": copy.replica.error,
            "LastErrorMessageId": 4004 if copy.replica.error else 0, "LastTombstoneCleanupTime": None,
            "MemberGuid": copy.member_guid, "MemberName": host.plan.computer_name, "Name": None,
            "ReplicatedFolderGuid": copy.folder.guid, "ReplicatedFolderName": copy.folder.name,
            "ReplicationGroupGuid": copy.group.guid, "ReplicationGroupName": copy.group.name, "State": copy.replica.state,
            "Status": None,
        }  # fmt: skip


def _partner(connection: Connection, inbound: bool) -> str:
    return connection.sender if inbound else connection.receiver


def _connections(host: Host) -> Iterator[tuple[Group, Connection, bool, Row]]:
    """What both connection classes say of each connection that touches this member."""
    for group in _groups(host):
        for connection, inbound in host.dfs.member.connections(group):
            partner = group.members[_partner(connection, inbound).lower()]
            yield group, connection, inbound, {
                **_element(), "ConnectionGuid": connection.guid, "Inbound": inbound,
                "MemberGuid": group.members[host.plan.computer_name.lower()].guid, "PartnerGuid": partner.guid,
                "PartnerName": partner.name, "ReplicationGroupGuid": group.guid,
            }  # fmt: skip


def _connection_config(host: Host) -> Iterator[Row]:
    domain = host.dfs.domain
    for group, connection, _unused, row in _connections(host):
        partner = row["PartnerName"]
        yield {
            **row, "ConnectionDn": _dn(host, connection.guid, connection.receiver, "Topology", group.name),
            "Enabled": connection.enabled, "Keywords": None, "PartnerDn": _dn(host, partner, "Topology", group.name),
            "PartnerDns": f"{partner.lower()}.{domain.name}" if domain else partner, "RdcEnabled": connection.rdc,
            "RdcMinFileSizeInKb": 64, "Schedule": _SCHEDULE, "ScheduleInUtc": True, "SettingID": None,
        }  # fmt: skip


def _connection_info(host: Host) -> Iterator[Row]:
    member, directory = host.dfs.member, host.dfs.directory
    if not member.is_alive or directory is None:
        return
    for group, connection, inbound, row in _connections(host):
        other = directory.host(_partner(connection, inbound))
        reached = connection.enabled and member.is_reachable and other is not None and other.dfs.member.is_reachable
        synced = max((pull.synced for pull in directory.worker.pulls(connection.guid)), default=0.0)
        yield {
            **row, "InstallDate": None, "LastErrorCode": 0 if reached or not connection.enabled else 1722,
            "LastErrorMessageId": 0 if reached or not connection.enabled else 5002,
            "LastSuccessfulSyncTime": DateTime(synced) if synced else None, "LastSyncDuration": 0,
            "LastSyncTime": DateTime(synced) if synced else None, "MemberName": host.plan.computer_name, "Name": None,
            "NextSyncTime": DateTime(time.time()), "ReplicationGroupName": group.name,
            "State": _ONLINE if reached else _OFFLINE, "Status": None,
        }  # fmt: skip


def _volumes(host: Host) -> Iterator[Row]:
    """One row for each volume that holds a replicated folder; the lab gives the folder's own identifier for it."""
    for row in _folder_config(host):
        yield {**_element(), "VolumeGuid": row["VolumeGuid"], "VolumePath": row["RootPath"], "SettingID": None}


def _conflicts(host: Host) -> Iterator[Row]:
    for copy in _copies(host):
        for number, kept in enumerate(copy.replica.private.kept[CONFLICTS]):
            yield {
                **_element(), "ConflictFileCount": kept.files, "ConflictGuid": f"{copy.folder.guid}-{number}",
                "ConflictPath": f"{copy.membership.private}\\{CONFLICTS}\\{kept.new_name}",
                "ConflictSizeInBytes": kept.size, "ConflictTime": DateTime(kept.time), "ConflictType": 0,
                "FileName": kept.path.rpartition("\\")[2], "MemberGuid": copy.member_guid,
                "ReplicatedFolderGuid": copy.folder.guid, "ReplicationGroupGuid": copy.group.guid,
            }  # fmt: skip


FOLDER = register(WmiClass("DfsrReplicatedFolderInfo", ("ReplicatedFolderGuid",), _folder_info, namespace=NAMESPACE))
register(WmiClass("DfsrReplicatedFolderConfig", ("ReplicatedFolderGuid",), _folder_config, namespace=NAMESPACE))
register(WmiClass("DfsrReplicationGroupConfig", ("ReplicationGroupGuid",), _group_config, namespace=NAMESPACE))
register(WmiClass("DfsrConnectionConfig", ("ConnectionGuid",), _connection_config, namespace=NAMESPACE))
register(WmiClass("DfsrConnectionInfo", ("ConnectionGuid",), _connection_info, namespace=NAMESPACE))
register(WmiClass("DfsrVolumeConfig", ("VolumeGuid",), _volumes, namespace=NAMESPACE))
register(WmiClass("DfsrConflictInfo", ("ConflictGuid",), _conflicts, namespace=NAMESPACE))


def _copy(host: Host, row: Row | None) -> Copy | None:
    return host.dfs.member.copies.get(str(row["ReplicatedFolderGuid"])) if row else None


@method(FOLDER, "GetVersionVector")
async def _version_vector(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    copy, directory = _copy(host, row), host.dfs.directory
    if copy is None or directory is None:
        return {"VersionVector": None, "ReturnValue": _GENERIC_ERROR}
    return {"VersionVector": await directory.worker.call(copy.replica.vector.text), "ReturnValue": _SUCCESS}


@method(FOLDER, "GetOutboundBacklogFileCount", "VersionVector")
async def _backlog(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    copy, directory = _copy(host, row), host.dfs.directory
    nothing = {"BacklogFileCount": None, "IdRecordIndex": None}
    if copy is None or directory is None:
        return {**nothing, "ReturnValue": _GENERIC_ERROR}
    try:
        vector = Vector.parse(str(arguments.get("VersionVector") or ""))
        count = await directory.worker.call(lambda: copy.replica.backlog(vector))
    except RootGoneError:
        return {**nothing, "ReturnValue": _VOLUME_NOT_FOUND}
    except ValueError:
        return {**nothing, "ReturnValue": _GENERIC_ERROR}
    return {"BacklogFileCount": count, "IdRecordIndex": count, "ReturnValue": _SUCCESS}
