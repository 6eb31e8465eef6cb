# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one scheduled playbook: python lycee_job.py [--delay SECONDS] JOB.json

The exit code is that of ansible-playbook, or 73 (cannot write), 74 (result or log lost), 75 (already running),
78 (wrong job or vault password file), 124 (time limit), 128 + n (ended by signal n).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import pwd
import random
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, NoReturn

import lycee_job_lib as lib
from lycee_job_procs import Supervisor, members, processes

HOOK_SECONDS = 120
SENDMAIL = "/usr/sbin/sendmail"


class Busy(Exception):
    """Another run of the job holds the lock, or the processes of a killed one still work."""


class Log:
    """The log of a run, repeated on standard output. Losing it does not end the run, but is remembered."""

    def __init__(self) -> None:
        self.path = ""
        self.error: OSError | None = None
        self.fd: int | None = None
        self._echo = True

    def open(self, job: lib.Job, moment: dt.datetime) -> None:
        """Creates the file; two runs of one second get two files."""
        again = 0
        while self.fd is None and self.error is None:
            path = f"{job.log_dir}/{lib.log_name(job.name, moment, again)}"
            try:
                self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
                self.path = path
            except FileExistsError:
                again += 1
            except OSError as exc:
                self.error = exc

    def write(self, data: bytes) -> None:
        """Appends to the log and to standard output."""
        if self.fd is not None and self.error is None:
            try:
                rest = data
                while rest:
                    rest = rest[os.write(self.fd, rest) :]
            except OSError as exc:
                self.error = exc
        if self._echo:
            try:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            except OSError:
                self._echo = False

    def say(self, sentence: str) -> None:
        """A sentence of the runner itself."""
        self.write(f"lycee_job: {sentence}\n".encode(errors="surrogateescape"))

    def tail(self) -> str:
        """The last lines, for the mail."""
        if not self.path:
            return ""
        with contextlib.suppress(OSError), Path(self.path).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 65536))
            return lib.tail_of(file.read().decode(errors="replace"))
        return ""


class Lock:
    """The lock of a job: a lock on an open file that no child inherits, and in the file who holds it."""

    def __init__(self, job: lib.Job) -> None:
        path = f"{job.state_dir}/{job.name}.lock"
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = self._read()
            who = f"by process {held['pid']} since {held['started']}" if held else "by a process that has just started"
            raise Busy(f"Job {job.name} is already running, held {who}; this run does nothing.") from None
        held = self._read()
        self.lost = bool(held)
        if held:
            left = members(processes(), str(held.get("run_id")), held.get("group"))
            if left:
                pids = " ".join(str(p.pid) for p in sorted(left, key=lambda p: p.pid))
                raise Busy(
                    f"Job {job.name}: its runner (process {held.get('pid')}, started {held.get('started')}) was killed,"
                    f" but what it had started still works; this run does nothing."
                    f" Wait for it, or end it with: kill {pids}"
                )

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(ValueError, OSError):
            data = json.loads(os.pread(self._fd, 4096, 0))
            if isinstance(data, dict) and "pid" in data and "started" in data:
                return data
        return {}

    def hold(self, started: dt.datetime, run_id: str, group: int | None) -> None:
        """Writes who holds the lock."""
        record = {
            "pid": os.getpid(),
            "started": started.isoformat(timespec="seconds"),
            "run_id": run_id,
            "group": group,
        }
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps(record).encode(), 0)

    def clear(self) -> None:
        """Says that the run has ended in order; the lock itself goes with the process."""
        os.ftruncate(self._fd, 0)


