# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action postgresql_backup."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_backup
short_description: Back up every database of a PostgreSQL server and prove each backup
version_added: 0.3.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Dumps each database with the server's own C(pg_dump) (custom format), some at once, and the roles beside them.
  - Brings the dumps to every destination and reads them back there. Each dump is read in full by C(pg_restore), which gives the rows
    of each table and a hash of its content; a sample is restored into a scratch cluster of the controller each night.
  - A dump whose content equals the last proven one is recorded and not stored twice. Old backups go by a grandfather-father-son
    scheme, never the newest proven one, and never a file that the catalog does not know.
  - One bad database does not stop the others; the task fails at the end and names it.
  - Works on Windows over WinRM without PowerShell, and on Linux over Ansible's ssh or local connection without Python there.
attributes:
  check_mode:
    description: Reads the server, the destinations and the catalog, and says what would be saved and removed.
    support: full
  diff_mode:
    description: There is nothing to compare, since each run makes backups.
    support: none
  action:
    description: Runs on the controller, which needs PostgreSQL's programs (not older than the server's) and rsync.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.backup
options:
  databases:
    description: Names of the databases to save, whatever the patterns say. All that the patterns select by default.
    type: list
    elements: str
    default: []
  include:
    description: Patterns of the databases to save, with C(*) and C(?), without regard to case.
    type: list
    elements: str
    default: [Specibike*]
  exclude:
    description: Patterns of databases that are not saved.
    type: list
    elements: str
    default: []
  naming_rule:
    description: Regular expression that the whole name of each saved database should match. One that does not is saved and reported.
    type: str
    default: ""
  roles:
    description: Whether the roles, with their passwords' hashes and memberships, are saved too.
    type: bool
    default: true
  files:
    description: Files and folders of the server that are saved too, such as C(openerp-server.conf) and the filestore.
    type: list
    elements: str
    default: []
  staging:
    description:
      - Folder of the server where dumps wait for their transfer. By default C(C:\Windows\Temp\lycee-backup), where users read nothing, or
        C(~/.lycee-backup).
    type: str
  compress:
    description: Level of C(pg_dump)'s compression. 1 takes half the time of the usual 6 and a tenth more room.
    type: int
    default: 1
  workers:
    description: How many databases are dumped, read and restored at once. Server 2008 takes two.
    type: int
    default: 2
  timeout:
    description: Seconds that one dump may take.
    type: float
    default: 3600
  restore_sample:
    description: Whether a sample is restored into a scratch cluster of the controller.
    type: bool
    default: true
  restore_within_days:
    description: Each database is restored once in so many days, changed ones first.
    type: int
    default: 28
  restore_at_least:
    description: So many are restored each night even when fewer would do.
    type: int
    default: 1
  retention:
    description: Whether old backups are removed at the end.
    type: bool
    default: true
  keep:
    description: What stays. Each number counts periods that hold a backup, so a month of failed nights removes nothing.
    type: dict
    default: {}
    suboptions:
      daily:
        description: The newest of so many days.
        type: int
        default: 14
      weekly:
        description: The newest of so many weeks.
        type: int
        default: 8
      monthly:
        description: The newest of so many months.
        type: int
        default: 12
      minimum:
        description: Never fewer than so many.
        type: int
        default: 3
      dropped_days:
        description: The backups of a database that was dropped on the server stay for so many days.
        type: int
        default: 400
  accept_empty:
    description:
      - Names of destinations that may hold none of the backups that the catalog names there, such as a new disk. Without it such a
        destination is not used, since its disk is rather not mounted.
    type: list
    elements: str
    default: []
  language:
    description: Language of the log for the people of the school.
    type: str
    choices: [fr, en]
    default: fr
  standby:
    description: The host is the standby of a pair, whose PostgreSQL is stopped; nothing is done, and that is said.
    type: bool
    default: false
  before:
    description: Command and arguments that run on the controller before the first dump; when it fails, nothing is dumped.
    type: list
    elements: str
    default: []
  after:
    description:
      - Command and arguments that run on the controller at the end, after a failure too. E(LYCEE_STATUS) is C(ok) or C(failed),
        E(LYCEE_RESULT) the path of C(status.json).
    type: list
    elements: str
    default: []
seealso:
  - module: lycee.openerp.postgresql_restore
  - module: lycee.openerp.postgresql_catalog_info
"""

EXAMPLES = r"""
- name: Save every context to the backup server and to a disk
  lycee.openerp.postgresql_backup:
    catalog_dir: /srv/lycee/backups
    database_password: "{{ vault_postgresql_password }}"
    destinations:
      - name: backup server
        type: rsync
        url: rsync://sauvegarde@172.31.0.100/Backup
        password: "{{ vault_rsync_password }}"
      - name: usb
        type: folder
        path: /media/usb/lycee
        removable: true
    naming_rule: Specibike[A-Za-z0-9]+
    files:
      - C:\Program Files\OpenERP 6.0\Server\openerp-server.conf
"""

RETURN = r"""
set:
  description: Name of the set of backups.
  returned: always
  type: str
stamp:
  description: Time of the run, in UTC, as it stands in the names of the files.
  returned: when something was done
  type: str
  sample: 2026-11-23T210000Z
items:
  description: What became of each database, of the roles (kind globals) and of each file.
  returned: when something was done
  type: list
  elements: dict
  contains:
    kind:
      description: C(database), C(globals) or C(file).
      type: str
    name:
      description: Name of the database, or path of the file.
      type: str
    state:
      description: C(saved), C(unchanged) or C(failed).
      type: str
    size:
      description: Bytes of the file.
      type: int
    rows:
      description: Rows of all tables, counted in the dump.
      type: int
    seconds:
      description: How long the dump took.
      type: float
    restored:
      description: Whether it was restored on trial in this run.
      type: bool
    newest_proven:
      description: As of when its newest proven backup is.
      type: str
    destinations:
      description: Where that one is.
      type: list
      elements: str
    msg:
      description: What went wrong.
      type: str
failed_items:
  description: Names of those that failed.
  returned: when something was done
  type: list
  elements: str
planned_databases:
  description: What would be saved.
  returned: in check mode
  type: list
  elements: str
planned_removals:
  description: What would be removed, as of today.
  returned: in check mode
  type: list
  elements: str
not_selected:
  description: Databases that are on the server and are not saved.
  returned: always
  type: list
  elements: str
destinations:
  description: What became of each destination.
  returned: always
  type: list
  elements: dict
removed:
  description: Old backups that were removed.
  returned: when something was done
  type: list
  elements: str
bytes_sent:
  description: Bytes that were sent to all destinations.
  returned: when something was done
  type: int
table:
  description: The items as the lines of a table.
  returned: when something was done
  type: list
  elements: str
log:
  description: Path of the log for the people of the school.
  returned: when something was done
  type: str
status:
  description: Path of the JSON file for monitoring.
  returned: when something was done
  type: str
"""
