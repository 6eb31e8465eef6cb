# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the moves stand on: the control file of a cluster, the marker of the active server, and the journal."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity import marker
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.errors import ContinuityError, JournalError
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.journal import (
    FAILBACK,
    SERVING,
    STANDING,
    Journal,
    Rejoin,
    Store,
    Switch,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.marker import Marker
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql import controldata

# The labels and their order are those of pg_controldata.c in REL8_4_STABLE, as a 32-bit build for Windows prints them.
OF_8_4 = """\
pg_control version number:            843
Catalog version number:               200904091
Database system identifier:           5946012345678901234
Database cluster state:               shut down
pg_control last modified:             24/11/2026 16:30:02
Latest checkpoint location:           0/17A3F20
Prior checkpoint location:            0/17A3EE0
Latest checkpoint's REDO location:    0/17A3F20
Latest checkpoint's TimeLineID:       1
Latest checkpoint's NextXID:          0/1432
Latest checkpoint's NextOID:          24576
Latest checkpoint's NextMultiXactId:  1
Latest checkpoint's NextMultiOffset:  0
Time of latest checkpoint:            24/11/2026 16:30:01
Minimum recovery ending location:     0/0
Maximum data alignment:               8
Database block size:                  8192
Blocks per segment of large relation: 131072
WAL block size:                       8192
Bytes per WAL segment:                16777216
Maximum length of identifiers:        64
Maximum columns in an index:          32
Maximum size of a TOAST chunk:        1996
Date/time type storage:               64-bit integers
Float4 argument passing:              by value
Float8 argument passing:              by reference
"""
# The same program in a French shell (fr.po of REL8_4_STABLE).
IN_FRENCH = """\
Numéro de version de pg_control :                      843
Numéro de version du catalogue :                       200904091
Identifiant du système de base de données :            5946012345678901234
État du cluster de base de données :                   arrêt
Dernier point de contrôle :                            0/17A3F20
Heure du dernier point de contrôle :                   24/11/2026 16:30:01
Passage d'argument float8 :                            par référence
"""
# Of a cluster made by initdb 15 on this project's machine, shortened; and the first bytes of its global/pg_control.
OF_15 = """\
pg_control version number:            1300
Catalog version number:               202209061
Database system identifier:           7711799814645817837
Database cluster state:               shut down
pg_control last modified:             Tue Nov 24 18:01:55 2026
Latest checkpoint location:           0/1500710
Latest checkpoint's REDO location:    0/1500710
Latest checkpoint's REDO WAL file:    000000010000000000000001
Latest checkpoint's oldestCommitTsXid:0
Time of latest checkpoint:            Tue Nov 24 18:01:55 2026
Date/time type storage:               64-bit integers
Float8 argument passing:              by value
Data page checksum version:           0
"""
BYTES_15 = bytes.fromhex("ed21e39212d1056b1405000025770d0c010000000000000013d1056b00000000")
# 8.3.6 knows no argument passing (endpointdev.com, "pg_controldata", 2009).
OF_8_3 = """\
pg_control version number:            833
Catalog version number:               200711281
Database system identifier:           5291243377389434335
Database cluster state:               in production
Latest checkpoint location:           0/B70E5B9C
Time of latest checkpoint:            Fri 06 Mar 2009 02:27:02 PM MST
"""


def test_control_data_of_8_4() -> None:
    for text in (OF_8_4, OF_8_4.replace("\n", "\r\n")):
        found = controldata.parse(text)
        assert found is not None
        assert found.shut_down
        assert found.identifier == "5946012345678901234"
        assert found.checkpoint == "0/17A3F20"
        assert found.time == "24/11/2026 16:30:01"
        assert found.build == (843, 200904091, "by reference")


def test_control_data_of_other_releases() -> None:
    found = controldata.parse(OF_15)
    assert found is not None
    assert (found.shut_down, found.build) == (True, (1300, 202209061, "by value"))
    found = controldata.parse(OF_8_3)
    assert found is not None
    assert (found.shut_down, found.build) == (False, (833, 200711281, ""))


@pytest.mark.parametrize("state", ["in production", "shutting down", "shut down in recovery", "in archive recovery"])
def test_nothing_but_shut_down_is_shut_down(state: str) -> None:
    found = controldata.parse(OF_8_4.replace("shut down", state))
    assert found is not None
    assert not found.shut_down


@pytest.mark.parametrize(
    "text",
    [
        "",
        IN_FRENCH,
        'pg_controldata: could not open file "C:/data/global/pg_control" for reading: No such file or directory\n',
        OF_8_4.replace("843", "?"),
        OF_8_4.partition("Time of latest")[0],
    ],
)
def test_of_anything_else_nothing_is_concluded(text: str) -> None:
    assert controldata.parse(text) is None


def test_the_file_itself() -> None:
    found = controldata.parse(OF_15)
    assert found is not None
    assert controldata.head(BYTES_15) == ("7711799814645817837", 1300, 202209061, controldata.SHUT_DOWN)
    assert controldata.agrees(found, BYTES_15)
    # enum DBState of 8.4: 5 is in production.
    for other in (
        struct.pack("<QIII", 7711799814645817837, 1300, 202209061, 5),
        struct.pack("<QIII", 1, 1300, 202209061, 1),
        struct.pack("<QIII", 7711799814645817837, 843, 202209061, 1),
        bytes(8192),
        BYTES_15[:19],
        b"",
    ):
        assert not controldata.agrees(found, other)
    running = controldata.parse(OF_15.replace("shut down", "in production"))
    assert running is not None
    assert not controldata.agrees(running, BYTES_15)
    assert controldata.agrees(running, struct.pack("<QIII", 7711799814645817837, 1300, 202209061, 5))


def test_marker_survives_its_file() -> None:
    for one in (
        Marker("SRV-OPENERP1", "", "2026-11-24T16:30:00+00:00"),
        marker.moving("SRV-OPENERP1", "SRV-OPENERP2", "2026-11-24T16:30:00+00:00"),
    ):
        assert marker.parse(one.to_bytes(), "marker.txt") == one
    # As somebody writes it by hand.
    assert marker.parse(b" active= srv-openerp1 \nnote=x\n", "marker.txt").names("SRV-OPENERP1")


@pytest.mark.parametrize("data", [b"", b"moving=\r\n", b"active=SRV OPENERP1\r\n", b"active=\xe9\r\n", b"\x00" * 40])
def test_what_is_no_marker(data: bytes) -> None:
    with pytest.raises(ContinuityError, match=r"marker\.txt is no marker of the active server"):
        marker.parse(data, "marker.txt")


def test_marker_of_nobody() -> None:
    moved = marker.moving("SRV1", "SRV2", "noon")
    assert not moved.names("SRV1")
    assert not moved.names("")
    assert moved.shown == "nobody, since the service is moving (SRV1 to SRV2, since noon)"
    assert Marker("", since="noon").shown == "nobody (since noon)"


@pytest.fixture
def journal() -> Journal:
    """Give a failback in its middle."""
    return Journal(
        "openerp",
        FAILBACK,
        "2026-11-24T16:30:00+00:00",
        "srv1",
        group={"name": "OpenERP"},
        before=Rejoin("srv2", "srv1", stage="replicating", since={"srv1": "x"}),
        switch=Switch("srv2", "srv1", "planned", stage=SERVING, databases=["École"]),
        after=Rejoin("srv1", "srv2", keep=False),
        steps=[{"step": "look", "at": 1.0}],
    )


def test_journal_survives_its_file(tmp_path: Path, journal: Journal) -> None:
    store = Store(tmp_path / "state", "openerp")
    assert store.load() is None
    store.save(journal)
    assert store.load() == journal
    assert (tmp_path / "state" / "openerp" / "journal.json").stat().st_mode & 0o777 == 0o600
    journal.before = journal.after = journal.switch = None
    store.save(journal)
    assert store.load() == journal


def test_journal_is_closed_by_a_report(tmp_path: Path, journal: Journal) -> None:
    store = Store(tmp_path, "openerp")
    store.save(journal)
    path = store.close(journal.stamp, {"outcome": "moved"})
    assert store.load() is None
    assert json.loads(path.read_text()) == json.loads((tmp_path / "openerp" / "last.json").read_text())


def test_journal_of_a_later_release(tmp_path: Path, journal: Journal) -> None:
    store = Store(tmp_path, "openerp")
    store.save(journal)
    path = tmp_path / "openerp" / "journal.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "weather": "fine"}))
    assert store.load() == journal


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pair": "openerp"}', '{"switch": {"colour": 1}}'])
def test_damaged_journal(text: str, tmp_path: Path) -> None:
    (tmp_path / "openerp").mkdir()
    (tmp_path / "openerp" / "journal.json").write_text(text)
    with pytest.raises(JournalError, match=r"journal\.json is damaged, .*look which server runs"):
        Store(tmp_path, "openerp").load()


def test_journal_with_a_stage_that_is_none(tmp_path: Path, journal: Journal) -> None:
    assert journal.switch is not None
    journal.switch.stage = "asleep"
    Store(tmp_path, "openerp").save(journal)
    with pytest.raises(JournalError, match="is damaged"):
        Store(tmp_path, "openerp").load()


def test_journal_that_cannot_be_read_or_written(tmp_path: Path, journal: Journal) -> None:
    (tmp_path / "openerp" / "journal.json").mkdir(parents=True)
    store = Store(tmp_path, "openerp")
    with pytest.raises(JournalError, match="cannot be read"):
        store.load()
    with pytest.raises(JournalError, match="cannot be written"):
        store.save(journal)


def test_stages_are_in_their_order() -> None:
    switch = Switch("srv1", "srv2", "planned", stage=STANDING)
    assert switch.is_past("announced")
    assert not switch.is_past(STANDING)
    assert not Rejoin("srv1", "srv2").is_past("fenced")
    assert Rejoin("srv1", "srv2", stage="set aside").is_past("set aside")
    assert not Rejoin("srv1", "srv2", stage="set aside").is_past("replicating")
