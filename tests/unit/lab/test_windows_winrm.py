# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WinRM endpoint with real pywinrm: authentication, sealing, shells, streams, quotas, faults of the line."""

from __future__ import annotations

import os
import socket
import ssl
import xml.etree.ElementTree as ET

import pytest
import requests
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><i:Identify/></s:Body>'
    "</s:Envelope>"
)


def url(winlab, host, scheme="http"):
    address, port = winlab.places[host]
    return f"{scheme}://{address}:{port}/wsman"


@pytest.mark.parametrize("user", ["Administrateur", "ADMINISTRATEUR", "SRV1\\Administrateur", ".\\administrateur"])
def test_ntlm_with_sealed_messages(remote, user):
    session = remote(user=user, message_encryption="always")
    assert session.run("hostname") == (0, "SRV1\n", "")
    assert session.protocol.transport.encryption is not None


@pytest.mark.parametrize(("user", "password"), [("Administrateur", "faux"), ("nobody", "Cahier-2026"), ("Invité", "")])
def test_wrong_credentials(remote, winlab, user, password):
    before = winlab.ask("status")["devices"][0]["refused_logins"]
    with pytest.raises(InvalidCredentialsError):
        remote(user=user, password=password or "x").open()
    assert winlab.ask("status")["devices"][0]["refused_logins"] == before + 1


def test_an_ordinary_user_is_denied(remote):
    with pytest.raises(WSManFaultError) as caught:
        remote(user="eleve", password="Craie-2026").open()
    assert caught.value.wsman_fault_code == 5


def test_clear_bodies_and_basic_are_refused_over_http(remote, winlab):
    with pytest.raises(WinRMTransportError, match="500"):
        remote(message_encryption="never").open()
    with pytest.raises(InvalidCredentialsError):
        remote(transport="plaintext", message_encryption="never").open()
    answer = requests.post(url(winlab, "srv1"), data=IDENTIFY, timeout=5)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Negotiate")


def test_kerberos_is_not_offered(winlab):
    headers = {"Authorization": "Kerberos YIIFfgYJKoZIhvcSAQICAQBuggVt"}
    assert requests.post(url(winlab, "srv1"), data="x", headers=headers, timeout=5).status_code == 401
    headers = {"Authorization": "Negotiate YIIFfgYJKoZIhvcSAQICAQBuggVt"}
    assert requests.post(url(winlab, "srv1"), data="x", headers=headers, timeout=5).status_code == 401


@pytest.mark.parametrize("transport", ["ssl", "ntlm"])
def test_https(remote, winlab, transport):
    session = remote("tls", transport=transport)
    assert session.run("hostname") == (0, "TLS\n", "")
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(socket.create_connection(winlab.places["tls"]), server_hostname="tls")


def test_basic_with_a_wrong_password(remote):
    with pytest.raises(InvalidCredentialsError):
        remote("tls", transport="ssl", password="faux").open()


def test_identify(winlab):
    headers = {"WSMANIDENTIFY": "unauthenticated", "Content-Type": "application/soap+xml"}
    answer = requests.post(url(winlab, "srv1"), data=IDENTIFY, headers=headers, timeout=5)
    product = next(node.text for node in ET.fromstring(answer.content).iter() if node.tag.endswith("ProductVersion"))
    assert (answer.status_code, product) == (200, "OS: 0.0.0 SP: 0.0 Stack: 2.0")


def test_http_that_is_not_winrm(winlab):
    address, port = winlab.places["srv1"]
    assert requests.post(f"http://{address}:{port}/", data="x", timeout=5).status_code == 404
    assert requests.get(url(winlab, "srv1"), timeout=5).status_code == 405
    with socket.create_connection((address, port), 5) as connection:
        connection.sendall(b"SSH-2.0-x\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(("line", "code"), [("exit 0", 0), ("exit 7", 7), ("sc query nope", 1060), ("exit -1", -1),
                                            ("sc start Spooler", 1056), ("nosuch /x", 1)])  # fmt: skip
def test_exit_codes(remote, line, code):
    assert remote().run(line)[0] == code


def test_half_a_megabyte_through_stdin_and_back(remote, winlab):
    data = os.urandom(512 * 1024).replace(b"\n", b"x")
    session = remote()
    before = winlab.ask("status")["devices"][0]["requests"]
    code, out, _unused = session.raw("more", stdin=data)
    assert (code, out) == (0, data)
    # Envelopes of 150 kB: at least five to get it back.
    assert winlab.ask("status")["devices"][0]["requests"] - before > 14


def test_requests_of_one_command(remote, winlab):
    def count():
        return winlab.ask("status")["devices"][0]["requests"]

    before = count()
    session = remote()
    session.run("hostname")
    session.close()
    assert count() - before == 8  # 401, challenge, empty, Create, Command, Receive, Signal, Delete (facts/lab.md 1)


def test_code_pages(remote, winlab):
    expected = "'é' n'est pas reconnu"
    for page, codec in ((850, "cp850"), (1252, "cp1252"), (65001, "utf-8")):
        session = remote()
        session.open(page)
        assert session.raw("é")[2].decode(codec).startswith(expected)
        session.close()
    session = remote()
    session.open(437)
    assert session.run("chcp")[1] == "Page de codes active : 437\n"
    # Batch files do nothing under 65001 on NT 6.0, and say nothing; programs run.
    assert session.run(r"echo @echo bonjour>C:\Windows\Temp\x.cmd")[0] == 0
    assert session.run(r"C:\Windows\Temp\x.cmd") == (0, "bonjour\n", "")
    session.close()
    session.open(65001)
    assert session.run(r"C:\Windows\Temp\x.cmd") == (0, "", "")
    assert session.run("hostname")[1] == "SRV1\n"


