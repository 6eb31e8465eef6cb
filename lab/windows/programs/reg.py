# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reg.exe: query, add, delete.

Source: Microsoft's reg pages; type tokens are not localized, errors are; exit code 0 or 1.
"""

from __future__ import annotations

from typing import Any

from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal
from lab.windows.registry import HIVES, Values, short

_TYPES = ("REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ", "REG_DWORD", "REG_BINARY")
_FLAGS = {"/v": True, "/ve": False, "/s": False, "/t": True, "/d": True, "/f": False}
_OTHER = ("/reg:32", "/reg:64", "/k", "/c", "/e", "/se", "/z", "/va")


class _Syntax(Exception):
    """reg refuses the command line."""


def _options(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    index = 0
    while index < len(words):
        name = words[index].lower()
        if name in _OTHER:
            raise LabRefusal(f"reg {name} is not played")
        if name not in _FLAGS or (_FLAGS[name] and index + 1 >= len(words)):
            raise _Syntax(words[index])
        found[name] = words[index + 1] if _FLAGS[name] else ""
        index += 2 if _FLAGS[name] else 1
    return found


def _long(path: str) -> str:
    hive, _unused, rest = path.partition("\\")
    return f"{HIVES[hive]}\\{rest}".rstrip("\\")


def _shown(kind: str, value: Any) -> str:
    if kind == "REG_DWORD":
        return f"0x{value:x}"
    if kind == "REG_MULTI_SZ":
        return "\\0".join(value)
    return value.hex().upper() if isinstance(value, bytes) else str(value)


def _print(call: Call, path: str, values: Values) -> None:
    call.out(f"\n{_long(path)}")
    for name, (kind, value) in values.items():
        label = name or call.say("(par défaut)", "(Default)")
        call.out(f"    {label}    {kind}    {_shown(kind, value)}")


def _missing(call: Call) -> int:
    call.err(call.say("Erreur : le système n'a pas trouvé la clé ou la valeur de Registre spécifiée.",
                      "ERROR: The system was unable to find the specified registry key or value."))  # fmt: skip
    return 1


def _done(call: Call) -> int:
    call.out(call.say("L'opération a réussi.\n", "The operation completed successfully.\n"))
    return 0


def _query(call: Call, path: str, options: dict[str, str]) -> int:
    registry = call.host.registry
    values = registry.values(path)
    if values is None:
        return _missing(call)
    wanted = "" if "/ve" in options else options.get("/v")
    todo, hits = [path], 0
    while todo:
        here = todo.pop(0)
        found = registry.values(here) or {}
        if wanted is not None:
            found = {name: value for name, value in found.items() if name.lower() == wanted.lower()}
        if found:
            _print(call, here, found)
            hits += len(found)
        below = [f"{here}\\{name}" for name in registry.subkeys(here)]
        if "/s" in options:
            todo = below + todo
        elif wanted is None:
            if not found and below:
                call.out("")
            for key in below:
                call.out(_long(key))
    if wanted is not None and not hits:
        return _missing(call)
    call.out("")
    return 0


def _value(kind: str, text: str) -> Any:
    if kind == "REG_DWORD":
        try:
            return int(text, 0)
        except ValueError:
            raise _Syntax(text) from None
    if kind == "REG_BINARY":
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise _Syntax(text) from None
    return text.split("\\0") if kind == "REG_MULTI_SZ" else text


def _add(call: Call, path: str, options: dict[str, str]) -> int:
    registry = call.host.registry
    name = "" if "/ve" in options else options.get("/v")
    if name is None and "/d" not in options:
        registry.create(path)
        return _done(call)
    kind = options.get("/t", "REG_SZ").upper()
    if kind not in _TYPES:
        raise _Syntax(kind)
    if "/f" not in options and (name or "").lower() in (known.lower() for known in registry.values(path) or {}):
        raise LabRefusal("reg add would ask before it overwrites; give /f")
    registry.set(path, name or "", kind, _value(kind, options.get("/d", "0" if kind == "REG_DWORD" else "")))
    return _done(call)


def _delete(call: Call, path: str, options: dict[str, str]) -> int:
    if "/f" not in options:
        raise LabRefusal("reg delete would ask first; give /f")
    name = "" if "/ve" in options else options.get("/v")
    return _done(call) if call.host.registry.delete(path, name) else _missing(call)


@program("reg")
async def _reg(call: Call) -> int:
    words = list(call.argv)
    verb = words.pop(0).lower() if words else ""
    if verb in ("copy", "save", "restore", "load", "unload", "compare", "export", "import", "flags"):
        raise LabRefusal(f"reg {verb} is not played")
    try:
        if verb not in ("query", "add", "delete") or not words:
            raise _Syntax(verb)
        path = short(words[0])
        if words[0].startswith("\\\\"):
            raise LabRefusal("reg on another computer is not played")
        if path is None:
            call.err(call.say("Erreur : nom de clé non valide.\nEntrez \"REG QUERY /?\" pour la syntaxe.",
                              "ERROR: Invalid key name.\nType \"REG QUERY /?\" for usage."))  # fmt: skip
            return 1
        options = _options(words[1:])
        return {"query": _query, "add": _add, "delete": _delete}[verb](call, path, options)
    except _Syntax:
        call.err(call.say(f"Erreur : syntaxe non valide.\nEntrez \"REG {verb.upper()} /?\" pour la syntaxe.",
                          f"ERROR: Invalid syntax.\nType \"REG {verb.upper()} /?\" for usage."))  # fmt: skip
        return 1
