# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulated PostgreSQL and rsync programs share, without a network."""

from __future__ import annotations

import zlib

import pytest

from lab.errors import LabError
from lab.faults import FaultSet
from lab.school_data import FULL, entry, rows, table_names, template
from lab.windows.cygwin import rsync_options
from lab.windows.pgtools import damage, getopt
from lab.windows.pgtools.ansi import ansi, argument, file_name, shown
from lab.windows.pgtools.libpq import conninfo
from lab.windows.pgtools.played import rewritten
from lab.windows.pgtools.tool import Unrestricted
from lab.windows.programs.pg_dump import _DUMP


def test_text_becomes_code_page_1252():
    assert ansi("Été") == b"\xc9t\xe9"
    assert ansi("Ã‰tÃ©") == "Été".encode()
    assert ansi("\x81\x8d\x8f\x90\x9d€\u2019") == b"\x81\x8d\x8f\x90\x9d\x80\x92"
    assert ansi("a\x80Ω中") == b"a???"
    assert argument("Ã©") == "é"
    assert file_name("C:\\é\\Ω") == "C:\\é\\?"
    assert all(ansi(shown(bytes((byte,)))) == bytes((byte,)) for byte in range(256))


def test_getopt_is_postgresqls_own():
    known = getopt.known("Fc:w", "format=F no-password=w role: inserts") | getopt.known("F:w", "format=F no-password=w")
    read = getopt.read(["-wFc", "--role", "x", "--inserts", "base", "-w"], known)
    assert read.options == [("w", ""), ("F", "c"), ("role", "x"), ("inserts", "")]
    assert read.operands == ["base", "-w"]
    assert getopt.read(["--format=t", "--", "-x"], known).operands == ["-x"]
    for words, said in ((["--form=t"], "illegal option -- form=t"), (["-F"], "option requires an argument -- F"),
                        (["-j2"], "illegal option -- j"), (["--role"], "option requires an argument -- role")):  # fmt: skip
        with pytest.raises(getopt.BadOption, match=said):
            getopt.read(words, known)


@pytest.mark.parametrize(
    "newer", ["--dbname=x", "-d", "-j", "--no-sync", "--if-exists", "--section=data", "--snapshot=1"]
)
def test_pg_dump_has_no_option_of_a_newer_one(newer):
    with pytest.raises(getopt.BadOption, match="illegal option"):
        getopt.read([newer, "x"], _DUMP[0])


def test_the_two_profiles_differ():
    assert getopt.read(["-i", "-w", "--inserts"], _DUMP[0]).has("i")
    assert getopt.read(["-i", "-d", "-D"], _DUMP[1]).has("D")
    for newer in ("-w", "--no-password", "--role=x", "--lock-wait-timeout=1"):
        with pytest.raises(getopt.BadOption):
            getopt.read([newer], _DUMP[1])


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        (b"select current_setting('server_version')", b"select '8.4.12'::text"),
        (b"SELECT pg_catalog.current_setting( 'server_version_num' )::int", b"SELECT '80412'::text::int"),
        (b"show server_version;", b"SELECT '8.4.12'::text AS server_version;"),
        (b"SHOW server_version_num", b"SELECT '80412'::text AS server_version_num"),
        (b"select version()", b"select 'PostgreSQL 8.4.12, compiled by Visual C++ build 1400, 32-bit'::text"),
        (b"select my.version(), server_version(1), current_setting('port')", None),
    ],
)
def test_the_version_is_the_played_one(sql, answer):
    assert rewritten(sql, "8.4.12") == (answer or sql)


def test_conninfo():
    assert conninfo("dbname='A=b\\' c'  host = localhost") == [("dbname", "A=b' c"), ("host", "localhost")]
    assert conninfo("Specibike Élève d'été=2") is None


def test_restrict_lines_go_and_nothing_else_does():
    text = (
        b"--\n\\restrict abcDEF123\n\nCOPY t FROM stdin;\n\\\\restrict x y\n"
        + b"x" * 999
        + b"\\restrict abc\n\\.\n\\unrestrict a1\n"
    )
    wanted = text.replace(b"\\restrict abcDEF123\n", b"").replace(b"\\unrestrict a1\n", b"")
    for size in (1, 2, 7, 64, 5000):
        out = bytearray()
        stream = Unrestricted(out.extend)
        for position in range(0, len(text), size):
            stream(text[position : position + size])
        stream.end()
        assert bytes(out) == wanted, size


def test_one_bit_of_the_compressed_data_flips(tmp_path):
    small, large = zlib.compress(b"peu"), zlib.compress(bytes(range(256)) * 4)

    def block(data):
        return b"\x01\x00\x07\x00\x00\x00" + b"\x00" + len(data).to_bytes(4, "little") + data + b"\x00" * 5

    content = b"PGDMP head" + block(small) + block(large) + b"tail"
    path = tmp_path / "dump"
    path.write_bytes(content)
    damage.flip(path)
    wrong = [index for index, pair in enumerate(zip(content, path.read_bytes(), strict=True)) if pair[0] != pair[1]]
    start = content.index(large)
    assert len(wrong) == 1
    assert start < wrong[0] < start + len(large)
    damage.truncate(path, 9, 10)
    assert path.stat().st_size == len(content) * 9 // 10


def test_rsync_has_the_options_of_3_0_9():
    read = rsync_options.read(
        ["-avz", "--partial-dir=.p", "--timeout", "60", "-e", "ssh", "--no-whole-file", "-P", "a", "h::M/"]
    )
    assert read.options == [("archive", None), ("verbose", None), ("compress", None), ("partial-dir", ".p"),
                            ("timeout", "60"), ("rsh", "ssh"), ("no-whole-file", None), ("P", None)]  # fmt: skip
    assert read.operands == ["a", "h::M/"]
    for good in ("--contimeout=5", "--fuzzy", "--chmod=u+w", "-c", "--stats", "--out-format=%n", "--files-from=-"):
        rsync_options.read([good])
    for newer in ("--info=stats2", "--mkpath", "--stderr=all", "--open-noatime", "--checksum-choice=md5", "-M--x", "--parti",
                  "--compress-choice=zlib", "--outbuf=L", "--preallocate", "--chown=a:b"):  # fmt: skip
        with pytest.raises(rsync_options.BadOption):
            rsync_options.read([newer])


def test_databases_of_the_inventory():
    assert entry("h", "Specibiketoto") == {"name": "Specibiketoto", "tables": FULL, "rows": None}
    for wrong in (
        {"tables": 5},
        {"name": "x", "tables": 3},
        {"name": "x", "colour": 1},
        "é" * 32,
        {"name": "x", "rows": "y"},
    ):
        with pytest.raises(LabError, match="host h: "):
            entry("h", wrong)
    assert len(set(table_names(FULL))) == FULL
    assert rows("a", None) == rows("a", None) != rows("A", None)
    assert ";\n\n" not in template(FULL) + rows("a", None)  # it would end a statement of the single-user mode


def test_a_fault_may_name_a_database():
    faults = FaultSet("windows")
    assert not damage.concerns(faults, "dump_fails", b"x")
    faults.set("dump_fails", "Specibike Élève d'été=2")
    assert damage.concerns(faults, "dump_fails", "Specibike Élève d'été=2".encode())
    assert not damage.concerns(faults, "dump_fails", b"x")
    faults.set("dump_fails")
    assert damage.concerns(faults, "dump_fails", b"x")
    for value in (None, "3", "0:77", "1:1", "x:9"):
        with pytest.raises(LabError, match="fault kill_after needs which request"):
            faults.set("kill_after", value)
