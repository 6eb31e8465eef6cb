# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action dfs_replication_group."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dfs_replication_group
short_description: Manage a DFS replication group of one folder without PowerShell
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Creates a replication group with one replicated folder, its members, and connections between all of them, both ways. Runs on the domain
    controller, and asks each member about itself in a session of its own, since nobody can go on from one host to another over WinRM.
  - After a change the members read their configuration, the first replication is waited for, and what they have is read back from them by WMI.
  - A group that a run began and did not complete is completed by the next one.
attributes:
  check_mode:
    description: Reads and compares, and says what would change.
    support: full
  diff_mode:
    description: Shows the group before, and what is wanted with the steps that lead there.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the hosts.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  name:
    description: Name of the group.
    type: str
    required: true
  folder:
    description: Name of the replicated folder, which is not the folder on disk.
    type: str
    required: true
  members:
    description: The members, all of them, at least two unless O(state=absent). A group with another member is refused.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Inventory name.
        type: str
        required: true
      name:
        description: Computer name. What the host says by default, or the inventory name in capitals when it does not answer.
        type: str
      path:
        description:
          - The folder on its disk, which has to exist and may not be the root of a volume. It cannot be changed later; O(state=recreated) can.
        type: str
      staging_mb:
        description: Megabytes for files on their way.
        type: int
        default: 4096
      conflict_mb:
        description: Megabytes for files that lost a conflict, and for deleted ones.
        type: int
        default: 660
  primary:
    description:
      - Inventory name of the member whose files win at the first replication. Files of the others that differ are moved away.
      - Needed to create a group and with O(state=recreated). It says nothing of a group that replicates, so it is never compared.
    type: str
  connections:
    description:
      - Whether the connections are enabled. V(keep) leaves those of an existing group as they are, and enables those of a new one; a failover
        has disabled them so that older files do not come back.
    type: str
    choices: [enabled, disabled, keep]
    default: enabled
  file_filter:
    description: Names and patterns of files that are not replicated, all of them.
    type: list
    elements: str
    default: ['~*', '*.bak', '*.tmp']
  directory_filter:
    description: Names and patterns of folders that are not replicated, all of them.
    type: list
    elements: str
    default: []
  description:
    description: Description, set when the group is created and not compared.
    type: str
    default: ''
  domain:
    description: DNS name of the domain, that of the host by default.
    type: str
  state:
    description:
      - V(recreated) deletes the group, waits until no member that answers has it any more, and creates it again with O(primary). It is always
        a change. PostgreSQL has to stand on all members.
    type: str
    choices: [present, absent, recreated]
    default: present
  wait:
    description:
      - Wait until the members know the change, and a first replication is over, with nothing left in either direction. Also for one that an
        earlier run began.
      - A member that does not answer is not waited for, and named in a warning.
    type: bool
    default: true
  timeout:
    description: Seconds that each wait may take.
    type: float
    default: 1800
  restart_hung:
    description:
      - Restart DFS Replication once on a member whose first replication makes no progress for O(hang_after) seconds after event 4102. Server 2008
        hangs there without the hotfix KB973123.
    type: bool
    default: false
  hang_after:
    description: Seconds without progress after which a first replication is held to hang.
    type: float
    default: 300
seealso:
  - module: lycee.openerp.dfs_replication_info
  - module: lycee.openerp.dfs_folder
"""

EXAMPLES = r"""
- name: Replicate the folder of both servers, beginning with what the first one has
  lycee.openerp.dfs_replication_group:
    name: OpenERP
    folder: replicat
    members:
      - host: srv-openerp1
        path: C:\Program Files\replicat\OpenERP 6.0
      - host: srv-openerp2
        path: C:\Program Files\replicat\OpenERP 6.0
    primary: srv-openerp1

- name: Let nothing pass
  lycee.openerp.dfs_replication_group:
    name: OpenERP
    folder: replicat
    members:
      - host: srv-openerp1
        path: C:\Program Files\replicat\OpenERP 6.0
      - host: srv-openerp2
        path: C:\Program Files\replicat\OpenERP 6.0
    connections: disabled
"""

RETURN = r"""
group:
  description: The group as the directory has it afterwards, none when there is none.
  returned: success
  type: dict
  sample:
    name: OpenERP
    guid: 0f1e2d3c-0000-4000-8000-000000000001
    folders: [replicat]
    members:
      - name: SRV-OPENERP1
        folder: replicat
        path: C:\Program Files\replicat\OpenERP 6.0
        enabled: true
        staging_mb: 4096
        conflict_mb: 660
    connections:
      - sender: SRV-OPENERP1
        receiver: SRV-OPENERP2
        enabled: true
members:
  description: What each member says of itself afterwards, as in M(lycee.openerp.dfs_replication_info), without events.
  returned: when the group is to be there, outside of check mode
  type: list
  elements: dict
backlog:
  description: How many files are to come in each direction, as in M(lycee.openerp.dfs_replication_info).
  returned: when the group is to be there, outside of check mode
  type: list
  elements: dict
healthy:
  description: Whether everything of it is in order, as in M(lycee.openerp.dfs_replication_info).
  returned: when the group is to be there, outside of check mode
  type: bool
"""
