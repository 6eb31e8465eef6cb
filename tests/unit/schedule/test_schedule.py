# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes of time, quoting, and the choices that the role makes at configure time."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import lycee_job_lib as lib
import lycee_schedule as planner
import pytest
import yaml
from lycee_schedule_lib import (
    at_problem,
    at_to_calendar,
    at_to_cron,
    cron_command,
    cron_problem,
    exec_start,
    systemd_quote,
)

ROLE = Path(__file__).parents[3] / "roles" / "schedule"
HARD_PATHS = ["/srv/a b", "/srv/l'école", '/srv/"x"', "/srv/100%", "/srv/$HOME", "/srv/a;b&c", "/srv/é'\"% $(x)"]


@pytest.mark.parametrize(
    ("at", "cron", "calendar"),
    [
        ({"hour": 21, "minute": 5, "days": None}, "5 21 * * *", "*-*-* 21:05:00"),
        ({"hour": 0, "minute": 0, "days": ["sun", "mon"]}, "0 0 * * 0,1", "Mon,Sun *-*-* 00:00:00"),
        ({"minute": 30}, "30 * * * *", "*-*-* *:30:00"),
        ({"hour": 6, "days": ["fri", "fri"]}, "0 6 * * 5", "Fri *-*-* 06:00:00"),
    ],
)
def test_one_moment_is_the_same_in_both_languages(at: dict[str, Any], cron: str, calendar: str) -> None:
    assert at_to_cron(at) == cron
    assert cron_problem(cron) is None
    assert at_to_calendar(at) == calendar


def test_an_impossible_hour_is_refused() -> None:
    assert "hour 24" in str(at_problem({"hour": 24}))
    assert "minute -1" in str(at_problem({"minute": -1}))


@pytest.mark.parametrize("fields", ["* * * * *", "*/5 8-18 1,15 jan mon", "0 0 31 12 7", "0-30/10 * * * 1-5"])
def test_good_cron_fields(fields: str) -> None:
    assert cron_problem(fields) is None


@pytest.mark.parametrize(
    "fields",
    ["* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *",
     "5/10 * * * *", "@daily", "* * * * mon,tue", "a * * * *", "* *  * * *", "* * * * *\n", "* * * * * root id",
     "² * * * *"],
)  # fmt: skip
def test_bad_cron_fields(fields: str) -> None:
    assert cron_problem(fields) is not None


def unquote(line: str) -> list[str]:
    """Reads an ExecStart value as systemd does: quotes, backslashes, %%, and the prefix `:`."""
    return [word.replace("%%", "%") for word in shlex.split(line.removeprefix(":"))]


@pytest.mark.parametrize("path", HARD_PATHS)
def test_systemd_reads_back_each_word(path: str) -> None:
    assert unquote(exec_start(["/bin/python3", path])) == ["/bin/python3", path]


def test_systemd_quotes_only_what_needs_it() -> None:
    assert systemd_quote("/a/b-c.json") == "/a/b-c.json"
    assert systemd_quote("/a b") == '"/a b"'
    assert exec_start(["/a", "$x"]) == ':/a "$x"'


@pytest.mark.parametrize("path", HARD_PATHS)
def test_cron_and_sh_read_back_each_word(path: str) -> None:
    line = cron_command([sys.executable, "-c", "import sys; sys.stderr.write(sys.argv[1])", path])
    assert "%" not in line.replace("\\%", "")
    done = subprocess.run(["/bin/sh", "-c", line.replace("\\%", "%")], capture_output=True, check=True)
    assert done.stderr.decode() == path


@pytest.mark.parametrize(
    ("item", "backend", "wanted"),
    [
        ({"at": {"hour": 1}}, "cron", "0 1 * * *"),
        ({"at": {"hour": 1}, "cron": "5 5 * * *"}, "cron", "5 5 * * *"),
        ({"at": {"hour": 1}, "cron": "5 5 * * *"}, "systemd", "*-*-* 01:00:00"),
    ],
)
def test_the_own_words_of_a_back_end_come_first(item: dict[str, Any], backend: str, wanted: str) -> None:
    assert planner.moment({"name": "n", **item}, backend) == wanted


@pytest.mark.parametrize(
    ("item", "backend", "sentence"),
    [
        ({}, "cron", "does not say when"),
        ({"cron": "0 1 * * *"}, "systemd", "in the words of systemd"),
        ({"cron": "0 99 * * *"}, "systemd", "as hour"),
        ({"at": {"hour": 99}}, "cron", "hour 99"),
        ({"on_calendar": "daily\nExecStart=x"}, "systemd", "calendar expression"),
    ],
)
def test_a_wrong_moment_is_refused(item: dict[str, Any], backend: str, sentence: str) -> None:
    with pytest.raises(lib.JobError, match=sentence):
        planner.moment({"name": "n", **item}, backend)


def test_the_usual_places_of_root_and_of_a_user() -> None:
    given = {"project_dir": "/srv/p", "log_dir": "var/log"}
    root = planner.choose_places(given, "system", True, "/root")
    assert (root["unit_dir"], root["cron_dir"], root["log_dir"]) == (
        "/etc/systemd/system",
        "/etc/cron.d",
        "/srv/p/var/log",
    )
    moved = planner.choose_places({"project_dir": "/srv/p", "dir": "var/s"}, "system", True, "/root")
    assert (moved["dir"], moved["log_dir"], moved["state_dir"]) == (
        "/srv/p/var/s",
        "/srv/p/var/s/log",
        "/srv/p/var/s/state",
    )
    user = planner.choose_places({**given, "cron_dir": ""}, "user", False, "/home/a")
    assert user["unit_dir"] == "/home/a/.config/systemd/user"
    assert user["cron_dir"] == ""
    assert user["dir"].startswith("/home/a/")


def setting(activate: bool, backend: str, jobs: list[dict[str, Any]], **given: Any) -> planner.Setting:
    places = planner.choose_places({"project_dir": "/p", **given}, "system", True, "/root")
    return planner.Setting({"project_dir": "/p", "jobs": jobs, **given}, places, backend, "system", "root", activate)


def test_a_rehearsal_leaves_the_folders_of_the_system_alone(tmp_path: Path) -> None:
    jobs = [{"name": "a"}]
    left = planner.leavings(setting(False, "systemd", jobs, unit_dir=str(tmp_path)), ["a"])
    assert left == {"remove": [], "stop": [], "crontab_remove": []}
    left = planner.leavings(setting(False, "systemd", jobs, unit_dir=str(tmp_path), cron_dir="/lab"), ["a"])
    assert left["remove"] == ["/lab/lycee-a"]


def test_a_folder_shared_with_others_is_refused() -> None:
    errors = planner.check_setting(setting(True, "cron", [], log_dir="/var/log/"), ["a"], "/")
    assert [e for e in errors if "schedule_log_dir is /var/log" in e]


def test_a_name_twice_or_wrong_is_refused() -> None:
    errors = planner.check_setting(setting(True, "cron", []), ["a", "a", "B", "../c"], "/")
    assert len(errors) == 3


def test_every_variable_is_described_and_every_description_has_a_variable() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    options = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert set(defaults) == set(options)
    for name, option in options.items():
        written = option.get("default")
        if written is not None and "{{" not in str(written):
            assert defaults[name] == written, name
