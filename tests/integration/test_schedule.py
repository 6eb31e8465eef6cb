# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook schedule.yml, the entries that it writes, and the runner that they start; no lab is needed.

Everything lives below one folder whose name has a space, a quote, a percent sign and an accent.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FOLDER = "l'école 100% du lundi"
SECRET = "correct horse battery"
VAULTED = "the vault was open"

SLOW = """---
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Wait until the test lets go
      ansible.builtin.shell: |
        echo $$ > started.part && mv started.part started
        for i in $(seq 900); do [ -e release ] && exit 0; sleep 0.1; done
        exit 1
      args: {chdir: "{{ work }}"}
"""
GOOD = """---
- hosts: localhost
  gather_facts: false
  vars_files: [vaulted.yml]
  tasks:
    - name: Write what the vault says
      ansible.builtin.copy: {content: "{{ word }}", dest: "{{ work }}/written", mode: "0600"}
"""
PLAIN = """---
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Write
      ansible.builtin.copy: {content: "plain", dest: "{{ work }}/written", mode: "0600"}
"""
BAD = """---
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Fail
      ansible.builtin.fail: {msg: "rien ne va, été compris"}
"""
DAEMON = """---
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Leave a daemon behind
      ansible.builtin.shell: |
        setsid sh -c 'echo $$ > daemon; exec sleep 300' > /dev/null 2>&1 < /dev/null &
      args: {chdir: "{{ work }}"}
"""


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Polls a condition; says what did not come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"{what} did not come within {seconds} s")


