# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action openerp_replication."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openerp_replication
short_description: Suspend the replication of a pair while both of its servers are worked on, and create it again
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - V(suspended) disables the connections of the replication group and waits until both members know. Where a failover has disabled them
    already, nothing is done.
  - V(resumed) deletes the group and creates it again with the active server as primary member, and waits for the first replication. What was
    changed on the standby meanwhile is newer there than on the active server, and would win if the connections were enabled only.
    Nothing is done where the replication was not suspended by this.
attributes:
  check_mode:
    description: Looks and changes nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the hosts.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.openerp
  - lycee.openerp.pair
  - lycee.openerp.pair_group
options:
  state:
    description: What is wanted. O(to) is the active server.
    type: str
    choices: [suspended, resumed]
    required: true
"""

EXAMPLES = r"""
- name: Nothing passes from one server to the other
  lycee.openerp.openerp_replication:
    state: suspended
    pair: openerp
    servers:
      - host: srv-openerp1
      - host: srv-openerp2
    domain_controller: srv-domaine
    to: srv-openerp1
    state_dir: "{{ lycee_data_dir }}/continuity"
    database_password: "{{ vault_postgresql_password }}"
"""

RETURN = r"""
outcome:
  description: V(moved) where something was done, else V(unchanged).
  returned: always
  type: str
"""
