# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and features by number, whatever the language, and the codes of the two programs that install them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows import features
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import (
    NotFoundError,
    OptionError,
    StateError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.result import RunResult

from .fakes import service

Row = dict[str, Any]
BOTH = ["FS-DFS-Namespace", "FS-DFS-Replication"]


class Host:
    """A server whose features have numbers, or only services."""

    def __init__(self, version: tuple[int, ...] = (6, 0, 6002), numbers: Sequence[int] | None = ()) -> None:
        self.name, self.version = "srv", version
        self.numbers = None if numbers is None else set(numbers)
        self.codes: dict[str, int] = {}
        self.installs = True
        self.services: list[str] = []
        self.done: list[str] = []

    def query(self, wql: str, namespace: str = "") -> list[Row]:
        if "Win32_ServerFeature" not in wql:
            return [service(name) for name in self.services]
        if self.numbers is None:
            raise NotFoundError("no")
        return [{"ID": str(number)} for number in self.numbers]

    def run(self, argv: Sequence[str], **rest: Any) -> RunResult:
        self.done.append(" ".join([argv[0].rpartition("\\")[2], *argv[1:]]))
        names = {f"/featurename:{one.dism}": name for name, one in features.FEATURES.items()}
        (name,) = [names.get(word, word) for word in argv if word in features.FEATURES or word in names]
        rc = self.codes.get(name, 0)
        if self.installs and rc in (0, 3010):
            if self.numbers is not None:
                self.numbers.add(features.FEATURES[name].number)
            self.services.append(features.FEATURES[name].service)
        return RunResult(rc, b"Op\x82ration effectu\x82e", b"", 850)


def manage(host: Host, names: list[str], check: bool = False) -> Mapping[str, Any]:
    return features.manage_features(host, {"names": names}, check=check)  # type: ignore[arg-type]


def test_what_is_missing_is_installed_and_found_by_its_number() -> None:
    host = Host(numbers=[101])
    result = manage(host, [*BOTH, *BOTH])
    assert host.done == ["ServerManagerCmd.exe -install FS-DFS-Replication"]
    assert (result["changed"], result["reboot_required"], result["installed"]) == (True, False, BOTH)
    assert manage(host, BOTH)["changed"] is False


def test_check_mode_says_and_does_nothing() -> None:
    host = Host()
    result = manage(host, BOTH, check=True)
    assert result["diff"]["before"] == {"missing": BOTH}
    assert host.done == []


def test_dism_on_later_versions() -> None:
    host = Host(version=(10, 0, 17763))
    manage(host, BOTH)
    assert host.done[0] == "dism.exe /online /enable-feature /featurename:DFSN-Server /all /norestart /quiet"
    with pytest.raises(OptionError, match="FS-DFS is a feature of Server 2008"):
        manage(host, ["FS-DFS"])


def test_a_restart_is_told_and_not_made() -> None:
    host = Host()
    host.codes["FS-DFS-Replication"], host.installs = 3010, False
    host.codes["FS-DFS-Namespace"] = 1003
    result = manage(host, BOTH)
    assert (result["changed"], result["reboot_required"], result["installed"]) == (True, True, [])
    # Until then it is no more to do, and not there yet.
    host.codes["FS-DFS-Replication"] = 1003
    result = manage(host, BOTH)
    assert (result["changed"], result["reboot_required"], result["installed"]) == (False, True, [])


@pytest.mark.parametrize(
    ("version", "code", "words"),
    [
        ((6, 0, 6002), 4, "does not know a name"),
        ((6, 0, 6002), 5, "no administrator"),
        ((6, 1, 7601), 1004, "a wizard of Server Manager is open"),
        ((6, 1, 7601), 77, "it ended with 77"),
        ((10, 0, 17763), -2146498548, "does not know a name"),
    ],
)
def test_codes_are_explained(version: tuple[int, ...], code: int, words: str) -> None:
    host = Host(version)
    host.codes["FS-DFS-Namespace"] = code
    with pytest.raises(StateError, match=words):
        manage(host, BOTH)


def test_a_claim_that_does_not_read_back_is_an_error() -> None:
    host = Host()
    host.installs = False
    with pytest.raises(StateError, match="FS-DFS-Namespace is not there after the installation"):
        manage(host, ["FS-DFS-Namespace"])


def test_services_tell_where_there_are_no_numbers() -> None:
    host = Host(numbers=None)
    host.services.append("Dfs")
    manage(host, BOTH)
    assert host.done == ["ServerManagerCmd.exe -install FS-DFS-Replication"]
    with pytest.raises(StateError, match="does not tell whether FS-FileServer"):
        manage(host, ["FS-FileServer"])
