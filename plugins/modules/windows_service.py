# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action windows_service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_service
short_description: Manage a Windows service without PowerShell
version_added: 0.2.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Brings state, start mode, account and recovery of a service to what is wanted, and reads each back.
  - A password travels in a sealed WMI message only, never on a command line.
attributes:
  check_mode:
    description: Reads and compares, and says what would change.
    support: full
  diff_mode:
    description: Shows what changes, without the password.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  name:
    description: Short name of the service.
    type: str
    required: true
  state:
    description: V(restarted) restarts it always.
    type: str
    choices: [started, stopped, restarted]
  start_mode:
    description: When Windows starts it.
    type: str
    choices: [auto, manual, disabled]
  account:
    description:
      - Account that it runs as, V(LocalSystem), V(NetworkService), V(LocalService), V(.\\NAME) or V(DOMAIN\\NAME). It counts from
        the next start on; a service that runs is restarted unless O(state=stopped).
    type: str
  password:
    description:
      - Password of O(account), when that is a real account. It is set when the account changes, since Windows never tells the
        one that it has.
    type: str
  update_password:
    description:
      - V(always) sets O(password) in each run, which is always a change, after it was changed elsewhere. The account needs the right
        to log on as a service; Windows grants it in its own dialogue of the service, or by C(ntrights).
    type: str
    choices: [on_change, always]
    default: on_change
  recovery:
    description: What Windows does when it ends by itself, for the first, the second and all later times.
    type: dict
    suboptions:
      reset:
        description: Seconds without a failure after which they are counted anew.
        type: int
        default: 86400
      actions:
        description: One entry per failure.
        type: list
        elements: dict
        required: true
        suboptions:
          type:
            description: What is done.
            type: str
            choices: [none, restart, reboot]
            required: true
          delay:
            description: Milliseconds before it is done.
            type: int
            default: 60000
  timeout:
    description: Seconds that a start or a stop may take.
    type: float
    default: 120
seealso:
  - module: lycee.openerp.windows_info
"""

EXAMPLES = r"""
- name: Start the server at boot, and again when it ends by itself
  lycee.openerp.windows_service:
    name: openerp-server-6.0
    state: started
    start_mode: auto
    recovery:
      actions:
        - type: restart
          delay: 60000
"""

RETURN = r"""
service:
  description: The service as it was read back.
  returned: success
  type: dict
  sample:
    name: openerp-server-6.0
    display_name: OpenERP Server 6.0
    state: Running
    start_mode: Auto
    account: LocalSystem
    path: '"C:\\Program Files\\OpenERP 6.0\\Server\\service\\OpenERPServerService.exe"'
    process_id: 1234
"""
