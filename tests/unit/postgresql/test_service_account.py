# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fix of the service account: found by path, granted, changed, proven, and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.cluster import find_cluster, openerp_services
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.service_account import fix
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import acl, files
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import OptionError, StateError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.services import services

from tests.unit.windows.fakes import PG_PATH, FakeSession, service

PG, SERVER, WEB = "PostgreSQL_For_OpenERP", "openerp-server-6.0", "openerp-web-6.0"
ARGUMENTS: dict[str, Any] = {
    "account": "LocalSystem", "pair": "none", "group": "OpenERP", "service": None, "former_password": None, "timeout": 1, "database": "postgres",
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
    monkeypatch.setattr(files, "folder_exists", lambda session, path: path.endswith("\\data"))
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
    host.services[WEB].update(State="Stopped", StartMode="Manual")
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


def events(host: Host) -> None:
    host.tables["Win32_NTLogEvent"] = [
        {"SourceName": "Service Control Manager", "Message": "Le service s'est terminé", "RecordNumber": "9"},
        {"SourceName": "PostgreSQL", "Message": "n'a pas pu accéder au répertoire", "RecordNumber": "8"},
    ]


def test_when_it_does_not_start_the_event_is_told_and_the_former_account_is_back() -> None:
    host = Host()
    host.dies.add((PG, "LocalSystem"))
    events(host)
    with pytest.raises(StateError, match="n'a pas pu accéder au répertoire") as caught:
        run(host)
    assert f"{PG} is now Running as .\\openpgsvc" in str(caught.value)
    assert "0p3npgsvcPWD" not in str(caught.value)
    assert host.services[PG]["StartName"] == ".\\openpgsvc"
    assert {host.services[name]["State"] for name in (PG, SERVER, WEB)} == {"Running"}


def test_an_event_without_its_message_shows_what_was_to_be_put_in() -> None:
    host = Host()
    host.dies.add((PG, "LocalSystem"))
    host.tables["Win32_NTLogEvent"] = [
        {"SourceName": "PostgreSQL", "Message": None, "InsertionStrings": ["FATAL:", "no access"], "RecordNumber": "8"}
    ]
    with pytest.raises(StateError, match="event log: FATAL: no access"):
        run(host)


def test_an_account_that_is_refused_leaves_the_former_one_and_its_password() -> None:
    host = Host()
    host.refuses["Change", PG] = 22
    with pytest.raises(StateError, match="its account does not exist"):
        run(host)
    assert [line for line in host.done if line.startswith("Change")] == [f"Change {PG} LocalSystem"]
    assert host.services[PG]["State"] == "Running"


def test_an_account_that_could_not_be_put_back_is_refused_before_anything() -> None:
    host = Host(account="LYCEE\\postgres")
    with pytest.raises(OptionError, match="give it as former_password"):
        run(host)
    assert not [line for line in host.done if not line.startswith("psql")]
    assert run(host, former_password="known")["changed"] is True


def test_a_cluster_that_does_not_answer_even_now_is_left_running() -> None:
    host = Host()
    host.answer = "FATAL:  password authentication failed"
    with pytest.raises(OptionError, match="nothing was changed: FATAL"):
        run(host)
    assert not [line for line in host.done if not line.startswith("psql")]


def test_a_cluster_that_recovers_its_files_is_asked_until_it_answers() -> None:
    host = Host()
    answers = iter(["42", "FATAL:  the database system is starting up", "FATAL:  the database system is starting up"])
    host.programs["psql.exe"] = lambda argv: next(answers, "42") + "\r\n"
    assert run(host, timeout=30)["serves"] is True


def test_a_cluster_that_never_answers_is_no_success() -> None:
    host = Host()
    answers = iter(["42"])
    host.programs["psql.exe"] = lambda argv: next(answers, "FATAL:  no") + "\r\n"
    with pytest.raises(StateError, match="does not answer a query: FATAL"):
        run(host)
    assert host.services[PG]["StartName"] == ".\\openpgsvc"


def test_openerp_that_an_interrupted_run_left_is_started_by_the_next() -> None:
    host = Host(account="LocalSystem", allowed=("S-1-5-18",))
    for name in (SERVER, WEB):
        host.services[name].update(State="Stopped")
    result = run(host)
    assert result["changed"] is True
    assert [line for line in host.done if not line.startswith("psql")] == [
        f"StartService {SERVER}",
        f"StartService {WEB}",
    ]
    assert run(host)["changed"] is False


def test_a_folder_that_is_not_there_is_refused_before_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "exists", lambda session, path: False)
    monkeypatch.setattr(files, "folder_exists", lambda session, path: False)
    host = Host()
    with pytest.raises(StateError, match="does not exist; is its disk online"):
        run(host)
    assert host.done == []


def test_a_folder_that_nobody_of_this_host_may_open_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(allowed=("S-1-5-21-9-9-9-1001",), state="Stopped")
    monkeypatch.setattr(files, "exists", lambda session, path: "S-1-5-32-544" in session.allowed)
    taken: list[str] = []
    monkeypatch.setattr(acl, "set_owner", lambda session, path, sid, *, below: taken.append(sid))
    assert run(host)["serves"] is True
    assert taken == ["S-1-5-32-544"]


def test_psql_of_83_is_not_asked_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "read", lambda session, path: b"8.3\n")
    host = Host()
    run(host)
    assert not [line for line in host.done if line.startswith("psql") and line.endswith(" -w")]


@pytest.mark.parametrize(
    "path",
    [
        PG_PATH,
        'C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin\\pg_ctl.exe runservice -N "PostgreSQL_For_OpenERP" '
        '-D "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\data"',
        '"C:/Program Files/OpenERP 6.0/PostgreSQL/bin/pg_ctl.exe" runservice -N "x" '
        '-D "C:/Program Files/OpenERP 6.0/PostgreSQL/data" -w',
    ],
)
def test_every_form_of_image_path_is_read(path: str) -> None:
    host = Host()
    host.services[PG]["PathName"] = path
    cluster = find_cluster(services(host), None, "srv")  # type: ignore[arg-type]
    assert cluster.bin == "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin"
    assert cluster.data == "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\data"


def test_services_of_openerp_are_in_starting_order() -> None:
    assert [one.name for one in openerp_services(services(Host()))] == [SERVER, WEB]  # type: ignore[arg-type]
