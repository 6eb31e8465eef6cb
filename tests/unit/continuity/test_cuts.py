# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move that is cut before, in the middle of, or after any of its effects ends as one that was not, once it is run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.continuity.model import FIRST, SECOND, School
from tests.unit.continuity.stories import STORIES, Telling


def play(telling: Telling, name: str, point: int | None, cut: Callable[[School], object]) -> list[dict[str, Any]]:
    """Play a story that is cut at a point, and return how things stood after each act."""
    telling.school.point_at = point
    ends = []
    for act in STORIES[name]:
        telling.play(act, cut, runs=1 if point is None else 3)
        ends.append(telling.school.end(telling.pair()))
    return ends


@pytest.mark.parametrize("name", STORIES)
def test_cut_anywhere(name: str, telling: Callable[[], Telling]) -> None:
    whole = telling()
    wanted = play(whole, name, None, lambda school: None)
    assert whole.school.points > 5
    assert whole.school.violations == []
    for point in range(1, whole.school.points + 1):
        cut = telling()
        assert play(cut, name, point, lambda school: None) == wanted, f"point {point}: {cut.school.told}"


@pytest.mark.parametrize("name", ["planned", "disk", "power", "mute"])
def test_cut_and_both_servers_boot(name: str, telling: Callable[[], Telling]) -> None:
    """What starts by itself at a boot is what the marker names, so a move that was cut is none that two servers take part in."""

    def boot(school: School) -> None:
        school.boot(*(host for host in (FIRST, SECOND) if school[host].power))

    whole = telling()
    wanted = play(whole, name, None, boot)
    for point in range(1, whole.school.points + 1):
        cut = telling()
        assert play(cut, name, point, boot) == wanted, f"point {point}: {cut.school.told}"
