# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The physical disks of a host beside that of the system, their volumes, and the folders in which these are mounted.

A volume is a real folder outside C:, a mount point a symbolic link to it. A disk that goes offline takes its volumes' folders
away, so that the link leads nowhere: the mount point is still listed by its parent, all below gives error 3, as a reparse point
to ``\\??\\Volume{...}`` whose device is gone does ([MS-ERREF] STATUS_OBJECT_PATH_NOT_FOUND is ERROR_PATH_NOT_FOUND).

Sources: Microsoft's pages of diskpart, of ``IVdsDiskOnline::Offline`` (volumes are dismounted by force first) and of mounted
folders ("must be empty, on NTFS"); a mount comes back with its disk, since the mount manager keeps it by the volume's GUID.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lab.windows import acl
from lab.windows.accounts import ADMINISTRATORS, CREATOR_OWNER, EVERYONE, SYSTEM, USERS
from lab.windows.files import WindowsPathError
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.host import Host

FAULT = "disk_offline"
SYSTEM_SIZE, SYSTEM_VOLUME = 107_372_805_120, 107_374_178_304
#: What an MBR disk keeps before its first partition (Server 2008 aligns it to one megabyte).
OFFSET = 1_048_576


class DiskError(Exception):
    """The Virtual Disk Service refuses: its message in both languages."""

    def __init__(self, french: str, english: str) -> None:
        super().__init__(english)
        self.french, self.english = french, english


@dataclass(eq=False)
class Volume:
    """A volume. ``filesystem``: empty as long as it is not formatted. ``mount``: a folder of C:, or empty.

    ``acls``: what is set on its files while it is mounted nowhere, by the path below its root.
    """

    guid: str
    size: int
    real: Path
    filesystem: str = ""
    label: str = ""
    mount: str = ""
    acls: dict[str, acl.Entry] = field(default_factory=dict)

    @property
    def device(self) -> str:
        """``\\\\?\\Volume{GUID}\\``."""
        return f"\\\\?\\Volume{{{self.guid}}}\\"

    @property
    def serial(self) -> int:
        """The serial number that formatting gave it."""
        return int(hashlib.sha256(f"serial/{self.guid}".encode()).hexdigest()[:8], 16)


@dataclass(eq=False)
class Disk:
    """A physical disk; sizes in bytes. ``style``: ``MBR``, ``GPT``, or empty for one that was never initialized."""

    number: int
    size: int
    serial: str
    online: bool = True
    readonly: bool = False
    style: str = ""
    volumes: list[Volume] = field(default_factory=list)

    @property
    def signature(self) -> int:
        """The signature in the MBR; 0 without one."""
        text = hashlib.sha256(f"signature/{self.serial}".encode()).hexdigest()
        return int(text[:8], 16) if self.style == "MBR" else 0


