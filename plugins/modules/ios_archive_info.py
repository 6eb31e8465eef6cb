# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action ios_archive_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ios_archive_info
short_description: Report on the archive of device configurations
version_added: 0.1.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Says for each device what the archive holds, when it was last read whole, whether its running configuration is saved on
    the device, and what went wrong last. Reads the archive only.
attributes:
  check_mode:
    description: Changes nothing anyway.
    support: full
  diff_mode:
    description: Changes nothing.
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
  hosts:
    description: Inventory names that are expected in it. A device that only the archive knows is reported as V(retired).
    type: list
    elements: str
    default: []
seealso:
  - module: lycee.openerp.ios_backup
"""

EXAMPLES = r"""
- name: How do the devices stand
  lycee.openerp.ios_archive_info:
    archive: /var/backups/lycee/network
    hosts: "{{ groups['network'] }}"
  run_once: true
  register: network

- name: Show it
  ansible.builtin.debug:
    var: network.table
  run_once: true
"""

RETURN = r"""
devices:
  description:
    - One entry per device, sorted by name, with its RV(ignore:host), state (V(ok), V(failed), V(never) or V(retired)), model,
      serial, ios_version, captured_at, last_success (ISO 8601, UTC), age_s, unsaved_changes and msg.
  returned: success
  type: list
  elements: dict
table:
  description: The same as lines of text.
  returned: success
  type: list
  elements: str
json:
  description: RV(devices) as JSON text.
  returned: success
  type: str
"""
