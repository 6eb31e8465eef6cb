# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The replication between the copies of one folder, driven by ticks: states, journals, pulls along the connections.

Sources: facts/windows.md 2.5 and 2.7 (states, events 4102, 4104, 4112, 4004), 4 (order, delay); Microsoft, "Tuning replication
performance in DFSR": a member fetches 16 files at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lab.windows.dfs import incoming
from lab.windows.dfs.incoming import Download, VanishedError
from lab.windows.dfs.replica import (
    AUTO_RECOVERY,
    IN_ERROR,
    INITIAL_SYNC,
    INITIALIZED,
    NORMAL,
    PATH_NOT_FOUND,
    UNINITIALIZED,
    Order,
    Replica,
    RootGoneError,
)  # fmt: skip
from lab.windows.dfs.versions import UNKNOWN

AT_ONCE = 16
_BUDGET = 0.15  # seconds of copying per tick, so that nobody waits long for an answer
_IDLE_AFTER = 3.0
_IDLE_FACTOR = 4.0


@dataclass(eq=False)
class Pull:
    """One direction: what a receiver fetches from a sender.

    Attributes:
        key: GUIDs of the connection and of the folder. delay: seconds that one file takes. is_open: whether both sides run and
            have the connection enabled. synced: when the receiver last had all (seconds since 1970), 0 never.
    """

    receiver: Replica
    sender: Replica
    key: tuple[str, str]
    delay: Callable[[], float]
    is_open: Callable[[], bool]
    downloads: dict[str, Download] = field(default_factory=dict)
    synced: float = 0.0

    def drop(self) -> None:
        """Forget what is under way."""
        for download in self.downloads.values():
            incoming.drop(download)
        self.downloads.clear()


class Engine:
    """Moves files between replicas. Everything here runs in one thread at a time.

    Args:
        order: arranges the files that are due, at random in the lab. now: the clock of delays, monotonic seconds.
        scan: seconds between two looks at a folder in which something happens; a quiet one is looked at less often.
    """

    def __init__(self, order: Order, scan: float = 0.4, now: Callable[[], float] = time.monotonic) -> None:
        self._order = order
        self.scan = scan
        self._now = now
        self.pulls: list[Pull] = []

    def tick(self, replicas: Iterable[Replica]) -> bool:
        """One step of everything; whether there is more to do at once."""
        busy = False
        alive = list(replicas)
        for replica in alive:
            try:
                busy |= self._advance(replica)
            except RootGoneError:
                self._lost(replica)
            except OSError:
                busy = True  # something vanished under our hands; the next look tells what
        started = time.monotonic()
        for pull in list(self.pulls):
            if not pull.is_open() or pull.receiver.hung:
                pull.drop()
                continue
            try:
                busy |= self._pull(pull, started)
            except RootGoneError:
                pull.drop()
            except OSError:
                pull.drop()
                busy = True
        for replica in alive:
            try:
                replica.private.settle(replica.root())
            except (RootGoneError, OSError):
                continue
        return busy

    def _lost(self, replica: Replica) -> None:
        if replica.state == IN_ERROR:
            return
        replica.resume = replica.state
        replica.state, replica.error = IN_ERROR, PATH_NOT_FOUND
        replica.port.event(4004, str(PATH_NOT_FOUND))

    def _advance(self, replica: Replica) -> bool:
        """The next step of one replica's own life; whether another follows at once."""
        if replica.state == UNINITIALIZED:
            replica.private.prepare(replica.root())
            replica.port.secure("DfsrPrivate", replica.private_security())
            replica.state = INITIALIZED
            return True
        if replica.state == INITIALIZED:
            replica.state = INITIAL_SYNC
            if not replica.primary:
                replica.adopt_unknown()
                replica.port.event(4102)
            return True
        if replica.state == INITIAL_SYNC:
            replica.root()
            if replica.hung:
                return False
            return self._initialize(replica)
        if replica.state == IN_ERROR:
            replica.root()
            replica.error = 0
            replica.state = AUTO_RECOVERY if replica.resume in (NORMAL, AUTO_RECOVERY) else replica.resume
            return True
        if replica.state == AUTO_RECOVERY:
            replica.scan()
            replica.state = NORMAL
            replica.port.event(2214)
            return True
        quiet = time.monotonic() - replica.quiet_since > _IDLE_AFTER
        if time.monotonic() - replica.scanned >= self.scan * (_IDLE_FACTOR if quiet else 1.0):
            return replica.scan()
        replica.root()
        return False

    def _initialize(self, replica: Replica) -> bool:
        """The primary member's files are right as they are. The others wait for somebody who has finished."""
        if not replica.primary:
            return False
        replica.scan()
        replica.primary = False
        replica.state = NORMAL
        replica.port.event(4112)
        return True

    def _pull(self, pull: Pull, started: float) -> bool:
        receiver, sender = pull.receiver, pull.sender
        if sender.state != NORMAL or receiver.state not in (NORMAL, INITIAL_SYNC):
            pull.drop()
            return False
        busy = self._install(pull, started)
        waiting = [key for key in sender.pending(receiver.vector) if key not in pull.downloads]
        if not waiting and not pull.downloads:
            self._finished(pull)
            return busy
        self._order(waiting)
        for key in waiting:
            if len(pull.downloads) >= AT_ONCE or time.monotonic() - started > _BUDGET:
                break
            busy |= self._fetch(pull, key)
        return busy or bool(pull.downloads)

    def _install(self, pull: Pull, started: float) -> bool:
        done = False
        for key, download in list(pull.downloads.items()):
            if download.due <= self._now() and time.monotonic() - started <= _BUDGET:
                incoming.install(pull.receiver, pull.sender, pull.downloads.pop(key))
                pull.receiver.quiet_since = time.monotonic()
                done = True
        return done

    def _fetch(self, pull: Pull, key: str) -> bool:
        """Start on one file, after the folders that it is in; whether something was done at once."""
        record = pull.sender.records[key]
        above = key.rpartition("/")[0]
        folder = pull.sender.records.get(above) if key else None
        if (
            record.present
            and folder is not None
            and not pull.receiver.vector.covers(folder.version)
            and above not in pull.downloads
        ):
            self._fetch(pull, above)
        try:
            local = pull.receiver.records.get(key)
            same = local is not None and local.present == record.present and local.digest == record.digest
            at_once = record.is_folder or (same and not record.is_folder)
            download = incoming.fetch(pull.receiver, pull.sender, key, self._now() + (0 if at_once else pull.delay()))
        except VanishedError:
            return False
        if at_once:
            # Nothing crosses the network but the name: what is the same on both sides is only noted.
            incoming.install(pull.receiver, pull.sender, download)
        else:
            pull.downloads[key] = download
        return True

    def _finished(self, pull: Pull) -> None:
        """The receiver has all that the sender has."""
        receiver, sender = pull.receiver, pull.sender
        receiver.vector.merge(sender.vector)
        pull.synced = time.time()
        if receiver.state == INITIAL_SYNC:
            incoming.keep_unknown(receiver)
            receiver.private.settle(receiver.root())
            receiver.scan()
            receiver.state = NORMAL
            receiver.port.event(4104)


def known(replica: Replica) -> int:
    """How many files and folders are replicated, for the health report."""
    return sum(1 for record in replica.records.values() if record.present and record.version != UNKNOWN)
