# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CIM_DataFile, Win32_Directory and Win32_LogicalFileSecuritySetting, by name only.

Source: Microsoft's class pages. Listing all files of a machine is refused: WMI does it, for minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.windows.dfs.tree import PRIVATE
from lab.windows.wmi.classes import Arguments, WmiClass, method, register
from lab.windows.wmi.shares import trustee
from lab.windows.wmi.values import DateTime, Embedded, Row

if TYPE_CHECKING:
    from lab.windows.host import Host


def _row(host: Host, keys: dict[str, str], folder: bool) -> Row | None:
    path = host.drive.absolute(keys["name"].replace("\\\\", "\\"))
    real = host.drive.find(path)
    if real is None or (real.is_dir() or real.is_symlink()) != folder:
        return None
    shown = host.drive.true_case(path)
    status = real.stat() if real.exists() else real.lstat()  # a mount point whose disk is offline is still a folder
    parent, _unused, name = shown.rpartition("\\")
    stem, dot, extension = name.rpartition(".")
    played = host.drive.played(name)
    size = status.st_size if played is None else len(played)
    row: Row = {
        "Archive": not folder, "Caption": shown, "CreationDate": DateTime(status.st_ctime), "Drive": "c:",
        "Encrypted": False, "EightDotThreeFileName": shown.lower(), "Extension": extension if dot else "",
        "FileName": stem if dot else name, "FileSize": None if folder else size, "FSName": "NTFS",
        "Hidden": real.name == PRIVATE, "InstallDate": DateTime(status.st_ctime), "LastAccessed": DateTime(status.st_atime),
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


def _setting(host: Host, keys: dict[str, str]) -> Row | None:
    path = host.drive.absolute(keys["path"].replace("\\\\", "\\"))
    if host.drive.find(path) is None:
        return None
    shown = host.drive.true_case(path)
    return {"Caption": host.say(f"Paramètre de sécurité de {shown}", f"Security settings of {shown}"), "Path": shown}


_SETTING = register(WmiClass("Win32_LogicalFileSecuritySetting", ("Path",), None, _setting))
#: AceFlags of Win32_ACE (Microsoft's class page).
_ACE_FLAGS = {"OI": 1, "CI": 2, "NP": 4, "IO": 8, "ID": 16}


@method(_SETTING, "GetSecurityDescriptor")
async def _descriptor(host: Host, row: Row | None, arguments: Arguments) -> dict[str, Any]:
    """Win32_SecurityDescriptor with trustees by SIDString; DACL entries of type 0 allow, of type 1 deny."""
    assert row is not None
    security = host.acls.security(str(row["Path"]))
    entries = [
        Embedded("Win32_ACE", {
            "AccessMask": ace.mask, "AceFlags": sum(_ACE_FLAGS[flag] for flag in ace.flags), "AceType": int(ace.deny),
            "GuidInheritedObjectType": None, "GuidObjectType": None, "Trustee": trustee(host, ace.sid),
        })
        for ace in security.aces
    ]  # fmt: skip
    control = 0x8004 | (0x1000 if security.protected else 0)
    descriptor = {
        "ControlFlags": control,
        "DACL": entries,
        "Group": None,
        "Owner": trustee(host, security.owner),
        "SACL": None,
    }
    return {"Descriptor": Embedded("Win32_SecurityDescriptor", descriptor), "ReturnValue": 0}
