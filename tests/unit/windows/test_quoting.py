# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quoting and splitting, against what Wine said (tests/golden, tools/quoting_judge)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import OptionError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.quoting import (
    command_line,
    is_full_path,
    quote,
    split,
    split_image_path,
)

from tests.labs import ROOT

GOLDEN: list[dict[str, Any]] = json.loads((ROOT / "tests/golden/command_lines.json").read_text("utf-8"))
JUDGED = [row for row in GOLDEN if "wanted" in row]


def test_the_golden_file_judges_both_ways() -> None:
    assert len(JUDGED) >= 70
    assert {row["cmd"] for row in JUDGED} == {True, False}


@pytest.mark.parametrize("row", JUDGED, ids=lambda row: f"{'cmd' if row['cmd'] else 'direct'} {row['line']}")
def test_arguments_arrive_as_they_were_given_with_cmd_and_without(row: dict[str, Any]) -> None:
    assert " ".join(["show.exe", *map(quote, row["wanted"])]) == row["line"]
    assert row["argv"] == row["wanted"]


@pytest.mark.parametrize("row", [row for row in GOLDEN if not row["cmd"]], ids=lambda row: row["line"])
def test_splitting_is_that_of_windows(row: dict[str, Any]) -> None:
    assert split(row["line"]) == ["show.exe", *row["argv"]]


@pytest.mark.parametrize("bad", ["100%", "a\nb", "a\rb", "a\0b", 'a"&b', 'say "x" > y'])
def test_what_cannot_be_protected_is_refused(bad: str) -> None:
    with pytest.raises(OptionError, match="cannot stand in a Windows command line"):
        quote(bad)


@pytest.mark.parametrize("program", ["", "sc.exe", "System32\\sc.exe", "/bin/sc"])
def test_a_program_is_named_by_its_full_path(program: str) -> None:
    with pytest.raises(OptionError, match="full path"):
        command_line([program] if program else [])


def test_an_image_path_is_split_like_the_service_manager_does() -> None:
    path = '"C:\\Program Files\\PostgreSQL\\bin\\pg_ctl.exe" runservice -N "PostgreSQL_For_OpenERP" -D "C:\\Program Files\\data\\"'
    assert split(path)[0] == "C:\\Program Files\\PostgreSQL\\bin\\pg_ctl.exe"
    assert split(path)[-2] == "-D"
    assert is_full_path(split(path)[0])


def test_a_program_with_blanks_and_without_quotes_ends_at_its_exe() -> None:
    path = 'C:\\Program Files\\x.exe files\\pg_ctl.exe runservice -D "C:\\a b"'
    assert split_image_path(path)[0] == "C:\\Program Files\\x.exe"
    assert split_image_path('"C:\\a b\\c.exe" -D x') == ["C:\\a b\\c.exe", "-D", "x"]
    assert split_image_path("C:\\a b\\c.exe -D x") == ["C:\\a b\\c.exe", "-D", "x"]
    assert split_image_path("svchost -k netsvcs") == ["svchost", "-k", "netsvcs"]


def test_nothing_is_nothing() -> None:
    assert split("  ") == []
