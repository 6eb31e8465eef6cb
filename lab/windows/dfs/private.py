# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder DfsrPrivate: what replication keeps of files that lost, were deleted, or nobody else knew.

Sources: KB961879 (PreExisting), facts/windows.md 4 (ConflictAndDeleted, quota 660 MB); the manifests and the names
``name-{GUID}-v12.ext`` are those that Microsoft's script RestoreDFSR.vbs reads [K]; the quota is enforced at 90 % down to 60 %
(Microsoft's page on staging and conflict quotas).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from lab.windows.dfs.tree import PRIVATE
from lab.windows.dfs.versions import Version

CONFLICTS, EXISTING, STAGING, INSTALLING = "ConflictAndDeleted", "PreExisting", "Staging", "Installing"
_HIGH, _LOW = 0.9, 0.6


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry of a manifest. ``size`` in bytes, ``files``: how many."""

    path: str
    new_name: str
    version: Version
    time: float
    size: int
    files: int


class Private:
    """The private folder of one replica. Its own root is given anew each time: the disk may go and come."""

    def __init__(self, shown: str, quota: int) -> None:
        self._shown = shown
        self.quota = quota
        self.kept: dict[str, list[Kept]] = {CONFLICTS: [], EXISTING: []}
        self._changed: set[str] = set()

    def staging(self, root: Path) -> Path:
        """The staging folder, made when it is missing. Raises OSError."""
        folder = root / PRIVATE / STAGING
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def prepare(self, root: Path) -> None:
        """Make all folders; what was left in staging by a crash goes. Raises OSError."""
        shutil.rmtree(root / PRIVATE / STAGING, ignore_errors=True)
        for name in (CONFLICTS, EXISTING, STAGING, INSTALLING):
            (root / PRIVATE / name).mkdir(parents=True, exist_ok=True)

    def keep(self, where: str, root: Path, name: str, real: Path, version: Version) -> None:
        """Move a file or folder away under a name of its own, and note it. Raises OSError."""
        stem, dot, ending = name.rpartition("/")[2].rpartition(".")
        mark = f"-{{{version[0] or '00000000-0000-0000-0000-000000000000'}}}-v{version[1]}"
        new = f"{stem}{mark}.{ending}" if dot and stem else f"{ending if not dot else name.rpartition('/')[2]}{mark}"
        target = root / PRIVATE / where / new
        number = 0
        while target.exists():
            number += 1
            target = target.with_name(f"{new}.{number}")
        target.parent.mkdir(parents=True, exist_ok=True)
        size, files = _measure(real)
        shutil.move(real, target)
        shown = f"\\\\.\\{self._shown}\\{name}".replace("/", "\\")
        self.kept[where].append(Kept(shown, target.name, version, time.time(), size, files))
        self._changed.add(where)

    def megabytes(self, where: str = CONFLICTS) -> int:
        """The size of what is kept, as WMI tells it."""
        return (sum(entry.size for entry in self.kept[where]) + (1 << 19)) >> 20

    def settle(self, root: Path) -> None:
        """Enforce the quota and write the manifests that changed."""
        if not self._changed:
            return
        entries = self.kept[CONFLICTS]
        total = sum(entry.size for entry in entries)
        limit = self.quota << 20
        if total > limit * _HIGH:
            while entries and total > limit * _LOW:
                oldest = entries.pop(0)
                total -= oldest.size
                _remove(root / PRIVATE / CONFLICTS / oldest.new_name)
        for where in self._changed:
            with contextlib.suppress(OSError):
                (root / PRIVATE / f"{where}Manifest.xml").write_text(self._manifest(where), encoding="utf-8")
        self._changed.clear()

    def _manifest(self, where: str) -> str:
        rows = "".join(
            f"  <Resource>\n    <Path>{escape(entry.path)}</Path>\n    <NewName>{escape(entry.new_name)}</NewName>\n"
            f"    <Gvsn>{{{entry.version[0]}}}-v{entry.version[1]}</Gvsn>\n"
            f"    <Time>{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(entry.time))}</Time>\n"
            f"    <Size>{entry.size}</Size>\n    <Files>{entry.files}</Files>\n  </Resource>\n"
            for entry in self.kept[where]
        )
        return f'<?xml version="1.0" encoding="utf-8"?>\n<{where}Manifest>\n{rows}</{where}Manifest>\n'


def _measure(real: Path) -> tuple[int, int]:
    if not real.is_dir() or real.is_symlink():
        return real.lstat().st_size, 1
    size = files = 0
    for folder, _unused, names in os.walk(real):
        for name in names:
            with contextlib.suppress(OSError):
                size += (Path(folder) / name).lstat().st_size
                files += 1
    return size, files


def _remove(real: Path) -> None:
    if real.is_dir() and not real.is_symlink():
        shutil.rmtree(real, ignore_errors=True)
    else:
        real.unlink(missing_ok=True)
