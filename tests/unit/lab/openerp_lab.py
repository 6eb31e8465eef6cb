# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of servers with OpenERP, one for each test that breaks one."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.unit.lab.conftest import RunningLab
from tests.unit.lab.winrm_session import Remote

SERVER = "C:\\Program Files\\OpenERP 6.0\\Server"
WEB = "C:\\Program Files\\OpenERP 6.0\\Web"
_HEAD = """
all:
  vars:
    ansible_connection: winrm
    ansible_winrm_transport: ntlm
    ansible_winrm_scheme: http
    ansible_port: 5985
    ansible_user: Administrateur
    ansible_password: Cahier-2026
    lab_service_time: 0.05
    lab_openerp: true
    lab_setups: C:\\Logiciels
  hosts:
"""


class OpenErpLab(RunningLab):
    """A lab, and sessions with its hosts."""

    def __init__(self, inventory: Path, environment: dict[str, str], network: str) -> None:
        super().__init__(inventory, environment)
        self.network = network
        self._made: list[Remote] = []

    def address(self, host: str) -> str:
        """A host's address."""
        return self.places[host][0]

    def session(self, host: str, code_page: int = 850) -> Remote:
        """A session with a shell."""
        session = Remote(self.places[host], "Administrateur")
        session.open(code_page)
        session.run("if exist C:\\Windows rem")  # a drive is filled when it is first looked at
        self._made.append(session)
        return session

    def close(self) -> None:
        """Faults and shells go."""
        with contextlib.suppress(Exception):
            self.fault("all", "clear")
        for session in self._made:
            with contextlib.suppress(Exception):
                session.close()
        self._made.clear()

    def file(self, host: str, path: str) -> Path:
        """A file of a host's drive."""
        return self.folder() / "windows" / host / "C" / path.removeprefix("C:\\").replace("\\", "/")

    def row(self, host: str) -> dict[str, object]:
        """The row of ``lab status``."""
        return next(row for row in self.ask("status")["devices"] if row["host"] == host)

    def listens(self, host: str, port: int = 5985) -> bool:
        """Whether something accepts connections there."""
        with contextlib.suppress(OSError), socket.create_connection((self.places[host][0], port), timeout=5):
            return True
        return False


def running(folder: Path, environment: dict[str, str], networks: Callable[[], str], hosts: dict[str, str]
            ) -> Iterator[OpenErpLab]:  # fmt: skip
    """A lab of these hosts: their variables as the inside of a YAML mapping; NETWORK is its network."""
    network = networks()
    lines, places = [_HEAD], {}
    for last, (name, variables) in enumerate(hosts.items(), 1):
        places[name] = (f"{network}.{last}", 5985)
        inside = f"ansible_host: {network}.{last}{', ' if variables else ''}{variables.replace('NETWORK', network)}"
        lines.append(f"    {name}: {{{inside}}}\n")
    (folder / "hosts.yml").write_text("".join(lines))
    lab = OpenErpLab(folder / "hosts.yml", {**environment, "TMPDIR": str(folder)}, network)
    lab.places = places
    result = lab.command("up", "--owner-pid", str(os.getpid()))
    assert result.returncode == 0, result.stderr
    yield lab
    lab.close()
    lab.command("down")


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
