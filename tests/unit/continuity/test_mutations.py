# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each gate is needed: with it nothing is lost, and where it is always open rows are lost, two servers run at once, or people wait for nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity import gates as gate_rules
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity import rejoin
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.errors import GateError, ProofError
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.facts import CRASH
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.gates import OPEN, Gate
from ansible_collections.lycee.openerp.plugins.plugin_utils._continuity.marker import Marker

from tests.unit.continuity.machine import CONTROL, DATA, WAL, Group
from tests.unit.continuity.model import DATABASES, FIRST, SECOND, School
from tests.unit.continuity.stories import STORIES, Call, Telling, failback, failover, with_dumps

DATA_FILES = {WAL, *(DATA + name for name in DATABASES)}


# What happens before


def deaf(told: Telling) -> None:
    """The first server serves, and does not answer the controller."""
    told.school[FIRST].wired = False


def counts_wrongly(told: Telling) -> None:
    """The loop gives up when the control file has arrived, and the rows have not."""
    school = told.school
    school.late = set(DATA_FILES)
    school.commit()
    school.after["drained"] = school.settle


def killed(told: Telling) -> None:
    """The first PostgreSQL is killed where it ought to be stopped, and files do not replicate although the backlog is 0."""
    told.school[FIRST].faults.add("killed")
    told.school.hidden = set(DATA_FILES)
    told.school.commit()


def stands_still(told: Telling) -> None:
    """The second server has the files of the last stop, and gets none since, although the backlog is 0."""
    school = told.school
    school[FIRST].end_postmaster()
    school.settle()
    school.hidden = {CONTROL, *DATA_FILES}
    school[FIRST].run_postmaster()
    school.commit()


def started_there(told: Telling) -> None:
    """Somebody has just started PostgreSQL on the second server."""
    told.school.commit()
    told.school[SECOND].run_postmaster()


def newer_programs(told: Telling) -> None:
    told.school[SECOND].program = "9.0.4"


def account(told: Telling) -> None:
    """The account is another one; everything is replicated, and the dumps are old."""
    school = told.school
    school.dumps = dict.fromkeys(DATABASES, ())
    school[SECOND].sid = "S-1-5-21-2-1004"
    school.settle()
    school[FIRST].die()


def automatic(told: Telling) -> None:
    told.school[FIRST].modes["PostgreSQL_For_OpenERP"] = "Auto"


def another_controller(told: Telling) -> None:
    """Another controller moves the service to the second server, which serves already; then its power fails for a minute."""
    school = told.school
    failover(SECOND)(told.pair(), school)
    school.stuck = True
    school.marker = Marker("", "SRV-OPENERP1>SRV-OPENERP2", "2026-11-24T16:30:00+00:00")
    school.commit()
    school[SECOND].die()


def dead(told: Telling) -> None:
    """The first server dies before its last rows are replicated, and nobody has accepted that."""
    told.accept_loss = False
    told.school.commit()
    told.school[FIRST].die()


def half_a_copy(told: Telling) -> None:
    """The first server dies during the first replication."""
    school = told.school
    school.group = Group(2, True, "SRV-OPENERP1")
    school[SECOND].files = {}
    for host in (FIRST, SECOND):
        school[host].read_domain()
    while DATA + "SpecibikeA" not in school[SECOND].files:
        school.tick()
    school[FIRST].die()


def fenced(told: Telling) -> None:
    """A move was rolled back, and the replication not created again."""
    assert told.school.group is not None
    told.school.group.enabled = False
    for host in (FIRST, SECOND):
        told.school[host].read_domain()


def small_disk(told: Telling) -> None:
    told.school[SECOND].faults.add("full")


def dirty(told: Telling) -> None:
    told.school[SECOND].faults.add("dirty")


def made_again(told: Telling) -> None:
    """The disk was lost; during the failback somebody creates the group with the wrong primary member."""
    school = told.school
    told.play(STORIES["disk"][0])

    def create() -> None:
        school.group = Group(99, True, "SRV-OPENERP1")
        for host in (FIRST, SECOND):
            school[host].read_domain()

    school.after["gone"] = create


