# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VLANs and VTP: what goes to vlan.dat and what to the running configuration.

Source: Catalyst 2960 Software Configuration Guide, "Configuring VLANs" and "Configuring VTP": in server mode VLANs are
kept in vlan.dat only; in transparent mode (and off, from 12.2(55)SE) they are in the running configuration as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lab.ios.device import Device, vlan_numbers
from lab.ios.grammar import Match

if TYPE_CHECKING:
    from lab.ios.config_mode import ConfigMode
    from lab.ios.session import Session

ACTIONS = ("vlan", "vlan_name", "vtp_mode", "vtp_domain", "access_vlan", "allowed_vlan")
_RESERVED = (1, 1002, 1003, 1004, 1005)


def compress(numbers: Iterable[int], pairs: bool = True) -> str:
    """``[1, 2, 3, 7]`` as IOS writes it: ``1-3,7``; without ``pairs`` two neighbours are ``1,2`` (trunk lists)."""
    parts: list[str] = []
    ordered = sorted(set(numbers))
    index = 0
    while index < len(ordered):
        last = index
        while last + 1 < len(ordered) and ordered[last + 1] == ordered[last] + 1:
            last += 1
        if last == index or (last == index + 1 and not pairs):
            parts += [str(number) for number in ordered[index : last + 1]]
        else:
            parts.append(f"{ordered[index]}-{ordered[last]}")
        index = last + 1
    return ",".join(parts)


def _in_config(device: Device) -> bool:
    return device.vtp_mode in ("transparent", "off")


def _create(device: Device, number: int) -> None:
    if number not in device.vlans:
        device.vlans[number] = f"VLAN{number:04d}"
        device.vtp_revision += 0 if _in_config(device) else 1


def rewrite(device: Device) -> None:
    """Write the VLANs into the running configuration, or take them out of it.

    As in the configurations of real 2960s: a VLAN with a name has a block, those without one that follow each other
    share a block, whose list ends with a blank.
    """
    running = device.running
    present = [header for header in running.top("vlan ") if header[5:6].isdigit()]
    wanted = _blocks(device) if _in_config(device) else []
    if [(header, [f" {line}" for line in running.children(header)]) for header in present] == wanted:
        return
    for header in present:
        running.remove_block(header)
    for header, body in wanted:
        running.insert(header, body)


def _blocks(device: Device) -> list[tuple[str, list[str]]]:
    """The ``vlan`` blocks of the running configuration: header and indented lines."""
    blocks: list[tuple[str, list[str]]] = []
    unnamed: list[int] = []

    def flush() -> None:
        if unnamed:
            blocks.append((f"vlan {compress(unnamed)}" + (" " if len(unnamed) > 1 else ""), []))
            unnamed.clear()

    for number, name in sorted(device.vlans.items()):
        if number in _RESERVED:
            continue
        if name == f"VLAN{number:04d}":
            unnamed.append(number)
        else:
            flush()
            blocks.append((f"vlan {number}", [f" name {name}"]))
    flush()
    return blocks


def _vlan(config: ConfigMode, session: Session, match: Match, negate: bool) -> str | None:
    device, terminal = session.device, session.terminal
    numbers = vlan_numbers(match.args[0])
    if numbers is None:
        return match.args[0]
    if device.vtp_mode == "client":
        terminal.line("VTP VLAN configuration not allowed when device is in CLIENT mode.")
        return None
    reserved = [number for number in numbers if number in _RESERVED]
    if negate:
        for number in numbers:
            if number in reserved:
                terminal.line(f"%Default VLAN {number} may not be deleted.")
            elif device.vlans.pop(number, None) is not None:
                device.vtp_revision += 0 if _in_config(device) else 1
        rewrite(device)
        return None
    extended = [number for number in numbers if number > 1005]
    if extended and not _in_config(device):
        terminal.line(
            f"% Failed to create VLANs {compress(extended)}\n"
            "Extended VLAN(s) not allowed in current VTP mode.\n%Failed to commit extended VLAN(s) changes.\n"
        )
        numbers = [number for number in numbers if number <= 1005]
    for number in numbers:
        _create(device, number)
    if numbers:
        rewrite(device)
        session.mode, config.scope = "config-vlan", [f"vlan {number}" for number in numbers]
    return None


