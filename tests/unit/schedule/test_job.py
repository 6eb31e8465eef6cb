# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the runner that can be tried without a run."""

from __future__ import annotations

import datetime as dt
import os
from email import message_from_bytes, policy
from pathlib import Path

import lycee_job
import lycee_job_lib as lib
import pytest

NOON = dt.datetime(2026, 3, 2, 12, 0, 0, tzinfo=dt.UTC)


@pytest.fixture
def job(tmp_path: Path) -> lib.Job:
    """A job that mails to root."""
    return lib.parse_job(
        {
            "name": "nightly",
            "project_dir": str(tmp_path),
            "playbook": "lycee.openerp.backup_network",
            "log_dir": str(tmp_path),
            "log_keep_days": 30,
            "log_keep_min": 3,
            "state_dir": str(tmp_path),
            "on_failure": {"mail": "root", "command": ["/no/such/hook"]},
        }
    )


def test_two_logs_of_one_second_do_not_clash(job: lib.Job) -> None:
    logs = [lycee_job.Log(), lycee_job.Log()]
    for number, log in enumerate(logs):
        log.open(job, NOON)
        log.say(f"log {number}")
    assert [Path(log.path).name for log in logs] == ["nightly-20260302T120000Z.log", "nightly-20260302T120000Z.1.log"]
    assert [log.tail() for log in logs] == ["lycee_job: log 0", "lycee_job: log 1"]
    assert {os.stat(log.path).st_mode & 0o777 for log in logs} == {0o600}  # noqa: PTH116


def test_a_full_disk_is_remembered_and_does_not_stop_the_run(capfd: pytest.CaptureFixture[str]) -> None:
    log = lycee_job.Log()
    log.fd = os.open("/dev/full", os.O_WRONLY)
    log.write(b"one\n")
    log.write(b"two\n")
    assert isinstance(log.error, OSError)
    assert capfd.readouterr().out == "one\ntwo\n"


def test_a_lock_says_who_holds_it_and_is_free_after_an_orderly_end(job: lib.Job) -> None:
    first = lycee_job.Lock(job)
    first.hold(NOON, "no-such-run", None)
    with pytest.raises(lycee_job.Busy, match=f"process {os.getpid()} since 2026-03-02T12:00:00"):
        lycee_job.Lock(job)
    assert not first.lost
    os.close(first._fd)  # as when the process is killed
    second = lycee_job.Lock(job)
    assert second.lost
    second.clear()
    os.close(second._fd)
    assert not lycee_job.Lock(job).lost


def test_without_a_server_the_mail_program_of_the_host_gets_the_mail(
    job: lib.Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "sendmail"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/args\ncat > {tmp_path}/mail\n')
    program.chmod(0o700)
    monkeypatch.setattr(lycee_job, "SENDMAIL", str(program))
    log = lycee_job.Log()
    log.open(job, NOON)
    log.say("the last line")
    lycee_job.run_hooks(job, lib.Outcome(2, "failed", "It failed."), log, {})
    mail = message_from_bytes((tmp_path / "mail").read_bytes(), policy=policy.default)
    assert (tmp_path / "args").read_text() == "-t -oi\n"
    assert mail["To"] == "root"
    assert "the last line" in mail.get_content()
    said = Path(log.path).read_text()
    assert "The failure hook /no/such/hook did not work" in said
    assert "The failure was mailed to root." in said


def test_a_mail_that_cannot_leave_is_said_in_the_log(job: lib.Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lycee_job, "SENDMAIL", "/no/such/sendmail")
    log = lycee_job.Log()
    log.open(job, NOON)
    lycee_job.run_hooks(job, lib.Outcome(2, "failed", "It failed."), log, {})
    assert "could not be mailed to root: no smtp_host is given" in log.tail()


@pytest.mark.parametrize("argv", [[], ["a", "b"], ["--help"], ["--delay", "x", "job.json"]])
def test_a_wrong_call_is_refused(argv: list[str]) -> None:
    umask = os.umask(0o077)
    try:
        with pytest.raises(SystemExit) as caught:
            lycee_job.main(argv)
    finally:
        os.umask(umask)
    assert caught.value.code == 64