def _identifier(seed: str) -> str:
    text = hashlib.sha256(seed.encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-11dd-{text[12:16]}-{text[16:28]}"


def _root_entry() -> acl.Entry:
    """The access list of a volume that was formatted on Server 2008 [K]."""
    return acl.Entry(ADMINISTRATORS, [
        acl.ace(ADMINISTRATORS, acl.FULL), acl.ace(SYSTEM, acl.FULL), acl.ace(CREATOR_OWNER, 0x10000000, "OICIIO"),
        acl.ace(USERS, acl.READ_EXECUTE), acl.ace(USERS, 0x4, "CI"), acl.ace(USERS, 0x2, "CIIO"),
        acl.ace(EVERYONE, acl.READ_EXECUTE, ""),
    ], protected=True)  # fmt: skip


class Disks:
    """The disks of a host. Number 0 is that of the system, which holds C: and cannot be changed here."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._folder = host.folder / "volumes"
        seed = f"volume/{host.plan.name}"
        system = Disk(0, SYSTEM_SIZE, hashlib.sha256(seed.encode()).hexdigest()[:16], style="MBR")
        system.volumes.append(Volume(_identifier(seed), SYSTEM_VOLUME, host.folder / "C", "NTFS", "", "C:\\"))
        self.disks = {0: system}
        self._made = 0
        for entry in host.plan.disks:
            disk = Disk(entry["number"], entry["size"], entry["serial"], readonly=entry["readonly"])
            self.disks[disk.number] = disk
            if entry["data"]:
                self._fill(disk)
            if entry["state"] == "offline":
                self._gone(disk)
        self.follow()

    def _fill(self, disk: Disk) -> None:
        """A disk that was used elsewhere: nobody wants to lose what is on it."""
        disk.style = "MBR"
        volume = self._partition(disk)
        volume.filesystem, volume.label = "NTFS", "COMPTA"
        folder = volume.real / "Compta 2011"
        shutil.rmtree(volume.real, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "journal.csv").write_bytes(b"2011-09-01;fournitures;1240,00\r\n")
        (volume.real / "LISEZMOI.txt").write_bytes("Ne pas effacer : seule copie.\r\n".encode("cp1252"))

    def _partition(self, disk: Disk) -> Volume:
        self._made += 1
        guid = _identifier(f"volume/{self._host.plan.name}/{disk.serial}/{self._made}")
        volume = Volume(guid, disk.size - 2 * OFFSET, self._folder / guid)
        disk.volumes.append(volume)
        return volume

    def volumes(self) -> list[tuple[Disk, Volume]]:
        """The volumes that are there, that of the system first: those of disks that are online."""
        found = [(disk, volume) for disk in self.disks.values() if disk.online for volume in disk.volumes]
        for _unused, volume in found:
            self._looked(volume)
        return found

    def by_device(self, name: str) -> Volume | None:
        """A volume that is there by ``\\\\?\\Volume{GUID}\\``."""
        return next((item for _unused, item in self.volumes() if item.device.lower() == name.lower()), None)

    def by_mount(self, path: str) -> Volume | None:
        """The volume that is there and mounted in this folder."""
        return next((item for _unused, item in self.volumes() if item.mount.lower() == path.lower()), None)

    def is_failed(self, disk: Disk) -> bool:
        """Whether the fault holds this disk."""
        return disk.number > 0 and self._host.faults.number(FAULT) == disk.number

    def follow(self) -> None:
        """The faults were switched: a disk that fails goes; one that is back waits for somebody to bring it online."""
        for disk in self.disks.values():
            if disk.online and self.is_failed(disk):
                self.offline(disk)

    def offline(self, disk: Disk) -> None:
        """The disk is taken offline, or out. Raises DiskError for that of the system, or one that is offline."""
        if not disk.number:
            raise DiskError("Erreur du service de disque virtuel :\nLe disque ne peut pas être mis hors connexion.",
                            "Virtual Disk Service error:\nThe disk cannot be taken offline.")  # fmt: skip
        if not disk.online:
            raise DiskError("Erreur du service de disque virtuel :\nLe disque est hors connexion.",
                            "Virtual Disk Service error:\nThe disk is offline.")  # fmt: skip
        for volume in disk.volumes:
            self._looked(volume)
            if volume.mount:
                self._host.lose_files(volume.mount)
        self._gone(disk)

    def _gone(self, disk: Disk) -> None:
        disk.online = False
        for volume in disk.volumes:
            if volume.real.is_dir():
                volume.real.rename(self._away(volume))

    @staticmethod
    def _away(volume: Volume) -> Path:
        return volume.real.with_name(f"{volume.real.name}.offline")

    def online(self, disk: Disk) -> None:
        """The disk is brought online: its mount points lead to its files again. Raises DiskError."""
        if disk.online:
            raise DiskError("Erreur du service de disque virtuel :\nCe disque est déjà en ligne.",
                            "Virtual Disk Service error:\nThis disk is already online.")  # fmt: skip
        if self.is_failed(disk):
            raise DiskError("Erreur du service de disque virtuel :\nLe périphérique n'est pas prêt.",
                            "Virtual Disk Service error:\nThe device is not ready.")  # fmt: skip
        disk.online = True
        for volume in disk.volumes:
            if self._away(volume).is_dir():
                self._away(volume).rename(volume.real)

    def _writable(self, disk: Disk) -> None:
        if not disk.number:
            raise LabRefusal("the disk of the system is not changed in the lab")
        if not disk.online:
            raise DiskError("Erreur du service de disque virtuel :\nLe disque est hors connexion.",
                            "Virtual Disk Service error:\nThe disk is offline.")  # fmt: skip
        if disk.readonly:
            raise DiskError("DiskPart a rencontré une erreur : Le support est protégé en écriture.",
                            "DiskPart has encountered an error: The media is write protected.")  # fmt: skip

    def convert(self, disk: Disk, style: str) -> None:
        """Initialize it as ``MBR`` or ``GPT``; only a disk without partitions can be. Raises DiskError."""
        self._writable(disk)
        if disk.volumes or disk.style == style:
            raise DiskError(f"Le disque spécifié n'est pas convertible au format {style}.",
                            f"The specified disk is not convertible to {style}.")  # fmt: skip
        disk.style = style

    def clean(self, disk: Disk) -> None:
        """All its partitions, and their files, are gone. Raises DiskError."""
        self._writable(disk)
        for volume in disk.volumes:
            self._looked(volume)
            if volume.mount:
                self._host.lose_files(volume.mount)
                self.unmount(volume)
            shutil.rmtree(volume.real, ignore_errors=True)
        disk.volumes.clear()
        disk.style = ""

    def partition(self, disk: Disk) -> Volume:
        """One partition over the whole disk, which becomes an MBR one when it is none yet. Raises DiskError."""
        self._writable(disk)
        if disk.volumes:
            raise DiskError("Espace utilisable insuffisant pour cette opération.",
                            "There is not enough usable space for this operation.")  # fmt: skip
        disk.style = disk.style or "MBR"
        return self._partition(disk)

    def format(self, disk: Disk, volume: Volume, label: str) -> None:
        """A new, empty NTFS: what was there is lost. Raises DiskError."""
        self._writable(disk)
        self._looked(volume)
        if volume.mount:
            self._host.lose_files(volume.mount)
            self._host.acls.forget(volume.mount)
            self._host.acls.entries[volume.mount.lower()] = _root_entry()
        shutil.rmtree(volume.real, ignore_errors=True)
        volume.real.mkdir(parents=True, mode=0o700)
        volume.filesystem, volume.label, volume.acls = "NTFS", label[:32], {}

    def mount(self, volume: Volume, path: str) -> None:
        """Mount it in an empty folder of C:. Raises DiskError, WindowsPathError, LabRefusal."""
        drive = self._host.drive
        self._looked(volume)
        real = drive.find(path)
        if real is None or not real.is_dir() or real.is_symlink() or len(path) <= 3:
            raise DiskError("Le chemin de montage spécifié n'est pas valide.", "The specified mount path is not valid.")
        if any(real.iterdir()):
            raise DiskError("Le dossier de montage n'est pas vide.", "The directory is not empty.")
        if not volume.filesystem or volume.mount:
            raise LabRefusal(f"a second mount point, or one of a volume that is not formatted, is not played: {path}")
        if any(path.lower().startswith(f"{item.mount.lower()}\\") for disk, item in self.volumes() if disk.number):
            raise LabRefusal(f"a mount point on a mounted volume is not played: {path}")
        real.rmdir()
        real.symlink_to(volume.real)
        volume.mount = drive.true_case(path)
        entries = self._host.acls.entries
        for key in [key for key in entries if key == path.lower()]:
            del entries[key]
        entries[path.lower()] = volume.acls.pop("") if "" in volume.acls else _root_entry()
        entries.update({f"{path.lower()}\\{below}": entry for below, entry in volume.acls.items()})
        volume.acls = {}

    def unmount(self, volume: Volume) -> None:
        """The mount point becomes an empty folder again; the files stay on the volume."""
        real = self._host.drive.find(volume.mount)
        if real is not None and real.is_symlink():
            real.unlink()
            real.mkdir()
        self._forgotten(volume)

    def _looked(self, volume: Volume) -> None:
        """A mount point that somebody removed (rd) is none any more."""
        if volume.mount and volume.mount != "C:\\":
            real = self._host.drive.find(volume.mount)
            if real is None or not real.is_symlink():
                self._forgotten(volume)

    def _forgotten(self, volume: Volume) -> None:
        low, entries = volume.mount.lower(), self._host.acls.entries
        for key in [key for key in entries if key == low or key.startswith(f"{low}\\")]:
            volume.acls[key[len(low) + 1 :]] = entries.pop(key)
        volume.mount = ""

    def mounts(self) -> Iterator[tuple[str, Volume]]:
        """(folder, volume) of what is mounted and there, C: first."""
        for _unused, volume in self.volumes():
            if volume.mount:
                yield volume.mount, volume

    def of_path(self, path: str) -> Volume:
        """The volume on which a path of this host lies. Raises WindowsPathError 3 when its disk is not there."""
        found, best = self.disks[0].volumes[0], 0
        for disk in self.disks.values():
            for volume in disk.volumes if disk.number else ():
                low = volume.mount.lower()
                if low and len(low) > best and (path.lower() == low or path.lower().startswith(f"{low}\\")):
                    if not disk.online:
                        raise WindowsPathError(3)
                    found, best = volume, len(low)
        return found

    def dump(self) -> list[dict[str, object]]:
        """For comparison."""
        return [
            {"number": disk.number, "online": disk.online, "readonly": disk.readonly, "style": disk.style,
             "volumes": [{"label": item.label, "filesystem": item.filesystem, "mount": item.mount} for item in disk.volumes]}
            for disk in self.disks.values()
        ]  # fmt: skip
