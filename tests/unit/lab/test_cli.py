# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: abbreviations, refusals, the pager, filters, and the commands that ask."""

from __future__ import annotations

import asyncio

import pytest

from lab.faults import FaultSet
from lab.ios.session import Session
from lab.ios.terminal import MORE, Terminal


class Paper:
    """A wire that keeps what is sent."""

    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data

    def close(self):
        pass

    def abort(self):
        self.data += b"<RESET>"


def play(device, keys, *, length=24, privilege=15, faults=None):
    """Send keys to a vty session and return the bytes it answered."""
    paper = Paper()
    terminal = Terminal(paper, faults or FaultSet(), length=length)
    terminal.feed(keys)
    terminal.eof()
    asyncio.run(Session(device, terminal, "exploitation", privilege).run())
    return paper.data


@pytest.mark.parametrize("line", ["sh run", "show run", "SHOW RUNNING-CONFIG", "sho running"])
def test_abbreviations(device, type_lines, line):
    assert "Current configuration :" in type_lines(device, line)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("sh v", '% Ambiguous command:  "sh v"'),
        ("show", "% Incomplete command."),
        ("interface", "% Incomplete command."),
        ("traceroute 10.0.0.1", "% LAB: known to IOS, not played by this lab: traceroute 10.0.0.1"),
    ],
)
def test_refusals(device, type_lines, line, answer):
    first = ["configure terminal"] if line == "interface" else []
    assert answer in type_lines(device, *first, line)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("show ip intreface brief", 11),  # "int" still fits, the r does not
        ("show running-config | frobnicate x", None),
        ("show zzz", 5),
        ("zebra 12", 0),
    ],
)
def test_caret_stands_under_the_first_wrong_character(device, type_lines, line, column):
    lines = type_lines(device, line).split("\n")
    assert lines[2].startswith("% Invalid input detected at '^' marker.")
    assert lines[3] == ""
    if column is not None:
        assert lines[1].index("^") == len("sw-batA-rdc#") + column


def test_caret_counts_no_and_indent(device, type_lines):
    output = type_lines(device, "conf t", "  no hostnome x", "int fa0/99").split("\n")
    assert output[3].index("^") == len("sw-batA-rdc(config)#  no hostn")
    assert output[7].index("^") == len("sw-batA-rdc(config)#int fa")


def test_user_exec_mode_does_not_know_the_configuration(device):
    output = play(device, b"show running-config\rshow version | include uptime\r", privilege=1)
    assert b" ^\r\n% Invalid input" in output
    assert b"sw-batA-rdc uptime is" in output


def test_unknown_word_is_looked_up_as_a_host(device, type_lines, configure):
    assert 'Translating "foo"\n' in type_lines(device, "foo")
    configure(device, "ip domain-lookup")
    assert 'Translating "foo"...domain server (255.255.255.255)' in type_lines(device, "foo")


def test_unknown_line_of_a_submode_is_tried_in_global_mode(device, type_lines):
    output = type_lines(device, "conf t", "int fa0/1", "hostname x", "end")
    assert "x(config)#end" in output


def test_long_hostname_is_cut_in_configuration_mode(device, type_lines):
    output = type_lines(device, "conf t", "hostname abcdefghijklmnopqrstuvwxyz", "end", "")
    assert "abcdefghijklmnopqrst(config)#end" in output
    assert output.endswith("abcdefghijklmnopqrstuvwxyz#")


def test_line_editing_and_control_keys(device):
    assert b"Current privilege level is 15" in play(device, b"show privx\x7filege\r")
    output = play(device, b"conf t\rhostname bad\x03conf t\rhostname good\x1a")
    assert device.hostname == "good"
    assert output.endswith(b"^Z\r\ngood#")


def test_question_mark_is_help_and_never_text(device):
    output = play(device, b"conf t\rint fa0/1\rdescription oui?\r")
    assert b"description oui?\r\n" in output
    assert "description oui" in device.running.children("interface FastEthernet0/1")


@pytest.mark.parametrize("ends", [b"\r", b"\n", b"\r\n", b"\r\0"])
def test_every_line_end_counts_once(device, ends):
    assert play(device, ends.join([b"show privilege", b"", b"show privilege", b""])).count(b"sw-batA-rdc#") == 4


