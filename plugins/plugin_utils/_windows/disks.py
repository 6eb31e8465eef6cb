"""Disks, their volumes and the folders in which these are mounted: what WMI and the registry show, and what diskpart is told.

Note that this utility is private to the collection.

WMI does not tell on which disk a volume lies that has no letter ("Win32_MountPoint class", remarks). The mount manager's list in the
registry does: 12 bytes per volume, the signature of an MBR disk and the offset of the partition. Of a GPT disk it names what
Server 2008 does not show; there the sizes have to tell.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import wsman
from .wsman import Instance

_GUID = re.compile(r"Volume(\{[0-9a-f-]{36}\})", re.I)
_PLACE = re.compile(r"\\Volume(\{[0-9a-f-]{36}\})\s+REG_BINARY\s+([0-9a-f]+)\s*$", re.I | re.M)
#: An NTFS is at most so many bytes smaller than its partition.
_SLACK = 1 << 20
#: An MBR reaches no further.
_MBR_LIMIT = 1 << 41
_FIXED = 3


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume. Sizes are bytes; ``file_system`` is empty when it has none; ``folders`` are those in which it is mounted."""

    id: str
    label: str
    file_system: str
    capacity: int
    free: int
    letter: str = ""
    folders: tuple[str, ...] = ()
    system: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return what the module returns of it."""
        return {
            "id": self.id,
            "label": self.label,
            "file_system": self.file_system,
            "capacity": self.capacity,
            "free": self.free,
            "letter": self.letter,
            "folders": list(self.folders),
        }


@dataclass(frozen=True, slots=True)
class Disk:
    """One physical disk.

    Attributes:
        partitions: offset and size in bytes of each. A disk that is offline may show none.
        volumes: those that are there; a disk that is offline has none.
    """

    number: int
    model: str
    serial: str
    size: int
    signature: int
    partitions: tuple[tuple[int, int], ...] = ()
    volumes: tuple[Volume, ...] = ()

    @property
    def system(self) -> bool:
        """Return whether Windows itself is on it."""
        return self.number == 0 or any(one.system for one in self.volumes)

    @property
    def blank(self) -> bool:
        """Return whether nothing is seen on it, which may mean that it is offline."""
        return not self.partitions and not self.volumes

    @property
    def shown(self) -> str:
        """Return it for a sentence."""
        labels = ", ".join(f"'{one.label}'" for one in self.volumes)
        serial = f", serial number {self.serial}" if self.serial else ""
        return f"disk {self.number} ({self.model or 'no model'}{serial}; volumes: {labels or 'none'})"

    def as_dict(self) -> dict[str, Any]:
        """Return what the module returns of it."""
        return {
            "number": self.number,
            "model": self.model,
            "serial": self.serial,
            "size": self.size,
            "partitions": len(self.partitions),
            "volumes": [one.as_dict() for one in self.volumes],
        }


@dataclass(frozen=True, slots=True)
class Layout:
    """All disks, and the volumes of which it is not known on which disk they lie."""

    disks: tuple[Disk, ...]
    loose: tuple[Volume, ...] = ()

    def disk(self, number: int) -> Disk | None:
        """Return the disk of this number."""
        return next((one for one in self.disks if one.number == number), None)

    def at(self, folder: str) -> tuple[Disk | None, Volume] | None:
        """Return the volume that is mounted in a folder, with its disk where that is known."""
        found: list[tuple[Disk | None, Volume]] = [(disk, volume) for disk in self.disks for volume in disk.volumes]
        found += [(None, volume) for volume in self.loose]
        for disk, volume in found:
            if any(folded(one) == folded(folder) for one in volume.folders):
                return disk, volume
        return None


def folded(path: str) -> str:
    """Return a path for comparing: case and a backslash at its end do not count."""
    return path.rstrip("\\").casefold()


def _guid(name: str) -> str:
    match = _GUID.search(name)
    return match[1].casefold() if match else ""


def parse_places(text: str) -> dict[str, tuple[int, int]]:
    """Return volume to disk signature and offset, from ``reg query HKLM\\SYSTEM\\MountedDevices``."""
    found = {}
    for guid, digits in _PLACE.findall(text):
        data = bytes.fromhex(digits) if len(digits) % 2 == 0 else b""
        if len(data) == 12:
            found[guid.casefold()] = struct.unpack("<IQ", data)
    return found


def assemble(
    drives: Iterable[Instance],
    partitions: Iterable[Instance],
    volumes: Iterable[Instance],
    mounts: Iterable[Instance],
    places: Mapping[str, tuple[int, int]],
) -> Layout:
    """Return the disks with what is on them, from rows of Win32_DiskDrive, _DiskPartition, _Volume and _MountPoint."""
    parts: dict[int, list[tuple[int, int]]] = {}
    for row in partitions:
        place = (wsman.number(row, "StartingOffset") or 0, wsman.number(row, "Size") or 0)
        parts.setdefault(wsman.number(row, "DiskIndex") or 0, []).append(place)
    disks = {}
    for row in drives:
        number = wsman.number(row, "Index") or 0
        disks[number] = Disk(
            number=number,
            model=wsman.text(row, "Model").strip(),
            serial=wsman.text(row, "SerialNumber").strip(),
            size=wsman.number(row, "Size") or 0,
            signature=(wsman.number(row, "Signature") or 0) & 0xFFFFFFFF,
            partitions=tuple(sorted(parts.get(number, []))),
        )
    found = _volumes(volumes, mounts)
    owners = {one.id: _owner(one, disks.values(), places) for one in found}
    free = {(disk.number, *part) for disk in disks.values() for part in disk.partitions}
    free -= {owner for owner in owners.values() if owner is not None}
    for one in found:
        if owners[one.id] is None and one.capacity:
            owners[one.id] = _by_size(one, found, owners, free)
    for disk in disks.values():
        mine = tuple(one for one in found if (owner := owners[one.id]) is not None and owner[0] == disk.number)
        disks[disk.number] = replace(disk, volumes=mine)
    loose = tuple(one for one in found if owners[one.id] is None)
    return Layout(tuple(disks[number] for number in sorted(disks)), loose)


def _volumes(rows: Iterable[Instance], mounts: Iterable[Instance]) -> list[Volume]:
    folders: dict[str, list[str]] = {}
    for row in mounts:
        # The keys come as WMI's paths write them, with two backslashes for one, or as they are.
        folder = wsman.key_of(row, "Directory", "Name").replace("\\\\", "\\")
        folders.setdefault(_guid(wsman.key_of(row, "Volume", "DeviceID")), []).append(folder)
    found = []
    for row in rows:
        if wsman.number(row, "DriveType") not in (None, _FIXED):
            continue
        name, letter = wsman.text(row, "DeviceID"), wsman.text(row, "DriveLetter")
        flags = ("BootVolume", "SystemVolume", "PageFilePresent")
        found.append(
            Volume(
                id=name,
                label=wsman.text(row, "Label"),
                file_system=wsman.text(row, "FileSystem"),
                capacity=wsman.number(row, "Capacity") or 0,
                free=wsman.number(row, "FreeSpace") or 0,
                letter=letter,
                folders=tuple(sorted(one for one in folders.get(_guid(name), []) if len(one) > 3)),
                system=letter.upper() == "C:" or any(wsman.text(row, flag).casefold() == "true" for flag in flags),
            )
        )
    return found


def _owner(volume: Volume, disks: Iterable[Disk], places: Mapping[str, tuple[int, int]]) -> tuple[int, int, int] | None:
    """Return disk, offset and size of the partition that the mount manager knows for a volume."""
    place = places.get(_guid(volume.id))
    if place is None:
        return None
    signature, offset = place
    for disk in disks:
        for part in disk.partitions if disk.signature == signature else ():
            if part[0] == offset:
                return disk.number, *part
    return None


def _by_size(
    volume: Volume,
    volumes: Sequence[Volume],
    owners: Mapping[str, tuple[int, int, int] | None],
    free: Iterable[tuple[int, int, int]],
) -> tuple[int, int, int] | None:
    """Return the only partition that can hold a volume by its size, when no other volume can be the one in it."""
    fits = [part for part in free if 0 <= part[2] - volume.capacity <= _SLACK]
    rivals = [one for one in volumes if owners[one.id] is None and fits and 0 <= fits[0][2] - one.capacity <= _SLACK]
    return fits[0] if len(fits) == 1 and rivals == [volume] else None


def online_script(number: int) -> list[str]:
    """Return the commands that bring a disk online for reading and writing; on one that is, they change nothing."""
    return [f"select disk {number}", "online disk noerr", "attributes disk clear readonly noerr"]


def format_script(disk: Disk, folder: str, label: str, *, clean: bool) -> list[str]:
    """Return the commands that make one NTFS of a whole disk and mount it in a folder.

    Args:
        disk: the disk.
        folder: an empty folder.
        label: of the volume, or empty.
        clean: first forget what is on the disk. Without it a disk with a partition over all of it is refused by diskpart itself.
    """
    return [
        *online_script(disk.number),
        *(["clean"] if clean else []),
        *(["convert gpt noerr"] if disk.size > _MBR_LIMIT else []),
        "create partition primary",
        "format fs=ntfs quick" + (f' label="{label}"' if label else ""),
        f'assign mount="{folder}"',
    ]
