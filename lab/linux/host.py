# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Linux host of the lab: its parts, and the faults that act on all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.faults import FaultSet
from lab.linux.media import Media
from lab.linux.plan import LinuxPlan
from lab.linux.rsync import RsyncDaemon
from lab.linux.ssh import SshServer
from lab.linux.web import WebServer
from lab.windows.postgres import Cluster, Installation


class LinuxHost:
    """What is up for one host."""

    def __init__(self, plan: LinuxPlan, folder: Path, installation: Installation, keys: Path) -> None:
        self.plan = plan
        self.faults = FaultSet("linux")
        for name, value in plan.faults:
            self.faults.set(name, value)
        self._folder = folder
        self._media = Media(plan.name, plan.media)
        self._rsync = self._ssh = None
        if plan.rsync:
            self._rsync = RsyncDaemon(plan.name, plan.address, plan.rsync, self.faults, folder)
        if plan.ssh:
            self._ssh = SshServer(plan.name, plan.address, plan.ssh, self.faults, folder, keys)
        self._web = WebServer(plan.name, plan.address, plan.http, self.faults) if plan.http else None
        self._cluster = Cluster(installation, plan.address, folder) if plan.postgresql else None
        self._prepared = False

    @property
    def _fronts(self) -> list[RsyncDaemon | SshServer | WebServer]:
        return [front for front in (self._rsync, self._ssh, self._web) if front]

    def refresh(self) -> None:
        """Follow the faults. Raises LabError."""
        if not self._prepared:
            self._media.prepare()
            for front in self._fronts:
                front.prepare()
            self._prepared = True
        for front in self._fronts:
            if "off" in self.faults:
                front.close()
                front.drop()
            else:
                front.open()
            if "mute" not in self.faults:
                front.release()
        if self._rsync:
            self._rsync.disk.follow()
        try:
            self._media.follow(self.faults.text("absent"))
        except LabError:
            self.faults.drop("absent")
            raise

    async def start(self) -> None:
        """Bring up the database. Raises LabError."""
        database = self.plan.postgresql
        if not database or not self._cluster:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        data = self._folder / "data"
        try:
            await self._cluster.create(
                data, database["port"], str(database["superuser"]), str(database["password"]), database["databases"]
            )
            reason = await self._cluster.start(data)
        except LabError as error:
            raise LabError(f"host {self.plan.name}: {error.sentence}") from None
        if reason:
            raise LabError(f"host {self.plan.name}: PostgreSQL does not start: {reason.splitlines()[-1]}")

    def shut(self) -> None:
        """The end of the lab: nobody listens, everybody is dropped, every disk is back in its place."""
        for front in self._fronts:
            front.close()
            front.drop()
        if self._prepared:
            self._media.follow(None)

    async def end(self) -> None:
        """Stop what runs outside this process."""
        for front in self._fronts:
            await front.settle()
        if self._cluster:
            await self._cluster.stop()

    def row(self) -> dict[str, Any]:
        """The row of ``lab status``."""
        plan, ssh, rsync = self.plan, self._ssh, self._rsync
        connections = sum(front.connections for front in self._fronts)
        return {
            "host": plan.name,
            "kind": "linux",
            "address": plan.address,
            "port": plan.port,
            "transport": plan.services,
            "model": ", ".join([*(plan.rsync["modules"] if plan.rsync else []), *plan.media]) or "-",
            "version": "-",
            "serial": "",
            "hostname": plan.name,
            "faults": self.faults.names(),
            "powered": "off" not in self.faults,
            "open_sessions": (ssh.open_connections if ssh else 0)
            + (len(rsync.running) if rsync else 0)
            + (len(self._web.running) if self._web else 0),
            "sessions": connections,
            "commands": ssh.commands if ssh else 0,
            "refused_logins": ssh.refused if ssh else 0,
            "unsaved": False,
            "requests": connections,
        }
