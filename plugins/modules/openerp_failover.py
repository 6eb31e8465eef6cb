# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action openerp_failover."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openerp_failover
short_description: Take OpenERP and its PostgreSQL from one server of a replicated pair to the other, through gates
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Looks at every gate that stands between two servers on one set of data, and stops at a closed one. No option opens a gate, except that a
    loss is accepted in a crash.
  - In planned mode, with both servers sound, OpenERP and PostgreSQL are stopped on the active server, the replication drains, both copies
    are compared, the connections are disabled, a copy is set aside, and only then PostgreSQL starts on the other one. A server that does
    not serve is stopped again and the first one takes over.
  - In crash mode the other server has to be proven gone, the connections are disabled first, and a copy that does not start or cannot be read
    is replaced by an empty cluster for the newest dumps.
  - May be cut at any point. The same task completes what was begun.
attributes:
  check_mode:
    description: Looks at every gate and changes nothing.
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
options:
  mode:
    description: Whether both servers are sound, or the active one or its disk is gone.
    type: str
    choices: [planned, crash]
    default: planned
  accept_loss:
    description: Accept in crash mode that what had not been replicated is lost.
    type: bool
    default: false
  dumps:
    description: In crash mode, make an empty cluster for the dumps where the copy is of no use. RV(from_dumps) says so.
    type: bool
    default: true
  phase:
    description:
      - V(run) moves the service.
      - V(finish) completes a move whose databases have been restored from their dumps in the meantime.
    type: str
    choices: [run, finish]
    default: run
"""

EXAMPLES = r"""
- name: The second server takes over
  lycee.openerp.openerp_failover:
    pair: openerp
    servers:
      - host: srv-openerp1
      - host: srv-openerp2
    domain_controller: srv-domaine
    to: srv-openerp2
    state_dir: "{{ lycee_data_dir }}/continuity"
    database_password: "{{ vault_postgresql_password }}"
  delegate_to: localhost
"""

RETURN = r"""
outcome:
  description: V(moved), V(unchanged), V(dumps needed), or V(planned) in check mode.
  returned: always
  type: str
from_dumps:
  description: Whether an empty cluster waits for the databases from their dumps.
  returned: always
  type: bool
active:
  description: Inventory name of the active server; empty where the service has not moved.
  returned: always
  type: str
gates:
  description: Every gate with its evidence.
  returned: always
  type: list
  elements: dict
  sample:
    - name: backlog
      state: open
      evidence: "files that srv-openerp2 lacks: 0, then 0"
      cure: ""
databases:
  description: Databases of the new active server, and how a login ended.
  returned: when it serves
  type: dict
"""
