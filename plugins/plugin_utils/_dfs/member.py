"""A member of a replication group: what it says of itself, by WMI and the event log, the same in every language.

Note that this utility is private to the collection.

Classes of root/microsoftdfs ("DFSR WMI classes" in Microsoft's documentation; Server 2008 and later). The information of a folder has one
key, ReplicatedFolderGuid; the configuration names its group by a GUID only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .._windows import services, wsman
from .._windows.errors import NotFoundError
from .._windows.session import Session
from .errors import MemberError, NotInstalledError
from .events import DfsEvent, event_query, parse_events, utc
from .names import short_name, split_filter

NAMESPACE = "root/microsoftdfs"
SERVICE = "DFSR"
CHANNEL = "DFS Replication"
_SYSTEM32 = "C:\\Windows\\System32"
_DFSRDIAG = f"{_SYSTEM32}\\dfsrdiag.exe"
_WEVTUTIL = f"{_SYSTEM32}\\wevtutil.exe"
#: State of DfsrReplicatedFolderInfo.
STATES = ("uninitialized", "initialized", "initial sync", "auto recovery", "normal", "in error")
NORMAL, IN_ERROR, INITIAL_SYNC = 4, 5, 2
_NO_CHANNEL = 15007


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """How a member's copy of a replicated folder fares; sizes are megabytes."""

    guid: str
    state: int
    last_error: int
    stage_mb: int
    conflict_mb: int

    @property
    def word(self) -> str:
        """Return the English name of the state."""
        return STATES[self.state] if 0 <= self.state < len(STATES) else "unknown"

    @property
    def shown(self) -> str:
        """Return the state for a sentence."""
        return f"state {self.state} ({self.word})" + (f", error {self.last_error}" if self.last_error else "")


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """What a member has read from the directory about a replicated folder."""

    root_path: str
    enabled: bool
    is_primary: bool
    file_filter: tuple[str, ...]
    directory_filter: tuple[str, ...]
    staging_mb: int
    conflict_mb: int

    def as_dict(self) -> dict[str, Any]:
        """Return what a module returns of it."""
        return {
            "root_path": self.root_path,
            "enabled": self.enabled,
            "is_primary": self.is_primary,
            "file_filter": list(self.file_filter),
            "directory_filter": list(self.directory_filter),
            "staging_mb": self.staging_mb,
            "conflict_mb": self.conflict_mb,
        }


