# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action openerp_marker."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openerp_marker
short_description: See that the domain controller's marker and the inventory name the same active server
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - The marker is a file of the domain controller that says which server of a replicated pair may start PostgreSQL. A server that boots looks
    there, and M(lycee.openerp.openerp_failover) and M(lycee.openerp.openerp_failback) write it.
  - Where there is none, this writes it. Where it names another server than the inventory, or the service is moving, it fails, so that no job
    takes the wrong server for the active one.
attributes:
  check_mode:
    description: Reads and compares, and writes nothing.
    support: full
  diff_mode:
    description: Shows the name.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  path:
    description: Full path of the marker on the domain controller.
    type: str
    default: C:\lycee\continuite\openerp.txt
  active:
    description: Computer name of the server that is active by the inventory.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: The inventory and the marker say the same
  lycee.openerp.openerp_marker:
    active: SRV-OPENERP1
"""

RETURN = r"""
active:
  description: Computer name that the marker names.
  returned: success
  type: str
"""
