# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action openerp_config."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openerp_config
short_description: Change options of openerp-server.conf or openerp-web.cfg and lose nothing else of the file
version_added: 0.4.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Reads the file as the program does (Python 2's ConfigParser, or CherryPy's), changes what differs, and keeps comments, unknown options
    and bytes of all other lines.
  - Refuses a value that the program would read as another one, such as one with C(%() or C( ;) in it.
  - Restarts the service only when something changed, and proves it by a real answer of the databases' list. When there is none, the former
    file is put back and the service is started with it.
  - Repairs what a setup leaves behind in another folder, a C(db_password) of the installer.
attributes:
  check_mode:
    description: Reads and compares, and says what would change.
    support: full
  diff_mode:
    description: Shows what changes, secrets hidden.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.openerp
options:
  program:
    description: Whose file, C(openerp-server.conf) beside the server's program or C(doc\\openerp-web.cfg) of the web client.
    type: str
    choices: [server, web]
    default: server
  options:
    description:
      - Options and their values; an empty YAML value (null) takes one out of the file.
      - Of the web client the values are those of Python, so a number stays a number and a text gets its quotes.
    type: dict
    required: true
  restart:
    description: Restart the service when something changed.
    type: bool
    default: true
  timeout:
    description: Seconds that the service may take to stop, to start and to answer.
    type: int
    default: 120
"""

EXAMPLES = r"""
- name: The database password of this school
  lycee.openerp.openerp_config:
    options:
      db_password: "{{ vault_postgresql_password }}"
      logfile: C:\cygwin\var\log\openerp-server.log
  no_log: true
"""

RETURN = r"""
path:
  description: The file.
  returned: always
  type: str
changes:
  description: Option to what was there and what is now, secrets hidden.
  returned: always
  type: dict
restarted:
  description: Whether the service was restarted.
  returned: always
  type: bool
"""
