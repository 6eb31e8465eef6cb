# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One member's copy of a replicated folder: its database, its journal, its state.

Sources: [MS-FRS2] 3.1.1 (records, versions, tombstones, clocks), DfsrReplicatedFolderInfo's page (states), facts/windows.md 4:
contents are compared, not sizes and times; permissions replicate, times alone do not; files on a disk that is gone are not
deleted files. Changes are found by looking, which stands for NTFS's change journal: stamps first, contents where these differ.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from lab.windows.accounts import ADMINISTRATORS, SYSTEM
from lab.windows.acl import FULL, Ace, ace
from lab.windows.dfs import tree
from lab.windows.dfs.config import Folder, Membership, new_guid
from lab.windows.dfs.private import Private
from lab.windows.dfs.tree import Filter, Found, Stamp
from lab.windows.dfs.versions import UNKNOWN, Vector, Version

UNINITIALIZED, INITIALIZED, INITIAL_SYNC, AUTO_RECOVERY, NORMAL, IN_ERROR = range(6)
#: ERROR_PATH_NOT_FOUND: what stops replication of a folder that is not there.
PATH_NOT_FOUND = 3

#: Owner, whether it takes nothing from its parents, entries.
Security = tuple[str, bool, tuple[Ace, ...]]


class Port(Protocol):
    """What a replica needs of the host that it stands on. Names are below the root, with ``/``."""

    def root(self) -> Path | None:
        """The real folder; None when it is not there."""

    def securities(self) -> Mapping[str, tuple[Security, int]]:
        """What is set on files below the root, by lower-case name, and the inode it was set on (0: unknown)."""

    def secure(self, name: str, security: Security | None) -> None:
        """Set it, or nothing of its own, as soon as the step is over."""

    def follows(self, real: Path) -> bool:
        """Whether a symbolic link is a folder that the lab itself put elsewhere."""

    def event(self, code: int, *strings: str) -> None:
        """Write an event of this folder into the log as soon as the step is over."""

    def never_arrives(self, name: str) -> bool:
        """Whether the fault dfsr_missing strikes a file."""


class RootGoneError(Exception):
    """The replicated folder, or its disk, is not there."""


@dataclass(slots=True)
class Record:
    """What the database knows of one name. ``clock``: when it changed; ``stamp``: None means look at the content again.

    Attributes:
        beaten: changes elsewhere that did not know of this one and lost against it.
    """

    name: str
    is_folder: bool
    version: Version
    clock: float
    digest: bytes = b""
    security: Security | None = None
    present: bool = True
    stamp: Stamp | None = None
    beaten: frozenset[Version] = frozenset()


