# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab splits command lines as Wine says that Windows does (tests/golden, tools/quoting_judge)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.windows.cmdline import crt_argv, split_cmd

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "golden" / "command_lines.json").read_text("utf-8")
)


@pytest.mark.parametrize("row", [row for row in GOLDEN if not row["cmd"]], ids=lambda row: row["line"])
def test_programs_split_their_line(row: dict[str, Any]) -> None:
    assert crt_argv(row["line"]) == ["show.exe", *row["argv"]]


@pytest.mark.parametrize("row", [row for row in GOLDEN if row["cmd"]], ids=lambda row: row["line"])
def test_cmd_gives_each_program_its_line(row: dict[str, Any]) -> None:
    got: list[str] = []
    for command in commands(split_cmd(row["line"], {})):
        # What a program says to nul, the judge has not heard either.
        if not any(redirect.target == "nul" for redirect in command.redirects):
            got += crt_argv(command.text)[1:]
    assert got == row["argv"]


def commands(program: Any) -> list[Any]:
    """Return every command of a program, in order."""
    found: list[Any] = []
    for item in program:
        if isinstance(item, (list, tuple)):
            found += commands(item)
        elif hasattr(item, "redirects"):
            found.append(item)
    return found
