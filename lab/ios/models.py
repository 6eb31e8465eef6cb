# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hardware that the lab plays, and the configuration a device starts with when the inventory names no file.

Sources: Cisco Catalyst 2960 and ISR 2901 data sheets (ports, flash, NVRAM); the ``show version`` of real devices.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """One product.

    Attributes:
        pid: what ``show inventory`` calls it.
        family: ``switch`` or ``router``: decides the grammar.
        ports: physical interfaces, in the order of the configuration.
        flash, nvram: bytes; flash_name: the file system that ``dir`` lists.
        extras: more entries of show inventory: (name, description, pid, version).
    """

    pid: str
    family: str
    ports: tuple[str, ...]
    flash: int
    nvram: int
    flash_name: str
    version: str
    image: str
    vid: str
    extras: tuple[tuple[str, str, str, str], ...] = ()

    @property
    def is_switch(self) -> bool:
        """Whether the device has VLANs and switch ports."""
        return self.family == "switch"


def _switch(pid: str, access: int) -> Model:
    ports = [f"FastEthernet0/{number}" for number in range(1, access + 1)]
    ports += ["GigabitEthernet0/1", "GigabitEthernet0/2"]
    return Model(pid, "switch", tuple(ports), 32514048, 65536, "flash", "15.0(2)SE11", "c2960-lanbasek9-mz", "V11")


_R2901 = Model(
    "CISCO2901/K9", "router",
    ("Embedded-Service-Engine0/0", "GigabitEthernet0/0", "GigabitEthernet0/1", "Serial0/0/0", "Serial0/0/1"),
    261619712, 262136, "flash0", "15.4(3)M1", "c2900-universalk9-mz.SPA", "V06",
    (("WAN Interface Card - HWIC Serial 2T on Slot 0 SubSlot 0", "WAN Interface Card - HWIC Serial 2T",
      "HWIC-2T", "V02"),
     ("C1941/C2901 AC Power Supply", "C1941/C2901 AC Power Supply", "PWR-1941-2901-AC", "")),
)  # fmt: skip
MODELS: dict[str, Model] = {
    "WS-C2960-24TT-L": _switch("WS-C2960-24TT-L", 24),
    "WS-C2960-24TC-L": _switch("WS-C2960-24TC-L", 24),
    "WS-C2960-48TT-L": _switch("WS-C2960-48TT-L", 48),
    "CISCO2901/K9": _R2901,
}


def default_version(model: str) -> str:
    """The IOS version a device of this model has when the inventory does not say; empty for an unknown model."""
    return MODELS[model].version if model in MODELS else ""


def image_name(model: Model, version: str) -> str:
    """The image file of a version: 15.0(2)SE11 is ``c2960-lanbasek9-mz.150-2.SE11.bin``."""
    train, _unused, rest = version.partition("(")
    number, _unused, release = rest.partition(")")
    return f"{model.image}.{train.replace('.', '')}-{number}.{release}.bin"


def default_config(model: Model, version: str, hostname: str, user_line: str, secret_line: str) -> str:
    """A small configuration in the order IOS writes it; ends with ``end``.

    Args:
        user_line, secret_line: the ``username`` and ``enable secret`` lines, or empty.
    """
    head = ["!", f"version {version.partition('(')[0]}", "no service pad", "service timestamps debug datetime msec",
            "service timestamps log datetime msec", "no service password-encryption", "!", f"hostname {hostname}", "!",
            "boot-start-marker", "boot-end-marker", "!"]  # fmt: skip
    head += [secret_line, "!"] if secret_line else []
    head += [user_line] if user_line else []
    body: list[str] = ["no aaa new-model"]
    if model.is_switch:
        body += ["system mtu routing 1500", "!", "!", "no ip domain-lookup", "!", "!", "spanning-tree mode pvst",
                 "spanning-tree extend system-id", "!", "vlan internal allocation policy ascending", "!"]  # fmt: skip
    else:
        body += ["!", "ip cef", "!", "no ip domain lookup", "no ipv6 cef", "multilink bundle-name authenticated", "!",
                 "redundancy", "!"]  # fmt: skip
    for port in model.ports:
        body.append(f"interface {port}")
        if not model.is_switch:
            body += [" no ip address", " shutdown"]
            body += [" duplex auto", " speed auto"] if port.startswith("Gig") else []
            body += [" clock rate 2000000"] if port.startswith("Serial") else []
        body.append("!")
    if model.is_switch:
        body += ["interface Vlan1", " no ip address", "!", "ip http server", "ip http secure-server", "!"]
    else:
        body += [
            "ip forward-protocol nd",
            "!",
            "no ip http server",
            "no ip http secure-server",
            "!",
            "control-plane",
            "!",
        ]
    tail = ["line con 0"]
    tail += [] if model.is_switch else ["line aux 0"]
    tail += ["line vty 0 4", " login local", "line vty 5 15", " login local", "!", "end", ""]
    return "\n".join(head + body + tail)
