# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action windows_scheduled_task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_scheduled_task
short_description: Manage a task that a Windows host starts at boot, without PowerShell
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Gives the Task Scheduler a task as XML by C(schtasks), and compares what it shows of it, so that the language of Windows plays no part.
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
    description: Name of the task, in the root folder of the scheduler.
    type: str
    required: true
  description:
    description: Description of the task.
    type: str
  command:
    description: Full path of the program. It is needed for O(state=present).
    type: str
  arguments:
    description: Arguments of the program, as they stand on its command line.
    type: str
  boot:
    description: When the program is started after Windows has. Without it, once and at once.
    type: dict
    suboptions:
      delay:
        description: Seconds until the first start.
        type: int
        default: 0
      interval:
        description: Seconds between two starts, 60 at least. V(0) is one start.
        type: int
        default: 0
      duration:
        description: Seconds for which it is started again and again. V(0) is without end.
        type: int
        default: 0
  user:
    description: Account that it runs as. These need no password. V(SYSTEM) is the computer itself on the network of a domain.
    type: str
    choices: [SYSTEM, LOCAL SERVICE, NETWORK SERVICE]
    default: SYSTEM
  time_limit:
    description: Seconds after which one run is ended. V(0) is never.
    type: int
    default: 3600
  enabled:
    description: Whether the scheduler starts it.
    type: bool
    default: true
  state:
    description: Whether the task exists.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Look at boot whether this server may start PostgreSQL
  lycee.openerp.windows_scheduled_task:
    name: lycee.openerp start
    command: C:\Windows\System32\cmd.exe
    arguments: /c C:\ProgramData\lycee.openerp\start.cmd
    boot:
      delay: 60
      interval: 60
      duration: 3600
"""

RETURN = r"""
task:
  description: The task as it was read back; in check mode, as it would be. Times are seconds, the user is a SID.
  returned: success
  type: dict
  sample:
    command: C:\Windows\System32\cmd.exe
    arguments: /c C:\ProgramData\lycee.openerp\start.cmd
    user: S-1-5-18
    description: ""
    delay: 60
    interval: 60
    duration: 3600
    time_limit: 3600
    enabled: true
    other: []
"""
