# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads back what the scheduler really holds."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import lycee_job_lib as lib

DAEMONS = ("cron", "crond", "fcron")


def which(program: str) -> str | None:
    """A program of the system."""
    return shutil.which(program, path=lib.SYSTEM_PATH)


def run(argv: list[str], env: dict[str, str] | None = None, cwd: str | None = None) -> tuple[int, str, str]:
    """Runs a program that only reads; returns its status, output and error output."""
    try:
        done = subprocess.run(
            argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return 127, "", str(exc)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def readback(planned: dict[str, Any]) -> dict[str, Any]:
    """Compares what is on the host with the plan."""
    errors, following = [], []
    crontab = (
        run(["crontab", "-l"])[1].splitlines() if any(item["entry"] == "crontab" for item in planned["present"]) else []
    )
    for item in planned["present"]:
        problem, when = read_entry(planned, item, crontab)
        if problem:
            errors.append(f"Job {item['name']}: {problem}")
        else:
            following.append(f"Job {item['name']}: {when}")
    if planned["present"] and planned["backend"] == "cron" and planned["activate"] and not cron_runs():
        errors.append(
            "The entries are written, but no cron daemon is running: start it, for instance with:"
            " systemctl enable --now cron"
        )
    return {"errors": errors, "next": following}


def read_entry(planned: dict[str, Any], item: dict[str, Any], crontab: list[str]) -> tuple[str | None, str]:
    """What is wrong with the entry of one job, and when it starts next."""
    path = item["entry"]
    if path == "crontab":
        return (
            (None, item["when"])
            if item["cron_line"] in crontab
            else (f"its line is not in the crontab of {planned['user']}.", "")
        )
    try:
        with Path(path).open(encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
            mode = os.fstat(file.fileno())
    except OSError as exc:
        return f"{path} cannot be read back: {exc.strerror}.", ""
    if planned["backend"] == "cron":
        if item["cron_line"] not in text.splitlines() or not text.endswith("\n"):
            return f"{path} does not hold its line.", ""
        if stat.S_IMODE(mode.st_mode) & 0o022 or mode.st_uid != os.geteuid():
            return f"{path} is not the user's own or others may write to it, so cron would ignore it.", ""
        return None, item["when"]
    if f"OnCalendar={item['when']}" not in text.splitlines():
        return f"{path} does not hold its time.", ""
    if not planned["activate"]:
        return None, item["when"]
    user = ["--user"] if planned["scope"] == "user" else []
    env = {**os.environ, "XDG_RUNTIME_DIR": planned["runtime_dir"]}
    unit = Path(path).name
    wanted = "ActiveState,SubState,UnitFileState,NextElapseUSecRealtime,FragmentPath"
    _unused, out, err = run(["systemctl", *user, "show", unit, "--property", wanted], env)
    shown = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    found = os.path.realpath(shown.get("FragmentPath", ""))
    if (
        shown.get("ActiveState") != "active"
        or shown.get("UnitFileState") != "enabled"
        or found != os.path.realpath(path)
    ):
        return f"systemd does not hold {unit} as active and enabled from {path}: {shown} {err.strip()}", ""
    if shown.get("SubState") == "running":
        return None, "runs just now"
    when = shown.get("NextElapseUSecRealtime", "")
    return (None if when else f"{unit} will never start again: {item['when']} has no next time."), when


def cron_runs() -> bool:
    """Whether a cron daemon is alive."""
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if path.read_text(encoding="utf-8", errors="replace").strip() in DAEMONS:
                return True
    return False
