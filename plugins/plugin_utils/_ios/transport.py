"""The byte channel to a device: Netmiko's IOS drivers, with the parts replaced that old devices trip over.

Note that this utility is private to the collection.

Netmiko opens SSH and telnet; what it does after the login (base prompt, pager, reading up to a pattern by polling) is
done in ``session`` instead, because there a prompt look-alike in a banner ends a reading early.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import socket
import time
from pathlib import Path
from typing import Any

from .errors import AlgorithmError, HostKeyError, IosError, LoginError, SessionError, UnreachableError
from .libraries import (
    CiscoIosSSH,
    CiscoIosTelnet,
    NetmikoAuthenticationException,
    NetmikoTimeoutException,
    ReadException,
    paramiko,
)
from .options import DEFAULT_PORTS, DeviceOptions

_LOGIN = re.compile(r"(?:user ?name|login) ?: *\Z", re.I)
_PASSWORD = re.compile(r"password ?: *\Z", re.I)
_REFUSED = re.compile(r"% ?(?:Login invalid|Authentication failed|Bad passwords|Access denied)", re.I)
_NO_PASSWORD = re.compile(r"Password required, but none set", re.I)
_PROMPT = re.compile(r"[^\s][>#] ?\Z")


class _KnownHosts(paramiko.MissingHostKeyPolicy):
    """What happens when a device shows a host key that the known hosts file does not hold."""

    def __init__(self, options: DeviceOptions) -> None:
        self.options = options

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Record the key where the options say so, else refuse it.

        Raises:
            HostKeyError: the key is unknown and may not be recorded.
        """
        options = self.options
        if not options.host_key_auto_add:
            raise HostKeyError(
                f"{options.name}: the SSH host key of {options.address} ({key.get_name()}, fingerprint "
                f"{key.fingerprint}) is not in {options.known_hosts_file}; compare it on the device's console with "
                "'show ip ssh' or 'show crypto key mypubkey rsa', then run once with "
                "-e ansible_host_key_auto_add=true"
            )
        path = Path(options.known_hosts_file).expanduser()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = f"{hostname} {key.get_name()} {key.get_base64()}\n"
        # Several workers meet unknown devices at once: append under a lock, never rewrite the file.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.write(descriptor, line.encode("ascii"))
        finally:
            os.close(descriptor)


class _Ssh(CiscoIosSSH):
    """Netmiko's SSH session up to the interactive shell."""

    def session_preparation(self) -> None:
        """Nothing: ``Session`` does it."""


class _Telnet(CiscoIosTelnet):
    """Netmiko's telnet session with a login that ends as soon as the device has answered.

    Netmiko's own waits in fixed steps and needs eleven seconds to notice a wrong password (measured).
    """

    def __init__(self, *args: Any, login_timeout: float, **kwargs: Any) -> None:
        self.login_timeout = login_timeout
        super().__init__(*args, **kwargs)

    def session_preparation(self) -> None:
        """Nothing: ``Session`` does it."""

    def telnet_login(self, *args: Any, **kwargs: Any) -> str:
        """Answer the user and password questions.

        Raises:
            NetmikoAuthenticationException: the device refused them.
            NetmikoTimeoutException: it asked nothing for ``login_timeout`` seconds.
        """
        text, asked, deadline = "", False, time.monotonic() + self.login_timeout
        while True:
            try:
                text += self.read_channel()
            except EOFError:
                if asked or _REFUSED.search(text):
                    raise NetmikoAuthenticationException("the device closed the connection at the login") from None
                raise NetmikoTimeoutException("the device closed the connection before the login") from None
            if _NO_PASSWORD.search(text):
                raise NetmikoAuthenticationException("the device has no password on its vty lines")
            if asked and (_REFUSED.search(text) or _LOGIN.search(text)):
                raise NetmikoAuthenticationException("login refused")
            if not asked and _LOGIN.search(text):
                self.write_channel(f"{self.username}\r\n")
                text = ""
            elif _PASSWORD.search(text):
                if asked:
                    raise NetmikoAuthenticationException("login refused")
                self.write_channel(f"{self.password or ''}\r\n")
                text, asked = "", True
            elif asked and _PROMPT.search(text):
                # The session looks for a prompt of its own; this one has been read.
                self.write_channel("\r\n")
                return text
            if time.monotonic() > deadline:
                raise NetmikoTimeoutException(f"nothing that looks like a login came in {self.login_timeout:g} s")
            wait_readable(self.remote_conn, deadline)


def wait_readable(connection: Any, deadline: float) -> None:
    """Wait until ``connection`` (a paramiko channel or a telnet object) has data or ends, or ``deadline`` passes.

    ``deadline`` is a value of ``time.monotonic()``. ``poll`` and not ``select``: a pool may hold more than 1024 files.
    """
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    poller.poll(max(0.0, min(deadline - time.monotonic(), 3600.0)) * 1000)


def is_over(connection: Any) -> bool:
    """Return whether the far end has closed or lost the connection, and everything that came has been read."""
    if isinstance(connection, paramiko.Channel):
        if connection.recv_ready():
            return False
        transport = connection.get_transport()
        return bool(connection.closed or connection.eof_received or transport is None or not transport.is_active())
    return bool(getattr(connection, "eof", False))


