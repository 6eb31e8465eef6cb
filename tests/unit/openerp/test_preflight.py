# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every finding is listed before anything is changed, and what stands against an upgrade ends it there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.catalog import DATABASE, Backup, Catalog
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.begin import refuse, unfinished
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.conf import SERVER, WEB, Conf
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.databases import Fingerprint
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.dumps import without_backup
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.errors import (
    JournalError,
    OptionError,
    PreflightError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.installation import KINDS, Part, find_part, minor
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.journal import BACK, Store
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.logs import Login
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.look import DatabaseState, State
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.outcome import Options
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.preflight import (
    Measured,
    Plan,
    Rules,
    judge,
    make_plan,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.report import findings
from ansible_collections.lycee.openerp.plugins.plugin_utils._postgresql.server import Database
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.services import Service

from tests.unit.openerp.model import fresh_journal

RULES = Rules(to_release=(6, 0, 4))
FREE = Measured(free=1 << 40, folders=1 << 20, users=(), setups={SERVER: "", WEB: ""}, robocopy=True)


def service(kind: str, state: str = "Running", account: str = "LocalSystem") -> Service:
    path = f'"C:\\OpenERP\\{kind}\\{KINDS[kind].wrapper}"'
    return Service(f"openerp-{kind}-6.0", "", state, "Auto", account, path, 4, 0, 0)


def database(
    name: str, loaded: bool | None = False, login: str = "good", pending: tuple[str, ...] = ()
) -> DatabaseState:
    return DatabaseState(
        Database(name, 1, True, "UTF8", "openpg", 1 << 20),
        Fingerprint(True, "6.0.1.3", loaded, 1640, "2026", pending),
        True,
        login,
    )


def state(*databases: DatabaseState, version: str = "6.0.3", number: str = "0x3") -> State:
    values = {"VersionMinor": ("REG_DWORD", number)}
    return State(
        server=Part(KINDS[SERVER], service(SERVER), "C:\\OpenERP\\server"),
        web=Part(KINDS[WEB], service(WEB), "C:\\OpenERP\\web"),
        conf=Conf(SERVER, b"[options]\ndb_user = openpg\n", "x"),
        registry={SERVER: ("HKLM\\a", values), WEB: ("HKLM\\b", values)},
        version=version,
        listed=[one.database.name for one in databases],
        databases={one.database.name: one for one in databases},
        page=[one.database.name for one in databases],
    )


def blockers(plan: Plan) -> list[str]:
    return [f"{one.subject}: {one.text}" for one in plan.blockers]


def test_a_plan() -> None:
    plan = make_plan(state(database("A"), database("B", loaded=True)), RULES)
    assert (plan.server, plan.web, plan.databases, plan.blockers) == (True, True, ["A"], [])
    judge(plan, RULES, FREE, state(database("A")))
    assert plan.blockers == []
    assert any("nobody logged in" in one.text for one in plan.findings)


def test_nothing_is_to_be_done_on_an_upgraded_server() -> None:
    plan = make_plan(state(database("A", loaded=True), version="6.0.4", number="0x4"), RULES)
    assert not plan.needed


def test_a_restored_context_alone_is_updated() -> None:
    plan = make_plan(state(database("A", loaded=True), database("B"), version="6.0.4", number="0x4"), RULES)
    assert (plan.server, plan.web, plan.databases) == (False, False, ["B"])


def test_the_web_client_alone_where_the_registry_can_be_believed() -> None:
    one = state(database("A", loaded=True), version="6.0.4", number="0x4")
    one.registry[WEB] = ("HKLM\\b", {"VersionMinor": ("REG_DWORD", "0x3")})
    assert (make_plan(one, RULES).web, make_plan(one, RULES).server) == (True, False)
    one.registry[SERVER] = one.registry[WEB] = ("HKLM\\b", {"VersionMinor": ("REG_DWORD", "0x1")})
    assert not make_plan(one, RULES).needed
    assert minor({"VersionMinor": ("REG_SZ", "4")}) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (state(version="6.1.0"), "version: 6.1.0 to 6.0.4 is no minor update"),
        (state(version="6.0.5"), "version: 6.0.4 is older"),
        (
            replace(state(), version="", problems=["srv1: OpenERP does not answer"]),
            "services: srv1: OpenERP does not answer",
        ),
        (replace(state(database("A")), problems=["the web client"]), "services: the web client"),
        (
            replace(state(database("A")), web=Part(KINDS[WEB], service(WEB, "Stopped"), "C:\\w")),
            "services: openerp-web-6.0 does not run",
        ),
        (
            replace(
                state(database("A")), server=Part(KINDS[SERVER], service(SERVER, account="LYCEE\\openerp"), "C:\\s")
            ),
            "services: openerp-server-6.0 runs as LYCEE\\openerp",
        ),
        (
            state(database("A", pending=("sale (to upgrade)",))),
            "databases: A: an update of it was interrupted (sale (to upgrade))",
        ),
        (
            replace(state(replace(database("A"), problem="no answer")), listed=["A"]),
            "databases: A: no answer; see to it",
        ),
        (
            replace(state(database("A")), web=Part(KINDS[WEB], replace(service(WEB), start_mode="Disabled"), "C:\\w")),
            "services: openerp-web-6.0 runs and is disabled",
        ),
        (
            replace(state(database("A")), data_folder="C:\\OpenERP\\server\\PostgreSQL\\data"),
            "services: C:\\OpenERP\\server\\PostgreSQL\\data is inside",
        ),
        (
            replace(state(database("A")), conf=Conf(SERVER, b"[options]\nadmin_passwd = %(x\n", "x")),
            "configuration: admin_passwd of openerp-server.conf holds '%('",
        ),
    ],
)
def test_what_stands_against_it(wrong: State, said: str) -> None:
    plan = make_plan(wrong, RULES)
    assert [one for one in blockers(plan) if one.startswith(said)], blockers(plan)
    with pytest.raises(PreflightError, match="nothing was changed, for 1 finding"):
        refuse(plan, "srv1")
    assert findings(plan)[0].startswith("!! ")


