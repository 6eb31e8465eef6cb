# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linux hosts with real clients: rsync, OpenSSH, psql; their disks, their faults, and rsync.exe of a Windows host."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab import memory, realtool
from lab.errors import LabError
from lab.linux.media import Media
from lab.namespace import outer_uid
from lab.plan import Plan, build_plan
from lab.windows.postgres import find_binaries

HOST = {"lab_kind": "linux", "ansible_host": "127.77.251.9"}
RSYNC = {"port": 10873, "modules": {"Backup": {"path": "disks/backup", "users": {"sauvegarde": "x"}}}}


def linux(**variables):
    return build_plan("x", {"sauve": {**HOST, **variables}}).linux[0]


def test_the_plan():
    plan = linux(lab_rsync=RSYNC, lab_media={"usb": "/media/usb"}, inventory_dir="/inv", lab_faults="absent=usb")
    assert (plan.port, plan.services, plan.media) == (10873, "rsync+media", {"usb": "/media/usb"})
    assert plan.rsync["modules"]["Backup"]["path"] == "/inv/disks/backup"
    whole = build_plan("x", {"a": {**HOST, "lab_postgresql": True}, "b": {"lab_kind": "linux"}})
    assert Plan.from_json(whole.to_json()) == whole
    assert "nothing of it is played" in whole.skipped["b"]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"lab_rsync": {"port": 1}}, "lab_rsync needs modules"),
        ({"lab_rsync": {"prot": 1}}, "not prot"),
        ({"lab_rsync": {**RSYNC, "port": "x"}}, "not a port number"),
        ({"lab_rsync": {"modules": {"a/b": {"path": "x"}}}}, "not a name for a module"),
        ({"lab_rsync": {"modules": {"a": {"users": {}}}}}, "path of a needs a path"),
        ({"lab_rsync": {"modules": {"a": {"path": "x", "users": {"u": ""}}}}}, "needs a plain name and a password"),
        ({"lab_media": ["usb"]}, "lab_media must be a mapping"),
        ({"lab_media": {"usb": "x"}, "lab_faults": "absent=x"}, "has no disk 'x'"),
        ({"lab_ssh": {}, "lab_media": {"a": "b"}, "lab_faults": ["pager"]}, "there is no fault 'pager'"),
        ({"lab_ssh": {"key": 1}}, "lab_ssh knows key_file"),
        ({"lab_postgresql": {"superuser": "a b"}}, "plain PostgreSQL name"),
        ({"lab_rsync": {**RSYNC, "port": 5432}, "lab_postgresql": True}, "want the same port"),
        ({"lab_rsync": RSYNC, "ansible_host": "sauve.example"}, "literal addresses"),
    ],
)
def test_variables_that_are_wrong(variables, said):
    with pytest.raises(LabError, match=said):
        build_plan("x", {"sauve": {**HOST, **variables}})


@pytest.fixture
def disks(winlab):
    """The folder of the school's disks."""
    yield winlab.inventory.parent / "disks"
    winlab.fault("all", "clear")
    for name in ("backup", "libre"):
        for entry in (winlab.inventory.parent / "disks" / name).iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def rsync(winlab, *words, module="Backup", path="", password="Loin-2026", user="sauvegarde"):
    address, port = winlab.places["sauvegarde"]
    target = f"rsync://{user}@{address}:{port}/{module}/{path}"
    return subprocess.run(["rsync", *words, target], env={**os.environ, "RSYNC_PASSWORD": password}, capture_output=True,
                          text=True, timeout=60, check=False)  # fmt: skip


@pytest.fixture
def big(tmp_path):
    path = tmp_path / "gros"
    path.write_bytes(os.urandom(3_000_000))
    return path


def test_a_real_rsync_daemon(winlab, disks, big):
    assert rsync(winlab, "-a", big, path="a/").returncode == 0
    assert (disks / "backup" / "a" / "gros").read_bytes() == big.read_bytes()
    assert rsync(winlab, "-a", big, password="faux").returncode == 5
    assert rsync(winlab, "-a", big, module="Absent").returncode == 5
    assert rsync(winlab, "-a", big, module="Libre", password="").returncode == 0
    address, port = winlab.places["sauvegarde"]
    listed = subprocess.run(["rsync", f"rsync://{address}:{port}/"], capture_output=True, text=True, check=True).stdout
    assert {line.split()[0] for line in listed.splitlines()} == {"Backup", "Libre"}
    assert "gros" in rsync(winlab, path="a/").stdout
    secrets = winlab.folder() / "linux" / "sauvegarde" / "Backup.secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600


