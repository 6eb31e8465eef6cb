# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenERP's configuration files are read as the programs read them, and keep what is not changed."""

from __future__ import annotations

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.conf import (
    SERVER,
    WEB,
    Conf,
    apply,
    differences,
    drift,
    interpolated,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._openerp.errors import ConfError

TEXT = (
    b"; \xc9cole \x80\r\n[options]\r\n# le mot de passe\r\nDB_Password = openpgpwd\r\ndb_host=localhost ; commentaire\r\n"
    b'addons_path = C:\\a\r\n  C:\\b\r\nloc\xe9 : oui\r\nlogfile = C:\\Program Files\\x.log\r\nREM rien\r\nvide = ""\r\n\r\n'
    b"[autre]\r\ndb_host = ailleurs\r\n"
)
NAME = "srv1: C:\\x.conf"


def conf(data: bytes = TEXT, kind: str = SERVER) -> Conf:
    return Conf(kind, data, NAME)


def test_values_are_those_that_the_program_reads() -> None:
    found = conf()
    assert found.get("db_password") == found.get("DB_PASSWORD") == "openpgpwd"
    assert found.get("db_host") == "localhost"
    assert found.get("addons_path") == "C:\\a\nC:\\b"
    assert found.get("vide") == ""
    assert found.get("xmlrpc_port") is None
    assert found.sections == ["options", "autre"]
    assert found.to_bytes() == TEXT


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"x = p%ss", "p%ss"),
        (b"x = p%%ss", "p%%ss"),
        (b"x = a#b;c", "a#b;c"),
        (b"x = a ;b", "a"),
        (b"x = a;b ;c", "a;b ;c"),
        (b"x =   a  ", "a"),
        (b"x: a = b", "a = b"),
        (b"x = 1\nx = 2", "2"),
    ],
)
def test_the_parsers_traps(line: bytes, value: str) -> None:
    assert conf(b"[options]\n" + line + b"\n").get("x") == value


def test_one_line_changes_and_nothing_else() -> None:
    found = conf()
    assert apply(found, {"db_password": "Craie-2026", "xmlrpc_port": 8069, "list_db": True}) == {
        "db_password": ("(hidden)", "(hidden)"),
        "xmlrpc_port": ("(absent)", "8069"),
        "list_db": ("(absent)", "True"),
    }
    expected = TEXT.replace(b"openpgpwd", b"Craie-2026").replace(
        b'vide = ""\r\n', b'vide = ""\r\nxmlrpc_port = 8069\r\nlist_db = True\r\n'
    )
    assert found.to_bytes() == expected
    assert apply(found, {"db_password": "Craie-2026", "xmlrpc_port": 8069}) == {}


def test_a_value_of_several_lines_and_one_that_stands_twice() -> None:
    found = conf(b"[options]\na = 1\n  2\nb = 3\na = 4\n 5\n")
    apply(found, {"a": "6"})
    assert found.get("a") == "6"
    assert found.to_bytes() == b"[options]\na = 1\n  2\nb = 3\na = 6\n"
    apply(found, {"a": None})
    assert found.to_bytes() == b"[options]\nb = 3\n"


def test_the_last_line_may_lack_its_end() -> None:
    found = conf(b"[options]\na = 1")
    found.set("b", "2")
    assert found.to_bytes() == b"[options]\na = 1\nb = 2\n"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("db_password", "a%(b", "keeps the program from starting"),
        ("db_password", "a ;b", "' ;'"),
        ("db_password", ";b", "' ;'"),
        ("db_password", " a", "blank"),
        ("db_password", "a\nb", "line end"),
        ("db_password", "été", "accent"),
        ("db_password", "True", "boolean"),
        ("db_password", "", "leave it out"),
        ("logfile", '""', "' ;'"),
        ("logfile", "C:\\日本", "code page"),
    ],
)
def test_a_value_that_would_be_read_as_another_one_is_refused(name: str, value: str, said: str) -> None:
    found = conf()
    with pytest.raises(ConfError, match=said) as caught:
        apply(found, {name: value})
    assert found.to_bytes() == TEXT
    if name == "db_password" and len(value.strip()) > 2:
        assert value not in str(caught.value)


def test_an_accent_in_a_path_is_written_in_windows_own_code_page() -> None:
    found = conf()
    apply(found, {"logfile": "C:\\Élèves\\x.log"})
    assert b"logfile = C:\\\xc9l\xe8ves\\x.log\r\n" in found.to_bytes()
    assert found.get("logfile") == "C:\\Élèves\\x.log"


def test_a_file_that_the_program_cannot_read() -> None:
    with pytest.raises(ConfError, match=r"line 1 stands before any section.*\[options\]"):
        conf(b"a = 1\n")
    with pytest.raises(ConfError, match="cannot read line 2"):
        conf(b"[options]\nnonsense\n")
    with pytest.raises(ConfError, match=r"no section \[options\]"):
        conf(b"[other]\na = 1\n").set("a", "2")
    assert interpolated(conf(b"[options]\na = %(b\nc = %d\n")) == ["a"]


def test_the_web_clients_values_are_pythons() -> None:
    found = conf(b"[global]\nserver.socket_port = 8080\nopenerp.server.host = 'localhost'\n", WEB)
    assert (found.text("server.socket_port"), found.text("openerp.server.host")) == ("8080", "localhost")
    apply(found, {"server.socket_port": 8081, "openerp.server.host": "srv2", "Tools.csrf.on": False})
    assert found.to_bytes() == (
        b"[global]\nserver.socket_port = 8081\nopenerp.server.host = 'srv2'\nTools.csrf.on = False\n"
    )


def test_drift_and_differences_show_no_secret() -> None:
    found = conf()
    assert drift(found, {"db_password": "Craie-2026", "logfile": "C:\\y.log", "db_host": "localhost"}) == [
        {"option": "db_password", "is": "(hidden)", "wanted": "(hidden)"},
        {"option": "logfile", "is": "C:\\Program Files\\x.log", "wanted": "C:\\y.log"},
    ]
    assert found.to_bytes() == TEXT
    other = conf(TEXT.replace(b"openpgpwd", b"x").replace(b"localhost", b"y"))
    assert differences(found, other) == ["db_password", "db_host"]


def test_a_name_that_is_none_is_refused_and_quotes_of_python_do_not_matter() -> None:
    for name in ("#db_host", "a = b", "a\nb", "a:b", ""):
        with pytest.raises(ConfError, match="no name of an option"):
            apply(conf(), {name: "x"})
    web = conf(b'[global]\nopenerp.server.host = "localhost"\n', WEB)
    assert apply(web, {"openerp.server.host": "localhost"}) == {}
