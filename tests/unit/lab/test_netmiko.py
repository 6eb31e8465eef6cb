# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices as Netmiko, unmodified, meets them, and each fault as it shows there."""

from __future__ import annotations

import contextlib
import hashlib
import time

import paramiko
import pytest
from netmiko import ConnectHandler, file_transfer
from netmiko.exceptions import (
    NetmikoAuthenticationException,
    NetmikoTimeoutException,
    ReadException,
    ReadTimeout,
)

KINDS = {"sw1": "cisco_ios", "sw2": "cisco_ios_telnet", "r1": "cisco_ios"}
FULL = r"(?m)^sw-batA-rdc#\s*\Z"


@contextlib.contextmanager
def session(lab, host, enable=True, **options):
    """A Netmiko session in privileged mode."""
    address, port = lab.places[host]
    settings = {
        "device_type": KINDS[host],
        "host": address,
        "port": port,
        "username": "exploitation",
        "conn_timeout": 5,
        "password": f"cahier-{host}",
        "secret": "craie",
        "encoding": "latin-1",
        **options,
    }
    connection = ConnectHandler(**settings)
    try:
        if enable:
            connection.enable()
        yield connection
    finally:
        # A device that was reloaded has hung up already.
        with contextlib.suppress(EOFError, OSError):
            connection.remote_conn.close()


@pytest.fixture(autouse=True)
def pristine(lab):
    """Each test begins without faults and with the saved configuration, and so leaves nothing to the next."""
    lab.fault("all", "clear")
    yield
    lab.fault("all", "clear")


