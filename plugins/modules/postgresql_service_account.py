# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action postgresql_service_account."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_service_account
short_description: Run the PostgreSQL service of a Windows host as an account that is the same on every host
version_added: 0.2.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - OpenERP's installer runs PostgreSQL as a local account, whose SID is another one on each server. Rights that are replicated
    from one server to the other then name an account that is not known there, and PostgreSQL does not start.
  - Finds the service by its image path, grants the wanted account its data folder by SID, gives it the account, restarts it, and
    proves that a real query is answered. OpenERP's services are stopped before and started after, in order; those that start by
    themselves and do not run are started too.
  - When it does not serve under the wanted account, the reason from the event log is told, and the former account is put back.
attributes:
  check_mode:
    description: Reads and compares, and says what would change.
    support: full
  diff_mode:
    description: Shows account, denied paths and whether it serves, before and after.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.pair_member
options:
  account:
    description: Account that is wanted. Both have the same SID on every Windows.
    type: str
    choices: [LocalSystem, NetworkService]
    default: LocalSystem
  service:
    description: Short name of the service, where a host has several.
    type: str
  former_password:
    description:
      - Password of the former account, to put it back when the new one does not serve. That of C(openpgsvc) is known, since OpenERP's
        installer sets it everywhere; for another account it has to be given.
    type: str
  database_host:
    description: Address of the cluster, as seen from the host.
    type: str
    default: 127.0.0.1
  database_port:
    description: Port of the cluster.
    type: int
    default: 5432
  database_user:
    description: Role that asks the query.
    type: str
    default: openpg
  database_password:
    description: Its password. Without one C(pg_hba.conf) has to let it in.
    type: str
  database:
    description: Database that is asked.
    type: str
    default: postgres
  pair:
    description:
      - What the server is in a pair that replicates its data, whose services start by hand only.
      - V(active) starts OpenERP's services too where they stand, and is refused where the marker names another server.
      - V(standby) gives account and rights and starts nothing; a standby whose
        PostgreSQL runs is refused, and one that replicates while something is to be changed (M(lycee.openerp.openerp_replication)).
    type: str
    choices: [none, active, standby]
    default: none
    version_added: 0.5.0
  timeout:
    description: Seconds that each start and stop may take.
    type: float
    default: 120
seealso:
  - module: lycee.openerp.windows_service
  - module: lycee.openerp.windows_acl
"""

EXAMPLES = r"""
- name: PostgreSQL runs as LocalSystem
  lycee.openerp.postgresql_service_account:
    database_password: "{{ vault_postgresql_password }}"
"""

RETURN = r"""
service:
  description: The service as it was read back, with name, display_name, state, start_mode, account, path and process_id.
  returned: success
  type: dict
data_folder:
  description: Folder of the cluster.
  returned: success
  type: str
cluster_version:
  description: Major version of the cluster's files.
  returned: success
  type: str
  sample: "8.4"
paths_denied:
  description: How many paths of the data folder the wanted account may not use.
  returned: success
  type: int
serves:
  description: Whether a real query was answered.
  returned: success
  type: bool
answer:
  description: The answer to the query, or what was said instead.
  returned: success
  type: str
openerp_stopped:
  description: Those of them that start by themselves and do not run.
  returned: success
  type: list
  elements: str
openerp_services:
  description: OpenERP's services on this host, in starting order.
  returned: success
  type: list
  elements: str
"""
