# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action openerp_failback."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openerp_failback
short_description: Bring a server back into a replicated pair, and the service back to it
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - After a crash, deletes the replication group and waits until neither member knows it, brings the disk of the server that comes back
    online only then, sets aside what it has, creates the group again with the surviving server as primary member, and waits for the
    first replication.
  - Then takes the service back as M(lycee.openerp.openerp_failover) does in planned mode, with the same gates, and creates the group once
    more with the server that it went to as primary member.
  - After a planned failover the replication works all the time, and only the service goes back.
  - Where O(to) is the active server already, only the other server is brought back into the pair.
  - May be cut at any point. The same task completes what was begun.
attributes:
  check_mode:
    description: Looks at the gates and changes nothing.
    support: full
  diff_mode:
    description: There is nothing to show but the gates.
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
  primary:
    description:
      - Inventory name of the server whose data win when the group is created again. It has to be the active one.
      - Without it, the times of both latest checkpoints are shown and nothing is done. A wrong primary destroys the newer data.
    type: str
  restore_primary:
    description: Create the group once more in the end, with the active server as the primary member.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: The first server takes over again
  lycee.openerp.openerp_failback:
    pair: openerp
    servers:
      - host: srv-openerp1
        disk: 1
      - host: srv-openerp2
        disk: 1
    domain_controller: srv-domaine
    to: srv-openerp1
    primary: srv-openerp2
    state_dir: "{{ lycee_data_dir }}/continuity"
    database_password: "{{ vault_postgresql_password }}"
  delegate_to: localhost
"""

RETURN = r"""
outcome:
  description: V(moved), V(unchanged), or V(planned) in check mode.
  returned: always
  type: str
active:
  description: Inventory name of the active server; empty where the service has not moved.
  returned: always
  type: str
gates:
  description: The gates with their evidence.
  returned: always
  type: list
  elements: dict
databases:
  description: Databases of the active server, and how a login ended.
  returned: when the service was moved
  type: dict
"""
