# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearse the whole school: the lab, ``site.yml`` twice, the stories of ``rehearsals/``, a summary.

Then the same school in the other topology, two servers with one set of data: a lab of ``inventories/lab_pair``, the stories of
``rehearsals/pair/`` in the order of their names, and that lab goes down. The second run of ``site.yml`` has to change
nothing. The lab is made anew at the beginning, so that what an interrupted
rehearsal left behind has no part in it, and is left up. The summary stands in ``var/lab/rehearsal.json`` too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.archive import Archive
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.report import report, table

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "var" / "lab"
LOGS = DATA / "rehearsal"
PAIR = "inventories/lab_pair/hosts.yml"
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the rehearsal: what it was, how it ended, how long it took in seconds."""

    name: str
    ok: bool
    seconds: float
    note: str


def run(name: str, command: list[str], *, unchanged: bool = False) -> Step:
    """Run one step, show its output, and keep it in a log of its own.

    Args:
        name: what the summary calls it.
        command: the program and its arguments.
        unchanged: it is a playbook that may change nothing.
    """
    print(f"\n### {name}: {' '.join(command)}\n", flush=True)
    started = time.monotonic()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
    }
    text = ""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            text += line
    (LOGS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.log").write_text(text, "utf-8")
    hosts = _RECAP.findall(text)
    changed = sorted(host for host, _ok, changes, *_rest in hosts if int(changes))
    ok, note = process.returncode == 0, ""
    if process.returncode:
        note = f"exit status {process.returncode}"
    elif hosts:
        note = f"{len(hosts)} hosts, {len(changed)} changed"
    if unchanged and ok and (changed or not hosts):
        ok, note = False, f"changed again: {', '.join(changed)}" if changed else "no host was played"
    return Step(name, ok, round(time.monotonic() - started, 1), note)


def stories(folder: str) -> list[Path]:
    """Return the playbooks of a folder, by name."""
    return sorted((ROOT / folder).glob("*.yml"))


def pair_stories(lab: list[str], playbook: str) -> list[Step]:
    """Play the stories of two servers with one set of data, on a lab of their own that is down in the end."""
    inventory = ["-i", PAIR]
    run("pair lab down", [*lab, "down", *inventory])
    # What an interrupted rehearsal left there belongs to servers that are no more.
    shutil.rmtree(ROOT / "var" / "lab_pair", ignore_errors=True)
    steps = [run("pair lab up", [*lab, "up", *inventory])]
    if steps[0].ok:
        for story in stories("rehearsals/pair"):
            steps.append(run(f"story pair {story.stem}", [playbook, *inventory, str(story.relative_to(ROOT))]))
    steps.append(run("pair lab down", [*lab, "down", *inventory]))
    return steps


def main() -> int:
    """Run everything, print the summary, and return 0 when every step went well."""
    LOGS.mkdir(parents=True, exist_ok=True)
    lab = [sys.executable, "-m", "lab"]
    playbook = str(Path(sys.executable).with_name("ansible-playbook"))
    down = run("lab down", [*lab, "down"])
    steps = [run("lab up", [*lab, "up"])]
    if down.ok and steps[0].ok:
        steps.append(run("site.yml", [playbook, "playbooks/site.yml"]))
        steps.append(run("site.yml again", [playbook, "playbooks/site.yml"], unchanged=True))
        steps += [
            run(f"story {story.stem}", [playbook, str(story.relative_to(ROOT))]) for story in stories("rehearsals")
        ]
        steps += pair_stories(lab, playbook)

    inventory = json.loads(
        subprocess.run(
            [str(Path(playbook).with_name("ansible-inventory")), "--list"], cwd=ROOT, capture_output=True, check=True
        ).stdout
    )
    network = sorted({host for group in members(inventory, "network") for host in inventory[group].get("hosts", [])})
    devices = report(Archive(DATA / "network"), network, datetime.now(UTC))
    saved = all(device.state == "ok" for device in devices if device.state != "retired")
    print("\n" + "\n".join(table(devices)))
    width = max(len(step.name) for step in steps)
    print(f"\n{'step'.ljust(width)}  result  seconds")
    for step in steps:
        print(f"{step.name.ljust(width)}  {'ok' if step.ok else 'FAILED':6}  {step.seconds:7.1f}  {step.note}")
    ok = saved and all(step.ok for step in steps)
    summary = {"ok": ok, "steps": [asdict(step) for step in steps], "devices": [device.as_dict() for device in devices]}
    (DATA / "rehearsal.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
    count = sum(device.state == "ok" for device in devices)
    print(
        f"\n{'The rehearsal went well' if ok else 'The rehearsal FAILED'}: {count} of {len(network)} devices are backed up in "
        f"{DATA.relative_to(ROOT)}/network; logs in {LOGS.relative_to(ROOT)}/. The lab is up: make lab-down ends it."
    )
    return 0 if ok else 1


def members(inventory: dict[str, dict[str, list[str]]], group: str) -> list[str]:
    """Return ``group`` and the groups below it, as ``ansible-inventory --list`` gives them."""
    found = [group]
    for child in inventory.get(group, {}).get("children", []):
        found += members(inventory, child)
    return [name for name in found if name in inventory]


if __name__ == "__main__":
    sys.exit(main())
