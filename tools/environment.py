# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the environment of the checkout: ``python3 tools/environment.py [GROUP ...]`` (standard library only).

It creates ``.venv`` with the requirements that ``pyproject.toml`` names (``dependencies`` and the named
``dependency-groups``), and the tree ``collections/ansible_collections/lycee/openerp`` of links, one per entry of the
checkout, so that ``lycee.openerp.NAME`` works from the checkout as it does from an installed collection. One link to
the root would recurse without end, and a committed one is refused by ``ansible-test sanity``.
A ``.pth`` file names the tree, hence the collection is found from any folder. A rerun costs nothing unless the
requirements changed; an interrupted one is completed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TREE = ROOT / "collections" / "ansible_collections" / "lycee" / "openerp"
ENTRIES = ("changelogs", "galaxy.yml", "meta", "playbooks", "plugins", "roles")


def requirements(groups: list[str]) -> list[str]:
    """Return the requirement lines of the project and of the named groups of ``pyproject.toml``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines: list[str] = list(project["project"]["dependencies"])
    for group in groups:
        lines += project["dependency-groups"][group]
    return lines


def make_venv(groups: list[str]) -> None:
    """Create or complete ``.venv``; the stamp is written last, so that an interrupted run is done again."""
    stamp = VENV / "lycee-environment.json"
    known: dict[str, str] = {}
    if stamp.exists() and (VENV / "bin" / "python").exists():
        known = json.loads(stamp.read_text("utf-8"))
    groups = sorted({*groups, *(known.get("groups", "").split())})
    lines = requirements(groups)
    # The folder is part of the stamp: scripts in .venv/bin name it, so a moved checkout gets a new environment.
    digest = hashlib.sha256(json.dumps([sys.version, str(VENV), lines]).encode()).hexdigest()
    if known.get("digest") == digest:
        return
    if known.get("python", sys.version) != sys.version or known.get("venv", str(VENV)) != str(VENV):
        shutil.rmtree(VENV)
    print(f"lycee.openerp: installing {len(lines)} Python requirements into .venv", flush=True)
    stamp.unlink(missing_ok=True)
    venv.EnvBuilder(with_pip=True, symlinks=True).create(VENV)
    python = str(VENV / "bin" / "python")
    try:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "pip>=24", *lines], check=True)
    except subprocess.CalledProcessError:
        sys.exit(
            "lycee.openerp: pip could not install the requirements; its last lines above say why (a proxy? no network?)."
        )
    stamp.write_text(
        json.dumps({"digest": digest, "groups": " ".join(groups), "python": sys.version, "venv": str(VENV)}), "utf-8"
    )


def make_tree() -> None:
    """Make the tree of links and the ``.pth`` file that lets Python and Ansible find it from anywhere."""
    TREE.mkdir(parents=True, exist_ok=True)
    for entry in TREE.iterdir():
        if entry.name not in ENTRIES:
            entry.unlink()
    for name in ENTRIES:
        link, target = TREE / name, os.path.relpath(ROOT / name, TREE)
        if link.is_symlink() and os.readlink(link) == target:  # noqa: PTH115 - the text of the link is compared
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    for site_packages in (VENV / "lib").glob("python3.*/site-packages"):
        (site_packages / "lycee_openerp.pth").write_text(f"{ROOT / 'collections'}\n", "utf-8")


def main() -> None:
    """Make the environment with the groups named on the command line."""
    make_venv(sys.argv[1:])
    make_tree()
    # Git keeps no modes, and a scheduled job refuses a vault password that others can read, in the lab as anywhere.
    (ROOT / "inventories" / "lab" / "vault-password").chmod(0o600)


if __name__ == "__main__":
    main()
