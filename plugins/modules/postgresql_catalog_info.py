# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action postgresql_catalog_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_catalog_info
short_description: Tell what database backups exist, where, how old, and proven when
version_added: 0.3.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Reads the catalogs on the controller; no host and no destination is asked.
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  action:
    description: Runs on the controller.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  catalog_dir:
    description: Folder of the controller where the catalogs are.
    type: path
    required: true
  sets:
    description: Names of the sets; all that are there by default.
    type: list
    elements: str
    default: []
  database:
    description: Only this database; then C(backups) lists each of its backups, and C(found) the one that a restore would take.
    type: str
  date:
    description: As of when, for C(found).
    type: str
seealso:
  - module: lycee.openerp.postgresql_backup
"""

EXAMPLES = r"""
- name: How old is the newest proven backup of each context?
  lycee.openerp.postgresql_catalog_info:
    catalog_dir: /srv/lycee/backups
  register: catalog

- name: Show the table
  ansible.builtin.debug:
    msg: "{{ catalog.table }}"
"""

RETURN = r"""
contexts:
  description: A line per database.
  returned: always
  type: list
  elements: dict
  contains:
    set:
      description: The set.
      type: str
    name:
      description: The database.
      type: str
    on_server:
      description: Whether the last run of its set found it on the server.
      type: bool
    newest_proven:
      description: As of when its newest proven backup is, or nothing.
      type: str
    age_hours:
      description: Its age.
      type: float
    read_proven:
      description: When it was last read in full.
      type: str
    restore_proven:
      description: When a restore of it was last proven.
      type: str
    server_version:
      description: Version of the server that it is of.
      type: str
    destinations:
      description: Where it is, and since when.
      type: dict
oldest_hours:
  description: The greatest age among the databases that the last run of their set found on the server.
  returned: always
  type: float
backups:
  description: Each backup of the one database that was asked for.
  returned: when a database is named
  type: list
  elements: dict
found:
  description: The backup that a restore would take, of each set that has one.
  returned: when a database is named
  type: list
  elements: dict
table:
  description: The lines of a table.
  returned: always
  type: list
  elements: str
"""
