# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM_DataFile and Win32_Directory, by name only.

Source: Microsoft's class pages. Listing all files of a machine is refused: WMI does it, for minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.windows.wmi.classes import WmiClass, register
from lab.windows.wmi.values import DateTime, Row

if TYPE_CHECKING:
    from lab.windows.host import Host


def _row(host: Host, keys: dict[str, str], folder: bool) -> Row | None:
    path = host.drive.absolute(keys["name"].replace("\\\\", "\\"))
    real = host.drive.find(path)
    if real is None or real.is_dir() != folder:
        return None
    shown = host.drive.true_case(path)
    status = real.stat()
    parent, _unused, name = shown.rpartition("\\")
    stem, dot, extension = name.rpartition(".")
    row: Row = {
        "Archive": not folder, "Caption": shown, "CreationDate": DateTime(status.st_ctime), "Drive": "c:",
        "Encrypted": False, "EightDotThreeFileName": shown.lower(), "Extension": extension if dot else "",
        "FileName": stem if dot else name, "FileSize": None if folder else status.st_size, "FSName": "NTFS",
        "Hidden": False, "InstallDate": DateTime(status.st_ctime), "LastAccessed": DateTime(status.st_atime),
        "LastModified": DateTime(status.st_mtime), "Name": shown.lower(), "Path": f"{parent[2:]}\\".lower(),
        "Readable": True, "Status": "OK", "System": False, "Writeable": True,
    }  # fmt: skip
    if folder:
        row["FileType"] = host.say("Dossier de fichiers", "File Folder")
    else:
        row.update(Manufacturer=None, Version=None, FileType=host.say(f"Fichier {extension}", f"{extension} File"))
    return row


register(WmiClass("CIM_DataFile", ("Name",), None, lambda host, keys: _row(host, keys, False)))
register(WmiClass("Win32_Directory", ("Name",), None, lambda host, keys: _row(host, keys, True)))
