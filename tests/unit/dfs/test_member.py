# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a member says of itself: WMI rows, methods, and the XML of the event log."""

from __future__ import annotations

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs import events
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.errors import MemberError, NotInstalledError
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.member import Member, MemberConnection
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.result import RunResult

from .fakes import Row, Tables

GROUP, FOLDER = "0F1E2D3C-0000-4000-8000-000000000001", "1F1E2D3C-0000-4000-8000-000000000002"
TABLES: dict[str, list[Row]] = {
    "DfsrReplicationGroupConfig": [
        {"ReplicationGroupName": "OpenERP", "ReplicationGroupGuid": GROUP},
        {"ReplicationGroupName": "L'autre", "ReplicationGroupGuid": "X"},
    ],
    "DfsrReplicatedFolderInfo": [
        {
            "ReplicationGroupName": "OpenERP", "ReplicatedFolderName": "replicat", "ReplicatedFolderGuid": FOLDER, "State": "5",
            "LastErrorCode": "9003", "CurrentStageSizeInMb": "12", "CurrentConflictSizeInMb": "3",
        }
    ],
    "DfsrReplicatedFolderConfig": [
        {
            "ReplicationGroupGuid": GROUP, "ReplicatedFolderName": "replicat", "RootPath": "C:\\replicat", "Enabled": "true",
            "IsPrimary": "false", "FileFilter": "~*, *.bak, *.tmp", "DirectoryFilter": None, "StagingSizeInMb": "4096", "ConflictSizeInMb": "660",
        }
    ],
    "DfsrConnectionConfig": [
        {"ReplicationGroupGuid": GROUP, "ConnectionGuid": "B", "PartnerName": "SRV-OPENERP2", "Inbound": "false", "Enabled": "false"},
        {"ReplicationGroupGuid": GROUP, "ConnectionGuid": "A", "PartnerName": "LYCEE\\srv-openerp2", "Inbound": "true", "Enabled": "true"},
    ],
    "DfsrConnectionInfo": [
        {"ReplicationGroupGuid": GROUP, "ConnectionGuid": "a", "LastSuccessfulSyncTime": "2026-11-24T09:00:00.5+01:00", "LastErrorCode": "0"},
        {"ReplicationGroupGuid": GROUP, "ConnectionGuid": "B", "LastSuccessfulSyncTime": "16010101000000.000000+000", "LastErrorCode": "1723"},
    ],
    "Win32_OperatingSystem": [{"LocalDateTime": "20261124090000.250000+060"}],
}  # fmt: skip
#: As wevtutil prints it on a French Server 2008: no root element, one event after the other.
XML = (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='DFSR'/>"
    "<EventID Qualifiers='16384'>4104</EventID><TimeCreated SystemTime='2026-11-24T08:00:02.123456000Z'/></System><EventData>"
    "<Data>1F1E</Data><Data>C:\\replicat</Data><Data>replicat</Data><Data>OpenERP</Data></EventData></Event>"
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><EventID>4102</EventID>"
    "<TimeCreated SystemTime='2026-11-24T08:00:01.000000000Z'/></System><EventData><Data>Données</Data></EventData></Event>\r\n"
)


def member(**tables: list[Row]) -> tuple[Member, Tables]:
    session = Tables({**TABLES, **tables})
    return Member(session, "srv-openerp1"), session  # type: ignore[arg-type]


def test_the_state_of_a_folder() -> None:
    found = member()[0].folder("openerp", "replicat")
    assert found is not None
    assert (found.guid, found.shown) == (FOLDER, "state 5 (in error), error 9003")
    assert member(DfsrReplicatedFolderInfo=[])[0].folder("OpenERP", "replicat") is None
    assert member()[0].name == "SRV-OPENERP1"


def test_the_configuration_and_the_connections() -> None:
    one = member()[0]
    assert one.group_guid("OpenERP") == GROUP.lower()
    config = one.config("OpenERP", "replicat")
    assert config is not None
    assert config.as_dict() == {
        "root_path": "C:\\replicat", "enabled": True, "is_primary": False, "file_filter": ["~*", "*.bak", "*.tmp"], "directory_filter": [],
        "staging_mb": 4096, "conflict_mb": 660,
    }  # fmt: skip
    assert one.connections("OpenERP") == [
        MemberConnection("SRV-OPENERP2", True, True, "2026-11-24T08:00:00.500Z", 0),
        MemberConnection("SRV-OPENERP2", False, False, "", 1723),
    ]
    assert one.config("nothing", "replicat") is None
    assert one.connections("nothing") == []


