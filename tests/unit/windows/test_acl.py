# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights by SID, from what icacls saves."""

from __future__ import annotations

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import acl
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.accounts import built_in, same_account
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import StateError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.result import RunResult

from .fakes import FakeSession

SAVED = (
    "data\r\nD:PAI(A;OICI;FA;;;SY)(A;OICI;0x1301bf;;;S-1-5-21-1-2-3-1001)(A;;FR;;;BU)\r\n"
    "data\\PG_VERSION\r\nD:AI(A;ID;FA;;;SY)(D;;FW;;;BU)\r\n"
)


def test_what_icacls_saved_is_read_with_sids() -> None:
    saved = acl.parse_saved(("\ufeff" + SAVED).encode("utf-16-le"))
    assert list(saved) == ["data", "data\\PG_VERSION"]
    first, second, third = saved["data"]
    assert (first.sid, first.mask, first.flags) == ("S-1-5-18", 0x1F01FF, frozenset({"OI", "CI"}))
    assert (second.sid, second.mask) == ("S-1-5-21-1-2-3-1001", 0x1301BF)
    assert third.sid == "S-1-5-32-545"
    assert saved["data\\PG_VERSION"][0].inherited


def test_a_file_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match="odd number"):
        acl.parse_saved("only one line\r\n".encode("utf-16-le"))


@pytest.mark.parametrize("data", [b"", "\ufeff".encode("utf-16-le")])
def test_nothing_saved_is_nothing_granted(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acl, "read", lambda session, path: data)
    session = FakeSession([])
    session.programs["icacls.exe"] = lambda argv: "Accès refusé."
    with pytest.raises(StateError, match="cannot be read \\(Accès refusé"):
        acl.saved(session, "C:\\data", below=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sid", "rights", "flags", "granted"),
    [
        ("S-1-5-18", "F", {"OI", "CI"}, True),
        ("S-1-5-21-1-2-3-1001", "M", set(), True),
        ("S-1-5-21-1-2-3-1001", "F", set(), False),
        ("S-1-5-32-545", "R", set(), True),
        ("S-1-5-32-545", "R", {"OI"}, False),
        ("S-1-5-20", "R", set(), False),
    ],
)
def test_what_is_granted(sid: str, rights: str, flags: set[str], granted: bool) -> None:
    entries = acl.parse_saved(SAVED.encode("utf-16-le"))["data"]
    assert acl.grants(entries, sid, acl.RIGHTS[rights], frozenset(flags)) is granted


def test_a_denial_wins_and_an_entry_for_children_only_does_not_count() -> None:
    entries = acl.parse_sddl("D:(D;;FW;;;SY)(A;OICI;FA;;;SY)(A;OICIIO;FA;;;NS)")
    assert not acl.grants(entries, "S-1-5-18", acl.RIGHTS["F"])
    assert not acl.grants(entries, "S-1-5-20", acl.RIGHTS["R"])


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("LocalSystem", "LocalSystem"),
        ("", None),
        ("NT AUTHORITY\\NetworkService", "NetworkService"),
        ("AUTORITE NT\\SERVICE RÉSEAU", "NetworkService"),
        ("NT AUTHORITY\\NETWORK SERVICE", "NetworkService"),
        (".\\openpgsvc", None),
    ],
)
def test_built_in_accounts_in_every_spelling(name: str, known: str | None) -> None:
    assert built_in(name) == (known if name else "LocalSystem")


def test_the_same_account_by_other_names() -> None:
    assert same_account(".\\openpgsvc", "SRV\\OpenPgSvc", "srv")
    assert same_account("openpgsvc", ".\\openpgsvc", "srv")
    assert not same_account(".\\openpgsvc", "OTHER\\openpgsvc", "srv")
    assert not same_account("LocalSystem", ".\\system1", "srv")


@pytest.mark.parametrize(("codes", "unread"), [([0], False), ([2, 0], False), ([2, 2, 0], False), ([2, 2, 2], True)])
def test_files_that_go_away_under_icacls_are_no_missing_rights(
    codes: list[int], unread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acl, "read", lambda session, path: ("\ufeff" + SAVED).encode("utf-16-le"))
    session = FakeSession([])
    left = list(codes)
    monkeypatch.setattr(session, "run", lambda argv, **rest: RunResult(left.pop(0), b"", b"", 850))
    found = acl.saved(session, "C:\\data", below=True)  # type: ignore[arg-type]
    assert (acl.UNREAD in found) is unread
    assert left == []
