# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of the show commands that every device has. Formats as printed by real 2960s and 2901s."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.ios import show_switch
from lab.ios.configuration import Configuration
from lab.ios.device import Device
from lab.ios.grammar import Match
from lab.ios.ports import port_states
from lab.plan import serial_number

if TYPE_CHECKING:
    from lab.ios.session import Session

_EXPORT = """
This product contains cryptographic features and is subject to United
States and local country laws governing import, export, transfer and
use. Delivery of Cisco cryptographic products does not imply
third-party authority to import, export, distribute or use encryption.
Importers, exporters, distributors and users are responsible for
compliance with U.S. and local country laws. By using this product you
agree to comply with applicable laws and regulations. If you are unable
to comply with U.S. and local laws, return this product immediately.

A summary of U.S. laws governing Cisco cryptographic products may be found at:
http://www.cisco.com/wwl/export/crypto/tool/stqrg.html

If you require further assistance please contact us by sending email to
export@cisco.com.
"""
_NOISE = b"\r\n*Mar  1 00:42:17.533: %LINK-3-UPDOWN: Interface FastEthernet0/7, changed state to up\r\n"


def stored_size(text: str) -> int:
    """The N of ``Current configuration : N bytes``.

    In four real files N is 3 to 24 more than the text has with LF line ends (facts/cisco.md 6.4); why is not known, so
    the lab adds a number in that range that depends on the text only.
    """
    return len(text) + 3 + len(text) % 22


