# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action windows_file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_file
short_description: Write a file on a Windows host without PowerShell
version_added: 0.2.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Brings a file to the wanted bytes. The file is replaced as a whole, its hash is read back, and a copy of the former one is kept
    where that is asked.
  - A template is rendered by P(ansible.builtin.template#lookup).
attributes:
  check_mode:
    description: Reads and compares, and writes nothing.
    support: full
  diff_mode:
    description: Shows the difference of text files, unless O(sensitive=true).
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  dest:
    description: Full path of the file.
    type: str
    required: true
  content:
    description: Text of the file.
    type: str
  src:
    description: File on the controller whose bytes are wanted.
    type: path
  state:
    description: Whether the file exists. V(directory) makes a folder, with those above it, and never removes one.
    type: str
    choices: [present, absent, directory]
    default: present
  encoding:
    description: Encoding of O(content), by its name in Python. Old programs of Western Windows read V(cp1252).
    type: str
    default: utf-8
  newline:
    description: Line ends of O(content).
    type: str
    choices: [crlf, lf, keep]
    default: crlf
  backup:
    description: Keep the former file beside the new one, its name ending in the time and C(.bak).
    type: bool
    default: false
  sensitive:
    description: The file holds secrets, so O(content) is not shown in a diff. Set C(no_log) on the task as well.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Write a configuration
  lycee.openerp.windows_file:
    dest: C:\Program Files\Example\example.cfg
    content: "{{ lookup('ansible.builtin.template', 'example.cfg.j2') }}"
    encoding: cp1252
    backup: true
"""

RETURN = r"""
dest:
  description: Full path of the file.
  returned: success
  type: str
backup_file:
  description: Full path of the copy of the former file.
  returned: when a copy was kept
  type: str
size:
  description: Size of the file in bytes.
  returned: when it exists
  type: int
"""
