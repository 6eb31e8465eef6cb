# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for the tests, driven by the same commands that an administrator types."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)


@dataclass(frozen=True, slots=True)
class Run:
    """What a playbook did: exit status, its whole output, and per host the counts of the recap."""

    status: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Return host to its counts ``ok``, ``changed``, ``unreachable`` and ``failed``."""
        names = ("ok", "changed", "unreachable", "failed")
        return {host: dict(zip(names, map(int, counts), strict=True)) for host, *counts in _RECAP.findall(self.output)}

    @property
    def changed(self) -> list[str]:
        """Return the hosts that changed, sorted."""
        return sorted(host for host, counts in self.recap.items() if counts["changed"])

    @property
    def text(self) -> str:
        """Return the output with line breaks and indents folded and YAML's doubled quotes undone, to look for sentences."""
        return " ".join(self.output.split()).replace("''", "'")


class Lab:
    """A lab for one inventory, which ends with this process."""

    def __init__(self, inventory: Path) -> None:
        self.inventory = inventory
        self.data = inventory.parent / "data"

    def __enter__(self) -> Lab:
        self.command("up", "--owner-pid", str(os.getpid()))
        return self

    def __exit__(self, *_args: object) -> None:
        self.command("down")

    def command(self, verb: str, *arguments: str) -> str:
        """Run ``python -m lab`` and return what it printed; anything but success is an error of the test."""
        done = subprocess.run(
            [sys.executable, "-m", "lab", verb, "-i", str(self.inventory), *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"lab {verb}: {done.stdout}{done.stderr}"
        return done.stdout

    def fault(self, host: str, *fault: str) -> None:
        """Switch a fault on."""
        self.command("fault", host, *fault)

    def console(self, host: str, *lines: str) -> str:
        """Type lines on a device's console."""
        return self.command("console", host, *lines)

    def reset(self) -> None:
        """Switch all faults off and start each device that has unsaved changes anew."""
        self.command("fault", "all", "clear")
        for device in self.status():
            if device["unsaved"]:
                self.console(device["host"], "--power-cycle")

    def status(self) -> list[dict[str, Any]]:
        """Return what ``lab status --json`` says of each device."""
        found: list[dict[str, Any]] = json.loads(self.command("status", "--json"))["devices"]
        return found

    def environment(self) -> dict[str, str]:
        """Return the environment of a command, without what the caller's shell says to Ansible."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", "ANSIBLE_NOCOLOR": "1", "COLUMNS": "200"}

    def playbook(self, name: str, *arguments: str, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> Run:
        """Run a playbook on this lab's inventory and return what it did."""
        done = subprocess.run(
            [
                str(BIN / "ansible-playbook"),
                "-i",
                str(self.inventory),
                "-e",
                f"lycee_data_dir={self.data}",
                name,
                *arguments,
            ],
            cwd=cwd,
            env={**self.environment(), **(environment or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "LAB:" not in done.stdout, done.stdout
        return Run(done.returncode, done.stdout + done.stderr)

    @property
    def archive(self) -> Path:
        """Return the folder of the archive."""
        return self.data / "network"

    def commits(self) -> list[str]:
        """Return the messages of the archive's commits, newest first."""
        done = subprocess.run(
            ["git", "log", "--format=%B%x00"], cwd=self.archive, capture_output=True, text=True, check=True
        )
        return [message.strip() for message in done.stdout.split("\0") if message.strip()]
