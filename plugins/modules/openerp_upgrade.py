# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action openerp_upgrade."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openerp_upgrade
short_description: Take an OpenERP server with its databases to another release of the same series, and back when a step fails
version_added: 0.4.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Looks at everything that stands against it, keeps what brings the server back, stops OpenERP, runs the setups, puts back what they
    overwrite, updates each database in a process of its own, starts, and verifies release, databases, logins and login page.
  - Any failure after the first change puts folders, services and registry back, restores the databases that were being updated or
    do not serve any more, and verifies in the same way.
  - A journal on the controller announces each effect. The next run completes an upgrade that was cut, or goes on taking it back.
  - A rerun on an upgraded server changes nothing and says why.
attributes:
  check_mode:
    description: The whole plan with all findings; nothing is changed and nothing is brought to the host.
    support: full
  diff_mode:
    description: Shows the releases.
    support: full
  action:
    description: Runs on the controller, over WinRM and OpenERP's own ports. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.openerp
  - lycee.openerp.pair_member
options:
  release:
    description: The release that is wanted, of the series that runs (6.0.x).
    type: str
    required: true
  phase:
    description:
      - V(plan) looks, returns the plan and fails when something stands against it. V(run) does the same and then the upgrade.
    type: str
    choices: [plan, run]
    default: run
  server_source:
    description: Setup of the server, as of M(lycee.openerp.openerp_install).
    type: str
  server_sha256:
    description: Its SHA-256.
    type: str
  web_source:
    description: Setup of the web client.
    type: str
  web_sha256:
    description: Its SHA-256.
    type: str
  web:
    description: Upgrade the web client with the server.
    type: bool
    default: true
  configuration:
    description: Options of C(openerp-server.conf) that should have these values; what differs is a finding, and is not changed.
    type: dict
    default: {}
  state_dir:
    description: Folder of the controller for journals and reports.
    type: path
    required: true
  catalog_dir:
    description: Folder of the backups' catalogs. Without it no proven backup is asked for.
    type: path
  set:
    description: Name of this server's backups. The host's name by default.
    type: str
  backup_hours:
    description: How old the newest proven backup of a database may be.
    type: float
    default: 12
  work_folder:
    description:
      - Folder of the host for setups, copies and dumps. Users of the host may not read it, so it stands in C(C:\\Windows\\Temp).
    type: str
    default: C:\Windows\Temp\lycee-upgrade
  keep_copies:
    description: Keep the copies of the former folders on the host until the next upgrade. The dumps always go.
    type: bool
    default: true
  accept_pending:
    description: Databases that are updated although an update of them was interrupted once.
    type: list
    elements: str
    default: []
  refuse_users:
    description: Begin nothing while somebody logged in lately.
    type: bool
    default: false
  active_minutes:
    description: How many minutes count as lately.
    type: int
    default: 30
  leave:
    description: Databases that are left as they are although they cannot be read or do not answer. Others of these stand against it.
    type: list
    elements: str
    default: []
  setup_timeout:
    description: Seconds after which a setup is ended.
    type: int
    default: 1200
  update_timeout:
    description: Seconds that the update of one database may take.
    type: int
    default: 3600
  copy_timeout:
    description: Seconds that a copy of a folder, a transfer, a dump or a restore may take.
    type: int
    default: 3600
  timeout:
    description: Seconds that a service may take to stop, to start and to answer.
    type: int
    default: 180
  standby:
    description: The host is the standby of a pair, and is left alone.
    type: bool
    default: false
  pair:
    description:
      - The host is one of a pair that replicates its data. While a connection of O(group) is enabled, O(phase=run) is refused;
        M(lycee.openerp.openerp_replication) suspends the replication.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: What would happen
  lycee.openerp.openerp_upgrade:
    release: 6.0.4
    phase: plan
    server_source: var/installers/openerp-server-setup-6.0.4.exe
    server_sha256: "{{ openerp_upgrade_server_sha256 }}"
    web_source: var/installers/openerp-web-setup-6.0.4.exe
    web_sha256: "{{ openerp_upgrade_web_sha256 }}"
    database_password: "{{ vault_postgresql_password }}"
    state_dir: var/upgrades
"""

RETURN = r"""
outcome:
  description: C(upgraded), C(unchanged), C(planned), C(rolled back), or C(unfinished) when it could not even be taken back.
  returned: always
  type: str
needed:
  description: Whether there is anything to do, with I(phase=plan).
  returned: always
  type: bool
resume:
  description: Whether an upgrade that was cut is to be completed or taken back first.
  returned: always
  type: bool
databases:
  description: Databases that are updated.
  returned: when it did not fail
  type: list
  elements: str
contexts:
  description: Databases of OpenERP that serve, all of which are backed up before.
  returned: with I(phase=plan)
  type: list
  elements: str
report:
  description: The report as data, which also stands in I(state_dir); C(steps) and C(interrupted) are seconds.
  returned: when it did not fail
  type: dict
report_file:
  description: Path of the report.
  returned: when something was begun
  type: str
"""
