# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services: read, compare, plan, do, read back."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import services
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import OptionError, StateError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.manage import failure_actions, manage_service
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.services import dmtf

from .fakes import FakeSession, service

WANTED: dict[str, Any] = {
    "name": "web", "state": None, "start_mode": None, "account": None, "password": None, "recovery": None, "timeout": 5, "update_password": "on_change",
}  # fmt: skip


def manage(session: FakeSession, check: bool = False, **wanted: Any) -> dict[str, Any]:
    return manage_service(session, {**WANTED, **wanted}, check=check)  # type: ignore[arg-type]


def test_what_is_as_wanted_is_left_alone() -> None:
    session = FakeSession([service("web")])
    assert manage(session, state="started", start_mode="auto", account="LocalSystem")["changed"] is False
    assert session.done == []


def test_check_mode_says_and_does_nothing() -> None:
    session = FakeSession([service("web")])
    result = manage(session, check=True, state="stopped", start_mode="disabled")
    assert result["diff"]["after"] == {"start_mode": "Disabled", "state": "Stopped"}
    assert session.done == []


def test_an_account_is_changed_with_a_restart_and_no_password_in_the_diff() -> None:
    session = FakeSession([service("web")])
    result = manage(session, account=".\\someone", password="hidden")
    assert session.done == ["StopService web", "Change web .\\someone", "StartService web"]
    assert result["service"]["account"] == ".\\someone"
    assert "hidden" not in str(result)


def test_a_password_that_was_changed_elsewhere_can_be_set_again() -> None:
    session = FakeSession([service("web", account=".\\someone")])
    assert manage(session, account=".\\someone", password="hidden")["changed"] is False
    result = manage(session, account=".\\someone", password="hidden", update_password="always", state="stopped")
    assert session.done == ["StopService web", "Change web .\\someone"]
    assert "hidden" not in str(result)


def test_times_for_wql_are_those_of_wmi() -> None:
    assert dmtf("2026-11-24T08:00:00.5+01:00") == "20261124080000.000000+060"
    assert dmtf("20261124080000.000000+060") == "20261124080000.000000+060"


def test_a_real_account_needs_its_password() -> None:
    with pytest.raises(OptionError, match="needs its password"):
        manage(FakeSession([service("web")]), account=".\\someone")


def test_an_unknown_service_is_named() -> None:
    with pytest.raises(OptionError, match="there is no service 'nosuch'"):
        manage(FakeSession([]), name="nosuch")


@pytest.mark.parametrize(("number", "words"), [(15, "cannot log on"), (14, "disabled"), (99, "the number 99")])
def test_windows_numbers_are_explained(number: int, words: str) -> None:
    session = FakeSession([service("web", state="Stopped")])
    session.refuses["StartService", "web"] = number
    with pytest.raises(StateError, match=words):
        manage(session, state="started")


def test_a_service_that_dies_while_it_starts_is_no_success() -> None:
    session = FakeSession([service("web", state="Stopped")])
    session.dies.add(("web", "LocalSystem"))
    with pytest.raises(StateError, match="ended while it started \\(exit code 1067\\)"):
        manage(session, state="started")


def test_a_claim_that_does_not_read_back_is_an_error() -> None:
    session = FakeSession([service("web")])
    session.invoke = lambda *args, **keys: {"ReturnValue": "0"}  # type: ignore[method-assign]
    with pytest.raises(StateError, match="its start mode is Auto"):
        manage(session, start_mode="manual")


def test_failure_actions_of_the_registry() -> None:
    data = struct.pack("<5I", 3600, 0, 0, 2, 20) + struct.pack("<4I", 1, 60000, 0, 0)
    assert failure_actions(data) == (3600, [(1, 60000), (0, 0)])
    with pytest.raises(ValueError, match="cut"):
        failure_actions(data[:-1])


def test_a_service_that_is_still_starting_is_told_again_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession([service("web", state="Start Pending")])
    session.refuses["StopService", "web"] = 5
    asked = []

    def step(text: str) -> None:
        asked.append(text)
        # The boot is over: it runs, and takes orders.
        session.services["web"]["State"] = "Running"
        session.refuses.clear()

    monkeypatch.setattr(services.time, "sleep", lambda seconds: None)
    assert services.stop(session, "web", 5, step).state == "Stopped"  # type: ignore[arg-type]
    assert session.done == ["StopService web", "StopService web"]
    assert asked == ["wait for web"]
