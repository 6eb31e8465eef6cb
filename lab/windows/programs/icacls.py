# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""icacls.exe: display, grant, deny, remove, setowner, save, restore, reset, findsid, verify.

Sources: Microsoft's icacls page (grammar, ``*`` before a SID, /save writes SDDL); /inheritance came with Windows 7;
the file of /save is UTF-16LE, name and SDDL on alternating lines, without a byte order mark [K]. Exit code: 0 or the
last error [K].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.windows import acl
from lab.windows.acl import Ace
from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal


class _Invalid(Exception):
    """icacls refuses a parameter: exit code 87."""


class _Unknown(Exception):
    """An account that cannot be resolved: exit code 1332."""


@dataclass
class _Job:
    """The whole run: flags and counts."""

    call: Call
    quiet: bool = False
    tree: bool = False
    go_on: bool = False
    done: int = 0
    failed: int = 0
    code: int = 0

    def finish(self) -> int:
        """The last line, localized."""
        self.call.out(self.call.say(
            f"{self.done} fichiers correctement traités ; échec du traitement de {self.failed} fichiers",
            f"Successfully processed {self.done} files; Failed processing {self.failed} files"))  # fmt: skip
        return self.code

    def fail(self, path: str, code: int) -> int:
        """One path failed."""
        self.call.err(f"{path}: {self.call.host.system(code)}")
        self.failed += 1
        self.code = code
        return code

    def processed(self, path: str) -> None:
        """One path was worked on."""
        self.done += 1
        if not self.quiet:
            self.call.out(self.call.say(f"fichier traité : {path}", f"processed file: {path}"))


def _walk(job: _Job, path: str) -> Iterator[str]:
    yield path
    if job.tree and job.call.host.drive.is_folder(path):
        for name, real in job.call.host.drive.listing(path):
            child = f"{path.rstrip(chr(92))}\\{name}"
            if real.is_symlink() or not real.is_dir():
                yield child
            else:
                yield from _walk(job, child)


def _sid(call: Call, text: str) -> str:
    if text.startswith("*"):
        if not re.fullmatch(r"S-1-\d+(-\d+)+", text[1:], re.IGNORECASE):
            raise _Unknown(text)
        return text[1:].upper()
    sid = call.host.accounts.sid_of(text)
    if sid is None:
        raise _Unknown(text)
    return sid


def _permission(call: Call, text: str) -> tuple[str, int, frozenset[str]]:
    """``*S-1-5-18:(OI)(CI)F`` as (SID, mask, flags)."""
    name, _unused, rest = text.rpartition(":")
    if not name:
        raise _Invalid(text)
    flags = set()
    while match := re.match(r"\((OI|CI|IO|NP|I)\)", rest, re.IGNORECASE):
        if match[1].upper() == "I":
            raise _Invalid(text)
        flags.add(match[1].upper())
        rest = rest[match.end() :]
    names = rest.strip("()").upper().split(",") if rest.startswith("(") else [rest.upper()]
    if not rest.startswith("(") and rest.upper() not in acl.SIMPLE:
        # F, M, RX, R, W may follow each other without parentheses, as in RW.
        names = re.findall(r"RX|F|M|R|W|D", rest.upper())
        if "".join(names) != rest.upper():
            raise _Invalid(text)
    mask = 0
    for word in names:
        value = acl.SIMPLE.get(word, acl.SPECIFIC.get(word))
        if value is None:
            raise _Invalid(text)
        mask |= value
    if len(names) > 0 and mask not in (acl.FULL, 0):
        mask |= acl.SYNCHRONIZE
    return _sid(call, name), mask, frozenset(flags)


def _grant(aces: list[Ace], sid: str, mask: int, flags: frozenset[str], replace: bool, deny: bool) -> list[Ace]:
    if replace:
        aces = [item for item in aces if item.sid != sid or item.deny]
    for index, item in enumerate(aces):
        if item.sid == sid and item.deny == deny and item.flags == flags:
            return [*aces[:index], Ace(sid, item.mask | mask, flags, deny), *aces[index + 1 :]]
    return [*aces, Ace(sid, mask, flags, deny)]


Change = Callable[[str], None]


