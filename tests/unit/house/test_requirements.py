# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bounds checked at run time are those that set-up installs, and each is told with its cure."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils import _requirements

from tests.labs import ROOT


def test_the_bounds_are_those_of_pyproject() -> None:
    lines = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    declared = {re.split(r"[><=]", line)[0]: line for line in lines}
    for name, (low, high, _purpose) in _requirements.BOUNDS.items():
        assert declared[name] == f"{name}>={low},<{high}"


def test_what_is_installed_does() -> None:
    _requirements.check()


@pytest.mark.parametrize(
    ("name", "installed", "words"),
    [
        ("paramiko", "5.1.0", ["paramiko 5.1.0", "SHA-1", "pip install 'paramiko>=3.5.1,<5'"]),
        ("paramiko", "3.4.0", ["paramiko 3.4.0"]),
        ("netmiko", None, ["netmiko is missing", "pip install 'netmiko"]),
        ("cryptography", "51.0.0", ["cryptography 51.0.0", "old ciphers"]),
    ],
)
def test_a_wrong_version_is_named_with_the_cure(name: str, installed: str | None, words: list[str]) -> None:
    sentence = _requirements.problem(name, installed)
    assert sentence is not None
    for word in words:
        assert word in sentence


def test_a_wrong_version_stops_before_a_device_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "5.1.0" if name == "paramiko" else real(name))
    with pytest.raises(_requirements.RequirementError, match=r"paramiko 5\.1\.0 cannot be used"):
        _requirements.check()


@pytest.mark.parametrize(("version", "key"), [("4.8.0", (4, 8, 0)), ("5.0rc1", (5, 0)), ("50.0.2.post1", (50, 0, 2))])
def test_versions_are_compared_by_number(version: str, key: tuple[int, ...]) -> None:
    assert _requirements.version_key(version) == key
