# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action windows_command."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_command
short_description: Run a program on a Windows host without PowerShell
version_added: 0.2.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Runs one program, named by its full path, with a list of arguments that arrive as they are given. cmd.exe takes no part where the
    host can leave it out, and changes nothing where it cannot.
  - Real WinRM may report 0 for a program that says nothing, whatever its exit code was. Look at the state, not at RV(rc) alone.
attributes:
  check_mode:
    description: The program is not run.
    support: none
  diff_mode:
    description: A program shows no difference.
    support: none
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  argv:
    description: The program's full path, and its arguments. A per cent sign or a line end cannot be protected and is refused.
    type: list
    elements: str
    required: true
  stdin:
    description: Text that it reads, encoded by the code page of the shell.
    type: str
  timeout:
    description: Seconds after which it is terminated.
    type: float
    default: 120
  success_codes:
    description: Exit codes that are no failure.
    type: list
    elements: int
    default: [0]
  hosts:
    description:
      - Run it on these hosts of the inventory from this one task, each with its own connection variables, instead of on the task's
        host. Use it with C(run_once) for hundreds of PCs.
      - A host that fails makes the task fail at the end and is named; the others are done.
    type: list
    elements: str
  workers:
    description: How many hosts at once, with O(hosts).
    type: int
    default: 20
  processes:
    description: Over how many processes O(workers) are spread; the number of cores when 0.
    type: int
    default: 0
seealso:
  - module: lycee.openerp.windows_info
"""

EXAMPLES = r"""
- name: How is the service doing
  lycee.openerp.windows_command:
    argv: ['C:\Windows\System32\sc.exe', queryex, openerp-server-6.0]
  changed_when: false

- name: On all PCs from one task
  lycee.openerp.windows_command:
    argv: ['C:\\Windows\\System32\\hostname.exe']
    hosts: "{{ ansible_play_hosts }}"
  run_once: true
"""

RETURN = r"""
rc:
  description: Exit code.
  returned: when it was run
  type: int
stdout:
  description: Standard output, line ends LF.
  returned: when it was run
  type: str
stderr:
  description: Standard error, line ends LF.
  returned: when it was run
  type: str
results_by_host:
  description: The fields above for each host.
  returned: with O(hosts)
  type: dict
failed_hosts:
  description: Names of the hosts that failed.
  returned: with O(hosts)
  type: list
  elements: str
"""
