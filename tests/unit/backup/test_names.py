# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names are data: folders, command lines, SQL."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._backup import names

ODD = (
    "SpecibikeX;touch PWNED", "Spécibike été", "a=b", "per%cent", 'quo"te', "it's", "back\\slash", "trailing.", "CON", "nul.txt",
    ".hidden", "_globals", "-rf", "a/b", "tab\there", "~tilde", "$HOME", "`id`", "🚲",
)  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_folder_is_plain_ascii(name: str) -> None:
    folder = names.encoded(name)
    assert folder.isascii()
    assert not set(folder) & set("<>:\"/\\|?*% \t;$`'")
    assert folder[0] not in "._-"
    assert not folder.endswith(".")
    assert folder.split(".")[0].upper() not in ("CON", "NUL", "COM1", "LPT1")


def test_plain_name_stays_as_it_is() -> None:
    assert names.encoded("SpecibikeSTMG1Groupe1") == "SpecibikeSTMG1Groupe1"


def test_no_two_folders_differ_in_case_only_and_known_ones_stay() -> None:
    wanted = ["Specibiketoto", "specibikeToto", "SPECIBIKETOTO", "Specibike tata"]
    first = names.folders(wanted, {})
    assert len({folder.casefold() for folder in first.values()}) == 4
    assert names.folders([*wanted, "SpecibikeTOTO"], first).items() >= first.items()


def test_long_path_gets_a_name_that_a_file_system_takes() -> None:
    paths = [f"C:\\Program Files\\OpenERP 6.0\\Server\\filestore\\{'é' * 80}{number}" for number in range(2)]
    folders = {names.encoded(path) for path in paths}
    assert len(folders) == 2
    assert all(len(folder) <= 110 for folder in folders)


def test_control_characters_begin_no_line() -> None:
    assert names.printable("a\nb\x1b[31mé") == "a\\x0ab\\x1b[31mé"


def test_stamps_are_utc_with_seconds_and_sort() -> None:
    stamp = names.stamp_of(datetime(2026, 11, 23, 21, 0, 0, tzinfo=UTC))
    assert stamp == "2026-11-23T210000Z"
    assert names.moment_of(stamp) == datetime(2026, 11, 23, 21, tzinfo=UTC)
    assert names.STAMP_PATTERN.fullmatch(stamp)


@pytest.mark.parametrize(
    ("name", "text"),
    [("toto", "dbname='toto'"), ("a=b", "dbname='a=b'"), ("it's", "dbname='it\\'s'"), ("a\\b", "dbname='a\\\\b'")],
)
def test_connection_string(name: str, text: str) -> None:
    assert names.conninfo(name) == text


def test_sql_names_and_strings() -> None:
    assert names.identifier('a"b') == '"a""b"'
    assert names.literal("it's") == "'it''s'"
    assert names.literal("a\\b'c") == "E'a\\\\b''c'"


@pytest.mark.parametrize("name", ["Spécibike", "été à Noël", "œuvre €", "Ý\x90", "🚲"])
def test_ansi_program_gets_the_bytes_of_utf_8(name: str) -> None:
    written = names.seen_as_ansi(name)
    # Windows' own conversion to 1252 (its five holes are C1 controls, both ways).
    raw = b"".join(
        bytes([ord(one)]) if ord(one) in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else one.encode("cp1252") for one in written
    )
    assert raw == name.encode()


def test_replaced_name_fits_postgresql() -> None:
    new = names.replaced_name("é" * 40, "before", "2026-11-23T210000Z")
    assert len(new.encode()) <= 63
    assert new.endswith("_before_2026-11-23T210000Z")
