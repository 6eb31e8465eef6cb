# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action dfs_folder."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dfs_folder
short_description: Manage a folder of a DFS namespace without PowerShell
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Creates a folder in a namespace, with exactly the targets that are given, and removes it. Runs on the domain controller.
  - Reads what C(dfsutil root export) writes before and after. Targets are added before others are removed.
attributes:
  check_mode:
    description: Reads and compares, and says what would change.
    support: full
  diff_mode:
    description: Shows the folder before and after.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  path:
    description: The folder, as C(\\lycee.example\Donnees\Data). The namespace has to exist.
    type: str
    required: true
  targets:
    description: The shares to which it leads, all of them. Others are removed.
    type: list
    elements: dict
    suboptions:
      path:
        description: The share, as C(\\SRV-OPENERP1\replicat).
        type: str
        required: true
      state:
        description: Whether clients are sent there.
        type: str
        choices: [online, offline]
        default: online
  description:
    description: Description of the folder, set when it is created and not compared.
    type: str
    default: ''
  state:
    description: Whether it is to be there. Removing it removes nothing of what the targets hold.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: lycee.openerp.dfs_namespace
"""

EXAMPLES = r"""
- name: One path for the data of both servers
  lycee.openerp.dfs_folder:
    path: \\lycee.example\Donnees\Data
    targets:
      - path: \\SRV-OPENERP1\replicat
      - path: \\SRV-OPENERP2\replicat
        state: offline
"""

RETURN = r"""
folder:
  description: The folder as it was read back, none when it is absent.
  returned: success
  type: dict
  sample:
    name: Data
    targets:
      - path: \\SRV-OPENERP1\replicat
        state: online
      - path: \\SRV-OPENERP2\replicat
        state: offline
    description: ''
"""
