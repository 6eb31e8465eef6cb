# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive: what is written, what stays, what an interruption leaves."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios import archive as archive_module
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios import export as export_module
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.archive import Archive
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.backup import BackupOptions, backup
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.errors import ArchiveError, UnreachableError
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.export import export
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.git import Repository
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.report import age_text, report, table

from .samples import CONFIG, VERSION, FakeSession, running, startup


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def run(archive: Archive, session: FakeSession | None = None, **options: Any) -> dict[str, Any]:
    return backup("sw1", lambda: session or FakeSession(), archive, BackupOptions(**options))


def commits(archive: Archive) -> list[str]:
    log = subprocess.run(
        ["git", "log", "--format=%B%x00"], cwd=archive.root, capture_output=True, text=True, check=True
    )
    return [message.strip() for message in log.stdout.split("\0") if message.strip()]


def test_the_files_are_exact_private_and_described(archive: Archive) -> None:
    result = run(archive)
    assert result["changed"] is True
    folder = archive.root / "devices" / "sw1"
    assert (folder / "running-config").read_bytes() == (running().rstrip("\n") + "\n").encode("latin-1")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in archive.root.rglob("*")}
    assert modes == {0o700, 0o600}
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["serial"] == "FOC1234X0AB"
    assert manifest["files"]["running-config"]["bytes"] == (folder / "running-config").stat().st_size


def test_an_unchanged_device_leaves_every_byte(archive: Archive) -> None:
    run(archive)
    before = {path: path.read_bytes() for path in (archive.root / "devices").rglob("*") if path.is_file()}
    later = FakeSession({"show running-config": running(CONFIG.replace("36029056", "36029057"))})
    assert run(archive, later)["changed"] is False
    assert {path: path.read_bytes() for path in before} == before


def test_check_mode_writes_nothing_and_sees_the_change(archive: Archive) -> None:
    assert run(archive, check=True)["changed"] is True
    assert not archive.root.exists()


def test_the_diff_masks_secrets_and_shows_that_one_changed(archive: Archive) -> None:
    run(archive)
    session = FakeSession({"show running-config": running(CONFIG.replace("094F471A1A0A", "110A1016141D"))})
    result = run(archive, session, diff=True)
    (part,) = result["diff"]
    assert part["before"] != part["after"]
    assert "094F471A1A0A" not in str(result)
    assert "110A1016141D" not in str(result)


def test_a_refused_configuration_never_replaces_the_good_one(archive: Archive) -> None:
    run(archive)
    good = (archive.root / "devices/sw1/running-config").read_bytes()
    result = run(archive, FakeSession({"show running-config": running()[:400]}))
    assert result["failed"] is True
    assert (archive.root / "devices/sw1/running-config").read_bytes() == good
    assert Path(str(result["partial"])).read_bytes()
    assert archive.status("sw1")["failed"] is True
    assert archive.status("sw1")["last_success"]


def test_a_half_size_is_refused_unless_forced(archive: Archive) -> None:
    run(archive)
    small = "version 15.0\nhostname sw1\nend\n"
    session = FakeSession({"show running-config": running(small), "show startup-config": startup(small)})
    assert "network_backup_force" in str(run(archive, session)["msg"])
    assert run(archive, session, force=True)["changed"] is True


def test_an_interrupted_store_is_completed(archive: Archive) -> None:
    run(archive)
    manifest = archive.root / "devices/sw1/manifest.json"
    whole = manifest.read_bytes()
    changed = CONFIG.replace("Élève 01", "Élève 02")
    # As a run that was killed after the files and before the manifest.
    data = (running(changed).rstrip("\n") + "\n").encode("latin-1")
    (archive.root / "devices/sw1/running-config").write_bytes(data)
    run(archive, FakeSession({"show running-config": running(changed)}))
    assert manifest.read_bytes() != whole
    assert json.loads(manifest.read_text("utf-8"))["files"]["running-config"]["bytes"] == len(data)


def test_an_erased_startup_configuration_is_removed(archive: Archive) -> None:
    run(archive)
    result = run(archive, FakeSession({"show startup-config": "startup-config is not present\n"}))
    assert result["changed_files"] == ["startup-config"]
    assert not (archive.root / "devices/sw1/startup-config").exists()


def test_a_subset_leaves_the_rest(archive: Archive) -> None:
    run(archive)
    assert run(archive, captures=("running-config",))["changed"] is False
    assert archive.manifest("sw1")["model"] == "WS-C2960-24TT-L"
    assert "version.txt" in archive.manifest("sw1")["files"]


