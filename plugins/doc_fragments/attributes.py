# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation fragment: the attributes that all modules of the collection document."""

from __future__ import annotations


class ModuleDocFragment:
    """The attributes, each described; a module adds its own support."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status without changing anything.
  diff_mode:
    description: Will return details on what has changed in diff mode.
  action:
    description: Indicates that this has a corresponding action plugin, so that it runs on the controller.
"""
