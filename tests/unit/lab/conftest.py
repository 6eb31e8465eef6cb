# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A school's switch written for the tests, devices without network, and two labs for the tests with real clients."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.control import Client
from lab.ios.console import run_lines
from lab.ios.device import Device, KnownSecrets
from lab.plan import device_plan
from tests.unit.lab.winrm_session import Remote

ROOT = Path(__file__).resolve().parents[3]
SWITCH = """!
version 15.0
no service pad
service timestamps log datetime msec
no service password-encryption
!
hostname sw-batA-rdc
!
boot-start-marker
boot-end-marker
!
enable secret 5 $1$salt$VrhqrUR0pwxW6vPyhiMFt.
!
username exploitation secret 5 $1$abcd$EGZjVDCDp6ZWCfScFFPJY/
no aaa new-model
system mtu routing 1500
!
no ip domain-lookup
ip domain-name lycee.example
!
spanning-tree mode rapid-pvst
spanning-tree extend system-id
!
vlan internal allocation policy ascending
!
interface FastEthernet0/1
 description Salle des professeurs, 1er \xc3\xa9tage
 switchport access vlan 20
 switchport mode access
 spanning-tree portfast
!
interface FastEthernet0/2
 shutdown
!
interface GigabitEthernet0/1
 description Vers le coeur
 switchport mode trunk
!
interface Vlan1
 no ip address
 shutdown
!
interface Vlan20
 ip address 10.20.0.2 255.255.255.0
!
ip default-gateway 10.20.0.1
ip http server
ip scp server enable
banner login ^C
Acc\xc3\xa8s r\xc3\xa9serv\xc3\xa9 au lyc\xc3\xa9e
^C
!
line con 0
line vty 0 4
 login local
line vty 5 15
 login local
!
end
"""
ADDRESSES = {"sw1": "127.77.250.51", "sw2": "127.77.250.52", "r1": "127.77.250.53"}
INVENTORY = """
all:
  vars:
    ansible_connection: lycee.openerp.netmiko
    ansible_user: exploitation
    base: cahier
    ansible_password: "{{ base }}-{{ inventory_hostname }}"
    ansible_become_password: craie
    lab_reload_time: 0.2
  hosts:
    sw1:
      ansible_host: 127.77.250.51
      ansible_port: {sw1}
      lab_running_config: sw1.cfg
      lab_vlans: {20: PROFS, 30: ELEVES}
    sw2:
      ansible_host: 127.77.250.52
      ansible_port: {sw2}
      ansible_netmiko_transport: telnet
    r1:
      ansible_host: 127.77.250.53
      ansible_port: {r1}
      lab_model: CISCO2901/K9
      lab_ssh_algorithms: modern
    poste1: {lab_kind: linux}
    imprimante: {lab_kind: none}
"""


def new_device(text: str | None = SWITCH, **variables: Any) -> Device:
    """A device without network; keyword arguments are inventory variables."""
    plan = device_plan(
        "sw1",
        {
            "ansible_host": "127.77.250.1",
            "ansible_user": "exploitation",
            "ansible_password": "cahier",
            "ansible_become_password": "craie",
            **variables,
        },
    )
    plan.running_config = text
    return Device(plan, KnownSecrets())


@pytest.fixture
def device() -> Device:
    """The school's switch."""
    return new_device()


@pytest.fixture
def make_device() -> Callable[..., Device]:
    """new_device as a fixture."""
    return new_device


@pytest.fixture
def type_lines() -> Callable[..., str]:
    """Type lines on a device's console; returns what it printed."""

    def typed(device: Device, *lines: str) -> str:
        return asyncio.run(run_lines(device, list(lines)))[0]

    return typed


@pytest.fixture
def configure(type_lines: Callable[..., str]) -> Callable[..., str]:
    """Type configuration lines."""
    return lambda device, *lines: type_lines(device, "configure terminal", *lines, "end")


def free_port(address: str) -> int:
    """A port that is free now, so that two test runs at once do not meet."""
    with socket.create_server((address, 0)) as listener:
        return int(listener.getsockname()[1])


class RunningLab:
    """A lab that is up, and the means to disturb it."""

    def __init__(self, inventory: Path, environment: dict[str, str]) -> None:
        self.inventory = inventory
        self.places: dict[str, tuple[str, int]] = {}
        self.environment = environment

    def command(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``python -m lab`` with this inventory."""
        return subprocess.run(
            [sys.executable, "-m", "lab", words[0], "-i", str(self.inventory), *words[1:]],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def folder(self) -> Path:
        """The state folder."""
        return next(Path(self.environment["TMPDIR"]).glob("lycee-lab-*/*/control.sock")).parent

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Talk to the server directly."""
        client = Client(self.folder())
        try:
            return client.ask(operation, **arguments)
        finally:
            client.close()

    def fault(self, host: str, name: str, value: str | None = None) -> None:
        """Switch a fault."""
        self.ask("fault", host=host, name=name, value=value)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose temporary folder, and so the lab's state, belongs to this test run."""
    settings = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "LYCEE_"))}
    return {
        **settings,
        "TMPDIR": str(tmp_path_factory.mktemp("state")),
        "PYTHONPATH": str(ROOT),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path_factory.mktemp("ansible")),
    }


