# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What OpenERP, its databases, its pages and Windows' programs say is read, and no password of it is shown."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp import logs, mirror, rpc
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.databases import Fingerprint, question, read_answer
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.errors import OptionError, ServiceError
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.source import setup_of
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.update import check_name, problem
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.versions import jump_problem, release

LOG = """\
[2026-11-24 10:00:00,100][?] INFO:server:OpenERP version - 6.0.4
[2026-11-24 10:01:00,100][SpecibikeA] INFO:web-service:successful login from 'élève' using database 'specibikea'
[2026-11-24 10:20:00,100][SpecibikeA] INFO:web-service:successful login from 'élève' using database 'specibikea'
[2026-11-24 10:21:00,100][SpecibikeB] INFO:web-service:bad login or password from 'admin' using database 'specibikeb'
[2026-11-24 10:25:00,100][SpecibikeB] INFO:db.connection_pool:Close all connections to 'host=x user=openpg password=Craie-2026 dbname=b'
[2026-11-24 10:26:00,100][SpecibikeB] ERROR:db.connection_pool:Connection to the database failed
Traceback (most recent call last):
  File "sql_db.py", line 303, in borrow
OperationalError: FATAL:  database "SpecibikeB" does not exist

"""


@pytest.fixture
def transcripts() -> Path:
    folder = os.environ.get("OPENERP_DATA")
    if not folder:
        pytest.skip("OPENERP_DATA is not set: transcripts of real servers are no part of the project")
    return Path(folder)


def test_a_log_tells_who_logged_in_and_no_password() -> None:
    now = datetime.fromisoformat("2026-11-24 10:30:00")
    assert logs.logins(LOG, now, 30) == [(datetime.fromisoformat("2026-11-24 10:20:00"), "élève", "specibikea")]
    assert logs.logins(LOG, now, 5) == []
    assert logs.version(LOG.encode()) == "6.0.4"
    lines = logs.tail(LOG.encode(), 4, ("303",))
    assert lines[-1] == 'OperationalError: FATAL:  database "SpecibikeB" does not exist'
    assert "303" not in "".join(lines)
    assert "Craie" not in "".join(logs.tail(LOG.encode(), 100))
    assert "password=***" in "".join(logs.tail(LOG.encode(), 100))
    assert logs.reason(lines) == lines[-1]
    assert logs.redacted("password='a b\\'c' dbname=x") == "password=*** dbname=x"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "server-6.0.4-absent-database.txt",
            'psycopg2.OperationalError: FATAL:  database "SpecibikeAbsent" does not exist',
        ),
        (
            "server-6.0.4-wrong-db_password-u.txt",
            'psycopg2.OperationalError: FATAL:  password authentication failed for user "openpg"',
        ),
    ],
)
def test_the_reason_of_a_real_failed_update(transcripts: Path, name: str, reason: str) -> None:
    lines = logs.tail((transcripts / name).read_bytes(), 40)
    assert logs.reason([line for line in lines if line != "rc=1"]) == reason


def test_a_real_log_that_leaks_is_shown_without_the_password(transcripts: Path) -> None:
    data = (transcripts / "server-6.0.3-dump-restore.log").read_bytes()
    assert b"openpgpwd" in data
    assert "openpgpwd" not in "".join(logs.tail(data, 1000))


def test_fingerprints() -> None:
    answer = "base|6.0.1.3|1|1650|2026-11-23 22:38:30\npending|account|to upgrade\n"
    assert read_answer(answer) == Fingerprint(
        True, "6.0.1.3", True, 1650, "2026-11-23 22:38:30", ("account (to upgrade)",)
    )
    assert read_answer("base|6.0.1.3||1640|\n").loaded is None
    assert read_answer("base||0|0|\n").openerp is False
    for wrong in ("", "nonsense\n", "base|1|2\n"):
        with pytest.raises(ValueError, match=r".*"):
            read_answer(wrong)
    assert "'XOF'" in question(release("6.0.4"))
    assert "XOF" not in question(release("6.0.2"))