def _name(config: ConfigMode, session: Session, match: Match, negate: bool) -> None:
    device = session.device
    for header in config.scope:
        number = int(header.split()[1])
        if number in _RESERVED:
            session.terminal.line(f"Default VLAN {number} may not have its name changed.")
            continue
        name = f"VLAN{number:04d}" if negate else match.args[0]
        device.vlans[number] = name
    rewrite(device)


def _vtp_mode(session: Session, match: Match) -> None:
    device, mode = session.device, match.tokens[2]
    title = mode if mode == "off" else mode.capitalize()
    if mode == device.vtp_mode:
        session.terminal.line(f"Device mode already VTP {title} for VLANS.")
        return
    device.vtp_mode = mode
    running = device.running
    running.set_top("vtp mode", f"vtp mode {mode}" if mode in ("transparent", "off", "client") else None)
    running.set_top(
        "vtp domain", f"vtp domain {device.vtp_domain}" if _in_config(device) and device.vtp_domain else None
    )
    rewrite(device)
    session.terminal.line(f"Setting device to VTP {title} mode for VLANS.")


def _vtp_domain(session: Session, match: Match) -> None:
    device, name = session.device, match.args[0]
    if name == device.vtp_domain:
        session.terminal.line(f"Domain name already set to {name}.")
        return
    session.terminal.line(f"Changing VTP domain name from {device.vtp_domain or 'NULL'} to {name}")
    device.vtp_domain = name
    if _in_config(device):
        device.running.set_top("vtp domain", f"vtp domain {name}")


def _allowed_lines(subject: str, chosen: set[int]) -> list[str]:
    """The list, broken with ``add`` where a line would pass 80 columns, as IOS does."""
    lines = [subject + " "]
    for part in (compress(chosen, pairs=False) or "none").split(","):
        if len(lines[-1]) + len(part) + 2 > 79:
            lines.append(subject + " add ")
        lines[-1] += ("" if lines[-1].endswith(" ") else ",") + part
    return lines


def _allowed(config: ConfigMode, session: Session, match: Match, negate: bool) -> str | None:
    """``switchport trunk allowed vlan [add|remove|except] LIST``."""
    subject = "switchport trunk allowed vlan"
    if negate:
        config.write(subject, None)
        return None
    word, how = match.args[0], match.tokens[4] if len(match.tokens) > 5 else ""
    if word in ("all", "none") and not how:
        config.write(subject, None if word == "all" else f"{subject} none")
        return None
    numbers = vlan_numbers(word)
    if numbers is None:
        return word
    running, scope = session.device.running, config.scope
    for header in scope:
        present: set[int] = set()
        lines = [line.split()[-1] for line in running.children(header) if line.startswith(subject + " ")]
        for line in lines:
            present |= set(vlan_numbers(line) or [])
        if not lines:
            present = set(range(1, 4095))
        chosen = {
            "": set(numbers),
            "add": present | set(numbers),
            "remove": present - set(numbers),
            "except": set(range(1, 4095)) - set(numbers),
        }[how]
        config.scope = [header]
        config.write(subject, None if len(chosen) == 4094 else _allowed_lines(subject, chosen))
    config.scope = scope
    return None


def run(config: ConfigMode, session: Session, action: str, match: Match, negate: bool) -> str | None:
    """Do one of ACTIONS; returns the word that is refused, or None."""
    if action == "vlan":
        return _vlan(config, session, match, negate)
    if action == "allowed_vlan":
        return _allowed(config, session, match, negate)
    if action == "vlan_name":
        _name(config, session, match, negate)
    elif action == "vtp_mode":
        _vtp_mode(session, match)
    elif action == "vtp_domain":
        _vtp_domain(session, match)
    else:
        # Cisco "switchport access vlan": a VLAN that does not exist is created, with this very message.
        if not negate and int(match.args[0]) not in session.device.vlans:
            session.terminal.line(f"% Access VLAN does not exist. Creating vlan {match.args[0]}")
            _create(session.device, int(match.args[0]))
            rewrite(session.device)
        config.apply("switchport access vlan", match.line, match, negate)
    return None
