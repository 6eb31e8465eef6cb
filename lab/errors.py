# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that the lab shows to a user: a sentence and an exit status."""

from __future__ import annotations


class LabError(Exception):
    """A refusal that the user can act upon.

    Args:
        sentence: what is wrong and what cures it, in one sentence (printed as ``lab: sentence`` on stderr).
        status: exit status of the command: 1 failed, 2 wrong usage, 3 the lab is not up.
    """

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
