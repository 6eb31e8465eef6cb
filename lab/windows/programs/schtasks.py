# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""schtasks.exe: tasks that are made from an XML file.

Sources: schtasks /? of Server 2008 (/create /xml, /query /xml, /run, /end, /change, /delete), its messages as published; exit
code 0 or 1. The file of /xml must be UTF-16 with its byte order mark.
"""

from __future__ import annotations

from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal
from lab.windows.tasks import Task
from lab.windows.taskxml import Malformed, read, user_sid

# verb: (options with a value, options without)
_OPTIONS = {
    "create": (("tn", "xml", "ru"), ("f",)),
    "query": (("tn", "fo"), ("xml", "nh")),
    "run": (("tn",), ()),
    "end": (("tn",), ()),
    "delete": (("tn",), ("f",)),
    "change": (("tn",), ("enable", "disable")),
}
_REAL = ("s", "u", "p", "sc", "mo", "d", "m", "i", "tr", "st", "et", "du", "k", "it", "rp", "rl", "z", "v1", "v", "ri", "sd", "ed",
         "delay", "np", "ec", "?", "hresult", "showsid")  # fmt: skip


def _error(call: Call, french: str, english: str) -> int:
    call.err(call.say(f"ERREUR : {french}", f"ERROR: {english}"))
    return 1


def _read(call: Call, verb: str) -> dict[str, str] | None:
    """The options; None after an error was printed. Raises LabRefusal."""
    valued, plain = _OPTIONS[verb]
    found: dict[str, str] = {}
    words = call.argv[1:]
    while words:
        word = words.pop(0)
        name = word[1:].lower() if word[:1] in "/-" else ""
        if name in plain and not (verb == "query" and name == "xml" and words and words[0].upper() == "ONE"):
            found[name] = ""
        elif name in plain or (name in valued and words and not words[0].startswith("/")):
            found[name] = words.pop(0)
        elif name in _REAL:
            raise LabRefusal(f"this option of schtasks /{verb} is not played: {word}")
        else:
            _error(call, f"Argument/option non valide - '{word}'.\nEntrez \"SCHTASKS /{verb.upper()} /?\" pour afficher la syntaxe.",
                   f"Invalid argument/option - '{word}'.\nType \"SCHTASKS /{verb.upper()} /?\" for usage.")  # fmt: skip
            return None
    return found


def _create(call: Call, asked: dict[str, str]) -> int:
    if "xml" not in asked or "tn" not in asked:
        raise LabRefusal("schtasks /create is played with /tn and /xml only")
    user = user_sid(asked["ru"]) if asked.get("ru") else None
    if asked.get("ru") and user is None:
        raise LabRefusal(f"schtasks /ru is played for SYSTEM, LOCAL SERVICE and NETWORK SERVICE only: {asked['ru']}")
    try:
        definition = read(call.host.drive.read(call.path(asked["xml"])), user)
    except WindowsPathError as error:
        return _error(call, call.host.system(error.code), call.host.system(error.code))
    except Malformed as problem:
        return _error(call, f"Le fichier XML de la tâche contient une erreur de format.\n{problem}",
                      f"The task XML is malformed.\n{problem}")  # fmt: skip
    name = asked["tn"]
    if call.host.tasks.find(name) and "f" not in asked:
        raise LabRefusal(f"schtasks /create would ask whether to replace the task {name}; give /f")
    call.host.tasks.put(name, definition)
    call.out(call.say(f'Opération réussie : la tâche planifiée "{name}" a été créée.',
                      f'SUCCESS: The scheduled task "{name}" has successfully been created.'))  # fmt: skip
    return 0


def _state(call: Call, task: Task) -> str:
    if not task.definition.enabled:
        return call.say("Désactivé", "Disabled")
    return call.say("En cours d'exécution", "Running") if task.runs else call.say("Prêt", "Ready")


def _query(call: Call, asked: dict[str, str], chosen: list[Task]) -> int:
    if "xml" in asked:
        if "tn" not in asked or "fo" in asked:
            raise LabRefusal("schtasks /query /xml is played with /tn only")
        call.out(chosen[0].definition.xml())
        return 0
    if asked.get("fo", "").lower() != "csv":
        raise LabRefusal("schtasks /query is played with /xml or /fo csv only")
    if "nh" not in asked:
        call.out(call.say('"Nom de la tâche","Prochaine exécution","Statut"', '"TaskName","Next Run Time","Status"'))
    for task in chosen:
        call.out(f'"{task.path}","N/A","{_state(call, task)}"')
    return 0


@program("schtasks")
async def _schtasks(call: Call) -> int:
    verb = call.argv[0][1:].lower() if call.argv and call.argv[0][:1] in "/-" else ""
    if verb not in _OPTIONS:
        if not call.argv or verb in ("?", "showsid"):
            raise LabRefusal("schtasks is played with /create, /query, /run, /end, /change and /delete")
        return _error(
            call, f"Argument/option non valide - '{call.argv[0]}'.", f"Invalid argument/option - '{call.argv[0]}'."
        )
    asked = _read(call, verb)
    if asked is None:
        return 1
    if verb == "create":
        return _create(call, asked)
    tasks = call.host.tasks
    task = tasks.find(asked["tn"]) if "tn" in asked else None
    if "tn" in asked and task is None:
        return _error(call, call.host.system(2), call.host.system(2))
    if verb == "query":
        return _query(call, asked, [task] if task else tasks.all())
    if task is None:
        return _error(
            call,
            "syntaxe incorrecte. Option obligatoire manquante : tn.",
            "Invalid syntax. Mandatory option 'tn' is missing.",
        )
    if verb == "run":
        if not task.definition.enabled:
            return _error(call, "La tâche est désactivée.", "The task is disabled.")
        tasks.run(task)
    elif verb == "end":
        tasks.end(task)
    elif verb == "delete":
        if "f" not in asked:
            raise LabRefusal("schtasks /delete would ask; give /f")
        tasks.delete(task)
    else:
        if ("enable" in asked) == ("disable" in asked):
            raise LabRefusal("schtasks /change is played with /enable or /disable only")
        task.definition.enable("enable" in asked)
    call.out(
        call.say(
            f'Opération réussie : la tâche planifiée "{asked["tn"]}".', f'SUCCESS: The scheduled task "{asked["tn"]}".'
        )
    )
    return 0
