# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure half of the job runner: a job file in; command line, environment, mail and decisions out."""

from __future__ import annotations

import datetime as dt
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

EX_CANTCREAT = 73
EX_IOERR = 74
EX_BUSY = 75
EX_CONFIG = 78
EX_TIMEOUT = 124

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
FQCN = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*){2,}")
ADDRESS = re.compile(r"[^\s<>,;:\"()]+")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TAIL_LINES = 60


class JobError(Exception):
    """The job cannot run as it is described; the message is one sentence for the admin."""


@dataclass(frozen=True)
class Mail:
    """Where the failure of a job is mailed."""

    address: str
    sender: str | None
    smtp_host: str | None
    smtp_port: int


@dataclass(frozen=True)
class Job:
    """One job file, checked."""

    name: str
    project_dir: str
    ansible_config: str | None
    playbook: str
    inventory: tuple[str, ...]
    limit: str | None
    extra_args: tuple[str, ...]
    environment: dict[str, str]
    vault_password_file: str | None
    timeout: int | None
    grace: int
    log_dir: str
    log_keep_days: int
    log_keep_min: int
    state_dir: str
    hook_command: tuple[str, ...]
    hook_mail: Mail | None
    hook_on_busy: bool
    language: str


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the word for machines, the sentence for people."""

    exit: int
    reason: str
    message: str


class _Fields:
    """Takes the fields out of a mapping, each with its type; what is left over is unknown."""

    def __init__(self, data: object, what: str) -> None:
        if not isinstance(data, dict):
            raise JobError(f"{what} is not a JSON object.")
        self._data: dict[str, Any] = dict(data)
        self._what = what

    def take(self, key: str, kind: type, wanted: str, good: Callable[[Any], bool], default: Any = ...) -> Any:
        """The value of `key`, or `default` when the key is absent or null and a default is given."""
        value = self._data.pop(key, None)
        if value is None and default is not ...:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or not good(value):
            raise JobError(f"{self._what}: {key} must be {wanted}, not {value!r}.")
        return value

    def text(self, key: str, default: Any = ...) -> Any:
        return self.take(key, str, "a text without control characters", _printable, default)

    def path(self, key: str, default: Any = ...) -> Any:
        return self.take(key, str, "an absolute path", lambda v: _printable(v) and v.startswith("/"), default)

    def number(self, key: str, least: int, default: Any = ...) -> Any:
        return self.take(key, int, f"a whole number of at least {least}", lambda v: v >= least, default)

    def words(self, key: str) -> tuple[str, ...]:
        value = self.take(
            key, list, "a list of texts", lambda v: all(isinstance(w, str) and "\0" not in w for w in v), []
        )
        return tuple(value)

    def end(self) -> None:
        """Refuses what nobody took."""
        if self._data:
            raise JobError(f"{self._what}: unknown field {', '.join(sorted(self._data))}.")


def _any(_value: object) -> bool:
    return True


def _printable(value: str) -> bool:
    return value != "" and not any(ord(c) < 32 or ord(c) == 127 for c in value)


def parse_job(data: object) -> Job:
    """Checks the content of a job file and returns the job; raises JobError with one sentence."""
    f = _Fields(data, "The job file")
    name = f.take(
        "name",
        str,
        "lower-case letters, digits, _ and - (first a letter or a digit)",
        lambda v: bool(NAME.fullmatch(v)),
    )
    f = _Fields({k: v for k, v in data.items() if k != "name"} if isinstance(data, dict) else data, f"Job {name}")
    hook = _Fields(f.take("on_failure", dict, "an object", _any, {}), f"Job {name}, on_failure")
    address = hook.take("mail", str, "one mail address", lambda v: bool(ADDRESS.fullmatch(v)), None)
    sender = hook.take("from", str, "one mail address", lambda v: bool(ADDRESS.fullmatch(v)), None)
    smtp_host = hook.text("smtp_host", None)
    smtp_port = hook.take("smtp_port", int, "a port", lambda v: 0 < v < 65536, 25)
    command = hook.words("command")
    on_busy = hook.take("busy", bool, "true or false", _any, False)
    hook.end()
    job = Job(
        name=name,
        project_dir=f.path("project_dir"),
        ansible_config=f.path("ansible_config", None),
        playbook=f.take(
            "playbook",
            str,
            "an absolute path or namespace.collection.playbook",
            lambda v: _printable(v) and (v.startswith("/") or bool(FQCN.fullmatch(v))),
        ),
        inventory=f.words("inventory"),
        limit=f.text("limit", None),
        extra_args=f.words("extra_args"),
        environment=f.take("environment", dict, "an object of texts", _is_environment, {}),
        vault_password_file=f.path("vault_password_file", None),
        timeout=f.number("timeout", 1, None),
        grace=f.number("grace", 0, 30),
        log_dir=f.path("log_dir"),
        log_keep_days=f.number("log_keep_days", 1),
        log_keep_min=f.number("log_keep_min", 1),
        state_dir=f.path("state_dir"),
        hook_command=command,
        hook_mail=Mail(address, sender, smtp_host, smtp_port) if address else None,
        hook_on_busy=on_busy,
        language=f.take("language", str, "en or fr", lambda v: v in MAIL_TEXT, "en"),
    )
    f.end()
    for word in job.extra_args:
        if word.startswith(("--vault", "--ask", "-K", "-k", "-J")):
            raise JobError(
                f"Job {name}: {word} cannot stand in extra_args: nobody can answer a prompt,"
                " and the vault password file has its own field."
            )
    for key in job.environment:
        if key.startswith(("ANSIBLE_VAULT", "LYCEE_")):
            raise JobError(f"Job {name}: {key} cannot stand in environment: the role sets it or has a field for it.")
    return job


def _is_environment(value: dict[Any, Any]) -> bool:
    return all(
        isinstance(k, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", k) and isinstance(v, str) and "\0" not in v
        for k, v in value.items()
    )


def vault_problem(path: str, uid: int) -> str | None:
    """One sentence saying why the vault password file cannot be used by user `uid`, with the cure; None when it can."""
    what = f"The vault password file {path}"
    try:
        st = Path(path).stat()
    except OSError as exc:
        return f"{what} cannot be read ({exc.strerror}): write the password into it, then: chmod 600 {path}"
    if not stat.S_ISREG(st.st_mode):
        return f"{what} is not a regular file: name a file that holds the password, or a script that prints it."
    if st.st_uid != uid:
        return f"{what} belongs to user {st.st_uid}, not to the user of the job ({uid}): chown {uid} {path}"
    mode = stat.S_IMODE(st.st_mode)
    if mode & 0o7077:
        cure = "700" if mode & 0o100 else "600"
        return f"{what} has mode {mode:04o}, so that others may reach it: chmod {cure} {path}"
    if not mode & 0o400:
        return f"{what} has mode {mode:04o}, so that its owner cannot read it: chmod 600 {path}"
    if st.st_size == 0:
        return f"{what} is empty: write the password into it."
    return None


def build_argv(job: Job, ansible_playbook: str) -> list[str]:
    """The command line of ansible-playbook for a job."""
    argv = [ansible_playbook]
    for source in job.inventory:
        argv += ["--inventory", source]
    if job.vault_password_file:
        argv += ["--vault-password-file", job.vault_password_file]
    if job.limit:
        argv += ["--limit", job.limit]
    return [*argv, *job.extra_args, job.playbook]


def build_env(job: Job, python: str, home: str, user: str, run_id: str) -> dict[str, str]:
    """The whole environment of a job: nothing is inherited, so that a night run is like a run by day."""
    env = {
        "PATH": f"{Path(python).parent}:{SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if job.ansible_config:
        env["ANSIBLE_CONFIG"] = job.ansible_config
    return {**env, **job.environment, "LYCEE_JOB": job.name, "LYCEE_RUN_ID": run_id}


def hook_env(env: Mapping[str, str], outcome: Outcome, log: str, host: str) -> dict[str, str]:
    """The environment of the failure hook: the job's own, and what happened."""
    kept = {k: v for k, v in env.items() if k != "LYCEE_RUN_ID"}
    return {
        **kept,
        "LYCEE_EXIT": str(outcome.exit),
        "LYCEE_REASON": outcome.reason,
        "LYCEE_MESSAGE": outcome.message,
        "LYCEE_LOG": log,
        "LYCEE_HOST": host,
    }