def wait_until_back(lab, host):
    """Until the device is on again; the condition is the lab's own word."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        rows = {row["host"]: row for row in lab.ask("status")["devices"]}
        if rows[host]["powered"]:
            return
        time.sleep(0.02)
    raise AssertionError(f"{host} stayed off")


@pytest.mark.parametrize("host", ["sw1", "sw2", "r1"])
def test_login_enable_and_configuration(lab, host):
    with session(lab, host) as net:
        text = net.send_command("show running-config")
        assert text.startswith("Building configuration...")
        assert text.rstrip().endswith("\nend")
        port = "GigabitEthernet0/1"
        output = net.send_config_set([f"interface {port}", "description Étage", "no shutdown"])
        assert "%" not in output
        assert " description Étage" in net.send_command(f"show running-config interface {port}")
        assert "[OK]" in net.save_config()
        assert "description Étage" in net.send_command("show startup-config")


def test_only_old_algorithms_are_offered(lab):
    transport = paramiko.Transport(lab.places["sw1"])
    try:
        transport.start_client(timeout=5)
        assert transport.remote_version == "SSH-2.0-Cisco-1.25"
        assert transport.get_security_options()
        assert transport.host_key_type == "ssh-rsa"
        assert transport.remote_cipher in ("aes128-cbc", "3des-cbc")
        assert transport.remote_mac == "hmac-sha1"
    finally:
        transport.close()


def test_reload_asks_and_forgets_what_is_not_saved(lab):
    with session(lab, "sw1") as net:
        net.send_config_set(["ntp server 10.9.9.9"])
        output = net.send_command("reload", expect_string=r"Save\? \[yes/no\]:")
        output += net.send_command("no", expect_string=r"\[confirm\]")
        net.write_channel("\n")
    wait_until_back(lab, "sw1")
    with session(lab, "sw1") as net:
        assert "10.9.9.9" not in net.send_command("show running-config")


def test_file_transfer_both_ways(lab, tmp_path):
    source = tmp_path / "firmware.bin"
    source.write_bytes(bytes(range(256)) * 300)
    with session(lab, "sw1") as net:
        sent = file_transfer(net, source_file=str(source), dest_file="essai.bin", file_system="flash:", direction="put")
        assert sent["file_transferred"]
        assert sent["file_verified"]
        again = file_transfer(
            net, source_file=str(source), dest_file="essai.bin", file_system="flash:", direction="put"
        )
        assert not again["file_transferred"]
        back = tmp_path / "retour.bin"
        file_transfer(net, source_file="essai.bin", dest_file=str(back), file_system="flash:", direction="get")
        assert hashlib.sha256(back.read_bytes()).digest() == hashlib.sha256(source.read_bytes()).digest()


def test_scp_needs_to_be_enabled(lab, tmp_path):
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(*lab.places["r1"], "exploitation", "cahier-r1", look_for_keys=False, allow_agent=False)
    _unused, output, _unused = client.exec_command("scp -f startup-config")
    assert output.read() == b"\x01Administratively disabled.\n"
    assert output.channel.recv_exit_status() == 1
    client.close()


def test_host_key_is_kept_and_the_fault_shows_another(lab):
    def fingerprint():
        transport = paramiko.Transport(lab.places["sw1"])
        transport.start_client(timeout=5)
        key = transport.get_remote_server_key().get_base64()
        transport.close()
        return key

    first = fingerprint()
    assert fingerprint() == first
    lab.fault("sw1", "hostkey")
    assert fingerprint() != first
    lab.fault("sw1", "clear")
    assert fingerprint() == first


def test_fault_wrong_password(lab):
    lab.fault("sw1", "wrong_password")
    with pytest.raises(NetmikoAuthenticationException), session(lab, "sw1"):
        pass


def test_fault_wrong_enable(lab):
    lab.fault("sw1", "wrong_enable")
    with session(lab, "sw1", enable=False) as net:
        assert "Password:" in net.send_command("enable", expect_string="assword:")
        for _unused in range(2):
            net.send_command("craie", expect_string="assword:", cmd_verify=False)
        assert "% Bad secrets" in net.send_command("craie", expect_string=">", cmd_verify=False)


def test_fault_off(lab):
    lab.fault("sw1", "off")
    with pytest.raises(NetmikoTimeoutException), session(lab, "sw1"):
        pass
    lab.fault("sw1", "clear")
    with session(lab, "sw1"):
        pass


def test_fault_mute(lab):
    lab.fault("sw1", "mute")
    with pytest.raises((NetmikoTimeoutException, paramiko.SSHException)), session(lab, "sw1", banner_timeout=0.5):
        pass


def test_fault_kex(lab):
    lab.fault("sw1", "kex")
    transport = paramiko.Transport(lab.places["sw1"])
    with pytest.raises(paramiko.SSHException, match="no acceptable kex"):
        transport.start_client(timeout=5)
    transport.close()


@pytest.mark.parametrize("host", ["sw1", "sw2"])
def test_fault_cut(lab, host):
    with session(lab, host) as net:
        lab.fault(host, "cut", "600")
        with pytest.raises((ReadTimeout, ReadException, OSError, EOFError)):
            net.send_command("show running-config", read_timeout=1)


def test_fault_truncate(lab):
    lab.fault("sw1", "truncate", "700")
    with session(lab, "sw1") as net:
        text = net.send_command("show running-config", expect_string=FULL)
        assert 600 < len(text) < 720
        assert "\nend" not in text


def test_fault_hang(lab):
    lab.fault("sw1", "hang", "400")
    with session(lab, "sw1") as net, pytest.raises(ReadTimeout):
        net.send_command("show running-config", read_timeout=0.5)


def test_fault_trickle_stops_netmiko_at_a_prompt_in_the_text(lab):
    # facts/cisco.md 3: silent truncation, measured with pieces of 97 bytes every 20 ms
    with session(lab, "sw1") as net:
        lab.ask(
            "console", host="sw1", lines=["configure terminal", "interface fa0/1", "description sw-batA-rdc#", "end"]
        )
        lab.fault("sw1", "trickle", "97:20")
        assert not net.send_command("show running-config").rstrip().endswith("\nend")
        net.clear_buffer()
    with session(lab, "sw1") as net:
        text = net.send_command("show running-config", expect_string=r"\nend\s+sw-batA-rdc#\s*\Z")
        assert text.rstrip().endswith("end")
    lab.ask("power_cycle", host="sw1")
    wait_until_back(lab, "sw1")


def test_fault_slow(lab):
    lab.fault("sw1", "slow", "0.3:0.3")
    begin = time.monotonic()
    with session(lab, "sw1") as net:
        assert time.monotonic() - begin >= 0.3
        begin = time.monotonic()
        net.send_command("show running-config")
        assert time.monotonic() - begin >= 0.3


def test_fault_pager(lab):
    lab.fault("sw1", "pager")
    with session(lab, "sw1") as net:
        assert "--More--" in net.send_command("show running-config", expect_string="--More--")


def test_fault_privilege(lab):
    lab.fault("sw1", "privilege")
    with session(lab, "sw1") as net:
        assert "% Invalid input detected at '^' marker." in net.send_command("show running-config")


def test_fault_empty(lab):
    lab.fault("sw1", "empty")
    with session(lab, "sw1") as net:
        assert net.send_command("show running-config").strip() == "Building configuration..."


def test_fault_shrunk(lab):
    with session(lab, "sw1") as net:
        whole = net.send_command("show running-config")
        lab.fault("sw1", "shrunk")
        text = net.send_command("show running-config")
        assert text.rstrip().endswith("\nend")
        assert "Current configuration :" in text
        assert text.count("\ninterface ") < whole.count("\ninterface ") / 2


def test_fault_noise(lab):
    lab.fault("sw1", "noise")
    with session(lab, "sw1") as net:
        text = net.send_command("show running-config", expect_string=FULL)
        assert "%LINK-3-UPDOWN" in text
        assert text.rstrip().endswith("end")


def test_telnet_login_is_refused_three_times(lab):
    import socket

    with socket.create_connection(lab.places["sw2"], timeout=5) as raw:
        raw.sendall(b"a\rb\ra\rb\ra\rb\r")
        data = b""
        while part := raw.recv(4096):
            data += part
    assert data.startswith(b"\xff\xfb\x01\xff\xfb\x03")
    assert data.count(b"% Login invalid") == 3
    assert b"User Access Verification" in data