def _operations(job: _Job, words: list[str]) -> list[Change]:
    """The changes of ACEs that the options ask for, in their order."""
    acls, drive = job.call.host.acls, job.call.host.drive
    found: list[Change] = []
    index = 0
    while index < len(words):
        option = words[index].lower()
        index += 1
        values = []
        while index < len(words) and not words[index].startswith("/"):
            values.append(words[index])
            index += 1
        if option in ("/grant", "/grant:r", "/deny"):
            if not values:
                raise _Invalid(option)
            for value in values:
                sid, mask, flags = _permission(job.call, value)
                replace, deny = option.endswith(":r"), option == "/deny"

                def grant(path: str, sid: str = sid, mask: int = mask, flags: frozenset[str] = flags,
                          replace: bool = replace, deny: bool = deny) -> None:  # fmt: skip
                    entry = acls.entry(path)
                    own = flags if drive.is_folder(path) else frozenset()
                    entry.aces = _grant(entry.aces, sid, mask, own, replace, deny)

                found.append(grant)
        elif option in ("/remove", "/remove:g", "/remove:d"):
            if not values:
                raise _Invalid(option)
            for value in values:
                sid, kind = _sid(job.call, value), option[-2:]

                def remove(path: str, sid: str = sid, kind: str = kind) -> None:
                    entry = acls.entry(path)
                    entry.aces = [item for item in entry.aces if item.sid != sid
                                  or (kind == ":g" and item.deny) or (kind == ":d" and not item.deny)]  # fmt: skip

                found.append(remove)
        elif option.startswith("/inheritance:") and not job.call.host.plan.is_nt60:
            kind = option[-1]
            if kind not in "edr":
                raise _Invalid(option)

            def inheritance(path: str, kind: str = kind) -> None:
                before = acls.security(path).aces
                entry = acls.entry(path)
                if kind == "d":
                    entry.aces = [Ace(item.sid, item.mask, item.flags - {"ID"}, item.deny) for item in before]
                entry.protected = kind != "e"

            found.append(inheritance)
        elif option == "/setintegritylevel":
            raise LabRefusal("icacls /setintegritylevel is not played")
        else:
            raise _Invalid(option)
    return found


def _show(job: _Job, path: str) -> None:
    lines = []
    for item in job.call.host.acls.security(path).aces:
        lines.append(f"{job.call.host.accounts.name_of(item.sid)}:{item.letters()}")
    shown = job.call.host.drive.true_case(path)
    job.call.out(f"{shown} {lines[0] if lines else ''}")
    for line in lines[1:]:
        job.call.out(f"{' ' * len(shown)} {line}")
    job.call.out("")
    job.done += 1


def _save(job: _Job, path: str, file: str) -> None:
    lines = []
    parent = path.rpartition("\\")[0]
    administrator = f"{job.call.host.plan.machine_sid}-500"
    for item in _walk(job, path):
        name = job.call.host.drive.true_case(item)[len(parent) + 1 :]
        lines += [name, job.call.host.acls.security(item).sddl(administrator)]
        job.processed(item)
    job.call.host.drive.write(job.call.path(file), "".join(f"{line}\r\n" for line in lines).encode("utf-16-le"))


def _restore(job: _Job, folder: str, file: str) -> None:
    lines = job.call.host.drive.read(job.call.path(file)).decode("utf-16-le").lstrip("\ufeff").splitlines()
    for name, sddl in zip(lines[::2], lines[1::2], strict=False):
        path = f"{folder.rstrip(chr(92))}\\{name}"
        if job.call.host.drive.find(path) is None:
            job.fail(path, 2)
            continue
        try:
            protected, aces = acl.parse_sddl(sddl, job.call.host.plan.machine_sid)
        except ValueError:
            job.fail(path, 1336)
            continue
        entry = job.call.host.acls.entry(path)
        entry.protected, entry.aces = protected, aces
        job.processed(path)


def _usage(call: Call) -> int:
    call.out(
        "\nICACLS name /save aclfile [/T] [/C] [/L] [/Q]\n"
        "ICACLS directory [/substitute SidOld SidNew [...]] /restore aclfile [/C] [/L] [/Q]\n"
        "ICACLS name /setowner user [/T] [/C] [/L] [/Q]\nICACLS name /findsid Sid [/T] [/C] [/L] [/Q]\n"
        "ICACLS name /verify [/T] [/C] [/L] [/Q]\nICACLS name /reset [/T] [/C] [/L] [/Q]\n"
        "ICACLS name [/grant[:r] Sid:perm[...]]\n       [/deny Sid:perm [...]]\n"
        "       [/remove[:g|:d]] Sid[...]] [/T] [/C] [/L] [/Q]\n"
    )
    return 0