def wrong_marker(told: Telling) -> None:
    """The second server has the newest rows; somebody has had the old one start, by the marker."""
    school = told.school
    told.play(STORIES["power"][0])
    school.commit()
    school[SECOND].openerp = False
    school[SECOND].end_postmaster()
    school.marker = Marker("SRV-OPENERP1")
    school.boot(FIRST)


def both_worked(told: Telling) -> None:
    """Behind the fence, people have worked on the old server too."""
    school = told.school
    told.play(STORIES["power"][0])
    school.boot(FIRST)
    school[FIRST].run_postmaster()
    school[FIRST].openerp = True
    school.commit()
    school.violations.clear()


# What comes of it


def rows_lost(school: School) -> bool:
    return bool(school.server and school.lost(school.server.host))


def rows_nowhere(school: School) -> bool:
    return bool(school.nowhere())


def rows_of_first_nowhere(school: School) -> bool:
    """Return whether what was written on the old server only is gone from both."""
    here = {row for rows in school.rows(FIRST).values() for row in rows}
    return not set(school.committed["SpecibikeA"][-1:]) <= here


def database_lost(school: School) -> bool:
    return bool(school.server and "SpecibikeB" not in school.rows(school.server.host))


def two_at_once(school: School) -> bool:
    if not school[FIRST].postgresql:
        school.boot(FIRST)
    school.settle()
    return any(one.startswith("two postmasters") for one in school.violations)


def written_under(school: School) -> bool:
    return any("under the postmaster" in one for one in school.violations)


def not_aside(school: School) -> bool:
    return any("was not set aside" in one for one in school.violations)


def interrupted(school: School) -> bool:
    return any(line.startswith("stop OpenERP") for line in school.told)


@dataclass(frozen=True)
class Scenario:
    """What shows that a gate is needed."""

    gate: str
    before: Callable[[Telling], None]
    call: Call
    harm: Callable[[School], bool]


SCENARIOS = [
    Scenario("other_stopped", deaf, failover(SECOND, CRASH), two_at_once),
    Scenario("backlog", counts_wrongly, failover(SECOND), rows_lost),
    Scenario("shut_down", killed, failover(SECOND), rows_lost),
    Scenario("copies_agree", stands_still, failover(SECOND), rows_lost),
    Scenario("no_live_pid", started_there, failover(SECOND), rows_nowhere),
    Scenario("same_build", newer_programs, failover(SECOND), interrupted),
    Scenario("account", account, with_dumps(SECOND), rows_lost),
    Scenario("start_modes", automatic, failover(SECOND), two_at_once),
    Scenario("marker", another_controller, failover(FIRST, CRASH), rows_lost),
    Scenario("accept_loss", dead, failover(SECOND, CRASH), rows_lost),
    Scenario("replication", half_a_copy, failover(SECOND, CRASH), database_lost),
    Scenario("replication", fenced, failover(SECOND), interrupted),
    Scenario("room", small_disk, failover(SECOND), interrupted),
    Scenario("set_aside", dirty, failover(SECOND), not_aside),
    Scenario("group_gone", made_again, failback(SECOND, SECOND), written_under),
    Scenario("primary_named", wrong_marker, failback(FIRST, SECOND), rows_nowhere),
    Scenario("other_stands", both_worked, failback(SECOND, SECOND), rows_of_first_nowhere),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: f"{scenario.gate}-{scenario.before.__name__}")
@pytest.mark.parametrize("mutated", [False, True], ids=["with", "without"])
def test_gate(
    scenario: Scenario, mutated: bool, telling: Callable[[], Telling], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = telling()
    scenario.before(told)
    told.school.told.clear()
    if scenario.gate == "group_gone":
        # A group that is there again is deleted first; where that does nothing, the gate is what is left.
        monkeypatch.setattr(rejoin, "_leftover", lambda pair, both: None)
    if mutated:
        table = gate_rules.GATES if scenario.gate in gate_rules.GATES else rejoin.GATES
        monkeypatch.setitem(table, scenario.gate, lambda facts: Gate(scenario.gate, OPEN, "mutated"))
        try:
            scenario.call(told.pair(), told.school)
        except (GateError, ProofError):
            assert scenario.harm is interrupted
    else:
        with pytest.raises(GateError) as caught:
            scenario.call(told.pair(), told.school)
        assert [gate.name for gate in gate_rules.closed(caught.value.gates)] == [scenario.gate]
    assert scenario.harm(told.school) == mutated