def test_a_name_that_is_a_path_is_refused(archive: Archive) -> None:
    result = backup("../sw1", FakeSession, archive, BackupOptions())
    assert "cannot name a folder" in result["msg"]


def test_an_unwritable_archive_is_told_before_the_device_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    session = FakeSession()
    result = run(Archive(tmp_path / "file" / "archive"), session)
    assert "cannot be used" in str(result["msg"])
    assert session.asked == []


def test_an_unreachable_device_is_counted_apart(archive: Archive) -> None:
    def refuse() -> FakeSession:
        raise UnreachableError("sw1: no answer")

    result = backup("sw1", refuse, archive, BackupOptions())
    assert result["unreachable"] is True
    assert archive.status("sw1")["msg"] == "sw1: no answer"


def test_a_denied_command_keeps_what_the_archive_holds_and_warns(archive: Archive) -> None:
    run(archive)
    before = (archive.root / "devices/sw1/flash.txt").read_bytes()
    result = run(archive, FakeSession({"dir flash:": "%Error opening flash:/ (Device or resource busy)\n"}))
    assert result["changed"] is False
    assert "was not answered" in result["warnings"][0]
    assert (archive.root / "devices/sw1/flash.txt").read_bytes() == before
    assert "flash.txt" in archive.manifest("sw1")["files"]


def test_a_bad_startup_configuration_fails_and_keeps_the_good_running_one(archive: Archive) -> None:
    run(archive)
    changed = CONFIG.replace("Élève 01", "Élève 02")
    session = FakeSession({"show running-config": running(changed), "show startup-config": startup()[:400]})
    result = run(archive, session)
    assert result["failed"] is True
    assert "startup-config is not accepted" in result["msg"]
    assert "Élève 02".encode("latin-1") in (archive.root / "devices/sw1/running-config").read_bytes()
    assert b"login local" in (archive.root / "devices/sw1/startup-config").read_bytes()


def test_another_device_at_the_address_is_refused_and_a_replaced_one_forced(archive: Archive) -> None:
    run(archive)
    answers = {
        "show version": VERSION.replace("sw1 uptime", "sw9 uptime").replace("FOC1234X0AB", "FOC9999X0ZZ"),
        "show running-config": running(CONFIG.replace("hostname sw1", "hostname sw9")),
    }
    result = run(archive, FakeSession(answers, prompt="sw9#"))
    assert result["failed"] is True
    assert "another device answers" in result["msg"]
    assert archive.manifest("sw1")["hostname"] == "sw1"
    assert run(archive, FakeSession(answers, prompt="sw9#"), force=True)["changed"] is True


def test_a_device_that_is_renamed_is_the_same_device(archive: Archive) -> None:
    run(archive)
    answers = {
        "show version": VERSION.replace("sw1 uptime", "sw9 uptime"),
        "show running-config": running(CONFIG.replace("hostname sw1", "hostname sw9")),
    }
    assert run(archive, FakeSession(answers, prompt="sw9#"))["changed"] is True


def test_check_mode_leaves_an_archive_as_it_is(archive: Archive, tmp_path: Path) -> None:
    run(archive)
    Repository(archive).commit()
    (archive.private / "fingerprint.key").unlink(missing_ok=True)
    run(archive, FakeSession({"show running-config": running(CONFIG.replace("Élève 01", "Élève 02"))}))
    before = {path: path.read_bytes() for path in archive.root.rglob("*") if path.is_file()}
    assert Repository(archive).commit(dry_run=True).message.count("sw1/running-config: +1 -1") == 1
    assert export(archive, tmp_path / "exports", keep_days=1, keep_minimum=1, dry_run=True).created
    run(archive, check=True, diff=True)
    assert {path: path.read_bytes() for path in archive.root.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "exports").exists()


def test_what_a_killed_run_left_is_found(archive: Archive) -> None:
    run(archive)
    left = archive.root / "devices/sw1/.running-config.abc.tmp"
    left.write_text("secret")
    assert archive.leftovers() == [left]


# Commits


def test_one_commit_names_devices_and_lines_and_a_second_makes_none(archive: Archive) -> None:
    run(archive)
    commit = Repository(archive).commit()
    assert commit.devices == ["sw1"]
    assert commits(archive)[0].startswith("Back up sw1\n")
    assert f"sw1/running-config: +{running().rstrip().count(chr(10)) + 1} -0" in commits(archive)[0]
    assert Repository(archive).commit().sha == ""
    assert len(commits(archive)) == 1