def test_faults_of_the_daemon(winlab, disks, big):
    def switched(*fault):
        winlab.fault("sauvegarde", "clear")
        winlab.fault("sauvegarde", *fault)
        return rsync(winlab, "-a", "--timeout=20", big)

    assert switched("off").returncode == 10
    assert switched("wrong_password").returncode == 5
    result = switched("cut", "500000")
    assert (result.returncode in (10, 12), (disks / "backup" / "gros").exists()) == (True, False)
    result = switched("disk_full")
    assert (result.returncode, (disks / "backup" / "gros").exists()) == (11, False)
    before = time.monotonic()
    assert switched("slow", "0.3").returncode == 0
    assert time.monotonic() - before > 0.3
    winlab.fault("sauvegarde", "mute")
    place = winlab.places["sauvegarde"]
    with socket.create_connection(place) as client:
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
    winlab.fault("sauvegarde", "clear")
    with socket.create_connection(place) as client:
        assert client.recv(8) == b"@RSYNCD:"


def test_a_disk_that_fills_up_under_the_daemon(winlab, disks, tmp_path):
    path = tmp_path / "tres-gros"
    path.write_bytes(os.urandom(20_000_000))
    address, port = winlab.places["sauvegarde"]
    command = ["rsync", "-a", "--bwlimit=4000", path, f"rsync://sauvegarde@{address}:{port}/Backup/"]
    with subprocess.Popen(command, env={**os.environ, "RSYNC_PASSWORD": "Loin-2026"}, stderr=subprocess.PIPE) as client:
        deadline = time.monotonic() + 20
        while not any(item.stat().st_size for item in (disks / "backup").glob(".tres-gros*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        winlab.fault("sauvegarde", "disk_full")
        assert client.wait(timeout=60) == 11
    assert list((disks / "backup").iterdir()) == []


def test_whoever_connects_is_killed(winlab, disks):
    with subprocess.Popen(["sleep", "600"]) as victim:
        winlab.fault("sauvegarde", "kill_after", f"2:{victim.pid}")
        assert rsync(winlab).returncode == 0
        assert victim.poll() is None
        assert rsync(winlab).returncode == 0
        assert victim.wait(timeout=20) == -9
    rows = {row["host"]: row for row in winlab.ask("status")["devices"]}
    assert rows["sauvegarde"]["faults"] == []
    assert rows["sauvegarde"]["requests"] >= 2
    assert (rows["sauvegarde"]["kind"], rows["sauvegarde"]["transport"]) == ("linux", "rsync+media")


def test_a_removable_disk(winlab, disks):
    usb = disks / "usb"
    (usb / "ancien").write_text("garde")
    winlab.fault("sauvegarde", "absent", "usb")
    assert not usb.exists()
    usb.mkdir()  # who does not look writes to the place where the disk would be
    (usb / "perdu").write_text("x")
    winlab.fault("sauvegarde", "clear")
    assert [entry.name for entry in usb.iterdir()] == ["ancien"]
    result = winlab.command("fault", "sauvegarde", "absent", "cle")
    assert (result.returncode, "lab_media has no disk 'cle'; it has: usb" in result.stderr) == (2, True)
    assert "lab_media" in winlab.command("fault", "--list").stdout
    assert "only IOS devices have a console" in winlab.command("console", "sauvegarde", "x").stderr
    assert "sauvegarde is a Linux host" in winlab.command("state", "sauvegarde").stderr


def test_disks_outlive_the_lab(alone):
    running = alone("sw9: {ansible_host: 127.77.250.90, ansible_port: PORT}")
    text = ("all:\n  hosts:\n    sauve: {lab_kind: linux, ansible_host: 127.77.250.90, lab_rsync: {port: PORT, modules: "
            "{Backup: {path: disks/backup}}}, lab_media: {usb: disks/usb}}\n")  # fmt: skip
    running.inventory.write_text(text.replace("PORT", str(running.places["sw9"][1])))
    disks = running.inventory.parent / "disks"
    assert running.command("up", "--owner-pid", str(os.getpid())).returncode == 0
    (disks / "backup" / "a").write_text("a")
    (disks / "usb" / "b").write_text("b")
    running.fault("sauve", "absent", "usb")
    assert running.command("down").returncode == 0
    assert (disks / "usb" / "b").read_text() == "b"
    assert running.command("up", "--owner-pid", str(os.getpid())).returncode == 0
    assert (disks / "backup" / "a").read_text() == "a"


def ssh(winlab, program, *words, stdin=b""):
    address, port = winlab.places["passerelle"]
    options = ["-i", winlab.inventory.parent / "passerelle.key", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o",
               "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-F",
               "/dev/null"]  # fmt: skip
    flag = "-p" if program == "ssh" else "-P"
    command = [program, *options, flag, str(port)]
    return subprocess.run([*command, *[str(word).replace("HOST", f"admin@{address}") for word in words]], input=stdin,
                          capture_output=True, timeout=60, check=False)  # fmt: skip


def test_ssh(winlab, tmp_path, big):
    key = winlab.inventory.parent / "passerelle.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert b"OPENSSH PRIVATE KEY" in key.read_bytes()
    result = ssh(winlab, "ssh", "HOST", "echo é $HOME; echo non >&2; cat; exit 7", stdin=b"entree")
    assert result.returncode == 7, result.stderr
    assert result.stdout.decode().startswith("é ")
    assert result.stdout.endswith(b"/home\nentree")
    assert result.stderr == b"non\n"
    assert ssh(winlab, "ssh", "-tt", "HOST", "echo ~ && sleep 0").returncode == 0
    for flag in ("-O", "-s"):  # the old protocol, and SFTP
        assert ssh(winlab, "scp", flag, big, "HOST:gros").returncode == 0
        assert ssh(winlab, "scp", flag, "HOST:gros", tmp_path / "retour").returncode == 0
        assert (tmp_path / "retour").read_bytes() == big.read_bytes()
        assert ssh(winlab, "ssh", "HOST", "rm gros").returncode == 0
    address = winlab.places["passerelle"][0]
    assert ssh(winlab, "ssh", f"personne@{address}", "true").returncode == 255
    winlab.fault("passerelle", "off")
    assert ssh(winlab, "ssh", "HOST", "true").returncode == 255
    winlab.fault("passerelle", "clear")
    assert ssh(winlab, "ssh", "HOST", "true").returncode == 0


def test_ansible_works_over_it(winlab, tmp_path):
    (tmp_path / "source").write_text("contenu\n")
    key = winlab.inventory.parent / "passerelle.key"
    arguments = f"-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i {key}"
    play = [{"hosts": "passerelle", "gather_facts": False, "vars": {"ansible_ssh_common_args": arguments}, "tasks": [
        {"ansible.builtin.copy": {"src": str(tmp_path / "source"), "dest": "copie", "mode": "0600"}},
        {"ansible.builtin.command": {"cmd": "cat copie"}, "changed_when": False, "register": "lu"},
        {"ansible.builtin.assert": {"that": "lu.stdout == 'contenu'"}},
        {"ansible.builtin.fetch": {"src": "copie", "dest": f"{tmp_path}/fetched", "flat": True}},
    ]}]  # fmt: skip
    (tmp_path / "play.yml").write_text(json.dumps(play))
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", winlab.inventory, tmp_path / "play.yml"]
    result = subprocess.run(command, cwd=tmp_path, env={**winlab.environment, "ANSIBLE_NOCOLOR": "1"}, capture_output=True,
                            text=True, timeout=120, check=False)  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "fetched").read_text() == "contenu\n"


def test_a_real_postgresql(winlab):
    address, port = winlab.places["pg3"]
    command = [find_binaries() / "psql", "-h", address, "-p", str(port), "-U", "postgres", "-d", "zabbix", "-Atc",
               "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"]  # fmt: skip
    result = subprocess.run(command, env={"PGPASSWORD": "craie"}, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "5\n"), result.stderr


@pytest.fixture
def cygwin(remote, winlab, disks):
    """Run rsync.exe of srv1 in a folder with two files."""
    session = remote()
    session.open(850, env_vars={"RSYNC_PASSWORD": "Loin-2026"})
    session.run("md C:\\Envoi\\é & echo un>C:\\Envoi\\un.txt & echo deux>C:\\Envoi\\é\\deux.txt")
    address, port = winlab.places["sauvegarde"]

    def run(*words, stdin=None):
        line = " ".join(words).replace("URL", f"rsync://sauvegarde@{address}:{port}/Backup/").replace(
            "NAME", f"--port={port} sauvegarde@{address}::Backup/")  # fmt: skip
        code, out, error = session.raw(f"cd /d C:\\Envoi & C:\\cygwin\\bin\\rsync.exe {line}", stdin=stdin)
        return code, out.decode(), error.decode(errors="replace")

    yield run
    session.run("rd /s /q C:\\Envoi")


def test_rsync_exe_sends(cygwin, disks):
    assert cygwin("--version")[1].startswith("rsync  version 3.0.9  protocol version 30\n")
    code, out, error = cygwin("-a --stats --chmod=ugo=rwX /cygdrive/c/envoi/ URL")
    assert (code, error) == (0, "")
    assert "Number of files" in out
    assert (disks / "backup" / "é" / "deux.txt").read_bytes() == b"deux\r\n"
    assert cygwin("-a -c --files-from=- --out-format=%n . NAMEliste/", stdin="é/deux.txt\n".encode()) == (
        0,
        "é/\né/deux.txt\n",
        "",
    )
    assert (disks / "backup" / "liste" / "é" / "deux.txt").exists()
    assert cygwin("-a URLliste/ retour")[0] == 0
    assert cygwin("-aR é URLrelatif/")[0] == 0
    assert (disks / "backup" / "relatif" / "é" / "deux.txt").exists()
    assert cygwin("-a --password-file=pw NAMEx .")[0] != 0
    assert cygwin("-a URL")[1].count("\n") > 1


def test_rsync_exe_refuses(cygwin, disks, remote, winlab):
    code, out, error = cygwin("-a --info=stats2 . URL")
    assert (code, out) == (1, "")
    assert error.startswith(
        "rsync: --info=stats2: unknown option\nrsync error: syntax or usage error (code 1) at main.c"
    )
    code, _unused, error = cygwin("-a C:\\Envoi\\un.txt URL")
    assert (code, error.split("\n")[0]) == (1, "The source and destination cannot both be remote.")
    assert cygwin("-a C:/Envoi/un.txt .")[0] == 14
    assert cygwin("-a é\\deux.txt URL")[2].startswith("LAB: ")
    assert cygwin("-a absent URL")[0] == 23
    winlab.fault("srv1", "rsync_silent")
    assert cygwin("-a . URL") == (0, "", "")
    assert list((disks / "backup").iterdir()) == []
    winlab.fault("srv1", "clear")
    assert cygwin("-a . URL")[0] == 0
    winlab.fault("srv1", "disk_full")
    code, _unused, error = cygwin("-a URLun.txt retour/")
    assert (code, "No space left on device" in error) == (11, True), error
    winlab.fault("srv1", "clear")
    assert remote("srv2").run("C:\\cygwin\\bin\\rsync.exe --version")[0] == 1


def test_the_controller_may_lose_the_daemon_while_rsync_exe_sends(cygwin, winlab, disks):
    winlab.fault("sauvegarde", "cut", "100")
    assert cygwin("-a . URL")[0] in (10, 12)
    winlab.fault("sauvegarde", "off")
    assert cygwin("-a --contimeout=5 . URL")[0] == 10


def test_drives_in_memory_go_with_their_process(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_SHARED", tmp_path / "shm")
    monkeypatch.setattr(memory, "_available", lambda: 1 << 40)
    base = tmp_path / "shm" / f"lycee-lab-{outer_uid()}"
    (tmp_path / "shm").mkdir()
    base.mkdir(mode=0o700)
    (base / "999999999-1" / "windows").mkdir(parents=True)
    link = tmp_path / "windows"
    memory.put(link, True)
    if not link.is_symlink():
        pytest.skip("this machine has too little room")
    assert [entry.name for entry in base.iterdir()] == [link.resolve().parent.name]
    (link / "C").mkdir()
    memory.remove(link)
    assert not link.is_symlink()
    memory.clean()
    assert list(base.iterdir()) == []
    monkeypatch.setenv("LYCEE_LAB_MEMORY", "0")
    memory.put(link, True)
    assert not link.exists()


def test_no_rsync_is_one_sentence(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LabError, match="rsync is not installed"):
        realtool.rsync()


def test_a_disk_that_a_killed_lab_left_unplugged(tmp_path):
    (tmp_path / ".usb.unplugged").mkdir()
    (tmp_path / ".usb.unplugged" / "a").touch()
    Media("h", {"usb": str(tmp_path / "usb")}).prepare()
    assert (tmp_path / "usb" / "a").exists()
