"""What a move needs of the pair's two servers and of the domain controller, as interfaces; the adapters are beside this file.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .errors import OptionError
from .facts import AsideFacts, FolderFacts, ServerFacts
from .journal import Journal, Store
from .marker import Marker

Step = Callable[[str], None]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a server that was started serves.

    Attributes:
        version: release of OpenERP.
        databases: name to how a login ended; one of PostgreSQL that is no context has an empty text.
        problems: sentences; none for a server that serves everything.
    """

    version: str
    databases: dict[str, str]
    problems: tuple[str, ...] = ()


class Server(Protocol):
    """One server of the pair."""

    @property
    def host(self) -> str:
        """Return the inventory name."""

    @property
    def name(self) -> str:
        """Return the computer name."""

    @property
    def address(self) -> str:
        """Return the address at which others ask for it."""

    def signs(self) -> list[str]:
        """Return what of a server that does not answer over WinRM still answers this machine, as clauses."""

    def reachable(self) -> str:
        """Return an empty text, or why the server does not answer."""

    def facts(self, *, rights: bool = False, room: bool = False) -> ServerFacts:
        """Read everything of the server; with ``rights`` the rights of every file too, with ``room`` sizes."""

    def answers(self, address: str) -> bool | None:
        """Ask another computer by ping; None where this one cannot tell."""

    def stop_openerp(self, step: Step) -> None:
        """Stop what runs of OpenERP, the web client first."""

    def stop_postgresql(self, step: Step) -> None:
        """Stop PostgreSQL in an orderly way and see that no process of it is left."""

    def databases(self) -> list[str]:
        """Return the databases of the running PostgreSQL."""

    def set_aside(self, folder: str) -> AsideFacts:
        """Copy the cluster to a folder outside of what is replicated, and compare."""

    def drop_pid_file(self) -> None:
        """Remove a postmaster.pid that names no process of this server."""

    def start_postgresql(self, step: Step, *, whole: bool) -> list[str]:
        """Start PostgreSQL, wait for an answer, and return the databases; with ``whole`` each is read from beginning to end."""

    def start_openerp(self, step: Step) -> Proof:
        """Start OpenERP and its web client, and log in to each database."""

    def move_damaged(self, folder: str) -> None:
        """Move the files of a cluster that is of no use away from its data folder."""

    def begin_anew(self, folder: str) -> None:
        """Make an empty cluster in the data folder, with the rights of the service's account; one that is whole stays."""

    def bring_disk_online(self) -> bool:
        """Bring the disk with the data online; return whether that had to be done."""

    def folder(self) -> FolderFacts:
        """Return what the member says of its copy of the replicated folder."""

    def poll(self) -> None:
        """Have the member read the configuration of the domain now."""

    def clock(self) -> str:
        """Return the member's clock, to ask for events since."""


class Directory(Protocol):
    """The domain controller: the marker, and the configuration of the replication."""

    @property
    def host(self) -> str:
        """Return the inventory name."""

    def marker(self) -> Marker | None:
        """Return the marker, None where there is none."""

    def write_marker(self, marker: Marker) -> None:
        """Write the marker and read it again."""

    def answers(self, address: str) -> bool | None:
        """Ask a computer by ping; None where this one cannot tell."""

    def group(self) -> dict[str, Any] | None:
        """Return how the group is configured, None where there is none."""

    def fence(self) -> bool:
        """Disable the connections of the group, and return whether something was changed."""

    def unfence(self) -> bool:
        """Enable them."""

    def delete_group(self) -> None:
        """Delete the group."""

    def create_group(self, group: Mapping[str, Any], primary: str) -> None:
        """Create the group as it was, with this computer as its primary member; what is left of one is deleted before."""


class Waiting(Protocol):
    """The loops of short reads that wait for the replication."""

    def fenced(self, servers: Sequence[Server]) -> None:
        """Wait until no member knows an enabled connection."""

    def gone(self, servers: Sequence[Server]) -> None:
        """Wait until no member has the folder any more."""

    def drained(self, source: Server, target: Server) -> list[int]:
        """Wait until the target lacks nothing, measured twice; return the measurements."""

    def backlog(self, source: Server, target: Server) -> list[int]:
        """Count once what the target lacks now; empty where it cannot be counted."""

    def replicated(self, primary: Server, other: Server, since: Mapping[str, str]) -> None:
        """Wait until the first replication is over and nothing is left."""


@dataclass(slots=True)
class Pair:
    """The pair and what is wanted of it.

    Attributes:
        name: of the pair.
        servers: inventory name to server; two.
        directory: the domain controller.
        waiting: loops.
        store: of the journal.
        step: asked before each step; raises when the run was ended from outside.
        progress: told what is being done.
        aside: folder of a server for what is set aside.
        accept_loss: whether a loss in a crash is accepted.
        dumps: whether the newest proven dumps may be used where the copy cannot.
    """

    name: str
    servers: dict[str, Server]
    directory: Directory
    waiting: Waiting
    store: Store
    step: Step
    progress: Progress
    aside: str
    accept_loss: bool = False
    dumps: bool = True
    journal: Journal | None = field(default=None)

    def server(self, host: str) -> Server:
        """Return one of the two.

        Raises:
            OptionError: it is none of them.
        """
        if host not in self.servers:
            raise OptionError(
                f"{host}: it is none of the pair {self.name} ({' and '.join(self.servers)}); correct the name"
            )
        return self.servers[host]

    def other(self, host: str) -> Server:
        """Return the other one."""
        self.server(host)
        (other,) = (server for name, server in self.servers.items() if name != host)
        return other

    def of_computer(self, computer: str) -> Server | None:
        """Return the server with this computer name."""
        return next((one for one in self.servers.values() if one.name.casefold() == computer.casefold()), None)

    def do(self, text: str) -> None:
        """Announce a step, which is not begun where the run was ended from outside."""
        self.step(text)
        self.progress(text)
        if self.journal is not None:
            self.journal.steps.append({"step": text, "at": round(time.time(), 1)})

    def save(self) -> None:
        """Write the journal."""
        if self.journal is not None:
            self.store.save(self.journal)
