# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade ends on the new release or on the old one, verified, whatever fails and wherever it is cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils import _storage
from ansible_collections.lycee.openerp.plugins.plugin_utils._lease import LeaseError
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp import report
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.journal import BACK, Store
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.look import Target
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.outcome import (
    ROLLED_BACK,
    UNFINISHED,
    UPGRADED,
    Outcome,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.upgrade import Upgrade

from tests.unit.openerp.model import NEW, OLD, OPTIONS, Cut, School, fresh_journal, put_in_place

FAULTS = (
    "setup_before",
    "setup_middle",
    "setup_end",
    "setup_nothing",
    "update_fails",
    "update_damages",
    "update_breaks_first",
    "dies",
    "disk",
)


class Rollout:
    """Runs one server's upgrade, again and again, as the task does."""

    def __init__(self, folder: Path) -> None:
        self.school = School()
        self.folder = folder

    def run(self, step: Callable[[str], None] = lambda text: None) -> Outcome:
        store = Store(self.folder, "srv1")
        journal = store.load()
        if journal is None:
            journal = fresh_journal()
            store.save(journal)
        session = self.school.session()
        machine = SimpleNamespace(make_private_folder=lambda path: self.school.happen())
        access = SimpleNamespace(password="craie", user="openpg")
        target = Target(session=session, machine=machine, access=access, host="127.0.0.1")  # type: ignore[arg-type]
        work = Upgrade(target, OPTIONS, store, journal, step=step, progress=self.school.told.append)
        outcome = work.back(journal.reason) if journal.direction == BACK else work.forward()
        if outcome.word != UNFINISHED:
            store.close(journal, report.as_dict(outcome, None))
        return outcome


@pytest.fixture
def rollout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Rollout]:
    """Give rollouts, each on a school of its own."""
    made: list[Rollout] = []

    def make() -> Rollout:
        made.append(Rollout(tmp_path / str(len(made))))
        return made[-1]

    put_in_place(monkeypatch, lambda: made[-1].school)
    # That a file is replaced as a whole is tested elsewhere; here it is done thousands of times.
    monkeypatch.setattr(_storage, "write_atomic", lambda path, data: path.write_bytes(data) and None)
    monkeypatch.setattr(_storage, "sync_folder", lambda path: None)
    return make


def test_a_server_is_upgraded(rollout: Callable[[], Rollout]) -> None:
    one = rollout()
    outcome = one.run()
    assert (outcome.word, outcome.version) == (UPGRADED, NEW)
    assert one.school.sound(NEW) == []
    assert Store(one.folder, "srv1").load() is None
    data = report.as_dict(outcome, None)
    assert {name: entry["state"] for name, entry in data["databases"].items()} == {
        "SpecibikeA": "updated",
        "SpecibikeB": "updated",
    }
    assert data["interrupted"] is not None
    assert any("6.0.3 to 6.0.4: upgraded" in line for line in report.lines(outcome))


@pytest.mark.parametrize("fault", FAULTS)
def test_what_fails_is_taken_back(rollout: Callable[[], Rollout], fault: str) -> None:
    one = rollout()
    one.school.fault = fault
    outcome = one.run()
    assert outcome.word == ROLLED_BACK
    assert one.school.sound(OLD) == []
    # The other database was updated, and serves: 6.0.3 serves what 6.0.4 updated.
    if fault in ("update_fails", "update_damages"):
        assert one.school.databases == {"SpecibikeA": NEW, "SpecibikeB": OLD}
    one.school.fault = ""
    assert one.run().word == UPGRADED
    assert one.school.sound(NEW) == []


def refuse_to_restore(school: School) -> Callable[..., None]:
    """Damage a database that is updated, and let no restore succeed; returns what would bring it back."""
    school.fault = "update_damages"
    real = school.bring_back

    def refused(*rest: Any) -> None:
        school.fault = "restore_fails"
        real(*rest)

    school.bring_back = refused  # type: ignore[method-assign, assignment]
    return real


def test_what_cannot_be_taken_back_is_told_and_tried_again(rollout: Callable[[], Rollout]) -> None:
    one = rollout()
    real = refuse_to_restore(one.school)
    outcome = one.run()
    assert outcome.word == UNFINISHED
    assert "run again" in outcome.text
    one.school.bring_back = real  # type: ignore[method-assign]
    one.school.fault = ""
    assert one.run().word == ROLLED_BACK
    assert one.school.sound(OLD) == []


