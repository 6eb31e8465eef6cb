# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m lab``: what it prints, how it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from lab.linux.plan import NOTHING


@pytest.fixture
def one(alone):
    """A lab of one switch, not yet up."""
    return alone("sw9: {ansible_host: 127.77.250.90, ansible_port: PORT}")


def test_status_and_console(lab):
    status = json.loads(lab.command("status", "--json").stdout)
    assert [row["host"] for row in status["devices"]] == ["sw1", "sw2", "r1"]
    assert status["skipped"] == {"poste1": NOTHING, "imprimante": "lab_kind: none"}
    typed = lab.command("console", "r1", "-", stdin="show privilege\n")
    assert "Current privilege level is 15" in typed.stdout
    refused = lab.command("console", "r1", "show vlan brief")
    assert refused.returncode == 1
    assert refused.stderr == "lab: r1 refused 1 of these lines\n"


def test_up_again_changes_nothing(lab):
    before = lab.ask("ping")["pid"]
    again = lab.command("up")
    assert again.returncode == 0
    assert again.stdout.startswith("the lab is already up (3 devices")
    assert lab.ask("ping")["pid"] == before


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("fault", "sw7", "off"), 2, "it plays: sw1, sw2, r1"),
        (("fault", "sw1", "melt"), 2, "choose one of: wrong_password"),
        (("fault", "sw1", "cut", "many"), 2, "needs a number of bytes"),
        (("fault", "sw1"), 2, "fault needs HOST NAME"),
        (("console", "sw7", "show clock"), 2, "the lab plays no host 'sw7'"),
    ],
)
def test_refusals_are_sentences(lab, words, status, said):
    result = lab.command(*words)
    assert result.returncode == status
    assert result.stderr.startswith("lab: ")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_faults_are_listed_and_cleared(lab):
    assert "trickle" in lab.command("fault", "--list").stdout
    assert lab.command("fault", "sw2", "cut", "90").stdout == "sw2: cut=90\n"
    assert "sw2: no fault" in lab.command("fault", "all", "clear").stdout


def test_life_of_a_lab(one):
    assert one.command("status").returncode == 3
    assert one.command("down").stdout == "the lab was not up\n"
    assert one.command("up").returncode == 0
    pid = one.ask("ping")["pid"]
    one.inventory.write_text(
        one.inventory.read_text() + "    sw8: {ansible_host: 127.77.250.91, ansible_port: 10877}\n"
    )
    assert one.command("up").stdout.startswith("the inventory had changed since: the lab was restarted (2 devices")
    assert one.ask("ping")["pid"] != pid
    assert one.command("down").stdout == "the lab is down\n"
    assert one.command("status").returncode == 3


def test_a_killed_server_is_noticed(one):
    one.command("up")
    pid = one.ask("ping")["pid"]
    watch = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([watch], [], [], 10)
    os.close(watch)
    assert one.command("status").returncode == 3
    assert one.command("up").stdout.startswith("the lab is up (1 devices")


def test_the_lab_ends_with_its_owner(one):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        one.command("up", "--owner-pid", str(owner.pid))
        watch = os.pidfd_open(one.ask("ping")["pid"])
        owner.kill()
    assert select.select([watch], [], [], 10)[0]
    os.close(watch)


def test_port_in_use(one):
    with socket.create_server(one.places["sw9"]):
        result = one.command("up")
    assert result.returncode == 1
    assert result.stderr.startswith(
        f"lab: host sw9: 127.77.250.90:{one.places['sw9'][1]} is already in use by another program; "
    )
    assert one.command("status").returncode == 3


def test_real_addresses_need_the_shell(alone):
    real = alone("coeur: {ansible_host: 172.31.99.2}")
    result = real.command("up")
    assert result.returncode == 1
    assert "the addresses of coeur are not on this machine; use 'python -m lab shell'" in result.stderr


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run(["unshare", "-r", "-n", "true"], check=False).returncode != 0,
    reason="user namespaces are not allowed here",
)
def test_shell_has_real_addresses_and_ports(alone):
    real = alone("coeur: {ansible_host: 172.31.99.2}")
    code = (
        "import os,socket; print(socket.create_connection(('172.31.99.2', 22), 5).recv(99)); "
        "raise SystemExit(int(os.environ['LYCEE_LAB_SHELL']) + 6)"
    )
    result = real.command("shell", "--", sys.executable, "-c", code)
    assert result.stdout == "b'SSH-2.0-Cisco-1.25\\r\\n'\n", result.stderr
    assert result.returncode == 7
    assert real.command("status").returncode == 3