def test_which_updates_are_no_success() -> None:
    before = Fingerprint(True, "6.0.1.3", False, 1640, "2026-11-23 22:00:00")
    after = Fingerprint(True, "6.0.1.3", True, 1650, "2026-11-23 22:30:00")
    wanted = (6, 0, 4)
    assert problem(0, before, after, "6.0.4", wanted, []) == ""
    assert (
        problem(1, before, after, "6.0.4", wanted, ["x", "KeyError: 'a'"])
        == "the update ended with code 1: KeyError: 'a'"
    )
    assert "the code of 6.0.3 ran" in problem(0, before, after, "6.0.3", wanted, [])
    assert "did not load the data" in problem(0, before, before, "6.0.4", wanted, [])
    silent = Fingerprint(True, "6.0.1.3", None, 1640, "2026-11-23 22:00:00")
    assert "loaded nothing" in problem(0, silent, silent, "6.0.2", (6, 0, 2), [])
    torn = Fingerprint(True, "6.0.1.3", True, 1650, "2026-11-23 22:30:00", ("sale (to upgrade)",))
    assert "sale (to upgrade)" in problem(0, before, torn, "", wanted, [])
    with pytest.raises(OptionError, match="takes its name for two"):
        check_name("A,B")


def test_releases() -> None:
    assert jump_problem((6, 0, 3), (6, 0, 4)) == jump_problem((6, 0, 4), (6, 0, 4)) == ""
    assert "need a migration" in jump_problem((6, 0, 4), (6, 1, 0))
    assert "older" in jump_problem((6, 0, 4), (6, 0, 3))
    for text in ("6.0", "6.0.4-1", "six"):
        with pytest.raises(OptionError, match="no release"):
            release(text)


def test_setups() -> None:
    digest = "AB" * 32
    kinds = {
        "http://sauvegarde/openerp-server-setup-6.0.4.exe": "url",
        "\\\\srv\\Logiciels\\openerp-server-setup-6.0.4.exe": "unc",
        "C:\\x\\openerp-server-setup-6.0.4.exe": "host",
        "installers/openerp-server-setup-6.0.4.exe": "controller",
    }
    for source, kind in kinds.items():
        found = setup_of("server", "6.0.4", source, digest)
        assert (found.kind, found.name, found.sha256) == (kind, "openerp-server-setup-6.0.4.exe", digest.lower())
    wrong: tuple[tuple[str | None, str, str], ...] = (
        (None, digest, "needs its source"),
        ("a.exe", "", "needs its source and its sha256"),
        ("a.exe", "abc", "no SHA-256"),
        ("http://x/openerp-allinone-setup-6.0.4.exe", digest, "deletes PostgreSQL's folder"),
        ("a.msi", digest, "ends in .exe"),
        ("setup.exe", digest, "does not say that it is the setup of the server"),
        ("openerp-web-setup-6.0.4.exe", digest, "does not say that it is the setup of the server"),
        ("openerp-server-setup-6.0.3.exe", digest, "does not say that it is the setup of the server, 6.0.4"),
    )
    for bad, sha256, said in wrong:
        with pytest.raises(OptionError, match=said):
            setup_of("server", "6.0.4", bad, sha256)


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        (("Rép", "Fichiers", "Octets"), "Total   Copié  Ignoré Discordance ÉCHEC    Extras"),
        (("Dirs", "Files", "Bytes"), "Total    Copied   Skipped  Mismatch    FAILED    Extras"),
    ],
)
def test_robocopys_table_is_read_in_every_language(words: tuple[str, ...], titles: str) -> None:
    text = f"\n----\n\n               {titles}\n"
    for word, total in zip(words, (4, 31, 1048576), strict=True):
        text += f"{word:>9} :{total:>10}         0        31         0         0         2\n"
    assert [row[0] for row in mirror.rows(text)] == [4, 31, 1048576]
    assert mirror.rows("ERREUR 3 (0x00000003)\n") == []


def test_a_login_page_proves_by_what_it_offers() -> None:
    form = '<form method="post" name="loginform">{}</form>'
    options = '<option value="SpecibikeB" >x</option><option value="L&#39;&eacute;t&eacute;">y</option>'
    assert rpc.read_login_page("srv1", form.format(options)) == ["L'été", "SpecibikeB"]
    with pytest.raises(ServiceError, match="cannot connect to the OpenERP server"):
        rpc.read_login_page("srv1", form.format("Could not connect to server"))
    with pytest.raises(ServiceError, match="no login page"):
        rpc.read_login_page("srv1", "<title>It works</title>")
