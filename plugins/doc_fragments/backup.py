# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of the database backup share in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the server, the catalog and the destinations."""

    DOCUMENTATION = r"""
options:
  catalog_dir:
    description: Folder of the controller where the catalogs are.
    type: path
    required: true
  set:
    description: Name of this server's backups, a folder at each destination. The two servers of a pair share one. The host's name by default.
    type: str
  destinations:
    description: Where backups are kept, in the order in which they are tried.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name that the catalog and the reports show.
        type: str
        required: true
      type:
        description:
          - C(rsync) is a module of an rsync daemon. C(folder) is a folder of the controller, on a disk or a NAS. C(server_folder) is one of
            the server itself, such as one that DFS replicates.
        type: str
        choices: [rsync, folder, server_folder]
        default: rsync
      url:
        description: The module, as C(rsync://USER@HOST:PORT/MODULE).
        type: str
      password:
        description: Password of the rsync user.
        type: str
      path:
        description: The folder; it has to exist. Of an rsync module, the folder where the controller itself sees it, if it does.
        type: str
      removable:
        description: It may be absent. That is reported with its age, and fails the run after C(absent_days).
        type: bool
        default: false
      absent_days:
        description: Days.
        type: int
        default: 14
      timeout:
        description: Seconds of silence after which a transfer is given up.
        type: int
        default: 60
      retries:
        description: How often a transfer whose line broke is tried again.
        type: int
        default: 2
  rsync:
    description: Path of rsync on the server. It is looked for by default; an empty one says that there is none.
    type: str
  pg_bin:
    description: Folder of PostgreSQL's programs on the server; by default those of the service, or the newest there.
    type: str
    default: ""
  local_pg_bin:
    description: Folder of PostgreSQL's programs on the controller; by default the newest that are found.
    type: path
  service:
    description: Short name of the PostgreSQL service, where a Windows host has several.
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
    description: A superuser.
    type: str
    default: openpg
  database_password:
    description: Its password. Without one C(pg_hba.conf) has to let it in.
    type: str
  database:
    description: Database from which the others are listed.
    type: str
    default: postgres
"""
