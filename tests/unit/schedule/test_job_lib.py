# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure half of the job runner."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import lycee_job_lib as lib
import pytest
from lycee_job_procs import Proc, descendants, parse_stat

NOON = dt.datetime(2026, 3, 2, 12, 0, 0, tzinfo=dt.UTC)
JOB: dict[str, Any] = {
    "name": "nightly",
    "project_dir": "/srv/l'école",
    "playbook": "lycee.openerp.backup_network",
    "inventory": ["/srv/hosts.yml"],
    "log_dir": "/log",
    "log_keep_days": 30,
    "log_keep_min": 3,
    "state_dir": "/state",
}


def test_a_minimal_job_has_quiet_defaults() -> None:
    job = lib.parse_job(JOB)
    assert (job.timeout, job.grace, job.hook_command, job.hook_mail, job.hook_on_busy) == (None, 30, (), None, False)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"name": "Nightly"}, "name"),
        ({"name": "../x"}, "name"),
        ({"name": None}, "name"),
        ({"project_dir": "relative"}, "project_dir"),
        ({"project_dir": "/a\nb"}, "project_dir"),
        ({"playbook": "site.yml"}, "playbook"),
        ({"playbook": "lycee.openerp"}, "playbook"),
        ({"inventory": "hosts"}, "inventory"),
        ({"inventory": [1]}, "inventory"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": True}, "timeout"),
        ({"timeout": "60"}, "timeout"),
        ({"log_keep_days": 0}, "log_keep_days"),
        ({"log_keep_min": 0}, "log_keep_min"),
        ({"language": "de"}, "language"),
        ({"colour": "red"}, "colour"),
        ({"environment": {"A B": "c"}}, "environment"),
        ({"environment": {"ANSIBLE_VAULT_PASSWORD_FILE": "/x"}}, "ANSIBLE_VAULT_PASSWORD_FILE"),
        ({"extra_args": ["--ask-vault-pass"]}, "extra_args"),
        ({"extra_args": ["--vault-id=x@y"]}, "extra_args"),
        ({"extra_args": ["-K"]}, "extra_args"),
        ({"on_failure": {"mail": "a@b, c@d"}}, "mail"),
        ({"on_failure": {"mail": "a@b\nBcc: c@d"}}, "mail"),
        ({"on_failure": {"smtp_port": 70000}}, "smtp_port"),
        ({"on_failure": {"sms": "1"}}, "sms"),
    ],
)
def test_a_wrong_job_is_refused_in_one_sentence(change: dict[str, Any], word: str) -> None:
    with pytest.raises(lib.JobError) as caught:
        lib.parse_job({**JOB, **change})
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_job_file_that_is_not_an_object_is_refused() -> None:
    with pytest.raises(lib.JobError, match="not a JSON object"):
        lib.parse_job(["x"])


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700, 0o500])
def test_a_private_vault_file_is_accepted(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "vault"
    path.write_text("secret")
    path.chmod(mode)
    assert lib.vault_problem(str(path), os.geteuid()) is None


@pytest.mark.parametrize(
    ("mode", "cure"), [(0o644, "chmod 600"), (0o640, "chmod 600"), (0o604, "chmod 600"), (0o750, "chmod 700")]
)
def test_an_open_vault_file_is_refused_with_its_cure(tmp_path: Path, mode: int, cure: str) -> None:
    path = tmp_path / "vault"
    path.write_text("secret")
    path.chmod(mode)
    problem = lib.vault_problem(str(path), os.geteuid())
    assert problem is not None
    assert f"{cure} {path}" in problem
    assert "secret" not in problem


def test_a_vault_file_that_is_missing_foreign_empty_or_a_folder_is_refused(tmp_path: Path) -> None:
    me = os.geteuid()
    path = tmp_path / "vault"
    assert "cannot be read" in str(lib.vault_problem(str(path), me))
    path.touch(mode=0o600)
    assert "is empty" in str(lib.vault_problem(str(path), me))
    assert f"chown {me + 1} {path}" in str(lib.vault_problem(str(path), me + 1))
    assert "not a regular file" in str(lib.vault_problem(str(tmp_path), me))


def test_the_command_line_has_all_parts_in_order() -> None:
    job = lib.parse_job({**JOB, "limit": "a:!b", "extra_args": ["-e", "x=1 2"], "vault_password_file": "/v"})
    assert lib.build_argv(job, "/v/bin/ansible-playbook") == [
        "/v/bin/ansible-playbook", "--inventory", "/srv/hosts.yml", "--vault-password-file", "/v", "--limit", "a:!b",
        "-e", "x=1 2", "lycee.openerp.backup_network",
    ]  # fmt: skip


def test_the_environment_inherits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "surprise")
    job = lib.parse_job({**JOB, "ansible_config": "/srv/ansible.cfg", "environment": {"https_proxy": "http://p"}})
    env = lib.build_env(job, "/venv/bin/python3", "/root", "root", "r1")
    assert "ANSIBLE_STDOUT_CALLBACK" not in env
    assert env["PATH"].split(":")[0] == "/venv/bin"
    assert env["ANSIBLE_CONFIG"] == "/srv/ansible.cfg"
    assert env["https_proxy"] == "http://p"
    hook = lib.hook_env(env, lib.Outcome(2, "failed", "It failed."), "/log/x.log", "control")
    assert {k: v for k, v in hook.items() if k.startswith("LYCEE_")} == {
        "LYCEE_JOB": "nightly",
        "LYCEE_EXIT": "2",
        "LYCEE_REASON": "failed",
        "LYCEE_MESSAGE": "It failed.",
        "LYCEE_LOG": "/log/x.log",
        "LYCEE_HOST": "control",
    }