def test_newer_windows_runs_batch_files_in_utf8(remote):
    session = remote("srv2")
    session.open(65001)
    session.run(r"echo @echo d%1 %^OS%> C:\Windows\Temp\y.cmd")
    assert session.run(r"C:\Windows\Temp\y.cmd é") == (0, "dé Windows_NT\n", "")
    assert session.run(r"echo @nosuch>C:\Windows\Temp\z.cmd & C:\Windows\Temp\z.cmd")[0] == 9009


def test_environment_and_folder_of_a_shell(remote):
    session = remote()
    session.open(850, env_vars={"LANG": "C", "Été": "oui"}, working_directory="c:\\program files")
    assert session.run("cd & echo %LANG% %été%")[1] == "C:\\Program Files\nC oui\n"
    with pytest.raises(WSManFaultError, match="directory name is invalid"):
        session.protocol.open_shell(working_directory="C:\\nowhere")


def test_skip_cmd_shell(remote):
    session = remote()
    session.open(850)
    assert session.run("C:\\Windows\\System32\\hostname.exe", skip=True)[1] == "SRV1\n"
    code, _unused, _error = session.run("C:\\Windows\\System32\\sc.exe", "query", "a&b", skip=True)
    assert code == 1060
    with pytest.raises(WSManFaultError, match="cannot find the file"):
        session.run("echo", "x", skip=True)
    old = remote("poste")
    old.open(850)
    assert old.run("echo", "x & echo y", skip=True)[1] == "x \ny\n"


def test_operation_timeout_then_output(remote):
    session = remote(operation_timeout_sec=1, read_timeout_sec=5)
    command = session.start("findstr ^^")
    with pytest.raises(WinRMOperationTimeoutError):
        session.protocol.get_command_output_raw(session.shell, command)
    session.protocol.send_command_input(session.shell, command, b"un\r\ndeux\r\n", True)
    assert session.protocol.get_command_output(session.shell, command) == (b"un\r\ndeux\r\n", b"", 0)


def test_ctrl_c_leaves_an_exit_code(remote):
    session = remote()
    command = session.start("more")
    uri = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
    body = {"rsp:Signal": {"@CommandId": command, "rsp:Code": f"{uri}/signal/ctrl_c"}}
    session.wsman(f"{uri}/Signal", f"{uri}/cmd", body, ShellId=session.shell)
    assert session.protocol.get_command_output(session.shell, command)[2] == -1073741510


def test_unknown_shell_and_command(remote):
    session = remote()
    session.open(850)
    with pytest.raises(WSManFaultError) as caught:
        session.protocol.get_command_output(session.shell, "00000000-0000-0000-0000-000000000000")
    assert caught.value.wsman_fault_code == 2150858843
    session.protocol.close_shell(session.shell, close_session=False)
    with pytest.raises(WSManFaultError, match="shell was not found"):
        session.run("hostname")
    session.shell = ""


def test_unknown_resource_and_action(remote):
    session = remote()
    with pytest.raises(WSManFaultError) as caught:
        session.wsman("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", "http://example.org/nothing")
    assert caught.value.wsman_fault_code == 2150858752


def test_quotas(remote):
    first, second, third = (remote("poste") for _number in range(3))
    first.open()
    second.open()
    with pytest.raises(WSManFaultError) as caught:
        third.open()
    assert caught.value.wsman_fault_code == 2150859173
    for _number in range(3):
        first.start("more")
    with pytest.raises(WSManFaultError) as caught:
        first.start("more")
    assert caught.value.wsman_fault_code == 2150859174


def test_quota_faults_have_the_shape_of_the_version(remote, winlab):
    session = remote("srv2")
    session.run("hostname")
    winlab.fault("srv2", "quota", "operations")
    with pytest.raises(WSManFaultError) as caught:
        session.run("hostname")
    assert caught.value.wmierror_code == 0x803381A6  # what ansible looks for
    session.close()
    assert session.run("hostname")[0] == 0
    winlab.fault("srv2", "quota", "shells")
    with pytest.raises(WSManFaultError) as caught:
        remote("srv2").open()
    assert (caught.value.wmierror_code, caught.value.fault_subcode) == (2150859173, "w:InternalError")


def test_idle_shells_die(remote):
    session = remote("poste")
    session.open(850, idle_timeout="PT0.00001S")
    with pytest.raises(WSManFaultError, match="shell was not found"):
        session.run("hostname")
    session.shell = ""


def test_line_faults(remote, winlab):
    winlab.fault("srv1", "wrong_password")
    with pytest.raises(InvalidCredentialsError):
        remote().open()
    winlab.fault("srv1", "clear")
    session = remote()
    session.open()
    winlab.fault("srv1", "cut", "600")
    with pytest.raises(requests.exceptions.RequestException):
        session.run("hostname")
    winlab.fault("srv1", "clear")
    winlab.fault("srv1", "off")
    with pytest.raises(requests.exceptions.ConnectionError):
        remote().open()
    winlab.fault("srv1", "clear")
    winlab.fault("srv1", "mute")
    with pytest.raises(requests.exceptions.ReadTimeout):
        remote(operation_timeout_sec=1, read_timeout_sec=2).open()


def test_faults_of_commands(remote, winlab):
    session = remote()
    winlab.fault("srv1", "exit_code_lost")
    assert session.run("exit 100")[0] == 0
    assert session.run("echo x& exit 100")[0] == 100
    winlab.fault("srv1", "clear")
    winlab.fault("srv1", "operation_timeout", "2")
    assert session.run("hostname")[1] == "SRV1\n"  # pywinrm asks again
    winlab.fault("srv1", "drop_shell")
    with pytest.raises(WSManFaultError, match="shell was not found"):
        session.run("hostname")
    session.shell = ""
