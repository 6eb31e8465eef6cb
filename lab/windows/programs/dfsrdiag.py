# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dfsrdiag.exe: PollAD and Backlog, as Server 2008 has them.

Sources: usage captured from 10.0.17763, output as three public parsers read it (facts/windows.md 2.4); ReplicationState and FileHash
came with 2008 R2 (Microsoft's DFS-R FAQ). Over WinRM another computer refuses the anonymous logon (1.5): error 0x80070005. Exit
codes [K].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.windows.dfs import REPLICATION, Directory, is_up
from lab.windows.dfs.member import Member
from lab.windows.dfs.replica import RootGoneError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.host import Host

_OLD = (
    "syncnow",
    "stopnow",
    "dumpadcfg",
    "dumpmachinecfg",
    "staticrpc",
    "guid2name",
    "propagationtest",
    "propagationreport",
    "idrecord",
)
_LATER = ("filehash", "replicationstate", "replstate")
_DENIED, _UNAVAILABLE, _NO_GROUP = "0x80070005", "0x800706BA", "0x80041002"
_SHOWN = 100  # "the first 100 files"


def _has(host: Host) -> bool:
    return REPLICATION in host.dfs.features


def _failed(call: Call, verb: str, code: str, french: str, english: str) -> int:
    call.out(call.say(f"[ERREUR] {french}. Err : {code}", f"[ERROR] {english}. Err: {code}"))
    call.out(call.say(f"\nOpération échouée : {verb}", f"\nOperation Failed: {verb}"))
    return 1


def _done(call: Call) -> int:
    call.out(call.say("\nOpération réussie", "\nOperation Succeeded"))
    return 0


def _options(call: Call, words: list[str], known: dict[str, str]) -> dict[str, str] | None:
    """The parameters by their long name; None: one is unknown or has no value."""
    found: dict[str, str] = {}
    for word in words:
        name, _unused, value = word[1:].partition(":")
        if not word.startswith(("/", "-")) or name.lower() not in known or not value:
            call.out(
                call.say(
                    f"[ERREUR] Paramètre de ligne de commande non valide : {word}",
                    f"[ERROR] Invalid command line parameter: {word}",
                )
            )
            return None
        found[known[name.lower()]] = value
    return found


def _reached(call: Call, directory: Directory, name: str) -> Member | str:
    """A member, or the error that asking it gives."""
    short = name.rpartition("\\")[2].partition(".")[0]
    host = directory.host(short)
    if host is None or not is_up(host):
        return _UNAVAILABLE
    if host is not call.host:
        return _DENIED
    return host.dfs.member if host.dfs.member.is_alive else _UNAVAILABLE


async def _pollad(call: Call, directory: Directory, words: list[str]) -> int:
    options = _options(call, words, {"mem": "mem", "member": "mem"})
    if options is None:
        return 87
    name = options.get("mem", call.host.plan.computer_name)
    member = _reached(call, directory, name)
    if isinstance(member, str):
        return _failed(call, "PollAD", member, f"Impossible de se connecter au fournisseur WMI. Ordinateur : {name}",
                       f"Failed to connect to WMI services on computer: {name}")  # fmt: skip
    await directory.worker.poll(member)  # the service notes in its log when it found no domain controller
    return _done(call)


async def _backlog(call: Call, directory: Directory, words: list[str]) -> int:
    known = {
        "rgname": "rg",
        "rfname": "rf",
        "smem": "smem",
        "sendingmember": "smem",
        "rmem": "rmem",
        "receivingmember": "rmem",
    }
    options = _options(call, words, known)
    if options is None or set(options) != {"rg", "rf", "smem", "rmem"}:
        return 87
    members = []
    for role in ("smem", "rmem"):
        member = _reached(call, directory, options[role])
        if isinstance(member, str):
            return _failed(call, "Backlog", member, f"Impossible de se connecter au fournisseur WMI. Ordinateur : {options[role]}",
                           f"Failed to connect to WMI services on computer: {options[role]}")  # fmt: skip
        members.append(member)
    sender, receiver = (member.copy_of(options["rg"], options["rf"]) for member in members)
    if sender is None or receiver is None:
        return _failed(
            call,
            "Backlog",
            _NO_GROUP,
            "Impossible de trouver le dossier répliqué",
            "Failed to find the replicated folder",
        )
    try:
        await directory.worker.call(lambda: sender.replica.backlog(receiver.replica.vector))
    except RootGoneError:
        return _failed(call, "Backlog", "0x3", "Le dossier répliqué est en erreur", "The replicated folder is in error")
    names = [sender.replica.records[key].name for key in sender.replica.pending(receiver.replica.vector)]
    if not names:
        call.out(call.say(f"\nAucun retard - le membre <{options['rmem']}> est synchronisé avec le partenaire <{options['smem']}>",
                          f"\nNo Backlog - member <{options['rmem']}> is in sync with partner <{options['smem']}>"))  # fmt: skip
        return _done(call)
    call.out(call.say(f"\nMembre <{options['rmem']}> Nombre de fichiers en retard : {len(names)}",
                      f"\nMember <{options['rmem']}> Backlog File Count: {len(names)}"))  # fmt: skip
    call.out(
        call.say(f"Noms des {_SHOWN} premiers fichiers", f"Backlog File Names (first {min(len(names), _SHOWN)} files)")
    )
    for number, name in enumerate(names[:_SHOWN], 1):
        call.out(f"     {number}. {call.say('Nom du fichier', 'File name')}: {name.rpartition('/')[2]}")
    return _done(call)


@program("dfsrdiag", on=_has)
async def _dfsrdiag(call: Call) -> int:
    words = list(call.argv)
    verb = words.pop(0).lower() if words else ""
    directory = call.host.dfs.directory
    if verb in _OLD or (verb in _LATER and not call.host.plan.is_nt60):
        raise LabRefusal(f"dfsrdiag {verb} is not played")
    if verb not in ("pollad", "backlog") or directory is None:
        call.out(call.say(f"[ERREUR] Commande non valide : {verb}", f"[ERROR] Invalid command: {verb}"))
        return 87
    return await (_pollad if verb == "pollad" else _backlog)(call, directory, words)
