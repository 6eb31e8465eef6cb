# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the inventory: templates, vault, kinds of hosts, and one sentence for each mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.inventory import read_plan, resolve_sources
from lab.plan import Plan, build_plan, serial_number

BIN = Path(sys.executable).parent
HOST = {"lab_kind": "ios", "ansible_host": "127.77.250.1"}


@pytest.fixture(autouse=True)
def plain_ansible(monkeypatch, tmp_path):
    """Only what a test configures."""
    for name in list(os.environ):
        if name.startswith("ANSIBLE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ANSIBLE_LOCAL_TEMP", str(tmp_path / "ansible"))
    monkeypatch.chdir(tmp_path)


def test_templates_and_vault_are_resolved_as_ansible_does(tmp_path, monkeypatch):
    (tmp_path / "vault-key").write_text("clef\n")
    (tmp_path / "ansible.cfg").write_text("[defaults]\nvault_password_file = vault-key\ninventory = parc\n")
    parc = tmp_path / "parc"
    (parc / "group_vars").mkdir(parents=True)
    tmp_path.chmod(0o700)
    inline = subprocess.run(
        [BIN / "ansible-vault", "encrypt_string", "--name", "secret_enable", "craie"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (parc / "group_vars" / "switchs.yml").write_text(
        "ansible_connection: lycee.openerp.netmiko\nansible_become_password: '{{ secret_enable }}'\n"
        "ansible_password: '{{ coffre[inventory_hostname] }}'\nlab_running_config: sw1.cfg\n" + inline
    )
    coffre = parc / "group_vars" / "all.yml"
    coffre.write_text("coffre:\n  sw1: cahier\nsite: 127.77.250\nunused: '{{ nothing_defines_this }}'\n")
    subprocess.run([BIN / "ansible-vault", "encrypt", str(coffre)], cwd=tmp_path, capture_output=True, check=True)
    (parc / "hosts.ini").write_text(
        "[switchs]\nsw1 ansible_host='{{ site }}.7' ansible_user=exploitation\n"
        "[pcs]\npc1 ansible_connection=psrp ansible_password='{{ absent }}'\n"
    )
    (parc / "sw1.cfg").write_bytes(b"hostname sw1\r\n! \xe9\r\nend\r\n")
    plan = read_plan(resolve_sources([str(parc)]))
    device = plan.devices[0]
    assert (device.password, device.enable_secret, device.address) == ("cahier", "craie", "127.77.250.7")
    assert device.running_config == "hostname sw1\n! \xe9\nend\n"
    assert plan.skipped == {"pc1": "psrp: not played by this lab"}
    assert Plan.from_json(plan.to_json()) == plan
    assert "craie" not in repr(plan.digest())
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    with pytest.raises(LabError, match="no vault password is known"):
        read_plan(resolve_sources([str(parc)]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("all: [oops", "the inventory cannot be read"),
        ("all: {hosts: {sw1: {lab_kind: ios, ansible_host: '{{ nulle_part }}'}}}", "host sw1: ansible_host: "),
    ],
)
def test_inventories_that_fail(tmp_path, text, said):
    (tmp_path / "hosts.yml").write_text(text)
    with pytest.raises(LabError, match=said) as caught:
        read_plan(resolve_sources(["hosts.yml"]))
    assert "\n" not in caught.value.sentence
    assert "Traceback" not in caught.value.sentence


def test_missing_inventory():
    with pytest.raises(LabError, match="does not exist; check -i"):
        resolve_sources(["nowhere.yml"])


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ansible_host": "sw1.lycee.example"}, "can only play literal addresses"),
        ({"ansible_port": "ssh"}, "not a port number"),
        ({"lab_model": "WS-C9300"}, "choose one of: WS-C2960-24TT-L"),
        ({"lab_faults": ["cut"]}, "host sw1: fault cut needs a number of bytes"),
        ({"lab_faults": ["nope"]}, "there is no fault 'nope'"),
        ({"lab_running_config": "absent.cfg"}, "which cannot be read"),
        ({"lab_latency": {"boot": 1}}, "lab_latency knows login, command and show_run, not boot"),
        ({"lab_vlans": ["x"]}, "lab_vlans must be a mapping"),
    ],
)
def test_variables_that_are_wrong(variables, said):
    with pytest.raises(LabError, match=said):
        build_plan("x", {"sw1": {**HOST, **variables}})


def test_two_hosts_cannot_share_an_address():
    with pytest.raises(LabError, match=r"hosts a and b both want 127\.77\.250\.1:22"):
        build_plan("x", {"a": HOST, "b": HOST})


def test_which_hosts_are_played():
    plan = build_plan(
        "x",
        {
            "a": {"ansible_connection": "ansible.netcommon.network_cli", "ansible_host": "127.0.0.2"},
            "b": {"ansible_network_os": "cisco.ios.ios", "ansible_host": "127.0.0.3", "lab_vtp_mode": False},
            "c": {"ansible_connection": "lycee.openerp.netmiko", "lab_kind": "none"},
            "d": {"ansible_connection": "ssh"},
            "e": {
                "lab_kind": "ios",
                "ansible_host": "127.0.0.4",
                "ansible_netmiko_transport": "telnet",
                "lab_startup_config": "none",
            },
        },
    )
    assert [device.name for device in plan.devices] == ["a", "b", "e"]
    assert plan.devices[1].vtp_mode == "off"
    assert plan.devices[2].port == 23
    assert plan.devices[2].startup_absent
    assert plan.skipped == {"c": "lab_kind: none", "d": "ssh: not played by this lab"}


def test_serials_are_stable_and_differ():
    assert serial_number("sw1", "m") == serial_number("sw1", "m")
    assert serial_number("sw1", "m") != serial_number("sw2", "m")
    assert len(serial_number("sw1", "m")) == 11
