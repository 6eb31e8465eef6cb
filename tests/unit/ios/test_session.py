# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation, against a scripted channel: prompts, look-alikes, pieces, refusals, ends."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios import transport
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.errors import (
    AlgorithmError,
    HostKeyError,
    LoginError,
    SessionError,
    UnreachableError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.options import DeviceOptions
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.session import Session
from netmiko.exceptions import NetmikoAuthenticationException, NetmikoTimeoutException

from .samples import CONFIG, running

OPTIONS = DeviceOptions(
    name="sw1", host="192.0.2.1", port=22, user="u", password="p", enable_secret="s", read_timeout=2, settle_time=0.2
)


class Device:
    """The far end: reads lines, answers by a function, byte for byte as it says; ``None`` hangs up."""

    def __init__(self, greeting: str, answer: Callable[[str], str | None], *, piece: int = 100_000) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.answer, self.piece = answer, piece
        self.lines: list[str] = []
        self._send(greeting)
        threading.Thread(target=self._serve, daemon=True).start()

    def _send(self, text: str) -> None:
        data = text.encode("latin-1")
        for start in range(0, len(data), self.piece):
            self.far.sendall(data[start : start + self.piece])

    def _serve(self) -> None:
        for raw in self.far.makefile("rb"):
            line = raw.decode("latin-1").rstrip("\r\n")
            self.lines.append(line)
            answer = self.answer(line)
            if answer is None:
                self.far.shutdown(socket.SHUT_RDWR)
                return
            self._send(answer)

    # What Netmiko's connection offers

    @property
    def remote_conn(self) -> Any:
        return SimpleNamespace(fileno=self.near.fileno, eof=self._eof, close=lambda: None)

    _eof = False

    def read_channel(self) -> str:
        try:
            data = self.near.recv(65536)
        except BlockingIOError:
            return ""
        if not data:
            raise EOFError
        return data.decode("latin-1")

    def write_channel(self, text: str) -> None:
        self.near.sendall(text.encode("latin-1"))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Session, Device]]]:
    devices: list[Device] = []

    def open_session(
        greeting: str, answer: Callable[[str], str | None], options: DeviceOptions = OPTIONS, *, piece: int = 100_000
    ) -> tuple[Session, Device]:
        device = Device(greeting, answer, piece=piece)
        devices.append(device)
        monkeypatch.setattr(transport, "connect", lambda _options: device)
        return Session(options), device

    yield open_session
    for device in devices:
        device.near.close()
        device.far.close()


def script(**answers: str | None) -> Callable[[str], str | None]:
    table = {name.replace("_", " "): answer for name, answer in answers.items()}
    return lambda line: table.get(line, f"{line}\r\nsw1#")


def test_a_user_in_privileged_mode_needs_no_secret(opened: Callable[..., tuple[Session, Device]]) -> None:
    session, device = opened("\r\nsw1#", script())
    assert session.prompt == "sw1#"
    assert "enable" not in device.lines


def test_the_enable_secret_is_sent_once(opened: Callable[..., tuple[Session, Device]]) -> None:
    session, device = opened(
        "\r\nsw1>", script(terminal_length_0="terminal length 0\r\nsw1>", enable="enable\r\nPassword: ", s="\r\nsw1#")
    )
    assert session.prompt == "sw1#"
    assert device.lines == ["terminal length 0", "enable", "s"]


@pytest.mark.parametrize(
    ("enable", "secret", "sentence"),
    [
        ("enable\r\nPassword: ", "\r\nPassword: ", "refused the enable secret"),
        ("enable\r\nPassword: ", "\r\n% Access denied\r\n\r\nsw1>", "refused the enable secret"),
        ("enable\r\n% No password set\r\nsw1>", "", "no enable secret; set one"),
    ],
)
def test_a_refused_secret_is_told_at_once(
    opened: Callable[..., tuple[Session, Device]], enable: str, secret: str, sentence: str
) -> None:
    with pytest.raises(LoginError, match=sentence) as caught:
        opened("\r\nsw1>", script(terminal_length_0="terminal length 0\r\nsw1>", enable=enable, s=secret))
    assert "'s'" not in str(caught.value)


def test_a_banner_that_looks_like_a_prompt_is_no_prompt(opened: Callable[..., tuple[Session, Device]]) -> None:
    banner = "\r\n#######\r\n# sw1 #\r\n#######\r\nother>\r\nsw1#"
    assert opened(banner, script(), piece=3)[0].prompt == "sw1#"


def test_a_prompt_inside_a_configuration_does_not_end_it(opened: Callable[..., tuple[Session, Device]]) -> None:
    answer = ("show running-config\n" + running()).replace("\n", "\r\n") + "\r\nsw1#"
    session, _device = opened("\r\nsw1#", script(**{"show running-config": answer}), piece=7)
    assert session.ask("show running-config", config=True).rstrip("\n") + "\n" == running().rstrip("\n") + "\n"


