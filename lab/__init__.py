# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated school: real protocols, played on one Linux machine.

``python -m lab up`` reads an Ansible inventory and plays its devices. The lab never imports the product and the product
never imports the lab, so that a mistake shared by both cannot prove itself right.
"""
