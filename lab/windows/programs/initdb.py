# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""initdb.exe of 8.4: a new, real cluster.

Source: initdb.c of 8.4 and its French catalog. An administrator's initdb runs itself again with a restricted token (Windows), so
that the rights of Administrators on the folder do not count; the folder keeps its access list. Behind, the locale is C.
"""

from __future__ import annotations

from lab.errors import LabError
from lab.windows import acl
from lab.windows.files import WindowsPathError
from lab.windows.pgtools.getopt import Words, known
from lab.windows.pgtools.tool import Ended, fail, folder, on, words
from lab.windows.postgres import Cluster
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_OPTIONS = known(
    "dD:E:L:nU:WA:sT:X:",
    "pgdata=D encoding=E locale: lc-collate: lc-ctype: lc-monetary: lc-numeric: lc-time: lc-messages: text-search-config=T "
    "auth=A pwprompt=W pwfile: username=U debug=d show=s noclean=n xlogdir=X",
)
_UNPLAYED = (
    "L",
    "n",
    "W",
    "s",
    "T",
    "X",
    "d",
    "lc-collate",
    "lc-ctype",
    "lc-monetary",
    "lc-numeric",
    "lc-time",
    "lc-messages",
)


def _password(call: Call, asked: Words) -> str:
    method, file = asked.value("A") or "trust", asked.value("pwfile")
    if method not in ("md5", "password", "trust"):
        raise fail(call, "initdb", call.say(f"méthode d'authentification « {method} » inconnue",
                                            f'unrecognized authentication method "{method}"'))  # fmt: skip
    if not file and method != "trust":
        raise fail(call, "initdb", call.say(
            f"vous devez indiquer un mot de passe pour le super-utilisateur\npour activer l'authentification {method}",
            f"must specify a password for the superuser to enable {method} authentication"))  # fmt: skip
    if method != "md5" or not file:
        raise LabRefusal("initdb is played with -A md5 and --pwfile only")
    try:
        lines = call.host.drive.read(call.path(file)).decode("utf-8", "replace").splitlines()
    except WindowsPathError:
        raise fail(call, "initdb", call.say(f"n'a pas pu ouvrir le fichier « {file} » en lecture : No such file or directory",
                                            f'could not open file "{file}" for reading: No such file or directory')) from None  # fmt: skip
    if not lines or not lines[0].strip():
        raise fail(call, "initdb", call.say(f"n'a pas pu lire le mot de passe à partir du fichier « {file} » : ",
                                            f'could not read password from file "{file}": '))  # fmt: skip
    return lines[0].rstrip()


def _checked(call: Call, data: str, shown: str) -> None:
    """The folder is empty, or can be made, and its rights are enough. Raises Ended."""
    drive, accounts = call.host.drive, call.host.accounts
    account = accounts.user(call.user)
    token = accounts.token(account.sid if account else "S-1-5-18", restricted=True)
    there = drive.find(data)
    if there is not None and (not there.is_dir() or any(there.iterdir())):
        raise fail(call, "initdb", call.say(
            f"le répertoire « {shown} » existe mais n'est pas vide\nSi vous voulez créer un nouveau système de bases de données, "
            f"supprimez ou videz\nle répertoire « {shown} » ou exécutez initdb\navec un argument autre que « {shown} ».",
            f'directory "{shown}" exists but is not empty\nIf you want to create a new database system, either remove or empty\n'
            f'the directory "{shown}" or run initdb\nwith an argument other than "{shown}".'))  # fmt: skip
    place = data
    while drive.find(place) is None and len(place) > 3:
        place = place.rpartition("\\")[0] or "C:\\"
        place = f"{place}\\" if place.endswith(":") else place
    if not call.host.acls.allows(place, token, acl.READ | acl.WRITE):
        french, english = ("n'a pas pu accéder au répertoire", "could not access directory") if there else (
            "n'a pas pu créer le répertoire", "could not create directory")  # fmt: skip
        raise fail(call, "initdb", call.say(f"{french} « {shown} » : Permission denied",
                                            f'{english} "{shown}": Permission denied'))  # fmt: skip
    if there is None:
        drive.make(data)


@program("initdb", folder, on)
async def _initdb(call: Call) -> int:
    try:
        asked = words(call, "initdb", (_OPTIONS, _OPTIONS))
        if len(asked.operands) > 1:
            raise fail(
                call, "initdb", call.say("trop d'arguments en ligne de commande", "too many command-line arguments")
            )
        unplayed = next((name for name in _UNPLAYED if asked.has(name)), None)
        if unplayed:
            raise LabRefusal(f"this option of initdb is not played: {unplayed}")
        given = asked.value("D") or (asked.operands[0] if asked.operands else "") or call.env.get("PGDATA", "")
        if not given:
            raise fail(call, "initdb", call.say("aucun répertoire de données indiqué", "no data directory specified"))
        if (asked.value("E") or "UTF8").upper().replace("-", "") not in ("UTF8", "UNICODE"):
            raise LabRefusal(f"initdb is played with -E UTF8 only: {asked.value('E')}")
        if (asked.value("locale") or "C") not in ("C", "POSIX"):
            raise LabRefusal(f"initdb is played with --locale=C only: {asked.value('locale')}")
        password, superuser, shown = _password(call, asked), asked.value("U") or call.user, given.replace("\\", "/")
        data = call.path(given)
        _checked(call, data, shown)
    except Ended as ended:
        return ended.code
    real = call.host.drive.find(data)
    assert real is not None
    try:
        await Cluster(call.host.installation, call.host.plan.address, call.host.folder).create(
            real, 5432, superuser, password, [], fresh=True
        )
    except LabError as error:
        raise LabRefusal(error.sentence) from None
    call.out(call.say(
        f"Les fichiers de ce cluster appartiendront à l'utilisateur « {call.user} ».\nLe processus serveur doit également lui "
        f"appartenir.\n\nSuccès. Vous pouvez maintenant lancer le serveur de bases de données par :\n\n"
        f'    "postgres" -D "{shown}"\nou\n    "pg_ctl" -D "{shown}" -l journal_applicatif start\n',
        f'The files belonging to this database system will be owned by user "{call.user}".\nThis user must also own the server '
        "process.\n\nSuccess. You can now start the database server using:\n\n"
        f'    "postgres" -D "{shown}"\nor\n    "pg_ctl" -D "{shown}" -l logfile start\n'))  # fmt: skip
    return 0
