# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m bench.databases [--runs N] [--quick]``: what a night's backup of databases costs, against the old way and a loop of tasks.

First 40 databases of about 40 MB on a Linux server, saved on two nights to a real rsync daemon; between the nights pupils work in ten
of them. All ways save the same databases, one after the other in one run on one machine. Then ours alone: with many small
databases, for what each further one costs, and on a played Windows server, with its own rsync and through WinRM.

The CPU of the clients is that of the measured command and all that it starts; PostgreSQL's and the daemon's are counted apart.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import database_school as school
from bench.database_server import ADDRESS, PASSWORD, RSYNC_PASSWORD, USER, Servers, tied
from bench.farm import ROOT
from bench.measure import Sample, adopting_daemons, run

BIN = Path(sys.executable).parent
OLD, LOOP, POOL, OURS = (
    "old way: pg_dump in turn, one rsync, no proof",
    "loop of community.postgresql.postgresql_db, no transfer, no proof",
    "pool of two pg_dump -Z1, one rsync, no proof (plain script)",
    "ours, with transfer and proof",
)
_DAYS = {1: "327", 2: "328"}
_WINDOWS_ADDRESS, _WINDOWS_USER, _WINDOWS_PASSWORD = "127.77.7.101", "Administrateur", "bench-windows-password"


