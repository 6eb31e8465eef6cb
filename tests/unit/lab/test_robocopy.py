# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""robocopy, shares of other computers, files that are in use, and what certutil fetches over HTTP."""

from __future__ import annotations

import hashlib
import http.client
import os

import pytest

from lab.windows.openerp import setupfile
from tests.unit.lab.conftest import free_port
from tests.unit.lab.openerp_lab import SERVER, running

FROM, TO = "C:\\De", "C:\\Vers"
COPY = f"robocopy {FROM} {TO} /R:0 /W:0"


@pytest.fixture(scope="module")
def filelab(tmp_path_factory, environment, lab_networks):
    folder = tmp_path_factory.mktemp("files")
    hosts = {
        "source": "lab_computer_name: DEPOT, lab_shares: [{name: Logiciels, path: 'C:\\Logiciels', anonymous: true}, "
        "{name: Prive, path: 'C:\\Prive'}]",
        "cible": "",
        "neuf": "lab_language: en, lab_windows_version: 10.0.20348",
        "web": f"lab_kind: linux, lab_http: {{port: 10080, path: {folder}/www, setups: true}}",
    }
    yield from running(folder, environment, lab_networks, hosts)


@pytest.fixture
def on(filelab):
    yield filelab.session
    filelab.close()


@pytest.fixture
def trees(filelab, on):
    """Two trees of the same names, in each way different; the source is newer than the destination in ``neuf``."""
    session = on("cible")
    session.run(f"rd /s /q {FROM} & rd /s /q {TO} & mkdir {FROM}\\sous\\vide & mkdir {TO}\\plus")
    source, target = filelab.file("cible", FROM), filelab.file("cible", TO)
    for name, ours, theirs in (
        ("pareil.txt", ("a", 1000), ("b", 1000)), ("neuf.txt", ("a", 3000), ("a", 1000)), ("vieux.txt", ("a", 1000), ("a", 3000)),
        ("taille.txt", ("aa", 1000), ("a", 1000)), ("seul.txt", ("a", 1000), None), ("plus.txt", None, ("a", 1000)),
    ):  # fmt: skip
        for folder, content in ((source, ours), (target, theirs)):
            if content:
                (folder / name).write_text(content[0])
                os.utime(folder / name, (1_400_000_000 + content[1],) * 2)
    (source / "sous" / "b.log").write_text("b")
    return session, source, target


def test_mirror(trees):
    session, source, target = trees
    code, out, _unused = session.run(f"{COPY} /MIR /COPY:DAT /DCOPY:T /NP")
    assert code == 3
    for words in ("Nouveau fich.", "Plus récent", "Plus ancien", "Modifié", "*Fich. EXTRA", "*Rép. EXTRA"):
        assert words in out, words
    assert not (target / "plus.txt").exists()
    assert not (target / "plus").exists()
    assert (target / "sous" / "vide").is_dir()
    # Size and time decide, the content does not.
    assert (target / "pareil.txt").read_text() == "b"
    for name in ("neuf.txt", "vieux.txt", "taille.txt", "seul.txt", "sous/b.log", "sous"):
        assert (target / name).stat().st_mtime_ns == (source / name).stat().st_mtime_ns
    code, out, _unused = session.run(f"{COPY} /MIR /NP /NFL /NDL /NJH /NJS")
    assert (code, out) == (0, "")


def test_list_only_changes_nothing(trees):
    session, _source, target = trees
    assert session.run(f"{COPY} /MIR /L")[0] == 3
    assert (target / "plus.txt").exists()
    assert not (target / "seul.txt").exists()


def test_exclusions(trees):
    session, source, target = trees
    code, out, _unused = session.run(f"{COPY} /MIR /XF plus.txt *.log seul.txt /XD plus {FROM}\\sous\\vide /XO")
    assert code == 1, out
    assert (target / "plus.txt").exists()
    assert (target / "plus").is_dir()
    assert not (target / "seul.txt").exists()
    assert not (target / "sous" / "b.log").exists()
    assert not (target / "sous" / "vide").exists()
    assert (target / "vieux.txt").stat().st_mtime != (source / "vieux.txt").stat().st_mtime
    assert session.run(f"{COPY} *.log /S")[0] == 3  # plus is an extra folder
    assert session.run(f"{COPY} /XX /XC /XN /XL /XO")[0] == 0


def test_mismatch_and_failures(filelab, trees):
    session, source, target = trees
    (target / "seul.txt").mkdir()
    assert session.run(f"{COPY} /NP")[0] == 7
    filelab.fault("cible", "disk_full")
    (source / "encore.txt").write_text("x" * 100)
    code, out, _unused = session.run(f"{COPY} /NP")
    assert (code & 8, "ERREUR 112 (0x00000070)" in out) == (8, True)
    filelab.fault("cible", "clear")
    assert session.run(f"robocopy C:\\Nulle {TO}")[0] == 16
    assert session.run(f'robocopy "{FROM}\\" "{TO}"')[0] == 16


def test_options_that_it_has_not(on):
    session = on("cible")
    code, out, _unused = session.run(f"{COPY} /MT:8")
    assert (code, 'paramètre non valide n°5 : "/MT:8"' in out) == (16, True)
    assert session.run(f"{COPY} /MOVE")[::2] == (255, "LAB: robocopy /MOVE is not played\n")
    assert on("neuf", 437).run(f"{COPY} /MT:8")[0] == 255


