# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting and hashing what pg_restore writes, however it is cut."""

from __future__ import annotations

import random

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup.script import Content, ScriptReader

SCRIPT = (
    b"--\n-- PostgreSQL database dump\n--\n\n\\restrict abcdef\n\n-- Dumped from database version 8.4.22\n"
    b"-- Dumped by pg_dump version 15.20\n\nSET statement_timeout = 0;\n\n"
    b"--\n-- Name: f(); Type: FUNCTION; Schema: public; Owner: -\n--\n\n"
    b"CREATE FUNCTION f() RETURNS text AS $$\n-- Data for Name: trap; Type: TABLE DATA; Schema: public; Owner: x\n"
    b"SELECT 'COPY trap (a) FROM stdin;'\n$$ LANGUAGE sql;\n\n"
    b"--\n-- Data for Name: a; Type: TABLE DATA; Schema: public; Owner: openpg\n--\n\n"
    b"COPY public.a (id, b) FROM stdin;\n1\tx\n2\t\\N\n3\t\\\\.\n\\.\n\n\n"
    b"--\n-- Data for Name: b; Type: TABLE DATA; Schema: other; Owner: openpg; Tablespace: \n--\n\n"
    b"SET search_path = other, pg_catalog;\n\nCOPY b (id) FROM stdin;\n\\.\n\n\n"
    b"SELECT pg_catalog.lo_create('16790');\n\n\\unrestrict abcdef\n\n"
)


def content(script: bytes, cuts: random.Random | None = None) -> Content:
    """Read a script, whole or in pieces."""
    reader, at = ScriptReader(), 0
    while at < len(script):
        step = cuts.randrange(1, 50) if cuts else len(script)
        reader.feed(script[at : at + step])
        at += step
    return reader.close()


def test_rows_of_each_table_and_large_objects() -> None:
    found = content(SCRIPT)
    assert found.rows == {("public", "a"): 3, ("other", "b"): 0}
    assert found.large_objects == 1


def test_names_of_any_kind() -> None:
    script = (
        b"SET client_encoding = 'LATIN1';\n\n"
        b"--\n-- Data for Name: \xe9t\xe9; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n"
        b'COPY public."\xe9t\xe9" (id) FROM stdin;\n1\n\\.\n\n\n'
        b"--\n-- Data for Name: two lines; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n-- load via partition root r\n"
        b'COPY public."two\nli""nes" ("a b", c) FROM stdin;\n1\t2\n3\t4\n\\.\n\n'
        b"CREATE FUNCTION g() RETURNS void AS $$ PERFORM lo_create(0); $$ LANGUAGE sql;\n"
        b"SELECT pg_catalog.lo_open(pg_catalog.lo_create('17'), 131072);\n"
    )
    found = content(script)
    assert found.rows == {("public", "été"): 1, ("public", 'two\nli"nes'): 2}
    assert found.large_objects == 1
    chance = random.Random(3)
    assert all(content(script, chance) == found for _round in range(200))


def test_cuts_make_no_difference() -> None:
    whole = content(SCRIPT)
    chance = random.Random(7)
    assert all(content(SCRIPT, chance) == whole for _round in range(500))


def test_what_changes_by_itself_is_no_content_and_all_else_is() -> None:
    same = SCRIPT.replace(b"abcdef", b"another").replace(b"15.20", b"16.1")
    assert content(same).sha256 == content(SCRIPT).sha256
    for other in (
        SCRIPT.replace(b"1\tx", b"1\ty"),
        SCRIPT.replace(b"(id, b)", b"(b, id)"),
        SCRIPT.replace(b"LANGUAGE sql", b"LANGUAGE c"),
        SCRIPT.replace(b"16790", b"16791"),
    ):
        assert content(other).sha256 != content(SCRIPT).sha256


def test_rows_without_an_end_are_refused() -> None:
    reader = ScriptReader()
    reader.feed(SCRIPT[: SCRIPT.index(b"2\t\\N") + 2])
    with pytest.raises(ValueError, match=r"rows of public\.a do not end"):
        reader.close()
