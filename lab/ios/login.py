# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What SSH and telnet have in common at login: vty lines and banners."""

from __future__ import annotations

from lab.ios.device import Device


def free_line(device: Device) -> str:
    """The lowest vty that is free."""
    taken = {session.line_name for session in device.sessions}
    return next(name for name in (f"vty {number}" for number in range(1000)) if name not in taken)


def _shown(text: str) -> bytes:
    return b"\r\n" + text.replace("\n", "\r\n").encode("latin-1") + b"\r\n" if text else b""


def greeting(device: Device, with_motd: bool) -> bytes:
    """What is printed between login and the first prompt (Cisco "banner exec"; over SSH "banner motd" too)."""
    return (_shown(device.banner("motd")) if with_motd else b"") + _shown(device.banner("exec")) + b"\r\n"


def before_login(device: Device) -> bytes:
    """What telnet prints before it asks who is there."""
    return _shown(device.banner("motd")) + _shown(device.banner("login")) + b"\r\n\r\nUser Access Verification\r\n\r\n"
