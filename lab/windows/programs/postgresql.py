# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL's programs of the server side: postgres, pg_ctl, pg_controldata.

They take the options of 8.4 and refuse newer ones as 8.4 does, whatever really runs behind (design.md, "Rules of the
lab"). Sources: the 8.4 manual's reference pages, main.c, pg_ctl.c and pg_controldata.c of 8.4 and their French catalogs.
"""

from __future__ import annotations

from lab.errors import LabError
from lab.windows.pgtools.tool import folder, on, version
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal


@program("postgres", folder, on)
async def _postgres(call: Call) -> int:
    if call.argv in (["--version"], ["-V"]):
        call.out(f"postgres (PostgreSQL) {version(call)}")
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


@program("pg_ctl", folder, on)
async def _pg_ctl(call: Call) -> int:
    if call.argv in (["--version"], ["-V"]):
        call.out(f"pg_ctl (PostgreSQL) {version(call)}")
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


_WRONG_CRC = (
    "ATTENTION : Les sommes de contrôle (CRC) calculées ne correspondent pas aux\nvaleurs stockées dans le fichier.\nSoit le "
    "fichier est corrompu, soit son organisation diffère de celle attendue.\nLes résultats ci-dessous ne sont pas dignes de "
    "confiance.\n",
    "WARNING: Calculated CRC checksum does not match value stored in file.\nEither the file is corrupt, or it has a different "
    "layout than this program\nis expecting.  The results below are untrustworthy.\n",
)


@program("pg_controldata", folder, on)
async def _pg_controldata(call: Call) -> int:
    if call.argv in (["--version"], ["-V"]):
        call.out(f"pg_controldata (PostgreSQL) {version(call)}")
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
    try:
        output = await call.host.installation.run("pg_controldata", str(real.resolve()))
    except LabError:
        call.err(call.say(f"pg_controldata : n'a pas pu lire le fichier « {shown}/global/pg_control » : Invalid argument",
                          f'pg_controldata: could not read file "{shown}/global/pg_control": Invalid argument'))  # fmt: skip
        return 2
    english = call.host.plan.language == "en" or any(
        call.env.get(name, "") in ("C", "POSIX") or call.env.get(name, "").startswith("en")
        for name in ("LC_ALL", "LC_MESSAGES", "LANG")
    )
    if b"crc " in output.lower():
        call.out(_WRONG_CRC[1] if english else _WRONG_CRC[0])
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

    for name in ("createuser", "dropuser", "vacuumdb", "reindexdb", "clusterdb"):
        program(name, folder, on)(refuse)


_register_refusals()