@pytest.fixture
def alone(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., RunningLab]]:
    """A lab of its own with one host line, not yet up; a port written as PORT is a free one."""
    made: list[RunningLab] = []

    def make(line: str) -> RunningLab:
        folder = tmp_path / "inv"
        folder.mkdir()
        place = ("127.77.250.90", free_port("127.77.250.90"))
        head = "all:\n  vars: {lab_kind: ios, ansible_user: a, ansible_password: b}\n  hosts:\n"
        (folder / "hosts.yml").write_text(f"{head}    {line.replace('PORT', str(place[1]))}\n")
        running = RunningLab(folder / "hosts.yml", {**environment, "TMPDIR": str(tmp_path)})
        running.places["sw9"] = place
        made.append(running)
        return running

    yield make
    for running in made:
        running.command("down")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[RunningLab]:
    """One lab for all tests with real clients; it ends with the test run even when that is killed."""
    folder = tmp_path_factory.mktemp("inventory")
    places = {host: (address, free_port(address)) for host, address in ADDRESSES.items()}
    text = INVENTORY
    for host, (_unused, port) in places.items():
        text = text.replace(f"{{{host}}}", str(port))
    (folder / "hosts.yml").write_text(text)
    (folder / "sw1.cfg").write_bytes(SWITCH.encode("latin-1"))
    running = RunningLab(folder / "hosts.yml", environment)
    running.places = places
    result = running.command("up", "--owner-pid", str(os.getpid()))
    assert result.returncode == 0, result.stderr
    yield running
    running.command("down")


WINDOWS = """
all:
  vars:
    ansible_connection: winrm
    ansible_winrm_transport: ntlm
    ansible_winrm_scheme: http
    ansible_password: Cahier-2026
    lab_service_time: 0.15
  hosts:
    srv1:
      ansible_host: 127.77.251.61
      ansible_port: {srv1}
      ansible_user: Administrateur
      lab_accounts:
        - {name: eleve, password: Craie-2026}
        - {name: service2, password: Ardoise-2026}
      lab_services:
        - {name: Verrou, display: Service de verrou, state: running, depends: [RpcSs]}
        - {name: Appui, state: running}
        - {name: Dessus, state: running, depends: [Appui]}
      lab_cygwin: true
      lab_postgresql:
        port: {pg1}
        databases:
          - {name: lycee, tables: 5, rows: 3000}
          - {name: "Spéci bike", tables: 5, rows: 10}
          - {name: "A;b'\\"%=c", tables: 5, rows: 10}
          - {name: essai, tables: 0}
    srv2:
      ansible_host: 127.77.251.62
      ansible_port: {srv2}
      ansible_user: Administrator
      lab_language: en
      lab_windows_version: 10.0.20348
      lab_dfs: true
      lab_postgresql: {port: {pg2}, acl: [S-1-5-21-111-222-333-1001]}
    tls:
      ansible_host: 127.77.251.63
      ansible_port: {tls}
      ansible_winrm_scheme: https
      ansible_user: operateur
      lab_language: en
      lab_windows_version: 6.1.7601
      lab_basic: true
    poste:
      ansible_host: 127.77.251.64
      ansible_port: {poste}
      ansible_user: Administrateur
      lab_skip_cmd_shell: ignored
      lab_quota: {shells: 2, operations: 3}
      lab_shell_idle_timeout: 30
    sauvegarde:
      lab_kind: linux
      ansible_host: 127.77.251.65
      lab_rsync:
        port: {sauvegarde}
        modules:
          Backup: {path: disks/backup, users: {sauvegarde: Loin-2026}}
          Libre: {path: disks/libre}
      lab_media: {usb: disks/usb}
    passerelle:
      lab_kind: linux
      ansible_connection: ssh
      ansible_host: 127.77.251.66
      ansible_port: {passerelle}
      ansible_user: admin
      lab_ssh: {key_file: passerelle.key}
      lab_postgresql: {port: {pg3}, superuser: postgres, password: craie, databases: [{name: zabbix, tables: 5}]}
"""


@pytest.fixture(scope="session")
def winlab(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], lab_networks: Callable[[], str]
) -> Iterator[RunningLab]:
    """One lab of Windows hosts for all tests with real clients, on a network that no other test process has."""
    folder = tmp_path_factory.mktemp("windows")
    network = lab_networks()
    hosts = {"srv1": 61, "srv2": 62, "tls": 63, "poste": 64, "pg1": 61, "pg2": 62, "sauvegarde": 65,
             "passerelle": 66, "pg3": 66}  # fmt: skip
    places = {name: (f"{network}.{last}", free_port(f"{network}.{last}")) for name, last in hosts.items()}
    text = WINDOWS.replace("127.77.251", network)
    for name, (_unused, port) in places.items():
        text = text.replace(f"{{{name}}}", str(port))
    (folder / "hosts.yml").write_text(text)
    running = RunningLab(folder / "hosts.yml", {**environment, "TMPDIR": str(folder)})
    running.places = places
    result = running.command("up", "--owner-pid", str(os.getpid()))
    assert result.returncode == 0, result.stderr
    yield running
    running.command("down")


@pytest.fixture
def remote(winlab: RunningLab) -> Iterator[Callable[..., Remote]]:
    """Sessions with the hosts of the Windows lab; faults and shells are gone afterwards."""
    users = {"srv1": "Administrateur", "srv2": "Administrator", "tls": "operateur", "poste": "Administrateur"}
    made: list[Remote] = []

    def make(host: str = "srv1", user: str | None = None, password: str = "Cahier-2026", **options: Any) -> Remote:
        if host == "tls":
            options.setdefault("scheme", "https")
        session = Remote(winlab.places[host], user or users[host], password, **options)
        made.append(session)
        return session

    yield make
    winlab.fault("all", "clear")
    for session in made:
        with contextlib.suppress(Exception):
            session.close()