@pytest.mark.parametrize("boots", [False, True])
@pytest.mark.parametrize("fault", ["", *FAULTS])
@pytest.mark.parametrize("stays", [False, True])
def test_cut_anywhere_the_next_run_ends_well(
    rollout: Callable[[], Rollout], fault: str, boots: bool, stays: bool
) -> None:
    whole = rollout()
    whole.school.fault = fault
    whole.run()
    effects = whole.school.count
    assert effects > 4
    ends = set()
    for limit in range(effects):
        one = rollout()
        one.school.fault, one.school.limit = fault, limit
        with pytest.raises(Cut):
            one.run()
        one.school.limit = None
        if not stays:
            one.school.fault = ""
        if boots:
            one.school.boot()
        outcome = one.run()
        ends.add(outcome.word)
        assert one.school.sound(NEW if outcome.word == UPGRADED else OLD) == [], (limit, outcome, one.school)
        # And once more: nothing is in the way of a later one.
        one.school.fault = ""
        if outcome.word == ROLLED_BACK:
            assert one.run().word == UPGRADED
            assert one.school.sound(NEW) == []
    assert ends <= {UPGRADED, ROLLED_BACK}
    if not fault:
        assert ends == {UPGRADED}


def test_cut_twice(rollout: Callable[[], Rollout]) -> None:
    for first in range(0, 30, 3):
        for second in range(0, 30, 3):
            one = rollout()
            for limit in (first, second):
                one.school.limit, one.school.count = limit, 0
                try:
                    one.run()
                except Cut:
                    one.school.boot()
            one.school.limit = None
            assert one.run().word in (UPGRADED, ROLLED_BACK)
            assert one.school.sound(NEW) == []


def test_a_run_whose_controller_is_gone_changes_nothing_more(rollout: Callable[[], Rollout]) -> None:
    one = rollout()
    asked: list[str] = []

    def step(text: str) -> None:
        asked.append(text)
        if len(asked) > 12:
            raise LeaseError("srv1: the run was ended from outside")

    with pytest.raises(LeaseError):
        one.run(step)
    journal = Store(one.folder, "srv1").load()
    assert journal is not None
    assert journal.direction != BACK
    assert one.run().word == UPGRADED
    assert one.school.sound(NEW) == []


def test_what_people_make_and_drop_before_the_stop_is_nobodys_fault(rollout: Callable[[], Rollout]) -> None:
    for fault, word in (("", UPGRADED), ("setup_middle", ROLLED_BACK), ("disk", ROLLED_BACK)):
        one = rollout()
        one.school.fault = fault
        # Made and dropped while the server was looked at: the journal knows it otherwise.
        one.school.databases = {"SpecibikeA": OLD, "SpecibikeNeuf": OLD}
        outcome = one.run()
        assert outcome.word == word, outcome
        assert any("SpecibikeB: somebody dropped it" in text for text in one.school.told)
        assert any("SpecibikeNeuf: somebody made it" in text for text in one.school.told)
        assert one.school.databases == {"SpecibikeA": NEW if word == UPGRADED else OLD, "SpecibikeNeuf": OLD}


def test_one_database_that_is_not_restored_does_not_keep_the_school_waiting(rollout: Callable[[], Rollout]) -> None:
    one = rollout()
    refuse_to_restore(one.school)
    outcome = one.run()
    assert outcome.word == UNFINISHED
    assert "SpecibikeB was not restored" in outcome.text
    assert one.school.serves()
    assert one.school.running == {"server": True, "web": True}


def test_a_journal_that_cannot_be_written_does_not_leave_the_server_stopped(
    rollout: Callable[[], Rollout], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rollout()
    one.school.fault = "update_fails"
    full: list[bool] = []

    def write(path: Path, data: bytes) -> None:
        if b'"direction": "back"' in data:
            full.append(True)
            raise OSError(28, "No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr(_storage, "write_atomic", write)
    assert one.run().word == ROLLED_BACK
    assert full
    assert one.school.sound(OLD) == []
