# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mountvol.exe: /L, /D, and mounting a volume in a folder.

Source: Microsoft's page of mountvol. Exit code 0, or 1 with the system's message.
"""

from __future__ import annotations

from lab.windows.disks import DiskError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal


def _failed(call: Call, code: int) -> int:
    call.out(call.host.system(code))
    return 1


def _list(call: Call) -> int:
    call.out(call.say("Crée, supprime ou répertorie un point de montage de volume.\n\nValeurs possibles pour NomVolume et points de "
                      "montage en cours :\n", "Creates, deletes, or lists a volume mount point.\n\nPossible values for VolumeName "
                      "along with current mount points are:\n"))  # fmt: skip
    for _unused, volume in call.host.disks.volumes():
        none = call.say("*** AUCUN POINT DE MONTAGE ***", "*** NO MOUNT POINTS ***")
        place = f"{volume.mount.rstrip(chr(92))}\\" if volume.mount else none
        call.out(f"    {volume.device}\n        {place}\n")
    return 0


@program("mountvol")
async def _mountvol(call: Call) -> int:
    words = list(call.argv)
    if not words:
        return _list(call)
    if len(words) != 2 or words[1].lower() in ("/p", "/s") or words[0].startswith("/"):
        raise LabRefusal(f"this form of mountvol is not played: {call.line.strip()}")
    path, disks = call.path(words[0]), call.host.disks
    if words[1].lower() == "/l":
        volume = disks.by_mount(path)
        if volume is None:
            # ERROR_NOT_A_REPARSE_POINT for a plain folder, ERROR_FILE_NOT_FOUND for none.
            return _failed(call, 2 if call.host.drive.find(path) is None else 4390)
        call.out(f"    {volume.device}")
        return 0
    if words[1].lower() == "/d":
        volume = disks.by_mount(path)
        if volume is None or volume.mount == "C:\\":
            return _failed(call, 87 if volume else 4390)
        call.host.lose_files(volume.mount)
        disks.unmount(volume)
        return 0
    volume = disks.by_device(words[1])
    if volume is None:
        return _failed(call, 87 if not words[1].endswith("\\") else 2)
    try:
        disks.mount(volume, path)
    except DiskError:
        return _failed(call, 145 if call.host.drive.is_folder(path) else 3)
    return 0
