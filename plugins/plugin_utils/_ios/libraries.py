"""Netmiko and paramiko; where they are missing, stand-ins that let the plugins be loaded and say so.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING

from .._errors import LyceeError

#: Why the libraries cannot be loaded, or None. ``_requirements.check`` says first when a version is the reason.
LOAD_ERROR: ImportError | None = None

if TYPE_CHECKING:
    import paramiko
    from netmiko.cisco.cisco_ios import CiscoIosSSH, CiscoIosTelnet
    from netmiko.exceptions import NetmikoAuthenticationException, NetmikoTimeoutException, ReadException
else:
    try:
        import paramiko
        from netmiko.cisco.cisco_ios import CiscoIosSSH, CiscoIosTelnet
        from netmiko.exceptions import NetmikoAuthenticationException, NetmikoTimeoutException, ReadException
    except ImportError as error:
        LOAD_ERROR = error
        paramiko = SimpleNamespace(MissingHostKeyPolicy=object, SSHException=OSError)
        CiscoIosSSH = CiscoIosTelnet = object
        NetmikoAuthenticationException = NetmikoTimeoutException = ReadException = OSError

__all__ = [
    "CiscoIosSSH",
    "CiscoIosTelnet",
    "NetmikoAuthenticationException",
    "NetmikoTimeoutException",
    "ReadException",
    "paramiko",
]

# paramiko's transport thread logs each failure with a traceback; without a handler Python prints it to the terminal.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)
# Netmiko logs everything that it reads at level DEBUG, secrets included.
logging.getLogger("netmiko").setLevel(logging.WARNING)


def require() -> None:
    """Raise LyceeError when the libraries could not be loaded."""
    if LOAD_ERROR is not None:
        raise LyceeError(f"netmiko cannot be loaded ({LOAD_ERROR}); install it into the Python that runs Ansible")
