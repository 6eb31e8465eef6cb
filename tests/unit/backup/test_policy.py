# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays, and what is restored tonight."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.errors import OptionError
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.policy import (
    Candidate,
    Keep,
    Kept,
    dropped_expired,
    kept,
    sample,
)

START = datetime(2026, 1, 1, 21, tzinfo=UTC)


def nightly(count: int, proven: bool = True) -> list[Kept]:
    """Return a backup per night."""
    return [Kept(f"{number:04d}", (START + timedelta(days=number),), proven) for number in range(count)]


def test_grandfather_father_son() -> None:
    staying = sorted(kept(nightly(400), Keep(daily=7, weekly=4, monthly=12, minimum=3)))
    assert staying[-7:] == [f"{number:04d}" for number in range(393, 400)]
    # 4 February is a Thursday: two weeks end before the seven days, and ten months before January.
    assert staying[-9:-7] == ["0381", "0388"]
    last_days = [(START + timedelta(days=int(key)) + timedelta(days=1)).day for key in staying[:-9]]
    assert last_days == [1] * 10


def test_a_month_of_failures_removes_nothing() -> None:
    """The age of the newest is no matter: periods are counted that hold a backup."""
    assert len(kept(nightly(10), Keep(daily=10, weekly=0, monthly=0, minimum=1))) == 10


def test_newest_proven_and_the_minimum_always_stay() -> None:
    backups = [
        *nightly(5),
        *[Kept(f"bad{number}", (START + timedelta(days=10 + number),), False) for number in range(30)],
    ]
    staying = kept(backups, Keep(daily=1, weekly=0, monthly=0, minimum=3))
    assert {"0004", "0003", "0002"} <= staying
    assert "bad29" in staying


def test_unproven_does_not_stand_for_a_day_that_has_a_proven_one() -> None:
    morning = Kept("good", (START,), True)
    evening = Kept("bad", (START + timedelta(hours=1),), False)
    later = Kept("later", (START + timedelta(days=1),), True)
    assert "good" in kept([morning, evening, later], Keep(daily=2, weekly=0, monthly=0, minimum=1))


def test_unchanged_nights_count_for_the_backup_that_stands_for_them() -> None:
    old = Kept("old", tuple(START + timedelta(days=number) for number in range(30)), True)
    assert kept([old], Keep(daily=1, weekly=0, monthly=0, minimum=1)) == {"old"}


def test_random_histories_keep_the_newest_proven_and_the_minimum() -> None:
    chance = random.Random(4)
    for _round in range(300):
        backups = [
            Kept(
                str(number), (START + timedelta(hours=number * chance.choice([1, 12, 24, 200])),), chance.random() < 0.7
            )
            for number in range(chance.randrange(1, 40))
        ]
        keep = Keep(chance.randrange(0, 5), chance.randrange(0, 3), chance.randrange(0, 3), chance.randrange(1, 6))
        staying = kept(backups, keep)
        proven = [one for one in backups if one.proven]
        assert len(staying) >= min(keep.minimum, len(backups))
        if proven:
            assert max(proven, key=lambda one: one.moments[0]).key in staying


@pytest.mark.parametrize("changes", [{"minimum": 0}, {"daily": -1}])
def test_a_policy_that_removes_everything_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(OptionError, match="keep:"):
        Keep(**changes)


def test_dropped_database() -> None:
    assert not dropped_expired(START, START + timedelta(days=400), Keep())
    assert dropped_expired(START, START + timedelta(days=401), Keep())


def test_every_database_is_restored_within_the_month_and_changed_ones_first() -> None:
    restored: dict[str, datetime | None] = {f"db{number:02d}": None for number in range(40)}
    for day in range(60):
        now = START + timedelta(days=day)
        candidates = [Candidate(name, when, name == "db39") for name, when in restored.items()]
        chosen = sample(candidates, now, within_days=28, at_least=1)
        assert len(chosen) <= 4
        if day == 0:
            assert chosen[0] == "db39"
        for name in chosen:
            restored[name] = now
        if day >= 28:
            assert all(when is not None and now - when <= timedelta(days=28) for when in restored.values())


def test_empty_sample() -> None:
    assert sample([], START, within_days=28, at_least=3) == []
