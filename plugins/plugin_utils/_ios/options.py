"""What is needed to open a session with one device.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .._values import plain
from .errors import OptionError

#: ``ansible_network_os`` values and Netmiko device types that mean IOS.
IOS_NAMES = frozenset({"ios", "cisco.ios.ios", "cisco_ios", "cisco_ios_telnet", "cisco_xe"})
DEFAULT_PORTS = {"ssh": 22, "telnet": 23}


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """The options of one device; the names and meanings are those of the connection plugin's documentation.

    Timeouts are seconds. Secrets are left out of ``repr``.
    """

    name: str
    host: str
    port: int
    user: str
    password: str | None = field(repr=False)
    enable_secret: str | None = field(repr=False)
    transport: str = "ssh"
    connect_timeout: float = 10.0
    banner_timeout: float = 15.0
    auth_timeout: float = 30.0
    read_timeout: float = 120.0
    settle_time: float = 2.0
    encoding: str = "latin-1"
    host_key_checking: bool = True
    host_key_auto_add: bool = False
    known_hosts_file: str = "~/.ssh/known_hosts"
    private_key_file: str | None = None
    private_key_passphrase: str | None = field(default=None, repr=False)
    ssh_config_file: str | None = None

    @property
    def address(self) -> str:
        """Return ``host:port``, as sentences name the device's end."""
        return f"{self.host}:{self.port}"


def device_options(name: str, get: Callable[[str], Any]) -> DeviceOptions:
    """Build the options of the device ``name`` from ``get``, the connection plugin's ``get_option``.

    Raises:
        OptionError: naming the variable, what it holds and what it may hold.
    """

    def option(key: str) -> Any:
        return plain(get(key))

    network_os = option("network_os")
    if network_os not in IOS_NAMES:
        raise OptionError(
            f"{name}: the device type '{network_os}' is not known here; set ansible_network_os to cisco.ios.ios "
            "(only IOS and IOS XE devices are operated by this collection)"
        )
    transport = option("transport")
    if transport not in DEFAULT_PORTS:
        raise OptionError(f"{name}: ansible_netmiko_transport is '{transport}'; it may be ssh or telnet")
    user = option("remote_user")
    # A vty line with a password only asks for no user; SSH always does.
    if not user and transport == "ssh":
        raise OptionError(f"{name}: no user is given; set ansible_user for the device or its group")
    encoding = option("encoding")
    try:
        "".encode(encoding)
    except LookupError:
        raise OptionError(
            f"{name}: ansible_netmiko_encoding is '{encoding}', which Python does not know; latin-1 keeps every byte"
        ) from None
    for key, variable in (("password", "ansible_password"), ("become_password", "ansible_become_password")):
        try:
            str(option(key) or "").encode(encoding)
        except UnicodeEncodeError:
            raise OptionError(
                f"{name}: {variable} holds a character that {encoding} has not, so it cannot be typed on the device; "
                "IOS takes ASCII in passwords"
            ) from None
    return DeviceOptions(
        name=name,
        host=option("host"),
        port=option("port") or DEFAULT_PORTS[transport],
        user=user or "",
        password=option("password"),
        enable_secret=option("become_password"),
        transport=transport,
        connect_timeout=option("connect_timeout"),
        banner_timeout=option("banner_timeout"),
        auth_timeout=option("auth_timeout"),
        read_timeout=option("read_timeout"),
        settle_time=option("settle_time"),
        encoding=encoding,
        host_key_checking=option("host_key_checking"),
        host_key_auto_add=option("host_key_auto_add"),
        known_hosts_file=option("known_hosts_file"),
        private_key_file=option("private_key_file"),
        private_key_passphrase=option("private_key_passphrase"),
        ssh_config_file=option("ssh_config_file"),
    )
