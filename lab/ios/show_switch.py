# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The show commands that only a switch has: VLANs, VTP, port status."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lab.ios.device import Device
from lab.ios.grammar import Match
from lab.ios.ports import port_states

if TYPE_CHECKING:
    from lab.ios.session import Session

_KINDS = {1002: ("fddi", "-", "-"), 1003: ("tr", "-", "srb"), 1004: ("fdnet", "ieee", "-"), 1005: ("trnet", "ibm", "-")}
_HEAD = "VLAN Name                             Status    Ports\n" \
        "---- -------------------------------- --------- -------------------------------\n"  # fmt: skip


def _table(device: Device, only: int | None = None) -> str:
    """The first table: ports are the access ports and trunks that are down (a working trunk is in no VLAN here)."""
    members: dict[int, list[str]] = {}
    for port in port_states(device):
        grouped = any(line.startswith("channel-group ") for line in port.settings)
        if port.is_physical and not grouped and not (port.trunk and port.up) and not port.name.startswith("Port-ch"):
            members.setdefault(port.vlan, []).append(port.short)
    text = _HEAD
    for number, name in sorted(device.vlans.items()):
        if only is not None and number != only:
            continue
        status = "act/unsup" if number in _KINDS else "active"
        ports = members.get(number, [])
        rows = [", ".join(ports[index : index + 4]) for index in range(0, len(ports), 4)] or [""]
        text += f"{number:<4} {name[:32]:<32} {status:<9} {rows[0]}\n"
        text += "".join(f"{'':48}{row}\n" for row in rows[1:])
    return text


def vlan_brief(session: Session, match: Match) -> str:
    """``show vlan brief``."""
    return "\n" + _table(session.device)


def _types(device: Device, only: int | None = None) -> str:
    text = (
        "\nVLAN Type  SAID       MTU   Parent RingNo BridgeNo Stp  BrdgMode Trans1 Trans2\n"
        "---- ----- ---------- ----- ------ ------ -------- ---- -------- ------ ------\n"
    )
    for number in sorted(device.vlans):
        if only is None or number == only:
            kind, stp, bridge = _KINDS.get(number, ("enet", "-", "-"))
            text += (
                f"{number:<4} {kind:<5} {100000 + number:<10} 1500  -      -      -        {stp:<4} {bridge:<8} "
                "0      0   \n"
            )
    return text


def vlan(session: Session, match: Match) -> str:
    """``show vlan``."""
    rule = "-" * 78
    return (
        f"\n{_table(session.device)}{_types(session.device)}\nRemote SPAN VLANs\n{rule}\n\n\n"
        "Primary Secondary Type              Ports\n"
        "------- --------- ----------------- ------------------------------------------\n\n"
    )


def vlan_id(session: Session, match: Match) -> str:
    """``show vlan id N``."""
    number = int(match.args[0])
    if number not in session.device.vlans:
        return f"VLAN id {number} not found in current VLAN database\n"
    return f"\n{_table(session.device, number)}{_types(session.device, number)}\n"


def vtp(session: Session, match: Match) -> str:
    """``show vtp status``: the form of 12.2(55)SE and later with VTP version 3, and the older one."""
    device = session.device
    mode = "Off" if device.vtp_mode == "off" else device.vtp_mode.capitalize()
    revision = 0 if device.vtp_mode in ("transparent", "off") else device.vtp_revision
    digest = hashlib.md5(repr(sorted(device.vlans.items())).encode(), usedforsecurity=False).digest()
    shown = [" ".join(f"0x{byte:02X}" for byte in digest[start : start + 8]) for start in (0, 8)]
    if device.plan.ios_version.startswith("12.") or not device.model.is_switch:
        rows = [
            ("VTP Version", "running VTP1 (VTP2 capable)" if device.model.is_switch else "2"),
            ("Configuration Revision", str(revision)),
            ("Maximum VLANs supported locally", "255"),
            ("Number of existing VLANs", str(len(device.vlans))),
            ("VTP Operating Mode", mode),
            ("VTP Domain Name", device.vtp_domain),
            ("VTP Pruning Mode", "Disabled"),
            ("VTP V2 Mode", "Disabled"),
            ("VTP Traps Generation", "Disabled"),
            ("MD5 digest", shown[0] + " "),
        ]
        text = "".join(f"{name:<32}: {value}\n" for name, value in rows)
        return text + "Configuration last modified by 0.0.0.0 at 0-0-00 00:00:00\n"
    mac = device.mac
    rows = [
        ("VTP Version capable", "1 to 3"),
        ("VTP version running", "1"),
        ("VTP Domain Name", device.vtp_domain),
        ("VTP Pruning Mode", "Disabled"),
        ("VTP Traps Generation", "Disabled"),
        ("Device ID", f"{mac[:4]}.{mac[4:8]}.{mac[8:]}"),
    ]
    text = "".join(f"{name:<32}: {value}\n" for name, value in rows)
    text += "Configuration last modified by 0.0.0.0 at 0-0-00 00:00:00\n\nFeature VLAN:\n--------------\n"
    rows = [
        ("VTP Operating Mode", mode),
        ("Maximum VLANs supported locally", "255"),
        ("Number of existing VLANs", str(len(device.vlans))),
        ("Configuration Revision", str(revision)),
        ("MD5 digest", shown[0] + " "),
    ]
    return text + "".join(f"{name:<34}: {value}\n" for name, value in rows) + f"{'':36}{shown[1]} \n"


def status(session: Session, match: Match) -> str:
    """``show interfaces status``."""
    text = "\nPort      Name               Status       Vlan       Duplex  Speed Type\n"
    for port in port_states(session.device):
        if not port.is_physical:
            continue
        state = "disabled" if port.shutdown else ("connected" if port.up else "notconnect")
        lan = "trunk" if port.trunk and port.up else str(port.vlan)
        fast = port.name.startswith("Fast")
        duplex, speed = ("a-full", "a-100" if fast else "a-1000") if port.up else ("auto", "auto")
        for line in port.settings:
            word, _unused, value = line.partition(" ")
            if value and value != "auto":
                duplex, speed = (value if word == "duplex" else duplex), (value if word == "speed" else speed)
        kind = "" if port.name.startswith("Port-ch") else ("10/100BaseTX" if fast else "10/100/1000BaseTX")
        text += f"{port.short:<9} {port.description[:18]:<18} {state:<12} {lan:<10} {duplex:>6} {speed:>6} {kind}\n"
    return text
