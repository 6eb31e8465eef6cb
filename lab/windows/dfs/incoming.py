# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a replica does with a partner's change: fetch it into the staging folder, decide, put it in place.

Sources: facts/windows.md 4: a file opened with read sharing is copied while somebody writes it (torn copies); each file is
renamed in as a whole; of two changes that did not know of each other the later wins, the loser goes to ConflictAndDeleted;
what initial replication finds unknown to the primary goes to PreExisting. [MS-FRS2] 3.3.4.6 (conflicts), 3.3.4.12 (install).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from lab.windows.dfs import tree
from lab.windows.dfs.private import CONFLICTS, EXISTING
from lab.windows.dfs.replica import INITIAL_SYNC, Record, Replica
from lab.windows.dfs.versions import UNKNOWN, Vector


@dataclass
class Download:
    """A change on its way.

    Attributes:
        due: when it may be put in place (monotonic). known: what the partner knew when it gave it. staged: its content, once copied.
    """

    key: str
    update: Record
    due: float
    known: Vector
    staged: Path | None = None
    state: os.stat_result | None = None


class VanishedError(Exception):
    """The partner's file went away while it was read."""


def fetch(replica: Replica, partner: Replica, key: str, due: float) -> Download:
    """Copy what is needed of a partner's file into the staging folder. Raises VanishedError, RootGoneError.

    The copy is of the file as it is now, which may be more, or less, than the change that is fetched.
    """
    update = partner.snapshot(key)
    download = Download(key, update, due, partner.vector.copy())
    if not update.present or replica.port.never_arrives(update.name):
        return download
    source = partner.root() / update.name
    local = replica.records.get(key)
    try:
        download.state = source.stat()
        if update.is_folder or (local and local.present and not local.is_folder and local.digest == update.digest):
            return download
        folder = replica.private.staging(replica.root())
        download.staged = folder / f"{update.version[0]}-v{update.version[1]}"
        download.update.digest = tree.copy(source, download.staged)
    except OSError as error:
        drop(download)
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES):
            raise VanishedError(update.name) from None
        raise VanishedError(f"{update.name}: {error}") from None
    return download


def drop(download: Download) -> None:
    """It is not needed any more."""
    if download.staged:
        with contextlib.suppress(OSError):
            download.staged.unlink(missing_ok=True)


def install(replica: Replica, partner: Replica, download: Download) -> bool:
    """Put a change in place, or find that the local one stays; False: fetch it again. Raises RootGoneError."""
    update = download.update
    try:
        if replica.vector.covers(update.version):
            return True
        if replica.port.never_arrives(update.name):
            replica.vector.add(update.version)
            return True
        local = replica.look_at(update.name)
        if local is not None and _stays(replica, download.known, local, update):
            local.beaten |= {update.version}
            replica.vector.add(update.version)
            return True
        goes = local is not None and local.present and local.is_folder and not (update.present and update.is_folder)
        if local is not None and goes and replica.state != INITIAL_SYNC:
            waits = _holds_back(replica, partner, download.key)
            if waits:
                return False
            if waits is False:  # a folder in which something lives is brought back to life ([MS-FRS2]: reanimation)
                local.version, local.clock = replica.next_version(), time.time()
                replica.vector.add(update.version)
                return True
        now = partner.records.get(download.key, update)
        lost = local is not None and (
            not download.known.covers(local.version) or local.version in update.beaten | now.beaten
        )
        same = local is not None and local.present == update.present and local.is_folder == update.is_folder
        if same and local is not None and update.present and local.digest == update.digest:
            lost = False
        if update.present and not update.is_folder and download.staged is None and not (
            same and local is not None and local.digest == update.digest
        ):  # fmt: skip
            return False  # the local file changed after it was found to be the same
        _apply(replica, download, local, lost)
    finally:
        drop(download)
    replica.vector.add(update.version)
    return True


def _stays(replica: Replica, known: Vector, local: Record, update: Record) -> bool:
    """Whether the local file wins against a change that did not know of it: the later clock does.

    During initial replication it never does.
    """
    if replica.state == INITIAL_SYNC or local.version == UNKNOWN or known.covers(local.version):
        return False
    return (local.clock, local.version) > (update.clock, update.version)


def _apply(replica: Replica, download: Download, local: Record | None, lost: bool) -> None:
    root, update = replica.root(), download.update
    name = local.name if local and local.present else _name_here(replica, update)
    real = root / name
    was = local.version if local else UNKNOWN
    there = real.is_symlink() or real.exists()
    stamp = None
    if not update.present:
        # What a partner deleted is kept here for a while, a folder with all that is left in it.
        if there and update.name:
            replica.private.keep(CONFLICTS, root, update.name, real, was)
    elif update.is_folder:
        if there and not real.is_dir():
            replica.private.keep(CONFLICTS, root, update.name, real, was)
        real.mkdir(parents=True, exist_ok=True)
        if download.state:
            tree.like(download.state, real)
    else:
        if there and (lost or real.is_dir()):
            replica.private.keep(CONFLICTS, root, update.name, real, was)
        if download.staged is not None:
            real.parent.mkdir(parents=True, exist_ok=True)
            _rename_in(download.staged, real)
        elif local is not None:
            stamp = local.stamp
    replica.port.secure(name, update.security if update.present else None)
    replica.records[download.key] = Record(name, update.is_folder, update.version, update.clock, update.digest,
                                           update.security, update.present, stamp)  # fmt: skip


def _name_here(replica: Replica, update: Record) -> str:
    """The name below the root, with the case that its folder has here."""
    above, slash, last = update.name.rpartition("/")
    folder = replica.records.get(above.lower())
    return f"{folder.name if folder and folder.present else above}{slash}{last}"


def _holds_back(replica: Replica, partner: Replica, key: str) -> bool | None:
    """Whether a folder that is to go still has something below it: True what the partner deleted as well, so that it goes first;
    False something that lives on. None: nothing."""
    root = replica.root()
    record = replica.records[key]
    if any((root / record.name).iterdir()):
        replica.scan()
    living = [name for name, below in replica.records.items() if below.present and name.startswith(f"{key}/")]
    if not living:
        return None
    theirs = [partner.records.get(name) for name in living]
    return any(item is not None and not item.present and not replica.vector.covers(item.version) for item in theirs)


def _rename_in(staged: Path, real: Path) -> None:
    """At once, so that nobody sees half a file; from another file system by way of a name beside it."""
    try:
        staged.replace(real)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = real.with_name(f"{tree.ARRIVING}{staged.name}")
        shutil.move(staged, beside)
        beside.replace(real)


def keep_unknown(replica: Replica) -> None:
    """Initial replication is over: what the partner does not know goes to PreExisting. Raises RootGoneError."""
    root = replica.root()
    unknown = {key for key, record in replica.records.items() if record.version == UNKNOWN and key}
    for key in sorted(unknown):
        record = replica.records.pop(key)
        if key.rpartition("/")[0] in unknown:
            continue  # it went with its folder
        real = root / record.name
        with contextlib.suppress(OSError):
            replica.private.keep(EXISTING, root, record.name, real, UNKNOWN)
