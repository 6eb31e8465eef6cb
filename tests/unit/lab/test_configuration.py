# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Editing of the running configuration: what changes, where it goes, and what stays byte for byte."""

from __future__ import annotations

import pytest

from lab.ios.configuration import Configuration
from lab.ios.secrets import decode7, hash_secret, matches, md5_crypt


def test_untouched_text_is_served_byte_for_byte(device, type_lines):
    before = device.running.text
    type_lines(device, "show running-config", "show version")
    assert device.running.text == before
    assert "1er étage".encode() in device.running.wire


def test_single_value_replaces_in_place(device, configure):
    configure(device, "interface fa0/1", "switchport access vlan 30", "description Salle 12")
    assert device.running.children("interface FastEthernet0/1") == [
        "description Salle 12",
        "switchport access vlan 30",
        "switchport mode access",
        "spanning-tree portfast",
    ]


def test_setting_what_is_set_changes_nothing(device, configure):
    before = device.running.essence()
    configure(device, "interface FastEthernet0/2", "shutdown", "ip http server", "hostname sw-batA-rdc")
    assert device.running.essence() == before


def test_no_removes_and_defaults_are_not_written(device, configure):
    configure(
        device,
        "interface FastEthernet0/2",
        "no shutdown",
        "interface fa0/1",
        "no description",
        "switchport access vlan 1",
        "no spanning-tree portfast",
    )
    assert device.running.children("interface FastEthernet0/2") == []
    assert device.running.children("interface FastEthernet0/1") == ["switchport mode access"]


def test_negative_forms_are_written_for_what_is_on_by_default(device, configure):
    configure(device, "ip domain-lookup", "no cdp run", "interface vlan 20", "no ip address")
    assert "no ip domain-lookup" not in device.running.text
    assert "\nno cdp run\n" in device.running.text
    assert device.running.children("interface Vlan20") == ["no ip address"]


def test_new_lines_go_to_their_section(device, configure):
    configure(
        device,
        "snmp-server community public RO",
        "ntp server 10.20.0.9",
        "interface vlan 5",
        "interface loopback 0",
        "ip route 0.0.0.0 0.0.0.0 10.20.0.1",
    )
    order = [
        line.split()[0] + " " + line.split()[-1]
        for line in device.running.lines
        if line.startswith(("interface", "ip route", "snmp", "banner", "line con", "ntp", "end"))
    ]
    assert order == [
        "interface Loopback0",
        "interface FastEthernet0/1",
        "interface FastEthernet0/2",
        "interface GigabitEthernet0/1",
        "interface Vlan1",
        "interface Vlan5",
        "interface Vlan20",
        "ip 10.20.0.1",
        "snmp-server RO",
        "banner ^C",
        "line 0",
        "ntp 10.20.0.9",
        "end end",
    ]


def test_multi_valued_lines_add_up_and_go_one_by_one(device, configure):
    configure(device, "ntp server 10.0.0.1", "ntp server 10.0.0.2", "no ntp server 10.0.0.1")
    assert device.running.top("ntp server") == ["ntp server 10.0.0.2"]


def test_lines_that_only_begin_alike_stand_side_by_side(device, configure):
    configure(
        device,
        "interface fa0/2",
        "switchport port-security maximum 2",
        "switchport port-security",
        "exit",
        "privilege exec level 1 show configuration",
        "privilege exec level 1 show",
        "line con 0",
        "login local",
        "login",
    )
    lines = device.running.children("interface FastEthernet0/2")
    assert sorted(lines) == ["shutdown", "switchport port-security", "switchport port-security maximum 2"]
    assert len(device.running.top("privilege exec")) == 2
    assert device.running.children("line con 0") == ["login"]


def test_hostname_changes_the_prompt(device, configure):
    assert "cdi(config)#end" in configure(device, "hostname cdi")
    assert device.hostname == "cdi"


def test_banner_with_any_delimiter_and_several_lines(device, configure):
    configure(device, "banner motd #Bonjour", "Salle serveur", "#")
    assert device.running.lines[device.running.find("banner motd ^CBonjour")[0] :][:3] == [
        "banner motd ^CBonjour",
        "Salle serveur",
        "^C",
    ]
    assert device.banner("motd") == "Bonjour\nSalle serveur\n"
    configure(device, "banner motd ^CUne ligne^C", "no banner login")
    assert device.banner("motd") == "Une ligne"
    assert device.banner("login") == ""


def test_vlans_of_a_vtp_server_are_not_in_the_configuration(device, configure, type_lines):
    configure(device, "vlan 40", "name CDI")
    assert device.vlans[40] == "CDI"
    assert "vlan 40" not in device.running.text
    assert "40   CDI " in type_lines(device, "show vlan brief")


def test_vlans_of_transparent_mode_are_in_both(device, configure):
    output = configure(device, "vtp mode transparent", "vlan 40-42", "vlan 41", "name CDI", "no vlan 42")
    assert "Setting device to VTP Transparent mode for VLANS." in output
    assert device.running.top("vlan 4") == ["vlan 40", "vlan 41"]
    assert device.running.children("vlan 41") == ["name CDI"]
    configure(device, "vtp mode server")
    assert not device.running.top("vlan 4")
    assert device.vlans[41] == "CDI"


