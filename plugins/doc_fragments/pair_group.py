# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that create the replication of a pair again share in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of a group that is created again."""

    DOCUMENTATION = r"""
options:
  file_filter:
    description: Files that a group that is created again does not replicate. Those that Windows leaves out by default.
    type: list
    elements: str
    default: ["~*", "*.bak", "*.tmp"]
  directory_filter:
    description: Folders that it does not replicate.
    type: list
    elements: str
    default: []
"""
