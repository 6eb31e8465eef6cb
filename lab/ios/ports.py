# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the interfaces, as far as the configuration and the neighbours tell it.

The lab has no cables: a switch port is connected when it is not shut down and has a description, a neighbour or a place
in a channel; a routed or virtual interface is up when it is not shut down and has an address.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.ios.configuration import interface_key
from lab.ios.device import Device

_SHORT = {"FastEthernet": "Fa", "GigabitEthernet": "Gi", "Vlan": "Vl", "Port-channel": "Po", "Loopback": "Lo",
          "Serial": "Se", "Embedded-Service-Engine": "Em", "Tunnel": "Tu", "TenGigabitEthernet": "Te"}  # fmt: skip


@dataclass(frozen=True)
class Port:
    """One interface; ``vlan`` is the access VLAN, ``address`` an IP address or ``unassigned``."""

    name: str
    description: str
    shutdown: bool
    up: bool
    trunk: bool
    vlan: int
    address: str
    settings: tuple[str, ...]

    @property
    def short(self) -> str:
        """``Fa0/1`` for ``FastEthernet0/1``."""
        kind = self.name.rstrip("0123456789/.")
        return _SHORT.get(kind, kind[:2]) + self.name[len(kind) :]

    @property
    def is_physical(self) -> bool:
        """Whether this is a port or a port-channel, rather than a VLAN, loopback or tunnel interface."""
        return not self.name.startswith(("Vlan", "Loopback", "Tunnel", "Null"))


def port_states(device: Device) -> list[Port]:
    """All the interfaces, those of the model first completed by those of the configuration."""
    blocks = {
        header[10:].replace(" ", ""): device.running.children(header) for header in device.running.top("interface ")
    }
    for name in device.model.ports:
        blocks.setdefault(name, [])
    neighbours = {entry.get("local", "") for entry in device.plan.neighbors}
    ports = []
    for name in sorted(blocks, key=_order):
        lines = blocks[name]
        values = {prefix: line[len(prefix) :] for line in reversed(lines)
                  for prefix in ("description ", "ip address ", "switchport access vlan ", "channel-group ")
                  if line.startswith(prefix) and not line.endswith(" secondary")}  # fmt: skip
        shutdown = "shutdown" in lines
        address = values.get("ip address ", "unassigned").split()[0]
        virtual = name.startswith(("Vlan", "Loopback", "Tunnel"))
        if virtual or not device.model.is_switch:
            linked = address != "unassigned"
        else:
            linked = bool(values.get("description ") or values.get("channel-group ")) or name in neighbours \
                or name.startswith("Port-channel")  # fmt: skip
        ports.append(
            Port(
                name,
                values.get("description ", ""),
                shutdown,
                linked and not shutdown,
                "switchport mode trunk" in lines,
                int(values.get("switchport access vlan ", "1").split()[0]),
                address,
                tuple(lines),
            )
        )
    return ports


def _order(name: str) -> tuple[bool, bool, tuple[int, str, list[int]]]:
    """``show`` lists Vlan interfaces first and port-channels last, unlike the configuration."""
    return (not name.startswith("Vlan"), name.startswith("Port-channel"), interface_key(name))