def test_trunk_lists(device, configure):
    configure(
        device,
        "interface gi0/1",
        "switchport trunk allowed vlan 10,20,21,30-32",
        "switchport trunk allowed vlan add 33",
        "switchport trunk allowed vlan remove 10",
    )
    assert "switchport trunk allowed vlan 20,21,30-33" in device.running.children("interface GigabitEthernet0/1")


def test_unknown_vlan_is_created_by_an_access_port(device, configure):
    assert "% Access VLAN does not exist. Creating vlan 77" in configure(
        device, "interface fa0/2", "switchport access vlan 77"
    )
    assert device.vlans[77] == "VLAN0077"


def test_default_interface_and_range(device, configure):
    output = configure(device, "interface range fa0/1 - 2 , gi0/1", "shutdown", "default interface fa0/1")
    assert "set to default configuration" in output
    assert device.running.children("interface FastEthernet0/1") == []
    assert "shutdown" in device.running.children("interface GigabitEthernet0/1")


def test_secrets_are_stored_hashed_and_checked(device, configure):
    configure(
        device, "enable secret tableau noir", "enable secret 0 tableau", "username prof privilege 15 secret craie"
    )
    stored = device.running.value("enable secret 5 ")
    assert stored.startswith("$1$")
    assert device.check_enable("tableau")
    assert not device.check_enable("craie")
    assert device.check_login("prof", "craie")
    assert device.login_privilege("prof") == 15
    assert "ERROR: The secret you entered" in configure(device, "enable secret 5 clair")
    assert device.running.value("enable secret 5 ") == stored


def test_sanitized_hashes_still_let_the_inventory_in(device):
    assert device.check_login("exploitation", "cahier")
    assert not device.check_login("exploitation", "craie")
    assert device.check_enable("craie")


def test_remarks_about_who_changed_it(device, configure, type_lines, make_device):
    configure(device, "ntp server 10.0.0.1")
    assert device.running.lines[1].startswith("! Last configuration change at ")
    type_lines(device, "write memory")
    assert device.running.lines[2].startswith("! NVRAM config last updated at ")
    assert not device.is_unsaved
    verbatim = make_device(lab_config_header="verbatim")
    configure(verbatim, "ntp server 10.0.0.1")
    assert "Last configuration" not in verbatim.running.text


def test_merge_from_flash_reads_banners_and_certificates(device, type_lines):
    from lab.ios.device import FlashFile

    text = (
        b"hostname secours\r\nbanner exec ^C\r\nDeux\r\nlignes\r\n^C\r\ncrypto pki certificate chain TP-1\r\n"
        b" certificate self-signed 01\r\n  3082023C 308201A5 \r\n  \tquit\r\ninterface fa0/2\r\n no shutdown\r\nend\r\n"
    )
    device.flash["secours.cfg"] = FlashFile(text, len(text), 0)
    output = type_lines(device, "copy flash:secours.cfg running-config", "")
    assert "bytes copied in" in output
    assert "%" not in output
    assert device.hostname == "secours"
    assert device.banner("exec") == "\nDeux\nlignes\n"
    assert "  3082023C 308201A5\n  \tquit" in device.running.text
    assert device.running.children("interface FastEthernet0/2") == []


def test_its_own_configuration_typed_again_changes_nothing(device, make_device, type_lines):
    configured = make_device(lab_vtp_mode="transparent", lab_vlans={20: "PROFS"})
    lines = [
        "vtp domain lycee",
        "vlan 31-32",
        "vlan 40",
        "name CDI",
        "access-list 10 deny any log",
        "interface vlan 20",
        "ip address 10.20.0.3 255.255.255.0 secondary",
        "ip access-list standard ADMIN",
        "permit 10.20.0.0 0.0.0.255",
    ]
    for one in (configured, make_device(text=None, lab_model="CISCO2901/K9")):
        more = (
            lines
            if one is configured
            else ["int gi0/0.20", "encapsulation dot1Q 20", "ip address 10.2.0.1 255.255.255.0"]
        )
        type_lines(one, "conf t", *more, "end")
        before = one.running.essence()
        output = type_lines(one, "conf t", *[line for line in before.split("\n") if line not in ("", "end")], "end")
        assert "% Inv" not in output
        assert one.running.essence() == before
    assert "\nvlan 31-32 \n" in configured.running.text
    assert "\naccess-list 10 deny   any log\n" in configured.running.text


def test_essence_ignores_remarks_only():
    first = Configuration("!\n! Last configuration change at 10:00:00 UTC\n!\nhostname a\nend\n")
    assert first.essence() == Configuration("!\n!\nhostname a\nend\n").essence()


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("0", "craie"),
        ("5", "$1$salt$VrhqrUR0pwxW6vPyhiMFt."),
        ("7", "02051A4C020A"),
    ],
)
def test_password_types(kind, stored):
    if kind == "5":
        stored = md5_crypt("craie", "salt")
    if kind == "7":
        assert decode7(stored)
        assert not matches(kind, stored, "autre")
        return
    assert matches(kind, stored, "craie")
    assert not matches(kind, stored, "autre")


def test_md5_crypt_is_the_one_of_openssl():
    # openssl passwd -1 -salt abcdefgh password
    assert md5_crypt("password", "abcdefgh") == "$1$abcdefgh$G//4keteveJp0qb8z2DxG/"
    assert matches("5", hash_secret("été"), "été")
