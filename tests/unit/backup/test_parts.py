# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalog on the disk, rsync's words, selection, reports and the ways to a Linux server."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup import hooks, rsync
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.catalog import (
    DATABASE,
    Backup,
    Catalog,
    Item,
    find,
    overview,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.destinations import settings_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.errors import (
    CatalogError,
    OptionError,
    ServerError,
    ToolError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.local import LocalMachine
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.posix import (
    AnsibleTransport,
    LocalTransport,
    PosixMachine,
    Transport,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.restore import missing_roles
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.selection import select
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.tools import find_programs
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.properties import statements
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.server import Database, tool_problem, version_of

from tests.unit.backup.conftest import OPTIONS, Nights


def backup(stamp: str, *, proven: bool = True, seen: tuple[str, ...] = ()) -> Backup:
    """Return a backup of toto."""
    return Backup(
        DATABASE, "toto", "toto", stamp, read_proven=stamp if proven else "", stored={"main": stamp}, seen=list(seen)
    )


ITEM = Item(
    DATABASE,
    "toto",
    "toto",
    "2026-11-24T210000Z",
    [
        backup("2026-11-20T210000Z", seen=("2026-11-21T210000Z", "2026-11-22T210000Z")),
        backup("2026-11-23T210000Z"),
        backup("2026-11-24T210000Z", proven=False),
    ],
)


@pytest.mark.parametrize(
    ("date", "stamp"),
    [
        (None, "2026-11-23T210000Z"),
        ("2026-11-22", "2026-11-20T210000Z"),
        ("2026-11-23", "2026-11-23T210000Z"),
        ("2026-11-23T205959Z", "2026-11-20T210000Z"),
        ("2026-11-23T210000Z", "2026-11-23T210000Z"),
        ("2026", "2026-11-23T210000Z"),
    ],
)
def test_backup_as_of_a_date(date: str | None, stamp: str) -> None:
    assert find(ITEM, date).stamp == stamp


def test_no_backup_as_old_as_that() -> None:
    with pytest.raises(
        CatalogError, match=r"toto: no proven backup is as old as 2026-11-19; the oldest is of 2026-11-20"
    ):
        find(ITEM, "2026-11-19")
    with pytest.raises(CatalogError, match="no proven backup"):
        find(Item(DATABASE, "toto", "toto", "", [backup("2026-11-24T210000Z", proven=False)]), None)


@pytest.mark.parametrize("date", ["23/11/2020", "23-10-2020", "hier", "2026-13-01", "2026-02-30", "2026-1-1", "T", ""])
def test_a_date_that_is_none_is_refused(date: str) -> None:
    """Compared as text, a day that comes first is later than any year."""
    with pytest.raises(OptionError, match="is no date of a backup; write it as 2026-11-23"):
        find(ITEM, date)


def test_overview_tells_the_age() -> None:
    line = overview([ITEM], datetime(2026, 11, 24, 9, tzinfo=UTC))[0]
    assert line["newest_proven"] == "2026-11-23T210000Z"
    assert line["age_hours"] == 12.0
    assert overview([Item(DATABASE, "x", "x")], datetime.now(UTC))[0]["newest_proven"] is None


def test_catalog_is_private_and_comes_back(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, "srv")
    catalog.prepare()
    catalog.items[DATABASE, "toto"] = ITEM
    catalog.save(ITEM)
    catalog.save_rows(ITEM.backups[0], {("public", "a"): 3})
    again = Catalog(tmp_path, "srv")
    assert again.items[DATABASE, "toto"] == ITEM
    assert again.rows(ITEM.backups[0]) == {("public", "a"): 3}
    for path in (tmp_path / "srv").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize(
    "text", ["{", '{"kind": 1}', '{"kind": "database", "name": "x", "folder": "x", "last_seen": "", "backups": [1]}']
)
def test_damaged_catalog_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "srv" / "items").mkdir(parents=True)
    (tmp_path / "srv" / "items" / "toto.json").write_text(text)
    with pytest.raises(CatalogError, match=r"toto\.json is (damaged|no part)"):
        Catalog(tmp_path, "srv")


def test_rsync_words() -> None:
    assert rsync.sent_bytes(b"Number of files: 2\nTotal bytes sent: 1,234,567\nTotal bytes received: 8\n") == 1234567
    listing = (
        "drwx------          4,096 2026/11/24 09:06:46 srv\n"
        "-rw-------         95,486 2026/11/24 09:06:46 srv/Specibike=20a/2026-11-24T090646Z.dump\n"
    )
    assert rsync.parse_listing(listing) == {"srv/Specibike=20a/2026-11-24T090646Z.dump": 95486}
    assert "disk full" in rsync.explain(11, "") or "disk" in rsync.explain(11, "")
    assert rsync.explain(99, "what").endswith("it failed (what)")
    assert "--fuzzy" in rsync.push_arguments(60, "/a", "rsync://h/m")


@pytest.mark.parametrize(
    "url", ["http://h/m", "rsync://h", "rsync://user:secret@h/m", "rsync://h/m;touch x", "rsync://h/$(id)", "h::m"]
)
def test_bad_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(OptionError) as refused:
        rsync.check_url(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ([], "no destination"),
        ([{"name": "a", "type": "rsync"}], "needs a url"),
        ([{"name": "a", "type": "folder"}], "needs a path"),
        ([{"name": "a", "type": "folder", "path": "relative"}], "no absolute path"),
        (
            [{"name": "a", "type": "folder", "path": "/x"}, {"name": "a", "type": "folder", "path": "/y"}],
            "two destinations",
        ),
    ],
)
def test_incomplete_destination_is_refused(options: list[dict[str, object]], word: str) -> None:
    with pytest.raises(OptionError, match=word):
        settings_of(options)


def test_selection() -> None:
    found = select(
        [
            Database(name, number, name != "Specibikeclosed", "UTF8", "openpg", 1)
            for number, name in enumerate(["SpecibikeA", "specibikeb", "Specibikeclosed", "SpecibikeX_old", "essais"])
        ],
        replace(OPTIONS, exclude=("*_old",), naming_rule="Specibike[A-Za-z0-9]+"),
    )
    assert [one.name for one in found.chosen] == ["SpecibikeA", "specibikeb"]
    assert found.closed == ["Specibikeclosed"]
    assert found.irregular == ["specibikeb"]
    assert found.left_out == ["SpecibikeX_old", "essais"]
    with pytest.raises(OptionError, match="no regular expression"):
        select([], replace(OPTIONS, naming_rule="("))


def test_log_has_the_words_of_the_old_script(nights: Nights) -> None:
    result = nights.night()
    lines = Path(result["log"]).read_text("utf-8").splitlines()
    assert lines[0].startswith("Nous sommes le : ")
    assert lines[1:3] == ["La sauvegarde commence", "Voici les databases actuellement connues sur ce serveur"]
    assert "Le dump de la base : Specibiketoto est fini" in lines
    for words in ("Pas d'erreur sur les dump", "Le transfert est terminé", "Les sauvegardes locales sont detruites"):
        assert words in lines
    assert lines[-1] == "Tout est sauvegardé et vérifié"
    nights.server.broken = {"Specibiketoto": "fails"}
    nights.server.databases["Specibiketoto"] += " more"
    english = Path(nights.night(language="en")["log"]).read_text("utf-8")
    assert "Error: the database Specibiketoto is not saved: " in english
    assert "The backup is NOT complete" in english
    assert len(list((nights.folder / "catalog" / "srv" / "runs").glob("*.log"))) == 2, "a log is lost each night"


@pytest.mark.parametrize(
    ("tool", "server", "word"),
    [
        ("8.4.22", "8.4.12", ""),
        ("8.3.5", "8.4.12", "newer version"),
        ("14.1", "8.4.12", ""),
        ("15.20", "8.4.12", "reads no server before 9.2"),
        ("20.1", "9.6.24", "reads no server before 10"),
        ("15.20", "15.18", ""),
        ("15.20", "16.1", "newer version"),
    ],
)
def test_version_of_pg_dump_suits_the_server(tool: str, server: str, word: str) -> None:
    problem = tool_problem(version_of(f"pg_dump (PostgreSQL) {tool}"), version_of(server))
    assert word in problem
    assert bool(word) == bool(problem)


def test_properties_of_a_database_come_back_as_statements() -> None:
    properties = {
        "connection_limit": 17,
        "acl": ["=T/openpg", "openpg=CTc/openpg", '"élève a"=c*/openpg'],
        "settings": ['search_path="$user", public', "work_mem=8MB"],
        "comment": "l'été",
    }
    assert statements('a"b', "openpg", properties) == [
        'ALTER DATABASE "a""b" CONNECTION LIMIT 17;',
        'ALTER DATABASE "a""b" SET search_path TO "$user", public;',
        'ALTER DATABASE "a""b" SET work_mem TO \'8MB\';',
        "COMMENT ON DATABASE \"a\"\"b\" IS 'l''été';",
        'REVOKE ALL ON DATABASE "a""b" FROM PUBLIC;',
        'GRANT TEMPORARY ON DATABASE "a""b" TO PUBLIC;',
        'GRANT CONNECT ON DATABASE "a""b" TO "élève a" WITH GRANT OPTION;',
    ]
    assert statements("a", "openpg", {}) == []


def test_version_text() -> None:
    assert version_of("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)") == (15, 20)
    assert version_of("8.4.12") == (8, 4, 12)
    assert version_of("nothing") == ()


def test_role_that_sets_a_text_makes_no_other_role() -> None:
    text = (
        "CREATE ROLE pupil;\nALTER ROLE pupil WITH LOGIN;\n"
        "ALTER ROLE pupil SET application_name TO 'x\nCREATE ROLE evil SUPERUSER LOGIN;\n';\n"
        "COMMENT ON ROLE pupil IS 'it''s; -- \nCREATE ROLE evil2;';\n-- a comment; CREATE ROLE evil3;\nCREATE ROLE good;\n"
    )
    assert missing_roles(text, set()).splitlines() == [
        "CREATE ROLE pupil;",
        "ALTER ROLE pupil WITH LOGIN;",
        "CREATE ROLE good;",
    ]


def test_missing_roles_only() -> None:
    text = (
        "CREATE ROLE openpg;\nALTER ROLE openpg WITH SUPERUSER PASSWORD 'md5aaa';\nCREATE ROLE \"élève a\";\n"
        'ALTER ROLE "élève a" WITH LOGIN PASSWORD \'md5bbb\';\nGRANT openpg TO "élève a" GRANTED BY openpg;\n'
        "DROP DATABASE x;\n"
    )
    kept = missing_roles(text, {"openpg"})
    assert "md5aaa" not in kept
    assert kept.splitlines() == [line for line in text.splitlines() if "élève" in line]


class ShellTransport(LocalTransport):
    """Ansible's connection, by a shell of this machine."""

    def exec_command(self, command: str, in_data: bytes, sudoable: bool) -> tuple[int, bytes, bytes]:
        """Run as Ansible's connection does."""
        done = super().run(["/bin/sh", "-c", command], {}, in_data, 30)
        self.commands = [*getattr(self, "commands", []), command]
        return done.rc, done.stdout, done.stderr


@pytest.mark.parametrize("kind", ["local", "local transport", "ansible"])
def test_linux_server(tmp_path: Path, kind: str) -> None:
    shell = ShellTransport("srv")

    def transport() -> Transport:
        return AnsibleTransport("srv", shell) if kind == "ansible" else LocalTransport("srv")

    machine = LocalMachine("srv") if kind == "local" else PosixMachine("srv", transport)
    folder = machine.join(str(tmp_path), "été; rm -rf x", "b")
    machine.make_private_folder(folder)
    assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
    path = machine.join(folder, "-a file")
    Path(path).write_bytes(b"bytes\n")
    assert machine.size(path) == 6
    assert machine.size(f"{path}x") is None
    assert machine.digest(path) == f"sha256:{hashlib.sha256(b'bytes' + chr(10).encode()).hexdigest()}"
    assert machine.digest(f"{path}x") == ""
    machine.copy(path, machine.join(folder, "copy"))
    machine.move(path, machine.join(folder, "moved"))
    assert machine.files_below(str(tmp_path)) == [machine.join(folder, "copy"), machine.join(folder, "moved")]
    assert machine.files_below(f"{path}x") == []
    assert (machine.free(machine.join(folder, "not", "yet")) or 0) > 0
    machine.remove(machine.files_below(folder))
    assert machine.files_below(folder) == []
    done = machine.run(
        ["/bin/sh", "-c", 'printf %s "$SECRET"; cat'], secrets={"SECRET": "it's $HOME `x`"}, stdin=b"\nand input\n"
    )
    assert done.stdout == b"it's $HOME `x`\nand input\n"
    assert machine.run(["/bin/sh", "-c", "echo no >&2; exit 3"]).rc == 3
    if kind == "ansible":
        assert not [command for command in shell.commands if "it's" in command or "$HOME `x`" in command]
    with pytest.raises(ServerError, match="did not end in 1 s"):
        machine.run(["/bin/sleep", "20"], timeout=1)
    with pytest.raises(ServerError):
        machine.move(machine.join(folder, "absent"), machine.join(folder, "x"))


def test_hooks_run_on_failure_too(tmp_path: Path) -> None:
    out = tmp_path / "said"
    after = ["/bin/sh", "-c", f'echo "$LYCEE_STATUS $LYCEE_RESULT" >> {out}']
    status = tmp_path / "status.json"

    def broken() -> dict[str, object]:
        raise ServerError("srv: no")

    assert hooks.with_hooks([], after, status, lambda: {"changed": True}) == {"changed": True}
    with pytest.raises(ServerError):
        hooks.with_hooks([], after, status, broken)
    hooks.with_hooks([], after, status, lambda: {"failed": True, "msg": "x"})
    assert out.read_text().splitlines() == [f"{state} {status}" for state in ("ok", "failed", "failed")]
    with pytest.raises(OptionError, match="nothing was done, since the command /bin/false ended with code 1"):
        hooks.with_hooks(["/bin/false"], after, status, lambda: {})
    result = hooks.with_hooks([], ["/absent"], status, lambda: {"changed": True})
    assert result["failed"]
    assert "everything was done, and the command /absent cannot be run" in str(result["msg"])


def test_programs_of_the_controller(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="holds no pg_restore"):
        find_programs(str(tmp_path))
    assert (find_programs(None) / "pg_restore").is_file()


def test_record_beside_a_dump_tells_all_but_where(nights: Nights) -> None:
    nights.night()
    path = next((nights.main / "srv" / "Specibiketoto").glob("*.json"))
    record = json.loads(path.read_text())
    assert record["name"] == "Specibiketoto"
    assert record["rows_by_table"] == [["public", "t", 3]]
    assert record["server_version"] == "8.4.12"
    assert not {"stored", "staged"} & record.keys()
