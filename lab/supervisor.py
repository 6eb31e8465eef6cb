# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a lab up and down: state folders, the detached server, readiness."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import ipaddress
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.control import SOCKET, Client
from lab.errors import LabError
from lab.namespace import IN_SHELL, outer_uid
from lab.plan import Plan

_NOT_UP = "the lab of {inventory} is not up; 'python -m lab up' brings it up"


class State:
    """The folder of one inventory's lab; inside ``lab shell`` it is one of its own, with the same host keys."""

    def __init__(self, sources: list[str]) -> None:
        self.inventory = " ".join(sources)
        base = Path(tempfile.gettempdir()) / f"lycee-lab-{outer_uid()}"
        digest = hashlib.sha256(self.inventory.encode()).hexdigest()[:12]
        self.keys = base / digest / "hostkeys"
        self.folder = base / digest
        if os.environ.get(IN_SHELL):
            inode = Path("/proc/self/ns/net").stat().st_ino
            self.folder = base / f"{digest}-net{inode}"
        for folder in (base, self.keys.parent, self.folder):
            _private(folder)

    @property
    def log(self) -> Path:
        """Where the server's own troubles go."""
        return self.folder / "log"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One ``up`` or ``down`` at a time."""
        with (self.folder / "lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def client(self) -> Client | None:
        """A connection to the server, or None when none runs (a socket left by a killed one counts as none)."""
        try:
            return Client(self.folder)
        except OSError:
            return None

    def require(self) -> Client:
        """A connection to the server. Raises LabError (status 3) when the lab is not up."""
        client = self.client()
        if client is None:
            raise LabError(_NOT_UP.format(inventory=self.inventory), 3)
        return client


def _private(folder: Path) -> None:
    """A folder of ours with mode 0700; somebody else's of the same name in a shared /tmp is refused."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise LabError(f"{folder} is not a private folder of this user; remove it or set TMPDIR to another place")


def check_addresses(plan: Plan) -> None:
    """Raise LabError naming the hosts whose address or port this process cannot have."""
    first_port = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    foreign: list[str] = []
    low: list[str] = []
    for device in plan.hosts:
        loopback = ipaddress.ip_address(device.address).is_loopback
        if not loopback and not _is_local(device.address):
            foreign.append(device.name)
        elif 0 < device.port < first_port and os.geteuid() != 0:
            low.append(device.name)
    parts = []
    if foreign:
        parts.append(f"the addresses of {_names(foreign)} are not on this machine")
    if low:
        parts.append(f"the ports of {_names(low)} are below {first_port} and this user is not root")
    if parts:
        raise LabError(f"{' and '.join(parts)}; use 'python -m lab shell', where every address and port is possible")


def _names(hosts: list[str]) -> str:
    return ", ".join(hosts) if len(hosts) <= 12 else f"{', '.join(hosts[:12])} and {len(hosts) - 12} more"


def _is_local(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    trial = socket.socket(family, socket.SOCK_STREAM)
    try:
        trial.bind((address, 0))
    except OSError:
        return False
    finally:
        trial.close()
    return True


def up(state: State, plan: Plan, owner_pid: int | None = None) -> tuple[dict[str, Any], str]:
    """Bring a plan up.

    Returns: the status of the lab, and how it came: ``started``, ``already`` or ``restarted`` (the plan had changed).
    """
    if not plan.hosts:
        raise LabError(
            f"the inventory {state.inventory} has no host that this lab plays; "
            "give hosts lab_kind: ios or ansible_connection: lycee.openerp.netmiko, "
            "lab_kind: windows or ansible_connection: winrm"
        )
    check_addresses(plan)
    with state.lock():
        how = "started"
        client = state.client()
        if client is not None:
            if client.ask("ping")["digest"] == plan.digest():
                return client.ask("status"), "already"
            client.close()
            _end(state)
            how = "restarted"
        _start(state, plan, owner_pid)
        return state.require().ask("status"), how


def _start(state: State, plan: Plan, owner_pid: int | None) -> None:
    """Start the server and wait until it says that it listens."""
    read_end, write_end = os.pipe()
    root = str(Path(__file__).resolve().parent.parent)
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "lab", "serve", str(state.folder), str(state.keys), "--ready", str(write_end)]
    if owner_pid is not None:
        command += ["--owner-pid", str(owner_pid)]
    with os.fdopen(os.open(state.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
        server = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment,
            start_new_session=True,
            pass_fds=(write_end,),
        )
    os.close(write_end)
    assert server.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        server.stdin.write(plan.to_json().encode())
        server.stdin.close()
    with os.fdopen(read_end) as stream:
        line = stream.readline()
    if not line or "error" in json.loads(line):
        server.wait()
        raise LabError(json.loads(line)["error"] if line else f"the server did not start; see {state.log}")
    (state.folder / "pid").write_text(f"{server.pid}\n")
    server.returncode = 0  # it outlives this process on purpose: no warning about a child that still runs


def down(state: State) -> bool:
    """End the lab of this state; False when it was not up."""
    with state.lock():
        return _end(state)


def _end(state: State) -> bool:
    client = state.client()
    (state.folder / "pid").unlink(missing_ok=True)
    if client is None:
        (state.folder / SOCKET).unlink(missing_ok=True)
        return False
    # The kernel tells who holds the socket: no other process can be hit by mistake.
    descriptor = os.pidfd_open(client.pid)
    try:
        with contextlib.suppress(LabError):
            client.ask("stop")
        if not select.select([descriptor], [], [], 10)[0]:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [], 10)
    finally:
        os.close(descriptor)
        client.close()
    (state.folder / SOCKET).unlink(missing_ok=True)
    return True
