# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are masked, changed secrets still show, and ordinary lines stay as they are."""

from __future__ import annotations

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.secrets import fingerprint, masker

from . import samples

KEY = b"0" * 32
SECRET = "hunter2secret"


@pytest.mark.parametrize(
    "line",
    [
        "enable secret 5 {}",
        "enable password {}",
        "enable secret level 7 5 {}",
        "username a password 0 {}",
        "username a privilege 15 secret 9 {}",
        "username a secret {}",
        " password 7 {}",
        " password {}",
        "snmp-server community {} RO 10",
        "snmp-server host 10.0.0.1 {}",
        "snmp-server host 10.0.0.1 version 2c {} config",
        "snmp-server host 10.0.0.1 traps version 3 auth {}",
        "snmp-server user u g v3 auth sha {} priv aes 128 {}",
        "tacacs-server host 10.0.0.1 key 7 {}",
        "radius-server key {}",
        "radius-server host 10.0.0.1 auth-port 1812 acct-port 1813 key 7 {}",
        " key 7 {}",
        "  key-string 7 {}",
        "crypto isakmp key {} address 10.0.0.2",
        "  pre-shared-key address 10.0.0.1 key {}",
        " ppp chap password 7 {}",
        " ppp pap sent-username u password 0 {}",
        "ntp authentication-key 1 md5 {} 7",
        " neighbor 10.0.0.2 password 7 {}",
        " ip ospf authentication-key {}",
        " ip ospf message-digest-key 1 md5 7 {}",
        " standby 1 authentication {}",
        " standby 1 authentication md5 key-string 7 {}",
        "vtp password {}",
        "ip ftp password 7 {}",
        " wpa-psk ascii 0 {}",
        "archive path ftp://user:{}@10.0.0.1/x",
        "boot system tftp://u:{}@10.0.0.1/image",
        " ospfv3 encryption ipsec spi 1001 esp null md5 0 {}",
        " anything at all $1$abcd${}",
        " server-key 7 {}",
        " pac key 7 {}",
        " nas 10.0.0.1 key 7 {}",
        " user u nthash 7 {}",
        " authentication remote pre-share key {}",
        "snmp-server user u g v3 auth sha x priv des56 {}",
        " ospfv3 encryption ipsec spi 256 esp aes-cbc 128 {} sha1 x",
        "area 0 authentication ipsec spi 256 md5 {}",
        " set session-key inbound esp 300 cipher x authenticator {}",
        "ip msdp password peer 10.0.0.1 {}",
        " sap pmk {} mode-list gcm-encrypt",
        "event manager environment _mail_password {}",
        ' action 1.0 mail server "user:{}@10.0.0.1" to "a@b"',
        "archive path scp://user:p@{}@10.0.0.1/x",
        " authentication text {}",
        " description uplink, password: {}",
        " description Wifi, mot de passe {}",
    ],
)
def test_secret_is_masked_and_a_changed_one_shows(line: str) -> None:
    mask = masker(KEY)
    masked, other = mask(line.replace("{}", SECRET)), mask(line.replace("{}", SECRET + "x"))
    assert SECRET not in masked
    assert masked != other
    assert masked.split()[0] == line.split(maxsplit=1)[0]


@pytest.mark.parametrize(
    "line",
    [
        "service password-encryption",
        "security passwords min-length 6",
        "key chain eigrp",
        " key 1",
        "aaa authentication login default group tacacs+ local",
        "ip bgp-community new-format",
        " description Salle 101, poste 03",
        "password encryption aes",
        "set community 65000:1",
        "match community 10",
        " standby 1 authentication md5 key-chain HSRP",
        " key 4294967",
        "snmp-server enable traps snmp authentication linkdown linkup",
        "crypto key generate rsa",
        "hostname secretariat",
        " neighbor 10.0.0.2 send-community",
    ],
)
def test_other_lines_stay(line: str) -> None:
    assert masker(KEY)(line) == line


@pytest.mark.parametrize(
    "line",
    [" password {}", "enable password {}", "username a password 0 {}", "tacacs-server key {}", "  key-string {}"],
)
def test_a_password_of_several_words_is_masked_to_the_end(line: str) -> None:
    """IOS takes a LINE there: blanks belong to the password."""
    masked = masker(KEY)(line.format("tout le monde sait Cela2026"))
    assert "monde" not in masked
    assert "Cela2026" not in masked


def test_a_certificate_is_masked() -> None:
    text = " certificate self-signed 01\n  3082023A 308201A3 A0030201 02020101 300D0609 2A864886\n  \tquit"
    assert "3082023A" not in masker(KEY)(text)


def test_the_fingerprint_depends_on_the_key() -> None:
    assert fingerprint(SECRET, KEY) == fingerprint(SECRET, KEY) != fingerprint(SECRET, b"1" * 32)


def test_masking_twice_changes_nothing_more() -> None:
    once = masker(KEY)(samples.CONFIG)
    assert masker(KEY)(once) == once
    for secret in ("0123456789abcdefghijk", "zyxwvutsrqponmlkjihgf", "lecture", "094F471A1A0A"):
        assert secret not in once
