# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action windows_share."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_share
short_description: Manage a Windows share without PowerShell
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Brings a share and exactly the permissions that are wanted to what is asked, by WMI and by SID, and reads it back.
  - The rights on the folder itself are those of M(lycee.openerp.windows_acl). What may be done over the share is what both allow.
attributes:
  check_mode:
    description: Reads and compares, and says what would change.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  name:
    description: Name of the share.
    type: str
    required: true
  path:
    description: Full path of the folder. It is needed when the share does not exist.
    type: str
  description:
    description: Remark of the share. Without it the one that it has is kept.
    type: str
  permissions:
    description:
      - Who may do what over the share. Whoever else may do something loses that.
      - They are needed when the share does not exist, for Windows alone would let everyone read. Without them those of an existing
        share are kept.
    type: list
    elements: dict
    suboptions:
      sid:
        description: The SID of an account or group. One of this and O(permissions[].account) is given.
        type: str
      account:
        description:
          - A SID, one of the words V(everyone), V(authenticated_users), V(administrators) (of the host), V(system), V(domain_administrator),
            V(domain_admins), V(domain_users), V(domain_computers), or the name of an account that the host knows, as V(DOMAIN\\NAME).
          - The words mean the same in every language. The SID of the domain is read from the account that Ansible logs in with, when that
            is one of the domain. A local account asks the domain controller, which may refuse it; then give the SID.
        type: str
      access:
        description: What is allowed, as the boxes of Windows name it.
        type: str
        choices: [full, change, read]
        required: true
  users_limit:
    description: How many may use the share at once, V(0) for no limit. Without it the limit is kept; a new share has none.
    type: int
  replace:
    description:
      - Whether a share of this name that is of another folder is removed and created again. That cuts those who use it, so it is refused
        without this.
    type: bool
    default: false
  state:
    description: Whether the share exists. V(absent) cuts those who use it; the folder stays.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: lycee.openerp.windows_acl
"""

EXAMPLES = r"""
- name: Share the folder that is replicated
  lycee.openerp.windows_share:
    name: replicat
    path: C:\Program Files\replicat\OpenERP 6.0
    description: OpenERP
    permissions:
      - account: domain_administrator
        access: full
      - account: domain_computers
        access: read
"""

RETURN = r"""
share:
  description: The share as it was read back; in check mode, as it would be.
  returned: when it exists or is to exist
  type: dict
  sample:
    name: replicat
    path: C:\Program Files\replicat\OpenERP 6.0
    description: OpenERP
    users_limit:
    permissions:
      - sid: S-1-5-21-1004336348-1177238915-682003330-500
        access: full
"""
