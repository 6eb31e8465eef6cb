# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action windows_feature."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_feature
short_description: Install roles and features of Windows Server without PowerShell
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Installs by C(ServerManagerCmd) on Server 2008 and 2008 R2 and by C(dism) later, and reads back by the numbers of Win32_ServerFeature. The
    host is never restarted.
attributes:
  check_mode:
    description: Says what is missing.
    support: full
  diff_mode:
    description: Shows what is missing.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  names:
    description:
      - Features by the names of Server Manager, which are the same in every language. V(FS-DFS) is known to Server 2008 and 2008 R2 only.
    type: list
    elements: str
    choices: [FS-FileServer, FS-DFS, FS-DFS-Namespace, FS-DFS-Replication, RSAT-DFS-Mgmt-Con]
    required: true
  state:
    description: The features are there. Nothing is removed.
    type: str
    choices: [present]
    default: present
"""

EXAMPLES = r"""
- name: Namespaces and replication
  lycee.openerp.windows_feature:
    names: [FS-DFS-Namespace, FS-DFS-Replication]
  register: feature

- name: Tell that a restart is due
  ansible.builtin.debug:
    msg: Restart {{ inventory_hostname }} when nobody works.
  when: feature.reboot_required
"""

RETURN = r"""
installed:
  description: Which of O(names) are there. One that needs a restart may be missing until then.
  returned: success
  type: list
  elements: str
reboot_required:
  description: Whether Windows asks for a restart.
  returned: success
  type: bool
"""