def test_a_pending_database_may_be_accepted() -> None:
    one = state(database("A", pending=("sale (to upgrade)",)))
    plan = make_plan(one, replace(RULES, accept_pending=("A",)))
    assert (plan.databases, plan.blockers) == (["A"], [])


def test_what_does_not_serve_is_left_and_told() -> None:
    one = state(database("A"), database("B", login="FATAL: x"), replace(database("C,D"), nameable=False), database("E"))
    one.databases["E"].listed = False
    one.databases["essais"] = replace(database("essais"), fingerprint=Fingerprint(openerp=False))
    plan = make_plan(one, RULES)
    assert plan.databases == ["A"]
    text = "\n".join(findings(plan))
    for said in (
        "B: it does not serve even now (FATAL: x)",
        "C,D: its name cannot be given",
        "E: OpenERP does not offer it",
        "left as they are: essais",
    ):
        assert said in text
    assert plan.blockers == []


def test_what_is_measured() -> None:
    one = state(database("A"))
    who = (Login(datetime(2026, 11, 24, 10, 20), "élève", "a"),)
    for measured, rules, said in (
        (replace(FREE, setups={SERVER: "x.exe is not the setup that is wanted"}), RULES, "setups: x.exe is not"),
        (replace(FREE, free=1 << 20), RULES, "disk: 1 MB are free"),
        (
            replace(FREE, one_drive=False, data_free=1 << 20),
            RULES,
            "disk: 1 MB are free on the drive of PostgreSQL's data",
        ),
        (replace(FREE, memory=150), RULES, "memory: a remote shell may take 150 MB"),
        (replace(FREE, users=None), replace(RULES, refuse_users=True), "users: who logged in lately cannot be told"),
        (replace(FREE, robocopy=False), RULES, "disk: there is no robocopy.exe"),
        (
            replace(FREE, users=who),
            replace(RULES, refuse_users=True),
            "users: logged in within 30 minutes: élève in a (10:20)",
        ),
    ):
        plan = make_plan(one, rules)
        judge(plan, rules, measured, one)
        assert [text for text in blockers(plan) if text.startswith(said)], blockers(plan)
    plan = make_plan(one, RULES)
    judge(plan, RULES, replace(FREE, users=who, free=None), one)
    assert plan.blockers == []


def test_programs_are_found_by_the_image_path() -> None:
    other = replace(service(SERVER), name="autre", path="C:\\x\\y.exe")
    found = find_part([other, service(SERVER)], SERVER, None, "srv1")
    assert found is not None
    assert (found.folder, found.conf) == ("C:\\OpenERP\\server", "C:\\OpenERP\\server\\openerp-server.conf")
    assert find_part([other], SERVER, None, "srv1") is None


def test_a_backup_that_is_old_or_of_another_database_is_none(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, "srv1")
    catalog.prepare()
    item = catalog.item(DATABASE, "A", "A")
    item.backups.append(Backup(DATABASE, "A", "A", "2026-11-24T080000Z", oid=7, read_proven="x", stored={"usb": "x"}))
    catalog.save(item)
    now = datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert without_backup(tmp_path, "srv1", {"A": 7}, 12, now) == []
    assert without_backup(tmp_path, "srv1", {"A": 8}, 12, now) == ["A"]
    assert without_backup(tmp_path, "srv1", {"A": 7, "B": 1}, 1, now) == ["A", "B"]


def test_a_journal_tells_what_the_next_run_does(tmp_path: Path) -> None:
    store = Store(tmp_path, "srv1")
    assert store.load() is None
    journal = fresh_journal()
    store.save(journal)
    assert store.load() == journal
    options = Options(rules=RULES, setups={})
    assert "it is completed" in unfinished(journal, options)
    with pytest.raises(OptionError, match="run it once more for that release"):
        unfinished(journal, Options(rules=Rules(to_release=(6, 0, 5)), setups={}))
    journal.direction = BACK
    assert "taken back to 6.0.3" in unfinished(journal, options)
    path = tmp_path / "srv1" / "journal.json"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{}")
    with pytest.raises(JournalError, match="is damaged"):
        store.load()


def test_our_own_logins_are_remembered(tmp_path: Path) -> None:
    store = Store(tmp_path, "srv1")
    one, two = datetime(2026, 11, 24, 10), datetime(2026, 11, 24, 10, 1)
    assert store.note_look(one, two) == [(one, two)]
    (tmp_path / "srv1" / "looks.json").write_text("nonsense")
    assert store.note_look(two, two) == [(two, two)]
    assert store.note_look(one, two) == [(two, two), (one, two)]
