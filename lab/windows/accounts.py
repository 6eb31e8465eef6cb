# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, groups, names and SIDs of one host.

Sources: "Well-known SIDs" of Microsoft's documentation; French names as French Windows has them (facts/windows.md 2.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.windows.ntlm import Credentials, nt_hash
from lab.windows.plan import WindowsPlan

if TYPE_CHECKING:
    from lab.windows.dfs.directory import Domain

SYSTEM, LOCAL_SERVICE, NETWORK_SERVICE = "S-1-5-18", "S-1-5-19", "S-1-5-20"
ADMINISTRATORS, USERS, EVERYONE, AUTHENTICATED = "S-1-5-32-544", "S-1-5-32-545", "S-1-1-0", "S-1-5-11"
CREATOR_OWNER = "S-1-3-0"
TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
# SID: (French domain, French name, English domain, English name, SIDType)
_WELL_KNOWN = {
    SYSTEM: ("AUTORITE NT", "Système", "NT AUTHORITY", "SYSTEM", 5),
    LOCAL_SERVICE: ("AUTORITE NT", "SERVICE LOCAL", "NT AUTHORITY", "LOCAL SERVICE", 5),
    NETWORK_SERVICE: ("AUTORITE NT", "SERVICE RÉSEAU", "NT AUTHORITY", "NETWORK SERVICE", 5),
    AUTHENTICATED: ("AUTORITE NT", "Utilisateurs authentifiés", "NT AUTHORITY", "Authenticated Users", 5),
    "S-1-5-2": ("AUTORITE NT", "RESEAU", "NT AUTHORITY", "NETWORK", 5),
    "S-1-5-4": ("AUTORITE NT", "INTERACTIF", "NT AUTHORITY", "INTERACTIVE", 5),
    "S-1-5-6": ("AUTORITE NT", "SERVICE", "NT AUTHORITY", "SERVICE", 5),
    EVERYONE: ("", "Tout le monde", "", "Everyone", 5),
    CREATOR_OWNER: ("", "CREATEUR PROPRIETAIRE", "", "CREATOR OWNER", 5),
    ADMINISTRATORS: ("BUILTIN", "Administrateurs", "BUILTIN", "Administrators", 4),
    USERS: ("BUILTIN", "Utilisateurs", "BUILTIN", "Users", 4),
    "S-1-5-32-546": ("BUILTIN", "Invités", "BUILTIN", "Guests", 4),
    "S-1-5-32-551": ("BUILTIN", "Opérateurs de sauvegarde", "BUILTIN", "Backup Operators", 4),
    "S-1-5-32-555": ("BUILTIN", "Utilisateurs du Bureau à distance", "BUILTIN", "Remote Desktop Users", 4),
    "S-1-5-32-573": ("BUILTIN", "Lecteurs des journaux d\u2019événements", "BUILTIN", "Event Log Readers", 4),
    TRUSTED_INSTALLER: ("NT SERVICE", "TrustedInstaller", "NT SERVICE", "TrustedInstaller", 5),
}
_SERVICE_ACCOUNTS = {
    "localsystem": ("LocalSystem", SYSTEM),
    ".\\localsystem": ("LocalSystem", SYSTEM),
    "nt authority\\system": ("LocalSystem", SYSTEM),
    "nt authority\\localservice": ("NT AUTHORITY\\LocalService", LOCAL_SERVICE),
    "nt authority\\local service": ("NT AUTHORITY\\LocalService", LOCAL_SERVICE),
    "nt authority\\networkservice": ("NT AUTHORITY\\NetworkService", NETWORK_SERVICE),
    "nt authority\\network service": ("NT AUTHORITY\\NetworkService", NETWORK_SERVICE),
}


@dataclass(slots=True)
class Account:
    """A local user; groups are SIDs."""

    name: str
    sid: str
    password: str = ""
    groups: list[str] = field(default_factory=lambda: [USERS])
    disabled: bool = False
    service_logon: bool = True
    full_name: str = ""
    description: str = ""
    nt_hash: bytes = b""

    @property
    def is_administrator(self) -> bool:
        """Whether WinRM lets it in."""
        return ADMINISTRATORS in self.groups

    def credentials(self, domains: tuple[str, ...]) -> Credentials:
        """For NTLM; the hash is made once."""
        if not self.nt_hash:
            self.nt_hash = nt_hash(self.password)
        return Credentials(self.name, self.nt_hash, domains)