def connect(options: DeviceOptions) -> CiscoIosSSH | CiscoIosTelnet:
    """Open the connection and log in; the device's first prompt is still to be read.

    Raises:
        IosError: one of its kinds, in a sentence that names the device and the cure.
    """
    common: dict[str, Any] = {
        "host": options.host,
        "port": options.port,
        "username": options.user,
        "password": options.password or "",
        "conn_timeout": options.connect_timeout,
        "encoding": options.encoding,
        # A line end that is split between two packets would be doubled by Netmiko's normalisation.
        "disable_lf_normalization": True,
        "auto_connect": False,
    }
    connection: CiscoIosSSH | CiscoIosTelnet
    if options.transport == "telnet":
        connection = _Telnet(device_type="cisco_ios_telnet", login_timeout=options.auth_timeout, **common)
    else:
        connection = _Ssh(
            device_type="cisco_ios",
            banner_timeout=options.banner_timeout,
            auth_timeout=options.auth_timeout,
            use_keys=options.private_key_file is not None,
            key_file=str(Path(options.private_key_file).expanduser()) if options.private_key_file else None,
            passphrase=options.private_key_passphrase,
            ssh_config_file=options.ssh_config_file,
            alt_host_keys=options.host_key_checking,
            alt_key_file=str(Path(options.known_hosts_file).expanduser()),
            **common,
        )
        if options.host_key_checking:
            connection.key_policy = _KnownHosts(options)
    try:
        connection.establish_connection()
    except IosError:
        disconnect(connection)
        raise
    except (NetmikoAuthenticationException, NetmikoTimeoutException, ReadException) as error:
        disconnect(connection)
        raise explain(error, options) from None
    except (OSError, EOFError, paramiko.SSHException, ValueError) as error:
        disconnect(connection)
        raise explain(error, options) from None
    return connection


def disconnect(connection: CiscoIosSSH | CiscoIosTelnet) -> None:
    """Close without a word: the session says ``exit`` itself where it still can."""
    remote = getattr(connection, "remote_conn", None)
    client = getattr(connection, "remote_conn_pre", None)
    for end in (remote, client):
        if end is not None:
            try:
                end.close()
            except (OSError, EOFError, paramiko.SSHException):
                continue


def explain(error: BaseException, options: DeviceOptions) -> IosError:
    """Return the sentence for what Netmiko, paramiko or the socket raised.

    Netmiko wraps every paramiko error in a time-out of several lines; the original is found in the chain.
    """
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        if isinstance(link, paramiko.ssh_exception.NoValidConnectionsError):
            # One error per address that was tried; its own text says only "Unable to connect".
            chain.extend(link.errors.values())
        link = link.__cause__ or link.__context__
    name, address = options.name, options.address

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(one, kinds) for one in chain)

    text = " ".join(str(one) for one in chain)
    if has(paramiko.BadHostKeyException):
        known = options.host if options.port == DEFAULT_PORTS["ssh"] else f"'[{options.host}]:{options.port}'"
        return HostKeyError(
            f"{name}: the SSH host key of {address} is not the one in {options.known_hosts_file}. Was the device "
            f"replaced or its key made anew? Then remove the old one (ssh-keygen -f {options.known_hosts_file} -R {known}); "
            "else somebody may be answering in its place"
        )
    if has(paramiko.ssh_exception.IncompatiblePeer):
        what = re.search(r"no acceptable ([\w ]+)", text)
        return AlgorithmError(
            f"{name}: {address} and this machine's paramiko have no {what[1].strip() if what else 'SSH algorithm'} in "
            "common; a device this new needs a newer paramiko, a device without a usable key needs "
            "'crypto key generate rsa modulus 2048'"
        )
    if has(paramiko.AuthenticationException, NetmikoAuthenticationException):
        if "no password on its vty" in text:
            return LoginError(f"{name}: {address} accepts no telnet login: no password is set on its vty lines")
        return LoginError(
            f"{name}: {address} refused the user '{options.user}' or the password; correct ansible_user and "
            "ansible_password (or ansible_ssh_private_key_file) for this device"
        )
    if has(socket.gaierror) or "DNS failure" in text:
        return UnreachableError(f"{name}: no address is known for '{options.host}'; correct ansible_host")
    if has(ConnectionRefusedError):
        return UnreachableError(
            f"{name}: {address} refused the connection; is {options.transport} enabled on the device, and the port "
            "(ansible_port) right?"
        )
    # "Error reading SSH protocol banner" comes with a time-out, and with a peer that hangs up or is no SSH server;
    # "No existing session" when greeting and key exchange together take longer than the connection may.
    if "protocol banner" in text or "No existing session" in text:
        return UnreachableError(
            f"{name}: {address} answered but began no SSH session in time; are all its vty lines taken (show users), is the "
            "port not its SSH, or is the device slow (raise ansible_netmiko_connect_timeout and "
            "ansible_netmiko_banner_timeout)?"
        )
    if has(TimeoutError) or "timed out" in text:
        return UnreachableError(
            f"{name}: {address} did not answer in {options.connect_timeout:g} s; is the device on, and reachable from here?"
        )
    if has(EOFError, ConnectionError):
        return SessionError(f"{name}: {address} closed the connection at the login; are all its vty lines taken?")
    if has(NetmikoTimeoutException):
        return UnreachableError(f"{name}: {address} could not be opened ({_one_line(str(chain[-1]))})")
    return UnreachableError(f"{name}: {address} could not be opened ({type(error).__name__}: {_one_line(str(error))})")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:160]