@dataclass
class Replica:
    """A copy of a folder. ``quiet_since``: when a change was last seen (monotonic)."""

    folder: Folder
    membership: Membership
    port: Port
    state: int = UNINITIALIZED
    error: int = 0
    primary: bool = False
    hung: bool = False
    database: str = field(default_factory=new_guid)
    records: dict[str, Record] = field(default_factory=dict)
    vector: Vector = field(default_factory=Vector)
    scanned: float = 0.0
    quiet_since: float = 0.0
    _counter: int = 0
    _identity: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.primary = self.membership.primary
        self.filter = Filter(self.folder.file_filter, self.folder.folder_filter)
        self.private = Private(self.membership.path, self.membership.conflicts)
        self.resume = UNINITIALIZED

    def configure(self, folder: Folder, membership: Membership) -> None:
        """Follow a changed configuration: files that a new filter leaves out are forgotten, not deleted."""
        self.folder, self.membership = folder, membership
        self.filter = Filter(folder.file_filter, folder.folder_filter)
        self.private.quota = membership.conflicts
        for key, record in list(self.records.items()):
            *folders, last = record.name.split("/")
            if self.filter.leaves_out(last, record.is_folder) or any(
                self.filter.leaves_out(name, True) for name in folders
            ):
                del self.records[key]

    def root(self) -> Path:
        """The real folder. Raises RootGoneError: it is not there, or another one stands in its place."""
        real = self.port.root()
        try:
            found = real.stat() if real else None
        except OSError:
            found = None
        if real is None or found is None:
            raise RootGoneError
        if self._identity is None:
            self._identity = (found.st_dev, found.st_ino)
        if self._identity != (found.st_dev, found.st_ino):
            raise RootGoneError
        return real

    @staticmethod
    def private_security() -> Security:
        """Who gets into the folder DfsrPrivate: the system and administrators [K]."""
        return ADMINISTRATORS, True, (ace(SYSTEM, FULL), ace(ADMINISTRATORS, FULL))

    def next_version(self) -> Version:
        """The version of a change made here."""
        self._counter += 1
        version = (self.database, self._counter)
        self.vector.add(version)
        return version

    def found(self, root: Path) -> Iterator[Found]:
        """The root itself, then all below it."""
        yield Found("", True, tree.stamp_of(root.stat()))
        yield from tree.walk(root, self.filter, self.port.follows)

    def scan(self) -> bool:
        """Note what changed since the last look; whether anything did. Raises RootGoneError."""
        root = self.root()
        securities = self.port.securities()
        seen = {found.name.lower(): found for found in self.found(root)}
        changed = False
        for key, found in seen.items():
            changed |= self._look(root, key, found, _security(securities, key, found))
        self.root()  # a disk that went meanwhile took nothing away
        for key, record in list(self.records.items()):
            if record.present and key not in seen:
                self._gone(root, record)
                changed = True
        self.scanned = time.monotonic()
        if changed:
            self.quiet_since = self.scanned
        return changed

    def _look(self, root: Path, key: str, found: Found, security: Security | None) -> bool:
        """Compare one name with its record."""
        record = self.records.get(key)
        known = record is not None and record.present and record.is_folder == found.is_folder
        if (
            record is not None
            and known
            and record.security == security
            and (found.is_folder or record.stamp == found.stamp)
        ):
            return False
        content, stamp = b"", None
        if not found.is_folder:
            try:
                content, stamp = tree.read_stamped(root / found.name)
            except OSError:
                return False  # gone or being replaced: the next look tells
        if record is not None and known and record.digest == content and record.security == security:
            record.stamp = stamp
            return False
        clock = min(time.time(), found.stamp[2] / 1e9)
        self.records[key] = Record(
            found.name, found.is_folder, self.next_version(), clock, content, security, True, stamp
        )
        return True

    def _gone(self, root: Path, record: Record) -> None:
        try:
            clock = (root / record.name).parent.stat().st_mtime
        except OSError:
            clock = time.time()
        record.present, record.stamp = False, None
        record.version, record.clock = self.next_version(), clock

    def look_at(self, name: str) -> Record | None:
        """The record of one name as it is now, the last change included. Raises RootGoneError."""
        root, key = self.root(), name.lower()
        record = self.records.get(key)
        real = root / (record.name if record else name)
        try:
            found = Found(record.name if record else name, real.is_dir(), tree.stamp_of(real.stat()))
        except OSError:
            if record is not None and record.present:
                self._gone(root, record)
            return record
        self._look(root, key, found, _security(self.port.securities(), key, found))
        return self.records.get(key)

    def adopt_unknown(self) -> None:
        """Read all that is there into a new database, without a claim: initial replication decides on it."""
        root = self.root()
        securities = self.port.securities()
        for found in self.found(root):
            if found.name.lower() in self.records:
                continue
            content, stamp = b"", None
            if not found.is_folder:
                try:
                    content, stamp = tree.read_stamped(root / found.name)
                except OSError:
                    continue
            security = _security(securities, found.name.lower(), found)
            self.records[found.name.lower()] = Record(
                found.name, found.is_folder, UNKNOWN, 0.0, content, security, True, stamp
            )

    def pending(self, vector: Vector) -> list[str]:
        """The keys of what somebody with this vector has not got yet."""
        return [key for key, record in list(self.records.items())
                if record.version != UNKNOWN and not vector.covers(record.version)]  # fmt: skip

    def backlog(self, vector: Vector) -> int:
        """How many files and folders somebody with this vector lacks, looked at now. Raises RootGoneError."""
        if self.state == NORMAL:
            self.scan()
        else:
            self.root()
        return len(self.pending(vector))

    def snapshot(self, key: str) -> Record:
        """A record for somebody else to work on."""
        return replace(self.records[key])


def _security(securities: Mapping[str, tuple[Security, int]], key: str, found: Found) -> Security | None:
    """What is set on a file itself; what was set on a former file of that name does not count."""
    known = securities.get(key)
    if known is None or (known[1] and known[1] != found.stamp[3]):
        return None
    return known[0]


Order = Callable[[list[str]], None]


def shuffled(seed: int) -> Order:
    """Files arrive out of order (facts/windows.md 4), in one that a seed repeats."""
    return random.Random(seed).shuffle  # noqa: S311
