# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m bench.windows [--runs N] [--hosts N]``: what a task on Windows hosts costs, against bare pywinrm.

First one host: HTTP requests and milliseconds of a program in a new session, and of a further one in the same session.
Then many PCs: one task with one program each, over NTLM with sealed messages, against a thread pool of bare pywinrm.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.options import WinrmOptions
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.session import Session

from bench.farm import ROOT
from bench.measure import Sample, adopting_daemons, run

BIN = Path(sys.executable).parent
USER, PASSWORD = "Administrateur", "bench-password"
HOSTNAME = "C:\\Windows\\System32\\hostname.exe"
_FORKS = 20
_MOST_REQUESTS = 9


class Park:
    """``count`` emulated PCs on 127.77.8.x and above; a context manager that ends with this process."""

    def __init__(self, folder: Path, count: int) -> None:
        self.inventory = folder / "hosts.json"
        self.targets = folder / "targets.json"
        hosts = {f"pc{number:03d}": f"127.77.{8 + number // 250}.{1 + number % 250}" for number in range(count)}
        variables = {
            "ansible_connection": "winrm",
            "ansible_port": 5985,
            "ansible_winrm_transport": "ntlm",
            "ansible_user": USER,
            "ansible_password": PASSWORD,
            "lab_kind": "windows",
        }
        group = {"hosts": {name: {"ansible_host": address} for name, address in hosts.items()}, "vars": variables}
        self.inventory.write_text(json.dumps({"all": {"children": {"pcs": group}}}), "utf-8")
        self.endpoints = [f"http://{address}:5985/wsman" for address in hosts.values()]
        targets = [{"endpoint": endpoint, "user": USER, "password": PASSWORD} for endpoint in self.endpoints]
        self.targets.write_text(json.dumps(targets), "utf-8")

    def __enter__(self) -> Park:
        self.lab("up", "--owner-pid", str(os.getpid()))
        return self

    def __exit__(self, *_args: object) -> None:
        self.lab("down")

    def lab(self, verb: str, *arguments: str) -> str:
        """Run a verb of the lab and return what it printed."""
        command = [sys.executable, "-m", "lab", verb, "-i", str(self.inventory), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"bench: lab {verb} failed: {done.stderr}{done.stdout}")
        return done.stdout

    def requests(self) -> int:
        """Return how many HTTP requests the first PC has answered."""
        found: list[dict[str, Any]] = json.loads(self.lab("status", "--json"))["devices"]
        return int(found[0]["requests"])


def one_host(park: Park, runs: int) -> list[str]:
    """Measure one task, and one more program in its session; return lines of a Markdown table."""

    def session() -> Session:
        return Session(
            WinrmOptions("pc000", park.endpoints[0], "ntlm", USER, PASSWORD, {"message_encryption": "always"})
        )

    def whole() -> None:
        with session() as one:
            one.run([HOSTNAME])

    lines = ["| one program on one host | HTTP requests | milliseconds |", "| --- | --- | --- |"]
    lines.append(_row("in a new session (NTLM, version, shell, program, close)", park, whole, runs))
    with session() as opened:
        opened.run([HOSTNAME])
        lines.append(_row("one more in the same session", park, lambda: opened.run([HOSTNAME]), runs))
    requests = float(lines[2].split("|")[2])
    mark = "reached:" if requests <= _MOST_REQUESTS else "MISSED: "
    return [*lines, "", f"{mark} {requests:g} HTTP requests for a task of one program (at most {_MOST_REQUESTS})"]


def _row(name: str, park: Park, work: Callable[[], object], runs: int) -> str:
    times = []
    before = park.requests()
    for _run in range(runs):
        started = time.monotonic()
        work()
        times.append((time.monotonic() - started) * 1000)
    count = (park.requests() - before) / runs
    return f"| {name} | {count:g} | {statistics.median(times):.0f} |"


def many(park: Park, runs: int, count: int) -> list[str]:
    """Measure one task on all PCs against the bare pool; return lines of a Markdown table and the verdict."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {"PATH": f"{BIN}:{environment['PATH']}", "ANSIBLE_STDOUT_CALLBACK": "minimal"}
    ansible = [str(BIN / "ansible-playbook"), "-i", str(park.inventory), "--forks", str(_FORKS)]
    task = {"argv": [HOSTNAME]}
    batch = {"lycee.openerp.windows_command": {**task, "hosts": "{{ ansible_play_hosts }}", "workers": _FORKS}}
    ours = {}
    for name, action in (
        ("ours, per host", {"lycee.openerp.windows_command": task}),
        ("ours, batch", {**batch, "run_once": True}),
    ):
        play = {"name": "Bench", "hosts": "pcs", "gather_facts": False, "tasks": [{"name": "Run", **action}]}
        playbook = park.inventory.with_name(f"{name[-4:]}.json")
        playbook.write_text(json.dumps([play]), "utf-8")
        ours[name] = [*ansible, str(playbook)]
    plain = [sys.executable, "-m", "bench.plain_winrm", str(park.targets), str(_FORKS)]
    commands = {"bare pywinrm pool": plain, **ours}
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for _run in range(runs):
        for name, command in commands.items():
            samples[name].append(run(command, cwd=ROOT, environment=environment))
    memory = {name: run(ours[name], cwd=ROOT, environment=environment, memory=True).memory_mb for name in ours}
    lines = [
        f"| one program on {count} PCs | workers | runs | wall s | CPU s | wall ratio | memory MB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    base = statistics.median(sample.wall for sample in samples["bare pywinrm pool"])
    for name, taken in samples.items():
        wall, cpu = statistics.median(one.wall for one in taken), statistics.median(one.cpu for one in taken)
        ratio = wall / base
        shown = f"{memory[name]:.0f}" if name in memory else "-"
        lines.append(f"| {name} | {_FORKS} | {runs} | {wall:.1f} | {cpu:.1f} | {ratio:.2f} | {shown} |")
    ratio = statistics.median(sample.wall for sample in samples["ours, batch"]) / base
    mark = "reached:" if ratio <= 1.5 else "MISSED: "
    return [
        *lines,
        "",
        f"{mark} one task on {count} PCs, batch: {ratio:.2f} times the wall of the bare pool (at most 1.5)",
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.windows", description="Measure tasks on Windows hosts.")
    parser.add_argument("--runs", type=int, default=3, help="runs per row, of which the median counts (default 3)")
    parser.add_argument("--hosts", type=int, default=500, help="how many PCs (default 500)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Park(Path(folder), options.hosts) as park, adopting_daemons():
        print("\n".join(one_host(park, 20)) + "\n", flush=True)
        print("\n".join(many(park, options.runs, options.hosts)))


if __name__ == "__main__":
    main()
