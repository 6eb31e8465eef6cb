# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices that are measured: an inventory of its own, played by the lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SLOW = {"login": 0.7, "command": 0.05, "show_run": 2.0}
PASSWORD, SECRET = "bench-password", "bench-secret"


def configuration(host: str) -> str:
    """Return a configuration of about 10 KB, the size of a 48-port switch's."""
    ports = "".join(
        f"interface FastEthernet0/{port}\n description Salle {port // 10}, poste {port:02d}, prise murale B{port:03d}\n"
        " switchport access vlan 20\n switchport mode access\n switchport port-security\n spanning-tree portfast\n"
        " spanning-tree bpduguard enable\n!\n"
        for port in range(1, 49)
    )
    return f"!\nversion 15.0\n!\nhostname {host}\n!\n{ports}line vty 0 4\n login local\n!\nend\n"


@dataclass(slots=True)
class Farm:
    """``count`` devices on 127.77.5.x and above, instant or slow; a context manager that ends with this process."""

    folder: Path
    count: int
    slow: bool

    @property
    def inventory(self) -> Path:
        """Return the inventory file."""
        return self.folder / "hosts.json"

    def _address(self, number: int) -> str:
        return f"127.77.{5 + number // 250}.{1 + number % 250}"

    def __enter__(self) -> Farm:
        (self.folder / "configs").mkdir(parents=True, exist_ok=True)
        hosts: dict[str, Any] = {}
        for number in range(self.count):
            name = f"sw{number:03d}"
            (self.folder / "configs" / name).write_text(configuration(name), "utf-8")
            hosts[name] = {"ansible_host": self._address(number), "lab_running_config": f"configs/{name}"}
        variables: dict[str, Any] = {
            "ansible_port": 10022,
            "ansible_user": "bench",
            "ansible_password": PASSWORD,
            "ansible_become_password": SECRET,
            "ansible_host_key_checking": False,
            "lab_kind": "ios",
            "lab_latency": SLOW if self.slow else {},
        }
        self.inventory.write_text(
            json.dumps({"all": {"children": {"network": {"hosts": hosts, "vars": variables}}}}), "utf-8"
        )
        targets = [
            {
                "name": name,
                "host": host["ansible_host"],
                "port": 10022,
                "username": "bench",
                "password": PASSWORD,
                "secret": SECRET,
            }
            for name, host in hosts.items()
        ]
        (self.folder / "targets.json").write_text(json.dumps(targets), "utf-8")
        self._lab("up", "--owner-pid", str(os.getpid()))
        return self

    def __exit__(self, *_args: object) -> None:
        self._lab("down")

    def _lab(self, verb: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "lab", verb, "-i", str(self.inventory), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"bench: lab {verb} failed: {done.stderr}{done.stdout}")
