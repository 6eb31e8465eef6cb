# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action ios_backup."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ios_backup
short_description: Back up the configurations of Cisco IOS devices, proven complete
version_added: 0.1.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Fetches in one session the running and the startup configuration of a device and what is needed to rebuild it
    (version, inventory, VLANs, VTP, interfaces, CDP neighbours, files of the flash memory), and keeps them in an archive.
  - A configuration has to fulfil a completeness contract. It ends with C(end), has the size that the device announced, the
    hostname of the prompt and no trace of the pager, of a log message or of a refusal, and is not far smaller than the last
    one. One that does not is kept aside and is a failed task, and the last good one stays.
  - Configurations are stored as the device sent them, line ends being LF, in files of mode 0600 that are replaced as a
    whole. They are compared without the lines that change by themselves, and a file is only replaced when that text differs.
  - The device is only read. Nothing is committed; M(lycee.openerp.ios_archive) does that once per run.
attributes:
  check_mode:
    description: Reads and compares, and writes nothing.
    support: full
  diff_mode:
    description: Shows the normalised difference with a keyed fingerprint in the place of each secret.
    support: full
  action:
    description: Runs on the controller; nothing is needed on the device.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  archive:
    description: Folder of the archive, one per inventory. It is made with mode 0700.
    type: path
    required: true
  captures:
    description: What is fetched. A command that the device does not know is named in RV(unsupported).
    type: list
    elements: str
    choices: [running-config, startup-config, version, inventory, vlan, vtp, interfaces, cdp, flash]
    default: [running-config, startup-config, version, inventory, vlan, vtp, interfaces, cdp, flash]
  hosts:
    description:
      - Back up these hosts of the inventory from this one task, each with its own connection variables, instead of the
        task's host. Use it with C(run_once) for large parks.
      - A device that fails makes the task fail at the end and is named; the others are saved.
    type: list
    elements: str
  workers:
    description: How many devices at once, with O(hosts).
    type: int
    default: 50
  processes:
    description: Over how many processes O(workers) are spread; the number of cores when 0.
    type: int
    default: 0
  minimum_ratio:
    description: A configuration smaller than this share of the last one is refused.
    type: float
    default: 0.5
  force:
    description: Believe a configuration of any size, for a device that was really emptied.
    type: bool
    default: false
  volatile:
    description: Regular expressions for further lines of a configuration that are no change when the whole line matches.
    type: list
    elements: str
    default: []
seealso:
  - plugin: lycee.openerp.netmiko
    plugin_type: connection
  - module: lycee.openerp.ios_archive
"""

EXAMPLES = r"""
- name: Back up each device
  lycee.openerp.ios_backup:
    archive: /var/backups/lycee/network

- name: Back up a large park from one task
  lycee.openerp.ios_backup:
    archive: /var/backups/lycee/network
    hosts: "{{ ansible_play_hosts }}"
    workers: 50
  run_once: true
"""

RETURN = r"""
host:
  description: Inventory name of the device.
  returned: without O(hosts)
  type: str
  sample: sw-salle1
device:
  description: What identifies the device; an empty string where it did not say.
  returned: success, without O(hosts)
  type: dict
  sample:
    hostname: sw-salle1
    model: WS-C2960-24TT-L
    serial: FOC1234X0AB
    ios_version: 15.0(2)SE6
    image: flash:/c2960-lanbasek9-mz.150-2.SE6.bin
folder:
  description: Folder of the device in the archive.
  returned: success, without O(hosts)
  type: str
files:
  description: The captured files, with their size in bytes and whether their normalised text has changed.
  returned: success, without O(hosts)
  type: list
  elements: dict
changed_files:
  description: Names of the files whose normalised text has changed.
  returned: success, without O(hosts)
  type: list
  elements: str
unsupported:
  description: Captures whose command the device does not know.
  returned: success, without O(hosts)
  type: list
  elements: str
unsaved_changes:
  description: Whether running and startup configuration differ; null when not both were fetched.
  returned: success, without O(hosts)
  type: bool
partial:
  description: File that keeps a configuration that broke the contract.
  returned: when a configuration was refused, without O(hosts)
  type: str
duration_s:
  description: Seconds that the device took.
  returned: without O(hosts)
  type: float
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
