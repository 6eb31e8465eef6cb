"""The domain controller: replication groups by dfsradmin, each change read again.

Note that this utility is private to the collection.

The tools run on the controller itself, for whoever logs in over WinRM cannot go on from there to another computer (the second hop).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .._windows import files, wsman
from .._windows.result import RunResult
from .._windows.session import Session
from . import listing, replication
from .errors import NotInstalledError, OptionError, ReplicationError
from .replication import Command, Group, GroupSpec

#: Win32_ComputerSystem.DomainRole of a backup and of a primary domain controller.
_CONTROLLER = 4
#: Seconds for one run of dfsradmin; it asks the directory, and for a health report every member.
_TIMEOUT, _REPORT_TIMEOUT = 180.0, 900.0
Step = Callable[[str], None]


def _nothing(_text: str) -> None:
    """Take no notice."""


class Domain:
    """The replication groups of a domain."""

    def __init__(self, session: Session, domain: str = "", progress: Step = _nothing, step: Step = _nothing) -> None:
        """Prepare; the controller is asked at the first call.

        Args:
            session: with a domain controller.
            domain: DNS name of the domain; empty: that of the controller.
            progress: told each change.
            step: asked before each change; raises when the run was ended from outside.
        """
        self.session = session
        self._domain = domain
        self._progress, self._step = progress, step
        self._is_controller = self._has_tool = False

    @property
    def host(self) -> str:
        """Return the inventory name."""
        return self.session.name

    @property
    def domain(self) -> str:
        """Return the DNS name of the domain; asked once, with whether the host is one of its controllers.

        Raises:
            OptionError: it is none.
            WindowsError: one of its kinds.
        """
        if not self._is_controller:
            row = self.session.one_row("SELECT * FROM Win32_ComputerSystem")
            if (wsman.number(row, "DomainRole") or 0) < _CONTROLLER:
                raise OptionError(
                    f"{self.host}: it is no domain controller, and from another server the tools of DFS cannot reach the directory over "
                    "WinRM; run the task on the domain controller"
                )
            self._domain = self._domain or wsman.text(row, "Domain")
            self._is_controller = True
        return self._domain

    def _check_tool(self) -> None:
        if not self._has_tool and not files.exists(self.session, replication.DFSRADMIN):
            raise NotInstalledError(
                f"{self.host}: {replication.DFSRADMIN} is missing; install FS-DFS-Replication, or the tools of DFS, with windows_feature"
            )
        self._has_tool = True

    def group(self, name: str) -> Group | None:
        """Return the group of this name as the directory has it, None where there is none.

        Raises:
            OptionError: the host is no domain controller.
            NotInstalledError: it has no dfsradmin.
            ReplicationError: dfsradmin fails, or prints what is not known.
            WindowsError: one of its kinds.
        """
        rows = self._list("rg", ("RgName", "RgGuid"))
        row = next((one for one in rows if one["RgName"].casefold() == name.casefold()), None)
        if row is None:
            return None
        if not listing.is_guid(row["RgGuid"]):
            raise ReplicationError(
                f"{self.host}: dfsradmin prints '{row['RgGuid'][:60]}' as the identifier of the group {name}"
            )
        name = row["RgName"]
        return listing.assemble(
            name,
            row["RgGuid"],
            self._list("rf", ("RfName", "RfGuid"), name),
            self._list("mem", ("MemName",), name),
            self._list(
                "membership", ("MemName", "RfName", "LocalPath", "MembershipEnabled", "StagingSize", "CdSize"), name
            ),
            self._list("conn", ("SendMem", "RecvMem", "ConnEnabled"), name),
            self.host,
        )

    def create(self, spec: GroupSpec, primary: str, enabled: bool = True) -> None:
        """Create a group and read it back.

        Args:
            spec: the group.
            primary: computer name of the member whose files win at the first replication.
            enabled: whether its connections are.

        Raises:
            OptionError: ``primary`` is no member.
            ReplicationError: there is such a group already, dfsradmin fails, or the group is not as wanted.
            WindowsError: one of its kinds.
        """
        if self.group(spec.name) is not None:
            raise ReplicationError(f"{self.host}: there is a replication group {spec.name} already; delete it first")
        self.complete(spec, None, primary, enabled)

    def complete(self, spec: GroupSpec, found: Group | None, primary: str, enabled: bool = True) -> bool:
        """Bring a group to what is wanted, read it back, and return whether something was done.

        Args:
            spec: the group.
            found: what there is of it; None: nothing.
            primary: computer name of the primary member; needed while no member has content.
            enabled: whether the connections are.

        Raises:
            OptionError: a primary member is needed, or a path would change.
            ReplicationError: dfsradmin fails, or the group is not as wanted afterwards.
            WindowsError: one of its kinds.
        """
        steps = replication.missing(spec, found, primary, enabled, self.domain)
        self.run(steps)
        if not steps:
            return False
        after = self.group(spec.name)
        left = replication.missing(spec, after, primary, enabled, self.domain) if after else steps
        if left:
            raise ReplicationError(
                f"{self.host}: the replication group {spec.name} is not as wanted after dfsradmin; what is left: "
                f"{'; '.join(one.about for one in left)}"
            )
        return True

    def delete(self, name: str) -> None:
        """Delete a group with all that is in it, and read back that it is gone; one that is not there is no error.

        Raises:
            ReplicationError: it is still there.
            WindowsError: one of its kinds.
        """
        found = self.group(name)
        if found is None:
            return
        said = self._try(replication.deletion(found, self.domain))
        # Nobody could see whether Server 2008 deletes a group whose parts are still there.
        if (left := self.group(name)) is not None:
            said = self._try(replication.dismantling(left, self.domain))
        if self.group(name) is not None:
            raise ReplicationError(
                f"{self.host}: the replication group {name} is still there after dfsradmin ({said or 'it said nothing'})"
            )

    def set_connections(self, name: str, enabled: bool) -> bool:
        """Enable or disable every connection of a group, read back, and return whether something was changed.

        Raises:
            ReplicationError: there is no such group, dfsradmin fails, or a connection is not as wanted.
            WindowsError: one of its kinds.
        """
        steps = self._connections(name, enabled)
        self.run(steps)
        left = self._connections(name, enabled) if steps else []
        if left:
            raise ReplicationError(
                f"{self.host}: connections of the replication group {name} are not as wanted after dfsradmin; what is left: "
                f"{'; '.join(one.about for one in left)}"
            )
        return bool(steps)

    def _connections(self, name: str, enabled: bool) -> list[Command]:
        found = self.group(name)
        if found is None:
            raise ReplicationError(
                f"{self.host}: there is no replication group {name}; create it with dfs_replication_group"
            )
        return [
            replication.command(
                self.domain,
                f"{'enable' if enabled else 'disable'} the connection {one.sender} to {one.receiver}",
                "conn set",
                rgname=found.name,
                sendmem=one.sender,
                recvmem=one.receiver,
                connenabled=str(enabled).lower(),
            )
            for one in found.connections
            if one.enabled != enabled
        ]

    def set_filters(self, spec: GroupSpec) -> None:
        """Give the replicated folder its filters; only its members can tell whether they have them.

        Raises:
            ReplicationError: dfsradmin fails.
            WindowsError: one of its kinds.
        """
        self.run([replication.set_filters(spec, self.domain)])

    def health(self, name: str, reference: str, path: str) -> RunResult:
        """Have a health report written to ``path`` (HTML, and XML beside it) on the controller; the caller looks whether it is there.

        Args:
            name: of the group.
            reference: computer name of the member against which the files of the others are counted.
            path: full path, ending in .html.

        Raises:
            WindowsError: one of its kinds.
        """
        made = replication.command(self.domain, "", "health new", rgname=name, refmemname=reference, repname=path)
        return self.session.run(made.argv, timeout=_REPORT_TIMEOUT)

    def run(self, steps: Sequence[Command]) -> None:
        """Run commands in their order, each announced before.

        Raises:
            ReplicationError: one fails; what was done before it is done.
            WindowsError: one of its kinds.
        """
        for one in steps:
            self._step(one.about)
            self._progress(one.about)
            done = self.session.run(one.argv, timeout=_TIMEOUT)
            if done.rc != 0:
                raise ReplicationError(
                    f"{self.host}: dfsradmin could not {one.about} (exit code {done.rc}): {done.said}"
                )

    def _try(self, steps: Sequence[Command]) -> str:
        """Run commands of which each may fail, and return what the last one that failed said."""
        said = ""
        for one in steps:
            self._step(one.about)
            self._progress(one.about)
            done = self.session.run(one.argv, timeout=_TIMEOUT)
            said = done.said if done.rc != 0 else said
        return said

    def _list(self, what: str, columns: Sequence[str], group: str = "") -> list[dict[str, str]]:
        parameters = {"rgname": group} if group else {}
        argv = replication.listing(self.domain, what, columns, **parameters)
        self._check_tool()
        done = self.session.run(argv, timeout=_TIMEOUT)
        if done.rc != 0:
            raise ReplicationError(f"{self.host}: dfsradmin could not list {what} (exit code {done.rc}): {done.said}")
        return listing.parse_csv(done.text, columns, self.host)
