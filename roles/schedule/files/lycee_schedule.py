# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role asks at configure time; reads JSON on standard input, writes JSON on standard output, changes nothing.

plan: the role's variables in; out the job files, ExecStart and cron lines, what to remove, a sentence per error.
readback: a plan in; out what the scheduler really holds, and one sentence for each thing that it does not hold.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lycee_job_lib as lib
from lycee_job import environment, ready_problem
from lycee_schedule_lib import at_problem, at_to_calendar, at_to_cron, cron_command, cron_problem, exec_start
from lycee_schedule_read import DAEMONS, readback, run, which

BOOTED = Path("/run/systemd/system")
ANSIBLE_PLAYBOOK = str(Path(sys.executable).parent / "ansible-playbook")
CRON_LINE_MAX = 950
SHARED = ("", "etc", "home", "opt", "root", "run", "srv", "tmp", "usr", "var", "var/lib", "var/log", "var/tmp")
INHERITED = ("ansible_config", "environment", "timeout", "log_keep_days", "log_keep_min", "on_failure", "language")


@dataclass(frozen=True)
class Setting:
    """What holds for all jobs: the role's variables, and what they come to for this user on this host."""

    given: dict[str, Any]
    places: dict[str, str]
    backend: str
    scope: str
    user: str
    activate: bool

    @property
    def in_crontab(self) -> bool:
        """Whether the entries are lines of the user's own crontab."""
        return self.backend == "cron" and not self.places["cron_dir"]

    def absolute(self, path: str) -> str:
        """A path of the variables, seen from the project."""
        return str(Path(self.given["project_dir"]) / Path(path).expanduser())


def choose_places(given: dict[str, Any], scope: str, root: bool, home: str) -> dict[str, str]:
    """The folders of the role for this user; an empty cron_dir means the crontab."""
    state = f"{home}/.local/state/lycee-openerp"
    default = {
        "dir": "/var/lib/lycee-openerp/schedule" if root else f"{home}/.local/share/lycee-openerp/schedule",
        "log_dir": "/var/log/lycee-openerp" if root else f"{state}/log",
        "state_dir": "/var/lib/lycee-openerp/state" if root else f"{state}/schedule",
        "unit_dir": "/etc/systemd/system" if scope == "system" else f"{home}/.config/systemd/user",
        "cron_dir": "/etc/cron.d" if root else "",
    }
    named = {key: given[key] for key in default if given.get(key) is not None}
    if given.get("dir") is not None:  # who moves the folder means all that the role writes of its own
        default |= {"log_dir": f"{given['dir']}/log", "state_dir": f"{given['dir']}/state"}
    project = Path(given["project_dir"])
    default = {key: str(project / Path(path).expanduser()) if path else "" for key, path in default.items()}
    return {**default, **{key: str(project / Path(path).expanduser()) if path else "" for key, path in named.items()}}


def choose_backend(wanted: str, activate: bool) -> tuple[str, str | None]:
    """The back end, and a sentence when it cannot work here."""
    systemd = BOOTED.is_dir() and which("systemctl") is not None
    cron = any(which(name) for name in (*DAEMONS, "crontab"))
    if wanted == "auto":
        if systemd or cron:
            return "systemd" if systemd else "cron", None
        return "cron", "Neither systemd nor cron is at work on this host: install one, for instance: apt install cron"
    if wanted == "systemd" and activate and not systemd:
        return (
            wanted,
            "systemd is not the init of this host: choose schedule_backend: cron, or schedule_activate: false",
        )
    if wanted == "cron" and activate and not cron:
        return wanted, "There is no cron on this host: install it, for instance: apt install cron"
    return wanted, None


def choose_playbook(setting: Setting, item: dict[str, Any]) -> str:
    """The playbook of a job: a file of the project, or the name of one in a collection."""
    named = str(item.get("playbook") or "")
    found = setting.absolute(named)
    if Path(found).is_file():
        return found
    if lib.FQCN.fullmatch(named):
        return named
    raise lib.JobError(f"Job {item['name']}: there is no playbook {found}.")


def choose_vault(setting: Setting, item: dict[str, Any]) -> str | None:
    """The vault password file of a job; none only when the job says so."""
    if not item.get("vault", True):
        return None
    path = item.get("vault_password_file") or setting.given.get("vault_password_file")
    if not path:
        raise lib.JobError(
            f"Job {item['name']}: no vault password file is named: set schedule_vault_password_file to a file of"
            " mode 0600, or say vault: false in the job."
        )
    return setting.absolute(path)


