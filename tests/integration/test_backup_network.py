# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""backup_network.yml against the lab, as an administrator runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.labs import BIN, ROOT, Lab

PLAYBOOK = "playbooks/backup_network.yml"
DEVICES = ["rt-lycee", "rt-rechange", "sw-cdi", "sw-rechange", "sw-salle1", "sw-salle2", "sw-serveurs"]
#: The lab answers at once, so silence is told sooner than from a real device.
QUICK = (
    "-e",
    "ansible_netmiko_read_timeout=3",
    "-e",
    "ansible_netmiko_banner_timeout=3",
    "-e",
    "ansible_netmiko_settle_time=0.3",
)


def test_every_device_is_saved_and_a_second_run_changes_nothing(school: Lab) -> None:
    first = school.playbook(PLAYBOOK)
    assert first.status == 0, first.output
    assert sorted(first.recap) == DEVICES
    assert first.changed == DEVICES
    assert len(school.commits()) == 1
    for device in DEVICES:
        saved = (school.archive / "devices" / device / "running-config").read_bytes()
        given = (school.inventory.parent / "devices" / f"{device}.cfg").read_bytes()
        assert saved.endswith(given), device
        manifest = json.loads((school.archive / "devices" / device / "manifest.json").read_text("utf-8"))
        assert all(manifest[field] for field in ("model", "serial", "ios_version", "image", "captured_at")), manifest
    second = school.playbook(PLAYBOOK)
    assert second.status == 0, second.output
    assert second.changed == []
    assert len(school.commits()) == 1


def test_no_secret_and_no_traceback_reaches_the_terminal(school: Lab) -> None:
    run = school.playbook(PLAYBOOK, "-vvvv", "--diff", "--limit", "sw-salle1")
    assert run.status == 0, run.output
    assert "+" in run.output
    for secret in ("Sauve-Garde-2026", "Secret-Enable-2026", "lecture-lycee", "$1$lAb0$", "$1$lAb1$"):
        assert secret not in run.output
    assert "Traceback" not in run.output


def test_check_mode_reads_reports_and_writes_nothing(school: Lab) -> None:
    run = school.playbook(PLAYBOOK, "--check", "--diff", "--limit", "sw-salle1")
    assert run.status == 0, run.output
    assert run.changed == ["sw-salle1"]
    assert not school.archive.exists()


def test_an_edit_is_one_commit_with_its_lines_and_is_reported_as_unsaved(school: Lab) -> None:
    school.playbook(PLAYBOOK)
    school.console("sw-salle1", "configure terminal", "interface FastEthernet0/3", "description Imprimante", "end")
    run = school.playbook(PLAYBOOK, "--diff")
    # The commit is counted for the first host of the play, whichever device it names.
    assert run.changed == ["sw-salle1", "sw-serveurs"], run.output
    assert "description Imprimante" in run.output
    assert "not saved on the device" in run.text
    newest = school.commits()[0]
    assert newest.startswith("Back up sw-salle1\n")
    assert "sw-salle1/running-config: +" in newest
    school.console("sw-salle1", "write memory")
    saved = school.playbook(PLAYBOOK)
    assert "not saved on the device" not in saved.text
    school.console(
        "sw-salle1",
        "configure terminal",
        "interface FastEthernet0/3",
        "description Salle 101, élève, poste 03",
        "end",
        "write memory",
    )


@pytest.mark.parametrize(
    ("fault", "sentence", "counted"),
    [
        (("wrong_password",), "sw-salle1: 127.77.", "failed"),
        (("wrong_password",), "correct ansible_user and ansible_password", "failed"),
        (("wrong_enable",), "refused the enable secret; correct ansible_become_password", "failed"),
        (("off",), "refused the connection; is ssh enabled on the device", "failed"),
        (("mute",), "began no SSH session in time", "failed"),
        (("kex",), "have no kex algorithm in common", "failed"),
        (("cut", "1500"), "the connection broke during 'show running-config'", "failed"),
        (("truncate", "1500"), "it does not end with 'end'", "failed"),
        (("hang", "1500"), "no prompt came for 3 s", "failed"),
        (("pager",), "pages its answer", "failed"),
        (("privilege",), "has the account privilege level 15", "failed"),
        (("empty",), "nothing came but the header", "failed"),
        (("noise",), "a log message was printed into it", "failed"),
    ],
)
def test_each_fault_gives_its_sentence_and_the_others_go_on(
    school: Lab, fault: tuple[str, ...], sentence: str, counted: str
) -> None:
    school.fault("sw-salle1", *fault)
    run = school.playbook(PLAYBOOK, "--limit", "sw-salle1,sw-serveurs", *QUICK)
    assert run.status != 0
    assert run.recap["sw-salle1"][counted] == 1, run.output
    assert run.recap["sw-serveurs"]["failed"] == 0
    assert sentence in run.text
    assert "Traceback" not in run.output
    assert "Sauve-Garde-2026" not in run.output
    assert not (school.archive / "devices" / "sw-salle1").exists()
    assert (school.archive / "devices" / "sw-serveurs" / "running-config").exists()
    assert school.commits()[0].startswith("Back up sw-serveurs\n")


