# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linux hosts: a real rsync daemon, removable disks, a real SSH server, a real PostgreSQL, each when the inventory asks for it."""
