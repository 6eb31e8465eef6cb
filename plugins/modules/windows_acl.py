# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action windows_acl."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_acl
short_description: Manage rights and owner of a Windows file or folder without PowerShell
version_added: 0.2.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Grants or revokes rights by SID, so that the language of Windows and the names of accounts play no part, and reads them back from
    what C(icacls /save) writes.
attributes:
  check_mode:
    description: Reads and compares, and says what would change.
    support: full
  diff_mode:
    description: Shows the entries that would change.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  path:
    description: Full path of a file or folder.
    type: str
    required: true
  entries:
    description: The entries that are wanted. Others are left as they are.
    type: list
    elements: dict
    default: []
    suboptions:
      account:
        description: A SID, V(LocalSystem), V(NetworkService), V(LocalService), or the name of an account that the host knows.
        type: str
        required: true
      rights:
        description: Rights as icacls names them, full, modify, read and execute, read, write.
        type: str
        choices: [F, M, RX, R, W]
        default: F
      inherit:
        description: On a folder, whether what is made in it later inherits the entry.
        type: bool
        default: true
      state:
        description: V(absent) takes every explicit entry of the account away.
        type: str
        choices: [present, absent]
        default: present
  owner:
    description:
      - Account that is to own O(path), as in O(entries[].account). With O(recurse) what is below gets it too, when O(path) has another
        owner.
    type: str
  recurse:
    description: Look at everything below O(path), and mend it, too.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: The service account reads and writes the data
  lycee.openerp.windows_acl:
    path: C:\Program Files\OpenERP 6.0\PostgreSQL\data
    entries:
      - account: LocalSystem
        rights: F
    recurse: true
"""

RETURN = r"""
path:
  description: Full path of the file or folder.
  returned: success
  type: str
changed_entries:
  description: The entries that were not as wanted, each with sid, rights, state and the number of paths.
  returned: success
  type: list
  elements: dict
"""