@dataclass(frozen=True, slots=True)
class Cost:
    """One night: the clients' sample, CPU seconds of PostgreSQL and of the rsync daemon, bytes sent (None without a transfer)."""

    sample: Sample
    postgresql: float
    daemon: float
    sent: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result; its figures are medians."""

    way: str
    night: int
    costs: tuple[Cost, ...]

    @property
    def wall(self) -> float:
        """Return seconds of wall clock."""
        return statistics.median(one.sample.wall for one in self.costs)

    @property
    def cpu(self) -> float:
        """Return CPU seconds of the clients."""
        return statistics.median(one.sample.cpu for one in self.costs)

    @property
    def sent(self) -> float | None:
        """Return bytes sent."""
        known = [one.sent for one in self.costs if one.sent is not None]
        return statistics.median(known) if known else None


class Bench:
    """Runs the ways of a backup against the servers."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        # The programs themselves: Debian's pg_dump is a Perl script that looks for them.
        self._environment |= {
            "PATH": f"{servers.bin}:{BIN}:{self._environment['PATH']}",
            "ANSIBLE_STDOUT_CALLBACK": "minimal",
        }
        self._local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}

    def measured(self, command: Sequence[str], **environment: str) -> tuple[Sample, float, float]:
        """Run a command and return its sample, and the CPU of PostgreSQL and of the daemon meanwhile.

        Raises:
            RuntimeError: it failed.
        """
        before = self.servers.cpu()
        sample = run([*tied(), *command], cwd=ROOT, environment={**self._environment, **environment})
        after = self.servers.cpu()
        return sample, after[0] - before[0], after[1] - before[1]

    def playbook(
        self, host: dict[str, Any], task: dict[str, object], inventory: Path | None = None
    ) -> tuple[Sample, float, float]:
        """Run a play of one task on one host, and return what it took.

        Raises:
            RuntimeError: it failed.
        """
        folder = self.servers.folder
        hosts = inventory or folder / "hosts.json"
        if inventory is None:
            hosts.write_text(json.dumps({"all": {"hosts": {"srv": {**host, "lycee_data_dir": str(folder)}}}}), "utf-8")
        playbook = folder / "play.json"
        play = {"name": "Bench", "hosts": "srv", "gather_facts": False, "tasks": [{"name": "Back up", **task}]}
        playbook.write_text(json.dumps([play]), "utf-8")
        return self.measured([str(BIN / "ansible-playbook"), "-i", str(hosts), str(playbook)])

    def plain(self, way: str, label: str, night: int, count: int) -> Cost:
        """Run the old way, or the pool.

        Raises:
            RuntimeError: it failed, or not every dump arrived.
        """
        servers, folder = self.servers, self.servers.folder / way
        command = [
            sys.executable,
            "-m",
            "bench.database_plain",
            way,
            str(servers.bin),
            ADDRESS,
            str(servers.port),
            USER,
        ]
        target = f"{label}-{way}"
        taken = self.measured(
            [*command, str(folder), f"{servers.url}/{target}", _DAYS[night]],
            PGPASSWORD=PASSWORD,
            RSYNC_PASSWORD=RSYNC_PASSWORD,
        )
        _expect(count * night, len([path for path in (servers.module / target).rglob("*") if path.is_file()]), way)
        found = re.search(r"^Total bytes sent: ([\d,]+)", Path(f"{folder}.sent").read_text("utf-8"), re.M)
        assert found is not None
        return Cost(*taken, int(found[1].replace(",", "")))

    def loop(self, names: Sequence[str]) -> Cost:
        """Run the loop of tasks.

        Raises:
            RuntimeError: it failed, or not every dump is there.
        """
        folder = self.servers.folder / "loop"
        folder.mkdir(exist_ok=True)
        dump = {
            **{"login_host": ADDRESS, "login_port": self.servers.port, "login_user": USER, "login_password": PASSWORD},
            **{"name": "{{ item }}", "state": "dump", "target": f"{folder}/{{{{ item }}}}.pgc"},
        }
        taken = self.playbook(self._local, {"community.postgresql.postgresql_db": dump, "loop": list(names)})
        _expect(len(names), len([path for path in folder.iterdir() if path.stat().st_size > 1000]), "loop")
        for path in folder.iterdir():
            path.unlink()
        return Cost(*taken, None)

    def ours(self, label: str, states: dict[str, int]) -> Cost:
        """Run ours on the Linux server.

        Raises:
            RuntimeError: it failed, or not as many databases are saved and unchanged as there should be.
        """
        servers = self.servers
        access = {
            **{"database_host": ADDRESS, "database_port": servers.port, "database_password": PASSWORD},
            **{"pg_bin": str(servers.bin), "staging": str(servers.folder / "staging")},
        }
        taken = self.playbook(self._local, self._task(label, access))
        return Cost(*taken, self._sent(label, states))

    def ours_on_windows(self, label: str, inventory: Path, count: int, *, rsync: bool) -> Cost:
        """Run ours on the played Windows server, whose own rsync sends the dumps, or from which they come through WinRM.

        Raises:
            RuntimeError: it failed, or not every database is saved.
        """
        access: dict[str, object] = {"database_host": "{{ ansible_host }}", "database_password": PASSWORD}
        task = self._task(label, access if rsync else {**access, "rsync": ""})
        taken = self.playbook({}, task, inventory)
        return Cost(*taken, self._sent(label, {"saved": count}))

    def _task(self, label: str, access: dict[str, Any]) -> dict[str, object]:
        servers = self.servers
        destination = {
            **{"name": "bench", "type": "rsync", "url": servers.url, "password": RSYNC_PASSWORD},
            "path": str(servers.module),
        }
        return {
            "lycee.openerp.postgresql_backup": {
                **{"catalog_dir": str(servers.folder / "catalog"), "set": label, "destinations": [destination]},
                **{"local_pg_bin": str(servers.bin), "restore_sample": False},
                **access,
            }
        }

    def _sent(self, label: str, states: dict[str, int]) -> int:
        """Check the newest run's result and return how many bytes it sent."""
        newest = max((self.servers.folder / "catalog" / label / "runs").glob("*.json"))
        result = json.loads(newest.read_text("utf-8"))
        found = [item["state"] for item in result["items"] if item["kind"] == "database"]
        for state, count in states.items():
            _expect(count, found.count(state), f"{label}, {state}")
        _expect(sum(states.values()), len(found), label)
        return int(result["bytes_sent"])


def _expect(wanted: int, found: int, about: str) -> None:
    if wanted != found:
        raise RuntimeError(f"{about}: {found} databases, and {wanted} were expected")