def test_pager(device):
    whole = play(device, b"show run\r", length=0)
    paged = play(device, b"show run\r" + b" " * 10, length=24)
    assert paged.count(MORE) == 2
    erased = paged.replace(MORE + b"\b" * 9 + b" " * 8 + b"\b" * 9, b"")
    assert erased.split(b"end\r\n")[0] == whole.split(b"end\r\n")[0]
    first, _unused, _rest = paged.partition(MORE)
    assert first.count(b"\r\n") == 24  # the typed line and 23 lines of output
    assert play(device, b"show run\rq", length=24).count(MORE) == 1
    assert play(device, b"show run\r\r\rq", length=24).count(MORE) == 3


def test_pager_fault_ignores_terminal_length(device):
    device.faults.set("pager")
    assert MORE in play(device, b"terminal length 0\rshow run\rq", faults=device.faults)


def test_filters(device, type_lines):
    assert type_lines(device, "sh run | inc vlan 20").split("\n")[1:-1] == [" switchport access vlan 20"]
    section = type_lines(device, "show run | sec FastEthernet0/1").split("\n")
    assert section[1] == "interface FastEthernet0/1"
    assert section[-2] == " spanning-tree portfast"
    assert type_lines(device, "show run | begin line con").split("\n")[1] == "line con 0"
    assert "shutdown" not in type_lines(device, "show run | exclude shut")


def test_running_config_has_the_size_and_the_end(device, type_lines):
    output = type_lines(device, "show running-config")
    _unused, _unused, rest = output.partition("Current configuration : ")
    size, _unused, text = rest.partition(" bytes\n")
    text = text[: text.rindex("sw-batA-rdc#")]
    assert text.endswith("\nend\n\n")
    assert 3 <= int(size) - len(text[:-1].encode()) <= 24


def test_startup_config(device, type_lines, make_device):
    assert "out of 65536 bytes" in type_lines(device, "show startup-config")
    assert "startup-config is not present" in type_lines(make_device(lab_startup_config="none"), "show startup-config")


def test_write_erase_and_reload(device, type_lines):
    type_lines(device, "conf t", "hostname perdu", "end", "reload", "no", "")
    assert device.hostname == "sw-batA-rdc"
    type_lines(device, "conf t", "hostname garde", "end", "reload", "yes", "")
    assert device.hostname == "garde"
    type_lines(device, "write erase", "", "delete flash:vlan.dat", "", "", "reload", "")
    assert device.hostname == "Switch"
    assert device.startup is None


def test_enable(device):
    assert b"sw-batA-rdc#" in play(device, b"enable\rcraie\r", privilege=1)
    refused = play(device, b"enable\ra\rb\rc\r", privilege=1)
    assert refused.count(b"Password: ") == 3
    assert b"% Bad secrets\r\n\r\nsw-batA-rdc>" in refused
    assert b"craie" not in play(device, b"enable\rcraie\r", privilege=1)


def test_enable_without_secret_on_a_vty(make_device):
    bare = make_device(text=None, ansible_become_password="")
    assert b"% No password set" in play(bare, b"enable\r", privilege=1)


def test_router_knows_no_switch_commands(make_device, type_lines):
    router = make_device(text=None, lab_model="CISCO2901/K9")
    output = type_lines(
        router, "show vlan brief", "show interfaces status", "conf t", "vlan 10", "end", "show inventory"
    )
    assert output.count("% Invalid input") == 3
    assert "PID: CISCO2901/K9" in output
    assert output.count("NAME:") == 3


def test_switch_tables(device, type_lines):
    output = type_lines(
        device,
        "show vlan brief",
        "show interfaces status",
        "show ip interface brief",
        "show version",
        "show inventory",
        "show vtp status",
        "dir flash:",
        "show cdp neighbors detail",
    )
    assert "LAB" not in output
    assert "20   PROFS" not in output
    assert "Gi0/1     Vers le coeur      connected    trunk" in output
    assert "Vlan20                     10.20.0.2       YES NVRAM  up                    up" in output
    assert output.count("NAME:") == 1
    assert "Switch Ports Model" in output


def test_generated_configuration_lets_the_inventory_in(make_device):
    fresh = make_device(text=None)
    assert fresh.hostname == "sw1"
    assert fresh.check_login("exploitation", "cahier")
    assert fresh.check_enable("craie")
    assert fresh.running.text.endswith("\nend\n")


def test_certain_files_keep_their_own_header(make_device):
    text = "Building configuration...\n\nCurrent configuration : 12 bytes\n!\nhostname a\nend\n"
    from lab.ios import show

    for header in ("auto", "verbatim"):
        assert (
            show.running(make_device(text, lab_config_header=header)) == text.replace("\n", "\r\n").encode() + b"\r\n"
        )
