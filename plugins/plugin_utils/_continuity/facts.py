"""What was read of a pair, as values: the gates decide by them, and nothing else.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .._postgresql.controldata import ControlData
from .marker import Marker

PLANNED, CRASH = "planned", "crash"
#: DfsrReplicatedFolderInfo.State of a folder that is replicated normally.
NORMAL = 4
#: Names of the states, for sentences (DfsrReplicatedFolderInfo class).
FOLDER_STATES = ("uninitialized", "initialized", "initial sync", "auto recovery", "normal", "in error")


@dataclass(slots=True)
class ServerFacts:
    """One server of the pair.

    Attributes:
        host: inventory name.
        name: computer name.
        reachable: whether it answered over WinRM.
        why: why it did not.
        signs: signs of life of one that did not: who still gets an answer from it, as clauses.
        silent: who asked it in vain, as clauses.
        service, state, account: of PostgreSQL; empty where they could not be read.
        processes: process numbers of postgres.exe.
        start_modes: service to start mode, of PostgreSQL and OpenERP.
        openerp: service of OpenERP to its state, in starting order.
        data: data folder.
        data_seen: whether a cluster is in it (PG_VERSION).
        cluster: major version in PG_VERSION.
        program: version that postgres.exe says.
        width: bits of the running Windows.
        control: what pg_controldata says, None where it could not.
        control_agrees: whether the file itself says the same; None: it could not be read.
        pid: number in postmaster.pid, None for no such file.
        denied: how many paths the service's account may not use; None: not looked at.
        sid: of the service's account; empty where the host does not know it.
        size, free: bytes of the cluster, and of the disk to which it is copied; None where they could not be read.
    """

    host: str
    name: str
    reachable: bool = True
    why: str = ""
    signs: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    service: str = ""
    state: str = ""
    account: str = ""
    processes: list[int] = field(default_factory=list)
    start_modes: dict[str, str] = field(default_factory=dict)
    openerp: dict[str, str] = field(default_factory=dict)
    data: str = ""
    data_seen: bool = False
    cluster: str = ""
    program: str = ""
    width: int = 0
    control: ControlData | None = None
    control_agrees: bool | None = True
    pid: int | None = None
    denied: int | None = None
    sid: str = ""
    size: int | None = None
    free: int | None = None

    @property
    def running(self) -> bool:
        """Return whether anything of PostgreSQL runs there."""
        return self.state not in ("Stopped", "") or bool(self.processes)


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What a member says of its copy of the replicated folder.

    Attributes:
        known: whether the member has the folder at all.
        state: number of its state.
        error: its last error.
        enabled: partners with a connection that is enabled.
        disabled: partners with one that is not; a fence that was cut half-way leaves both.
        last_sync: when it last received something (UTC); empty when nobody knows.
    """

    known: bool
    state: int = -1
    error: int = 0
    enabled: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    last_sync: str = ""

    @property
    def shown(self) -> str:
        """Return its state for a sentence."""
        if not self.known:
            return "does not know the folder"
        word = FOLDER_STATES[self.state] if 0 <= self.state < len(FOLDER_STATES) else "unknown"
        return f"state {self.state} ({word})" + (f", error {self.error}" if self.error else "")


@dataclass(frozen=True, slots=True)
class AsideFacts:
    """A copy of the cluster, set aside before the first start.

    Attributes:
        folder: where it is.
        differences: robocopy's bits of what differs from the cluster, 0 for nothing.
        checkpoint: latest checkpoint location that the copy says.
    """

    folder: str
    differences: int
    checkpoint: str


@dataclass(slots=True)
class Facts:
    """Everything that the gates of one move look at.

    Attributes:
        mode: ``planned`` or ``crash``.
        accept_loss: whether the loss was accepted.
        source, target: from which server to which.
        marker: what the domain controller's marker says, None where there is none.
        ours: the move that the marker tells is this one.
        folders: inventory host to what the member says; None: it could not be asked.
        backlog: measurements of what the source has and the target lacks, in their order.
        aside: the copy, None while it is not made.
        stopped: whether the source was stopped by this move, so that the gates behind it can be measured.
    """

    mode: str
    accept_loss: bool
    source: ServerFacts
    target: ServerFacts
    marker: Marker | None = None
    ours: bool = False
    folders: dict[str, FolderFacts | None] = field(default_factory=dict)
    backlog: list[int] = field(default_factory=list)
    aside: AsideFacts | None = None
    stopped: bool = False
