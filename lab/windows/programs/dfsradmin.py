# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dfsradmin.exe: replication groups in Active Directory.

Sources: the usage text (captured from 10.0.17763), Microsoft's DFSRInfo.vbs and three public scripts (facts/windows.md 2.4); default
columns and the trailer as public parsers strip them. Two of these read ``/csv`` without a trailer on later Windows and one does
not say: the lab prints it on 6.0 only. Names of the filters' parameters [K]. A .NET program: its errors end with exit code 1 [K].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.windows.dfs import NAMESPACE, REPLICATION, health
from lab.windows.dfs.config import Connection, Folder, Group, Member, Membership
from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.dfs import Domain
    from lab.windows.host import Host

_FAILED = 1
_OBJECTS = {"rg": "rg", "rf": "rf", "mem": "mem", "member": "mem", "conn": "conn", "connection": "conn", "membership": "membership",
            "health": "health"}  # fmt: skip
_REFUSED = ("bulk", "proprep", "proptest", "sub")
_VERBS = ("new", "delete", "list", "set")
_COMMON = {"domain", "dc", "force"}
_FLAGS = {"csv", "force"}
_LISTED = {"attr", "csv"}
# Object: its name parameters, and what can be set.
_NAMES = {"rg": {"rgname"}, "rf": {"rgname", "rfname"}, "mem": {"rgname", "memname"}, "conn": {"rgname", "sendmem", "recvmem"},
          "membership": {"rgname", "rfname", "memname"}}  # fmt: skip
_SETTINGS = {
    "rg": {"rgdesc"}, "rf": {"rfdesc", "rfdfspath", "rffilefilter", "rfdirfilter"}, "mem": {"memdesc"},
    "conn": {"connenabled", "connrdcenabled"},
    "membership": {"localpath", "membershipenabled", "isprimary", "stagingpath", "stagingsize", "cdsize"},
}  # fmt: skip
Row = dict[str, object]


class FailedError(Exception):
    """Printed as it is, exit code 1: the sentence in both languages."""

    def __init__(self, french: str, english: str) -> None:
        super().__init__(english)
        self.french, self.english = french, english


@dataclass
class Request:
    """A command: the parameters by lower-case name; flags have an empty value."""

    call: Call
    domain: Domain
    values: dict[str, str] = field(default_factory=dict)

    def need(self, name: str) -> str:
        """A parameter that must be there. Raises FailedError."""
        value = self.values.get(name.lower(), "")
        if not value:
            raise FailedError(f"Le paramètre requis est absent : {name}", f"Required parameter is missing: {name}")
        return value

    def boolean(self, name: str) -> bool | None:
        """``true`` or ``false``, as .NET reads them; None when it is not given. Raises FailedError."""
        value = self.values.get(name.lower())
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise FailedError(
                f"La valeur du paramètre {name} n'est pas valide : {value}",
                f"Invalid value for parameter {name}: {value}",
            )
        return value.lower() == "true"

    def megabytes(self, name: str) -> int | None:
        """A size; AD holds none below 10 MB (DfsrReplicatedFolderConfig's page). Raises FailedError."""
        value = self.values.get(name.lower())
        if value is None:
            return None
        if not value.isdigit() or int(value) < 10:
            raise FailedError(
                f"La valeur du paramètre {name} n'est pas valide : {value}",
                f"Invalid value for parameter {name}: {value}",
            )
        return int(value)

    def group(self) -> Group:
        """The group that is named. Raises FailedError."""
        name = self.need("RgName")
        found = self.domain.groups.get(name.lower())
        if found is None:
            raise FailedError(
                f"Le groupe de réplication {name} est introuvable.", f"The replication group {name} was not found."
            )
        return found

    def folder(self, group: Group) -> Folder:
        """The replicated folder that is named. Raises FailedError."""
        name = self.need("RfName")
        found = group.folders.get(name.lower())
        if found is None:
            raise FailedError(
                f"Le dossier répliqué {name} est introuvable.", f"The replicated folder {name} was not found."
            )
        return found

    def member(self, group: Group, parameter: str = "MemName") -> Member:
        """The member that is named, as ``SRV`` or ``DOMAIN\\SRV``. Raises FailedError."""
        name = self.computer(parameter)
        found = group.members.get(name.lower())
        if found is None:
            raise FailedError(f"Le membre {name} est introuvable.", f"The member {name} was not found.")
        return found

    def computer(self, parameter: str = "MemName") -> str:
        """A computer's name without its domain. Raises FailedError."""
        return self.need(parameter).rpartition("\\")[2].partition(".")[0].upper()

    def connection(self, group: Group) -> Connection:
        """The connection that is named by its two ends. Raises FailedError."""
        found = group.connection(self.computer("SendMem"), self.computer("RecvMem"))
        if found is None:
            raise FailedError("La connexion est introuvable.", "The connection was not found.")
        return found


