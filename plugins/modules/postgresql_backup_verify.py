# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action postgresql_backup_verify."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_backup_verify
short_description: Read stored database backups again, and repair a destination from another one
version_added: 0.3.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Reads backups at each destination, compares their bytes and content with what was proven, and restores a sample or all of them into
    a scratch cluster of the controller.
  - What is damaged counts as a backup no more, is brought again from a destination where it is sound, and fails the task.
  - No server is asked, unless one of its folders is a destination.
attributes:
  check_mode:
    description: Reads and compares, and changes neither the catalog nor a destination.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  action:
    description: Runs on the controller, which needs PostgreSQL's programs and rsync.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.backup
options:
  every:
    description: Read every stored backup, not only the newest one of each database.
    type: bool
    default: false
  restore:
    description: What is restored on trial.
    type: str
    choices: [none, sample, all]
    default: sample
  restore_within_days:
    description: Each database is restored once in so many days, changed ones first.
    type: int
    default: 28
  restore_at_least:
    description: So many are restored even when fewer would do.
    type: int
    default: 1
  rebuild:
    description: Enter into the catalog what the records beside the dumps tell, as after the loss of the controller.
    type: bool
    default: false
  workers:
    description: How many dumps are read and restored at once.
    type: int
    default: 2
seealso:
  - module: lycee.openerp.postgresql_backup
"""

EXAMPLES = r"""
- name: Is everything still what was proven?
  lycee.openerp.postgresql_backup_verify:
    catalog_dir: /srv/lycee/backups
    destinations: "{{ database_backup_destinations }}"
    every: true
    restore: all
"""

RETURN = r"""
read:
  description: How many backups were read at each destination.
  returned: always
  type: dict
restored:
  description: Databases that were restored on trial.
  returned: always
  type: list
  elements: str
damaged:
  description: A sentence for each backup that is not what was proven.
  returned: always
  type: list
  elements: str
contexts:
  description: As of M(lycee.openerp.postgresql_catalog_info).
  returned: always
  type: list
  elements: dict
table:
  description: The same as the lines of a table.
  returned: always
  type: list
  elements: str
"""
