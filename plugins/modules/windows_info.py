# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action windows_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_info
short_description: Read facts of a Windows host without PowerShell
version_added: 0.2.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Reads version, language, bitness, names, roles, disks and services of a Windows host by WMI over WS-Management, which gives the
    same words whatever language Windows speaks.
  - The probe tries on the host what no documentation could tell for old versions, so that an administrator knows before a job does.
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  gather:
    description: What is read. V(system) is one question, the others one or a few more each, V(probe) about a dozen.
    type: list
    elements: str
    choices: [system, roles, disks, services, tools, probe]
    default: [system]
"""

EXAMPLES = r"""
- name: What is this server
  lycee.openerp.windows_info:
  register: windows

- name: What can it do
  lycee.openerp.windows_info:
    gather: [system, roles, probe]
"""

RETURN = r"""
system:
  description:
    - version, product, service_pack, language (V(fr) or V(en)), language_id, ansi_code_page, shell_code_page, bitness,
      computer_name, domain, domain_member, domain_role and last_boot.
  returned: when asked for
  type: dict
roles:
  description: Installed roles and features, by number and (localized) name.
  returned: when asked for
  type: list
  elements: dict
disks:
  description: Local disks with letter, file_system, size and free in bytes.
  returned: when asked for
  type: list
  elements: dict
services:
  description: All services with name, display_name, state, start_mode, account, path and process_id.
  returned: when asked for
  type: list
  elements: dict
tools:
  description: Which programs are there that other jobs choose between.
  returned: when asked for
  type: dict
probe:
  description:
    - skip_cmd_shell (programs run without cmd.exe), code_page_65001 and code_page_850 (a shell of this code page answers),
      exit_code_of_silent_command (not lost), microsoftdfs (the WMI namespace is served), dfs_event_log (the log keeps its English
      name), os_architecture (WMI names it), certutil_sha256, and tools.
  returned: when asked for
  type: dict
"""
