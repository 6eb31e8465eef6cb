# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action ios_archive."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ios_archive
short_description: Commit the archive of device configurations
version_added: 0.1.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Commits in one commit whatever M(lycee.openerp.ios_backup) has stored and no commit holds yet, also what an interrupted
    run left. The message names the devices and the lines added and removed in each file. When nothing differs nothing is
    committed. Run it once per run, in a play of its own without C(serial).
  - The archive is a plain git repository of mode 0700. One with a remote is refused, since it holds every secret of the
    network. History is never rewritten.
  - Removes partial captures that have become old, and makes a redacted copy where O(export_dir) is given. Only that copy
    may leave the machine.
attributes:
  check_mode:
    description: Says what would be committed, exported and removed.
    support: full
  diff_mode:
    description: The differences are shown by M(lycee.openerp.ios_backup), which stores them.
    support: none
  action:
    description: Runs on the controller, without a connection.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  archive:
    description: Folder of the archive.
    type: path
    required: true
  partial_keep_days:
    description: Days after which a partial capture is removed.
    type: float
    default: 30
  export_dir:
    description: Folder in which redacted copies are made, each in a folder of its own that is named by its time.
    type: path
  export_keep_days:
    description: Days after which a redacted copy is removed.
    type: float
    default: 365
  export_keep_minimum:
    description: That many newest copies are kept whatever their age.
    type: int
    default: 3
  encoding:
    description: Encoding of the archived files; that of the connection.
    type: str
    default: latin-1
seealso:
  - module: lycee.openerp.ios_backup
  - module: lycee.openerp.ios_archive_info
"""

EXAMPLES = r"""
- name: Commit what this run has stored
  lycee.openerp.ios_archive:
    archive: /var/backups/lycee/network
    export_dir: /var/backups/lycee/network-redacted
  run_once: true
"""

RETURN = r"""
archive:
  description: Folder of the archive.
  returned: success
  type: str
commit:
  description: Name of the commit; empty when nothing was committed.
  returned: success
  type: str
  sample: 4ca259576c96a2a1a3fdd85f3f6b9b7a3b0f9c1e
devices:
  description: Devices that the commit names, or would name.
  returned: success
  type: list
  elements: str
commit_message:
  description: The whole message of the commit.
  returned: success
  type: str
removed_partials:
  description: Partial captures that were removed.
  returned: success
  type: list
  elements: str
export:
  description: The newest redacted copy.
  returned: when O(export_dir) is given
  type: str
removed_exports:
  description: Redacted copies that were removed.
  returned: when O(export_dir) is given
  type: list
  elements: str
"""
