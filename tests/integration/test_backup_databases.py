# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nights of database backups and restores against the lab: Windows with and without rsync, a real rsync daemon, every fault."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.tools import find_programs

from tests.labs import BIN, ROOT
from tests.schools import DAEMON, SERVER, SPARE, School, make_school

BACKUP, RESTORE, CONTEXT, VERIFY = (
    f"playbooks/{name}.yml" for name in ("backup_databases", "restore_databases", "restore_context", "verify_backups")
)
ODD = "SpecibikeX;touch PWNED"
#: One small server with rsync, one without databases, and the backup server: what a fault needs, and no more.
SMALL = [{"name": "Specibiketoto", "tables": 5}, {"name": ODD, "tables": 5}, {"name": "essais", "tables": 5}]


def only_one_server(hosts: dict[str, Any]) -> None:
    """Leave the French server, a spare one without databases, and the backup server."""
    del hosts["children"]["network"]
    servers = hosts["children"]["windows"]["children"]
    servers["openerp_servers"]["hosts"] = {
        SERVER: servers["openerp_servers"]["hosts"][SERVER] | {"lab_databases": SMALL}
    }


@pytest.fixture(scope="module")
def small(lab_networks: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """Bring a small school up, once per module."""
    folder = tmp_path_factory.mktemp("small") / "inventories" / "lab"
    with make_school(folder, lab_networks(), only_one_server) as school:
        yield school


@pytest.fixture
def school(small: School, tmp_path: Path) -> Iterator[School]:
    """Give the small school with empty disks and an empty catalog; take faults back at the end."""
    small.data = tmp_path / "data"
    for disk in ("backup", "usb"):
        for entry in (small.disks / disk).iterdir():
            shutil.rmtree(entry)
    yield small
    small.command("fault", "all", "clear")


def test_a_night_of_the_whole_school(lab_networks: Callable[[], str], tmp_path: Path) -> None:
    """A French server with rsync and an English one without; two nights; then everything on the spare server."""
    with make_school(tmp_path / "inventories" / "lab", lab_networks(), lambda hosts: None) as school:
        school.data = tmp_path / "data"
        first = school.playbook(BACKUP, "-vvv")
        assert first.status == 0, first.output
        for secret in ("Base-De-Donnees-2026", "Sauver-Loin-2026", "Administrer-2026"):
            assert secret not in first.output
        assert "by the server's rsync" in first.output
        assert "comes through the session" in first.output
        for host in (SERVER, "srv-openerp2"):
            contexts = [name for name in school.databases(host) if name.startswith("Specibike")]
            catalog = school.catalog(host)
            assert {item.name for item in catalog.of_kind("database")} == set(contexts)
            for item in catalog.of_kind("database"):
                newest = item.newest_proven
                assert newest is not None
                assert set(newest.stored) == {DAEMON, "disque-usb"}
                assert sum(catalog.rows(newest).values()) == sum(
                    int(line.partition("|")[2]) for line in school.counts(host, item.name).splitlines()
                )
                assert f"{host}  {item.name}" in first.output, "the table does not name it"
        assert not list(tmp_path.rglob("PWNED")), "a name was executed"
        second = school.playbook(BACKUP)
        assert second.status == 0, second.output
        assert second.changed == []
        restored = school.playbook(
            RESTORE, "-e", f"server={SPARE}", "-e", f"database_restore_set={SERVER}", "-e",
            '{"database_restore_scratch": true, "database_restore_roles": true}',
        )  # fmt: skip
        assert restored.status == 0, restored.output
        for item in school.catalog().of_kind("database"):
            assert school.counts(SPARE, item.name) == school.counts(SERVER, item.name)
        assert "pupille" in school.sql(SPARE, "postgres", "SELECT rolname FROM pg_roles")
        live = school.playbook(RESTORE, "-e", f"server={SERVER}", "-e", '{"database_restore_scratch": true}')
        assert live.status != 0
        assert "is the live server that the backups were made of" in live.text


def over_ssh(hosts: dict[str, Any]) -> None:
    """Leave the backup server, and a Linux server behind SSH."""
    only_one_server(hosts)
    hosts["children"]["windows"]["children"]["openerp_servers"]["hosts"] = {}
    hosts["children"]["linux"] = {
        "hosts": {
            "srv-linux": {
                "ansible_host": "{{ lab_network }}.120",
                "ansible_port": 10022,
                "ansible_user": "postgres",
                "ansible_connection": "ssh",
                "ansible_ssh_private_key_file": "{{ lab_disks }}/ssh_key",
                "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
                "lab_kind": "linux",
                "lab_ssh": {"key_file": "{{ lab_disks }}/ssh_key"},
                "lab_postgresql": {
                    "superuser": "openpg",
                    "password": "{{ vault_postgresql_password }}",
                    "databases": SMALL,
                },
                "database_backup_files": [],
            }
        }
    }
    hosts["children"]["openerp_servers"] = {"children": {"linux": {}}}


def test_a_linux_server_over_ssh(lab_networks: Callable[[], str], tmp_path: Path) -> None:
    """The same library, by Ansible's own ssh connection, with the server's rsync and its sh; no Python is used there."""
    with make_school(tmp_path / "inventories" / "lab", lab_networks(), over_ssh) as school:
        school.data = tmp_path / "data"
        first = school.playbook(BACKUP, "-e", "database_backup_local_pg_bin=" + str(find_programs(None)))
        assert first.status == 0, first.output
        assert "by the server's rsync" in first.output
        wanted = school.counts("srv-linux", ODD)
        school.change("srv-linux", ODD)
        assert school.counts("srv-linux", ODD) != wanted
        back = school.playbook(CONTEXT, "-e", json.dumps({"context": ODD}))
        assert back.status == 0, back.output
        assert school.counts("srv-linux", ODD) == wanted
        again = school.playbook(BACKUP, "-e", "database_backup_rsync=")
        assert again.status == 0, again.output
        assert "comes through the session" in again.output


FAULTS: list[tuple[str, tuple[str, ...], str]] = [
    (SERVER, ("disk_full",), "free"),
    (SERVER, ("dump_fails", "Specibiketoto"), "Specibiketoto ended with code 1"),
    (SERVER, ("dump_silent", "Specibiketoto"), "Specibiketoto: it is no PostgreSQL archive (5 bytes)"),
    (SERVER, ("dump_truncated", "Specibiketoto"), "Specibiketoto: pg_restore cannot read it to its end"),
    (SERVER, ("dump_flipped", "Specibiketoto"), "Specibiketoto: pg_restore cannot read it to its end"),
    (SERVER, ("server_stops", "5000"), "Specibiketoto ended with code 1"),
    (SERVER, ("rsync_silent",), "said that all was done, and 3 files are not there"),
    (DAEMON, ("off",), "does the rsync daemon run"),
    (DAEMON, ("cut", "1000"), "the connection failed or was cut"),
    (DAEMON, ("disk_full",), "the disk of the destination is full"),
    (DAEMON, ("wrong_password",), "the module or the password was refused"),
]


@pytest.mark.parametrize(
    ("host", "fault", "sentence"), FAULTS, ids=lambda value: "-".join(value) if isinstance(value, tuple) else ""
)
def test_fault_leaves_the_last_proven_backup_and_gets_its_sentence(
    school: School, host: str, fault: tuple[str, ...], sentence: str
) -> None:
    assert school.playbook(BACKUP).status == 0
    good = school.catalog().items["database", "Specibiketoto"].newest_proven
    assert good is not None
    files = [school.disks / disk / SERVER / good.path for disk in ("backup", "usb")]
    before = [path.read_bytes() for path in files]
    school.change()
    school.change(database=ODD)
    school.fault(host, *fault)
    run = school.playbook(BACKUP)
    assert run.status != 0, run.output
    assert sentence in run.text, run.output
    assert "Traceback" not in run.output
    assert [path.read_bytes() for path in files] == before
    newest = school.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    school.command("fault", "all", "clear")
    if fault[0] == "server_stops":
        start = [{"lycee.openerp.windows_service": {"name": "PostgreSQL_For_OpenERP", "state": "started"}}]
        playbook = school.data.parent / "start.yml"
        playbook.write_text(yaml.safe_dump([{"hosts": SERVER, "gather_facts": False, "tasks": start}]))
        assert school.playbook(str(playbook)).status == 0
    after = school.playbook(BACKUP)
    assert after.status == 0, after.output
    newest = school.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    assert newest.stamp > good.stamp
    assert set(newest.stored) == {DAEMON, "disque-usb"}
    log = sorted((school.data / "backups" / SERVER / "runs").glob("*.log"))[-1].read_text("utf-8")
    assert log.endswith("Tout est sauvegardé et vérifié\n")


def test_a_second_run_at_the_same_time_says_who_works(school: School) -> None:
    hook = ["/bin/sh", "-c", f"touch {school.data}/begun; while [ ! -e {school.data}/go ]; do sleep 0.05; done"]
    command = [
        *(str(BIN / "ansible-playbook"), "-i", str(school.inventory), "-e", f"lycee_data_dir={school.data}", BACKUP),
        *("-e", json.dumps({"database_backup_before": hook})),
    ]
    with subprocess.Popen(command, cwd=ROOT, env=school.environment(), stdout=subprocess.PIPE, text=True) as first:
        _wait((school.data / "begun").exists)
        second = school.playbook(BACKUP)
        (school.data / "go").touch()
        output, _unused = first.communicate(timeout=120)
    assert second.status != 0
    assert re.search(
        rf"{SERVER}: the job 'postgresql_backup' \(process \d+, since \S+\) works on this server", second.text
    )
    assert first.returncode == 0, output


def test_a_flipped_bit_at_the_destination_is_found_and_repaired(school: School) -> None:
    assert school.playbook(BACKUP).status == 0
    good = school.catalog().items["database", "Specibiketoto"].newest_proven
    assert good is not None
    path = school.disks / "backup" / SERVER / good.path
    data = path.read_bytes()
    path.write_bytes(data[:2000] + bytes([data[2000] ^ 4]) + data[2001:])
    looked = school.playbook(VERIFY, "--check")
    assert looked.status != 0
    assert path.read_bytes() != data
    found = school.playbook(VERIFY, "-e", "database_backup_verify_restore=all")
    assert found.status != 0
    assert (
        f"{DAEMON}: Specibiketoto: the backup of {good.stamp} is not what was proven: its bytes have changed"
        in found.text
    )
    assert path.read_bytes() == data
    assert school.playbook(VERIFY, "-e", "database_backup_verify_restore=all").status == 0


def test_a_disk_that_is_away_is_told_and_filled_when_it_is_back(school: School) -> None:
    assert school.playbook(BACKUP).status == 0
    school.change()
    school.fault(DAEMON, "absent", "usb")
    away = school.playbook(BACKUP)
    assert away.status == 0, away.output
    assert "disque-usb:" in away.text
    assert "it was last there 0.0 days ago" in away.text
    school.command("fault", "all", "clear")
    assert school.playbook(BACKUP).status == 0
    newest = school.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    assert (school.disks / "usb" / SERVER / newest.path).is_file()


@pytest.mark.parametrize("name", ["Specibiketoto", ODD])
def test_one_context_comes_back(school: School, name: str) -> None:
    assert school.playbook(BACKUP).status == 0
    wanted = school.counts(SERVER, name)
    school.change(database=name)
    worked = school.counts(SERVER, name)
    assert worked != wanted
    planned = school.playbook(CONTEXT, "-e", json.dumps({"context": name}), "--check")
    assert planned.status == 0, planned.output
    assert re.search(rf"{re.escape(name)}\s+planned", planned.text)
    assert school.counts(SERVER, name) == worked
    run = school.playbook(CONTEXT, "-e", json.dumps({"context": name}))
    assert run.status == 0, run.output
    assert school.counts(SERVER, name) == wanted
    assert not [one for one in school.databases(SERVER) if "_before_" in one or one.startswith("lycee_restore_")]
    # What was there is saved too, and comes back as well.
    item = school.catalog().items["database", name]
    assert len(item.backups) == 2
    again = school.playbook(CONTEXT, "-e", json.dumps({"context": name, "date": item.backups[-1].stamp}))
    assert again.status == 0, again.output
    assert school.counts(SERVER, name) == worked


def test_restoring_what_is_not_there_names_it(school: School) -> None:
    assert school.playbook(BACKUP).status == 0
    absent = school.playbook(CONTEXT, "-e", "context=SpecibikeAbsent")
    assert absent.status != 0
    assert "SpecibikeAbsent: no catalog in" in absent.text
    early = school.playbook(CONTEXT, "-e", "context=Specibiketoto", "-e", "date=2001-01-01")
    assert early.status != 0
    assert "Specibiketoto: no proven backup is as old as 2001-01-01" in early.text, early.output
    unnamed = school.playbook(RESTORE)
    assert unnamed.status != 0
    assert "Say which server gets the databases" in unnamed.text


def test_a_failed_restore_leaves_what_was_there(school: School) -> None:
    assert school.playbook(BACKUP).status == 0
    wanted = school.counts(SERVER, "Specibiketoto")
    for disk in ("backup", "usb"):
        good = school.catalog().items["database", "Specibiketoto"].newest_proven
        assert good is not None
        path = school.disks / disk / SERVER / good.path
        data = path.read_bytes()
        path.write_bytes(data[:-50])
    run = school.playbook(RESTORE, "-e", f"server={SERVER}", "-e", '{"database_restore_databases": ["Specibiketoto"]}')
    assert run.status != 0
    assert "no destination gives its backup" in run.text
    assert school.counts(SERVER, "Specibiketoto") == wanted


@pytest.mark.parametrize("playbook", [BACKUP, CONTEXT])
@pytest.mark.parametrize("tree", [False, True], ids=["controller", "tree"])
def test_killed_in_the_middle_and_run_again(school: School, playbook: str, tree: bool) -> None:
    """The controller alone, or all of its processes, at several points of a run; every effect is cut in the unit tests."""
    assert school.playbook(BACKUP).status == 0
    wanted = school.counts(SERVER, "Specibiketoto")
    before = _requests(school)
    arguments = [playbook, "-e", "context=Specibiketoto"]
    if playbook == CONTEXT:
        first = school.catalog().items["database", "Specibiketoto"].backups[0].stamp
        arguments += ["-e", f"date={first}"]
    else:
        school.change()
        wanted = school.counts(SERVER, "Specibiketoto")
    assert school.playbook(*arguments).status == 0
    total = _requests(school) - before
    assert total > 20
    for number in range(total // 6, total, total // 3):
        school.change()
        if playbook == BACKUP:
            wanted = school.counts(SERVER, "Specibiketoto")
        command = [
            str(BIN / "ansible-playbook"),
            "-i",
            str(school.inventory),
            "-e",
            f"lycee_data_dir={school.data}",
            *arguments,
        ]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=school.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as victim:
            school.fault(SERVER, "kill_tree_after" if tree else "kill_after", f"{number}:{victim.pid}")
            victim.wait(120)
        assert victim.returncode == -signal.SIGKILL
        school.command("fault", "all", "clear")
        again = _until_free(school, *arguments)
        assert again.status == 0, f"killed after {number} requests: {again.output}"
        assert school.counts(SERVER, "Specibiketoto") == wanted
        newest = school.catalog().items["database", "Specibiketoto"].newest_proven
        assert newest is not None
        assert set(newest.stored) == {DAEMON, "disque-usb"}
        assert not [one for one in school.databases(SERVER) if one.startswith("lycee_restore_")]


def _requests(school: School) -> int:
    (count,) = (row["requests"] for row in school.status() if row["host"] == SERVER)
    return int(count)


def _until_free(school: School, *arguments: str) -> Any:
    """Run again until the worker that outlived its controller has seen that and let go of the lease."""
    deadline = time.monotonic() + 60
    while True:
        run = school.playbook(*arguments)
        if "works on this server" not in run.text or time.monotonic() > deadline:
            return run


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
