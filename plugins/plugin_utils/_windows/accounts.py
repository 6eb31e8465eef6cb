"""Service accounts and SIDs: the same whatever language Windows speaks.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import re

from . import wsman
from .errors import OptionError
from .session import Session

#: The accounts that a service may run as without a password: name for Win32_Service.Change, SID ([MS-DTYP] 2.4.2.4).
LOCAL_SYSTEM, LOCAL_SERVICE, NETWORK_SERVICE = "LocalSystem", "LocalService", "NetworkService"
BUILT_IN = {
    LOCAL_SYSTEM: ("LocalSystem", "S-1-5-18"),
    LOCAL_SERVICE: ("NT AUTHORITY\\LocalService", "S-1-5-19"),
    NETWORK_SERVICE: ("NT AUTHORITY\\NetworkService", "S-1-5-20"),
}
#: Two-letter names of SDDL ([MS-DTYP] 2.5.1.1) that stand for one SID everywhere.
SDDL_SIDS = {
    "SY": "S-1-5-18",
    "LS": "S-1-5-19",
    "NS": "S-1-5-20",
    "BA": "S-1-5-32-544",
    "BU": "S-1-5-32-545",
    "BG": "S-1-5-32-546",
    "PU": "S-1-5-32-547",
    "WD": "S-1-1-0",
    "CO": "S-1-3-0",
    "CG": "S-1-3-1",
    "AU": "S-1-5-11",
    "IU": "S-1-5-4",
    "NU": "S-1-5-2",
    "SU": "S-1-5-6",
    "AN": "S-1-5-7",
    "OW": "S-1-3-4",
}
_SID = re.compile(r"S-1-\d+(?:-\d+)+")


def is_sid(text: str) -> bool:
    """Return whether ``text`` is a SID."""
    return _SID.fullmatch(text) is not None


def built_in(name: str) -> str | None:
    """Return which built-in account a service's StartName means, or None for a real account.

    Windows keeps the name as it was given: with or without the authority, in the language of who set it.
    """
    folded = name.casefold().rpartition("\\")[2].replace(" ", "")
    if not name or folded in ("localsystem", "system"):
        return LOCAL_SYSTEM
    if folded in ("localservice", "servicelocal"):
        return LOCAL_SERVICE
    if folded in ("networkservice", "serviceréseau"):
        return NETWORK_SERVICE
    return None


def same_account(one: str, other: str, computer: str) -> bool:
    """Return whether two names of service accounts mean the same account of ``computer``."""
    if built_in(one) is not None or built_in(other) is not None:
        return built_in(one) == built_in(other)
    return _full(one, computer) == _full(other, computer)


def _full(name: str, computer: str) -> str:
    domain, separator, account = name.rpartition("\\")
    if "@" in name and not separator:
        return name.casefold()
    domain = computer if domain in ("", ".") else domain
    return f"{domain}\\{account}".casefold()


def sid_of(session: Session, name: str, computer: str) -> str:
    """Return the SID of an account: a SID as it is, a built-in one, or one that the host knows.

    Raises:
        OptionError: the host knows no such account.
        WindowsError: one of its kinds.
    """
    if is_sid(name):
        return name
    known = built_in(name)
    if known is not None and name:
        return BUILT_IN[known][1]
    domain, _separator, account = _full(name, computer).rpartition("\\")
    # To WMI built-in groups and authorities are accounts of the computer. A condition without Domain would ask the whole domain.
    if domain in ("builtin", "nt authority", "autorite nt"):
        domain = computer
    condition = f"Name = {wsman.literal(account)} AND Domain = {wsman.literal(domain)}"
    for row in session.query(f"SELECT SID FROM Win32_Account WHERE {condition}"):
        return wsman.text(row, "SID")
    raise OptionError(
        f"{session.name}: the account '{name}' is not known on this host; write it as NAME, DOMAIN\\NAME or a SID"
    )
