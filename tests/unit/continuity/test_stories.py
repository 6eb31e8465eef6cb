# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the service and of the data when it moves, crashes, and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity import operations
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.errors import (
    ContinuityError,
    GateError,
    OptionError,
    ProofError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.facts import CRASH, PLANNED
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.marker import Marker
from ansible_collections.lycee.openerp.plugins.plugin_utils._errors import LyceeError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import UnreachableError

from tests.unit.continuity.model import FIRST, SECOND, Cut
from tests.unit.continuity.stories import STORIES, Act, Telling, failback, failover, power_back, work

#: Stories in which the first server dies before its last rows were replicated; in "disk" and "account" their log has arrived.
LOSSES = {"power", "dumps", "torn", "lies", "primary again", "stays"}


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str, telling: Callable[[], Telling]) -> None:
    told = telling()
    school = told.school
    expected: dict[str, list[int]] = {}
    for number, act in enumerate(STORIES[name]):
        told.play(act)
        if number == 0 and name in LOSSES:
            # What people wrote last, and nothing else.
            expected = {database: rows[-1:] for database, rows in school.committed.items()}
        assert school.violations == []
        if school.server is None:
            continue
        assert school.marker is not None
        assert school.marker.names(school.server.name)
        assert school.lost(school.server.host) == expected
        journal = told.pair().store.load()
        assert journal is None or journal.operation == "suspension"
    assert school.server is not None
    assert not school.other(school.server.host).postgresql
    last = school.committed["SpecibikeA"][-1]
    school.commit()
    school.settle()
    assert school.committed["SpecibikeA"][-1] > last
    other = school.other(school.server.host)
    assert school.lost(other.host) == school.lost(school.server.host)
    assert school.violations == []
    # What was written on the old server only is out of the live files, and in those that were set aside.
    assert school.unkept() == set()


def test_a_closed_gate_leaves_the_source_serving(telling: Callable[[], Telling]) -> None:
    told = telling()
    told.school[SECOND].control_lies = True
    with pytest.raises(GateError, match=r"The gate shut_down is closed: .*srv-openerp1 serves again") as caught:
        operations.failover(told.pair(), SECOND, PLANNED, check=False)
    assert {gate.name: gate.state for gate in caught.value.gates}["shut_down"] == "closed"
    assert told.school.server is told.school[FIRST]
    assert told.school.group is not None
    assert told.school.group.enabled


@pytest.mark.parametrize("when", ["announced", "fenced"])
def test_a_target_that_dies_before_its_start_leaves_the_source_serving(
    when: str, telling: Callable[[], Telling]
) -> None:
    told = telling()
    school = told.school
    if when == "fenced":
        school.after["fenced"] = school[SECOND].die
    else:
        school.after["stopped"] = school[SECOND].die
    work(school)
    with pytest.raises(GateError, match="srv-openerp1 serves again"):
        operations.failover(told.pair(), SECOND, PLANNED, check=False)
    assert school.server is school[FIRST]
    school.boot(SECOND)
    told.play(Act(failover(SECOND), work))
    assert school.lost(SECOND) == {}
    assert school.violations == []


def test_the_reason_of_a_rollback_says_what_to_do(telling: Callable[[], Telling]) -> None:
    told = telling()
    told.school[SECOND].faults.add("mute")
    with pytest.raises(ProofError, match=r"no login is answered\. srv-openerp1 serves again .*failback_primary"):
        operations.failover(told.pair(), SECOND, PLANNED, check=False)
    assert told.school.group is not None
    assert not told.school.group.enabled


def cut_anywhere(telling: Callable[[], Telling]) -> Iterator[tuple[int, Telling]]:
    """Give each point of a planned failover, and a pair that was cut there."""
    whole = telling()
    whole.play(Act(failover(SECOND), work))
    for point in range(1, whole.school.points + 1):
        told = telling()
        work(told.school)
        told.school.point_at = point
        with pytest.raises(Cut):
            operations.failover(told.pair(), SECOND, PLANNED, check=False)
        yield point, told


