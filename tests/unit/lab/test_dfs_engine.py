# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The replication engine on plain folders, tick by tick, without a lab."""

from __future__ import annotations

import random
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from lab.windows.acl import ace
from lab.windows.dfs.config import Folder, Membership
from lab.windows.dfs.engine import AT_ONCE, Engine, Pull
from lab.windows.dfs.replica import IN_ERROR, INITIAL_SYNC, NORMAL, Replica, RootGoneError, shuffled
from lab.windows.dfs.tree import Filter
from lab.windows.dfs.versions import Vector


class FakePort:
    """A host of nothing but a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[int] = []
        self.set: dict[str, object] = {}
        self.missing = ""

    def root(self):
        return self.folder if self.folder.is_dir() else None

    def securities(self):
        return {name: (security, 0) for name, security in self.set.items()}

    def secure(self, name, security):
        if security is None:
            self.set.pop(name.lower(), None)
        else:
            self.set[name.lower()] = security

    def follows(self, real):
        return False

    def event(self, code, *strings):
        self.events.append(code)

    def never_arrives(self, name):
        return bool(self.missing) and name.endswith(self.missing)


class Pair:
    """Two members, A and B, with connections both ways; time stands still unless a test moves it."""

    def __init__(self, base: Path, delay: float = 0.0, seed: int = 1) -> None:
        self.base, self.time, self.delay = base, 0.0, delay
        self.open = {"A": True, "B": True}
        self.seed = seed
        for name in "AB":
            (base / name).mkdir(exist_ok=True)
        self.engine = Engine(shuffled(seed), 0.0, lambda: self.time)
        self.form("A")

    def form(self, primary):
        """A new group: nothing of the former one is known any more."""
        folder = Folder("replicat")
        self.ports = {name: FakePort(self.base / name) for name in "AB"}
        self.replicas = {
            name: Replica(folder, Membership("C:\\replicat", True, name == primary), self.ports[name]) for name in "AB"
        }
        self.engine.pulls = [
            Pull(self.replicas["B"], self.replicas["A"], ("AB", ""), lambda: self.delay, lambda: self.open["A"]),
            Pull(self.replicas["A"], self.replicas["B"], ("BA", ""), lambda: self.delay, lambda: self.open["B"]),
        ]

    def settle(self, most=400):
        """Tick until nothing moves, twice in a row."""
        quiet = 0
        for _number in range(most):
            self.time += 0.05
            quiet = quiet + 1 if not self.engine.tick(list(self.replicas.values())) else 0
            if quiet > 1:
                return
        raise AssertionError("never quiet")

    def tick(self, seconds=0.0):
        self.time += seconds
        self.engine.tick(list(self.replicas.values()))

    def tree(self, name):
        """Names and contents, without what replication keeps for itself."""
        base = self.base / name
        return {
            str(path.relative_to(base)): path.read_bytes() if path.is_file() else None
            for path in base.rglob("*")
            if "DfsrPrivate" not in path.relative_to(base).parts
        }

    def kept(self, name, where):
        folder = self.base / name / "DfsrPrivate" / where
        return sorted(path.name for path in folder.iterdir())

    def backlog(self, sender, receiver):
        return self.replicas[sender].backlog(Vector.parse(self.replicas[receiver].vector.text()))


def fill(folder: Path, **files: str) -> None:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@pytest.fixture
def pair(tmp_path):
    return Pair(tmp_path)


def test_initial_replication_makes_the_other_like_the_primary(pair):
    fill(pair.base / "A", data__base="1", data__sub__x="2", same="s", other="right")
    fill(pair.base / "B", same="s", other="wrong", own="mine", kept__here="b")
    before = (pair.base / "B" / "same").stat().st_ino
    pair.settle()
    assert pair.tree("B") == pair.tree("A")
    assert pair.ports["A"].events == [4112]
    assert pair.ports["B"].events == [4102, 4104]
    assert [replica.state for replica in pair.replicas.values()] == [NORMAL, NORMAL]
    assert (pair.base / "B" / "same").stat().st_ino == before  # the same content is not sent again
    assert len(pair.kept("B", "PreExisting")) == 2
    (lost,) = pair.kept("B", "ConflictAndDeleted")
    assert (pair.base / "B" / "DfsrPrivate" / "ConflictAndDeleted" / lost).read_text() == "wrong"
    manifest = ET.parse(pair.base / "B" / "DfsrPrivate" / "ConflictAndDeletedManifest.xml").getroot()
    assert [item.findtext("Path") for item in manifest] == ["\\\\.\\C:\\replicat\\other"]
    assert manifest[0].findtext("NewName") == lost
    assert (pair.backlog("A", "B"), pair.backlog("B", "A")) == (0, 0)


def test_without_a_primary_nobody_begins(pair):
    pair.form("nobody")
    fill(pair.base / "A", a="1")
    for _number in range(10):
        pair.tick(1)
    assert [replica.state for replica in pair.replicas.values()] == [INITIAL_SYNC, INITIAL_SYNC]
    assert pair.tree("B") == {}


def test_changes_go_both_ways(pair):
    fill(pair.base / "A", a="1", d__x="x", gone="g")
    pair.settle()
    (pair.base / "A" / "a").write_text("2")
    (pair.base / "A" / "gone").unlink()
    fill(pair.base / "B", fresh__deep="f")
    shutil.rmtree(pair.base / "B" / "d")
    assert pair.backlog("A", "B") == 2
    assert pair.backlog("B", "A") == 4
    pair.settle()
    assert pair.tree("A") == pair.tree("B") == {"a": b"2", "fresh": None, "fresh/deep": b"f"}
    assert any(name.startswith("gone-{") for name in pair.kept("B", "ConflictAndDeleted"))
    assert (pair.backlog("A", "B"), pair.backlog("B", "A")) == (0, 0)


def test_contents_count_not_size_and_time(pair):
    fill(pair.base / "A", pg_control="aaaa")
    pair.settle()
    import os

    path = pair.base / "A" / "pg_control"
    state = path.stat()
    path.write_text("bbbb")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    pair.settle()
    assert (pair.base / "B" / "pg_control").read_text() == "bbbb"
    os.utime(path, ns=(1, 1))  # a time alone is not replicated
    assert pair.backlog("A", "B") == 0


def test_later_writer_wins(pair):
    fill(pair.base / "A", a="1")
    pair.settle()
    pair.open = {"A": False, "B": False}
    (pair.base / "A" / "a").write_text("from A")
    pair.tick(1)
    (pair.base / "B" / "a").write_text("from B")
    record = pair.replicas["A"].records["a"]
    record.clock -= 100  # A's was long ago
    pair.tick(1)
    pair.open = {"A": True, "B": True}
    pair.settle()
    assert pair.tree("A") == pair.tree("B") == {"a": b"from B"}
    assert len(pair.kept("A", "ConflictAndDeleted")) == 1
    assert pair.kept("B", "ConflictAndDeleted") == []


def test_a_closed_connection_moves_nothing_and_counts(pair):
    pair.settle()
    pair.open["A"] = False
    fill(pair.base / "A", **{f"f{number}": "x" for number in range(30)})
    fill(pair.base / "B", back="b")
    for _number in range(5):
        pair.tick(10)
    assert pair.backlog("A", "B") == 30  # B knows what came from it
    assert "back" in pair.tree("A")
    assert "f1" not in pair.tree("B")
    pair.open["A"] = True
    pair.settle()
    assert pair.tree("A") == pair.tree("B")


def test_files_arrive_late_and_out_of_order(tmp_path):
    pair = Pair(tmp_path, delay=2.0)
    pair.settle()
    names = [f"f{number:03d}" for number in range(60)]
    fill(pair.base / "A", **dict.fromkeys(names, "x"))
    pair.tick(1)
    pair.tick(1)
    assert pair.tree("B") == {}
    assert len(list((pair.base / "B" / "DfsrPrivate" / "Staging").iterdir())) == AT_ONCE
    assert pair.backlog("A", "B") == 60
    pair.tick(1)
    arrived = sorted(pair.tree("B"))
    assert len(arrived) == AT_ONCE
    assert arrived != names[:AT_ONCE]
    assert pair.backlog("A", "B") == 60 - AT_ONCE
    pair.settle()
    assert sorted(pair.tree("B")) == names


def test_what_is_fetched_is_of_another_moment(tmp_path):
    """A copy made while somebody writes: the receiver's files are of different times until all has come."""
    pair = Pair(tmp_path, delay=1.0)
    fill(pair.base / "A", heap="1", wal="1")
    pair.settle()
    (pair.base / "A" / "heap").write_text("2")
    pair.tick(0.1)  # the old wal, the new heap are on their way
    (pair.base / "A" / "heap").write_text("3")
    (pair.base / "A" / "wal").write_text("3")
    pair.tick(1.1)
    assert pair.tree("B") == {"heap": b"2", "wal": b"1"}
    pair.settle()
    assert pair.tree("B") == {"heap": b"3", "wal": b"3"}