def test_a_shrunk_configuration_is_refused_kept_aside_and_accepted_by_force(school: Lab) -> None:
    school.playbook(PLAYBOOK, "--limit", "sw-salle1")
    good = (school.archive / "devices/sw-salle1/running-config").read_bytes()
    school.fault("sw-salle1", "shrunk")
    run = school.playbook(PLAYBOOK, "--limit", "sw-salle1", *QUICK)
    assert run.status == 2
    assert "network_backup_force=true" in run.text
    assert (school.archive / "devices/sw-salle1/running-config").read_bytes() == good
    (partial,) = (school.archive / ".lycee/partial/sw-salle1").iterdir()
    assert partial.stat().st_mode & 0o777 == 0o600
    assert str(partial) in run.text
    forced = school.playbook(PLAYBOOK, "--limit", "sw-salle1", "-e", "network_backup_force=true", *QUICK)
    assert forced.status == 0, forced.output
    assert len((school.archive / "devices/sw-salle1/running-config").read_bytes()) < len(good) / 2


@pytest.mark.parametrize("trickle", ["97:2", "1500:1"])
def test_a_line_in_small_pieces_loses_nothing_even_with_the_prompt_in_a_banner(school: Lab, trickle: str) -> None:
    school.console(
        "sw-salle1", "configure terminal", "banner exec ^", "sw-salle1#", "sw-salle1#show running-config", "^", "end"
    )
    school.fault("sw-salle1", "trickle", trickle)
    run = school.playbook(PLAYBOOK, "--limit", "sw-salle1")
    assert run.status == 0, run.output
    saved = (school.archive / "devices/sw-salle1/running-config").read_text("latin-1")
    assert saved.endswith("\nend\n")
    assert "\nsw-salle1#\nsw-salle1#show running-config\n" in saved


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ("ansible_network_os=junos", "the device type 'junos' is not known here"),
        ("ansible_netmiko_transport=rsh", "it may be ssh or telnet"),
        ("ansible_netmiko_encoding=klingon", "which Python does not know"),
        ("ansible_become_password=", "no enable secret is given; set ansible_become_password"),
        ("ansible_host=nowhere.invalid", "no address is known for 'nowhere.invalid'"),
        ("ansible_become_password=Abc€def", "ansible_become_password holds a character that latin-1 has not"),
        ("ansible_password=wrong", "refused the user 'sauvegarde' or the password"),
        ("network_backup_archive=/proc/nothing/here", "the archive /proc/nothing/here cannot be used"),
        ('{"network_backup_volatile": ["("]}', "which is no regular expression"),
        ('{"network_backup_captures": ["runing"]}', "runing"),
    ],
)
def test_bad_input_gets_one_sentence(school: Lab, variables: str, sentence: str) -> None:
    run = school.playbook(PLAYBOOK, "--limit", "sw-salle1", "-e", variables)
    assert run.status != 0
    assert sentence in run.text, run.output
    assert "Traceback" not in run.output


def test_host_keys_are_checked_added_once_and_a_changed_one_is_refused(school: Lab, tmp_path: Path) -> None:
    checked = (
        "--limit",
        "sw-salle1",
        "-e",
        "ansible_host_key_checking=true",
        "-e",
        f"ansible_netmiko_known_hosts_file={tmp_path}/known",
    )
    unknown = school.playbook(PLAYBOOK, *checked)
    assert unknown.status != 0
    assert "ansible_host_key_auto_add=true" in unknown.text
    assert school.playbook(PLAYBOOK, *checked, "-e", "ansible_host_key_auto_add=true").status == 0
    known = (tmp_path / "known").read_text("ascii")
    assert "ssh-rsa" in known
    assert school.playbook(PLAYBOOK, *checked).status == 0
    assert (tmp_path / "known").read_text("ascii") == known
    school.fault("sw-salle1", "hostkey")
    changed = school.playbook(PLAYBOOK, *checked, "-e", "ansible_host_key_auto_add=true")
    assert changed.status != 0
    assert "is not the one in" in changed.text


def test_telnet_with_a_wrong_password_is_told_soon(school: Lab) -> None:
    school.fault("sw-cdi", "wrong_password")
    # Netmiko's own login would need eleven seconds, which is longer than it is given here.
    run = school.playbook(PLAYBOOK, "--limit", "sw-cdi", "-e", "ansible_netmiko_auth_timeout=5")
    assert run.recap["sw-cdi"]["failed"] == 1
    assert "refused the user" in run.text


