"""Shares by WMI: Win32_Share with the access list by SID, the same in every language.

Note that this utility is private to the collection.

The methods answer with numbers ("Win32_Share class" in Microsoft's documentation). Without an access list Create gives everyone
the right to read, so one is always sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import files, wsman
from .accounts import is_sid
from .errors import NotFoundError, OptionError, StateError
from .principals import Principals
from .session import Session

#: What the three boxes of a share's permissions stand for (winnt.h: FILE_ALL_ACCESS, and what icacls calls M and RX).
ACCESS = {"full": 0x1F01FF, "change": 0x1301BF, "read": 0x1200A9}
_WORDS = {mask: word for word, mask in ACCESS.items()}
_ALLOW, _DACL_PRESENT, _DISK = 0, 4, 0
#: SHI_USES_UNLIMITED (lmshare.h).
_UNLIMITED = 0xFFFFFFFF
_REASONS = {
    2: "access is denied",
    8: "Windows gives no reason",
    9: "the name is not valid",
    10: "the level is not valid",
    21: "a parameter is not valid",
    22: "there is a share of this name already",
    23: "the path is a redirected one",
    24: "the folder does not exist",
    25: "there is no share of this name",
}
#: 80 characters and none of these ("NetShareAdd" and "Naming files" in Microsoft's documentation).
_NAME = re.compile(r'[^\x00-\x1f"/\\\[\]:|<>+=;,?*%]{1,80}')


@dataclass(frozen=True, slots=True)
class Share:
    """One share.

    Attributes:
        users_limit: how many may use it at once; None is no limit.
        permissions: SID and access (``full``, ``change``, ``read``, or what else is there), sorted; None where there is no list,
            which lets everyone do everything.
    """

    name: str
    path: str
    description: str
    users_limit: int | None
    permissions: tuple[tuple[str, str], ...] | None

    def as_dict(self) -> dict[str, Any]:
        """Return what the module returns of it."""
        listed = None if self.permissions is None else [{"sid": sid, "access": word} for sid, word in self.permissions]
        return {
            "name": self.name,
            "path": self.path,
            "description": self.description,
            "users_limit": self.users_limit,
            "permissions": listed,
        }


def permissions_of(descriptor: wsman.Instance) -> tuple[tuple[str, str], ...] | None:
    """Return SID and access of each entry of a Win32_SecurityDescriptor's access list; None when it has none."""
    if descriptor.get("DACL") is None:
        return None
    found = []
    for ace in wsman.objects(descriptor, "DACL"):
        trustee = ace.get("Trustee")
        sid = wsman.text(trustee, "SIDString") if isinstance(trustee, dict) else ""
        mask = wsman.number(ace, "AccessMask") or 0
        word = _WORDS.get(mask & 0xFFFFFFFF, f"0x{mask & 0xFFFFFFFF:x}")
        found.append((sid, word if wsman.number(ace, "AceType") == _ALLOW else f"deny {word}"))
    return tuple(sorted(found))


def binary_sid(sid: str) -> bytes:
    """Return the bytes of a SID ([MS-DTYP] 2.4.2.2).

    Raises:
        OptionError: it is none.
    """
    if not is_sid(sid):
        raise OptionError(f"'{sid}' is no SID; write it as S-1-5-32-544")
    revision, authority, *parts = (int(part) for part in sid.split("-")[1:])
    try:
        head = bytes([revision, len(parts)]) + authority.to_bytes(6, "big")
        return head + b"".join(part.to_bytes(4, "little") for part in parts)
    except (OverflowError, ValueError):
        raise OptionError(f"'{sid}' is no SID; its numbers are too large") from None