def test_permissions_travel_with_the_file_and_alone(pair):
    fill(pair.base / "A", data__x="1")
    security = ("S-1-5-32-544", True, (ace("S-1-5-21-1-2-3-1001", 0x1F01FF),))
    pair.ports["A"].set["data"] = security
    pair.settle()
    assert pair.ports["B"].set["data"] == security
    changed = ("S-1-5-32-544", True, (ace("S-1-5-18", 0x1F01FF),))
    pair.ports["A"].set["data"] = changed
    assert pair.backlog("A", "B") == 1
    pair.settle()
    assert pair.ports["B"].set["data"] == changed


def test_filters(tmp_path):
    chosen = Filter("~*, *.bak, *.tmp", "cache")
    left = ["~x", "A.BAK", "b.tmp"]
    assert all(chosen.leaves_out(name, False) for name in left)
    assert not any(chosen.leaves_out(name, True) for name in left)
    assert chosen.leaves_out("Cache", True)
    assert not chosen.leaves_out("tmp", False)
    pair = Pair(tmp_path)
    fill(pair.base / "A", a_dot_tmp="1", b="2")
    pair.settle()
    assert pair.tree("B") == {"b": b"2"}
    fill(pair.base / "B", own_dot_bak="3")
    pair.settle()
    assert "own.bak" not in pair.tree("A")


