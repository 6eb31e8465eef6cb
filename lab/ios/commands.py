# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammars of exec mode and of every configuration mode, per family, each built once."""

from __future__ import annotations

from functools import cache

from lab.ios import config_words, exec_words
from lab.ios.grammar import Grammar

_COMMON = (
    "\nexit : exit\nend : end\ndo <line> : do\ndefault interface <int> : default_interface\ndefault <line> : default\n"
)


def _patterns(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@cache
def exec_grammar(family: str) -> Grammar:
    """The exec commands of a family (``switch`` or ``router``); those of user exec mode carry the flag ``user``."""
    return Grammar(_patterns(exec_words.COMMON + (exec_words.SWITCH if family == "switch" else exec_words.ROUTER)))


@cache
def config_grammar(mode: str, family: str) -> Grammar:
    """The commands of a configuration mode, named as in its prompt (``config``, ``config-if`` ...)."""
    if mode == "config":
        return Grammar(_patterns(config_words.GLOBAL + (config_words.GLOBAL_SWITCH if family == "switch" else "")))
    if mode in ("config-if", "config-if-range", "config-subif"):
        rows = _patterns(config_words.INTERFACE)
        if family != "switch":
            rows = [row for row in rows if not row.startswith(("switchport", "spanning-tree", "mdix", "storm-control"))]
        return Grammar(rows)
    if mode == "config-line":
        return Grammar(_patterns(config_words.LINE))
    if mode == "config-vlan":
        return Grammar(_patterns(config_words.VLAN))
    numbered = " <1-2147483647>" if "nacl" in mode else ""
    words = "|".join(config_words.LISTS[mode].split())
    rows = [f"{words} <rest>?"] + ([f"{numbered.strip()} {words} <rest>"] if numbered else [])
    rows += ["certificate <rest> : certificate"] if mode == "config-cert-chain" else []
    return Grammar(rows + _patterns(_COMMON))
