# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fix of the service account: found by path, granted, changed, proven, and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql import service_account as fix_module
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.service_account import (
    find_cluster,
    fix,
    openerp_services,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import acl, files
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import OptionError, StateError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.services import services

from tests.unit.windows.fakes import PG_PATH, FakeSession, service

PG, SERVER, WEB = "PostgreSQL_For_OpenERP", "openerp-server-6.0", "openerp-web-6.0"
ARGUMENTS: dict[str, Any] = {
    "account": "LocalSystem", "service": None, "former_password": "former", "timeout": 5, "database": "postgres",
    "database_host": "127.0.0.1", "database_port": 5432, "database_user": "openpg", "database_password": "hidden",
}  # fmt: skip


class Host(FakeSession):
    """A server whose data folder's rights are a set of SIDs; PostgreSQL dies under an account that has none."""

    def __init__(
        self, account: str = ".\\openpgsvc", allowed: Sequence[str] = ("S-1-5-21-1-2-3-1001",), state: str = "Running"
    ) -> None:
        super().__init__([service(PG, PG_PATH, account, state), service(SERVER), service(WEB), service("Dhcp")])
        self.allowed = set(allowed)
        self.answer = "42"
        self.programs["psql.exe"] = lambda argv: (
            f"{self.answer}\r\n" if self.services[PG]["State"] == "Running" else "refused"
        )


@pytest.fixture(autouse=True)
def rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and rights of the fake host."""

    def saved(session: Host, path: str, *, below: bool = False) -> dict[str, list[acl.Ace]]:
        return {path: [acl.Ace(True, sid, acl.RIGHTS["F"], frozenset({"OI", "CI"})) for sid in session.allowed]}

    def grant(session: Host, path: str, sid: str, rights: str, *, inherit: bool, below: bool) -> None:
        session.allowed.add(sid)
        session.done.append(f"grant {sid}")

    monkeypatch.setattr(acl, "saved", saved)
    monkeypatch.setattr(acl, "grant", grant)
    monkeypatch.setattr(files, "exists", lambda session, path: path.endswith("\\data\\PG_VERSION"))
    monkeypatch.setattr(files, "read", lambda session, path: b"8.4\n")


def run(host: Host, check: bool = False, **arguments: Any) -> dict[str, Any]:
    return fix(host, {**ARGUMENTS, **arguments}, check=check, step=lambda name: None)  # type: ignore[arg-type]


def test_the_service_is_found_by_its_image_path() -> None:
    cluster = find_cluster(services(Host()), None, "srv")  # type: ignore[arg-type]
    assert cluster.service.name == PG
    assert cluster.data == "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\data"
    assert cluster.bin == "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin"


def test_none_and_several_are_told() -> None:
    with pytest.raises(OptionError, match="no PostgreSQL service is on this host"):
        find_cluster([], None, "srv")
    host = Host()
    host.services["other"] = service("other", PG_PATH)
    with pytest.raises(OptionError, match="name one with the option service"):
        run(host)


def test_openerp_stops_backwards_and_starts_in_order_around_the_change() -> None:
    host = Host()
    result = run(host)
    assert [line for line in host.done if not line.startswith("psql")] == [
        f"StopService {WEB}", f"StopService {SERVER}", f"StopService {PG}", "grant S-1-5-18", f"Change {PG} LocalSystem",
        f"StartService {PG}", f"StartService {SERVER}", f"StartService {WEB}",
    ]  # fmt: skip
    assert result["changed"] is True
    assert result["serves"] is True
    assert result["service"]["account"] == "LocalSystem"
    assert "hidden" not in str(result)
    assert run(host)["changed"] is False


def test_what_did_not_run_is_not_started() -> None:
    host = Host()
    host.services[WEB].update(State="Stopped")
    run(host)
    assert f"StartService {WEB}" not in host.done


def test_check_mode_does_nothing() -> None:
    host = Host()
    assert run(host, check=True)["diff"]["after"]["account"] == "LocalSystem"
    assert [line for line in host.done if not line.startswith("psql")] == []


def test_the_seed_s_breakdown_is_mended() -> None:
    """The data folder is the other server's: the service's own account may not read it, and it is stopped."""
    host = Host(allowed=("S-1-5-21-9-9-9-1001",), state="Stopped")
    result = run(host)
    assert result["service"]["state"] == "Running"
    assert result["answer"] == "42"


def test_when_it_does_not_start_the_event_is_told_and_the_former_account_is_back() -> None:
    host = Host()
    host.dies.add((PG, "LocalSystem"))
    host.tables["Win32_NTLogEvent"] = [
        {"SourceName": "Service Control Manager", "Message": "Le service s'est terminé", "RecordNumber": "9"},
        {"SourceName": "PostgreSQL", "Message": "n'a pas pu accéder au répertoire", "RecordNumber": "8"},
    ]
    with pytest.raises(StateError, match="n'a pas pu accéder au répertoire") as caught:
        run(host)
    assert "the former account .\\openpgsvc was put back" in str(caught.value)
    assert "runs as before" in str(caught.value)
    assert "former" not in str(caught.value).replace("the former account", "").replace("former state", "")
    assert host.services[PG]["StartName"] == ".\\openpgsvc"
    assert {host.services[name]["State"] for name in (PG, SERVER, WEB)} == {"Running"}


def test_a_cluster_that_runs_and_does_not_answer_is_no_success() -> None:
    host = Host()
    host.answer = "FATAL:  password authentication failed"
    with pytest.raises(StateError, match="does not answer a query: FATAL"):
        run(host)
    assert host.services[PG]["StartName"] == ".\\openpgsvc"


def test_a_folder_that_holds_no_cluster_is_refused_before_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "exists", lambda session, path: False)
    host = Host()
    with pytest.raises(StateError, match="PG_VERSION is missing"):
        run(host)
    assert host.done == []


def test_services_of_openerp_are_in_starting_order() -> None:
    assert [one.name for one in openerp_services(services(Host()))] == [SERVER, WEB]  # type: ignore[arg-type]
    assert fix_module._OPENERP_ORDER == ("openerp-server", "openerp-web")
