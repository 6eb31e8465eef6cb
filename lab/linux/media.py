# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removable disks of a host: folders that can be away.

A disk that is not plugged in has no path at all. Its content is kept beside it, under a hidden name; what somebody wrote
meanwhile to the place of the disk is hidden when the disk comes back, as under a mount point.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.errors import LabError


class Media:
    """The disks of ``lab_media``."""

    def __init__(self, host: str, folders: dict[str, str]) -> None:
        self._host = host
        self._folders = {name: Path(path) for name, path in folders.items()}

    @staticmethod
    def _away(folder: Path) -> Path:
        return folder.with_name(f".{folder.name}.unplugged")

    def prepare(self) -> None:
        """Make the disks; one that a killed lab left unplugged comes back. Raises LabError."""
        for name, folder in self._folders.items():
            try:
                self._plug(folder)
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LabError(f"host {self._host}: lab_media: the folder of {name} cannot be made ({error})") from None

    def follow(self, absent: str | None) -> None:
        """All the disks are there but the one that is named. Raises LabError for one that does not exist."""
        if absent is not None and absent not in self._folders:
            known = ", ".join(self._folders) or "none"
            raise LabError(f"host {self._host}: lab_media has no disk {absent!r}; it has: {known}", 2)
        for name, folder in self._folders.items():
            if name != absent:
                self._plug(folder)
            elif folder.exists() and not self._away(folder).exists():
                folder.rename(self._away(folder))

    def _plug(self, folder: Path) -> None:
        away = self._away(folder)
        if not away.exists():
            return
        if folder.exists():
            hidden = folder.with_name(f".{folder.name}.under-the-mount-point")
            shutil.rmtree(hidden, ignore_errors=True)
            folder.rename(hidden)
        away.rename(folder)
