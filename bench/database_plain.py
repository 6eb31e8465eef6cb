# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The yardsticks for databases: the old way, and a pool of the same programs that ours runs. Neither proves anything.

``python -m bench.database_plain old|pool BIN HOST PORT USER FOLDER TARGET DAY`` dumps each database whose name begins with
``Specibike`` into ``FOLDER``, sends that to ``TARGET`` by one rsync, writes what rsync says into ``FOLDER.sent`` and empties the folder.

* ``old`` does what the Perl script of the source document does: one ``pg_dump -F c`` after the other, files that are named after the
  day of the year, ``rsync -a``.
* ``pool`` runs two ``pg_dump -F c -Z 1`` at once, and lets rsync look for yesterday's file (``--fuzzy``), as ours does.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main() -> None:
    """Dump, send, and empty the folder; a program that fails ends it with a traceback."""
    way, programs, host, port, user, folder, target, day = sys.argv[1:]
    login = ["-h", host, "-p", port, "-U", user]
    listing = subprocess.run(
        [
            *(f"{programs}/psql", *login, "-d", "postgres", "-X", "-A", "-t"),
            *("-c", "SELECT datname FROM pg_database WHERE datname LIKE 'Specibike%'"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()
    staging = Path(folder)

    def dump(name: str) -> None:
        level = []
        path = staging / f"{name}.dump.{day}"
        if way == "pool":
            level, path = ["-Z", "1"], staging / name / f"{day}.dump"
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([f"{programs}/pg_dump", *login, "-F", "c", *level, "-f", str(path), name], check=True)

    with ThreadPoolExecutor(2 if way == "pool" else 1) as pool:
        list(pool.map(dump, listing))
    options = ["-rt", "--fuzzy"] if way == "pool" else ["-a", "--chmod=ugo=rwX"]
    with Path(f"{folder}.sent").open("wb") as sent:
        subprocess.run(["rsync", *options, "--stats", f"{folder}/", f"{target}/"], stdout=sent, check=True)
    shutil.rmtree(staging)


if __name__ == "__main__":
    main()
