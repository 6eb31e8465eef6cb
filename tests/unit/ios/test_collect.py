# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session: what is asked, what is believed, what is only noted."""

from __future__ import annotations

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.captures import CAPTURES
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.collect import collect
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.errors import IncompleteError, LoginError

from .samples import CONFIG, INVALID, FakeSession, running, startup

ALL = list(CAPTURES)


def test_everything_is_asked_once_and_kept_as_it_came() -> None:
    session = FakeSession()
    collected = collect(session, "sw1", ALL)
    assert session.asked == ["show privilege", *(capture.command for capture in CAPTURES.values())]
    assert collected.texts["running-config"] == running().rstrip("\n") + "\n"
    assert collected.facts.model == "WS-C2960-24TT-L"
    assert collected.unsaved_changes() is False


def test_a_command_that_a_router_does_not_know_is_noted() -> None:
    collected = collect(FakeSession({"show vlan brief": INVALID}), "rt1", ALL)
    assert collected.unsupported == ["vlan"]
    assert "vlan" not in collected.texts


def test_unsaved_changes_are_seen() -> None:
    session = FakeSession({"show startup-config": startup(CONFIG.replace("Élève 01", "Élève 02"))})
    assert collect(session, "sw1", ALL).unsaved_changes() is True


def test_a_device_never_saved() -> None:
    collected = collect(FakeSession({"show startup-config": "startup-config is not present\n"}), "sw1", ALL)
    assert collected.startup_absent
    assert collected.unsaved_changes() is True


def test_a_low_privilege_is_refused_before_anything_is_believed() -> None:
    session = FakeSession({"show privilege": "Current privilege level is 7\n"})
    with pytest.raises(LoginError, match="privilege level 7"):
        collect(session, "sw1", ALL)
    assert session.asked == ["show privilege"]


def test_a_cut_configuration_is_asked_again_and_then_refused_with_what_came() -> None:
    session = FakeSession({"show running-config": running()[:300]})
    with pytest.raises(IncompleteError, match="sw1: the running-config is not accepted") as caught:
        collect(session, "sw1", ALL)
    assert session.asked.count("show running-config") == 2
    assert caught.value.partial.startswith("Building configuration")


def test_a_far_smaller_configuration_is_refused() -> None:
    with pytest.raises(IncompleteError, match="bytes where the last one had 9999"):
        collect(FakeSession(), "sw1", ALL, previous_sizes={"running-config": 9999})