def test_a_disk_that_is_gone_deletes_nothing(pair):
    fill(pair.base / "A", data__x="1")
    pair.settle()
    away = pair.base / "away"
    (pair.base / "A").rename(away)
    pair.tick(1)
    assert (pair.replicas["A"].state, pair.replicas["A"].error) == (IN_ERROR, 3)
    assert pair.ports["A"].events[-1] == 4004
    with pytest.raises(RootGoneError):
        pair.backlog("A", "B")
    (pair.base / "A").mkdir()  # an empty folder in its place is not the folder
    pair.tick(1)
    assert pair.replicas["A"].state == IN_ERROR
    fill(pair.base / "B", data__y="2")
    pair.tick(1)
    assert pair.tree("B") == {"data": None, "data/x": b"1", "data/y": b"2"}
    (pair.base / "A").rmdir()
    away.rename(pair.base / "A")
    pair.settle()
    assert pair.replicas["A"].state == NORMAL
    assert pair.tree("A") == pair.tree("B")


def test_a_new_group_with_the_other_primary(pair):
    fill(pair.base / "A", a="1", both="old")
    pair.settle()
    (pair.base / "B" / "both").write_text("new")
    fill(pair.base / "A", only_a="lost")
    pair.form("B")
    pair.settle()
    assert pair.tree("A") == pair.tree("B") == {"a": b"1", "both": b"new"}
    assert pair.ports["B"].events == [4112]
    assert any(name.startswith("only_a-") for name in pair.kept("A", "PreExisting"))


def test_faults(pair):
    pair.ports["B"].missing = "global/pg_control"
    fill(pair.base / "A", global__pg_control="c", x="1")
    pair.settle()
    assert pair.backlog("A", "B") == 0
    assert pair.tree("B") == {"global": None, "x": b"1"}
    pair.form("A")
    pair.replicas["B"].hung = True
    for _number in range(5):
        pair.tick(1)
    assert pair.replicas["B"].state == INITIAL_SYNC
    pair.replicas["B"].hung = False
    pair.settle()
    assert pair.replicas["B"].state == NORMAL


def test_folders_become_files_and_files_folders(pair):
    fill(pair.base / "A", a__x="1", b="2")
    pair.settle()
    shutil.rmtree(pair.base / "A" / "a")
    (pair.base / "A" / "b").unlink()
    fill(pair.base / "A", a="now a file", b__y="now a folder")
    pair.settle()
    assert pair.tree("A") == pair.tree("B") == {"a": b"now a file", "b": None, "b/y": b"now a folder"}


@pytest.mark.parametrize("seed", range(6))
def test_random_work_on_both_sides_ends_the_same(tmp_path, seed):
    generator = random.Random(seed)
    pair = Pair(tmp_path, delay=0.03, seed=seed)
    pair.settle()
    for _round in range(120):
        side = pair.base / generator.choice("AB")
        name = f"d{generator.randrange(3)}/f{generator.randrange(6)}"
        path = side / name
        action = generator.random()
        if action < 0.7:
            path.parent.mkdir(exist_ok=True)
            path.write_text(str(generator.random()))
        elif action < 0.9:
            path.unlink(missing_ok=True)
        else:
            shutil.rmtree(path.parent, ignore_errors=True)
        pair.tick(0.02)
    pair.settle()
    assert pair.tree("A") == pair.tree("B")
    assert (pair.backlog("A", "B"), pair.backlog("B", "A")) == (0, 0)


def test_version_vectors():
    vector = Vector()
    for number in (1, 2, 3, 7):
        vector.add(("0" * 8 + "-0000-0000-0000-" + "0" * 12, number))
    again = Vector.parse(vector.text())
    assert again.text() == vector.text()
    assert [again.covers(("0" * 8 + "-0000-0000-0000-" + "0" * 12, number)) for number in (3, 5, 7)] == [
        True,
        False,
        True,
    ]
    with pytest.raises(ValueError, match="nonsense"):
        Vector.parse("nonsense")
