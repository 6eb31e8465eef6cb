# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration commands, in the notation of grammar.py.

Sources: Cisco IOS command references; Catalyst 2960 Software Configuration Guide 12.2(55)SE and 15.0(2)SE; the words
found in the configurations of real devices. ``lab`` marks what IOS knows and the lab does not play.
"""

GLOBAL = """
hostname / <word>
end : end
exit : exit
do <line> : do
default interface <int> : default_interface
default <line> : default
interface <int> : mode config-if
interface range <line> : range
line console|aux <0-189> : mode config-line
line vty <0-15> <0-15>? : mode config-line
line <0-189> <0-189>? : mode config-line
enable secret / 0|4|5|8|9 <word> : secret
enable secret / <word> : secret
enable secret / level <1-15> <rest> : secret
enable password / 0|7 <word>
enable password / <word>
username <word> / password 0|7 <line> : user
username <word> / password <line> : user
username <word> / secret 0|4|5|8|9 <line> : user
username <word> / secret <line> : user
username <word> / privilege <0-15> : user
username <word> / privilege <0-15> password|secret <line> : user
username <word> / nopassword : user
banner motd|login|exec|incoming / <line> : banner
service pad|dhcp @on
service password-encryption @both
service timestamps log|debug / <rest>?
service <word> <rest>?
ip domain-lookup @on
ip domain lookup @on
ip domain-name / <word>
ip domain name / <word>
ip domain list|timeout|retry <rest>
ip name-server <ip>
ip name-server <ip> <rest> : name_server
ip host <word> <rest>
ip http server|secure-server @both
ip http access-class|authentication|port|timeout-policy|secure-port|help-path|path / <rest>
ip ssh version / <1-2>
ip ssh time-out / <1-120>
ip ssh authentication-retries / <0-5>
ip ssh source-interface / <int>
ip ssh logging|dh|client|server|port|rsa|pubkey-chain|maxstartups <rest>
ip scp server enable
ip default-gateway / <ip>
ip classless|subnet-zero @shown12
ip source-route @on
ip bootp server @on
ip gratuitous-arps @on
ip cef @both
ip routing @on
ip forward-protocol <rest>
ip route <ip> <ip> <rest>
ip access-list standard <word> : mode config-std-nacl
ip access-list extended <word> : mode config-ext-nacl
ip dhcp excluded-address <rest>
ip dhcp pool <word> : mode dhcp-config
ip dhcp snooping <rest>?
ip dhcp bootp|database|relay|use|conflict|ping|binding <rest>
ip tcp|igmp|arp|multicast|finger|icmp|ftp|tftp|radius|tacacs|sla|nat|telnet|options <rest>?
ip flow-export|flow-cache|inspect|local|pim|prefix-list|bgp-community|ospf|rcmd|wccp|device <rest>
ip vrf <word> : mode config-vrf
ipv6 cef|unicast-routing|source-route @both
ipv6 route|address|access-list|dhcp|router|icmp|mld|multicast-routing|host|nd|local <rest>
clock timezone / <word> <rest>
clock summer-time / <word> <rest>
clock save|initialize <rest>
logging <ip> / <rest>?
logging host <word> / <rest>?
logging buffered|trap|facility|source-interface|history|count|origin-id|queue-limit|rate-limit|userinfo / <rest>?
logging console|monitor|on|snmp-authfail|synchronous|event|file|exception|enable <rest>? @both
logging esm|discriminator|cns-events|reload|buginf|persistent|alarm|delimiter|message-counter|server-arp|listen <rest>?
snmp-server community <word> / <rest>?
snmp-server location|contact|chassis-id|packetsize|queue-length|trap-source / <line>
snmp-server host <word> <rest>
snmp-server enable traps <rest>?
snmp-server ifindex|group|user|view|engineID <rest>
snmp-server system-shutdown|tftp-server-list|source-interface|inform|trap|manager <rest>
ntp server <word> / <rest>?
ntp peer|logging|master|source|authenticate|authentication-key|trusted-key|access-group|update-calendar|broadcast|allow
ntp peer|master|source|authentication-key|trusted-key|access-group|allow <rest>
ntp clock-period / <rest>
access-list <1-2799> deny|permit|remark|dynamic <line>
cdp run @on
cdp timer|holdtime|advertise-v2|source-interface|log|tlv / <rest>?
lldp run
lldp timer|holdtime|reinit|tlv-select / <rest>
aaa new-model @both
aaa group server radius|tacacs+ <word> : mode config-sg
aaa authentication|authorization|accounting|session-id|local|cache|server|attribute|user|max-sessions <rest>
login on-failure|on-success|block-for|delay|quiet-mode <rest>?
crypto key generate rsa : rsa
crypto key generate rsa general-keys : rsa
crypto key generate rsa modulus <360-4096> : rsa
crypto key generate rsa general-keys|usage-keys modulus <360-4096> : rsa
crypto key zeroize rsa : zeroize
crypto key <rest> : lab
crypto pki trustpoint <word> : mode ca-trustpoint
crypto pki certificate chain <word> : mode config-cert-chain
crypto pki authenticate|enroll|import|export|profile|server|token|benchmark|crl|cert-map <rest>? : lab
crypto isakmp|ipsec|map|dynamic-map|ca|engine|keyring|identity|gdoi|call|mib|logging|ikev2|vpn <rest> : lab
boot system|config-file|enable-break|manual|private-config-file <rest>?
boot buffersize|helper|host|network|bootldr|auto-copy-sw <rest>?
boot-start-marker|boot-end-marker : nothing
version <rest> : nothing
alias exec|configure|interface <word> <line>
privilege exec|configure|interface <rest>
archive : mode config-archive
spanning-tree mode / mst|pvst|rapid-pvst
spanning-tree portfast default
spanning-tree portfast bpduguard|bpdufilter|edge|trunk / <rest>?
spanning-tree extend / system-id
spanning-tree loopguard|etherchannel|backbonefast|uplinkfast|logging|pathcost|transmit|mst <rest>?
spanning-tree vlan <word> priority / <0-61440>
spanning-tree vlan <word> root / primary|secondary <rest>?
spanning-tree vlan <word> forward-time|hello-time|max-age / <1-40>
spanning-tree vlan <word> @on
errdisable recovery cause|interval <rest>
errdisable detect cause <rest>
tacacs-server|radius-server|tacacs|radius <rest>
route-map <rest> : mode config-route-map
router rip : mode config-router
router ospf|eigrp|bgp <1-65535> : mode config-router
control-plane : mode config-cp
redundancy : mode config-red
multilink bundle-name <rest>
license udi|boot|accept|agent|install|feature <rest>
memory-size|scheduler|memory|exception|process <rest>?
buffers|platform|parser|warm-reboot|hw-module|network-clock-participate <rest>?
class-map <rest> : mode config-cmap
policy-map <word> : mode config-pmap
event <rest> : lab
kron|track|key|object-group|voice|dial-peer|ephone <rest> : lab
ephone-dn|telephony-service|bridge|standby|mgcp|macro|eou|mac <rest> : lab
prompt|dot1x|vrf|tftp-server|rmon|ssh|stackwise <rest> : lab
identity|cns|configuration|define|fallback|setup|media-proxy <rest> : lab
"""
GLOBAL_SWITCH = """
vlan <word> : vlan
vlan internal allocation policy / ascending|descending
vlan dot1q tag native
vtp mode / server|client|transparent|off : vtp_mode
vtp domain / <word> : vtp_domain
vtp version|password|pruning|file|interface <rest>? : lab
system mtu / <1500-1998>
system mtu routing|jumbo / <1500-9198>
system <word> <rest> : lab
mls qos
mls qos <rest>
port-channel load-balance / <rest>
switch <1-9> <rest> : lab
auto qos|global-mgmt <rest> : lab
monitor session <rest>
sdm prefer <rest> : lab
udld enable|aggressive
vstack @both
file verify auto @on
authentication|dot1x|device-sensor|power|storm-control|psp|cluster|link <rest> : lab
"""
INTERFACE = """
description / <line>
shutdown
switchport mode / access|trunk
switchport mode / dynamic auto|desirable
switchport access vlan / <1-4094> : access_vlan
switchport voice vlan / <word>
switchport nonegotiate
switchport protected|block <rest>?
switchport trunk encapsulation / dot1q
switchport trunk native vlan / <1-4094>
switchport trunk allowed vlan / <word> : allowed_vlan
switchport trunk allowed vlan / add|remove|except <word> : allowed_vlan
switchport trunk pruning vlan / <rest>
switchport port-security
switchport port-security maximum|violation|aging|mac-address|limit <rest>
switchport backup|host|priority|private-vlan|autostate <rest>?
ip address / <ip> <ip> @both
ip address / dhcp @both
ip address <ip> <ip> secondary
ip helper-address <ip>
ip access-group <word> / in|out
ip nat inside|outside
ip mtu|ospf|policy|tcp|arp|dhcp|verify|inspect|accounting|flow|virtual-reassembly|vrf|summary-address|pim|igmp <rest>?
ip proxy-arp|redirects|unreachables|mask-reply|route-cache|split-horizon|directed-broadcast @on
ipv6 address|enable|nd|mtu|ospf|dhcp|traffic-filter|unreachables|redirects|tcp <rest>?
encapsulation dot1Q / <1-4094> <rest>?
encapsulation / ppp|hdlc|frame-relay
standby <0-255> ip / <rest>?
standby <0-4095> priority|preempt|timers|authentication|track|name|mac-address|follow / <rest>?
standby ip|version|preempt|priority|delay|timers|authentication|redirect|use-bia / <rest>?
channel-group <1-48> / mode active|passive|on|auto|desirable
channel-protocol / lacp|pagp
spanning-tree portfast /
spanning-tree portfast / trunk|disable|edge|network
spanning-tree bpduguard|bpdufilter / enable|disable
spanning-tree guard / loop|none|root
spanning-tree cost|port-priority|link-type / <rest>
spanning-tree mst|vlan <rest>
duplex / auto|full|half
speed / 10|100|1000|auto|nonegotiate
speed / auto <rest>
mdix auto @on
cdp enable @on
lldp transmit|receive @on
keepalive / @on
keepalive / <0-32767>
bandwidth|delay|mtu|load-interval|carrier-delay|hold-queue|snmp|storm-control|mls|service-policy|clock|crypto / <rest>
media-type|priority-queue|srr-queue|power|udld|macro|authentication|dot1x|mab|flowcontrol|negotiation|tunnel / <rest>?
fair-queue|full-duplex|half-duplex|peer|ppp|pppoe|dialer <rest>?
dialer-group|vrf|bridge-group|logging|arp|auto|fail-over <rest>?
exit : exit
end : end
do <line> : do
default interface <int> : default_interface
default <line> : default
"""
LINE = """
login / local
login / authentication <word>
login / @both
password / 0|7 <word>
password / <line>
transport input|output|preferred / <rest>
exec-timeout / <0-35791> <rest>?
logging synchronous / <rest>?
privilege level / <0-15>
access-class <word> / in|out
access-class <word> in / vrf-also
history size / <0-256>
length / <0-512>
width / <0-512>
stopbits|speed|databits|flowcontrol|session-timeout|absolute-timeout|logout-warning|rotary|escape-character / <rest>
exec|motd-banner|exec-banner|editing|vacant-message|activation-character @on
accounting|authorization|ipv6|autocommand|location|modem|monitor|rxspeed|txspeed|parity|autoselect|script <rest>?
exec prompt <rest>
exit : exit
end : end
do <line> : do
default interface <int> : default_interface
default <line> : default
"""
VLAN = """
name / <line> : vlan_name
state|shutdown|mtu|remote-span|private-vlan|media|said|backupcrf|bridge|parent|ring|stp|tb-vlan1|are|ste <rest>? : lab
exit : exit
end : end
do <line> : do
"""
# Modes whose lines are only kept: the first word has to be one that the mode knows.
LISTS = {
    "config-router": """network|neighbor|redistribute|passive-interface|default-information|default-metric|auto-summary
        version|timers|distance|area|router-id|maximum-paths|bgp|address-family|log-adjacency-changes|summary-address
        distribute-list|eigrp|aggregate-address|synchronization|auto-cost|metric|variance|offset-list""",
    "dhcp-config": """network|default-router|dns-server|domain-name|lease|host|hardware-address|client-identifier|option
        bootfile|next-server|netbios-name-server|netbios-node-type|client-name|import|class|update|vrf|utilization""",
    "config-std-nacl": "permit|deny|remark",
    "config-ext-nacl": "permit|deny|remark|evaluate|dynamic",
    "ca-trustpoint": """enrollment|subject-name|revocation-check|rsakeypair|fqdn|serial-number|ip-address|usage|crl|hash
        auto-enroll|password|primary|regenerate|storage|subject-alt-name|source|vrf""",
    "config-cert-chain": "crl",
    "config-archive": "path|maximum|write-memory|time-period|log|rollback",
    "config-vrf": "rd|route-target|description|import|export|maximum|route-replicate|vpn|address-family",
    "config-route-map": "match|set|description|continue",
    "config-cmap": "match|description|rename",
    "config-pmap": "class|description|bandwidth|priority|police|shape|queue-limit|set|service-policy|random-detect",
    "config-sg": "server|server-private|ip|deadtime|attribute|authorization|accounting|backoff|load-balance",
    "config-cp": "service-policy|host|transit|cef-exception|mgcp|voice",
    "config-red": "mode|main-cpu|application|policy",
}  # fmt: skip