class Accounts:
    """The users of a host and the translation between names and SIDs."""

    def __init__(self, plan: WindowsPlan) -> None:
        self._plan = plan
        self.domain: Domain | None = None  # whose accounts are known here as well
        self._next_rid = 1000
        self.users: dict[str, Account] = {}
        french = plan.language == "fr"
        administrator = "Administrateur" if french else "Administrator"
        wanted = plan.user.rpartition("\\")[2].partition("@")[0]
        machine = plan.machine_sid
        self._put(Account(administrator, f"{machine}-500", groups=[ADMINISTRATORS, USERS]))
        self._put(Account("Invité" if french else "Guest", f"{machine}-501", groups=["S-1-5-32-546"], disabled=True))
        if wanted.lower() == administrator.lower():
            self.users[administrator.lower()].password = plan.password
        else:
            self.users[administrator.lower()].disabled = True
            self.add(wanted, plan.password, [ADMINISTRATORS, USERS])
        database = plan.postgresql
        if database and database["account"].startswith(".\\"):
            name = str(database["account"])[2:]
            if all(str(entry["name"]).lower() != name.lower() for entry in plan.accounts):
                self.add(name, str(database["account_password"]))
        for entry in plan.accounts:
            groups = [self._group(str(name)) for name in entry.get("groups") or [USERS]]
            account = self.add(str(entry["name"]), str(entry.get("password") or ""), groups, entry.get("sid_suffix"))
            account.disabled = bool(entry.get("disabled", False))
            account.service_logon = bool(entry.get("service_logon", True))

    def _put(self, account: Account) -> Account:
        self.users[account.name.lower()] = account
        return account

    def _group(self, text: str) -> str:
        return text if text.startswith("S-1-") else self.sid_of(text) or USERS

    def add(self, name: str, password: str, groups: list[str] | None = None, rid: object = None) -> Account:
        """A new local user; without a rid it gets the next one."""
        number = int(str(rid)) if rid else self._next_rid
        self._next_rid = max(self._next_rid, number) + 1
        return self._put(Account(name, f"{self._plan.machine_sid}-{number}", password, groups or [USERS]))

    def credentials(self) -> Iterator[Credentials]:
        """The enabled accounts as NTLM wants them."""
        given = self._plan.user.rpartition("\\")[0] or self._plan.user.partition("@")[2]
        domains = tuple(dict.fromkeys(["", self._plan.computer_name, ".", self._plan.domain.partition(".")[0],
                                       self._plan.domain, given]))  # fmt: skip
        for account in self.users.values():
            if not account.disabled:
                yield account.credentials(domains)

    def user(self, name: str) -> Account | None:
        """A local user by bare name."""
        return self.users.get(name.lower())

    def by_sid(self, sid: str) -> Account | None:
        """A local user by SID."""
        return next((account for account in self.users.values() if account.sid == sid), None)

    def well_known(self, sid: str) -> tuple[str, str, int] | None:
        """(domain, name, SIDType) of a well-known SID in the host's language."""
        entry = _WELL_KNOWN.get(sid)
        if entry is None:
            return None
        return (entry[0], entry[1], entry[4]) if self._plan.language == "fr" else (entry[2], entry[3], entry[4])

    def groups(self) -> list[tuple[str, str]]:
        """(SID, name) of the built-in local groups."""
        return [(sid, (self.well_known(sid) or ("", "", 0))[1]) for sid, entry in _WELL_KNOWN.items() if entry[4] == 4]

    def system_accounts(self) -> list[tuple[str, str, str]]:
        """(SID, domain, name) of the system accounts."""
        found = []
        for sid, entry in _WELL_KNOWN.items():
            domain, name, _unused = self.well_known(sid) or ("", "", 0)
            if entry[4] == 5:
                found.append((sid, domain, name))
        return found

    def parts_of(self, sid: str) -> tuple[str, str, int] | None:
        """(domain, name, SIDType) of any SID this host can name, else None (an orphan)."""
        account = self.by_sid(sid)
        known = (self._plan.authority, account.name, 1) if account else self.well_known(sid)
        return known or (self.domain.parts_of(sid) if self.domain else None)

    def name_of(self, sid: str) -> str:
        """``DOMAIN\\name``, or the SID itself when nobody has it: what icacls prints."""
        parts = self.parts_of(sid)
        if parts is None:
            return sid
        return f"{parts[0]}\\{parts[1]}" if parts[0] else parts[1]

    def sid_of(self, text: str) -> str | None:
        """LookupAccountName: names in the host's language only."""
        domain, backslash, name = text.rpartition("\\")
        local = not backslash or domain.lower() in (".", self._plan.authority.lower())
        if local and name.lower() in self.users:
            return self.users[name.lower()].sid
        for sid in _WELL_KNOWN:
            known = self.well_known(sid)
            if known and known[1].lower() == name.lower() and (not backslash or known[0].lower() == domain.lower()):
                return sid
        return self.domain.sid_of(text) if self.domain else None

    def service_account(self, text: str) -> tuple[str, str] | None:
        """(StartName as the SCM stores it, SID); None: ERROR_INVALID_SERVICE_ACCOUNT.

        The English names of the two service accounts work in every language, and a local user needs its ``.\\``.
        """
        known = _SERVICE_ACCOUNTS.get(text.lower() or "localsystem")
        if known:
            return known
        sid = self.sid_of(text) if "\\" in text else None
        for stored, known_sid in _SERVICE_ACCOUNTS.values():
            if sid == known_sid:
                return stored, known_sid
        account = self.by_sid(sid) if sid else None
        return (f".\\{account.name}", account.sid) if account else None

    def token(self, sid: str, restricted: bool = False) -> set[str]:
        """The SIDs of a service's token. ``restricted``: without Administrators, as pg_ctl starts postgres."""
        found = {sid, EVERYONE, AUTHENTICATED, "S-1-5-6"}
        account = self.by_sid(sid)
        if account:
            found.update(account.groups)
        elif sid == SYSTEM:
            found.add(ADMINISTRATORS)
        else:
            found.add(USERS)
        return found - {ADMINISTRATORS} if restricted else found
