# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action postgresql_restore."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_restore
short_description: Restore databases from the catalog of proven backups
version_added: 0.3.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Restores one database, several, or all, as of a date, onto the task's host. Each is restored beside what is there, its rows are
    compared with those of the dump, and only then it takes its place.
  - The database that it replaces is kept under another name until then, and dropped afterwards unless O(keep_replaced) says otherwise.
    When anything fails, the database that was there is as it was.
  - With O(scratch) it is a trial on a spare server, and the live server that the backups were made of is refused.
attributes:
  check_mode:
    description: Reads the catalog and the target, and says what would be restored, from when, and what it would replace.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  action:
    description: Runs on the controller, over WinRM, ssh or the local connection. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.backup
options:
  databases:
    description: Names of the databases; all that were on the server at the last run (or as of O(date)) when empty.
    type: list
    elements: str
    default: []
  date:
    description:
      - As of when, as C(2026-11-23) (the last backup of that day) or a whole stamp C(2026-11-23T210000Z). The newest proven backup by
        default.
    type: str
  rename:
    description: Name under which a single database is restored, to lie beside the one that is there. There may be none of that name.
    type: str
  scratch:
    description: The target is a server for trials.
    type: bool
    default: false
  roles:
    description: Whether roles that the target lacks are made, as on a new server. Roles that it has are not changed.
    type: bool
    default: false
  keep_replaced:
    description:
      - Keep the database that is replaced, under a name that ends in C(_before_) and the time. It is kept in any case when something was
        passed over, and when the backup is of another server.
    type: bool
    default: false
  staging:
    description: Folder of the server for the dump; by default as of M(lycee.openerp.postgresql_backup).
    type: str
  timeout:
    description: Seconds that one restore may take.
    type: float
    default: 7200
seealso:
  - module: lycee.openerp.postgresql_backup
  - module: lycee.openerp.postgresql_catalog_info
"""

EXAMPLES = r"""
- name: Bring one context back as it was on Monday evening
  lycee.openerp.postgresql_restore:
    catalog_dir: /srv/lycee/backups
    database_password: "{{ vault_postgresql_password }}"
    destinations: "{{ database_backup_destinations }}"
    databases: [SpecibikeSTMG2]
    date: "2026-11-23"
"""

RETURN = r"""
set:
  description: Name of the set of backups.
  returned: always
  type: str
databases:
  description: What became of each database.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name on the target.
      type: str
    from:
      description: Its name in the catalog.
      type: str
    stamp:
      description: When the dump was made.
      type: str
    as_of:
      description: The last night that found the same content.
      type: str
    rows:
      description: Rows of all tables.
      type: int
    replaces:
      description: Whether a database of this name was there.
      type: bool
    kept_as:
      description: Name under which that one is kept.
      type: str
    state:
      description: C(planned), C(restored) or C(failed).
      type: str
    seconds:
      description: How long it took.
      type: float
    msg:
      description: What went wrong.
      type: str
failed_databases:
  description: Names of those that failed.
  returned: when something was done
  type: list
  elements: str
table:
  description: The databases as the lines of a table.
  returned: always
  type: list
  elements: str
"""
