# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action dfs_namespace."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dfs_namespace
short_description: Manage a DFS namespace without PowerShell
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Creates a namespace of the domain, or a standalone one, on the host of the task, and removes it. Runs on the domain controller.
  - Reads what C(dfsutil root export) writes, which is the same in every language, before and after.
  - The share on which it is made has to exist, with the name of the namespace. See M(lycee.openerp.windows_share).
attributes:
  check_mode:
    description: Reads and compares, and says what would change.
    support: full
  diff_mode:
    description: Shows the namespace before and after.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  path:
    description: The namespace, C(\\lycee.example\Donnees) for one of the domain, C(\\SRV-DOMAINE\Donnees) for a standalone one.
    type: str
    required: true
  type:
    description: What O(path) has to be. It tells by itself; this guards against a slip.
    type: str
    choices: [domain, standalone]
  mode:
    description:
      - Version of a namespace of the domain when it is created, V(v2) for Server 2008 mode, V(v1) for Windows 2000 mode. dfsutil does not
        export it, so it is not compared.
    type: str
    choices: [v1, v2]
    default: v2
  targets:
    description:
      - The shares that hold the namespace, as C(\\SERVER\NAME), all of them. The first is one of the host. By default it is the only one.
      - Another server needs a login from here to there, which WinRM only gives with delegation.
    type: list
    elements: str
  description:
    description: Description of the namespace, set when it is created and not compared.
    type: str
    default: ''
  state:
    description: Whether it is to be there. Removing it removes nothing of what its folders lead to.
    type: str
    choices: [present, absent]
    default: present
  force:
    description: Remove a namespace that has folders.
    type: bool
    default: false
seealso:
  - module: lycee.openerp.dfs_folder
  - module: lycee.openerp.windows_share
"""

EXAMPLES = r"""
- name: The namespace of the school's data
  lycee.openerp.dfs_namespace:
    path: \\lycee.example\Donnees
    description: Data of the school
"""

RETURN = r"""
namespace:
  description: The namespace as it was read back, none when it is absent.
  returned: success
  type: dict
  sample:
    path: \\lycee.example\Donnees
    targets: ['\\SRV-DOMAINE\Donnees']
    folders: [Data]
    description: Data of the school
"""
