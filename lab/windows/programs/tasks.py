# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tasklist.exe and taskkill.exe.

Source: Microsoft's pages; headers and the "no tasks" line are localized, its exit code is 0 [K]; taskkill gives 128 for
a process that does not exist.
"""

from __future__ import annotations

from lab.windows.processes import Call, Process
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal


def _filtered(call: Call, filters: list[str]) -> list[Process] | None:
    rows = call.host.process_list()
    for text in filters:
        words = text.split(None, 2)
        if len(words) != 3 or words[1].lower() not in ("eq", "ne"):
            return None
        name, equal, value = words[0].lower(), words[1].lower() == "eq", words[2].strip().lower()
        if name == "pid":
            rows = [row for row in rows if (str(row.pid) == value) == equal]
        elif name == "imagename":
            star = value.endswith("*")
            rows = [row for row in rows
                    if (row.name.lower().startswith(value[:-1]) if star else row.name.lower() == value) == equal]  # fmt: skip
        else:
            raise LabRefusal(f"this filter of tasklist is not played: {text}")
    return rows


@program("tasklist")
async def _tasklist(call: Call) -> int:
    words = list(call.argv)
    filters, form, header = [], "table", True
    while words:
        word = words.pop(0).lower()
        if word == "/fi" and words:
            filters.append(words.pop(0))
        elif word == "/fo" and words:
            form = words.pop(0).lower()
        elif word == "/nh":
            header = False
        elif word in ("/svc", "/v", "/m", "/s", "/u", "/p"):
            raise LabRefusal(f"tasklist {word} is not played")
        else:
            call.err(
                call.say(
                    f"Erreur : argument/option non valide - '{word}'.", f"ERROR: Invalid argument/option - '{word}'."
                )
            )
            return 1
    if form != "csv":
        raise LabRefusal("tasklist is played with /fo csv only")
    rows = _filtered(call, filters)
    if rows is None:
        call.err(
            call.say(
                "Erreur : le filtre de recherche n'est pas reconnu.", "ERROR: The search filter cannot be recognized."
            )
        )
        return 1
    if not rows:
        call.out(call.say("Information : aucune tâche en service ne correspond aux critères spécifiés.",
                          "INFO: No tasks are running which match the specified criteria."))  # fmt: skip
        return 0
    if header:
        call.out(call.say('"Nom de l\'image","PID","Nom de la session","Numéro de session","Utilisation mémoire"',
                          '"Image Name","PID","Session Name","Session#","Mem Usage"'))  # fmt: skip
    for row in rows:
        call.out(f'"{row.name}","{row.pid}","Services","0","{call.say("4 096 Ko", "4,096 K")}"')
    return 0


@program("taskkill")
async def _taskkill(call: Call) -> int:
    words = list(call.argv)
    wanted: list[Process] = []
    missing: list[str] = []
    while words:
        word = words.pop(0).lower()
        if word in ("/pid", "/im") and words:
            value = words.pop(0)
            rows = [row for row in call.host.process_list()
                    if (str(row.pid) == value if word == "/pid" else row.name.lower() == value.lower())]  # fmt: skip
            wanted += rows
            missing += [] if rows else [value]
        elif word not in ("/f", "/t"):
            raise LabRefusal(f"taskkill {word} is not played")
    for value in missing:
        call.err(
            call.say(f'Erreur : le processus "{value}" est introuvable.', f'ERROR: The process "{value}" not found.')
        )
    if missing:
        return 128
    for row in wanted:
        await call.host.kill(row.pid)
        call.out(call.say(f"Opération réussie : le processus avec PID {row.pid} a été terminé.",
                          f"SUCCESS: The process with PID {row.pid} has been terminated."))  # fmt: skip
    return 0