def access_list(permissions: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the Win32_SecurityDescriptor that grants ``permissions`` and nothing else, as an argument of a method.

    The provider reads the SID from the trustee's bytes; the text of it is for reading only.

    Raises:
        OptionError: a SID is none.
    """
    entries = [
        wsman.embedded(
            "Win32_ACE",
            {
                "AccessMask": str(ACCESS[word]),
                "AceFlags": "0",
                "AceType": str(_ALLOW),
                "Trustee": wsman.embedded("Win32_Trustee", {"SID": [str(byte) for byte in binary_sid(sid)]}),
            },
        )
        for sid, word in permissions
    ]
    return wsman.embedded("Win32_SecurityDescriptor", {"ControlFlags": str(_DACL_PRESENT), "DACL": entries})


def read(session: Session, name: str) -> Share | None:
    """Return the share of this name, or None.

    Raises:
        StateError: its access list cannot be read.
        WindowsError: one of its kinds.
    """
    try:
        row = session.get("Win32_Share", Name=name)
    except NotFoundError:
        return None
    try:
        answer = session.invoke("Win32_LogicalShareSecuritySetting", "GetSecurityDescriptor", Name=name)
    except NotFoundError:
        answer = {}
    descriptor = answer.get("Descriptor")
    if wsman.number(answer, "ReturnValue") != 0 or not isinstance(descriptor, dict):
        raise StateError(
            f"{session.name}: who may use the share {name} cannot be read ({_reason(wsman.number(answer, 'ReturnValue'))})"
        )
    limit = wsman.number(row, "MaximumAllowed")
    unlimited = wsman.text(row, "AllowMaximum").casefold() == "true" or limit in (None, _UNLIMITED)
    return Share(
        name=wsman.text(row, "Name"),
        path=wsman.text(row, "Path"),
        description=wsman.text(row, "Description"),
        users_limit=None if unlimited else limit,
        permissions=permissions_of(descriptor),
    )


def create(session: Session, share: Share) -> None:
    """Create a share; the caller reads back.

    Raises:
        StateError: Windows refuses.
        WindowsError: one of its kinds.
    """
    arguments: wsman.Arguments = {
        "Path": share.path,
        "Name": share.name,
        "Type": str(_DISK),
        "MaximumAllowed": None if share.users_limit is None else str(share.users_limit),
        "Description": share.description,
        "Access": access_list(share.permissions or ()),
    }
    _done(session, share.name, "created", session.invoke("Win32_Share", "Create", arguments))


def change(session: Session, share: Share) -> None:
    """Bring description, limit and access list of a share to those of ``share``; the caller reads back.

    Raises:
        StateError: Windows refuses.
        WindowsError: one of its kinds.
    """
    # All three each time: nothing tells what one that is left out becomes.
    arguments: wsman.Arguments = {
        "MaximumAllowed": str(_UNLIMITED if share.users_limit is None else share.users_limit),
        "Description": share.description,
        "Access": access_list(share.permissions or ()),
    }
    _done(session, share.name, "changed", session.invoke("Win32_Share", "SetShareInfo", arguments, Name=share.name))


def delete(session: Session, name: str) -> None:
    """Remove a share, cutting those who use it, and look whether it is gone.

    Raises:
        StateError: it is still there.
        WindowsError: one of its kinds.
    """
    _done(session, name, "removed", session.invoke("Win32_Share", "Delete", Name=name))
    if read(session, name) is not None:
        raise StateError(f"{session.name}: the share {name} is still there after it was removed")


def _done(session: Session, name: str, what: str, answer: wsman.Instance) -> None:
    number = wsman.number(answer, "ReturnValue")
    if number != 0:
        raise StateError(f"{session.name}: the share {name} cannot be {what}: {_reason(number)}")


def _reason(number: int | None) -> str:
    return _REASONS.get(number, f"Windows gives the number {number}") if number is not None else "WMI gives no answer"


def check_name(name: str) -> str:
    """Return ``name`` when a share may have it.

    Raises:
        OptionError: it may not.
    """
    if _NAME.fullmatch(name) is None or name != name.strip():
        raise OptionError(
            f"'{name}' is no name for a share; it has at most 80 characters, none of them a control character or one of "
            '" / \\ [ ] : | < > + = ; , ? * %, and no blank at its ends'
        )
    return name


def _wanted_permissions(
    session: Session, entries: Sequence[Mapping[str, Any]] | None
) -> tuple[tuple[str, str], ...] | None:
    if entries is None:
        return None
    principals = Principals(session)
    found: dict[str, str] = {}
    for entry in entries:
        if (entry["sid"] is None) == (entry["account"] is None):
            raise OptionError("an entry of permissions names one of sid and account")
        if entry["sid"] is not None and not is_sid(entry["sid"]):
            raise OptionError(f"'{entry['sid']}' is no SID; write it as S-1-5-32-544, or a name as account")
        sid = entry["sid"] or principals.sid(entry["account"])
        if found.setdefault(sid, entry["access"]) != entry["access"]:
            raise OptionError(f"permissions give {entry['account'] or sid} ({sid}) two kinds of access; keep one")
    return tuple(sorted(found.items()))


def manage_share(
    session: Session, arguments: Mapping[str, Any], *, check: bool, step: Callable[[str], None] = lambda name: None
) -> dict[str, Any]:
    """Bring a share to what ``windows_share`` documents and return its result.

    Raises:
        WindowsError: one of its kinds.
    """
    name = check_name(arguments["name"])
    limit = arguments["users_limit"]
    if limit is not None and not 0 <= limit < _UNLIMITED:
        raise OptionError(f"users_limit is {limit}; give a number of users, or 0 for no limit")
    present = read(session, name)
    if arguments["state"] == "absent":
        result: dict[str, Any] = {"changed": present is not None, "diff": _diff(present, None)}
        if present is not None and not check:
            step("remove")
            delete(session, name)
        return result
    path = _wanted_path(arguments["path"], name, present)
    permissions = _wanted_permissions(session, arguments["permissions"])
    wanted = _wanted(session, name, path, arguments, permissions, present)
    if present is not None and _same_path(present.path, path) and _rest(present) == _rest(wanted):
        return {"changed": False, "diff": _diff(None, None), "share": present.as_dict()}
    moves = present is not None and not _same_path(present.path, path)
    if moves and not arguments["replace"]:
        raise OptionError(
            f"{session.name}: the share {name} is of {present.path if present else ''}, not of {path}; a share cannot be moved: "
            "replace: true removes it, which cuts those who use it, and creates it again"
        )
    odd = [f"{word} for {sid}" for sid, word in wanted.permissions or () if word not in ACCESS]
    if odd or wanted.permissions is None:
        what = (
            f"entries that these words cannot say ({', '.join(odd)})"
            if odd
            else "no list, so everyone may do everything"
        )
        raise OptionError(
            f"{session.name}: the permissions of the share {name} have {what}; give permissions, to replace them"
        )
    result = {"changed": True, "diff": _diff(present, wanted)}
    if check:
        return {**result, "share": wanted.as_dict()}
    if (present is None or moves) and not files.folder_exists(session, path):
        raise StateError(f"{session.name}: the folder {path} does not exist; create it before it is shared")
    if present is not None and not moves:
        step("change")
        change(session, wanted)
    else:
        if moves:
            step("remove")
            delete(session, name)
        step("create")
        create(session, wanted)
    found = read(session, name)
    if found is None or not _same_path(found.path, path) or _rest(found) != _rest(wanted):
        raise StateError(
            f"{session.name}: the share {name} is not as wanted: wanted {wanted.as_dict()}, found "
            f"{found.as_dict() if found else 'none'}"
        )
    return {**result, "share": found.as_dict()}


def _wanted(
    session: Session,
    name: str,
    path: str,
    arguments: Mapping[str, Any],
    permissions: tuple[tuple[str, str], ...] | None,
    present: Share | None,
) -> Share:
    """Return the share that is wanted: what is not given stays as it is."""
    if permissions is None:
        permissions = present.permissions if present else None
        if present is None:
            raise OptionError(
                f"{session.name}: the share {name} does not exist; creating it needs permissions, for Windows alone would let "
                "everyone read"
            )
    elif not permissions:
        raise OptionError(f"permissions of the share {name} is empty, so nobody could use it; state: absent removes it")
    description, limit = arguments["description"], arguments["users_limit"]
    return Share(
        name=name,
        path=path,
        description=(present.description if present else "") if description is None else description,
        users_limit=(present.users_limit if present else None) if limit is None else limit or None,
        permissions=permissions,
    )


def _wanted_path(given: str | None, name: str, present: Share | None) -> str:
    if not given and present is None:
        raise OptionError(f"the share {name} does not exist; creating it needs path, the folder that is shared")
    path = files.check_path(given or (present.path if present else ""))
    if path.startswith("\\\\"):
        raise OptionError(f"path is {path}; a share is of a folder of the host itself, as in C:\\Folder")
    return path


def _same_path(one: str, other: str) -> bool:
    return one.rstrip("\\").casefold() == other.rstrip("\\").casefold()


def _rest(share: Share) -> tuple[object, ...]:
    return share.description, share.users_limit, share.permissions


def _diff(before: Share | None, after: Share | None) -> dict[str, Any]:
    return {"before": before.as_dict() if before else {}, "after": after.as_dict() if after else {}}
