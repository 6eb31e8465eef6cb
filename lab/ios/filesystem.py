# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flash as ``dir``, ``more``, ``verify`` and ``copy`` see it."""

from __future__ import annotations

import hashlib
import time

from lab.ios.device import Device
from lab.ios.grammar import Match

_CONFIGS = ("running-config", "startup-config")


def file_name(device: Device, path: str) -> str | None:
    """The name in flash of ``flash:x``, ``flash:/x``, ``flash0:x`` or plain ``x``; None for another file system."""
    system, colon, name = path.rpartition(":")
    if colon and system not in ("flash", device.model.flash_name):
        return None
    return name.lstrip("/")


def place(device: Device, word: str) -> str | None:
    """What an operand of copy means: ``running-config``, ``startup-config``, ``flash:NAME``; None when not played."""
    for name in _CONFIGS:
        if (len(word) >= 2 and name.startswith(word)) or word in (f"system:{name}", f"nvram:{name}"):
            return name
    if ":" not in word:
        return None
    name = file_name(device, word) or ""
    return f"flash:{name}" if file_name(device, word) is not None else None


def _directory(device: Device, path: str) -> str:
    """``dir``: the listing of a Catalyst 2960 or an ISR (Cisco IOS File System commands)."""
    name = file_name(device, path)
    if name is None:
        return f"%Error opening {path} (No such device)\n"
    system = device.model.flash_name
    if name and name not in device.flash:
        return f"%Error opening {system}:/{name} (No such file or directory)\n"
    text = f"Directory of {system}:/{name}\n\n"
    for number, (entry, file) in enumerate(device.flash.items(), start=2):
        if not name or entry == name:
            stamp = time.strftime("%b %d %Y %H:%M:%S", time.gmtime(file.modified))
            text += f"{number:5d}  -rwx  {file.size:>12d}  {stamp} +00:00  {entry}\n"
    used = sum(file.size for file in device.flash.values())
    return text + f"\n{device.model.flash} bytes total ({device.model.flash - used} bytes free)\n"


def _verify(device: Device, match: Match) -> str:
    path = match.args[0]
    name = file_name(device, path)
    file = device.flash.get(name or "")
    if name is None or file is None:
        return f"%Error opening {path} (No such file or directory)\n"
    data = file.content if file.content is not None else f"{device.image}/{file.size}".encode()
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    shown = f"{device.model.flash_name}:{name}"
    text = "." * max(1, min(file.size // 100000, 60)) + f"Done!\nverify /md5 ({shown}) = {digest}\n"
    if len(match.args) > 1 and match.args[1].lower() != digest:
        text = text.replace("verify /md5 (", "%Error verifying ").replace(
            f") = {digest}", f"\nComputed signature  = {digest}\nSubmitted signature = {match.args[1]}"
        )
    return text + "\n"


def _more(device: Device, path: str) -> str | None:
    where = place(device, path)
    if where == "startup-config" and device.startup is not None:
        return device.startup
    if where == "running-config":
        return device.running.text
    file = device.flash.get(where[6:]) if where and where.startswith("flash:") else None
    if file is None or file.content is None:
        return f"%Error opening {path} (No such file or directory)\n"
    return file.content.decode("latin-1").replace("\r\n", "\n")


def listing(device: Device, action: str, match: Match) -> str | None:
    """The output of a command that only reads flash, or None when the action is another one."""
    if action == "dir":
        return _directory(device, match.args[-1] if match.args else f"{device.model.flash_name}:")
    if action == "verify":
        return _verify(device, match)
    return _more(device, match.args[0]) if action == "more" else None
