# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version that the emulated server plays, where a query asks for it.

This is a textual replacement in the SQL that psql is given, before the real psql sees it: ``version()``,
``current_setting('server_version')``, ``current_setting('server_version_num')`` and the two ``SHOW`` of them become
literals of the played version. A query that asks in another way (pg_settings, a function of its own) gets the truth.
"""

from __future__ import annotations

import re

_SETTING = re.compile(rb"(?i)(?:\bpg_catalog\s*\.\s*)?\bcurrent_setting\s*\(\s*'server_version(_num)?'\s*(?:,[^)]*)?\)")
_SHOW = re.compile(rb"(?i)\bshow\s+server_version(_num)?\b")
_VERSION = re.compile(rb"(?i)(?:\bpg_catalog\s*\.\s*)?(?<![\w.])version\s*\(\s*\)")


def number(version: str) -> str:
    """``80412`` of ``8.4.12``."""
    first, second, third = (int(part) for part in version.split("."))
    return str(first * 10000 + second * 100 + third)


def sentence(version: str) -> str:
    """What version() answers: the builds of EnterpriseDB of that time are 32-bit ones of Visual C++ 2005."""
    build = "" if version.startswith("8.3") else ", 32-bit"
    return f"PostgreSQL {version}, compiled by Visual C++ build 1400{build}"


def rewritten(sql: bytes, version: str) -> bytes:
    """SQL in which the server's version is the played one."""
    plain, numeric = version.encode(), number(version).encode()

    def setting(match: re.Match[bytes]) -> bytes:
        return b"'%s'::text" % (numeric if match[1] else plain)

    def show(match: re.Match[bytes]) -> bytes:
        name = b"server_version_num" if match[1] else b"server_version"
        return b"SELECT '%s'::text AS %s" % (numeric if match[1] else plain, name)

    sql = _SHOW.sub(show, _SETTING.sub(setting, sql))
    return _VERSION.sub(b"'%s'::text" % sentence(version).encode(), sql)
