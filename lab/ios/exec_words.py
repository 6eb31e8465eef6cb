# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exec commands, in the notation of grammar.py.

Source: Cisco IOS Configuration Fundamentals Command Reference. ``lab`` marks what IOS knows and the lab does not play.
"""

COMMON = """
enable : enable @user
enable <0-15> : enable @user
disable : disable @user
disable <0-15> : disable @user
exit : exit @user
logout : exit @user
quit : exit @user
help : help @user
configure terminal : configure
configure : configure_ask
configure memory|network|replace|overwrite-network|revert|confirm <rest>? : lab
terminal length <0-512> : terminal_length @user
terminal width <0-512> : terminal_width @user
terminal no monitor : nothing
terminal monitor : nothing
terminal history size <0-256> : nothing @user
terminal history : nothing @user
terminal no history|editing : nothing @user
terminal editing : nothing @user
show running-config : show_run
show running-config all|brief|full|linenum|view|vlan|map-class <rest>? : lab
show running-config interface <int> : show_run_interface
show configuration : show_start
show startup-config : show_start
show version : show_version @user
show inventory : show_inventory @user
show inventory raw|oid : lab @user
show ip interface brief : show_ip_brief @user
show ip interface <int>? : lab @user
show ip route|arp|ssh|protocols|nat|ospf|dhcp|access-lists|http <rest>? : lab @user
show interfaces description : show_description @user
show interfaces <int> : lab @user
show interfaces : lab @user
show cdp neighbors : show_cdp @user
show cdp neighbors detail : show_cdp_detail @user
show cdp neighbors <int> : lab @user
show cdp : show_cdp_global @user
show clock : show_clock @user
show clock detail : lab @user
show users : show_users @user
show privilege : show_privilege @user
show history : show_history @user
show flash: : dir
show file systems : lab
show boot : show_boot
show logging|tech-support|processes|memory|archive|arp|controllers|debugging|diag|ntp|snmp|spanning-tree|ssh : lab
show license|standby|etherchannel|access-lists|line|protocols|reload|aliases|hosts|banner|redundancy <rest>? : lab @user
show spanning-tree|mac|logging|processes|file|ntp|snmp|ssh|tech-support|archive|crypto|terminal|lldp <rest>? : lab
dir : dir
dir /all|/recursive : dir
dir <word> : dir
dir /all <word> : dir
verify /md5 <word> : verify
verify /md5 <word> <word> : verify
verify <word> : lab
more <word> : more
delete <word> : delete
delete /force <word> : delete_force
write : write
write memory : write
write erase : erase
write terminal : show_run
write core|network : lab
erase startup-config|nvram: : erase
erase <word> : lab
copy <word> <word> : copy
copy /noverify|/verify|/erase <rest> : lab
reload : reload
reload at|in|cancel|reason|warm <rest>? : lab
clear|debug|undebug|test|monitor|archive|crypto|tclsh <rest>? : lab
setup|lock|login|release|renew|send|rename|mkdir|rmdir <rest>? : lab
connect|resume|where|rlogin|ssh|telnet|traceroute|ping|tunnel|systat|name-connection|mrinfo|mtrace <rest>? : lab @user
clock|access-enable|access-template|cd|pwd|call|cns|disconnect|format|fsck|name-connection|pad|ppp|set <rest>? : lab
rsh|slip|squeeze|start-chat|undelete|upgrade|which-route|x28|x3|beep|event|if-mgr|ip|lat|tn3270|udptn <rest>? : lab
no <rest> : lab
"""
SWITCH = """
show vlan : show_vlan @user
show vlan brief : show_vlan_brief @user
show vlan id <1-4094> : show_vlan_id @user
show vlan name|summary|internal|remote-span|private-vlan|mtu <rest>? : lab @user
show vtp status : show_vtp @user
show vtp counters|password|devices|interface : lab @user
show interfaces status : show_int_status @user
show interfaces status err-disabled : lab @user
show interfaces switchport|trunk|counters <rest>? : lab @user
show mls|port-security|power|dtp|udld|storm-control|errdisable <rest>? : lab @user
vlan database : lab
archive download-sw <rest>? : lab
"""
# A 2901 knows VLANs only with an EtherSwitch module: "show vlan" stops at the b of brief, show vtp status exists.
ROUTER = """
show vlans : lab @user
show vtp status : show_vtp @user
show platform|environment|voice|dial-peer|ephone <rest>? : lab @user
"""