def test_programs_that_run(filelab, on):
    session = on("cible")
    session.run(f'robocopy "{SERVER}" C:\\Garde /MIR /NP')
    filelab.file("cible", "C:\\Garde\\openerp-server.exe").write_bytes(b"MZ autre")
    filelab.file("cible", "C:\\Garde\\library.zip").write_bytes(b"PK autre")
    code, out, _unused = session.run(f'robocopy C:\\Garde "{SERVER}" /MIR /R:0 /NP')
    assert (code, "ERREUR 32 (0x00000020)" in out) == (9, True)
    assert session.run(f'move "{SERVER}" C:\\Ailleurs')[::2] == (1, "Accès refusé.\n")
    assert session.run(f'copy /y C:\\Garde\\openerp-server.exe "{SERVER}"')[0] == 1
    assert session.run("net stop openerp-server-6.0")[0] == 0
    assert session.run(f'robocopy C:\\Garde "{SERVER}" /MIR /R:0 /NP')[0] == 1
    assert session.run(f'move "{SERVER}" C:\\Ailleurs')[0] == 0


def test_shares(filelab, on):
    session = on("cible")
    name = setupfile.name_of("web", "6.0.4")
    for computer in ("depot", "source", filelab.address("source")):
        head = f"\\\\{computer}\\Logiciels"
        assert name in session.run(f"dir /b {head}")[1]
        assert session.run(f"if exist {head}\\{name} echo oui")[1] == "oui\n"
        assert session.run(f"copy /y {head}\\{name} C:\\w.exe")[0] == 0
        assert filelab.file("cible", "C:\\w.exe").read_bytes() == setupfile.contents("web", "6.0.4")
    assert session.run(f"robocopy \\\\DEPOT\\Logiciels C:\\Miroir {name} /NP")[0] == 1
    for path, message in (
        ("\\\\DEPOT\\Prive", "Accès refusé."), ("\\\\DEPOT\\C$", "Accès refusé."),
        ("\\\\DEPOT\\Rien", "Nom de réseau introuvable."), ("\\\\NULLE\\Rien", "Le chemin réseau n'a pas été trouvé."),
    ):  # fmt: skip
        assert session.run(f"dir /b {path}")[::2] == (1, message + "\n")
        assert session.run(f"if not exist {path}\\x echo non")[1] == "non\n"
    assert session.run("copy C:\\w.exe \\\\DEPOT\\Logiciels\\x.exe")[0] == 1
    assert session.run("robocopy \\\\DEPOT\\Prive C:\\Miroir")[0] == 16
    assert session.run("robocopy C:\\Miroir \\\\DEPOT\\Logiciels")[0] == 16
    filelab.fault("source", "off")
    assert session.run("dir /b \\\\DEPOT\\Logiciels")[2] == "Le chemin réseau n'a pas été trouvé.\n"
    filelab.fault("source", "clear")
    assert session.run("icacls \\\\DEPOT\\Logiciels")[0] == 255


def test_certutil_fetches(filelab, on):
    session = on("cible")
    name = setupfile.name_of("server", "6.0.4")
    url = f"http://{filelab.address('web')}:10080/{name}"
    code, out, _unused = session.run(f"certutil -urlcache -split -f {url} C:\\s.exe")
    assert (code, "En ligne" in out) == (0, True)
    data = filelab.file("cible", "C:\\s.exe").read_bytes()
    assert hashlib.sha256(data).digest() == hashlib.sha256(setupfile.contents("server", "6.0.4")).digest()
    assert session.run("C:\\s.exe /S")[0] == 0
    assert session.run(f"certutil -urlcache {url} C:\\s2.exe")[0] == 0  # from the cache
    assert session.run(f"certutil -urlcache {url} delete")[0] == 0
    assert session.run(f"certutil -urlcache {url} C:\\s3.exe")[0] == -2147023728
    assert session.run(f"certutil -urlcache -f {url}x C:\\s4.exe")[0] == -2145844844
    nobody = f"http://{filelab.address('web')}:{free_port(filelab.address('web'))}/x"
    assert session.run(f"certutil -urlcache -f {nobody} C:\\s4.exe")[0] == -2147012867
    filelab.fault("web", "cut", "50000")
    assert session.run(f"certutil -urlcache -f {url} C:\\s4.exe")[0] in (-2147012866, -2147012865)
    filelab.fault("web", "clear")
    filelab.fault("cible", "disk_full")
    assert session.run(f"certutil -urlcache -f {url} C:\\s4.exe")[0] == -2147024784
    assert not filelab.file("cible", "C:\\s4.exe").is_file() or not filelab.file("cible", "C:\\s4.exe").stat().st_size
    assert session.run("certutil -urlcache -f https://nulle/x C:\\y")[0] == 255


def test_web_server(filelab):
    def ask(method, path):
        line = http.client.HTTPConnection(filelab.address("web"), 10080, timeout=5)
        line.request(method, path)
        answer = line.getresponse()
        return answer.status, answer.read(), answer.headers

    name = setupfile.name_of("server", "6.0.3")
    status, body, headers = ask("GET", f"/{name}")
    assert (status, body, headers["Content-Length"]) == (200, setupfile.contents("server", "6.0.3"), str(len(body)))
    status, body, headers = ask("HEAD", f"/{name}")
    assert (status, body, headers["Content-Length"]) == (200, b"", "200034")
    assert ask("GET", "/")[0] == 404
    assert ask("GET", "/%2e%2e/hosts.yml")[0] == 403
    assert ask("PUT", f"/{name}")[0] == 405


def test_setups_command(filelab, tmp_path):
    import subprocess
    import sys

    result = subprocess.run(
        [sys.executable, "-m", "lab", "setups", str(tmp_path / "a")],
        env=filelab.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(result.stdout.splitlines()) == 6
    assert (tmp_path / "a" / setupfile.name_of("web", "6.0.3")).is_file()