def _exists(name: str) -> FailedError:
    return FailedError(f"L'objet {name} existe déjà.", f"The object {name} already exists.")


def _list(request: Request, columns: Sequence[str], usual: str, rows: list[Row]) -> None:
    """Print rows as a table or as CSV: the attributes asked for, the usual ones, or all."""
    call, asked = request.call, request.values.get("attr") or usual
    known = {name.lower(): name for name in columns}
    names = list(columns) if asked.lower() == "all" else [part.strip() for part in asked.split(",")]
    for name in names:
        if name.lower() not in known:
            raise FailedError(f"L'attribut {name} n'est pas valide.", f"Invalid attribute: {name}")
    names = [known[name.lower()] for name in names]
    table = [[_shown(call, row[name]) for name in names] for row in rows]
    if "csv" in request.values:
        for line in [names, *table]:
            call.out(",".join('"' + cell.replace('"', '""') + '"' if set(cell) & set(',"') else cell for cell in line))
    else:
        widths = [max(len(line[index]) for line in [names, *table]) for index in range(len(names))]
        for line in [names, *table]:
            call.out("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _shown(call: Call, value: object) -> str:
    if isinstance(value, bool):
        return call.say("Oui" if value else "Non", "Yes" if value else "No")
    return str(value)


def _rg(request: Request, verb: str) -> None:
    domain, values = request.domain, request.values
    if verb == "new":
        name = request.need("RgName")
        if name.lower() in domain.groups:
            raise _exists(name)
        domain.groups[name.lower()] = Group(name, values.get("rgdesc", ""))
    elif verb == "delete":
        # Members, folders and connections are objects below it in AD and go with it.
        del domain.groups[request.group().name.lower()]
    elif verb == "set":
        group = request.group()
        group.description = values.get("rgdesc", group.description)
    else:
        chosen = [request.group()] if "rgname" in values else list(domain.groups.values())
        rows: list[Row] = [
            {"RgName": group.name, "RgDomain": domain.name, "RgDesc": group.description, "RgGuid": group.guid}
            for group in chosen
        ]
        _list(request, ("RgName", "RgDomain", "RgDesc", "RgGuid"), "RgName,RgDomain", rows)


def _set_folder(request: Request, folder: Folder) -> None:
    values = request.values
    folder.description = values.get("rfdesc", folder.description)
    folder.dfs_path = values.get("rfdfspath", folder.dfs_path)
    folder.file_filter = values.get("rffilefilter", folder.file_filter)
    folder.folder_filter = values.get("rfdirfilter", folder.folder_filter)


def _rf(request: Request, verb: str) -> None:
    group = request.group()
    if verb == "new":
        name = request.need("RfName")
        if name.lower() in group.folders:
            raise _exists(name)
        folder = Folder(name)
        _set_folder(request, folder)
        group.folders[name.lower()] = folder
    elif verb == "delete":
        group.remove_folder(request.folder(group).name)
    elif verb == "set":
        _set_folder(request, request.folder(group))
    else:
        columns = ("RfName", "RgName", "RfDfsPath", "RfDesc", "RfFileFilter", "RfDirFilter", "RfGuid")
        chosen = [request.folder(group)] if "rfname" in request.values else list(group.folders.values())
        rows: list[Row] = [
            {"RfName": item.name, "RgName": group.name, "RfDfsPath": item.dfs_path, "RfDesc": item.description,
             "RfFileFilter": item.file_filter, "RfDirFilter": item.folder_filter, "RfGuid": item.guid} for item in chosen
        ]  # fmt: skip
        _list(request, columns, "RfName,RfDfsPath", rows)


def _mem(request: Request, verb: str) -> None:
    group, domain = request.group(), request.domain
    if verb == "new":
        name = request.computer()
        if name not in domain.computers:
            raise FailedError(f"L'ordinateur {name} est introuvable dans le domaine {domain.name}.",
                              f"The computer {name} was not found in domain {domain.name}.")  # fmt: skip
        if name.lower() in group.members:
            raise _exists(name)
        group.members[name.lower()] = Member(name, description=request.values.get("memdesc", ""))
    elif verb == "delete":
        group.remove_member(request.member(group).name)
    elif verb == "set":
        request.member(group).description = request.values.get("memdesc", request.member(group).description)
    else:
        chosen = [request.member(group)] if "memname" in request.values else list(group.members.values())
        rows: list[Row] = [
            {"MemName": item.name, "MemDomain": domain.name, "RgName": group.name, "MemDesc": item.description,
             "MemGuid": item.guid} for item in chosen
        ]  # fmt: skip
        _list(request, ("MemName", "MemDomain", "RgName", "MemDesc", "MemGuid"), "MemName,MemDomain", rows)


def _conn(request: Request, verb: str) -> None:
    group = request.group()
    if verb == "new":
        sender, receiver = request.member(group, "SendMem").name, request.member(group, "RecvMem").name
        if sender == receiver:
            raise FailedError("Le membre d'envoi et le membre de réception sont identiques.",
                              "The sending and the receiving member are the same.")  # fmt: skip
        if group.connection(sender, receiver):
            raise _exists(f"{sender} -> {receiver}")
        enabled, rdc = request.boolean("ConnEnabled"), request.boolean("ConnRdcEnabled")
        group.connections.append(Connection(sender, receiver, enabled is not False, rdc is not False))
    elif verb == "delete":
        group.connections.remove(request.connection(group))
    elif verb == "set":
        connection = request.connection(group)
        enabled, rdc = request.boolean("ConnEnabled"), request.boolean("ConnRdcEnabled")
        connection.enabled = connection.enabled if enabled is None else enabled
        connection.rdc = connection.rdc if rdc is None else rdc
    else:
        columns = ("SendMem", "RecvMem", "ConnEnabled", "ConnRdcEnabled", "RgName", "ConnGuid")
        wanted = [(name, request.computer(name)) for name in ("SendMem", "RecvMem") if name.lower() in request.values]
        rows: list[Row] = [
            {"SendMem": item.sender, "RecvMem": item.receiver, "ConnEnabled": item.enabled, "ConnRdcEnabled": item.rdc,
             "RgName": group.name, "ConnGuid": item.guid} for item in group.connections
        ]  # fmt: skip
        rows = [row for row in rows if all(str(row[name]).upper() == computer for name, computer in wanted)]
        _list(request, columns, "SendMem,RecvMem,ConnEnabled", rows)


def _membership(request: Request, verb: str) -> None:
    group = request.group()
    if verb == "set":
        folder, member = request.folder(group), request.member(group)
        _set_membership(request, group, folder, group.membership(folder.name, member.name))
        return
    if verb != "list":
        raise FailedError(f"L'action n'est pas valide : {verb}", f"Invalid action: {verb}")
    columns = ("MemName", "RfName", "LocalPath", "MembershipEnabled", "IsPrimary", "StagingPath", "StagingSize", "CDPath", "CDSize",
               "RgName")  # fmt: skip
    rows: list[Row] = []
    for member in group.members.values():
        for folder in group.folders.values():
            item = group.membership(folder.name, member.name)
            private = item.private if item.path else ""
            rows.append({
                "MemName": member.name, "RfName": folder.name, "LocalPath": item.path, "MembershipEnabled": item.enabled,
                "IsPrimary": item.primary, "StagingPath": item.staging_path or (f"{private}\\Staging" if private else ""),
                "StagingSize": item.staging, "CDPath": f"{private}\\ConflictAndDeleted" if private else "",
                "CDSize": item.conflicts, "RgName": group.name,
            })  # fmt: skip
    for name, wanted in (("MemName", "memname"), ("RfName", "rfname")):
        if wanted in request.values:
            rows = [row for row in rows if str(row[name]).lower() == request.values[wanted].rpartition("\\")[2].lower()]
    _list(request, columns, "MemName,RfName,LocalPath,MembershipEnabled,IsPrimary", rows)


def _set_membership(request: Request, group: Group, folder: Folder, item: Membership) -> None:
    path = request.values.get("localpath")
    if path is not None:
        if not re.fullmatch(r'[A-Za-z]:\\[^"<>|?*/:]+', path):
            raise FailedError(f"Le chemin local n'est pas valide : {path}", f"The local path is not valid: {path}")
        path = path.rstrip("\\")
        if item.path and item.path.lower() != path.lower():
            # "To change the path of a replicated folder you must delete it and create it anew" (Microsoft's DFS-R FAQ).
            raise FailedError("Le chemin local d'un dossier répliqué ne peut pas être modifié.",
                              "The local path of a replicated folder cannot be changed.")  # fmt: skip
    enabled, primary = request.boolean("MembershipEnabled"), request.boolean("IsPrimary")
    staging, conflicts = request.megabytes("StagingSize"), request.megabytes("CDSize")
    if enabled and not (path or item.path):
        raise FailedError("Le paramètre requis est absent : LocalPath", "Required parameter is missing: LocalPath")
    others = [group.membership(folder.name, name) for name in group.members]
    if primary and any(other.primary for other in others if other is not item):
        raise LabRefusal("two primary members of one folder are not played")
    item.path = path or item.path
    item.enabled = item.enabled if enabled is None else enabled
    item.primary = item.primary if primary is None else primary
    item.staging, item.conflicts = staging or item.staging, conflicts or item.conflicts
    item.staging_path = request.values.get("stagingpath", item.staging_path)


_ACTIONS: dict[str, Callable[[Request, str], None]] = {
    "rg": _rg, "rf": _rf, "mem": _mem, "conn": _conn, "membership": _membership
}  # fmt: skip


def _parameters(kind: str, verb: str, words: list[str]) -> dict[str, str]:
    """``/Name:Value`` words. Raises FailedError for one that this command does not have."""
    found: dict[str, str] = {}
    if kind == "health":
        known = _COMMON | {"rgname", "refmemname", "reportname", "repname", "memname", "fscount"}
    else:
        known = (
            _COMMON
            | _NAMES[kind]
            | (_LISTED if verb == "list" else _SETTINGS[kind] if verb in ("new", "set") else set())
        )
    for word in words:
        name, colon, value = word[1:].partition(":")
        if not word.startswith("/") or name.lower() not in known or bool(colon) == (name.lower() in _FLAGS):
            raise FailedError(f"Paramètre non valide : {word}", f"Invalid parameter: {word}")
        found[name.lower()] = value
    return found


def _domain(call: Call, values: dict[str, str]) -> Domain:
    """AD, which only a domain controller has at hand: elsewhere the logon of WinRM cannot go on to it. Raises FailedError."""
    domain = call.host.dfs.domain
    if domain is None or (values.get("domain") and not domain.is_named(values["domain"])):
        raise FailedError(call.host.system(1355), call.host.system(1355))
    if domain.controller() is not call.host:
        code = 1355 if domain.controller() is None else 5
        raise FailedError(call.host.system(code), call.host.system(code))
    return domain


async def _run(call: Call) -> None:
    words = list(call.argv)
    kind = words.pop(0).lower() if words else ""
    if kind in _REFUSED:
        raise LabRefusal(f"dfsradmin {kind} is not played")
    kind = _OBJECTS.get(kind, "")
    verb = words.pop(0).lower() if words else ""
    if not kind or verb not in _VERBS or (kind == "health" and verb != "new"):
        raise FailedError("Syntaxe : DfsrAdmin <Objet> <Action> [<SousObjet>] [<SousAction>] </Paramètre:Valeur> ...",
                          "Usage: DfsrAdmin <Object> <Action> [<SubObject>] [<SubAction>] </Parameter:Value> ...")  # fmt: skip
    if words and words[0].lower() in ("schedule", "keywords", "delegate"):
        raise LabRefusal(f"dfsradmin {kind} {verb} {words[0]} is not played")
    values = _parameters(kind, verb, words)
    request = Request(call, _domain(call, values), values)
    if kind == "health":
        name = values.get("reportname") or request.need("RepName")
        await health.write(call, request.domain, request.group(), name, request.computer("RefMemName"))
    else:
        _ACTIONS[kind](request, verb)
        directory = call.host.dfs.directory
        if directory is not None:
            directory.worker.wake()
    if "csv" not in values or call.host.plan.is_nt60:
        call.out(call.say("\nLa commande s'est terminée correctement.", "\nCommand completed successfully."))


def _has(host: Host) -> bool:
    """With either role service, as the console of DFS is on a full installation of 2008."""
    return bool({NAMESPACE, REPLICATION} & host.dfs.features) and "Core" not in host.plan.edition


@program("dfsradmin", folder=lambda host: "C:\\Windows", on=_has)
async def _dfsradmin(call: Call) -> int:
    try:
        await _run(call)
    except FailedError as error:
        call.err(call.say(error.french, error.english))
        return _FAILED
    except WindowsPathError as error:
        call.err(call.host.system(error.code))
        return _FAILED
    return 0
