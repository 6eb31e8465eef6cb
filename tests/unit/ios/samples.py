# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of devices, written for the tests."""

from __future__ import annotations

CONFIG = """\
version 15.0
service password-encryption
!
hostname sw1
!
enable secret 5 $1$abcd$0123456789abcdefghijk.
username backup privilege 15 secret 5 $1$efgh$zyxwvutsrqponmlkjihgf/
!
interface FastEthernet0/1
 description Élève 01
 switchport access vlan 20
 spanning-tree portfast
!
interface Vlan30
 ip address 172.31.30.11 255.255.255.0
!
snmp-server community lecture RO 10
banner motd ^C
sw1#
Réservé % à l'administrateur
^C
!
line vty 0 4
 password 7 094F471A1A0A
 login local
ntp clock-period 36029056
end
"""

VERSION = """\
Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 15.0(2)SE6, RELEASE SOFTWARE (fc2)
ROM: Bootstrap program is C2960 boot loader
sw1 uptime is 3 weeks, 2 days, 1 hour, 5 minutes
System returned to ROM by power-on
System image file is "flash:/c2960-lanbasek9-mz.150-2.SE6.bin"
cisco WS-C2960-24TT-L (PowerPC405) processor (revision D0) with 65536K bytes of memory.
Processor board ID FOC1234X0AB
Model number                    : WS-C2960-24TT-L
System serial number            : FOC1234X0AB
Configuration register is 0xF
"""

INTERFACES = """\
Interface              IP-Address      OK? Method Status                Protocol
Vlan30                 172.31.30.11    YES NVRAM  up                    up
FastEthernet0/1        unassigned      YES unset  {state}                  {state}
FastEthernet0/2        unassigned      YES unset  administratively down down
"""

CDP = """\
-------------------------
Device ID: rt1.lycee.example
Entry address(es):
  IP address: 172.31.0.254
Platform: Cisco CISCO2901/K9,  Capabilities: Router Switch IGMP
Interface: GigabitEthernet0/1,  Port ID (outgoing port): GigabitEthernet0/0
Holdtime : {hold} sec
"""

FLASH = """\
Directory of flash:/

    2  -rwx     9771282   Mar 1 1993 00:05:33 +00:00  c2960-lanbasek9-mz.150-2.SE6.bin
    3  -rwx        {size}   Mar 1 1993 00:01:12 +00:00  vlan.dat

32514048 bytes total ({free} bytes free)
"""

VLAN = """\
VLAN Name                             Status    Ports
---- -------------------------------- --------- -------------------------------
1    default                          active    {ports}
20   Postes                           active    Fa0/1
1002 fddi-default                     act/unsup
"""

INVALID = """\
                 ^
% Invalid input detected at '^' marker.

"""


def running(config: str = CONFIG, announced: int | None = None) -> str:
    """Return ``config`` as the answer to ``show running-config``."""
    size = len(config) + 9 if announced is None else announced
    return f"Building configuration...\n\nCurrent configuration : {size} bytes\n!\n{config}\n"


def startup(config: str = CONFIG) -> str:
    """Return ``config`` as the answer to ``show startup-config``."""
    return f"Using {len(config) + 9} out of 65536 bytes\n!\n{config}\n"


class FakeSession:
    """A session that answers from a dictionary and counts what it was asked."""

    def __init__(self, answers: dict[str, str] | None = None, prompt: str = "sw1#") -> None:
        self.prompt = prompt
        self.after_enable = "Current privilege level is 15\n"
        self.asked: list[str] = []
        self.answers = {
            "show privilege": "Current privilege level is 15\n",
            "show running-config": running(),
            "show startup-config": startup(),
            "show version": VERSION,
            "show inventory": 'NAME: "1", DESCR: "WS-C2960-24TT-L"\nPID: WS-C2960-24TT-L , VID: V02, SN: FOC1234X0AB\n',
            "show vlan brief": VLAN.format(ports="Fa0/3"),
            "show vtp status": "VTP Version : 2\nVTP Operating Mode : Server\n",
            "show ip interface brief": INTERFACES.format(state="up"),
            "show cdp neighbors detail": CDP.format(hold=123),
            "dir flash:": FLASH.format(size=616, free=22000000),
            **(answers or {}),
        }

    def ask(self, command: str, *, config: bool = False) -> str:
        """Return the recorded answer."""
        self.asked.append(command)
        return self.answers[command]

    def enable(self) -> None:
        """Reach level 15, as a user with the enable secret does."""
        self.asked.append("enable")
        self.answers["show privilege"] = self.after_enable

    def __enter__(self) -> FakeSession:
        return self

    def __exit__(self, *_args: object) -> None:
        return None