def test_the_source_dies_while_the_service_moves(telling: Callable[[], Telling]) -> None:
    """In crash mode the fence stands before the other server starts, wherever the planned move was."""
    for point, told in cut_anywhere(telling):
        school = told.school
        school[FIRST].die()
        journal = told.pair().store.load()
        assert journal is not None
        assert journal.switch is not None
        if journal.switch.is_past("standing"):
            # It stays a planned move, whose last step is to have the other server follow.
            with pytest.raises(UnreachableError):
                operations.failover(told.pair(), SECOND, CRASH, check=False)
        else:
            operations.failover(told.pair(), SECOND, CRASH, check=False)
            assert school.group is not None
            assert not school.group.enabled, point
        assert school.server is school[SECOND], point
        lost = school.lost(SECOND)
        power_back(school)
        school.settle()
        assert school.violations == [], point
        if told.pair().store.load() is not None:
            told.play(Act(failover(SECOND, CRASH)))
        told.play(Act(failback(FIRST, SECOND), work))
        assert school.lost(FIRST) == lost, point
        assert school.violations == [], point


def test_what_was_served_is_remembered_by_a_run_that_was_cut(telling: Callable[[], Telling]) -> None:
    for when in ("stopped", "fenced"):
        told = telling()
        school = told.school

        def cut() -> None:
            raise Cut

        school.after[when] = cut
        with pytest.raises(Cut):
            operations.failover(told.pair(), SECOND, PLANNED, check=False)
        # A file is missing, whatever the backlog says.
        del school[SECOND].files["base/SpecibikeB"]
        with pytest.raises(ProofError, match=r"lacks SpecibikeB\. srv-openerp1 serves again"):
            operations.failover(told.pair(), SECOND, PLANNED, check=False)
        assert school.lost(FIRST) == {}


def test_a_cut_while_the_source_takes_over_again_measures_anew(telling: Callable[[], Telling]) -> None:
    whole = telling()
    whole.school[SECOND].control_lies = True
    whole.play(Act(failover(SECOND), work, GateError))
    served = []
    for point in range(1, whole.school.points + 1):
        told = telling()
        school = told.school
        school[SECOND].control_lies = True
        work(school)
        school.point_at = point
        with pytest.raises(Cut):
            operations.failover(told.pair(), SECOND, PLANNED, check=False)
        served.append(school.server is school[FIRST])
        # It is cured, and people have worked where they could.
        school[SECOND].control_lies = False
        told.play(Act(failover(SECOND), work))
        assert school.lost(SECOND) == {}, point
        assert school.violations == [], point
    assert served[0]
    assert served[-1]
    assert not all(served)


def test_a_pid_of_another_server_may_be_the_number_of_any_process(telling: Callable[[], Telling]) -> None:
    told = telling()
    school = told.school
    school[SECOND].others = {school[SECOND].content("postmaster.pid")}
    school[FIRST].die()
    told.play(Act(failover(SECOND, CRASH)))
    assert school.server is school[SECOND]


def test_a_service_that_waited_for_its_disk_is_stopped_before_anything_is_copied(
    telling: Callable[[], Telling],
) -> None:
    told = telling()
    school = told.school
    told.play(STORIES["disk"][0])
    school[FIRST].modes["PostgreSQL_For_OpenERP"] = "Auto"
    told.play(Act(failback(SECOND, SECOND), work))
    assert not school[FIRST].postgresql
    assert school.lost(SECOND) == {}
    assert {one for one in school.violations if "not set aside" not in one} <= {"two postmasters"}


def test_crash_mode_does_not_stop_a_server_that_works(telling: Callable[[], Telling]) -> None:
    told = telling()
    work(told.school)
    told.school.point_at = 1
    with pytest.raises(Cut):
        operations.failover(told.pair(), SECOND, PLANNED, check=False)
    with pytest.raises(GateError, match="The gate other_stopped is closed"):
        operations.failover(told.pair(), SECOND, CRASH, check=False)
    assert told.school.server is told.school[FIRST]
    told.play(Act(failover(SECOND)))


def test_a_lost_journal_never_lets_the_target_write_to_the_source(telling: Callable[[], Telling]) -> None:
    """Where the target was started and nobody knows it any more, the fence stays."""
    for point, told in cut_anywhere(telling):
        school = told.school
        for path in told.folder.rglob("journal.json"):
            path.unlink()
        school.boot(SECOND)
        for _run in range(2):
            try:
                operations.failover(told.pair(), SECOND, PLANNED, check=False)
            except LyceeError:
                continue
        school.settle()
        assert school.nowhere() == set(), point
        assert [one for one in school.violations if "not set aside" not in one] == [], point