def job_file(setting: Setting, item: dict[str, Any]) -> dict[str, Any]:
    """The content of a job file from the role's variables and one of schedule_jobs."""
    given = setting.given
    job = {key: item[key] if item.get(key) is not None else given.get(key) for key in INHERITED}
    sources = given["inventory"] if item.get("inventory") is None else item["inventory"]
    hook = job.get("on_failure") or {}
    job |= {
        "name": item["name"],
        "project_dir": given["project_dir"],
        "playbook": choose_playbook(setting, item),
        "inventory": [source if "," in source else setting.absolute(source) for source in sources],
        "limit": item.get("limit") or None,
        "extra_args": item.get("extra_args") or [],
        "vault_password_file": choose_vault(setting, item),
        "log_dir": setting.places["log_dir"],
        "state_dir": setting.places["state_dir"],
        "on_failure": {key: value for key, value in hook.items() if value is not None},
    }
    return {key: value for key, value in job.items() if value not in (None, "")}


def moment(item: dict[str, Any], backend: str) -> str:
    """When a job starts, in the words of the back end; raises JobError."""
    name, calendar, cron = (item.get(key) for key in ("name", "on_calendar", "cron"))
    at: dict[str, Any] = item.get("at") or {}
    problem = (at and at_problem(at)) or (cron and cron_problem(cron))
    if problem:
        raise lib.JobError(f"Job {name}: {problem}.")
    if calendar:
        analyze = which("systemd-analyze")
        good = re.fullmatch(r"[A-Za-z0-9*:/.,~_+ -]+", calendar)
        if not good or (analyze and run([analyze, "calendar", "--", calendar])[0] != 0):
            raise lib.JobError(f"Job {name}: on_calendar {calendar!r} is not a calendar expression of systemd.")
    if backend == "systemd" and (calendar or at):
        return str(calendar or at_to_calendar(at))
    if backend == "cron" and (cron or at):
        return str(cron or at_to_cron(at))
    if calendar or cron:
        raise lib.JobError(f"Job {name}: it does not say when in the words of {backend}, the back end: add at.")
    raise lib.JobError(f"Job {name}: it does not say when: add for instance at: {{hour: 21, minute: 0}}")


def check_job(job: lib.Job) -> None:
    """Refuses what would only be noticed at night; raises JobError."""
    if problem := ready_problem(job, ANSIBLE_PLAYBOOK):
        raise lib.JobError(f"Job {job.name}: {problem}")
    for source in job.inventory:
        if "," not in source and not Path(source).exists():
            raise lib.JobError(f"Job {job.name}: there is no inventory {source}.")
    if job.hook_mail and not job.hook_mail.smtp_host and not which("sendmail"):
        raise lib.JobError(
            f"Job {job.name}: no mail can leave this host: set smtp_host in on_failure, or install a mail program,"
            " for instance: apt install msmtp-mta"
        )
    if job.hook_command and not shutil.which(job.hook_command[0], path=lib.SYSTEM_PATH):
        raise lib.JobError(f"Job {job.name}: the failure hook {job.hook_command[0]} is not a program that can be run.")


def check_syntax(job: lib.Job) -> None:
    """Lets ansible-playbook read playbook, inventory and vault as the job will, without running anything."""
    argv = [*lib.build_argv(job, ANSIBLE_PLAYBOOK), "--syntax-check"]
    code, _unused, err = run(argv, environment(job, "syntax"), job.project_dir)
    if code:
        said = " ".join(line.strip() for line in err.splitlines() if line.strip())[:600]
        raise lib.JobError(f"Job {job.name}: ansible-playbook --syntax-check refuses it (exit code {code}): {said}")


def plan_job(setting: Setting, item: dict[str, Any]) -> dict[str, Any]:
    """One present job, ready for the templates; raises JobError."""
    name, where = item["name"], setting.places
    data = job_file(setting, item)
    job = lib.parse_job(data)
    check_job(job)
    argv = [sys.executable, f"{where['dir']}/lycee_job.py", f"{where['dir']}/jobs/{name}.json"]
    if any(ord(c) < 32 or c == "\\" for word in argv for c in word):
        raise lib.JobError(f"Job {name}: a path with a backslash or a control character cannot be scheduled: {argv!r}.")
    when = moment(item, setting.backend)
    delay = item.get("randomized_delay") or 0
    command = cron_command([*argv[:2], *(["--delay", str(delay)] if delay else []), argv[2]])
    cron_line = f"{when} {command}" if setting.in_crontab else f"{when} {setting.user} {command}"
    entry = f"{where['unit_dir']}/lycee-{name}.timer"
    if setting.backend == "cron":
        entry = "crontab" if setting.in_crontab else f"{where['cron_dir']}/lycee-{name}"
        if item.get("catch_up"):
            raise lib.JobError(f"Job {name}: catch_up is something that only systemd does, and the back end is cron.")
        if len(os.fsencode(cron_line)) > CRON_LINE_MAX:
            raise lib.JobError(f"Job {name}: its line is longer than cron takes: choose a shorter schedule_dir.")
    if setting.given["syntax_check"]:
        check_syntax(job)
    return {
        "name": name,
        "job": data,
        "job_path": argv[2],
        "entry": entry,
        "when": when,
        "when_fields": when.split(" "),
        "exec_start": exec_start(argv),
        "command": command,
        "cron_line": cron_line,
        "randomized_delay": delay,
        "catch_up": bool(item.get("catch_up")),
        "stop_after": job.grace + 30,
    }


