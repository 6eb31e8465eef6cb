# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a change, and what does not."""

from __future__ import annotations

import re

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.captures import CAPTURES, normalise_config

from . import samples


def test_header_and_clock_lines_are_no_change() -> None:
    later = (
        samples.running()
        .replace("36029056", "36029099")
        .replace(
            "\n!\nversion", "\n!\n! Last configuration change at 10:00:00 CET Tue Nov 24 2026 by admin\n!\nversion"
        )
    )
    assert normalise_config(later) == normalise_config(samples.startup())


def test_line_ends_and_trailing_blanks_are_no_change() -> None:
    assert normalise_config(samples.CONFIG.replace("\n", " \r\n")) == normalise_config(samples.CONFIG)


def test_a_real_line_is_a_change_even_when_it_only_moves_inwards() -> None:
    assert normalise_config(samples.CONFIG.replace(" switchport", "  switchport")) != normalise_config(samples.CONFIG)


def test_further_volatile_lines() -> None:
    changed = samples.CONFIG.replace("hostname", "license boot level 7\nhostname")
    assert normalise_config(changed, [r"license boot .*"]) == normalise_config(samples.CONFIG)


def test_a_volatile_expression_has_to_match_the_whole_line() -> None:
    assert "hostname sw1" in normalise_config(samples.CONFIG, ["host"])


def test_a_broken_expression_is_told() -> None:
    with pytest.raises(re.error):
        normalise_config("", ["("])


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("version", samples.VERSION, samples.VERSION.replace("3 weeks", "4 weeks")),
        ("interfaces", samples.INTERFACES.format(state="up"), samples.INTERFACES.format(state="down")),
        ("cdp", samples.CDP.format(hold=1), samples.CDP.format(hold=170)),
        ("flash", samples.FLASH.format(size=616, free=1), samples.FLASH.format(size=736, free=2)),
        ("vlan", samples.VLAN.format(ports="Fa0/3"), samples.VLAN.format(ports="Fa0/3, Fa0/4")),
    ],
)
def test_what_moves_by_itself_is_no_change(name: str, one: str, other: str) -> None:
    normalise = CAPTURES[name].normalise
    assert normalise(one) == normalise(other) != ""


@pytest.mark.parametrize(
    ("name", "one", "old", "new"),
    [
        ("version", samples.VERSION, "15.0(2)SE6", "15.0(2)SE11"),
        ("interfaces", samples.INTERFACES.format(state="up"), "172.31.30.11", "172.31.30.12"),
        ("interfaces", samples.INTERFACES.format(state="up"), "administratively down", "up"),
        ("cdp", samples.CDP.format(hold=1), "GigabitEthernet0/0", "GigabitEthernet0/2"),
        ("flash", samples.FLASH.format(size=1, free=1), "SE6.bin", "SE11.bin"),
        ("vlan", samples.VLAN.format(ports=""), "Postes", "Eleves"),
    ],
)
def test_what_an_administrator_does_is_a_change(name: str, one: str, old: str, new: str) -> None:
    normalise = CAPTURES[name].normalise
    assert old in one
    assert normalise(one) != normalise(one.replace(old, new))
