# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nights of a school in memory: what is saved, what is kept, what each mishap leaves behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup import night
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.destinations import FolderDestination, Settings
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.errors import (
    DestinationError,
    OptionError,
    ServerError,
    ToolError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.policy import Keep
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.verify import verify

from tests.unit.backup import fakes
from tests.unit.backup.conftest import OPTIONS, Nights, make_nights
from tests.unit.backup.fakes import Cut, FakeMachine


def states(result: dict[str, object]) -> dict[str, str]:
    """Return name to state."""
    items = result["items"]
    assert isinstance(items, list)
    return {line["name"]: line["state"] for line in items}


def test_first_night_saves_all_and_the_second_only_what_changed(nights: Nights) -> None:
    first = nights.night()
    assert "failed" not in first
    assert first["changed"]
    assert states(first) == {"Specibiketoto": "saved", "SpecibikeX;touch PWNED": "saved", "roles": "saved"}
    assert first["not_selected"] == ["essais"]
    assert not [path for path in nights.server.files if path.startswith("/staging")], "the server keeps a copy"
    nights.server.databases["Specibiketoto"] += " d"
    second = nights.night()
    assert states(second) == {"Specibiketoto": "saved", "SpecibikeX;touch PWNED": "unchanged", "roles": "unchanged"}
    for root in (nights.main, nights.usb):
        dumps = sorted(name for name in nights.files(root) if name.endswith(".dump"))
        assert len(dumps) == 3, "an unchanged dump is stored twice, or a changed one is not"
    third = nights.night()
    assert not third["changed"]


def test_password_is_in_no_argument_and_no_file(nights: Nights) -> None:
    nights.night()
    assert not [word for argv in nights.server.commands for word in argv if "secret-of-openpg" in word]
    assert all(
        "secret-of-openpg" not in path.read_text("latin-1") for path in nights.folder.rglob("*") if path.is_file()
    )
    assert all(env["PGPASSWORD"] == "secret-of-openpg" for env in nights.server.environments if "PGPASSWORD" in env)


def test_pg_dump_gets_options_of_8_4_only_and_the_database_last(nights: Nights) -> None:
    nights.server.databases["Specibike 100%=x"] = "q"
    nights.night()
    dumps = [argv for argv in nights.server.commands if argv[0].endswith("/pg_dump") and "--version" not in argv]
    for argv in dumps[1:]:
        assert [word for word in argv[1:] if word.startswith("-")] == ["-h", "-p", "-U", "-w", "-F", "-Z", "-f"]
        assert argv[-1].startswith("dbname='Specibike")
    # A per cent sign cannot be protected on a Windows command line: the name goes by the environment.
    number = nights.server.commands.index(
        next(argv for argv in nights.server.commands if argv[-1].endswith("dump.part"))
    )
    assert nights.server.environments[number]["PGDATABASE"] == "Specibike 100%=x"


@pytest.mark.parametrize("how", ["fails", "silent", "truncated"])
def test_bad_dump_fails_its_database_only_and_leaves_the_last_one(nights: Nights, how: str) -> None:
    nights.night()
    good = nights.catalog().items["database", "Specibiketoto"].newest_proven
    assert good is not None
    bytes_before = (nights.main / "srv" / good.path).read_bytes()
    nights.server.databases = {name: f"{rows} more" for name, rows in nights.server.databases.items()}
    nights.server.broken = {"Specibiketoto": how}
    result = nights.night()
    assert result["failed"]
    assert result["failed_items"] == ["Specibiketoto"]
    assert "Specibiketoto" in result["msg"]
    assert states(result)["SpecibikeX;touch PWNED"] == "saved"
    newest = nights.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    assert newest.stamp == good.stamp
    assert (nights.main / "srv" / good.path).read_bytes() == bytes_before
    assert not [path for path in nights.server.files if path.startswith("/staging")]
    assert len([name for name in nights.files(nights.main) if name.endswith(".dump")]) == 3
    nights.server.broken = {}
    assert "failed" not in nights.night()


def test_a_context_without_any_backup_is_told(nights: Nights) -> None:
    nights.server.broken = {"Specibiketoto": "fails"}
    result = nights.night()
    status = json.loads(Path(result["status"]).read_text("utf-8"))
    assert status["without_any_backup"] == ["Specibiketoto"]
    assert not status["ok"]


def test_absent_disk_is_told_with_its_age_then_fails_then_catches_up(nights: Nights) -> None:
    nights.night()
    aside = nights.usb.rename(nights.folder / "unplugged")
    nights.server.databases["Specibiketoto"] += " x"
    result = nights.night(10)
    assert "failed" not in result
    assert any("10.0 days ago" in text for text in result["warnings"]), result["warnings"]
    late = nights.night(5)
    assert late["failed"]
    assert "15.0 days ago" in late["msg"]
    assert "longer than the 14 days" in late["msg"]
    aside.rename(nights.usb)
    back = nights.night()
    assert "failed" not in back
    newest = nights.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    assert set(newest.stored) == {"main", "usb"}
    assert (nights.usb / "srv" / newest.path).is_file()


def test_no_destination_means_no_dump(nights: Nights) -> None:
    shutil.rmtree(nights.main)
    shutil.rmtree(nights.usb)
    with pytest.raises(DestinationError, match="nothing was dumped"):
        nights.night()
    assert not [argv for argv in nights.server.commands if argv[0].endswith("pg_dump") and "-f" in argv]


def test_empty_destination_is_taken_for_an_unmounted_disk(nights: Nights) -> None:
    nights.night()
    before = nights.catalog().items
    aside = (nights.main / "srv").rename(nights.folder / "unmounted")
    result = nights.night()
    assert result["failed"]
    assert "main: it holds none of the 3 backups" in result["msg"]
    assert not (nights.main / "srv").exists(), "the mount point was filled"
    assert all(set(one.stored) == {"main", "usb"} for item in nights.catalog().items.values() for one in item.backups)
    assert nights.catalog().items.keys() == before.keys()
    aside.rename(nights.main / "srv")
    assert "failed" not in nights.night()


def test_new_disk_is_filled_when_it_is_said_to_be_new(nights: Nights) -> None:
    nights.night()
    nights.server.databases["Specibiketoto"] += " more"
    nights.night()
    shutil.rmtree(nights.main / "srv")
    nights.night(accept_empty=["main"])
    assert nights.files(nights.main) == nights.files(nights.usb)


def test_lost_file_is_told_and_brought_again(nights: Nights) -> None:
    nights.night()
    path = next((nights.main / "srv" / "Specibiketoto").glob("*.dump"))
    path.unlink()
    result = nights.night()
    assert result["failed"]
    assert "main: 1 backups of the catalog were missing there" in result["msg"]
    assert path.is_file()


def test_retention_removes_only_what_the_catalog_knows_and_never_the_newest(nights: Nights) -> None:
    nights.options = OPTIONS
    keep = Keep(daily=2, weekly=0, monthly=0, minimum=1, dropped_days=30)
    foreign = nights.main / "srv" / "Specibiketoto" / "2020-01-01T000000Z.dump"
    for number in range(5):
        nights.server.databases["Specibiketoto"] += f" {number}"
        result = nights.night(keep=keep)
        assert "failed" not in result, result.get("msg")
        if not number:
            foreign.write_text("made by somebody else")
    mine = [name for name in nights.files(nights.main) if name.startswith("Specibiketoto/") and name.endswith(".dump")]
    assert len(mine) == 3, mine
    assert foreign.read_text() == "made by somebody else"
    # The other one never changed: its one dump stands for every night.
    assert (
        len([name for name in nights.files(nights.main) if name.startswith("SpecibikeX") and name.endswith(".dump")])
        == 1
    )


def test_dropped_database_keeps_its_dumps_for_the_stated_time(nights: Nights) -> None:
    keep = Keep(minimum=1, dropped_days=30)
    nights.night(keep=keep)
    del nights.server.databases["Specibiketoto"]
    gone = nights.night(keep=keep)
    assert any("is no more" in text for text in gone["warnings"])
    assert ("database", "Specibiketoto") in nights.catalog().items
    nights.night(20, keep=keep)
    assert ("database", "Specibiketoto") in nights.catalog().items
    nights.night(20, keep=keep)
    assert ("database", "Specibiketoto") not in nights.catalog().items
    assert not [name for name in nights.files(nights.usb) if name.startswith("Specibiketoto/")]


def test_names_that_differ_in_case_only_do_not_meet(nights: Nights) -> None:
    nights.server.databases["specibikeToto"] = "other rows"
    nights.night()
    folders = {item.folder.casefold() for item in nights.catalog().items.values()}
    assert len(folders) == len(nights.catalog().items)
    # And a name keeps its folder when another one comes that sorts before it.
    before = nights.catalog().folders("database")
    nights.server.databases["SPECIBIKETOTO"] = "third"
    nights.night()
    assert before.items() <= nights.catalog().folders("database").items()


def test_check_mode_changes_nothing(nights: Nights) -> None:
    result = nights.night(check=True)
    assert result["planned_databases"] == ["SpecibikeX;touch PWNED", "Specibiketoto"]
    assert not (nights.folder / "catalog").exists()
    assert not list(nights.main.iterdir())
    assert not nights.server.files


def test_missing_database_by_name_is_refused(nights: Nights) -> None:
    with pytest.raises(OptionError, match="there is no database Absent"):
        nights.night(databases=["Absent"])


def test_irregular_name_is_saved_and_told(nights: Nights) -> None:
    result = nights.night(naming_rule="Specibike[A-Za-z0-9]+")
    assert [text for text in result["warnings"] if text.startswith("SpecibikeX;touch PWNED: its name breaks")]
    assert states(result)["SpecibikeX;touch PWNED"] == "saved"


def test_folder_of_the_server_is_a_destination(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one that DFS replicates: copied on the server itself, compared there, listed and emptied there."""
    settings = [*nights.settings(), Settings("dfs", "server_folder", path="/replica")]
    monkeypatch.setattr(nights, "settings", lambda: settings)
    assert "failed" not in nights.night()
    newest = nights.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    assert set(newest.stored) == {"main", "usb", "dfs"}
    assert nights.server.files[f"/replica/srv/{newest.path}"] == (nights.main / "srv" / newest.path).read_bytes()
    # The others lose it, and it comes back from the server's folder.
    for root in (nights.main, nights.usb):
        (root / "srv" / newest.path).unlink()
    result = nights.night()
    assert "were missing there" in result["msg"]
    assert (nights.main / "srv" / newest.path).is_file()
    keep = Keep(daily=1, weekly=0, monthly=0, minimum=1)
    for number in range(3):
        nights.server.databases["Specibiketoto"] += f" {number}"
        assert "failed" not in nights.night(keep=keep)
    left = [
        name
        for name in nights.server.files
        if name.startswith("/replica/srv/Specibiketoto/") and name.endswith(".dump")
    ]
    assert len(left) == 1


def test_files_of_the_server_are_saved_once_until_they_change(nights: Nights) -> None:
    nights.server.files["/etc/openerp-server.conf"] = b"db_password = x"
    first = nights.night(files=["/etc/openerp-server.conf", "/absent"])
    assert first["failed"]
    assert "/absent, which is to be saved, is not there" in first["msg"]
    assert states(first)["/etc/openerp-server.conf"] == "saved"
    assert states(nights.night(files=["/etc/openerp-server.conf"]))["/etc/openerp-server.conf"] == "unchanged"
    nights.server.files["/etc/openerp-server.conf"] = b"db_password = y"
    assert states(nights.night(files=["/etc/openerp-server.conf"]))["/etc/openerp-server.conf"] == "saved"
    saved = [name for name in nights.files(nights.main) if name.startswith("_files/") and name.endswith(".copy")]
    assert len(saved) == 2


def test_status_tells_monitoring_the_age(nights: Nights) -> None:
    result = nights.night()
    status = json.loads(Path(result["status"]).read_text("utf-8"))
    assert status["ok"]
    assert {line["name"] for line in status["contexts"]} == {"Specibiketoto", "SpecibikeX;touch PWNED"}
    assert all(line["destinations"].keys() == {"main", "usb"} for line in status["contexts"])


def _verify(nights: Nights, **changes: object) -> dict[str, object]:
    options = {"every": True, "everything": False, "rebuild": False} | changes
    return verify(
        nights.settings(),
        OPTIONS,
        root=nights.folder / "catalog",
        set_name="srv",
        machine=None,
        step=lambda name: None,
        progress=nights.said.append,
        **options,  # type: ignore[arg-type]
    )


def test_flipped_bit_is_found_and_repaired_from_the_other_destination(nights: Nights) -> None:
    nights.night()
    newest = nights.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    path = nights.main / "srv" / newest.path
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    result = _verify(nights)
    assert result["failed"]
    assert "its bytes have changed" in str(result["msg"])
    assert path.read_bytes() == good, "the sound copy was not brought back"
    assert "failed" not in _verify(nights)


def test_lost_catalog_is_made_anew_from_the_destinations(nights: Nights) -> None:
    nights.night()
    nights.server.databases["Specibiketoto"] += " new"
    nights.night()
    before = {key: [one.stamp for one in item.backups] for key, item in nights.catalog().items.items()}
    shutil.rmtree(nights.folder / "catalog")
    with pytest.raises(OptionError, match="rebuild: true"):
        _verify(nights)
    result = _verify(nights, rebuild=True)
    assert "failed" not in result, result
    after = {key: [one.stamp for one in item.backups] for key, item in nights.catalog().items.items()}
    assert after == before
    assert all(item.newest_proven for item in nights.catalog().items.values())
    assert nights.catalog().rows(nights.catalog().items["database", "Specibiketoto"].backups[-1])


def test_what_the_controller_cannot_fetch_waits_on_the_server(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good dump is thrown away for no fault of the line or of the controller."""
    fetch = FakeMachine.fetch

    def broken(self: FakeMachine, path: str, local: Path) -> None:
        if "Specibiketoto" in path:
            raise ServerError("srv: the connection broke")
        fetch(self, path, local)

    monkeypatch.setattr(FakeMachine, "fetch", broken)
    result = nights.night()
    assert result["failed_items"] == ["Specibiketoto"]
    assert [path for path in nights.server.files if path.endswith("Specibiketoto/2026-01-02T210000Z.dump")]
    monkeypatch.setattr(FakeMachine, "fetch", fetch)
    assert "failed" not in nights.night()
    assert any("is taken up" in text for text in nights.said)
    assert not [path for path in nights.server.files if path.startswith("/staging")]


def test_dump_that_no_destination_takes_is_not_called_saved(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, folder: Path, paths: object) -> None:
        raise DestinationError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(FolderDestination, "store", full)
        result = nights.night()
        assert set(states(result).values()) == {"failed"}
        assert "no destination took its dump of 2026-01-02T210000Z, which waits on the server" in result["msg"]
    assert "failed" not in nights.night()


def test_old_pg_restore_of_the_controller_is_told_before_the_first_dump(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(night, "program_version", lambda program: (8, 3))
    with pytest.raises(ToolError, match=r"pg_restore 8\.3 of the controller does not read what pg_dump 8\.4"):
        nights.night()
    status = json.loads((nights.folder / "catalog" / "srv" / "status.json").read_text("utf-8"))
    assert not status["ok"]
    assert "pg_restore 8.3" in status["msg"]


def test_damaged_copy_stands_for_no_night(nights: Nights) -> None:
    nights.night()
    newest = nights.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    for root in (nights.main, nights.usb):
        path = root / "srv" / newest.path
        data = path.read_bytes()
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    result = nights.night()
    assert result["failed"]
    assert "the bytes of the backup of" in result["msg"]
    assert states(result)["Specibiketoto"] == "saved"


def test_changed_owner_is_a_change(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    nights.night()
    monkeypatch.setattr(fakes, "OWNER", "roleb")
    assert states(nights.night())["Specibiketoto"] == "saved"
    newest = nights.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    assert newest.owner == "roleb"


def test_disk_that_was_never_there_fails_in_the_end(nights: Nights) -> None:
    nights.usb.rmdir()
    assert "failed" not in nights.night()
    late = nights.night(20)
    assert late["failed"]
    assert "it was never there in 20.0 days" in late["msg"]


def test_partial_run_says_nothing_of_the_night(nights: Nights) -> None:
    nights.server.broken = {"Specibiketoto": "fails"}
    nights.night()
    nights.again(databases=["SpecibikeX;touch PWNED"], retention=False)
    status = json.loads((nights.folder / "catalog" / "srv" / "status.json").read_text("utf-8"))
    assert not status["ok"]
    assert status["failed_items"] == ["Specibiketoto"]


def test_killed_run_leaves_every_database_known(nights: Nights) -> None:
    """Who restores everything afterwards gets every database that was on the server."""
    nights.night()
    nights.server.effects.count, nights.server.effects.limit = 0, 25
    with pytest.raises(Cut):
        nights.night()
    items = nights.catalog().of_kind("database")
    assert len({item.last_seen for item in items}) == 1


def test_one_missing_file_does_not_keep_the_others(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    nights.server.files |= {"/etc/a": b"1", "/etc/b": b"2"}
    copy = FakeMachine.copy

    def locked(self: FakeMachine, source: str, target: str) -> None:
        if source == "/etc/a":
            raise ServerError("srv: /etc/a is in use")
        copy(self, source, target)

    monkeypatch.setattr(FakeMachine, "copy", locked)
    result = nights.night(files=["/etc/a", "/etc/b"])
    assert result["failed_items"] == ["/etc/a"]
    assert states(result)["/etc/b"] == "saved"


def test_parts_of_interrupted_transfers_go(nights: Nights) -> None:
    nights.night()
    folder = nights.main / "srv" / "Specibiketoto"
    (folder / ".rsync-partial").mkdir()
    parts = [
        ".2025-01-01T210000Z.dump.Ab12Cd",
        ".rsync-partial/2025-01-01T210000Z.dump",
        ".2025-01-01T210000Z.json.part",
    ]
    for name in (*parts, "2025-01-01T210000Z.dump", ".hidden"):
        (folder / name).write_text("x")
    nights.night()
    assert not [name for name in parts if (folder / name).exists()]
    assert (folder / "2025-01-01T210000Z.dump").exists(), "a foreign file is gone"
    assert (folder / ".hidden").exists()


def test_older_damaged_backup_is_brought_back_too(nights: Nights) -> None:
    nights.night()
    nights.server.databases["Specibiketoto"] += " more"
    nights.night()
    old = nights.catalog().items["database", "Specibiketoto"].backups[0]
    path = nights.main / "srv" / old.path
    good = path.read_bytes()
    path.write_bytes(b"x" + good[1:])
    assert _verify(nights)["failed"]
    assert path.read_bytes() == good
    # The other way round: what is damaged at the source is not brought over, nor taken for a bad target.
    path.write_bytes(b"x" + good[1:])
    (nights.usb / "srv" / old.path).unlink()
    result = nights.night()
    assert f"main: Specibiketoto: the bytes of the backup of {old.stamp} have changed" in result["msg"]
    assert not any(line["state"] == "failed" for line in result["destinations"])


def test_rebuilt_catalog_believes_nothing_unread(nights: Nights) -> None:
    nights.night()
    newest = nights.catalog().items["database", "Specibiketoto"].newest_proven
    assert newest is not None
    for root in (nights.main, nights.usb):
        (root / "srv" / newest.path).write_bytes(b"x" * newest.size)
    (nights.main / "srv" / "_globals" / "2026-01-02T210000Z.json").write_text(
        '{"kind": "strange", "rows_by_table": []}'
    )
    shutil.rmtree(nights.folder / "catalog")
    result = _verify(nights, rebuild=True, every=False)
    assert result["failed"]
    assert nights.catalog().items["database", "Specibiketoto"].newest_proven is None
    assert any("cannot be read" in text for text in result["warnings"])  # type: ignore[attr-defined]


def test_cut_after_any_effect_loses_nothing_and_the_next_run_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = make_nights(tmp_path / "whole", monkeypatch)
    trial.night()
    trial.server.databases["Specibiketoto"] += " changed"
    trial.server.effects.count = 0
    trial.night()
    total = trial.server.effects.count
    assert total > 30
    for limit in range(total):
        nights = make_nights(tmp_path / str(limit), monkeypatch)
        nights.night()
        good = {name: item.newest_proven for name, item in nights.catalog().items.items()}
        nights.server.databases["Specibiketoto"] += " changed"
        nights.server.effects.count, nights.server.effects.limit = 0, limit
        with pytest.raises(Cut):
            nights.night()
        nights.server.effects.limit = None
        for backup in good.values():
            assert backup is not None
            for root in (nights.main, nights.usb):
                assert (root / "srv" / backup.path).is_file(), f"cut after {limit}: a proven backup is gone"
        result = nights.night()
        assert "failed" not in result, f"cut after {limit}: {result['msg']}"
        catalog = nights.catalog()
        newest = catalog.items["database", "Specibiketoto"].newest_proven
        assert newest is not None
        assert newest.rows == 4
        assert set(newest.stored) == {"main", "usb"}
        assert not [path for path in nights.server.files if path.startswith("/staging")], f"cut after {limit}"
        expected = {
            path
            for item in catalog.items.values()
            for backup in item.backups
            for path in (backup.path, backup.record_path)
        }
        for root in (nights.main, nights.usb):
            assert nights.files(root) == expected, f"cut after {limit}: {root.name} and the catalog differ"
        assert not (nights.folder / "catalog" / "srv" / "scratch").exists()
