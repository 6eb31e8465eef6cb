# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The third kind of refusal: what Windows has and the lab has not (facts/lab.md 2a)."""

from __future__ import annotations


class LabRefusal(Exception):
    """Printed on stderr as ``LAB: text`` with exit code 255; a test that sees it fails."""

    status = 255


class Jump(Exception):
    """``goto``: a batch file goes on at a label."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


class CommandEnded(Exception):
    """``exit N`` ends the whole command line."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
