# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Model, serial number, version and image."""

from __future__ import annotations

from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.facts import parse_facts

from . import samples

ROUTER = """\
Cisco IOS Software, C2900 Software (C2900-UNIVERSALK9-M), Version 15.2(4)M6, RELEASE SOFTWARE (fc2)
rt1 uptime is 1 hour
System image file is "flash0:c2900-universalk9-mz.SPA.152-4.M6.bin"
Cisco CISCO2901/K9 (revision 1.0) with 483328K/40960K bytes of memory.
Processor board ID FCZ1634C0R1
"""


def test_a_switch_names_itself() -> None:
    assert parse_facts(samples.VERSION).as_dict() == {
        "hostname": "sw1",
        "model": "WS-C2960-24TT-L",
        "serial": "FOC1234X0AB",
        "ios_version": "15.0(2)SE6",
        "image": "flash:/c2960-lanbasek9-mz.150-2.SE6.bin",
    }


def test_a_router_is_named_by_its_chassis() -> None:
    inventory = 'NAME: "CISCO2901/K9 chassis", DESCR: "x"\r\nPID: CISCO2901/K9      , VID: V06 , SN: FCZ1634C0R9\r\n'
    assert parse_facts(ROUTER).serial == "FCZ1634C0R1"
    facts = parse_facts(ROUTER, inventory)
    assert (facts.model, facts.serial, facts.ios_version) == ("CISCO2901/K9", "FCZ1634C0R9", "15.2(4)M6")


def test_nothing_known_is_empty_and_no_error() -> None:
    assert set(parse_facts("").as_dict().values()) == {""}