def test_an_answer_without_end_is_returned_after_the_silence(opened: Callable[..., tuple[Session, Device]]) -> None:
    cut = ("show running-config\n" + CONFIG[:200]).replace("\n", "\r\n") + "\r\nsw1#"
    session, _device = opened("\r\nsw1#", script(**{"show running-config": cut}))
    assert session.ask("show running-config", config=True).rstrip() == CONFIG[:200].rstrip()


def test_the_pager_is_told(opened: Callable[..., tuple[Session, Device]]) -> None:
    session, _device = opened("\r\nsw1#", script(**{"show version": "show version\r\nCisco\r\n --More-- "}))
    with pytest.raises(SessionError, match="pages its answer"):
        session.ask("show version")


def test_silence_is_told_with_what_came(opened: Callable[..., tuple[Session, Device]]) -> None:
    session, _device = opened("\r\nsw1#", script(**{"show version": "show version\r\nCis"}))
    with pytest.raises(SessionError, match=r"stopped after 17 bytes .* ansible_netmiko_read_timeout"):
        session.ask("show version")


def test_an_answer_without_end_in_sight_is_given_up(opened: Callable[..., tuple[Session, Device]]) -> None:
    session, device = opened("\r\nsw1#", script(**{"show version": "show version\r\n"}))
    ended = threading.Event()

    def chatter() -> None:
        while not ended.wait(0.05):
            device._send("one more line\r\n")

    threading.Thread(target=chatter, daemon=True).start()
    session.options = replace(OPTIONS, read_timeout=0.1)
    with pytest.raises(SessionError, match="does not end"):
        session.ask("show version")
    ended.set()


def test_a_lost_connection_is_told_at_once(opened: Callable[..., tuple[Session, Device]]) -> None:
    session, _device = opened("\r\nsw1#", script(**{"show version": None}))
    with pytest.raises(SessionError, match="the connection broke during 'show version'"):
        session.ask("show version")


def test_the_rest_of_an_answer_before_is_no_answer(opened: Callable[..., tuple[Session, Device]]) -> None:
    session, _device = opened("\r\nsw1#", script(**{"show version": "late line\r\nsw1#show version\r\nCisco\r\nsw1#"}))
    with pytest.raises(SessionError, match="still answering"):
        session.ask("show version")


def test_a_log_message_between_two_commands_is_no_trouble(opened: Callable[..., tuple[Session, Device]]) -> None:
    answer = "\r\n*Mar  1 00:01:02.003: %SYS-5-CONFIG_I: Configured from console\r\nsw1#show version\r\nCisco\r\nsw1#"
    session, _device = opened("\r\nsw1#", script(**{"show version": answer}))
    assert session.ask("show version") == "Cisco\n"


def test_secrets_are_not_in_the_text_of_the_options() -> None:
    assert "'p'" not in repr(OPTIONS)
    assert "'s'" not in repr(OPTIONS)


# What the libraries raise


def chained(outer: Exception, inner: BaseException) -> Exception:
    outer.__context__ = inner
    return outer


KEY = paramiko.RSAKey.generate(1024)


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (NetmikoAuthenticationException("x"), LoginError, "refused the user 'u' or the password"),
        (ConnectionRefusedError(111, "refused"), UnreachableError, "is ssh enabled"),
        (TimeoutError("timed out"), UnreachableError, "did not answer in 10 s"),
        (socket.gaierror(-2, "Name or service not known"), UnreachableError, "no address is known"),
        (EOFError(), SessionError, "closed the connection at the login"),
        (
            chained(
                NetmikoTimeoutException("..."),
                paramiko.ssh_exception.IncompatiblePeer("Incompatible ssh peer (no acceptable kex algorithm)"),
            ),
            AlgorithmError,
            "have no kex algorithm in common",
        ),
        (
            chained(NetmikoTimeoutException("..."), paramiko.BadHostKeyException("h", KEY, KEY)),
            HostKeyError,
            "is not the one in",
        ),
        (
            chained(NetmikoTimeoutException("..."), paramiko.SSHException("Error reading SSH protocol banner")),
            UnreachableError,
            "began no SSH session in time",
        ),
        (
            chained(
                NetmikoTimeoutException("TCP connection to device failed."),
                paramiko.ssh_exception.NoValidConnectionsError(
                    {("192.0.2.1", 22): ConnectionRefusedError(111, "refused")}
                ),
            ),
            UnreachableError,
            "refused the connection",
        ),
        (OSError(os.strerror(113)), UnreachableError, "could not be opened"),
    ],
)
def test_each_error_becomes_one_sentence(error: Exception, kind: type[Exception], sentence: str) -> None:
    explained = transport.explain(error, OPTIONS)
    assert explained.__class__ is kind
    assert sentence in str(explained)
    assert str(explained).startswith("sw1: ")
    assert "\n" not in str(explained)