def test_the_commit_takes_what_an_interrupted_run_left_and_no_temporary_file(archive: Archive) -> None:
    run(archive)
    (archive.root / "devices/sw1/.running-config.x.tmp").write_text("half")
    (archive.root / ".git").mkdir(exist_ok=True)
    Repository(archive).commit()
    (archive.root / ".git" / "index.lock").write_text("")
    run(archive, FakeSession({"show running-config": running(CONFIG.replace("Élève 01", "Élève 02"))}))
    commit = Repository(archive).commit()
    assert "sw1/running-config: +1 -1" in commit.message
    files = subprocess.run(["git", "ls-files"], cwd=archive.root, capture_output=True, text=True, check=True).stdout
    assert ".tmp" not in files
    assert ".lycee" not in files


def test_the_user_s_git_configuration_takes_no_part(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text(
        "[commit]\n\tgpgSign = true\n[core]\n\tautocrlf = true\n\thooksPath = /nonexistent\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    run(archive)
    assert Repository(archive).commit().sha
    assert (archive.root / ".git").is_dir()


def test_git_objects_are_private(archive: Archive) -> None:
    run(archive)
    Repository(archive).commit()
    assert not [path for path in archive.root.rglob("*") if path.stat().st_mode & 0o077]


def test_an_archive_with_a_remote_is_refused(archive: Archive) -> None:
    run(archive)
    Repository(archive).commit()
    subprocess.run(["git", "remote", "add", "origin", "https://example.org/x"], cwd=archive.root, check=True)
    with pytest.raises(ArchiveError, match="remote remove origin"):
        Repository(archive).commit()


def test_a_dry_run_commits_nothing(archive: Archive) -> None:
    run(archive)
    assert Repository(archive).commit(dry_run=True).devices == ["sw1"]
    assert not (archive.root / ".git").exists()


# Exports and retention


def test_the_export_is_redacted_and_made_once(archive: Archive, tmp_path: Path) -> None:
    run(archive)
    folder = tmp_path / "exports"
    first = export(archive, folder, keep_days=1, keep_minimum=1)
    assert first.created
    assert first.path is not None
    text = (first.path / "sw1/running-config").read_text("latin-1")
    assert "<secret:" in text
    assert "lecture" not in text
    assert "hostname sw1" in text
    second = export(archive, folder, keep_days=1, keep_minimum=1)
    assert not second.created
    assert second.path == first.path


def test_old_exports_go_but_neither_the_newest_nor_what_is_not_ours(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(archive)
    folder = tmp_path / "exports"
    old = export(archive, folder, keep_days=1, keep_minimum=1).path
    foreign = folder / "redacted-2001-01-01T000000Z"
    foreign.mkdir()
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=400)
    monkeypatch.setattr(export_module, "now", lambda: later)
    assert export(archive, folder, keep_days=1, keep_minimum=1).removed == []
    run(archive, FakeSession({"show running-config": running(CONFIG.replace("Élève 01", "Élève 02"))}))
    result = export(archive, folder, keep_days=1, keep_minimum=1)
    assert result.removed == [old]
    assert foreign.exists()


def test_an_export_inside_the_archive_is_refused(archive: Archive) -> None:
    run(archive)
    with pytest.raises(ArchiveError, match="inside the archive"):
        export(archive, archive.root / "devices" / "x", keep_days=1, keep_minimum=1)


def test_old_partials_expire_by_their_names(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.prepare()
    path = archive.keep_partial("sw1", "running-config", "half")
    assert archive.expired_partials(30) == []
    later = archive_module.now() + timedelta(days=31)
    monkeypatch.setattr(archive_module, "now", lambda: later)
    assert archive.expired_partials(30) == [path]


# Report


def test_the_report_says_ok_failed_never_and_retired(archive: Archive) -> None:
    run(archive)
    backup("sw2", lambda: FakeSession(prompt="sw2#"), archive, BackupOptions())
    reports = {one.host: one for one in report(archive, ["sw2", "sw3"], archive_module.now())}
    assert {host: one.state for host, one in reports.items()} == {"sw1": "retired", "sw2": "never", "sw3": "never"}
    lines = table(list(reports.values()))
    assert lines[0].startswith("device")
    assert any(line.startswith("! sw2: the running-config is not accepted") for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0, "0 s"), (59, "59 s"), (61, "1 min"), (7200, "2 h"), (172800, "2 d")]
)
def test_ages(seconds: int | None, text: str) -> None:
    assert age_text(seconds) == text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_somebody_else_s_archive_is_refused(archive: Archive) -> None:
    run(archive)
    os.chown(archive.root, 65534, 65534)
    assert "belongs to the user number 65534" in str(run(archive)["msg"])
