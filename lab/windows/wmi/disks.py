# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks, partitions, volumes and mount points.

Sources: Microsoft's pages of Win32_DiskDrive, Win32_DiskPartition, Win32_Volume, Win32_MountPoint and the two associations.
A disk that is offline is listed with its size and serial number, but without partitions and signature: Windows does not read
what is on it [K: not seen on a real 2008; the lab takes the side on which a disk that holds data looks blank].
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.windows.disks import OFFSET, SYSTEM_VOLUME, Disk, Volume
from lab.windows.wmi.classes import WmiClass, register
from lab.windows.wmi.values import Reference, Row

if TYPE_CHECKING:
    from lab.windows.host import Host

_CIMV2 = "root/cimv2"


def _free(host: Host, volume: Volume) -> int:
    if volume.mount == "C:\\":
        return 0 if "disk_full" in host.faults else host.plan.disk_free
    return volume.size * 49 // 50


def _logical_disk(host: Host) -> Iterator[Row]:
    volume = host.disks.disks[0].volumes[0]
    yield {
        "Caption": "C:", "Description": host.say("Disque fixe local", "Local Fixed Disk"), "DeviceID": "C:",
        "DriveType": 3, "FileSystem": "NTFS", "FreeSpace": _free(host, volume), "MediaType": 12, "Name": "C:",
        "ProviderName": None, "Size": SYSTEM_VOLUME, "SystemName": host.plan.computer_name, "VolumeName": "",
        "VolumeSerialNumber": f"{volume.serial:08X}",
    }  # fmt: skip


def _volume(host: Host) -> Iterator[Row]:
    for disk, volume in host.disks.volumes():
        system = not disk.number
        name = f"{volume.mount.rstrip(chr(92))}\\" if volume.mount else volume.device
        yield {
            "BlockSize": 4096 if volume.filesystem else None, "BootVolume": system,
            "Capacity": volume.size if volume.filesystem else None, "Caption": name, "DeviceID": volume.device,
            "DriveLetter": "C:" if system else None, "DriveType": 3, "FileSystem": volume.filesystem or None,
            "FreeSpace": _free(host, volume) if volume.filesystem else None, "Label": volume.label or None, "Name": name,
            "SerialNumber": volume.serial if volume.filesystem else None, "SystemName": host.plan.computer_name,
            "SystemVolume": system,
        }  # fmt: skip


def _mount_point(host: Host) -> Iterator[Row]:
    for folder, volume in host.disks.mounts():
        yield {
            "Directory": Reference(_CIMV2, "Win32_Directory", (("Name", folder),)),
            "Volume": Reference(_CIMV2, "Win32_Volume", (("DeviceID", volume.device),)),
        }


def _device(disk: Disk) -> str:
    return f"\\\\.\\PHYSICALDRIVE{disk.number}"


def _disk_drive(host: Host) -> Iterator[Row]:
    for disk in host.disks.disks.values():
        yield {
            "Caption": "LAB disk", "DeviceID": _device(disk), "Index": disk.number, "InterfaceType": "SCSI",
            "MediaType": "Fixed hard disk media", "Model": "LAB disk", "Partitions": len(disk.volumes) if disk.online else 0,
            "SerialNumber": disk.serial, "Signature": disk.signature if disk.online else 0, "Size": disk.size, "Status": "OK",
            "SystemName": host.plan.computer_name,
        }  # fmt: skip


def _parts(host: Host) -> Iterator[tuple[Disk, Volume, str]]:
    for disk in host.disks.disks.values():
        for index, volume in enumerate(disk.volumes if disk.online else ()):
            yield disk, volume, f"Disk #{disk.number}, Partition #{index}"


def _partition(host: Host) -> Iterator[Row]:
    for disk, volume, name in _parts(host):
        kind = "Installable File System" if disk.style == "MBR" else "GPT: Basic Data"
        yield {
            "Bootable": not disk.number, "BootPartition": not disk.number, "Caption": name, "Description": kind, "DeviceID": name,
            "DiskIndex": disk.number, "Index": int(name.rpartition("#")[2]), "Name": name, "NumberOfBlocks": volume.size // 512,
            "PrimaryPartition": True, "Size": volume.size, "StartingOffset": OFFSET, "SystemName": host.plan.computer_name,
            "Type": kind,
        }  # fmt: skip


def _drive_to_partition(host: Host) -> Iterator[Row]:
    for disk, _unused, name in _parts(host):
        yield {
            "Antecedent": Reference(_CIMV2, "Win32_DiskDrive", (("DeviceID", _device(disk)),)),
            "Dependent": Reference(_CIMV2, "Win32_DiskPartition", (("DeviceID", name),)),
        }


def _logical_to_partition(host: Host) -> Iterator[Row]:
    yield {
        "Antecedent": Reference(_CIMV2, "Win32_DiskPartition", (("DeviceID", "Disk #0, Partition #0"),)),
        "Dependent": Reference(_CIMV2, "Win32_LogicalDisk", (("DeviceID", "C:"),)),
        "EndingAddress": SYSTEM_VOLUME + OFFSET - 1, "StartingAddress": OFFSET,
    }  # fmt: skip


register(WmiClass("Win32_LogicalDisk", ("DeviceID",), _logical_disk))
register(WmiClass("Win32_Volume", ("DeviceID",), _volume))
register(WmiClass("Win32_MountPoint", ("Directory", "Volume"), _mount_point))
register(WmiClass("Win32_DiskDrive", ("DeviceID",), _disk_drive))
register(WmiClass("Win32_DiskPartition", ("DeviceID",), _partition))
register(WmiClass("Win32_DiskDriveToDiskPartition", ("Antecedent", "Dependent"), _drive_to_partition))
register(WmiClass("Win32_LogicalDiskToPartition", ("Antecedent", "Dependent"), _logical_to_partition))
