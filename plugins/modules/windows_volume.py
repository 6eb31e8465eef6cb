# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action windows_volume."""

from __future__ import annotations

DOCUMENTATION = r"""
module: windows_volume
short_description: Mount a disk in a folder of a Windows host without PowerShell
version_added: 0.5.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Brings a disk online, makes a volume on a blank one, and mounts it in a folder, by C(diskpart) and C(mountvol). What is there is read by WMI,
    before and after.
  - A disk that holds anything is never formatted, unless O(erase) names it by number and by name. Disk 0 and the disk of the system are
    never touched.
attributes:
  check_mode:
    description: Reads and compares, and says what would change. What is on a disk that is offline is seen only when it is online.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
  action:
    description: Runs on the controller, over WinRM. Neither PowerShell nor Python is needed on the host.
    support: full
extends_documentation_fragment:
  - lycee.openerp.attributes
options:
  disk:
    description: Number of the disk, as the disk management of Windows shows it. Disks that are added or taken out may change it.
    type: int
    required: true
  serial:
    description: Serial number that the disk has to have, as this module returns it; else nothing is done. Some disks tell none.
    type: str
  size_gb:
    description: Size that the disk has to have, in units of 1,000,000,000 bytes, within 5 per cent; else nothing is done.
    type: float
  mount:
    description:
      - Full path of the folder in which the volume is mounted, in ASCII. It is made when it does not exist, and has to be empty.
      - Needed for O(state=mounted) and O(state=unmounted).
    type: str
  label:
    description:
      - Label of the volume, in ASCII. A new volume gets it; a volume that has it already is mounted and keeps its contents; a volume
        in O(mount) that has another is refused.
    type: str
  format:
    description: Whether a blank disk gets one partition with an empty NTFS.
    type: bool
    default: false
  erase:
    description:
      - The disk whose data are to be lost, when O(format=true) and no volume on it fits - its number, a blank, and its serial number or the
        label of a volume on it, as in V(1 COMPTA). A volume in O(mount), or with O(label), is never erased.
    type: str
  state:
    description:
      - V(mounted) has the volume in O(mount).
      - V(unmounted) takes it out of O(mount); the data stay on the disk.
      - V(online) brings back a disk that was taken out or failed; its volume returns to its folder by itself, and with O(mount) that is
        waited for.
      - V(offline) takes the disk offline, whatever uses it.
    type: str
    choices: [mounted, unmounted, online, offline]
    default: mounted
  timeout:
    description: Seconds until what was done has to be seen.
    type: float
    default: 120
"""

EXAMPLES = r"""
- name: The second disk in the folder of OpenERP
  lycee.openerp.windows_volume:
    disk: 1
    size_gb: 80
    label: replicat
    mount: C:\Program Files\replicat
    format: true

- name: The disk is back
  lycee.openerp.windows_volume:
    disk: 1
    mount: C:\Program Files\replicat
    label: replicat
    state: online
"""

RETURN = r"""
disk:
  description: The disk as it was read back; in check mode, as it is. A disk that is offline has no volumes.
  returned: success
  type: dict
  sample:
    number: 1
    model: WDC WD800JD
    serial: WD-1
    size: 80023749120
    partitions: 1
    volumes:
      - id: \\?\Volume{5f3a6f5c-1c2d-11e3-8a5f-000c29a1b2c3}\
        label: replicat
        file_system: NTFS
        capacity: 80022073344
        free: 79930580992
        letter: ""
        folders:
          - C:\Program Files\replicat
"""