def stamp(moment: dt.datetime) -> str:
    """A moment as it stands in the name of a log."""
    return moment.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def log_name(job: str, moment: dt.datetime, again: int) -> str:
    """The name of a log; `again` counts the runs of one second, from 0."""
    return f"{job}-{stamp(moment)}{f'.{again}' if again else ''}.log"


def logs_to_delete(names: Iterable[str], job: str, now: dt.datetime, keep_days: int, keep_min: int) -> list[str]:
    """The logs of `job` older than `keep_days`, never one of the `keep_min` newest; other names are not touched."""
    pattern = re.compile(re.escape(job) + r"-(\d{8}T\d{6}Z)(?:\.([1-9]\d{0,5}))?\.log", re.ASCII)
    mine = []
    for name in names:
        found = pattern.fullmatch(name)
        if found:
            mine.append((found[1], int(found[2] or 0), name))
    limit = stamp(now - dt.timedelta(days=keep_days))
    return [name for when, _unused, name in sorted(mine, reverse=True)[keep_min:] if when < limit]


def outcome_of(returncode: int, stopped: str | None, timeout: int | None) -> Outcome:
    """How a run ended, from the status of ansible-playbook and from what the runner did to it."""
    if stopped == "timeout":
        return Outcome(EX_TIMEOUT, "timeout", f"The time limit of {timeout} s was reached and the run was ended.")
    if stopped:
        signum = int(stopped)
        return Outcome(128 + signum, "signal", f"The runner received signal {signum} and ended the run.")
    if returncode == 0:
        return Outcome(0, "success", "ansible-playbook ended with exit code 0.")
    if returncode < 0:
        return Outcome(128 - returncode, "signal", f"ansible-playbook was ended by signal {-returncode}.")
    return Outcome(returncode, "failed", f"ansible-playbook ended with exit code {returncode}.")


