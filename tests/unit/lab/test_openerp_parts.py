# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the emulated OpenERP that need no network: ConfigParser's traps, options, pages, passwords in a dsn."""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.openerp_data import TABLES
from lab.school_data import OPENERP, entry, own, table_names
from lab.windows.openerp import options, webpages
from lab.windows.openerp.configparser2 import PythonError
from lab.windows.openerp.pgwire import Target, literal

FOLDER = "C:\\Program Files\\OpenERP 6.0\\Server"


def settings(text, *argv):
    line = options.read_arguments(list(argv), "openerp-server.exe", "6.0.3")
    return options.settings(line, text.encode("latin-1"), FOLDER, "SYSTEM", f"{FOLDER}\\openerp-server.conf")


@pytest.mark.parametrize(
    ("written", "read"),
    [("p%ss", "p%ss"), ("p%%ss", "p%%ss"), ("a ;b", "a"), ("a#b;c", "a#b;c"), ("  blancs  ", "blancs"), ('""', ""),
     ("Été", "Été"), ("a = b : c", "a = b : c")],
)  # fmt: skip
def test_passwords_of_the_conf(written, read):
    assert settings(f"[options]\r\ndb_password = {written}\r\n").values["db_password"] == read


@pytest.mark.parametrize(
    ("text", "kind"),
    [("[options]\ndb_password = a%(b\n", "ValueError"), ("[options]\ndb_password = a%(b)s\n", "InterpolationMissingOption"),
     ("[options]\nlog_level = bavard\n", "ValueError"), ("db_host = x\n", "MissingSectionHeader"),
     ("[options]\nn'importe quoi\n", "ParsingError")],
)  # fmt: skip
def test_a_conf_that_kills_the_start(text, kind):
    with pytest.raises(PythonError, match=kind):
        settings(text)


def test_conf_and_command_line():
    found = settings(
        "[options]\nsyslog = True\nstop_after_init = True\nxmlrpc_port = 9069\ndb_password = x\nlogfile = None\n"
    )
    assert not found.on("syslog")
    assert not found.on("stop_after_init")
    assert found.port("xmlrpc_port") == 9069
    assert found.text("db_host") == "localhost"
    assert found.text("logfile") == ""
    assert settings("[options]\n").text("db_user") == "SYSTEM"
    given = settings(
        "[options]\ndb_port = 1\n", "--db_port", "5433", "-dA,B", "--update=all", "--stop", "--logfile=C:\\x.log"
    )
    assert (given.port("db_port"), given.text("db_name"), given.update) == (5433, "A,B", ["all"])
    with pytest.raises(PythonError, match="invalid literal"):
        settings("[options]\nnetrpc_port = abc\n").port("netrpc_port")


def test_save_keeps_unknown_keys_and_refuses_other_sections():
    saved = settings("# note\n[options]\nlogfile = C:\\a.log\nmine = 1\n", "-s", "--logfile", "C:\\b.log").saved()
    assert b"mine = 1\r\n" in saved
    assert b"logfile = C:\\b.log\r\n" in saved
    assert b"note" not in saved
    with pytest.raises(PythonError, match="NoSectionError: No section: 'journal'"):
        settings("[options]\n[journal]\na = b\n", "-s").saved()
    assert settings("[options]\n[journal]\n", "-s").saved()


@pytest.mark.parametrize(
    ("argv", "said"),
    [(["--absent"], "no such option: --absent"), (["-u"], "-u option requires an argument"), (["-Z"], "no such option: -Z"),
     (["--log-level=bavard"], "invalid choice: 'bavard'"), (["--db_port=x"], "invalid integer value: 'x'"),
     (["--stop-after-init=1"], "option does not take a value"), (["--xml"], "ambiguous option: --xml")],
)  # fmt: skip
def test_wrong_options(argv, said):
    with pytest.raises(options.Exit) as ended:
        options.read_arguments(argv, "openerp-server.exe", "6.0.3")
    assert ended.value.code == 2
    assert ended.value.error.startswith("Usage: openerp-server.exe [options]\n\nopenerp-server.exe: error: ")
    assert said in ended.value.error


def test_syslog_and_logfile_exclude_each_other():
    with pytest.raises(options.Exit) as ended:
        settings("[options]\n", "--syslog", "--logfile=x")
    assert (ended.value.code, ended.value.out) == (1, "the syslog and logfile options are exclusive\n")


def test_dsn_and_literals():
    target = Target("localhost", "127.77.1.1", 5432, "openpg", "secret", "Specibike")
    assert target.dsn == "host=localhost port=5432 user=openpg password=secret dbname=Specibike"
    assert "secret" not in repr(target)
    assert [literal(item) for item in (None, True, 3, "l'é\\")] == ["NULL", "true", "3", "E'l''é\\\\'"]


def test_databases_that_openerp_serves():
    assert set(TABLES) <= set(table_names(OPENERP))
    assert "ir_module_module" not in table_names(OPENERP - 1)
    updated = entry("h", {"name": "A", "tables": 40, "updated": True})
    assert "'XOF'" in own(updated)
    assert "XOF" not in own(entry("h", {"name": "A", "tables": 40}))
    assert "to upgrade" in own(entry("h", {"name": "A", "tables": 40, "pending": True}))
    for wrong in ({"name": "A", "tables": 5, "updated": True}, {"name": "A", "pending": "oui"}):
        with pytest.raises(LabError):
            entry("h", wrong)


def test_pages_escape_what_they_show():
    page = webpages.login(["<b>"], "", '"', webpages.BAD_LOGIN)
    assert '<option value="&lt;b&gt;"' in page
    assert "Bad username or password" in page
    assert 'name="db" id="db" class="db_user_pass"' in webpages.login(None, "", "", "")