def check_setting(setting: Setting, names: list[str], runtime: str) -> list[str]:
    """One sentence for each thing that keeps any job from being scheduled."""
    user = setting.user
    errors = [f"Job {name} stands twice in schedule_jobs." for name in sorted({n for n in names if names.count(n) > 1})]
    errors += [
        f"Job {name!r}: a name has lower-case letters, digits, _ and - only, and begins with a letter or a digit."
        for name in names
        if not lib.NAME.fullmatch(name)
    ]
    own = (*(f"/{path}" for path in SHARED), setting.given["project_dir"], str(Path("~").expanduser()))
    errors += [
        f"schedule_{key} is {setting.places[key]}, which is not the role's alone: name a folder below it."
        for key in ("dir", "log_dir", "state_dir")
        if os.path.normpath(setting.places[key]) in own
    ]
    if setting.in_crontab and not setting.activate:
        errors.append(
            f"schedule_activate is false, but an entry in the crontab of {user} would be active at once: name a folder"
            " in schedule_cron_dir."
        )
    if setting.backend == "systemd" and setting.scope == "user" and setting.activate and not Path(runtime).is_dir():
        errors.append(
            f"There is no systemd for user {user} ({runtime} is missing): log in as {user} itself, or as root run:"
            f" loginctl enable-linger {user}"
        )
    return errors


def plan(given: dict[str, Any]) -> dict[str, Any]:
    """Everything that the role has to do, or the errors that keep it from doing anything."""
    uid = os.geteuid()
    entry = pwd.getpwuid(uid)
    scope = given["scope"] if given["scope"] != "auto" else "system" if uid == 0 else "user"
    backend, problem = choose_backend(given["backend"], given["activate"])
    places = choose_places(given, scope, uid == 0, entry.pw_dir)
    setting = Setting(given, places, backend, scope, entry.pw_name, given["activate"])
    wanted = [item for item in given["jobs"] if item.get("state", "present") == "present"]
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}"
    errors = [problem] if problem and wanted else []
    errors += check_setting(setting, [item["name"] for item in given["jobs"]], runtime) if wanted else []
    present = []
    for item in wanted if not errors else ():
        try:
            present.append(plan_job(setting, item))
        except lib.JobError as exc:
            errors.append(str(exc))
    entry_dir = places["unit_dir"] if backend == "systemd" else places["cron_dir"]
    return {
        "errors": errors,
        "backend": backend,
        "scope": scope,
        "runtime_dir": runtime,
        "activate": setting.activate,
        "user": setting.user,
        "places": places,
        "entry_dir": entry_dir,
        "entry_dir_missing": bool(entry_dir) and not Path(entry_dir).is_dir(),
        "present": present,
        "notes": notes(setting) if present else [],
        **leavings(setting, [item["name"] for item in wanted]),
    }


def leavings(setting: Setting, wanted: list[str]) -> dict[str, list[str]]:
    """What must go: all of an absent job, and of a present one its entry in the other back end.

    Without activation a folder of the system that the variables do not name belongs to somebody else's jobs.
    """
    remove, stop, crontab = [], [], []
    where, given, backend, activate = setting.places, setting.given, setting.backend, setting.activate
    units = activate or backend == "systemd" or given.get("unit_dir") is not None
    crons = bool(where["cron_dir"]) and (activate or backend == "cron" or given.get("cron_dir") is not None)
    lines = run(["crontab", "-l"])[1].splitlines() if activate and which("crontab") else []
    for name in dict.fromkeys(item["name"] for item in given["jobs"] if lib.NAME.fullmatch(item["name"])):
        gone = name not in wanted
        timer, service = (f"{where['unit_dir']}/lycee-{name}.{kind}" for kind in ("timer", "service"))
        if gone:
            remove.append(f"{where['dir']}/jobs/{name}.json")
        if units and (gone or backend != "systemd"):
            remove += [timer, service]
            if activate and Path(timer).exists() and BOOTED.is_dir():
                stop.append(f"lycee-{name}.timer")
        if crons and (gone or backend != "cron"):
            remove.append(f"{where['cron_dir']}/lycee-{name}")
        if f"#Ansible: lycee-{name}" in lines and (gone or not setting.in_crontab):
            crontab.append(f"lycee-{name}")
    return {"remove": remove, "stop": stop, "crontab_remove": crontab}


def notes(setting: Setting) -> list[str]:
    """What the admin should know although nothing is wrong."""
    user = setting.user
    lingers = Path(f"/var/lib/systemd/linger/{user}").exists()
    if setting.activate and setting.backend == "systemd" and setting.scope == "user" and not lingers:
        return [f"The timers of {user} stop when {user} logs out: as root, run once: loginctl enable-linger {user}"]
    return []


def main(argv: list[str]) -> int:
    """The command line: plan or readback."""
    work = {"plan": plan, "readback": readback}[argv[0]]
    json.dump(work(json.load(sys.stdin)), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
