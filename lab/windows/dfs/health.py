# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The diagnostic report of a replication group: an HTML file and an XML file beside it.

Sources: facts/windows.md 2.4 (``dfsradmin health new`` writes both), 1.5: the tool asks each member by DCOM, which the logon of
WinRM cannot; such a member stands in the report as one that refused, and one that is off as one that did not answer. The layout is
the lab's own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from lab.windows.dfs.directory import is_up
from lab.windows.dfs.engine import known
from lab.windows.dfs.replica import RootGoneError

if TYPE_CHECKING:
    from lab.windows.dfs.config import Group
    from lab.windows.dfs.directory import Domain
    from lab.windows.processes import Call

_RPC_UNAVAILABLE, _ACCESS_DENIED = 1722, 5


@dataclass
class _Section:
    """One member. ``rows``: of each folder what was measured."""

    member: str
    error: int = 0
    rows: list[dict[str, str]] = field(default_factory=list)


async def write(call: Call, domain: Domain, group: Group, report: str, reference: str) -> None:
    """Make the report. Raises WindowsPathError when it cannot be written.

    Args:
        report: path of the HTML file. reference: the member whose files the others are compared with.
    """
    sections = [await _section(call, group, member.name) for member in group.members.values()]
    path = call.path(report)
    stem = path[: -len(".html")] if path.lower().endswith(".html") else path
    stem = stem[: -len(".htm")] if stem.lower().endswith(".htm") else stem
    shown = path if path.lower().endswith((".html", ".htm")) else f"{path}.html"
    call.host.drive.write(f"{stem}.xml", _xml(domain, group, reference, sections).encode())
    call.host.drive.write(shown, _html(call, domain, group, reference, sections).encode())


async def _section(call: Call, group: Group, name: str) -> _Section:
    section = _Section(name)
    directory = call.host.dfs.directory
    host = directory.host(name) if directory else None
    if host is None or directory is None or not is_up(host):
        section.error = _RPC_UNAVAILABLE
    elif host is not call.host:
        section.error = _ACCESS_DENIED
    else:
        for copy in host.dfs.member.copies.values():
            if copy.group.guid == group.guid:
                try:
                    files = await directory.worker.call(lambda copy=copy: known(copy.replica))  # type: ignore[misc]
                except RootGoneError:
                    files = 0
                section.rows.append({"folder": copy.folder.name, "state": str(copy.replica.state), "files": str(files),
                                     "error": str(copy.replica.error)})  # fmt: skip
    return section


def _xml(domain: Domain, group: Group, reference: str, sections: list[_Section]) -> str:
    lines = ['<?xml version="1.0" encoding="utf-8"?>',
             f"<dfsrHealthReport domain={quoteattr(domain.name)} replicationGroup={quoteattr(group.name)} "
             f"referenceMember={quoteattr(reference)} generated=\"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\">"]  # fmt: skip
    for connection in group.connections:
        lines.append(f"  <connection sender={quoteattr(connection.sender)} receiver={quoteattr(connection.receiver)} "
                     f'enabled="{str(connection.enabled).lower()}"/>')  # fmt: skip
    for section in sections:
        lines.append(f'  <server name={quoteattr(section.member)} error="{section.error}">')
        lines += [
            "    <folder " + " ".join(f"{key}={quoteattr(value)}" for key, value in row.items()) + "/>"
            for row in section.rows
        ]
        lines.append("  </server>")
    return "\r\n".join([*lines, "</dfsrHealthReport>", ""])


def _html(call: Call, domain: Domain, group: Group, reference: str, sections: list[_Section]) -> str:
    title = call.say(
        f"Rapport d'intégrité de la réplication DFS : {group.name}", f"DFS Replication Health Report: {group.name}"
    )
    rows = []
    for section in sections:
        text = call.host.system(section.error) if section.error == _ACCESS_DENIED else ""
        if section.error == _RPC_UNAVAILABLE:
            text = call.say("Le serveur RPC n'est pas disponible.", "The RPC server is unavailable.")
        found = "; ".join(f"{row['folder']}: {row['state']}, {row['files']}" for row in section.rows)
        rows.append(f"<tr><td>{escape(section.member)}</td><td>{escape(text or found)}</td></tr>")
    links = "".join(f"<li>{escape(item.sender)} &rarr; {escape(item.receiver)}: "
                    f"{call.say('activée' if item.enabled else 'désactivée', 'enabled' if item.enabled else 'disabled')}</li>"
                    for item in group.connections)  # fmt: skip
    return (
        f'<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><title>{escape(title)}</title></head>'
        f"<body><h1>{escape(title)}</h1><p>{escape(domain.name)}, {escape(reference)}</p><table>{''.join(rows)}</table>"
        f"<ul>{links}</ul></body></html>"
    )