def test_old_logs_go_the_newest_stay_and_foreign_files_are_not_touched() -> None:
    days = [lib.log_name("nightly", NOON - dt.timedelta(days=n), 0) for n in (0, 29, 31, 40, 50)]
    foreign = [
        "nightly-20200101T000000Z.log.gz",
        "nightly-20200101T000000Z.log\n",
        "nightly-20200101T000000.log",
        "nightly-2-20200101T000000Z.log",
        "nightly-20200101T000000Z.0.log",
        "xnightly-20200101T000000Z.log",
        "nightly.json",
        "nightly-٢٠٢٠٠١٠١T000000Z.log",
    ]
    assert lib.logs_to_delete(days + foreign, "nightly", NOON, 30, 1) == [days[2], days[3], days[4]]
    assert lib.logs_to_delete(days + foreign, "nightly", NOON, 30, 4) == [days[4]]
    assert lib.logs_to_delete(days + foreign, "nightly", NOON, 30, 9) == []


def test_runs_of_one_second_are_sorted_by_their_number() -> None:
    old = NOON - dt.timedelta(days=99)
    names = [lib.log_name("nightly", old, n) for n in range(12)]
    assert names[11] == "nightly-20251123T120000Z.11.log"
    assert lib.logs_to_delete(names, "nightly", NOON, 30, 2) == names[9::-1]


@pytest.mark.parametrize(
    ("returncode", "stopped", "code", "reason"),
    [
        (0, None, 0, "success"),
        (2, None, 2, "failed"),
        (-9, None, 137, "signal"),
        (0, "timeout", 124, "timeout"),
        (-15, "15", 143, "signal"),
        (0, "2", 130, "signal"),
    ],
)
def test_only_an_undisturbed_zero_is_a_success(returncode: int, stopped: str | None, code: int, reason: str) -> None:
    outcome = lib.outcome_of(returncode, stopped, 5)
    assert (outcome.exit, outcome.reason) == (code, reason)


def test_the_result_counts_failures_and_remembers_the_last_success() -> None:
    span = (NOON, NOON + dt.timedelta(seconds=90))
    good, bad = lib.Outcome(0, "success", ""), lib.Outcome(4, "failed", "")
    first = lib.build_state("n", {}, span, good, log="/l", lost=False)
    assert (first["duration_s"], first["consecutive_failures"]) == (90.0, 0)
    assert first["last_success"] == "2026-03-02T12:01:30+00:00"
    second = lib.build_state("n", first, span, bad, log="/l", lost=False)
    third = lib.build_state("n", second, span, bad, log="/l", lost=True)
    assert (second["consecutive_failures"], third["consecutive_failures"]) == (1, 3)
    assert third["last_success"] == first["last_success"]
    assert (
        lib.build_state("n", {"consecutive_failures": "x"}, span, bad, log="", lost=False)["consecutive_failures"] == 1
    )


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        ("en", "[pc-1] job nightly failed (exit code 2)", ("Reason: failed", "The end of the log:")),
        ("fr", "[pc-1] la tâche nightly a échoué (code de sortie 2)", ("Raison : la commande", "Fin du journal :")),
    ],
)
def test_the_mail_speaks_the_language_of_the_job(language: str, subject: str, words: tuple[str, str]) -> None:
    job = lib.parse_job({**JOB, "language": language, "on_failure": {"mail": "admin@lycee.example"}})
    assert job.hook_mail is not None
    outcome = lib.Outcome(2, "failed", "It failed.")
    mail = lib.build_mail(job, job.hook_mail, outcome, log="/l", tail="PLAY RECAP é", host="pc-1")
    assert mail["Subject"] == subject
    assert mail["To"] == "admin@lycee.example"
    assert mail["From"] == "lycee-openerp@pc-1"
    assert mail.as_bytes().isascii()
    text = mail.get_content()
    assert all(word in text for word in (*words, "PLAY RECAP é"))


def test_the_tail_is_short_and_free_of_control_characters() -> None:
    text = "\n".join(f"line {n}\x1b[0m" for n in range(500))
    tail = lib.tail_of(text).split("\n")
    assert len(tail) == lib.TAIL_LINES
    assert tail[-1] == "line 499[0m"


def test_every_reason_has_a_french_word() -> None:
    reasons = {"failed", "timeout", "signal", "config", "io", "busy"}
    assert set(lib.REASON_FR) == reasons


def test_a_process_is_read_from_its_line_whatever_its_name() -> None:
    line = "42 (a) (b c) S 1 40 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9999 0 0"
    assert parse_stat(line) == Proc(pid=42, start=9999, parent=1, group=40, session=41)
    assert parse_stat(line.replace(") S", ") Z")) is None


def test_descendants_are_found_over_several_generations() -> None:
    procs = [Proc(4, 1, 3, 4, 4), Proc(3, 1, 2, 3, 3), Proc(2, 1, 1, 2, 2), Proc(9, 1, 1, 9, 9)]
    assert {p.pid for p in descendants(procs, 2)} == {2, 3, 4}