def running(device: Device) -> bytes:
    """``show running-config`` as sent (CRLF), with the faults that change it."""
    faults, config = device.faults, device.running
    if "empty" in faults:
        return b"Building configuration...\r\n\r\n"
    if "shrunk" in faults:
        config = _shrunk(config)
    body = config.wire
    text = config.text
    if device.plan.config_header == "auto" and not _has_header(text):
        head = f"Building configuration...\n\nCurrent configuration : {stored_size(text)} bytes\n"
        body = head.replace("\n", "\r\n").encode() + body
    if "noise" in faults:
        middle = body.find(b"\r\n", len(body) // 2)
        body = body[: middle + 2] + _NOISE + body[middle + 2 :]
    limit = faults.number("truncate")
    if limit is not None and limit < len(body):
        return body[:limit] + b"\r\n"
    return body + b"\r\n"  # IOS prints an empty line between "end" and the prompt


def _has_header(text: str) -> bool:
    """Whether the file is itself the output of show running-config or show startup-config."""
    return text.startswith("Using ") or "Current configuration :" in text[:400]


def _shrunk(config: Configuration) -> Configuration:
    """The same configuration without three of four interface blocks."""
    smaller = Configuration(config.text)
    headers = smaller.top("interface ")
    for index, header in enumerate(headers):
        if index % 4:
            smaller.remove_block(header)
    return smaller


def running_interface(device: Device, name: str) -> str:
    """``show running-config interface X``."""
    span = device.running.find(f"interface {name}")
    lines = device.running.lines[span[0] : span[1]] if span else [f"interface {name}"]
    body = "\n".join(["!", *lines, "end", ""])
    return f"Building configuration...\n\nCurrent configuration : {len(body)} bytes\n{body}\n"


def _startup(session: Session, match: Match) -> str:
    device = session.device
    text = device.startup
    if text is None:
        return "startup-config is not present\n"
    if device.plan.config_header == "auto" and not text.startswith("Using "):
        text = f"Using {stored_size(text)} out of {device.model.nvram} bytes\n{text}"
    return text + "\n"


def _uptime(device: Device) -> str:
    minutes = int(time.time() - device.boot_time) // 60
    weeks, days, hours, rest = minutes // 10080, minutes // 1440 % 7, minutes // 60 % 24, minutes % 60
    parts = [(weeks, "week"), (days, "day"), (hours, "hour"), (rest, "minute")]
    shown = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return ", ".join(shown) or "0 minutes"


def dotted_mac(digits: str, colon: bool = False) -> str:
    """``001d45abcdef`` as ``001d.45ab.cdef`` or ``00:1D:45:AB:CD:EF``."""
    if colon:
        return ":".join(digits[index : index + 2] for index in range(0, 12, 2)).upper()
    return ".".join(digits[index : index + 4] for index in range(0, 12, 4))


def _software(device: Device) -> str:
    """The software's name as IOS derives it from its image: ``C2960-LANBASEK9-M``; LANBASE without K9 has no SSH."""
    return device.image.split("-mz", maxsplit=1)[0].upper() + "-M"


def software_line(device: Device) -> str:
    """The first line of ``show version``."""
    version = device.plan.ios_version
    image = _software(device)
    if device.model.is_switch:
        return f"Cisco IOS Software, C2960 Software ({image}), Version {version}, RELEASE SOFTWARE (fc3)"
    return f"Cisco IOS Software, C2900 Software ({image}), Version {version}, RELEASE SOFTWARE (fc1)"


def _version(session: Session, match: Match) -> str:
    device = session.device
    plan, model = device.plan, device.model
    boot = "Bootstrap program is C2960 boot loader\nBOOTLDR: C2960 Boot Loader (C2960-HBOOT-M) " \
           "Version 12.2(25r)SEE1, RELEASE SOFTWARE (fc1)" if model.is_switch else \
           "System Bootstrap, Version 15.0(1r)M16, RELEASE SOFTWARE (fc1)"  # fmt: skip
    text = (
        f"{software_line(device)}\nTechnical Support: http://www.cisco.com/techsupport\n"
        f"Copyright (c) 1986-2014 by Cisco Systems, Inc.\nCompiled Wed 09-Apr-14 03:40 by prod_rel_team\n\n"
        f"ROM: {boot}\n\n{device.hostname} uptime is {_uptime(device)}\n"
        f"System returned to ROM by power-on\n"
        f'System image file is "{model.flash_name}:{"/" if model.is_switch else ""}{device.image}"\n'
    )
    if not plan.ios_version.startswith("12."):
        text += "Last reload type: Normal Reload\nLast reload reason: power-on\n" if not model.is_switch else ""
    text += f"\n{_EXPORT}\n"
    if not model.is_switch:
        return text + (
            f"Cisco {model.pid} (revision 1.0) with 446464K/77824K bytes of memory.\nProcessor board ID {plan.serial}\n"
            "2 Gigabit Ethernet interfaces\n2 Serial(sync/async) interfaces\n1 terminal line\n"
            "DRAM configuration is 64 bits wide with parity enabled.\n"
            "255K bytes of non-volatile configuration memory.\n"
            "255488K bytes of ATA System CompactFlash 0 (Read/Write)\n\n\n"
            "License Info:\n\nLicense UDI:\n\n-------------------------------------------------\n"
            "Device#\t  PID\t\t\tSN\n-------------------------------------------------\n"
            f"*1 \t  {model.pid}          {plan.serial}     \n\n\n\nConfiguration register is 0x2102\n\n"
        )
    fast = sum(port.startswith("Fast") for port in model.ports)
    image = _software(device)
    return text + (
        f"cisco {model.pid} (PowerPC405) processor (revision D0) with 65536K bytes of memory.\n"
        f"Processor board ID {plan.serial}\nLast reset from power-on\n1 Virtual Ethernet interface\n"
        f"{fast} FastEthernet interfaces\n2 Gigabit Ethernet interfaces\n"
        "The password-recovery mechanism is enabled.\n\n"
        "64K bytes of flash-simulated non-volatile configuration memory.\n"
        f"Base ethernet MAC Address       : {dotted_mac(device.mac, colon=True)}\n"
        f"Motherboard assembly number     : 73-9832-06\nModel revision number           : D0\n"
        f"Model number                    : {model.pid}\nSystem serial number            : {plan.serial}\n"
        f"Version ID                      : {model.vid}\nHardware Board Revision Number  : 0x01\n\n\n"
        "Switch Ports Model              SW Version            SW Image                 \n"
        "------ ----- -----              ----------            ----------               \n"
        f"*    1 {len(model.ports):<5} {model.pid:<18} {plan.ios_version:<21} {image:<25}\n\n\n"
        "Configuration register is 0xF\n\n"
    )


def _inventory(session: Session, match: Match) -> str:
    device = session.device
    model, serial = device.model, device.plan.serial
    if model.is_switch:
        return f'NAME: "1", DESCR: "{model.pid}"\nPID: {model.pid:<18}, VID: {model.vid}, SN: {serial}\n\n'
    name, description = model.pid, f"{model.pid} chassis, Hw Serial#: {serial}, Hw Revision: 1.0"
    text = f'NAME: "{name}", DESCR: "{description}"\nPID: {model.pid:<18}, VID: {model.vid} , SN: {serial}\n\n'
    for name, description, pid, vid in model.extras:
        number = serial_number(serial, pid) if vid else ""
        text += f'NAME: "{name}", DESCR: "{description}"\nPID: {pid:<18}, VID: {vid:<4}, SN: {number:<11}\n\n'
    return text


def _ip_brief(session: Session, match: Match) -> str:
    text = f"{'Interface':<26} {'IP-Address':<15} OK? {'Method':<6} {'Status':<21} Protocol\n"
    for port in port_states(session.device):
        method = "NVRAM" if port.address != "unassigned" else "unset"
        status = "administratively down" if port.shutdown else ("up" if port.up else "down")
        protocol = "up" if port.up else "down"
        text += f"{port.name:<26} {port.address:<15} YES {method:<6} {status:<21} {protocol:<8}\n"
    return text


def _description(session: Session, match: Match) -> str:
    text = f"{'Interface':<30} {'Status':<14} {'Protocol':<8} Description\n"
    for port in port_states(session.device):
        status = "admin down" if port.shutdown else ("up" if port.up else "down")
        text += f"{port.short:<30} {status:<14} {'up' if port.up else 'down':<8} {port.description}\n"
    return text


_CAPABILITIES = """Capability Codes: R - Router, T - Trans Bridge, B - Source Route Bridge
                  S - Switch, H - Host, I - IGMP, r - Repeater, P - Phone,
                  D - Remote, C - CVTA, M - Two-port Mac Relay

Device ID        Local Intrfce     Holdtme    Capability  Platform  Port ID
"""
_LETTERS = {"router": "R", "switch": "S", "igmp": "I", "host": "H", "phone": "P", "trans-bridge": "T"}


def _short(name: str) -> str:
    """``FastEthernet0/1`` as ``Fas 0/1``, as in the CDP table."""
    kind = name.rstrip("0123456789/.")
    return f"{kind[:3]} {name[len(kind) :]}"


def _cdp(session: Session, match: Match) -> str:
    if session.device.running.value("no cdp run") is not None:
        return "% CDP is not enabled\n"
    text = _CAPABILITIES
    for entry in session.device.plan.neighbors:
        letters = " ".join(_LETTERS.get(word.lower(), "") for word in entry.get("capability", "Switch").split())
        name, local = entry.get("device", ""), _short(entry.get("local", ""))
        platform = entry.get("platform", "").removeprefix("cisco ").removeprefix("Cisco ")[:9]
        start = f"{name:<17}" if len(name) < 17 else f"{name}\n{'':17}"
        text += f"{start}{local:<18}{142:<11}{letters:>10}  {platform:<10}{_short(entry.get('remote', ''))}\n"
    return text


def _cdp_detail(session: Session, match: Match) -> str:
    if session.device.running.value("no cdp run") is not None:
        return "% CDP is not enabled\n"
    text = ""
    for entry in session.device.plan.neighbors:
        address = f"  IP address: {entry['address']}\n" if entry.get("address") else ""
        text += (
            f"-------------------------\nDevice ID: {entry.get('device', '')}\nEntry address(es): \n{address}"
            f"Platform: {entry.get('platform', '')},  Capabilities: {entry.get('capability', 'Switch IGMP')} \n"
            f"Interface: {entry.get('local', '')},  Port ID (outgoing port): {entry.get('remote', '')}\n"
            f"Holdtime : 142 sec\n\nVersion :\n{entry.get('version') or 'Cisco IOS Software'}\n\n"
            f"advertisement version: 2\nVTP Management Domain: ''\nNative VLAN: 1\nDuplex: full\n"
            f"Management address(es): \n{address}\n"
        )
    return text


def _users(session: Session, match: Match) -> str:
    text = "    Line       User       Host(s)              Idle       Location\n"
    ordered = sorted(session.device.sessions, key=lambda other: other.line_name)
    for number, other in enumerate(ordered):
        mark = "*" if other is session else " "
        index = 0 if other.is_console else number + 1
        text += f"{mark}{index:>3} {other.line_name:<9} {other.user:<10} idle                 00:00:00   {other.host}\n"
    return text + "\n  Interface    User               Mode         Idle     Peer Address\n\n"


def _boot(session: Session, match: Match) -> str:
    device = session.device
    if not device.model.is_switch:
        boot = f"BOOT variable = {device.flash_boot()}\n"
        return boot + "CONFIG_FILE variable does not exist\nConfiguration register is 0x2102\n"
    return (
        f"BOOT path-list      : {device.flash_boot()}\nConfig file         : flash:/config.text\n"
        "Private Config file : flash:/private-config.text\nEnable Break        : no\nManual Boot         : no\n"
    )


COMMANDS: dict[str, Callable[[Session, Match], str]] = {
    "show_start": _startup, "show_version": _version, "show_inventory": _inventory, "show_ip_brief": _ip_brief,
    "show_description": _description, "show_cdp": _cdp, "show_cdp_detail": _cdp_detail, "show_users": _users,
    "show_boot": _boot,
    "show_cdp_global": lambda session, match: "Global CDP information:\n\tSending CDP packets every 60 seconds\n"
                                              "\tSending a holdtime value of 180 seconds\n"
                                              "\tSending CDPv2 advertisements is  enabled\n",
    "show_clock": lambda session, match: time.strftime("%H:%M:%S.000 UTC %a %b %d %Y\n", time.gmtime()),
    "show_privilege": lambda session, match: f"Current privilege level is {session.privilege}\n",
    "show_history": lambda session, match: "".join(f"  {line}\n" for line in session.history),
    "show_vlan": show_switch.vlan, "show_vlan_brief": show_switch.vlan_brief, "show_vlan_id": show_switch.vlan_id,
    "show_vtp": show_switch.vtp, "show_int_status": show_switch.status,
}  # fmt: skip
