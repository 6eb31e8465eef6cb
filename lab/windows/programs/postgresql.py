# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL's programs in the bin folder of the emulated server.

They take exactly the options of 8.4 and refuse newer ones as 8.4 does, whatever really runs behind (design.md, "Rules
of the lab"). Sources: the 8.4 manual's reference pages, getopt's messages; psql is the real one, against the real
cluster of this host.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

if TYPE_CHECKING:
    from lab.windows.host import Host


def _folder(host: Host) -> str:
    database = host.plan.postgresql
    return f"{database['folder']}\\bin" if database else "C:\\no-postgresql"


def _on(host: Host) -> bool:
    return host.plan.postgresql is not None


def _version(call: Call) -> str:
    assert call.host.plan.postgresql is not None
    return str(call.host.plan.postgresql["version"])


# psql 8.4: letter, whether it takes a value, long name. -w and --no-password came with 8.4.
_PSQL = {
    "c": (True, "command"), "d": (True, "dbname"), "f": (True, "file"), "l": (False, "list"),
    "v": (True, "set"), "X": (False, "no-psqlrc"), "1": (False, "single-transaction"), "a": (False, "echo-all"),
    "e": (False, "echo-queries"), "E": (False, "echo-hidden"), "L": (True, "log-file"), "n": (False, "no-readline"),
    "o": (True, "output"), "q": (False, "quiet"), "s": (False, "single-step"), "S": (False, "single-line"),
    "A": (False, "no-align"), "F": (True, "field-separator"), "H": (False, "html"), "P": (True, "pset"),
    "R": (True, "record-separator"), "t": (False, "tuples-only"), "T": (True, "table-attr"), "x": (False, "expanded"),
    "h": (True, "host"), "p": (True, "port"), "U": (True, "username"), "w": (False, "no-password"),
    "W": (False, "password"),
}  # fmt: skip
_NOT_PLAYED = set("snL")


class _BadOption(Exception):
    """What getopt says."""


def options(argv: list[str], known: dict[str, tuple[bool, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """(letter, value) pairs and operands by getopt_long's rules. Raises _BadOption."""
    longs = {name: letter for letter, (_unused, name) in known.items()}
    found: list[tuple[str, str]] = []
    operands: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word == "--":
            return found, operands + words
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            fits = [full for full in longs if full == name] or [full for full in longs if full.startswith(name)]
            if len(fits) != 1:
                raise _BadOption(f"illegal option -- {word[2:]}")
            letter = longs[fits[0]]
            if known[letter][0] and not equals:
                if not words:
                    raise _BadOption(f"option requires an argument -- {name}")
                value = words.pop(0)
            found.append((letter, value))
        elif word.startswith("-") and len(word) > 1:
            rest = word[1:]
            while rest:
                letter, rest = rest[0], rest[1:]
                if letter not in known:
                    raise _BadOption(f"illegal option -- {letter}")
                if known[letter][0]:
                    if not rest and not words:
                        raise _BadOption(f"option requires an argument -- {letter}")
                    found.append((letter, rest or words.pop(0)))
                    rest = ""
                else:
                    found.append((letter, ""))
        else:
            operands.append(word)
    return found, operands


def _here(call: Call, name: str) -> str:
    """The real address behind a host name that a program on this host uses."""
    own = ("", "localhost", "127.0.0.1", "::1", call.host.plan.computer_name.lower(), call.host.plan.name.lower())
    return call.host.plan.address if name.lower() in own else name


@program("psql", _folder, _on)
async def _psql(call: Call) -> int:
    if call.argv[:1] in (["--version"], ["-V"]):
        call.out(f"psql (PostgreSQL) {_version(call)}")
        return 0
    known = dict(_PSQL)
    if _version(call).startswith("8.3"):
        del known["w"]
    try:
        found, operands = options(call.argv, known)
    except _BadOption as problem:
        call.err(f"psql: {problem}")
        call.err(call.say("Essayez « psql --help » pour plus d'informations.",
                          'Try "psql --help" for more information.'))  # fmt: skip
        return 1
    host, arguments = call.env.get("PGHOST", ""), []
    for letter, value in found:
        if letter in _NOT_PLAYED:
            raise LabRefusal(f"psql -{letter} is not played")
        if letter == "h":
            host = value
        elif letter in "fo":
            if letter == "f" and value == "-":
                arguments += ["-f", "-"]
                continue
            path = call.path(value)
            arguments += [f"-{letter}", str(call.host.drive.place(path))]
        else:
            arguments += [f"-{letter}", value] if known[letter][0] else [f"-{letter}"]
    with tempfile.TemporaryDirectory(prefix="lab-psql") as scratch:
        environment = _libpq_environment(call, Path(scratch))
        command = [str(call.host.installation.binaries / "psql"), "-h", _here(call, host), *arguments, *operands]
        if not any(letter in "wW" for letter, _unused in found):
            command.insert(1, "-w")  # there is no terminal on which a password could be asked
        reads = any(item == ("f", "-") for item in found) or not any(letter in "cfl" for letter, _unused in found)
        data = await call.stdin.read_all() if reads else b""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=scratch,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            output, errors = await process.communicate(data.replace(b"\r\n", b"\n"))
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
    call.write(output.replace(b"\n", b"\r\n"))
    call.write_error(errors.replace(b"\n", b"\r\n"))
    return process.returncode or 0


def _libpq_environment(call: Call, scratch: Path) -> dict[str, str]:
    """The PG* variables of the shell; the password file is copied, since its rights are not Windows' business."""
    kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment.update({name: value for name, value in call.env.items() if name.startswith("PG")})
    environment.pop("PGHOST", None)
    environment.setdefault("PGUSER", call.user)
    assert call.host.plan.postgresql is not None
    environment.setdefault("PGPORT", "5432")
    environment["LC_ALL"] = "C"
    environment["PSQLRC"] = "/dev/null"
    wanted = call.env.get("PGPASSFILE") or f"{call.env.get('APPDATA', 'C:')}\\postgresql\\pgpass.conf"
    environment["PGPASSFILE"] = str(scratch / "absent")
    try:
        data = call.host.drive.read(call.path(wanted))
    except WindowsPathError:
        return environment
    copy = scratch / "pgpass.conf"
    # localhost in the file means this host.
    text = re.sub(
        rb"(?m)^(localhost|127\.0\.0\.1):", call.host.plan.address.encode() + b":", data.replace(b"\r\n", b"\n")
    )
    copy.write_bytes(text)
    copy.chmod(0o600)
    environment["PGPASSFILE"] = str(copy)
    return environment


@program("postgres", _folder, _on)
async def _postgres(call: Call) -> int:
    if call.argv in (["--version"], ["-V"]):
        call.out(f"postgres (PostgreSQL) {_version(call)}")
        return 0
    # main.c: administrators are refused before anything else is looked at.
    call.err(call.say(
        "L'exécution de PostgreSQL par un utilisateur doté de droits d'administration n'est pas\nautorisée.\n"
        "Le serveur doit être lancé avec un identifiant d'utilisateur non privilégié pour empêcher les problèmes\n"
        "de sécurité. Voir la documentation pour plus d'informations sur la façon de\nlancer proprement le serveur.",
        "Execution of PostgreSQL by a user with administrative permissions is not\npermitted.\nThe server must be "
        "started under an unprivileged user ID to prevent\npossible system security compromises.  See the documentation "
        "for\nmore information on how to properly start the server."))  # fmt: skip
    return 1


@program("pg_ctl", _folder, _on)
async def _pg_ctl(call: Call) -> int:
    if call.argv in (["--version"], ["-V"]):
        call.out(f"pg_ctl (PostgreSQL) {_version(call)}")
        return 0
    verbs = [word for word in call.argv if not word.startswith("-")]
    if "runservice" in verbs:
        call.err(call.say("pg_ctl : n'a pas pu exécuter le service", "pg_ctl: could not run as a service"))
        return 1
    if "status" not in verbs:
        raise LabRefusal(f"pg_ctl is played with 'status' only: {call.line.strip()}")
    data = ""
    words = list(call.argv)
    for index, word in enumerate(words):
        if word.startswith("-D"):
            data = word[2:] or (words[index + 1] if index + 1 < len(words) else "")
    if not data:
        data = call.env.get("PGDATA", "")
    if not data:
        call.err(call.say("pg_ctl : aucun répertoire de bases de données indiqué et variable d'environnement PGDATA non "
                          "initialisée", "pg_ctl: no database directory specified and environment variable PGDATA "
                          "unset"))  # fmt: skip
        return 1
    path = call.path(data)
    service = next((item for item in call.host.scm.services.values() if item.is_postgresql and item.state == "Running"
                    and call.host.drive.absolute(item.data_folder).lower() == path.lower()), None)  # fmt: skip
    if service is None:
        call.out(call.say("pg_ctl : aucun serveur en cours d'exécution", "pg_ctl: no server running"))
        return 1
    call.out(call.say(f"pg_ctl : le serveur est en cours d'exécution (PID : {service.pid})",
                      f"pg_ctl: server is running (PID: {service.pid})"))  # fmt: skip
    return 0


# pg_controldata.c of 8.4, and its French catalog.
_LABELS = {
    "pg_control version number": "Numéro de version de pg_control",
    "Catalog version number": "Numéro de version du catalogue",
    "Database system identifier": "Identifiant du système de base de données",
    "Database cluster state": "État du cluster de base de données",
    "pg_control last modified": "Dernière modification de pg_control",
    "Latest checkpoint location": "Dernier point de contrôle",
    "Latest checkpoint's REDO location": "Dernier REDO (reprise) du point de contrôle",
    "Latest checkpoint's TimeLineID": "Dernier TimeLineID du point de contrôle",
    "Latest checkpoint's NextXID": "Dernier NextXID du point de contrôle",
    "Latest checkpoint's NextOID": "Dernier NextOID du point de contrôle",
    "Latest checkpoint's NextMultiXactId": "Dernier NextMultiXactId du point de contrôle",
    "Latest checkpoint's NextMultiOffset": "Dernier NextMultiOffset du point de contrôle",
    "Time of latest checkpoint": "Heure du dernier point de contrôle",
    "Maximum data alignment": "Alignement maximal des données",
    "Database block size": "Taille du bloc de la base de données",
    "Blocks per segment of large relation": "Blocs par segment des relations volumineuses",
    "WAL block size": "Taille de bloc du journal de transaction",
    "Bytes per WAL segment": "Octets par segment du journal de transaction",
    "Maximum length of identifiers": "Longueur maximale des identifiants",
    "Maximum columns in an index": "Nombre maximum de colonnes d'un index",
    "Maximum size of a TOAST chunk": "Longueur maximale d'un morceau TOAST",
    "Date/time type storage": "Stockage du type date/heure",
    "Float8 argument passing": "Passage d'argument float8",
}
_STATES = {
    "starting up": "démarrage en cours", "shut down": "arrêt", "shutting down": "arrêt en cours",
    "in crash recovery": "restauration en cours (suite à un arrêt brutal)",
    "in archive recovery": "restauration en cours (à partir des archives)", "in production": "en production",
}  # fmt: skip


@program("pg_controldata", _folder, _on)
async def _pg_controldata(call: Call) -> int:
    if call.argv in (["--version"], ["-V"]):
        call.out(f"pg_controldata (PostgreSQL) {_version(call)}")
        return 0
    operands = [word for word in call.argv if not word.startswith("-")]
    if len(operands) != len(call.argv):
        # 8.4 knows no option -D: it takes it for the folder's name.
        operands = call.argv
    folder = operands[0] if operands else call.env.get("PGDATA", "")
    if not folder:
        call.err(call.say("pg_controldata : aucun répertoire de données indiqué",
                          "pg_controldata: no data directory specified"))  # fmt: skip
        return 1
    shown = folder.replace("\\", "/")
    real = call.host.drive.find(call.path(folder))
    if real is None or not (real / "global" / "pg_control").exists():
        call.err(call.say(f"pg_controldata : n'a pas pu ouvrir le fichier « {shown}/global/pg_control » en lecture : "
                          "No such file or directory", f'pg_controldata: could not open file "{shown}/global/pg_control"'
                          " for reading: No such file or directory"))  # fmt: skip
        return 2
    output = await call.host.installation.run("pg_controldata", str(real.resolve()))
    english = call.host.plan.language == "en" or any(
        call.env.get(name, "") in ("C", "POSIX") or call.env.get(name, "").startswith("en")
        for name in ("LC_ALL", "LC_MESSAGES", "LANG")
    )
    for line in output.decode().splitlines():
        label, _unused, value = line.partition(":")
        if label not in _LABELS:
            continue
        if english:
            call.out(line)
        else:
            text = value.strip()
            call.out(f"{_LABELS[label] + ' :':<55}{_STATES.get(text, text)}")
    return 0


def _register_refusals() -> None:
    async def refuse(call: Call) -> int:
        raise LabRefusal("this program of PostgreSQL is not played yet")

    for name in (
        "pg_dump",
        "pg_dumpall",
        "pg_restore",
        "createdb",
        "dropdb",
        "createuser",
        "dropuser",
        "initdb",
        "vacuumdb",
    ):
        program(name, _folder, _on)(refuse)


_register_refusals()