def test_a_move_in_another_direction_is_refused(telling: Callable[[], Telling]) -> None:
    told = telling()
    told.school.marker = Marker("", "SRV-OPENERP2>SRV-OPENERP1", "2026-11-24T16:30:00+00:00")
    with pytest.raises(GateError, match="SRV-OPENERP2 to SRV-OPENERP1"):
        operations.failover(told.pair(), SECOND, PLANNED, check=False)
    with pytest.raises(ContinuityError, match=r"names no active server .*failover\.yml"):
        operations.failback(told.pair(), FIRST, "", restore_primary=False, check=False)
    assert told.school.points == 0


def test_what_has_begun_is_completed_first(telling: Callable[[], Telling]) -> None:
    told = telling()
    told.school.point_at = 3
    with pytest.raises(Cut):
        operations.failover(told.pair(), SECOND, PLANNED, check=False)
    with pytest.raises(OptionError, match=r"a failover to srv-openerp2 has begun .*run failover\.yml"):
        operations.failback(told.pair(), FIRST, FIRST, restore_primary=False, check=False)
    with pytest.raises(ContinuityError, match="so there is nothing to finish"):
        operations.finish(told.pair(), SECOND)


def test_finish_needs_a_failover(telling: Callable[[], Telling]) -> None:
    with pytest.raises(ContinuityError, match="no failover is under way"):
        operations.finish(telling().pair(), SECOND)


def test_names_are_checked(telling: Callable[[], Telling]) -> None:
    pair = telling().pair()
    with pytest.raises(OptionError, match="srv-openerp3: it is none of the pair openerp"):
        operations.failover(pair, "srv-openerp3", PLANNED, check=False)
    with pytest.raises(OptionError, match="srv-openerp3: it is none of the pair openerp"):
        operations.failback(pair, SECOND, "srv-openerp3", restore_primary=False, check=False)


@pytest.mark.parametrize("mode", [PLANNED, CRASH])
def test_check_mode_looks_and_changes_nothing(mode: str, telling: Callable[[], Telling]) -> None:
    told = telling()
    outcome = operations.failover(told.pair(), SECOND, mode, check=True)
    assert outcome.word == "planned"
    states = {gate.name: gate.state for gate in outcome.gates}
    assert states["other_stopped"] == ("later" if mode == PLANNED else "closed")
    assert ("would be stopped by other_stopped" in outcome.text) == (mode == CRASH)
    assert operations.failback(told.pair(), SECOND, "", restore_primary=False, check=True).word == "planned"
    assert told.school.points == 0
    assert told.pair().store.load() is None


def test_a_second_run_changes_nothing(telling: Callable[[], Telling]) -> None:
    told = telling()
    told.play(Act(failover(SECOND)))
    told.play(Act(failback(FIRST)))
    points = told.school.points
    told.play(Act(failback(FIRST), ends="unchanged"))
    told.play(Act(failover(FIRST), ends="unchanged"))
    assert told.school.points == points


def test_a_group_that_is_not_there_is_not_invented(telling: Callable[[], Telling]) -> None:
    told = telling()
    told.school.group = None
    with pytest.raises(ContinuityError, match=r"nobody knows how it was.*configure_dfs_replication\.yml"):
        operations.failback(told.pair(), FIRST, FIRST, restore_primary=False, check=False)
    assert told.school.points == 0


def test_what_the_old_server_had_is_set_aside_whole_before_it_is_replaced(telling: Callable[[], Telling]) -> None:
    told = telling()
    school = told.school
    for act in STORIES["power"][:1]:
        told.play(act)
    power_back(school)
    only_here = school.rows(FIRST)
    school[FIRST].faults.add("dirty")
    with pytest.raises(ContinuityError, match="is not what the cluster is"):
        operations.failback(told.pair(), FIRST, SECOND, restore_primary=False, check=False)
    assert school.rows(FIRST) == only_here
    school[FIRST].faults.clear()
    told.play(Act(failback(FIRST, SECOND)))
    kept = next(files for name, files in school[FIRST].aside.items() if name.endswith(SECOND))
    assert {row for database in only_here for row in kept[f"base/{database}"].content} >= set(
        only_here["SpecibikeA"][-1:]
    )


def test_no_dumps_where_they_are_not_wanted(telling: Callable[[], Telling]) -> None:
    told = telling()
    school = told.school
    school[SECOND].control_lies = True
    school[FIRST].die()
    pair = told.pair()
    pair.dumps = False
    with pytest.raises(GateError, match="srv-openerp2 was not started; run again"):
        operations.failover(pair, SECOND, CRASH, check=False)
    assert school[SECOND].away == {}