@dataclass(frozen=True, slots=True)
class MemberConnection:
    """A connection as one of its ends knows it.

    Attributes:
        partner: computer name of the other end.
        inbound: whether this member receives by it.
        enabled: whether it is used.
        last_sync: when something was last received or sent without an error (UTC); empty when nobody knows.
        last_error: 0 for none.
    """

    partner: str
    inbound: bool
    enabled: bool
    last_sync: str = ""
    last_error: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return what a module returns of it."""
        return {
            "partner": self.partner,
            "inbound": self.inbound,
            "enabled": self.enabled,
            "last_sync": self.last_sync,
            "last_error": self.last_error,
        }


class Member:
    """One member, asked in a session of its own."""

    def __init__(self, session: Session, host: str) -> None:
        """Prepare; nothing is asked yet.

        Args:
            session: with the member; the caller closes it.
            host: inventory name.
        """
        self.session = session
        self.host = host

    @property
    def name(self) -> str:
        """Return the computer name; asked once.

        Raises:
            WindowsError: one of its kinds.
        """
        return self.session.computer_name.upper()

    def _query(self, wql: str) -> list[wsman.Instance]:
        try:
            return self.session.query(wql, NAMESPACE)
        except NotFoundError:
            raise NotInstalledError(
                f"{self.host}: DFS Replication is not installed there ({NAMESPACE} is missing); install FS-DFS-Replication with windows_feature"
            ) from None

    def check_installed(self) -> None:
        """Look whether DFS Replication is there.

        Raises:
            NotInstalledError: it is not.
            WindowsError: one of its kinds.
        """
        self._query("SELECT ReplicationGroupGuid FROM DfsrReplicationGroupConfig")

    def _row(self, group: str, folder: str) -> wsman.Instance | None:
        rows = self._query(
            f"SELECT * FROM DfsrReplicatedFolderInfo WHERE ReplicationGroupName = {wsman.literal(group)} "
            f"AND ReplicatedFolderName = {wsman.literal(folder)}"
        )
        return rows[0] if rows else None

    def group_guid(self, group: str) -> str:
        """Return the identifier of a group as the member has read it, in small letters; empty where it knows none of this name.

        A group that was created again has another one, so this tells whether the member has read its configuration since.

        Raises:
            NotInstalledError: DFS Replication is not installed there.
            WindowsError: one of its kinds.
        """
        rows = self._query(
            f"SELECT * FROM DfsrReplicationGroupConfig WHERE ReplicationGroupName = {wsman.literal(group)}"
        )
        return wsman.text(rows[0], "ReplicationGroupGuid").strip("{}").lower() if rows else ""

    def folder(self, group: str, folder: str) -> FolderInfo | None:
        """Return how the member's copy fares, None where it has none, or its service does not run.

        Raises:
            NotInstalledError: DFS Replication is not installed there.
            WindowsError: one of its kinds.
        """
        row = self._row(group, folder)
        if row is None:
            return None
        state = wsman.number(row, "State")
        return FolderInfo(
            guid=wsman.text(row, "ReplicatedFolderGuid"),
            state=-1 if state is None else state,
            last_error=wsman.number(row, "LastErrorCode") or 0,
            stage_mb=wsman.number(row, "CurrentStageSizeInMb") or 0,
            conflict_mb=wsman.number(row, "CurrentConflictSizeInMb") or 0,
        )

    def config(self, group: str, folder: str) -> FolderConfig | None:
        """Return what the member has read of its configuration, None where it knows no such folder.

        Raises:
            NotInstalledError: DFS Replication is not installed there.
            WindowsError: one of its kinds.
        """
        guid = self.group_guid(group)
        rows = self._query(
            f"SELECT * FROM DfsrReplicatedFolderConfig WHERE ReplicationGroupGuid = {wsman.literal(guid)} "
            f"AND ReplicatedFolderName = {wsman.literal(folder)}"
        ) if guid else []  # fmt: skip
        if not rows:
            return None
        row = rows[0]
        return FolderConfig(
            root_path=wsman.text(row, "RootPath"),
            enabled=_true(row, "Enabled"),
            is_primary=_true(row, "IsPrimary"),
            file_filter=split_filter(wsman.text(row, "FileFilter")),
            directory_filter=split_filter(wsman.text(row, "DirectoryFilter")),
            staging_mb=wsman.number(row, "StagingSizeInMb") or 0,
            conflict_mb=wsman.number(row, "ConflictSizeInMb") or 0,
        )

    def connections(self, group: str) -> list[MemberConnection]:
        """Return the connections of a group that the member knows, by partner.

        Raises:
            NotInstalledError: DFS Replication is not installed there.
            WindowsError: one of its kinds.
        """
        guid = self.group_guid(group)
        if not guid:
            return []
        rows = self._query(f"SELECT * FROM DfsrConnectionConfig WHERE ReplicationGroupGuid = {wsman.literal(guid)}")
        infos = {
            wsman.text(row, "ConnectionGuid").casefold(): row
            for row in self._query(
                f"SELECT * FROM DfsrConnectionInfo WHERE ReplicationGroupGuid = {wsman.literal(guid)}"
            )
        }
        found = []
        for row in rows:
            info = infos.get(wsman.text(row, "ConnectionGuid").casefold(), {})
            found.append(
                MemberConnection(
                    partner=short_name(wsman.text(row, "PartnerName")),
                    inbound=_true(row, "Inbound"),
                    enabled=_true(row, "Enabled"),
                    last_sync=utc(wsman.text(info, "LastSuccessfulSyncTime")),
                    last_error=wsman.number(info, "LastErrorCode") or 0,
                )
            )
        return sorted(found, key=lambda one: (one.partner, not one.inbound))

    def version_vector(self, group: str, folder: str) -> str:
        """Return which versions the member has, for another member's ``outbound_backlog``.

        Raises:
            MemberError: it has no such folder, or does not tell.
            NotInstalledError: DFS Replication is not installed there.
            WindowsError: one of its kinds.
        """
        answer = self._call(group, folder, "GetVersionVector", {})
        return wsman.text(answer, "VersionVector")

    def outbound_backlog(self, group: str, folder: str, vector: str) -> int:
        """Return how many files this member has that a member with this version vector lacks.

        Raises:
            MemberError: it has no such folder, or does not tell.
            NotInstalledError: DFS Replication is not installed there.
            WindowsError: one of its kinds.
        """
        answer = self._call(group, folder, "GetOutboundBacklogFileCount", {"VersionVector": vector})
        count = wsman.number(answer, "BacklogFileCount")
        if count is None or count < 0:
            raise MemberError(
                f"{self.host}: DFS Replication counts no backlog of {folder} ({count}); is its service running?"
            )
        return count

    def _call(self, group: str, folder: str, method: str, arguments: dict[str, str | None]) -> wsman.Instance:
        info = self.folder(group, folder)
        if info is None:
            raise MemberError(
                f"{self.host}: it has no replicated folder {folder} of the group {group} now; does the service {SERVICE} run, and has it read its "
                "configuration (dfsrdiag pollad)?"
            )
        try:
            answer = self.session.invoke(
                "DfsrReplicatedFolderInfo", method, dict(arguments), NAMESPACE, ReplicatedFolderGuid=info.guid
            )
        except NotFoundError:
            raise MemberError(
                f"{self.host}: the replicated folder {folder} went away while it was asked; run again"
            ) from None
        number = wsman.number(answer, "ReturnValue")
        if number != 0:
            raise MemberError(f"{self.host}: {method} of {folder} answers with the number {number} ({info.shown})")
        return answer

    def events(self, since: str, ids: Sequence[int]) -> list[DfsEvent]:
        """Return events of DFS Replication, the oldest first.

        Args:
            since: a time of the member's clock as ``now`` returns it; empty: ever.
            ids: numbers; empty: any.

        Raises:
            As ``latest``.
        """
        return self._events(event_query(since, ids), [])[::-1]

    def latest(self, count: int, ids: Sequence[int] = ()) -> list[DfsEvent]:
        """Return the newest events of DFS Replication, the newest first.

        Raises:
            NotInstalledError: there is no such event log.
            MemberError: it cannot be read.
            WindowsError: one of its kinds.
        """
        return self._events(event_query("", ids), [f"/c:{count}"])

    def _events(self, query: str, options: Iterable[str]) -> list[DfsEvent]:
        done = self.session.run([_WEVTUTIL, "qe", CHANNEL, f"/q:{query}", *options, "/rd:true", "/f:xml"])
        if done.rc == _NO_CHANNEL:
            raise NotInstalledError(
                f"{self.host}: there is no event log '{CHANNEL}'; install FS-DFS-Replication with windows_feature"
            )
        try:
            if done.rc != 0:
                raise ValueError(f"exit code {done.rc}: {done.said}")
            return parse_events(done.text)
        except ValueError as error:
            raise MemberError(f"{self.host}: the event log '{CHANNEL}' cannot be read ({error})") from None

    def poll(self) -> None:
        """Have the member read its configuration from the directory now; its service has to run.

        Raises:
            MemberError: dfsrdiag fails.
            WindowsError: one of its kinds.
        """
        done = self.session.run([_DFSRDIAG, "pollad"])
        if done.rc != 0:
            raise MemberError(
                f"{self.host}: dfsrdiag pollad failed (exit code {done.rc}): {done.said}; does the service {SERVICE} run there?"
            )

    def now(self) -> str:
        """Return the member's clock (UTC), to ask for the events since.

        Raises:
            WindowsError: one of its kinds.
        """
        return utc(wsman.text(self.session.one_row("SELECT LocalDateTime FROM Win32_OperatingSystem"), "LocalDateTime"))

    def restart_service(self, timeout: float = 120.0) -> None:
        """Restart DFS Replication; it goes on where it was.

        Raises:
            WindowsError: one of its kinds.
        """
        services.stop(self.session, SERVICE, timeout)
        services.start(self.session, SERVICE, timeout)


def enabled_partners(session: Session, host: str, group: str) -> list[str]:
    """Return the computers with which a member replicates now; none where it has no such group, or DFS Replication is not installed.

    Raises:
        WindowsError: the host cannot be asked.
    """
    try:
        return sorted({one.partner for one in Member(session, host).connections(group) if one.enabled})
    except NotInstalledError:
        return []


def _true(row: wsman.Instance, name: str) -> bool:
    return wsman.text(row, name).casefold() in ("true", "1")
