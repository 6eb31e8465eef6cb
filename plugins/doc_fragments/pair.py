# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that move a service between the servers of a pair share in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that describe the pair."""

    DOCUMENTATION = r"""
options:
  pair:
    description: Name of the pair. The journal stands under it.
    type: str
    required: true
  servers:
    description: The two servers, by their inventory names. The task itself runs for any host, the controller as a rule.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Inventory name. Its own connection variables are used.
        type: str
        required: true
      name:
        description: Computer name. The inventory name in capitals by default; another one than the server's own is refused.
        type: str
      database_host:
        description: Address of PostgreSQL, as seen from the server.
        type: str
        default: 127.0.0.1
      openerp_host:
        description: Address at which the controller reaches OpenERP's ports. The address of the host by default.
        type: str
      disk:
        description: Number of the disk with the data on this server, to bring it online again after a crash.
        type: int
      disk_serial:
        description: Serial number of that disk. Another disk is left alone.
        type: str
  domain_controller:
    description: Inventory name of the domain controller. The tools of DFS run there, and the marker of the active server stands there.
    type: str
    required: true
  group:
    description: Name of the replication group.
    type: str
    default: OpenERP
  folder:
    description: Name of the replicated folder.
    type: str
    default: replicat
  marker:
    description: The marker, a file of the domain controller which says which server may run.
    type: str
    default: C:\lycee\continuite\openerp.txt
  to:
    description: Inventory name of the server that is to be active.
    type: str
    required: true
  state_dir:
    description: Folder of the controller for journals and reports.
    type: path
    required: true
  aside_folder:
    description: Folder of a server for copies that are set aside. It must not be replicated.
    type: str
    default: C:\Windows\Temp\lycee-continuity
  poll_timeout:
    description: Seconds in which the members have to take over what the domain says.
    type: int
    default: 300
  drain_timeout:
    description: Seconds in which everything that was written has to have arrived, once nobody writes.
    type: int
    default: 1800
  replication_timeout:
    description: Seconds that a first replication may take.
    type: int
    default: 14400
  copy_timeout:
    description: Seconds that the copy of a cluster, or reading it, may take.
    type: int
    default: 3600
  timeout:
    description: Seconds that a service may take to stop, to start and to answer.
    type: int
    default: 180
"""
