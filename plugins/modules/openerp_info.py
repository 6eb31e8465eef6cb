# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action openerp_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openerp_info
short_description: Read what an OpenERP 6.0 server runs, serves, and has in its databases
version_added: 0.4.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Asks the running server, its databases, its web client, its configuration, its services and the registry. Changes nothing.
  - Healthy means that C(db.list) was answered and a login on each database too, with one retry. An open port proves nothing.
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  action:
    description: Runs on the controller, over WinRM and OpenERP's own ports. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.openerp
options:
  release:
    description: Release of which each database is asked whether it carries its data.
    type: str
    default: 6.0.4
  configuration:
    description: Options of C(openerp-server.conf) and the values that they should have; what differs is returned as drift.
    type: dict
    default: {}
seealso:
  - module: lycee.openerp.openerp_upgrade
"""

EXAMPLES = r"""
- name: Look at OpenERP
  lycee.openerp.openerp_info:
    database_password: "{{ vault_postgresql_password }}"
  register: openerp
"""

RETURN = r"""
version:
  description: Release of the running code; empty when it does not answer.
  returned: always
  type: str
  sample: 6.0.3
healthy:
  description: Whether it reaches its databases, and each of OpenERP's answered a login.
  returned: always
  type: bool
server:
  description: Service, folder, configuration file and registry values of the server; none when it is not installed.
  returned: always
  type: dict
web:
  description: The same of the web client.
  returned: always
  type: dict
listed:
  description: Databases that the server offers; none when it could not say.
  returned: always
  type: list
  elements: str
login_page:
  description: Databases that the login page of the web client offers; none when it could not say.
  returned: always
  type: list
  elements: str
databases:
  description:
    - Each database of PostgreSQL with C(name), C(size), C(owner), C(listed), C(login) (C(good), C(refused) or the fault), C(openerp),
      C(base_version), C(loaded) (whether the data of I(release) are there; none when nobody can tell), C(rows), C(updated), C(pending)
      (modules of an interrupted update), C(problem).
  returned: always
  type: list
  elements: dict
drift:
  description: Options that are not as wanted, with C(option), C(is) and C(wanted). Secrets are hidden.
  returned: always
  type: list
  elements: dict
postgresql_registered:
  description: Whether Windows knows an installed PostgreSQL. Where not, the all-in-one setup deletes PostgreSQL's data.
  returned: always
  type: bool
problems:
  description: A sentence for each thing that could not be read.
  returned: always
  type: list
  elements: str
"""
