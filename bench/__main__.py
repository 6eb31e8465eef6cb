# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m bench [--runs N] [--quick]``: how fast the backup of configurations is, against plain tools.

All sides of a row run the same commands on the same emulated devices, one after the other in one run on one machine, and
the medians are compared. Wall clocks of two runs, or of two machines, are not to be compared; the ratios are.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.captures import CAPTURES

from bench.farm import ROOT, Farm
from bench.measure import Sample, adopting_daemons, run

BIN = Path(sys.executable).parent
ALL = ["show privilege", *(capture.command for capture in CAPTURES.values())]
RUNNING = ["show privilege", "show running-config"]
PLAY: dict[str, dict[str, object]] = {
    "ours, per host": {"lycee.openerp.ios_backup": {"archive": "{{ folder }}", "captures": "{{ captures }}"}},
    "ours, batch": {
        "lycee.openerp.ios_backup": {
            "archive": "{{ folder }}",
            "captures": "{{ captures }}",
            "hosts": "{{ ansible_play_hosts }}",
            "workers": "{{ workers }}",
        },
        "run_once": True,
    },
    "cisco.ios.ios_config": {
        "cisco.ios.ios_config": {"backup": True, "backup_options": {"dir_path": "{{ folder }}"}},
    },
}
CONNECTION: dict[str, dict[str, object]] = {
    "ours, per host": {"ansible_connection": "lycee.openerp.netmiko"},
    "ours, batch": {"ansible_connection": "lycee.openerp.netmiko"},
    "cisco.ios.ios_config": {
        "ansible_connection": "ansible.netcommon.network_cli",
        "ansible_network_cli_ssh_type": "paramiko",
        "ansible_become": True,
        "ansible_become_method": "ansible.netcommon.enable",
        "ansible_command_timeout": 120,
        "ansible_connect_timeout": 120,
    },
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result: what was measured and against which row of the same farm it is compared."""

    devices: int
    profile: str
    variant: str
    commands: str
    workers: int
    samples: tuple[Sample, ...]

    @property
    def wall(self) -> float:
        """Return the median wall clock in seconds."""
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        """Return the median CPU seconds."""
        return statistics.median(sample.cpu for sample in self.samples)


def command_of(variant: str, farm: Farm, folder: Path, workers: int, running_only: bool) -> list[str]:
    """Return the command line of one variant."""
    if variant == "plain Netmiko pool":
        commands = RUNNING if running_only else ALL
        return [
            sys.executable,
            "-m",
            "bench.plain",
            str(farm.folder / "targets.json"),
            str(workers),
            str(folder),
            *commands,
        ]
    playbook = farm.folder / "play.json"
    tasks = [{"name": "Back up", **PLAY[variant]}]
    playbook.write_text(
        json.dumps([{"name": "Bench", "hosts": "network", "gather_facts": False, "tasks": tasks}]), "utf-8"
    )
    variables = {
        **CONNECTION[variant],
        "ansible_network_os": "cisco.ios.ios",
        "folder": str(folder),
        "workers": workers,
        "captures": ["running-config"] if running_only else list(CAPTURES),
    }
    return [
        *(str(BIN / "ansible-playbook"), "-i", str(farm.inventory), "--forks", str(workers)),
        *("-e", json.dumps(variables), str(playbook)),
    ]


def measure(farm: Farm, variant: str, workers: int, runs: int, *, running_only: bool = False) -> Row:
    """Measure one variant on one farm, each run with an empty folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {
        "PATH": f"{BIN}:{environment['PATH']}",
        "ANSIBLE_STDOUT_CALLBACK": "minimal",
        "PYTHONUNBUFFERED": "1",
    }
    samples = []
    # Memory has a run of its own: sampling costs time.
    memory = [farm.count >= 200 and not farm.slow and variant != "plain Netmiko pool"]
    for sampled in [False] * runs + [True] * sum(memory):
        with tempfile.TemporaryDirectory() as folder:
            command = command_of(variant, farm, Path(folder), workers, running_only)
            samples.append(run(command, cwd=ROOT, environment=environment, memory=sampled))
            saved = len([path for path in Path(folder).rglob("*") if path.is_file() and path.stat().st_size > 9000])
            if saved < farm.count:
                raise RuntimeError(f"{variant}: only {saved} of {farm.count} configurations were saved")
    timed = tuple(samples[:runs])
    if sum(memory):
        timed = (Sample(timed[0].wall, timed[0].cpu, samples[-1].memory_mb), *timed[1:])
    commands = "running only" if running_only else f"{len(ALL)} commands"
    row = Row(farm.count, "slow" if farm.slow else "instant", variant, commands, workers, timed)
    print(f"  {variant}, {commands}, {workers} workers: {row.wall:.1f} s wall, {row.cpu:.1f} s CPU", flush=True)
    return row


def farm_rows(farm: Farm, runs: int, *, ios_config: bool) -> list[Row]:
    """Measure all variants on one farm; the yardstick comes first."""
    workers = {1: [1], 50: [10], 200: [50]}[farm.count]
    rows = []
    for count in workers:
        rows += [
            measure(farm, variant, count, runs) for variant in ("plain Netmiko pool", "ours, per host", "ours, batch")
        ]
    if ios_config:
        rows += [
            measure(farm, variant, workers[0], one, running_only=True)
            # ios_config takes minutes; a single run of it, which the table says.
            for variant, one in (("plain Netmiko pool", runs), ("ours, per host", runs), ("cisco.ios.ios_config", 1))
        ]
    return rows


def table(rows: list[Row]) -> list[str]:
    """Return the result as lines of a Markdown table, with ratios to the plain pool of the same farm and commands."""
    lines = [
        "| devices | profile | commands | variant | workers | runs | wall s | CPU s | wall ratio | CPU ratio | memory MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        base = next(
            other
            for other in rows
            if (other.devices, other.profile, other.commands, other.variant)
            == (row.devices, row.profile, row.commands, "plain Netmiko pool")
        )
        memory = max(sample.memory_mb for sample in row.samples)
        lines.append(
            f"| {row.devices} | {row.profile} | {row.commands} | {row.variant} | {row.workers} | {len(row.samples)} | "
            f"{row.wall:.1f} | {row.cpu:.1f} | {row.wall / base.wall:.2f} | {row.cpu / base.cpu:.2f} | "
            f"{f'{memory:.0f}' if memory else '-'} |"
        )
    return lines


def verdicts(rows: list[Row]) -> list[str]:
    """Return the aims of the project and whether this run reached them; an aim that was not measured is left out."""

    def find(devices: int, profile: str, variant: str, commands: str | None = None) -> Row | None:
        return next(
            (
                row
                for row in rows
                if (row.devices, row.profile, row.variant) == (devices, profile, variant)
                and commands in (None, row.commands)
            ),
            None,
        )

    lines = []
    plain, ours = find(50, "slow", "plain Netmiko pool"), find(50, "slow", "ours, per host")
    if plain and ours:
        ratio = ours.wall / plain.wall
        lines.append(
            f"{_mark(ratio <= 1.1)} per host at 50 slow devices: {ratio:.2f} times the plain pool's wall (at most 1.1)"
        )
    plain, ours = find(200, "instant", "plain Netmiko pool"), find(200, "instant", "ours, batch")
    if plain and ours:
        ratio = ours.wall / plain.wall
        lines.append(
            f"{_mark(ratio <= 1.0)} batch at 200 instant devices: {ratio:.2f} times the plain pool's wall (at most 1.0)"
        )
    theirs, ours = find(50, "instant", "cisco.ios.ios_config"), find(50, "instant", "ours, per host", "running only")
    if theirs and ours:
        ratio = theirs.cpu / ours.cpu
        lines.append(f"{_mark(ratio >= 10)} CPU of ios_config at 50 devices: {ratio:.1f} times ours (at least 10)")
    return lines


def _mark(reached: bool) -> str:
    return "reached:" if reached else "MISSED: "


def main() -> None:
    """Measure, print the table and the verdicts."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the backup of configurations.")
    parser.add_argument("--runs", type=int, default=3, help="runs per row, of which the median counts (default 3)")
    parser.add_argument("--quick", action="store_true", help="one run, without ios_config and without 200 slow devices")
    options = parser.parse_args()
    runs = 1 if options.quick else options.runs
    rows: list[Row] = []
    for count, slow in ((1, False), (1, True), (50, False), (50, True), (200, False), (200, True)):
        if options.quick and count == 200 and slow:
            continue
        print(f"{count} devices, {'slow' if slow else 'instant'} (load {os.getloadavg()[0]:.1f})", flush=True)
        with tempfile.TemporaryDirectory() as folder, Farm(Path(folder), count, slow) as farm, adopting_daemons():
            rows += farm_rows(farm, runs, ios_config=not options.quick and (count, slow) == (50, False))
    print("\n" + "\n".join(table(rows)) + "\n\n" + "\n".join(verdicts(rows)))


if __name__ == "__main__":
    main()
