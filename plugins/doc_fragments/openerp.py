# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of OpenERP share in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Options by which OpenERP and its PostgreSQL are reached."""

    DOCUMENTATION = r"""
options:
  openerp_host:
    description:
      - Address at which the controller reaches OpenERP's own ports. Their numbers are read from its configuration.
      - The address of the host by default.
    type: str
  login_user:
    description:
      - User of OpenERP who logs in to each database, as the proof that it serves. The answer that the password is wrong proves it as well.
      - By default the first user of each database, whose password OpenERP 6.0 keeps in clear there; it is read for this and shown nowhere.
    type: str
  login_password:
    description: Password of that user.
    type: str
  server_service:
    description: Short name of the server's service, where a host has several.
    type: str
  web_service:
    description: Short name of the web client's service, where a host has several.
    type: str
  database_host:
    description: Address of PostgreSQL, as seen from the host.
    type: str
    default: 127.0.0.1
  database_port:
    description: Port of PostgreSQL.
    type: int
    default: 5432
  database_user:
    description: Role that owns OpenERP's databases, a superuser as the installer makes it.
    type: str
    default: openpg
  database_password:
    description: Password of that role. It travels in sealed messages only.
    type: str
  database:
    description: The database from which the others are listed.
    type: str
    default: postgres
  service:
    description: Short name of the PostgreSQL service, where a host has several.
    type: str
  pg_bin:
    description: Folder of PostgreSQL's programs on the host; those of its service by default.
    type: str
    default: ""
  answer_timeout:
    description: Seconds that an answer of OpenERP may take. The first login on a large database loads all of it.
    type: int
    default: 180
"""
