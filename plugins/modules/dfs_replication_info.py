# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action dfs_replication_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dfs_replication_info
short_description: Read the state of a DFS replication group without PowerShell
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Asks each member about itself by WMI and its event log, and counts what each lacks of each other. Numbers, so the language plays no part.
  - A member that does not answer has its reason in its row, and fails nothing.
attributes:
  check_mode:
    description: Changes nothing anyway; without O(report), which is not made then.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the hosts.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  group:
    description: Name of the group.
    type: str
    required: true
  folder:
    description: Name of the replicated folder.
    type: str
    required: true
  members:
    description: Inventory names of the members.
    type: list
    elements: str
    required: true
  events:
    description: How many of the newest events each member tells, 0 for none.
    type: int
    default: 10
  report:
    description:
      - Path of this machine to which the health report is fetched, ending in C(.html); the XML is put beside it. C(dfsradmin) makes it on the host,
        which has to be the domain controller, and asks the members from there. Without delegation it reports that it could not reach them.
    type: path
  domain:
    description: DNS name of the domain for the report, that of the host by default.
    type: str
seealso:
  - module: lycee.openerp.dfs_replication_group
"""

EXAMPLES = r"""
- name: Look at the replication
  lycee.openerp.dfs_replication_info:
    group: OpenERP
    folder: replicat
    members: [srv-openerp1, srv-openerp2]
"""

RETURN = r"""
members:
  description:
    - What each member says. C(state) is the number of its copy's state (0 uninitialized, 1 initialized, 2 initial sync, 3 auto recovery, 4 normal,
      5 in error), none when it cannot be read, and C(why) then says why. Sizes are megabytes, times UTC.
  returned: always
  type: list
  elements: dict
  sample:
    - host: srv-openerp1
      name: SRV-OPENERP1
      reachable: true
      why: ''
      state: 4
      state_name: normal
      last_error: 0
      stage_mb: 1
      conflict_mb: 0
      config:
        root_path: C:\Program Files\replicat\OpenERP 6.0
        enabled: true
        is_primary: false
        file_filter: ['~*', '*.bak', '*.tmp']
        directory_filter: []
        staging_mb: 4096
        conflict_mb: 660
      connections:
        - partner: SRV-OPENERP2
          inbound: true
          enabled: true
          last_sync: '2026-11-24T08:00:00.000Z'
          last_error: 0
      events:
        - id: 4112
          time: '2026-11-24T07:30:00.000Z'
          texts: [replicat, OpenERP]
backlog:
  description: How many files C(receiver) lacks of what C(sender) has, none when one of both cannot be asked, and C(why) then says why.
  returned: always
  type: list
  elements: dict
  sample:
    - sender: srv-openerp1
      receiver: srv-openerp2
      files: 0
      why: ''
healthy:
  description: Whether every member answers, is in state 4 with all connections enabled, and lacks nothing.
  returned: always
  type: bool
report:
  description: Paths of the report's files.
  returned: when O(report) is given
  type: list
  elements: str
"""