def load_job(path: str) -> lib.Job:
    """Reads and checks a job file."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as exc:
        raise lib.JobError(
            f"The job file {path} cannot be read ({exc.strerror}): run the schedule playbook again."
        ) from exc
    except ValueError as exc:
        raise lib.JobError(f"The job file {path} is not JSON ({exc}): run the schedule playbook again.") from exc
    return lib.parse_job(data)


def ready_problem(job: lib.Job, ansible_playbook: str) -> str | None:
    """One sentence saying why the job cannot be started now, None when it can."""
    if not Path(job.project_dir).is_dir():
        return f"The project folder {job.project_dir} does not exist."
    if job.playbook.startswith("/") and not Path(job.playbook).is_file():
        return f"The playbook {job.playbook} does not exist."
    if not os.access(ansible_playbook, os.X_OK):
        return f"There is no {ansible_playbook}: run the schedule playbook again from the Python environment in use."
    return lib.vault_problem(job.vault_password_file, os.geteuid()) if job.vault_password_file else None


def environment(job: lib.Job, run_id: str) -> dict[str, str]:
    """The environment of the job for the user who runs it."""
    entry = pwd.getpwuid(os.geteuid())
    return lib.build_env(job, sys.executable, entry.pw_dir, entry.pw_name, run_id)


def play(
    job: lib.Job, lock: Lock, log: Log, *, started: dt.datetime, env: dict[str, str], supervisor: Supervisor
) -> lib.Outcome:
    """Runs ansible-playbook and says how it ended."""
    ansible_playbook = str(Path(sys.executable).parent / "ansible-playbook")
    problem = ready_problem(job, ansible_playbook)
    if problem:
        return lib.Outcome(lib.EX_CONFIG, "config", problem)
    argv = lib.build_argv(job, ansible_playbook)
    try:
        child = subprocess.Popen(
            argv,
            cwd=job.project_dir,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as exc:
        return lib.Outcome(lib.EX_CONFIG, "config", f"ansible-playbook cannot be started: {exc}.")
    try:
        lock.hold(started, env["LYCEE_RUN_ID"], child.pid)
    except OSError as exc:
        log.say(f"The lock file cannot be written: {exc}.")
    returncode, stopped = supervisor.follow(child, log.write, env["LYCEE_RUN_ID"], job.timeout, job.grace)
    return lib.outcome_of(returncode, stopped, job.timeout)


def write_state(job: lib.Job, started: dt.datetime, outcome: lib.Outcome, log: str, lost: bool) -> None:
    """Replaces the result file of the job in one step."""
    path = Path(job.state_dir, f"{job.name}.json")
    previous: Any = {}
    with contextlib.suppress(OSError, ValueError):
        previous = json.loads(path.read_text(encoding="utf-8"))
    span = (started, dt.datetime.now(dt.UTC))
    state = lib.build_state(job.name, previous if isinstance(previous, dict) else {}, span, outcome, log=log, lost=lost)
    fd, draft = tempfile.mkstemp(prefix=f".{job.name}.", dir=job.state_dir)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            json.dump(state, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(draft).unlink()
        raise


def run_hooks(job: lib.Job, outcome: lib.Outcome, log: Log, env: dict[str, str]) -> None:
    """Tells the admin by command and by mail; what goes wrong is said in the log and changes nothing else."""
    host = socket.gethostname()
    tail = log.tail()
    if job.hook_command:
        try:
            done = subprocess.run(
                job.hook_command,
                cwd="/",
                env=lib.hook_env(env, outcome, log.path, host),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if log.fd is None else log.fd,
                stderr=subprocess.STDOUT,
                timeout=HOOK_SECONDS,
                check=False,
            )
            if done.returncode:
                log.say(f"The failure hook {job.hook_command[0]} ended with exit code {done.returncode}.")
        except (OSError, ValueError, subprocess.SubprocessError) as exc:
            log.say(f"The failure hook {job.hook_command[0]} did not work: {exc}.")
    if job.hook_mail:
        try:
            send_mail(job, job.hook_mail, outcome, log=log.path, tail=tail, host=host)
            log.say(f"The failure was mailed to {job.hook_mail.address}.")
        except (OSError, ValueError, smtplib.SMTPException, subprocess.SubprocessError) as exc:
            log.say(f"The failure could not be mailed to {job.hook_mail.address}: {exc}.")


def send_mail(job: lib.Job, mail: lib.Mail, outcome: lib.Outcome, *, log: str, tail: str, host: str) -> None:
    """Mails through the server that is named, else through the local mail program."""
    message = lib.build_mail(job, mail, outcome, log=log, tail=tail, host=host)
    if mail.smtp_host:
        with smtplib.SMTP(mail.smtp_host, mail.smtp_port, timeout=60) as server:
            server.send_message(message)
    elif os.access(SENDMAIL, os.X_OK):
        subprocess.run([SENDMAIL, "-t", "-oi"], input=message.as_bytes(), capture_output=True, timeout=60, check=True)
    else:
        raise OSError(f"no smtp_host is given and there is no {SENDMAIL}")


def delete_logs(job: lib.Job, log: Log) -> None:
    """Deletes the logs that are too old."""
    try:
        folder = Path(job.log_dir)
        names = [path.name for path in folder.iterdir() if path.is_file() and not path.is_symlink()]
        for name in lib.logs_to_delete(names, job.name, dt.datetime.now(dt.UTC), job.log_keep_days, job.log_keep_min):
            (folder / name).unlink()
    except OSError as exc:
        log.say(f"Old logs could not be deleted: {exc}.")


def run_job(job: lib.Job) -> int:
    """One run under the lock; returns the exit code."""
    env = environment(job, uuid.uuid4().hex)
    supervisor = Supervisor()
    log = Log()
    started = dt.datetime.now(dt.UTC)
    lock: Lock | None = None
    try:
        for folder in (job.state_dir, job.log_dir):
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = Lock(job)
        lock.hold(started, env["LYCEE_RUN_ID"], None)
        log.open(job, started)
        if lock.lost:
            log.say("The run before this one was cut off and left no result.")
        outcome = play(job, lock, log, started=started, env=env, supervisor=supervisor)
    except OSError as exc:
        outcome = lib.Outcome(lib.EX_CANTCREAT, "io", f"Its lock or its log cannot be written: {exc}.")
    if log.error and outcome.exit == 0:
        outcome = lib.Outcome(
            lib.EX_IOERR, "io", f"The playbook succeeded, but its log could not be written: {log.error}."
        )
    try:
        write_state(job, started, outcome, log.path, bool(lock and lock.lost))
    except OSError as exc:
        log.say(f"The result could not be written to {job.state_dir}: {exc}.")
        if outcome.exit == 0:
            outcome = lib.Outcome(
                lib.EX_IOERR, "io", f"The playbook succeeded, but its result could not be written: {exc}."
            )
    log.say(f"Job {job.name}: {outcome.message}")
    if outcome.exit:
        print(f"lycee_job: Job {job.name}: {outcome.message}", file=sys.stderr)
        run_hooks(job, outcome, log, env)
    delete_logs(job, log)
    if lock:
        with contextlib.suppress(OSError):
            lock.clear()
    return outcome.exit


def fail(sentence: str, code: int) -> NoReturn:
    """One sentence on standard error, and the exit code."""
    print(f"lycee_job: {sentence}", file=sys.stderr)
    sys.exit(code)


def main(argv: list[str]) -> int:
    """The command line."""
    os.umask(0o077)
    delay = 0
    if len(argv) == 3 and argv[0] == "--delay" and argv[1].isdecimal():
        delay, argv = int(argv[1]), argv[2:]
    if len(argv) != 1 or argv[0].startswith("-"):
        fail("usage: lycee_job.py [--delay SECONDS] JOB.json", 64)
    try:
        job = load_job(argv[0])
        time.sleep(random.SystemRandom().uniform(0, delay))
        return run_job(job)
    except lib.JobError as exc:
        fail(str(exc), lib.EX_CONFIG)
    except Busy as exc:
        if job.hook_on_busy:
            busy = lib.Outcome(lib.EX_BUSY, "busy", str(exc))
            run_hooks(job, busy, Log(), environment(job, uuid.uuid4().hex))
        fail(str(exc), lib.EX_BUSY)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
