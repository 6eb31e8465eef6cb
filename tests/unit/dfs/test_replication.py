# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication groups: names, command lines, lists in both languages, the way from what is found to what is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs import listing, names, replication
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.domain import Domain
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.errors import (
    NotInstalledError,
    OptionError,
    ReplicationError,
)
from ansible_collections.lycee.openerp.plugins.plugin_utils._dfs.replication import MemberSpec

from .fakes import ENGLISH, FRENCH, PATH, SPEC, Controller, Directory, spec

CREATION = [
    "rg new /rgname:OpenERP",
    "rf new /rgname:OpenERP /rfname:replicat",
    "mem new /rgname:OpenERP /memname:SRV-OPENERP1",
    "mem new /rgname:OpenERP /memname:SRV-OPENERP2",
    "conn new /rgname:OpenERP /sendmem:SRV-OPENERP1 /recvmem:SRV-OPENERP2 /connenabled:true",
    "conn new /rgname:OpenERP /sendmem:SRV-OPENERP2 /recvmem:SRV-OPENERP1 /connenabled:true",
    f"membership set /rgname:OpenERP /rfname:replicat /memname:SRV-OPENERP2 /localpath:{PATH} /membershipenabled:true /isprimary:true "
    "/stagingsize:4096 /cdsize:660 /force",
    f"membership set /rgname:OpenERP /rfname:replicat /memname:SRV-OPENERP1 /localpath:{PATH} /membershipenabled:true /isprimary:false "
    "/stagingsize:4096 /cdsize:660 /force",
]  # fmt: skip


def domain(words: tuple[str, str, str] = FRENCH) -> tuple[Domain, Controller]:
    controller = Controller(Directory(), words)
    return Domain(controller), controller  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [FRENCH, ENGLISH])
def test_a_group_is_created_read_back_and_deleted_in_both_languages(words: tuple[str, str, str]) -> None:
    school, controller = domain(words)
    assert school.group("OpenERP") is None
    school.create(SPEC, "SRV-OPENERP2")
    assert controller.done == CREATION
    found = school.group("openerp")
    assert found is not None
    assert (found.folders, found.members) == (("replicat",), ("SRV-OPENERP1", "SRV-OPENERP2"))
    assert found.guid == "00000001-0000-0000-0000-000000000000"
    assert replication.spec_from(found, "replicat") == SPEC
    assert school.complete(SPEC, found, "SRV-OPENERP1") is False
    school.delete("OpenERP")
    assert school.group("OpenERP") is None
    school.delete("OpenERP")
    assert controller.done[8:] == ["rg delete /rgname:OpenERP /force"]


def test_what_was_noted_of_a_group_is_the_same_again() -> None:
    assert replication.spec_of(SPEC.as_dict()) == SPEC
    with pytest.raises(OptionError, match="cannot be read"):
        replication.spec_of({"name": "OpenERP"})


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_creation_that_was_cut_anywhere_is_completed(cut: int) -> None:
    school, controller = domain()
    controller.fails = lambda words: len(controller.done) > cut
    with pytest.raises(ReplicationError, match="exit code 1\\): Accès refusé"):
        school.create(SPEC, "SRV-OPENERP2")
    controller.fails = lambda words: False
    found = school.group("OpenERP")
    assert school.complete(SPEC, found, "SRV-OPENERP2") is True
    assert sum("/isprimary:true" in line for line in controller.done) == (2 if cut == 6 else 1)
    assert school.complete(SPEC, school.group("OpenERP"), "") is False


def test_a_primary_member_is_needed_once_and_never_named_again() -> None:
    school, _controller = domain()
    with pytest.raises(OptionError, match="needs the option 'primary'"):
        school.create(SPEC, "SRV-OPENERP9")
    school.create(SPEC, "SRV-OPENERP1")
    three = spec(members=(*SPEC.members, MemberSpec("SRV-OPENERP3", PATH, 100, 50)))
    steps = replication.missing(three, school.group("OpenERP"), "SRV-OPENERP3", True, "lycee.example")
    assert [one.about for one in steps][-1] == f"replicate {PATH} of SRV-OPENERP3"
    assert not any("isprimary:true" in word for one in steps for word in one.argv)
    assert len(steps) == 6


def test_a_path_cannot_be_changed() -> None:
    school, _controller = domain()
    school.create(SPEC, "SRV-OPENERP1")
    other = spec(members=(MemberSpec("SRV-OPENERP1", "C:\\other"), SPEC.members[1]))
    with pytest.raises(OptionError, match="state: recreated"):
        school.complete(other, school.group("OpenERP"), "")


def test_sizes_are_changed_without_touching_path_or_primary() -> None:
    school, controller = domain()
    school.create(SPEC, "SRV-OPENERP1")
    bigger = spec(members=(MemberSpec("SRV-OPENERP1", PATH.upper() + "\\", 9000, 660), SPEC.members[1]))
    assert school.complete(bigger, school.group("OpenERP"), "")
    assert controller.done[-1] == (
        "membership set /rgname:OpenERP /rfname:replicat /memname:SRV-OPENERP1 /membershipenabled:true /stagingsize:9000 /cdsize:660 /force"
    )


