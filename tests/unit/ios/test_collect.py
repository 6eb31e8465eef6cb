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


def test_a_level_below_15_enters_with_the_enable_secret() -> None:
    session = FakeSession({"show privilege": "Current privilege level is 7\n"})
    collect(session, "sw1", ALL)
    assert session.asked[:3] == ["show privilege", "enable", "show privilege"]


def test_a_low_privilege_is_refused_before_anything_is_believed() -> None:
    session = FakeSession({"show privilege": "Current privilege level is 7\n"})
    session.after_enable = "Current privilege level is 7\n"
    with pytest.raises(LoginError, match="privilege level 7"):
        collect(session, "sw1", ALL)
    assert "show running-config" not in session.asked


def test_a_view_is_refused() -> None:
    with pytest.raises(LoginError, match="is in a view"):
        collect(FakeSession({"show privilege": "Currently in View Context with view 'eleve'\n"}), "sw1", ALL)


def test_an_account_that_may_not_ask_its_level_is_judged_by_what_it_sees() -> None:
    collected = collect(FakeSession({"show privilege": "Command authorization failed.\n"}), "sw1", ALL)
    assert "running-config" in collected.texts


@pytest.mark.parametrize(
    "said", ["Command authorization failed.\n", "%Error opening flash:/ (Device or resource busy)\n"]
)
def test_a_command_that_is_denied_is_neither_an_answer_nor_unknown(said: str) -> None:
    collected = collect(FakeSession({"dir flash:": said}), "sw1", ALL)
    assert collected.denied == {"flash": said.strip()}
    assert "flash" not in collected.texts
    assert collected.unsupported == []


def test_an_answer_to_show_version_that_is_none_is_refused() -> None:
    with pytest.raises(IncompleteError, match="show version"):
        collect(FakeSession({"show version": "\n"}), "sw1", ALL)


def test_a_bad_startup_configuration_leaves_the_rest_of_the_session() -> None:
    collected = collect(FakeSession({"show startup-config": startup()[:300]}), "sw1", ALL)
    assert [error.capture for error in collected.refused] == ["startup-config"]
    assert {"running-config", "version", "flash"} <= set(collected.texts)
    assert collected.unsaved_changes() is None


def test_a_certificate_that_startup_names_as_a_file_is_no_unsaved_change() -> None:
    chain = "crypto pki certificate chain TP-self-signed-1\n certificate self-signed 01{}\n"
    body = "\n  3082023A 308201A3 A0030201 02020101 300D0609 2A864886 F70D0101 04050030\n  \tquit"
    full = CONFIG.replace("interface F", chain.format(body) + "interface F", 1)
    named = CONFIG.replace("interface F", chain.format(" nvram:IOS-Self-Sig#1.cer") + "interface F", 1)
    session = FakeSession({"show running-config": running(full), "show startup-config": startup(named)})
    assert collect(session, "sw1", ALL).unsaved_changes() is False
    other = named.replace("self-signed 01", "self-signed 02")
    session = FakeSession({"show running-config": running(full), "show startup-config": startup(other)})
    assert collect(session, "sw1", ALL).unsaved_changes() is True


def test_a_compressed_startup_configuration_is_whole_and_saved() -> None:
    header = f"Using 900 out of 65536 bytes\nUncompressed configuration from 900 bytes to {len(CONFIG) + 9} bytes\n!\n"
    collected = collect(FakeSession({"show startup-config": f"{header}{CONFIG}\n"}), "sw1", ALL)
    assert collected.unsaved_changes() is False


def test_sizes_are_bytes_of_the_device_s_encoding() -> None:
    config = CONFIG.replace("Élève 01", "é" * 300)
    size = len(config.encode("utf-8")) + 9
    session = FakeSession({"show running-config": running(config, announced=size), "show startup-config": startup()})
    assert "running-config" in collect(session, "sw1", ["running-config"], encoding="utf-8").texts


def test_a_cut_configuration_is_asked_again_and_then_refused_with_what_came() -> None:
    session = FakeSession({"show running-config": running()[:300]})
    with pytest.raises(IncompleteError, match="sw1: the running-config is not accepted") as caught:
        collect(session, "sw1", ALL)
    assert session.asked.count("show running-config") == 2
    assert caught.value.partial.startswith("Building configuration")


def test_a_far_smaller_configuration_is_refused() -> None:
    with pytest.raises(IncompleteError, match="bytes where the last one had 9999"):
        collect(FakeSession(), "sw1", ALL, previous_sizes={"running-config": 9999})
