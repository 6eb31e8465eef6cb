"""pywinrm and what it stands on; where they are missing, a stand-in that lets the plugins be loaded and say so.

Note that this utility is private to the collection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

#: Why the libraries cannot be loaded, or None.
LOAD_ERROR: ImportError | None = None
if TYPE_CHECKING:
    import requests
    import xmltodict
    from winrm.exceptions import (
        AuthenticationError,
        WinRMError,
        WinRMOperationTimeoutError,
        WinRMTransportError,
        WSManFaultError,
    )
    from winrm.protocol import Protocol
else:
    try:
        import requests
        import xmltodict
        from winrm.exceptions import (
            AuthenticationError,
            WinRMError,
            WinRMOperationTimeoutError,
            WinRMTransportError,
            WSManFaultError,
        )
        from winrm.protocol import Protocol
    except ImportError as error:
        LOAD_ERROR = error
        Protocol = object
        requests = xmltodict = None

        class AuthenticationError(Exception):
            """Stands for pywinrm's."""

        class WinRMError(Exception):
            """Stands for pywinrm's."""

        class WinRMOperationTimeoutError(Exception):
            """Stands for pywinrm's."""

        class WinRMTransportError(Exception):
            """Stands for pywinrm's."""

        class WSManFaultError(Exception):
            """Stands for pywinrm's."""


__all__ = [
    "AuthenticationError",
    "Protocol",
    "WSManFaultError",
    "WinRMError",
    "WinRMOperationTimeoutError",
    "WinRMTransportError",
    "requests",
    "xmltodict",
]