def test_connections_are_disabled_and_enabled_once() -> None:
    school, controller = domain()
    with pytest.raises(ReplicationError, match="there is no replication group"):
        school.set_connections("OpenERP", False)
    school.create(SPEC, "SRV-OPENERP1")
    assert [school.set_connections("openerp", enabled) for enabled in (True, False, False, True)] == [
        False,
        True,
        False,
        True,
    ]
    assert (
        controller.done[8] == "conn set /rgname:OpenERP /sendmem:SRV-OPENERP1 /recvmem:SRV-OPENERP2 /connenabled:false"
    )


def test_a_claim_that_does_not_read_back_is_an_error() -> None:
    school, controller = domain()
    school.create(SPEC, "SRV-OPENERP1")
    controller._change = lambda *words: None  # type: ignore[method-assign]
    with pytest.raises(ReplicationError, match="disable the connection SRV-OPENERP1 to SRV-OPENERP2"):
        school.set_connections("OpenERP", False)
    with pytest.raises(ReplicationError, match="still there after dfsradmin"):
        school.delete("OpenERP")
    assert controller.done[-1].startswith("rg delete")
    assert any(line.startswith("mem delete") for line in controller.done)


def test_filters_that_are_not_the_usual_ones_are_told() -> None:
    school, controller = domain()
    school.create(spec(file_filter=("*.tmp",), directory_filter=("pgsql_tmp",)), "SRV-OPENERP1")
    assert controller.done[1] == "rf new /rgname:OpenERP /rfname:replicat /rffilefilter:*.tmp /rfdirfilter:pgsql_tmp"


def test_other_hosts_are_refused() -> None:
    school, controller = domain()
    controller.role = "3"
    with pytest.raises(OptionError, match="no domain controller"):
        school.group("OpenERP")
    school, controller = domain()
    controller.tools.clear()
    with pytest.raises(NotInstalledError, match="windows_feature"):
        school.group("OpenERP")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SendMem,ConnEnabled\nA,Oui\nB,Non\n\nLa commande s'est terminée correctement.\n", [("A", "Oui"), ("B", "Non")]),
        ("sendmem,CONNENABLED\r\nA,Yes\r\n", [("A", "Yes")]),
        ("ConnEnabled,SendMem\nYes,A\nCommand completed successfully.\n", [("A", "Yes")]),
        ('SendMem,ConnEnabled\n"a, b",Oui\n', [("a, b", "Oui")]),
        ("\nLa commande s'est terminée correctement.\n", []),
        ("", []),
    ],
)  # fmt: skip
def test_lists_of_dfsradmin(text: str, rows: list[tuple[str, str]]) -> None:
    found = listing.parse_csv(text, ("SendMem", "ConnEnabled"), "dc")
    assert [(row["SendMem"], row["ConnEnabled"]) for row in found] == rows


@pytest.mark.parametrize("text", ["SendMem  ConnEnabled\nA  Oui\n", "SendMem,ConnEnabled\nA\nB,Oui\n", "x,y\n1,2\n"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ReplicationError, match="dfsradmin printed"):
        listing.parse_csv(text, ("SendMem", "ConnEnabled"), "dc")


def test_a_yes_of_another_language_is_refused() -> None:
    assert [listing.boolean(word, "dc") for word in ("Oui", "no", "TRUE", "0")] == [True, False, True, False]
    with pytest.raises(ReplicationError, match="'Ja' for yes or no"):
        listing.boolean("Ja", "dc")


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (names.check_name, 'a"b'), (names.check_name, "100%"), (names.check_name, "a,b"), (names.check_name, " a"), (names.check_name, ""),
        (names.check_name, "a\nb"), (names.check_name, "x" * 65), (names.check_text, 'a"'), (names.check_computer, "srv.lycee"),
        (names.check_folder, "D:\\"), (names.check_folder, "\\\\srv\\x"), (names.check_folder, "C:\\a,b"), (names.check_folder, "C:\\a\0"),
        (names.unc, "C:\\x"), (names.unc, "\\\\srv"), (names.unc, "\\\\srv\\a\\\\b"), (names.unc, '\\\\srv\\a"'),
    ],
)  # fmt: skip
def test_names_that_the_tools_misread_are_refused(check: Any, value: str) -> None:
    with pytest.raises(OptionError):
        check(value, "name")


def test_parts_of_names() -> None:
    assert names.short_name("LYCEE\\srv-openerp1.lycee.example") == "SRV-OPENERP1"
    assert names.unc("\\\\lycee.example\\Donnees\\a\\b", "path").below == "a\\b"
    assert names.same_filter(("*.TMP", "~*"), names.split_filter(" ~*, *.tmp "))
    with pytest.raises(OptionError, match="without a path"):
        names.check_filter(["a\\b"], "file_filter")