def alive(pid: int) -> bool:
    """Whether a process still works."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Box:
    """A project with its inventory and vault, the folders of the role, and the commands of the admin."""

    def __init__(self, root: Path) -> None:
        self.root = root / FOLDER
        self.root.mkdir()
        self.work = self.root / "work"
        self.work.mkdir()
        links = self.root / "collections" / "ansible_collections" / "lycee"
        links.mkdir(parents=True)
        (links / "openerp").symlink_to(REPO)
        (self.root / "ansible.cfg").write_text("[defaults]\ncollections_path = collections\ninventory = hosts.yml\n")
        hosts = {"all": {"vars": {"ansible_connection": "winrm", "work": str(self.work)}, "hosts": {"pc-1": {}}}}
        (self.root / "hosts.yml").write_text(json.dumps(hosts))
        for name in ("SLOW", "GOOD", "PLAIN", "BAD", "DAEMON"):
            text = globals()[name].replace(
                "gather_facts: false", "gather_facts: false\n  vars: {ansible_connection: local}"
            )
            (self.root / f"{name.lower()}.yml").write_text(text)
        self.vault = self.root / "mot de passe"
        self.vault.write_text(SECRET)
        self.vault.chmod(0o600)
        self.vars: dict[str, Any] = {
            "schedule_backend": "systemd",
            "schedule_activate": False,
            "schedule_syntax_check": False,
            "schedule_vault_password_file": str(self.vault),
            "schedule_dir": str(self.root / "schedule"),
            "schedule_log_dir": str(self.root / "log"),
            "schedule_state_dir": str(self.root / "state"),
            "schedule_unit_dir": str(self.root / "units"),
            "schedule_cron_dir": str(self.root / "cron"),
        }

    @property
    def env(self) -> dict[str, str]:
        """The environment of the admin's shell."""
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR", "USER")}
        return {**kept, "ANSIBLE_CONFIG": str(self.root / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}

    def write_vaulted(self) -> None:
        """The file that only the vault password opens."""
        argv = [str(BIN / "ansible-vault"), "encrypt", "--vault-password-file", str(self.vault), "vaulted.yml"]
        (self.root / "vaulted.yml").write_text(f"word: {VAULTED}\n")
        subprocess.run(argv, cwd=self.root, env=self.env, check=True, capture_output=True, timeout=120)

    def command(self, jobs: list[dict[str, Any]], *args: str, **more: Any) -> list[str]:
        """The command line of schedule.yml for some jobs."""
        extra = json.dumps({**self.vars, "schedule_jobs": jobs, **more})
        return [str(BIN / "ansible-playbook"), str(REPO / "playbooks" / "schedule.yml"), "-e", extra, *args]

    def schedule(self, jobs: list[dict[str, Any]], *args: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Runs schedule.yml."""
        return subprocess.run(
            self.command(jobs, *args, **more), cwd=self.root, env=self.env, capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip

    def argv(self, name: str) -> list[str]:
        """The ExecStart line of a unit, read as systemd reads it."""
        text = (self.root / "units" / f"lycee-{name}.service").read_text()
        (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        return [word.replace("%%", "%") for word in shlex.split(line.removeprefix(":"))]

    def start(self, name: str) -> subprocess.Popen[str]:
        """Starts the ExecStart line of a unit, in the poor environment that systemd gives."""
        return subprocess.Popen(
            self.argv(name), cwd="/", env={"PATH": "/usr/bin:/bin"}, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        """Runs the ExecStart line of a unit to its end."""
        with self.start(name) as child:
            out, err = child.communicate(timeout=120)
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)

    def start_slow(self, name: str) -> tuple[subprocess.Popen[str], int]:
        """Starts a job of slow.yml; returns the runner, and the process that its task waits in."""
        for left in ("started", "release"):
            (self.work / left).unlink(missing_ok=True)
        child = self.start(name)
        wait_for((self.work / "started").exists, 120, "the start of the slow task")
        return child, int((self.work / "started").read_text())

    def state(self, name: str) -> dict[str, Any]:
        """The result file of a job."""
        state: dict[str, Any] = json.loads((self.root / "state" / f"{name}.json").read_text())
        return state

    def logs(self, name: str) -> list[Path]:
        """The logs of a job, oldest first."""
        return sorted((self.root / "log").glob(f"{name}-*T*Z*.log"))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A fresh project."""
    return Box(tmp_path)


def at(hour: int = 21, **more: Any) -> dict[str, Any]:
    """A moment that no test waits for."""
    return {"at": {"hour": hour, "minute": 30, **more}}


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """The recap of a playbook that succeeded."""
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout.rpartition("PLAY RECAP")[2]


# --- the role ----------------------------------------------------------------------------------------------------


def test_check_mode_writes_nothing_and_a_second_run_changes_nothing(box: Box) -> None:
    box.write_vaulted()
    jobs = [
        {"name": "good", "playbook": "good.yml", **at(days=["mon", "fri"]), "randomized_delay": 60, "catch_up": True},
        {"name": "itself", "playbook": "lycee.openerp.schedule", "vault": False, "on_calendar": "Sat *-*-1..7 06:00"},
    ]
    before = sorted(p for p in box.root.rglob("*") if not p.is_symlink())
    checked = box.schedule(jobs, "--check", "--diff", schedule_syntax_check=True)
    assert "changed=0" not in succeeded(checked)
    assert sorted(p for p in box.root.rglob("*") if not p.is_symlink()) == before
    first = box.schedule(jobs, "--diff", "-vv", schedule_syntax_check=True)
    assert "changed=0" not in succeeded(first)
    assert "Mon,Fri *-*-* 21:30:00" in first.stdout
    assert SECRET not in checked.stdout + first.stdout + first.stderr
    assert "changed=0" in succeeded(box.schedule(jobs))
    assert "changed=0" in succeeded(box.schedule(jobs, "--check"))
    modes = {p.name: oct(p.stat().st_mode & 0o777) for p in (box.root / "schedule").rglob("*") if p.is_file()}
    assert set(modes.values()) == {"0o600"}
    for folder in ("schedule", "schedule/jobs", "log", "state"):
        assert (box.root / folder).stat().st_mode & 0o777 == 0o700
    timer = (box.root / "units" / "lycee-good.timer").read_text()
    assert "RandomizedDelaySec=60\n" in timer
    assert "Persistent=true\n" in timer

    # The two jobs, by their ExecStart lines: the vault opens, and the collection is found by its name.
    good, itself = box.run("good"), box.run("itself")
    assert (good.returncode, itself.returncode) == (0, 0), good.stdout + itself.stdout
    assert (box.work / "written").read_text() == VAULTED
    held = [p for p in box.root.rglob("*") if p.is_file() and not p.is_symlink() and p != box.vault]
    assert not [p for p in held if SECRET in p.read_text(errors="replace")]

    # Absent: entry and job file go, log and result stay.
    gone = [{"name": "good", "state": "absent"}, {"name": "itself", "state": "absent"}]
    assert "changed=1" in succeeded(box.schedule(gone))
    assert "changed=0" in succeeded(box.schedule(gone))
    assert not list((box.root / "units").iterdir())
    assert not list((box.root / "schedule" / "jobs").iterdir())
    assert len(box.logs("good")) == 1
    assert box.state("good")["exit"] == 0


def test_no_job_is_no_work(box: Box) -> None:
    assert "changed=0" in succeeded(box.schedule([]))
    assert not (box.root / "schedule").exists()


def test_a_change_of_the_back_end_leaves_one_entry(box: Box) -> None:
    jobs = [{"name": "plain", "playbook": "plain.yml", **at(hour=5), "randomized_delay": 1}]
    succeeded(box.schedule(jobs))
    succeeded(box.schedule(jobs, schedule_backend="cron"))
    assert not list((box.root / "units").iterdir())
    (entry,) = (box.root / "cron").iterdir()
    assert entry.name == "lycee-plain"
    text = entry.read_text()
    assert text.endswith("\n")
    line = text.splitlines()[-1]
    assert line.startswith("30 5 * * * ")
    assert " --delay 1 " in line
    assert "%" not in line.replace("\\%", "")
    assert entry.stat().st_mode & 0o777 == 0o644
    assert "changed=0" in succeeded(box.schedule(jobs, schedule_backend="cron"))
    # The line as cron hands it to sh.
    done = subprocess.run(
        ["/bin/sh", "-c", line.split(" ", 6)[6].replace("\\%", "%")], cwd="/", env={}, capture_output=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (box.work / "written").read_text() == "plain"


def test_what_would_fail_at_night_is_refused_by_day(box: Box) -> None:
    """One run, one sentence for each job."""
    open_vault = box.root / "open"
    open_vault.write_text(SECRET)
    open_vault.chmod(0o644)
    (box.root / "broken.yml").write_text("---\n- hosts: localhost\n  taskss: []\n")
    jobs = [
        {"name": "open", "playbook": "plain.yml", **at(), "vault_password_file": str(open_vault)},
        {"name": "missing", "playbook": "plain.yml", **at(), "vault_password_file": "nowhere"},
        {"name": "lost", "playbook": "nowhere.yml", **at()},
        {"name": "never", "playbook": "plain.yml"},
        {"name": "nonsense", "playbook": "plain.yml", "on_calendar": "Someday"},
        {"name": "hook", "playbook": "plain.yml", **at(), "on_failure": {"command": ["/no/such/hook"]}},
        {"name": "hosts", "playbook": "plain.yml", **at(), "inventory": ["nowhere.yml"]},
        {"name": "broken", "playbook": "broken.yml", **at()},
    ]
    done = box.schedule(jobs, schedule_syntax_check=True)
    assert done.returncode != 0
    for sentence in (
        f"Job open: The vault password file {open_vault} has mode 0644, so that others may reach it: chmod 600",
        f"Job missing: The vault password file {box.root}/nowhere cannot be read",
        f"Job lost: there is no playbook {box.root}/nowhere.yml",
        "Job never: it does not say when",
        "Job nonsense: on_calendar",
        "Job hook: the failure hook /no/such/hook",
        f"Job hosts: there is no inventory {box.root}/nowhere.yml",
        "Job broken: ansible-playbook --syntax-check refuses it (exit code 4)",
    ):
        assert sentence in done.stdout.replace("\\n", "\n").replace('\\"', '"'), sentence
    assert SECRET not in done.stdout + done.stderr
    assert not (box.root / "schedule").exists()

    unnamed = box.schedule([{"name": "plain", "playbook": "plain.yml", **at()}], schedule_vault_password_file=None)
    assert unnamed.returncode != 0
    assert "Job plain: no vault password file is named" in unnamed.stdout
    shared = box.schedule([{"name": "plain", "playbook": "plain.yml", **at()}], schedule_log_dir="/var/log")
    assert shared.returncode != 0
    assert "schedule_log_dir is /var/log, which is not the role" in shared.stdout


def test_systemd_finds_nothing_to_complain_about(box: Box) -> None:
    analyze = shutil.which("systemd-analyze")
    assert analyze, "systemd-analyze is missing: apt install systemd"
    jobs = [
        {"name": "good", "playbook": "plain.yml", **at(days=["sat"]), "randomized_delay": 5, "catch_up": True},
        {"name": "hourly", "playbook": "plain.yml", "at": {"minute": 5}},
        {"name": "escape", "playbook": "plain.yml", "on_calendar": "Mon..Fri *-*-* 06..08:00/10"},
    ]
    succeeded(box.schedule(jobs))
    units = sorted(str(p) for p in (box.root / "units").iterdir())
    assert len(units) == 6
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- the runner --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A project whose jobs are written as units; each test has its own job."""
    box = Box(tmp_path_factory.mktemp("ready"))
    hook = box.root / "hook.sh"
    hook.write_text('#!/bin/sh\nenv | grep "^LYCEE_" | sort > "$1"\necho the hook spoke\nexit "${2:-0}"\n')
    hook.chmod(0o700)

    def job(name: str, playbook: str, code: str = "0", **more: Any) -> dict[str, Any]:
        command = [str(hook), str(box.work / f"hook-{name}"), code]
        return {"name": name, "playbook": f"{playbook}.yml", **at(), "on_failure": {"command": command}, **more}

    succeeded(
        box.schedule(
            [
                job("fail", "bad", code="7"),
                job("vaultless", "plain"),
                job("daemon", "daemon"),
                job("keep", "plain", log_keep_days=10, log_keep_min=3),
                job("nolog", "plain"),
            ]
        )
    )
    return box


def test_a_failure_is_seen_by_the_scheduler_the_hook_and_the_result(ready: Box) -> None:
    done = ready.run("fail")
    assert done.returncode == 2
    assert "Job fail: ansible-playbook ended with exit code 2." in done.stderr
    (log,) = ready.logs("fail")
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert "rien ne va, été compris" in text
    assert "rien ne va, été compris" in done.stdout
    assert "the hook spoke" in text
    assert "hook.sh ended with exit code 7." in text
    hook = dict(line.split("=", 1) for line in (ready.work / "hook-fail").read_text().splitlines())
    assert (hook["LYCEE_JOB"], hook["LYCEE_EXIT"], hook["LYCEE_REASON"], hook["LYCEE_LOG"]) == (
        "fail",
        "2",
        "failed",
        str(log),
    )
    assert hook["LYCEE_HOST"]
    ready.run("fail")
    state = ready.state("fail")
    assert (state["exit"], state["reason"], state["consecutive_failures"], state["last_success"]) == (
        2,
        "failed",
        2,
        None,
    )
    assert (ready.root / "state" / "fail.json").stat().st_mode & 0o777 == 0o600


def test_a_vault_file_that_was_opened_since_is_refused_at_the_run(ready: Box) -> None:
    job = ready.root / "schedule" / "jobs" / "vaultless.json"
    opened = ready.root / "opened"
    opened.write_text(SECRET)
    opened.chmod(0o640)
    job.write_text(json.dumps({**json.loads(job.read_text()), "vault_password_file": str(opened)}))
    done = ready.run("vaultless")
    assert done.returncode == 78
    assert f"chmod 600 {opened}" in done.stderr
    assert f"chmod 600 {opened}" in ready.logs("vaultless")[0].read_text()
    assert "LYCEE_REASON=config" in (ready.work / "hook-vaultless").read_text()
    assert ready.state("vaultless")["exit"] == 78
    job.write_text("{")
    done = ready.run("vaultless")
    assert (done.returncode, done.stdout) == (78, "")
    assert len(done.stderr.splitlines()) == 1


def test_two_runs_at_once(tmp_path: Path) -> None:
    """A second run says who holds the lock, ends with 75 and is no failure."""
    box = Box(tmp_path)
    hook = ["/bin/touch", str(box.work / "hook")]
    succeeded(box.schedule([{"name": "lock", "playbook": "slow.yml", **at(), "on_failure": {"command": hook}}]))
    first, _unused = box.start_slow("lock")
    try:
        second = box.run("lock")
        assert second.returncode == 75
        assert re.search(rf"Job lock is already running, held by process {first.pid} since 20\d\d-", second.stderr)
        assert len(second.stderr.splitlines()) == 1
        assert not (box.work / "hook").exists()
        job = box.root / "schedule" / "jobs" / "lock.json"
        told = json.loads(job.read_text())
        job.write_text(json.dumps({**told, "on_failure": {**told["on_failure"], "busy": True}}))
        assert box.run("lock").returncode == 75
        assert (box.work / "hook").exists()
    finally:
        (box.work / "release").touch()
        first.communicate(timeout=60)
    assert first.returncode == 0
    assert len(box.logs("lock")) == 1
    assert box.run("lock").returncode == 0
    assert len(box.logs("lock")) == 2


def test_term_ends_everything_and_is_reported(tmp_path: Path) -> None:
    box = Box(tmp_path)
    hook = ["/bin/sh", "-c", f"env > {shlex.quote(str(box.work))}/hook"]
    succeeded(box.schedule([{"name": "term", "playbook": "slow.yml", **at(), "on_failure": {"command": hook}}]))
    runner, task = box.start_slow("term")
    runner.send_signal(signal.SIGTERM)
    runner.communicate(timeout=60)
    assert runner.returncode == 143
    assert not alive(task)
    assert box.state("term")["reason"] == "signal"
    assert "LYCEE_EXIT=143\n" in (box.work / "hook").read_text()


def test_the_time_limit_ends_everything(tmp_path: Path) -> None:
    box = Box(tmp_path)
    # ansible-playbook and its worker answer TERM; the task's shell does not, and has to be killed.
    (box.root / "slow.yml").write_text(
        (box.root / "slow.yml").read_text().replace("shell: |", "shell: |\n        trap '' TERM")
    )
    succeeded(box.schedule([{"name": "late", "playbook": "slow.yml", **at(), "timeout": 20}]))
    job = box.root / "schedule" / "jobs" / "late.json"
    job.write_text(json.dumps({**json.loads(job.read_text()), "grace": 1}))
    runner, task = box.start_slow("late")
    out, err = runner.communicate(timeout=60)
    assert runner.returncode == 124
    assert not alive(task)
    assert "The time limit of 20 s was reached" in out
    assert "The time limit of 20 s was reached" in err
    assert box.state("late")["reason"] == "timeout"


def test_a_killed_runner_does_not_let_a_second_run_beside_the_first(tmp_path: Path) -> None:
    box = Box(tmp_path)
    succeeded(box.schedule([{"name": "killed", "playbook": "slow.yml", **at()}]))
    runner, task = box.start_slow("killed")
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait(timeout=10)
    assert alive(task)
    second = box.run("killed")
    assert second.returncode == 75
    assert f"its runner (process {runner.pid}, started" in second.stderr
    pids = [int(p) for p in re.findall(r"end it with: kill ([\d ]+)", second.stderr)[0].split()]

    # Its ansible-playbook alone dies: the worker, in a session of its own, still counts.
    group = json.loads((box.root / "state" / "killed.lock").read_text())["group"]
    assert group in pids
    os.kill(group, signal.SIGKILL)
    wait_for(lambda: not alive(group), 10, "the end of ansible-playbook")
    third = box.run("killed")
    assert third.returncode == 75
    (box.work / "release").touch()
    wait_for(lambda: not any(alive(pid) for pid in (*pids, task)), 60, "the end of the worker")

    last = box.run("killed")
    assert last.returncode == 0, last.stdout + last.stderr
    assert "The run before this one was cut off and left no result." in box.logs("killed")[-1].read_text()
    runner.communicate(timeout=10)


def test_a_daemon_left_behind_holds_neither_the_lock_nor_the_run(ready: Box) -> None:
    file = ready.work / "daemon"
    pids: list[int] = []
    try:
        for _unused in range(2):
            file.unlink(missing_ok=True)
            done = ready.run("daemon")
            assert done.returncode == 0, done.stdout + done.stderr
            pids.append(int(wait_for(lambda: file.exists() and file.read_text().strip(), 10, "the daemon's pid")))
            assert all(alive(pid) for pid in pids)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def test_old_logs_go_and_foreign_files_stay(ready: Box) -> None:
    folder = ready.root / "log"
    old = [folder / f"keep-2020010{n}T000000Z.log" for n in range(1, 6)]
    foreign = [folder / "keep-20200101T000000Z.log.gz", folder / "keep-old.log", folder / "lock-20200101T000000Z.log"]
    for path in (*old, *foreign):
        path.touch()
    link = folder / "keep-20190101T000000Z.log"
    link.symlink_to(ready.vault)
    assert ready.run("keep").returncode == 0
    assert [p for p in old if p.exists()] == old[3:]
    assert all(p.exists() for p in (*foreign, link))
    assert len(ready.logs("keep")) == 4  # three kept, and the link


def test_a_job_that_can_have_no_log_does_not_run_in_silence(ready: Box) -> None:
    job = ready.root / "schedule" / "jobs" / "nolog.json"
    data = json.loads(job.read_text())
    (ready.root / "a file").touch()
    job.write_text(json.dumps({**data, "log_dir": str(ready.root / "a file" / "log")}))
    done = ready.run("nolog")
    assert done.returncode == 73
    assert "its lock or its log" in done.stderr.lower()
    assert "LYCEE_EXIT=73" in (ready.work / "hook-nolog").read_text()


class Smtp(socketserver.StreamRequestHandler):
    """The part of SMTP that a mail needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 stub\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                body = b""
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    body += line
                self.server.mails.append(message_from_bytes(body, policy=policy.default))  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


@pytest.fixture
def smtp() -> Iterator[tuple[int, list[EmailMessage]]]:
    """A mail server on a free port, and the mails that it got."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        mails: list[EmailMessage] = []
        server.mails = mails  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], mails
        server.shutdown()


def test_the_mail_arrives_and_a_dead_server_changes_nothing(box: Box, smtp: tuple[int, list[EmailMessage]]) -> None:
    port, mails = smtp
    hook = {"mail": "admin@lycee.example", "smtp_host": "127.0.0.1", "smtp_port": port, "from": "openerp@lycee.example"}
    job = {"name": "fail", "playbook": "bad.yml", **at(), "on_failure": hook}
    succeeded(box.schedule([job], schedule_language="fr"))
    assert box.run("fail").returncode == 2
    (mail,) = mails
    assert mail["To"] == "admin@lycee.example"
    assert mail["From"] == "openerp@lycee.example"
    assert "la tâche fail a échoué (code de sortie 2)" in mail["Subject"]
    assert "rien ne va, été compris" in mail.get_content()
    assert str(box.logs("fail")[0]) in mail.get_content()

    dead = {"mail": "admin@lycee.example", "smtp_host": "127.0.0.1", "smtp_port": 1}
    succeeded(box.schedule([{**job, "on_failure": dead}]))
    done = box.run("fail")
    assert done.returncode == 2
    assert "The failure could not be mailed to admin@lycee.example" in box.logs("fail")[-1].read_text()
    assert len(mails) == 1


# --- real schedulers, in namespaces of their own -----------------------------------------------------------------

CRON = """
set -eu
mount --bind "$BOX/etc-cron" /etc/cron.d
mount --bind "$BOX/spool" /var/spool/cron
mount --bind "$BOX/empty" /etc/crontab
mount -t tmpfs none /run
cron -f &
eval "$SCHEDULE"
crontab -l > "$BOX/crontab-1"
wait
"""
SYSTEMD = """
set -eu
mount -t tmpfs none /run
mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR"
chmod 0700 "$XDG_RUNTIME_DIR"
umount -R /sys/fs/cgroup || true
mount -t cgroup2 none /sys/fs/cgroup || exit 77
mkdir "/sys/fs/cgroup/$CGROUP"
echo $$ > "/sys/fs/cgroup/$CGROUP/cgroup.procs"
/lib/systemd/systemd --user --unit=timers.target > "$BOX/systemd.log" 2>&1 &
for i in $(seq 100); do [ -S "$XDG_RUNTIME_DIR/systemd/private" ] && break; sleep 0.1; done
eval "$SCHEDULE"
wait
"""
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces and a private /etc/cron.d need root")


class Namespace:
    """A script with its own mounts and processes; all of it dies with the test."""

    def __init__(self, script: str, env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self._child = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "sh", "-c", script],
                env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def __enter__(self) -> Namespace:
        return self

    def __exit__(self, *_unused: object) -> None:
        self._child.kill()
        self._child.wait(timeout=30)

    def wait_for(self, condition: Callable[[], Any], seconds: float, what: str) -> Any:
        """Polls a condition while the script lives."""

        def either() -> Any:
            code = self._child.poll()
            if code == 77:
                pytest.skip("this kernel does not let the test mount a cgroup2 tree")
            assert code is None, f"the namespace ended with {code}: {self.log.read_text(errors='replace')[-3000:]}"
            return condition()

        return wait_for(either, seconds, f"{what} ({self.log})")


@root_only
def test_a_real_cron_daemon_fires_the_entries(box: Box) -> None:
    """Two jobs, one in /etc/cron.d and one in the crontab, written and read back by the role while cron runs."""
    assert shutil.which("cron"), "cron is missing: apt install cron"
    assert shutil.which("unshare"), "unshare is missing: apt install util-linux"
    box.write_vaulted()
    crontabs = box.root / "spool" / "crontabs"
    crontabs.mkdir(parents=True)
    shutil.chown(crontabs, group="crontab")
    crontabs.chmod(0o1730)
    (box.root / "etc-cron").mkdir(mode=0o755)
    (box.root / "empty").touch(mode=0o644)
    real = {**box.vars, "schedule_backend": "auto", "schedule_activate": True}
    del real["schedule_cron_dir"], real["schedule_unit_dir"]
    box.vars = real
    entry = box.command([{"name": "entry", "playbook": "good.yml", "cron": "* * * * *", "at": {"hour": 3}}])
    table = box.command(
        [{"name": "table", "playbook": "bad.yml", "cron": "* * * * *", "vault": False}], schedule_cron_dir=""
    )
    env = {**box.env, "BOX": str(box.root), "SCHEDULE": " && ".join(shlex.join(c) for c in (entry, table, table))}
    with Namespace(CRON, env, box.root / "cron.log") as space:
        space.wait_for((box.root / "crontab-1").exists, 240, "the entries")
        said = space.log.read_text()
        assert said.count("changed=0") == 1, said
        assert "Job entry: * * * * *" in said
        assert (box.root / "etc-cron" / "lycee-entry").read_text().endswith("\n")
        assert "#Ansible: lycee-table\n* * * * * " in (crontabs / "root").read_text()

        def fired(name: str) -> bool:
            return (box.root / "state" / f"{name}.json").exists()

        space.wait_for(lambda: fired("entry") and fired("table"), 130, "a run by cron")
    assert (box.state("entry")["exit"], box.state("entry")["reason"]) == (0, "success")
    assert (box.work / "written").read_text() == VAULTED
    assert box.state("table")["exit"] == 2
    assert not Path("/etc/cron.d/lycee-entry").exists()


def remove_cgroup(tree: Path) -> bool:
    """Removes the control groups that systemd made; the kernel refuses as long as a process is left in one."""
    try:
        for folder in sorted((p for p in tree.rglob("*") if p.is_dir()), reverse=True):
            folder.rmdir()
        tree.rmdir()
    except OSError:
        return False
    return True


@root_only
def test_a_real_systemd_fires_the_timer(box: Box) -> None:
    """The user manager of systemd, with a home and a runtime folder of its own."""
    assert Path("/lib/systemd/systemd").exists(), "systemd is missing: apt install systemd"
    assert shutil.which("systemctl"), "systemctl is missing: apt install systemd"
    units = box.root / "home" / ".config" / "systemd" / "user"
    cgroup = f"lycee-test-{os.getpid()}"
    box.vars |= {
        "schedule_backend": "auto",
        "schedule_activate": True,
        "schedule_systemd_scope": "user",
        "schedule_unit_dir": str(units),
    }
    job = {"name": "tick", "playbook": "plain.yml", "on_calendar": "*-*-* *:*:00/5", "at": {"hour": 3}}
    commands = [
        [*box.command([job])],
        [*box.command([job])],
        ["touch", str(box.root / "written")],
        ["sh", "-c", 'until [ -e "$BOX/fired" ]; do sleep 0.1; done'],
        ["sh", "-c", 'systemctl --user show lycee-tick.service -p Result -p ExecMainStatus > "$BOX/service"'],
        [*box.command([{**job, "state": "absent"}])],
        ["sh", "-c", 'systemctl --user list-timers --all --no-legend > "$BOX/timers"'],
        ["touch", str(box.root / "removed")],
    ]
    env = {
        **box.env,
        "HOME": str(box.root / "home"),
        "XDG_RUNTIME_DIR": "/run/lycee-test",
        "BOX": str(box.root),
        "CGROUP": cgroup,
        "SCHEDULE": " && ".join(shlex.join(c) for c in commands),
    }
    try:
        with Namespace(SYSTEMD, env, box.root / "namespace.log") as space:
            space.wait_for((box.root / "written").exists, 120, "the timer")
            said = space.log.read_text()
            assert said.count("changed=0") == 1, said
            assert re.search(r"Job tick: [A-Z][a-z]{2} 20\d\d-", said), said
            space.wait_for((box.root / "state" / "tick.json").exists, 60, "a run by systemd")
            (box.root / "fired").touch()
            space.wait_for((box.root / "removed").exists, 60, "the end of the timer")
    finally:
        for tree in Path("/sys/fs/cgroup").glob(f"**/{cgroup}"):
            wait_for(partial(remove_cgroup, tree), 20, "the end of the last process of the namespace")
    assert (box.state("tick")["exit"], (box.work / "written").read_text()) == (0, "plain")
    assert (box.root / "service").read_text().split() == ["Result=success", "ExecMainStatus=0"]
    assert (box.root / "timers").read_text() == ""
    assert not list(units.glob("lycee-*"))
