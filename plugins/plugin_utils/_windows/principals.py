"""Whom a right is given to: words for the accounts and groups that every Windows and every domain has, by their SIDs.

Note that this utility is private to the collection.

The numbers at the end of the SIDs are those of [MS-DTYP] 2.4.2.4; the names behind them are in the language of the host.
"""

from __future__ import annotations

import csv
import re

from . import wsman
from .accounts import is_sid, sid_of
from .errors import OptionError
from .session import Session

_WHOAMI = "C:\\Windows\\System32\\whoami.exe"
WELL_KNOWN = {
    "everyone": "S-1-1-0",
    "authenticated_users": "S-1-5-11",
    "administrators": "S-1-5-32-544",
    "system": "S-1-5-18",
}
#: Words for what each domain has: the last number of the SID.
DOMAIN = {"domain_administrator": 500, "domain_admins": 512, "domain_users": 513, "domain_computers": 515}
_DOMAIN_SID = re.compile(r"(S-1-5-21-\d+-\d+-\d+)-\d+")
_OWN_SID = re.compile(r"S-1-5-21(?:-\d+){4}")
_DOMAIN_CONTROLLER = 4


def domain_of(sid: str) -> str:
    """Return the SID of the domain (or of the computer) that an account's SID belongs to; empty for a well-known one."""
    match = _DOMAIN_SID.fullmatch(sid)
    return match[1] if match else ""


def domain_sid(session: Session) -> str:
    """Return the SID of the domain that the host belongs to.

    No second hop is needed where the session's own account is one of the domain: its SID is in the token. With a local account WMI
    is asked for the domain's administrator, which asks the domain controller and may be denied there.

    Raises:
        OptionError: the host is in no domain, or cannot tell.
        WindowsError: one of its kinds.
    """
    computer = session.one_row("SELECT PartOfDomain, DomainRole FROM Win32_ComputerSystem")
    if wsman.text(computer, "PartOfDomain").casefold() != "true":
        raise OptionError(f"{session.name}: the host is in no domain; name an account of its own, or a SID")
    done = session.run([_WHOAMI, "/user", "/fo", "csv", "/nh"])
    own = {domain_of(field) for line in csv.reader(done.text.splitlines()) for field in line} - {""}
    if (wsman.number(computer, "DomainRole") or 0) < _DOMAIN_CONTROLLER and own:
        # A domain controller has no accounts of its own; any other computer has, and they do not count.
        own -= _domains(session, "LocalAccount = TRUE")
    own = own or _domains(session, "LocalAccount = FALSE")
    if len(own) != 1:
        found = f"several answer: {', '.join(sorted(own))}" if own else "the host does not tell it to this account"
        raise OptionError(
            f"{session.name}: the domain's SID is not known ({found}); write the SID itself, as 'whoami /user' shows it in a "
            "session of a domain account, with the last number replaced"
        )
    return own.pop()


def _domains(session: Session, condition: str) -> set[str]:
    rows = session.query(f"SELECT SID FROM Win32_UserAccount WHERE {condition} AND SID LIKE 'S-1-5-21-%-500'")
    return {domain_of(wsman.text(row, "SID")) for row in rows} - {""}


def own_sid(session: Session) -> str:
    """Return the SID of the account of the session itself, by ``whoami /user``.

    Raises:
        OptionError: whoami tells none.
        WindowsError: one of its kinds.
    """
    found = _OWN_SID.search(session.run([_WHOAMI, "/user", "/fo", "csv", "/nh"]).text)
    if found is None:
        raise OptionError(f"{session.name}: whoami does not tell the SID of the account")
    return found[0]


class Principals:
    """The SIDs of accounts of one host; the domain is asked once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._domain = ""

    def sid(self, name: str) -> str:
        """Return the SID of an account: a SID, a word of ``WELL_KNOWN`` or ``DOMAIN``, or a name that the host knows.

        Raises:
            OptionError: it is not known.
            WindowsError: one of its kinds.
        """
        if is_sid(name):
            return name
        if name in WELL_KNOWN:
            return WELL_KNOWN[name]
        if name in DOMAIN:
            self._domain = self._domain or domain_sid(self._session)
            return f"{self._domain}-{DOMAIN[name]}"
        return sid_of(self._session, name, self._session.computer_name)
