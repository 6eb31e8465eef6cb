# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small school whose nights are played in memory, on real folders as destinations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils import _storage
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup import (
    destinations,
    dumpfile,
    night,
    shipping,
    upkeep,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.catalog import Catalog
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.destinations import Settings
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.night import back_up
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.policy import Keep
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.selection import Options
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.server import Access

from tests.unit.backup.fakes import FakeMachine, FakeScratch, FakeServer, counted, read

OPTIONS = Options(
    databases=(),
    include=("Specibike*",),
    exclude=(),
    naming_rule="",
    roles=True,
    files=(),
    staging="",
    compress=1,
    workers=1,
    timeout=60,
    restore=True,
    restore_within_days=28,
    restore_at_least=1,
    retention=True,
    keep=Keep(),
    rsync=None,
    programs=Path("/bin"),
    language="fr",
    accept_empty=(),
    check=False,
)
ACCESS = Access("127.0.0.1", 5432, "openpg", "secret-of-openpg", "", "postgres")


@dataclass
class Nights:
    """The school's backups: run a night, look at the catalog and at the destinations."""

    folder: Path
    server: FakeServer = field(default_factory=FakeServer)
    options: Options = OPTIONS
    hour: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def main(self) -> Path:
        """Return the folder of the first destination."""
        return self.folder / "main"

    @property
    def usb(self) -> Path:
        """Return the folder of the disk that may be absent."""
        return self.folder / "usb"

    def settings(self) -> list[Settings]:
        """Return the destinations."""
        return [
            Settings("main", "folder", path=str(self.main)),
            Settings("usb", "folder", path=str(self.usb), removable=True, absent_days=14),
        ]

    def night(self, days: float = 1.0, **changes: Any) -> dict[str, Any]:
        """Run a night, so many days after the last one."""
        self.hour += round(days * 24)
        return self.again(**changes)

    def again(self, **changes: Any) -> dict[str, Any]:
        """Run once more, some minutes after the last time."""
        self.said.clear()
        now = datetime(2026, 1, 1, 21, tzinfo=UTC) + timedelta(hours=self.hour, minutes=len(self.server.commands) % 50)
        return back_up(
            FakeMachine(self.server),
            ACCESS,
            self.settings(),
            replace(self.options, **changes),
            root=self.folder / "catalog",
            set_name="srv",
            step=lambda name: None,
            progress=self.said.append,
            now=now,
        )

    def catalog(self) -> Catalog:
        """Return the catalog as it is on the disk."""
        return Catalog(self.folder / "catalog", "srv")

    def files(self, root: Path) -> set[str]:
        """Return the files of a destination."""
        return {path.relative_to(root / "srv").as_posix() for path in (root / "srv").rglob("*") if path.is_file()}


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """Give a school with two contexts and another database; its proofs need no PostgreSQL."""
    return make_nights(tmp_path, monkeypatch)


def make_nights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """Make a school in a folder."""
    found = Nights(folder)
    found.server.databases = {"Specibiketoto": "a b c", "SpecibikeX;touch PWNED": "d e", "essais": "z"}
    found.main.mkdir(parents=True)
    found.usb.mkdir()
    monkeypatch.setattr(dumpfile, "read", read)
    monkeypatch.setattr(dumpfile, "archive_version", lambda path: (1, 11))
    monkeypatch.setattr(upkeep, "ScratchCluster", FakeScratch)
    monkeypatch.setattr(night, "program_version", lambda program: (18, 1))
    effects = found.server.effects
    monkeypatch.setattr(_storage, "write_atomic", counted(effects, WRITE))
    for name in ("store", "fetch", "remove"):
        monkeypatch.setattr(destinations.FolderDestination, name, counted(effects, FOLDER[name]))
    assert shipping.dumpfile is dumpfile
    return found


WRITE: Callable[..., object] = _storage.write_atomic
FOLDER: dict[str, Callable[..., object]] = {
    name: getattr(destinations.FolderDestination, name) for name in ("store", "fetch", "remove")
}