def two_nights(servers: Servers, count: int, runs: int) -> list[Row]:
    """Measure every way on full databases, on a first night and on a second one; a quarter of them is changed between."""
    names = [f"Specibike{number:03d}" for number in range(count)]
    started = time.monotonic()
    servers.sql(school.ROLES)
    servers.make_template("bench_full", school.full())
    servers.copy_template("bench_full", names)
    servers.run_each({name: school.own(name, number) for number, name in enumerate(names)})
    size = int(servers.sql(f"SELECT pg_database_size('{names[0]}')"))
    print(f"{count} databases of {size / 1e6:.0f} MB made in {time.monotonic() - started:.0f} s", flush=True)
    bench = Bench(servers)
    costs: dict[tuple[str, int], list[Cost]] = {}

    def note(way: str, night: int, cost: Cost) -> None:
        costs.setdefault((way, night), []).append(cost)
        print(
            f"  night {night}, {way}: {cost.sample.wall:.1f} s wall, {cost.sample.cpu:.1f} s CPU "
            f"(load {os.getloadavg()[0]:.1f})",
            flush=True,
        )

    for number in range(runs):
        label = f"run{number}"
        changed = names[: count // 4]
        note(OLD, 1, bench.plain("old", label, 1, count))
        note(OURS, 1, bench.ours(label, {"saved": count}))
        note(POOL, 1, bench.plain("pool", label, 1, count))
        note(LOOP, 1, bench.loop(names))
        servers.run_each({name: school.afternoon(name, number) for name in changed})
        note(OLD, 2, bench.plain("old", label, 2, count))
        note(OURS, 2, bench.ours(label, {"saved": len(changed), "unchanged": count - len(changed)}))
        note(POOL, 2, bench.plain("pool", label, 2, count))
    return [Row(way, night, tuple(taken)) for (way, night), taken in sorted(costs.items(), key=lambda pair: pair[0][1])]


def table(rows: Sequence[Row]) -> list[str]:
    """Return the nights as lines of a Markdown table."""
    lines = [
        "| way | night | runs | wall s | client CPU s | PostgreSQL CPU s | rsync daemon CPU s | MB sent |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        postgresql, daemon = (
            statistics.median(values)
            for values in ([one.postgresql for one in row.costs], [one.daemon for one in row.costs])
        )
        sent = "-" if row.sent is None else f"{row.sent / 1e6:.1f}"
        lines.append(
            f"| {row.way} | {row.night} | {len(row.costs)} | {row.wall:.1f} | {row.cpu:.1f} | {postgresql:.1f} | "
            f"{daemon:.1f} | {sent} |"
        )
    return lines


def verdicts(rows: Sequence[Row]) -> list[str]:
    """Return the aims of the project and whether this run reached them."""
    by_way = {(row.way, row.night): row for row in rows}
    old, loop, pool, ours = (by_way[way, 1] for way in (OLD, LOOP, POOL, OURS))
    old_again, ours_again = by_way[OLD, 2], by_way[OURS, 2]
    faster, faster_again = old.wall / ours.wall, old_again.wall / ours_again.wall
    without, with_proof = loop.cpu / pool.cpu, loop.cpu / ours.cpu
    assert old_again.sent is not None
    assert ours_again.sent is not None
    part = ours_again.sent / old_again.sent
    return [
        f"{_mark(faster >= 2.5)} the old way takes {faster:.2f} times the wall of ours, which also proves (at least 2.5; second "
        f"night {faster_again:.2f})",
        f"{_mark(without >= 4)} CPU of the loop: {without:.1f} times that of the plain pool, without proof (at least 4)",
        f"{_mark(with_proof >= 3)} CPU of the loop: {with_proof:.1f} times that of ours with transfer and proof (at least 3)",
        f"{_mark(part <= 1 / 3)} second night: ours sends {part:.2f} of the bytes of the old way (at most 0.33)",
    ]


def _mark(reached: bool) -> str:
    return "reached:" if reached else "MISSED: "


def many(servers: Servers, counts: Sequence[int]) -> list[str]:
    """Measure ours on more and more small databases; return lines of a Markdown table."""
    servers.sql(school.ROLES)
    servers.make_template("bench_small", school.small())
    lines = [
        "| small databases, ours with transfer and proof | wall s | client CPU s | wall s each | client CPU s each | "
        "wall s of each further one | client CPU s of each further one |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    bench = Bench(servers)
    made, before = 0, Sample(0, 0)
    for count in counts:
        servers.copy_template("bench_small", [f"Specibike{number:03d}" for number in range(made, count)])
        sample = bench.ours(f"small{count}", {"saved": count}).sample
        print(f"  {count} small databases: {sample.wall:.1f} s wall (load {os.getloadavg()[0]:.1f})", flush=True)
        further = (
            f"{(sample.wall - before.wall) / (count - made):.3f} | {(sample.cpu - before.cpu) / (count - made):.3f}"
            if made
            else "- | -"
        )
        lines.append(
            f"| {count} | {sample.wall:.1f} | {sample.cpu:.1f} | {sample.wall / count:.3f} | {sample.cpu / count:.3f} | "
            f"{further} |"
        )
        made, before = count, sample
    return lines


class School:
    """A played Windows server with databases; a context manager that ends with this process."""

    def __init__(self, folder: Path, count: int) -> None:
        self.inventory = folder / "windows.json"
        variables = {
            "ansible_host": _WINDOWS_ADDRESS,
            "ansible_connection": "winrm",
            "ansible_port": 5985,
            "ansible_winrm_transport": "ntlm",
            "ansible_user": _WINDOWS_USER,
            "ansible_password": _WINDOWS_PASSWORD,
            "lycee_data_dir": str(folder),
            "lab_kind": "windows",
            "lab_openerp": True,
            "lab_cygwin": True,
            "lab_postgresql": {
                "password": PASSWORD,
                "databases": [f"Specibike{number:03d}" for number in range(count)],
            },
        }
        self.inventory.write_text(json.dumps({"all": {"hosts": {"srv": variables}}}), "utf-8")

    def __enter__(self) -> School:
        self._lab("up", "--owner-pid", str(os.getpid()))
        return self

    def __exit__(self, *_args: object) -> None:
        self._lab("down")

    def _lab(self, verb: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "lab", verb, "-i", str(self.inventory), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"bench: lab {verb} failed: {done.stderr}{done.stdout}")


def windows(servers: Servers, inventory: Path, count: int) -> list[str]:
    """Measure ours on the played Windows server; return lines of a Markdown table."""
    lines = [
        f"| {count} databases of 250 tables on a played Windows server, ours | wall s | wall s each | MB sent by rsync |",
        "| --- | --- | --- | --- |",
    ]
    bench = Bench(servers)
    for way, rsync in (("by the server's own rsync", True), ("through WinRM", False)):
        cost = bench.ours_on_windows(f"windows-{rsync}".lower(), inventory, count, rsync=rsync)
        wall = cost.sample.wall
        lines.append(f"| {way} | {wall:.1f} | {wall / count:.2f} | {(cost.sent or 0) / 1e6:.1f} |")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.databases", description="Measure the backup of databases.")
    parser.add_argument(
        "--runs", type=int, default=1, help="runs of the 40 databases, of which the median counts (default 1)"
    )
    parser.add_argument("--quick", action="store_true", help="8 databases, at most 200 small ones, and 2 on Windows")
    options = parser.parse_args()
    count, counts, played = (8, (40, 200), 2) if options.quick else (40, (40, 200, 400), 8)
    with Servers() as servers, adopting_daemons():
        rows = two_nights(servers, count, options.runs)
    print("\n" + "\n".join(table(rows)) + "\n\n" + "\n".join(verdicts(rows)) + "\n", flush=True)
    if options.quick:
        print("The aims are for 40 databases: with 8, what a run costs once weighs five times as much.\n", flush=True)
    with Servers() as servers:
        with adopting_daemons():
            lines = many(servers, counts)
        print("\n" + "\n".join(lines) + "\n", flush=True)
        with School(servers.folder, played) as played_school, adopting_daemons():
            print("\n".join(windows(servers, played_school.inventory, played)))


if __name__ == "__main__":
    main()
