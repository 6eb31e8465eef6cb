# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action openerp_install."""

from __future__ import annotations

DOCUMENTATION = r"""
module: openerp_install
short_description: Run OpenERP's setup of the server or the web client, and put back what it overwrites
version_added: 0.4.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Runs the separate setup silently in the folder where the program is already, compares its hash before, and puts the configuration and
    the settings of the service back byte for byte afterwards. A silent setup resets C(db_host), C(db_user), C(db_password), C(db_port) and
    C(logfile), and the service's account and start mode.
  - Installs afresh where there is nothing, and gives the configuration the database's real password, which a setup cannot be told.
  - The all-in-one setup is run on a server that has nothing yet, and refused on any other. It deletes PostgreSQL's folder with its data
    where Windows knows no installed PostgreSQL. PostgreSQL's superuser and OpenERP's configuration then get O(database_password), which
    the setup cannot be told.
  - Does not update databases and takes nothing back; M(lycee.openerp.openerp_upgrade) does.
attributes:
  check_mode:
    description: Reads and compares, looks whether the setup is the wanted one, and says what would change.
    support: full
  diff_mode:
    description: Shows the releases.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
  - lycee.openerp.openerp
options:
  program:
    description: What is installed. V(all) is the all-in-one setup, with PostgreSQL (since 0.5.0).
    type: str
    choices: [server, web, all]
    default: server
  release:
    description: The release that the setup brings.
    type: str
    required: true
  source:
    description:
      - The setup, as C(http://...), as C(\\\\server\\share\\file), as a full path on the host, or as a file of the controller.
    type: str
    required: true
  sha256:
    description: SHA-256 of the setup. Where the host's certutil knows SHA-1 only, the controller does the rest.
    type: str
    required: true
  folder:
    description: Where a fresh installation goes. An existing one stays where it is.
    type: str
  configuration:
    description: Options of a fresh installation's configuration, beside those of the database.
    type: dict
    default: {}
  work_folder:
    description:
      - Folder of the host for the setup, and for what a run that is cut would need. The same task then completes what was begun.
    type: str
    default: C:\Windows\Temp\lycee-install
  standby:
    description:
      - The host is the standby of a pair, whose PostgreSQL stands. The program is installed and left stopped; what proves it is Windows' own list
        of installed programs. While a connection of O(group) is enabled it is refused.
    type: bool
    default: false
    version_added: 0.5.0
  group:
    description: Name of the replication group of the pair.
    type: str
    default: OpenERP
    version_added: 0.5.0
  force:
    description: Run the setup where nobody can tell which release is there. Some setups write a constant into the registry.
    type: bool
    default: false
  copy_timeout:
    description: Seconds that the way of the setup to the host may take.
    type: int
    default: 3600
  setup_timeout:
    description: Seconds after which a setup is ended.
    type: int
    default: 1200
  timeout:
    description: Seconds that a service may take to stop, to start and to answer.
    type: int
    default: 180
"""

EXAMPLES = r"""
- name: The spare server gets OpenERP
  lycee.openerp.openerp_install:
    release: 6.0.4
    source: http://sauvegarde.lycee.example/openerp-server-setup-6.0.4.exe
    sha256: "{{ openerp_upgrade_server_sha256 }}"
    folder: C:\Program Files\OpenERP 6.0\Server
    database_password: "{{ vault_postgresql_password }}"
"""

RETURN = r"""
folder:
  description: Where the program is.
  returned: always
  type: str
from:
  description: Release that was there, empty for none.
  returned: always
  type: str
to:
  description: Release that is there now. The running server says it; of the web client Windows' registry, where it can be believed.
  returned: always
  type: str
put_back:
  description: Options of the configuration that the setup had changed.
  returned: when the setup was run
  type: list
  elements: str
"""
