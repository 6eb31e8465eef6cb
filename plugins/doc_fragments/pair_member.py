# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that work on one server of a pair share in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Options by which it is seen what the server is in its pair."""

    DOCUMENTATION = r"""
options:
  domain_controller:
    description: Inventory name of the domain controller of a pair, where the marker of the active server stands.
    type: str
    version_added: 0.5.0
  marker:
    description: The marker, a file of the domain controller.
    type: str
    default: C:\lycee\continuite\openerp.txt
    version_added: 0.5.0
  group:
    description: Name of the replication group of the pair.
    type: str
    default: OpenERP
    version_added: 0.5.0
"""