@program("icacls")
async def _icacls(call: Call) -> int:
    if not call.argv or call.argv == ["/?"]:
        return _usage(call)
    job = _Job(call)
    name, words = call.argv[0], []
    for word in call.argv[1:]:
        if word.lower() in ("/t", "/c", "/q", "/l"):
            job.tree = job.tree or word.lower() == "/t"
            job.quiet = job.quiet or word.lower() == "/q"
            job.go_on = job.go_on or word.lower() == "/c"
        else:
            words.append(word)
    if "*" in name or "?" in name:
        raise LabRefusal("wildcards in icacls' path are not played")
    path = call.path(name)
    if call.host.drive.find(path) is None:
        job.fail(name, 2)
        return job.finish()
    try:
        return _run(job, path, words)
    except _Invalid as problem:
        call.err(call.say(f"Paramètre non valide « {problem} »", f'Invalid parameter "{problem}"'))
        return 87
    except _Unknown as problem:
        job.fail(str(problem), 1332)
        return job.finish()


def _run(job: _Job, path: str, words: list[str]) -> int:
    verb = words[0].lower() if words else ""
    acls = job.call.host.acls
    if verb == "/substitute":
        raise LabRefusal("icacls /substitute is not played")
    if verb in ("/save", "/restore", "/setowner", "/findsid") and len(words) != 2:
        raise _Invalid(verb)
    if verb in ("/verify", "/reset") and len(words) != 1:
        raise _Invalid(words[1])
    if not verb:
        for item in _walk(job, path):
            _show(job, item)
    elif verb == "/save":
        try:
            _save(job, path, words[1])
        except WindowsPathError as error:
            job.done = 0
            job.fail(words[1], error.code)
    elif verb == "/restore":
        _restore(job, path, words[1])
    elif verb == "/setowner":
        owner = _sid(job.call, words[1])
        for item in _walk(job, path):
            acls.entry(item).owner = owner
            job.processed(item)
    elif verb == "/findsid":
        sid = _sid(job.call, words[1])
        for item in _walk(job, path):
            security = acls.security(item)
            job.done += 1
            if security.owner == sid or any(entry.sid == sid for entry in security.aces):
                job.call.out(job.call.say(f"SID trouvé : {item}.", f"SID Found: {item}."))
    elif verb == "/reset":
        for item in _walk(job, path):
            entry = acls.entry(item)
            entry.aces, entry.protected = [], False
            job.processed(item)
    elif verb == "/verify":
        job.done = sum(1 for item in _walk(job, path))
    else:
        operations = _operations(job, words)
        for item in _walk(job, path):
            for operation in operations:
                operation(item)
            job.processed(item)
    return job.finish()


@program("takeown")
async def _takeown(call: Call) -> int:
    words = [word.lower() for word in call.argv]
    if "/f" not in words or words.index("/f") + 1 >= len(words):
        call.err(call.say("ERREUR : syntaxe non valide.\nEntrez \"TAKEOWN /?\" pour afficher la syntaxe.",
                          "ERROR: Invalid syntax.\nType \"TAKEOWN /?\" for usage."))  # fmt: skip
        return 1
    at = words.index("/f")
    name = call.argv[at + 1]
    rest = words[:at] + words[at + 2 :]
    for word in rest:
        if word not in ("/a", "/r", "/d", "y", "o"):
            raise LabRefusal(f"takeown {word} is not played")
    path = call.path(name)
    if call.host.drive.find(path) is None:
        call.err(call.say("ERREUR : ", "ERROR: ") + call.host.system(2))
        return 1
    account = call.host.accounts.user(call.user)
    owner = "S-1-5-32-544" if "/a" in rest or account is None else account.sid
    job = _Job(call, tree="/r" in rest)
    for item in _walk(job, path):
        call.host.acls.entry(item).owner = owner
        call.out(call.say(f'\nOpération réussie : le fichier (ou le dossier) "{item}" appartient désormais à '
                          f'l\'utilisateur "{call.host.accounts.name_of(owner)}".',
                          f'\nSUCCESS: The file (or folder): "{item}" now owned by user '
                          f'"{call.host.accounts.name_of(owner)}".'))  # fmt: skip
    return 0
