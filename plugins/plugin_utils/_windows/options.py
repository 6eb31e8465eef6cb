"""What is needed to open a WinRM session with one host, from the options of Ansible's own ``winrm`` connection.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._values import plain
from .errors import OptionError

_HTTP_PORT, _HTTPS_PORT = 5985, 5986
#: Transports that seal each message, so that plain HTTP carries no secret.
_SEALING = frozenset({"ntlm", "kerberos", "credssp"})
#: Set here from the options proper, or of no effect in pywinrm.
_OWN = frozenset({"endpoint", "transport", "username", "password", "realm", "keytab", "self"})


@dataclass(frozen=True, slots=True)
class WinrmOptions:
    """The options of one host. Timeouts are seconds; secrets are left out of ``repr``.

    Attributes:
        name: the inventory name, for sentences.
        endpoint: the URL of the service.
        transport: a name of pywinrm's.
        extras: further arguments of pywinrm's ``Protocol``, from ``ansible_winrm_*``.
    """

    name: str
    endpoint: str
    transport: str
    user: str
    password: str = field(repr=False)
    extras: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def sealed(self) -> bool:
        """Return whether pywinrm seals the messages itself."""
        return self.endpoint.startswith("http:")


def winrm_options(name: str, get: Callable[[str], Any], known: frozenset[str]) -> WinrmOptions:
    """Build the options of the host ``name`` from ``get``, the ``get_option`` of the ``winrm`` connection.

    Args:
        name: the inventory name.
        get: returns an option by its name.
        known: names of the arguments that pywinrm's ``Protocol`` takes.

    Raises:
        OptionError: naming the variable and the cure; above all for a password that would travel unprotected.
    """

    def option(key: str) -> Any:
        value: Any = plain(get(key))
        return value

    given_port, given_scheme = option("port"), option("scheme")
    port = int(given_port) if given_port else _HTTPS_PORT
    scheme = str(given_scheme) if given_scheme else "http" if port == _HTTP_PORT else "https"
    user, password = option("remote_user"), option("remote_password")
    transports = option("transport")
    transport = str(transports[0] if isinstance(transports, list) else transports) if transports else ""
    if not transport:
        transport = "kerberos" if "@" in (user or "") else "ntlm"
    if not user or (password is None and transport != "kerberos"):
        raise OptionError(f"{name}: ansible_user and ansible_password are needed for WinRM")
    if transport in ("basic", "plaintext"):
        transport = "ssl" if scheme == "https" else "plaintext"
    if scheme == "http" and transport not in _SEALING:
        raise OptionError(
            f"{name}: Basic over plain HTTP would send the password readable over the network; set "
            "ansible_winrm_transport to ntlm or kerberos (their messages are sealed), or use HTTPS"
        )
    extras: dict[str, Any] = dict(option("_extras") or {})
    # Ansible hands the variables over with their prefix or without it, by version.
    extras = {key.removeprefix("ansible_winrm_"): value for key, value in extras.items()}
    extras = {key: value for key, value in extras.items() if key in known and key not in _OWN}
    if scheme == "http":
        if str(extras.get("message_encryption", "auto")) == "never":
            raise OptionError(f"{name}: ansible_winrm_message_encryption may not be 'never' over HTTP")
        extras["message_encryption"] = "always"
    host, path = str(option("remote_addr")), str(option("path") or "/wsman")
    address = f"[{host}]" if ":" in host else host
    return WinrmOptions(
        name=name,
        endpoint=f"{scheme}://{address}:{port}/{path.lstrip('/')}",
        transport=transport,
        user=user,
        password=password or "",
        extras=extras,
    )


def arguments_of(callable_object: Any) -> frozenset[str]:
    """Return the names of the arguments that a callable takes."""
    return frozenset(inspect.signature(callable_object).parameters)