def test_names_are_quoted_in_queries() -> None:
    one, session = member()
    one.folder("L'école", "a\\b")
    assert "ReplicationGroupName = 'L\\'école' AND ReplicatedFolderName = 'a\\\\b'" in session.asked[0]


def test_the_backlog_is_asked_by_the_documented_key() -> None:
    one, session = member()
    session.methods = {
        "GetVersionVector": {"VersionVector": "{...}", "ReturnValue": "0"},
        "GetOutboundBacklogFileCount": {"BacklogFileCount": "7", "ReturnValue": "0"},
    }
    vector = one.version_vector("OpenERP", "replicat")
    assert one.outbound_backlog("OpenERP", "replicat", vector) == 7
    assert session.called == [
        ("GetVersionVector", {}, {"ReplicatedFolderGuid": FOLDER}),
        ("GetOutboundBacklogFileCount", {"VersionVector": "{...}"}, {"ReplicatedFolderGuid": FOLDER}),
    ]
    session.methods["GetVersionVector"] = {"ReturnValue": "8"}
    with pytest.raises(MemberError, match=r"number 8 \(state 5"):
        one.version_vector("OpenERP", "replicat")
    session.methods["GetOutboundBacklogFileCount"] = {"ReturnValue": "0"}
    with pytest.raises(MemberError, match="counts no backlog"):
        one.outbound_backlog("OpenERP", "replicat", "")
    with pytest.raises(MemberError, match="pollad"):
        one.version_vector("OpenERP", "nothing")


def test_a_host_without_the_feature_is_told_apart() -> None:
    one = Member(Tables({}), "srv")  # type: ignore[arg-type]
    for call in (one.check_installed, lambda: one.folder("a", "b"), lambda: one.connections("a")):
        with pytest.raises(NotInstalledError, match="windows_feature"):
            call()


def test_the_event_log() -> None:
    one, session = member()
    session.answer = lambda argv: RunResult(0, XML.encode("cp850"), b"", 850)
    first, second = one.events("2026-11-24T08:00:00.000Z", [4102, 4104])
    assert (first.id, first.texts, second.id, second.time) == (4102, ("Données",), 4104, "2026-11-24T08:00:02.123Z")
    assert second.of("openerp")
    assert not first.of("OpenERP")
    assert session.ran[0][3] == (
        "/q:*[System[(EventID=4102 or EventID=4104) and TimeCreated[@SystemTime>='2026-11-24T08:00:00.000Z']]]"
    )
    assert [event.id for event in one.latest(2)] == [4104, 4102]
    assert session.ran[1][3:] == ["/q:*", "/c:2", "/rd:true", "/f:xml"]


def test_an_event_log_that_cannot_be_read() -> None:
    one, session = member()
    for done, kind in (
        (RunResult(15007, b"", b"", 850), NotInstalledError),
        (RunResult(5, b"", "Accès refusé.".encode("cp850"), 850), MemberError),
        (RunResult(0, b"<Event>", b"", 850), MemberError),
    ):
        session.answer = lambda argv, done=done: done  # type: ignore[misc]
        with pytest.raises(kind):
            one.latest(1)


def test_polling_and_the_clock() -> None:
    one, session = member()
    one.poll()
    assert session.ran == [["C:\\Windows\\System32\\dfsrdiag.exe", "pollad"]]
    assert one.now() == "2026-11-24T08:00:00.250Z"
    session.answer = lambda argv: RunResult(1, b"", b"non", 850)
    with pytest.raises(MemberError, match="exit code 1"):
        one.poll()


@pytest.mark.parametrize("text", ["", "nonsense", "16010101000000.000000+000", "1601-01-01T00:00:00Z"])
def test_times_that_are_none(text: str) -> None:
    assert events.utc(text) == ""