def build_state(
    job: str,
    previous: Mapping[str, Any],
    span: tuple[dt.datetime, dt.datetime],
    outcome: Outcome,
    *,
    log: str,
    lost: bool,
) -> dict[str, Any]:
    """The last result of a job, as it is written for whoever monitors it; `lost`: the run before left no result."""
    started, ended = span
    before = previous.get("consecutive_failures")
    failures = (before if isinstance(before, int) else 0) + (1 if lost else 0)
    return {
        "job": job,
        "started": started.astimezone(dt.UTC).isoformat(timespec="seconds"),
        "ended": ended.astimezone(dt.UTC).isoformat(timespec="seconds"),
        "duration_s": round((ended - started).total_seconds(), 1),
        "exit": outcome.exit,
        "reason": outcome.reason,
        "message": outcome.message,
        "log": log,
        "consecutive_failures": 0 if outcome.exit == 0 else failures + 1,
        "last_success": ended.astimezone(dt.UTC).isoformat(timespec="seconds")
        if outcome.exit == 0
        else previous.get("last_success"),
    }


MAIL_TEXT = {
    "en": {
        "subject": "[{host}] job {job} failed (exit code {exit})",
        "body": "Job {job} on {host} failed.\n\nReason: {reason}\n{message}\nExit code: {exit}\nLog: {log}\n\n"
        "The end of the log:\n\n{tail}\n",
        "none": "(no log)",
    },
    "fr": {
        "subject": "[{host}] la tâche {job} a échoué (code de sortie {exit})",
        "body": "La tâche {job} sur {host} a échoué.\n\nRaison : {reason}\n{message}\n"
        "Code de sortie : {exit}\nJournal : {log}\n\nFin du journal :\n\n{tail}\n",
        "none": "(pas de journal)",
    },
}
REASON_FR = {
    "failed": "la commande a échoué",
    "timeout": "délai dépassé",
    "signal": "arrêt par un signal",
    "config": "tâche mal configurée",
    "io": "écriture impossible sur le disque",
    "busy": "une autre exécution est en cours",
}


def tail_of(text: str, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, without control characters."""
    kept = text.splitlines()[-lines:]
    return "\n".join("".join(c for c in line if c == "\t" or ord(c) >= 32) for line in kept)


def build_mail(job: Job, mail: Mail, outcome: Outcome, *, log: str, tail: str, host: str) -> EmailMessage:
    """The mail about a failed run, in the language of the job."""
    text = MAIL_TEXT[job.language]
    reason = REASON_FR.get(outcome.reason, outcome.reason) if job.language == "fr" else outcome.reason
    values = {
        "job": job.name,
        "host": host,
        "exit": outcome.exit,
        "reason": reason,
        "message": outcome.message,
        "log": log or text["none"],
        "tail": tail or text["none"],
    }
    message = EmailMessage()
    message["Subject"] = text["subject"].format(**values)
    message["From"] = mail.sender or f"lycee-openerp@{host}"
    message["To"] = mail.address
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text["body"].format(**values), cte="quoted-printable")
    return message