def test_the_batch_form_names_the_failed_device_saves_the_others_and_commits_once(school: Lab) -> None:
    school.fault("sw-salle1", "truncate", "1500")
    run = school.playbook(PLAYBOOK, "-e", "network_backup_batch=true", *QUICK)
    assert run.status != 0
    assert "1 of 7 devices failed, the others are done. sw-salle1: the running-config is not accepted" in run.text
    assert "[7/7]" in run.output
    saved = sorted(path.name for path in (school.archive / "devices").iterdir())
    assert saved == [device for device in DEVICES if device != "sw-salle1"]
    assert len(school.commits()) == 1
    school.fault("sw-salle1", "clear")
    again = school.playbook(PLAYBOOK, "-e", "network_backup_batch=true")
    assert again.status == 0, again.output
    assert school.commits()[0].startswith("Back up sw-salle1\n")
    assert school.playbook(PLAYBOOK, "-e", "network_backup_batch=true").changed == []


@pytest.mark.parametrize("dead", ["sw-serveurs", "sw-cdi", "rt-rechange"])
def test_a_dead_batch_neither_ends_the_run_nor_keeps_the_others_from_the_commit(school: Lab, dead: str) -> None:
    school.fault(dead, "off")
    run = school.playbook(PLAYBOOK, "-e", "network_backup_serial=1")
    assert run.status != 0
    assert sorted(run.recap) == DEVICES
    assert [host for host, counts in run.recap.items() if counts["failed"]] == [dead]
    assert sorted(path.name for path in (school.archive / "devices").iterdir()) == [
        one for one in DEVICES if one != dead
    ]
    assert len(school.commits()) == 1


def test_with_every_device_off_the_report_and_what_was_left_still_come(school: Lab) -> None:
    school.playbook(PLAYBOOK, "--limit", "sw-cdi")
    (school.archive / "devices/sw-cdi/version.txt").write_text("left by a killed run\n")
    school.fault("all", "off")
    run = school.playbook(PLAYBOOK)
    assert run.status != 0
    assert all(counts["failed"] for counts in run.recap.values())
    assert len(school.commits()) == 2
    assert "! sw-salle1: 127.77." in run.output


def test_the_strategy_of_the_user_makes_no_difference(school: Lab) -> None:
    run = school.playbook(PLAYBOOK, "-e", "network_backup_batch=true", environment={"ANSIBLE_STRATEGY": "free"})
    assert run.status == 0, run.output
    assert run.output.count("[7/7]") == 1
    assert len(school.commits()) == 1


def test_the_role_alone_fails_where_a_device_fails(school: Lab, tmp_path: Path) -> None:
    playbook = tmp_path / "own.yml"
    playbook.write_text("- hosts: network\n  gather_facts: false\n  roles: [lycee.openerp.network_backup]\n", "utf-8")
    school.fault("sw-cdi", "off")
    run = school.playbook(str(playbook))
    assert run.status != 0
    assert run.recap["sw-cdi"]["unreachable"] == 1


@pytest.mark.parametrize(
    "extra", [("-e", "network_backup_serial=2"), ("--forks", "1"), ("--limit", "sw-salle1,rt-lycee")]
)
def test_there_is_one_commit_whatever_the_batches(school: Lab, extra: tuple[str, ...]) -> None:
    assert school.playbook(PLAYBOOK, *extra).status == 0
    assert len(school.commits()) == 1


def test_what_a_killed_run_left_is_committed_by_the_next(school: Lab) -> None:
    """The controller alone is killed while a slow device answers; its worker goes on, and the next run completes."""
    school.playbook(PLAYBOOK, "--limit", "sw-salle1")
    school.console("sw-salle1", "configure terminal", "interface FastEthernet0/3", "description Fini", "end")
    school.fault("sw-serveurs", "slow", "0:30")
    with subprocess.Popen(
        [
            BIN / "ansible-playbook",
            "-i",
            school.inventory,
            "-e",
            f"lycee_data_dir={school.data}",
            PLAYBOOK,
            "--limit",
            "sw-salle1,sw-serveurs",
        ],
        cwd=ROOT,
        env=school.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        config = school.archive / "devices/sw-salle1/running-config"
        deadline = time.monotonic() + 60
        while b"description Fini" not in config.read_bytes():
            assert time.monotonic() < deadline
            os.sched_yield()
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    assert len(school.commits()) == 1
    school.fault("sw-serveurs", "clear")
    run = school.playbook(PLAYBOOK, "--limit", "sw-serveurs")
    assert run.status == 0, run.output
    assert "sw-salle1/running-config: +" in school.commits()[0]
    assert len(school.commits()) == 2


def test_the_redacted_export_holds_no_secret(school: Lab) -> None:
    run = school.playbook(PLAYBOOK, "-e", f"network_backup_export_dir={school.data}/redacted")
    assert run.status == 0, run.output
    (copy,) = (school.data / "redacted").iterdir()
    text = "".join(path.read_text("latin-1") for path in copy.rglob("*") if path.is_file())
    assert "hostname sw-salle1" in text
    for secret in ("lecture-lycee", "$1$lAb0$", "$1$lAb1$"):
        assert secret not in text


def test_the_report_is_shown_with_every_device(school: Lab) -> None:
    school.fault("sw-salle1", "off")
    run = school.playbook(PLAYBOOK)
    assert "! sw-salle1: 127.77." in run.output
    assert "CISCO2901/K9" in run.output
    assert run.output.count("  ok  ") >= 6
