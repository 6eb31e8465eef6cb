# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WritePrivateProfileString, which NSIS' WriteIniStr calls (kernel32): one ``key=value`` of one section is set, the rest stays."""

from __future__ import annotations


def written(data: bytes, section: str, key: str, value: str) -> bytes:
    """An ini file with a value set: in its line where the key is there already, else at the end of the section."""
    lines = data.decode("latin-1").splitlines()
    inside, end = False, -1
    for index, line in enumerate(lines):
        text = line.strip()
        if text.startswith("[") and text.endswith("]"):
            inside = text[1:-1].strip().lower() == section.lower()
        elif inside and "=" in text and text.partition("=")[0].strip().lower() == key.lower():
            lines[index] = f"{key}={value}"
            return _joined(lines)
        if inside and text:
            end = index
    if end < 0:
        lines += [f"[{section}]", f"{key}={value}"]
    else:
        lines.insert(end + 1, f"{key}={value}")
    return _joined(lines)


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1", "replace")
