# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``lab shell``: a user and network namespace in which every address and every port of the inventory is possible.

Source: user_namespaces(7), network_namespaces(7): the first process of a user namespace has all capabilities over the
network namespace it owns, so no root is needed on the machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from lab.errors import LabError
from lab.plan import Plan

IN_SHELL = "LYCEE_LAB_SHELL"


def outer_uid() -> int:
    """The user's real id, also inside a user namespace where he looks like root (/proc/self/uid_map)."""
    inside = os.getuid()
    with Path("/proc/self/uid_map").open() as stream:
        for line in stream:
            first, outside, count = (int(field) for field in line.split())
            if first <= inside < first + count:
                return outside + inside - first
    return inside


def enter(arguments: list[str]) -> int:
    """Run ``python -m lab shell`` again inside a new namespace; returns its exit status.

    Raises:
        LabError: a program is missing or the system refuses user namespaces.
    """
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2")):
        if shutil.which(program, path=_path()) is None:
            raise LabError(f"'lab shell' needs the program {program}; install the package {package}")
    unshare = str(shutil.which("unshare", path=_path()))
    trial = subprocess.run(
        [unshare, "-r", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if trial.returncode:
        raise LabError(
            f"this system refuses user namespaces ({trial.stderr.strip() or 'unshare failed'}); allow them with "
            "'sysctl kernel.unprivileged_userns_clone=1' or 'sysctl kernel.apparmor_restrict_unprivileged_userns=0', "
            "or use addresses in 127.77.0.0/16 and ports above 1023 with 'lab up'"
        )
    environment = dict(os.environ, **{IN_SHELL: "1"})
    root = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", "")]))
    command = [unshare, "-r", "-n", "--", sys.executable, "-m", "lab", "shell", "--inside", *arguments]
    return _wait(command, environment)


def _path() -> str:
    """ip and sysctl stand in sbin, which is not on every user's path."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _wait(command: list[str], environment: dict[str, str]) -> int:
    """Run a program in the foreground; Ctrl-C is for it, not for us.

    A handler that does nothing, rather than SIG_IGN: exec resets handlers to the default, and would pass SIG_IGN on.
    """
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        child = subprocess.Popen(command, env=environment)
        status = child.wait()
    except OSError as error:
        raise LabError(f"cannot run {command[0]}: {error.strerror}", 127) from None
    finally:
        signal.signal(signal.SIGINT, before)
    return status if status >= 0 else 128 - status


def set_up(plan: Plan) -> None:
    """Give the namespace its loopback and every address of the plan."""
    program = str(shutil.which("ip", path=_path()))
    steps = ["link set lo up"]
    for device in plan.hosts:
        if not device.address.startswith("127."):
            bits = 128 if ":" in device.address else 32
            steps.append(f"route replace local {device.address}/{bits} dev lo")
    result = subprocess.run(
        [program, "-batch", "-"], input="\n".join(steps) + "\n", capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise LabError(f"ip could not set up the addresses: {result.stderr.strip().splitlines()[0]}")


def run_command(command: list[str]) -> int:
    """Run the user's shell or command with the mark that says where it is."""
    environment = dict(os.environ, **{IN_SHELL: "1"})
    return _wait(command or [os.environ.get("SHELL", "/bin/sh")], environment)
