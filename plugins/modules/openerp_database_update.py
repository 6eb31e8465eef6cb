# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action openerp_database_update."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openerp_database_update
short_description: Load the data of the installed OpenERP release into databases, one process each
version_added: 0.4.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Runs C(openerp-server.exe -u all -d DATABASE --stop-after-init) for each database. One process for two updates the first only and says
    that all is well.
  - Reads each database before and after, since the exit code proves nothing. What counts is that the release's data are there, that
    no module stands between two states, and that the wanted release's code wrote the log.
  - Takes nothing back; M(lycee.openerp.openerp_upgrade) does. Back the databases up before.
attributes:
  check_mode:
    description: Reads, and says which databases would be updated.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.openerp
options:
  databases:
    description: Names of the databases, exactly.
    type: list
    elements: str
    required: true
  release:
    description: The release whose data are to be there; it has to be the one that runs.
    type: str
    required: true
  force:
    description: Update a database that carries the data already.
    type: bool
    default: false
  work_folder:
    description: Folder of the host for the logs of the updates while they run.
    type: str
    default: C:\Windows\Temp\lycee-update
  timeout:
    description: Seconds that the update of one database may take.
    type: int
    default: 3600
"""

EXAMPLES = r"""
- name: A context that was restored from an older backup
  lycee.openerp.openerp_database_update:
    databases: [Specibiketoto]
    release: 6.0.4
    database_password: "{{ vault_postgresql_password }}"
"""

RETURN = r"""
updated:
  description:
    - Each database that was updated, with C(database), C(rc), C(seconds), C(version) (whose code ran), C(log) (last lines, passwords
      hidden), C(before), C(after) and C(problem).
  returned: always
  type: list
  elements: dict
unchanged:
  description: Databases that carried the data already.
  returned: always
  type: list
  elements: str
"""
