# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkout as a collection: built, installed, found by name, and its set-up on a machine that lacks something."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.labs import BIN, ROOT, Lab


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    (folder / "ansible.cfg").write_text("[defaults]\n", "ascii")
    subprocess.run(
        [BIN / "ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(folder)],
        check=True,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(folder / "ansible.cfg")},
    )
    (path,) = folder.glob("*.tar.gz")
    return path


def test_the_tarball_holds_the_product_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        tops = {name.split("/")[0] for name in archive.getnames()}
    assert {"plugins", "roles", "playbooks", "docs", "meta", "README.md", "COPYING"} <= tops
    assert not tops & {
        "lab",
        "tests",
        "var",
        ".venv",
        "collections",
        "bench",
        "tools",
        "rehearsals",
        ".ci",
        "pyproject.toml",
    }
    with tarfile.open(tarball) as archive:
        assert not [name for name in archive.getnames() if "__pycache__" in name]


def test_an_installed_collection_runs_by_name_from_anywhere(tarball: Path, school: Lab, tmp_path: Path) -> None:
    installed, here = tmp_path / "collections", tmp_path / "here"
    here.mkdir()
    (here / "ansible.cfg").write_text("[defaults]\n", "ascii")
    environment = {
        **school.environment(),
        "ANSIBLE_CONFIG": str(here / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(installed),
        "ANSIBLE_VAULT_IDENTITY_LIST": f"lab@{ROOT}/inventories/lab/vault-password",
    }
    subprocess.run(
        [BIN / "ansible-galaxy", "collection", "install", str(tarball), "-p", str(installed), "--offline", "--force"],
        check=True,
        capture_output=True,
        env=environment,
        cwd=here,
    )
    # The environment of the checkout names the checkout itself; here only the installed collection may be found.
    script = (
        "import sys; sys.path = [path for path in sys.path if not path.endswith('/collections')]; "
        "from ansible.cli.playbook import main; main()"
    )
    playbook = ["lycee.openerp.backup_network", "-i", str(school.inventory), "-e", f"lycee_data_dir={school.data}"]
    done = subprocess.run(
        [BIN / "python", "-c", script, *playbook, "--limit", "sw-cdi", "-vv"],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"task path: {installed}/ansible_collections/lycee/openerp/roles/network_backup/" in done.stdout
    assert (school.archive / "devices/sw-cdi/running-config").exists()


def test_the_checkout_runs_by_name_too(school: Lab) -> None:
    run = school.playbook("lycee.openerp.backup_network", "--limit", "sw-cdi")
    assert run.status == 0, run.output


def test_check_of_the_whole_site_changes_nothing(school: Lab) -> None:
    run = school.playbook("playbooks/site.yml", "--check")
    assert run.status == 0, run.output
    assert not school.data.exists()


def test_raw_commands_work_on_a_device(school: Lab) -> None:
    done = subprocess.run(
        [
            BIN / "ansible",
            "-i",
            str(school.inventory),
            "sw-salle1",
            "-m",
            "ansible.builtin.raw",
            "-a",
            "show privilege",
        ],
        cwd=ROOT,
        env=school.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Current privilege level is 15" in done.stdout


def test_a_missing_program_is_named_with_the_command_to_type(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "tools/system_programs.sh"), "git", "a-program-that-nobody-has"],
        env={"PATH": os.environ["PATH"], "NO_INSTALL": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "lycee.openerp: missing system packages: a-program-that-nobody-has. "
        "Type: sudo apt-get install a-program-that-nobody-has"
    )


def test_nothing_is_installed_when_nothing_is_missing() -> None:
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "tools/system_programs.sh"), "git"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_example_inventory_is_complete(tmp_path: Path) -> None:
    """What an administrator copies gives every device what the connection needs; only the secrets are theirs."""
    done = subprocess.run(
        [BIN / "ansible-inventory", "-i", str(ROOT / "inventories/example/hosts.yml"), "--list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    hosts = json.loads(done.stdout)["_meta"]["hostvars"]
    assert hosts
    passwords = {"lycee.openerp.netmiko": "{{ vault_network_password }}", "winrm": "{{ vault_windows_password }}"}
    for variables in hosts.values():
        assert variables["ansible_password"] == passwords[variables["ansible_connection"]]
    assert {variables["ansible_connection"] for variables in hosts.values()} == set(passwords)
    example = (ROOT / "inventories/example/group_vars/all/vault.yml.example").read_text("utf-8")
    for name in re.findall(r"{{ (vault_\w+) }}", done.stdout):
        assert f"\n{name}: " in example
    assert "ansible_host_key_checking" not in str(hosts)


@pytest.mark.skipif(
    subprocess.run(["unshare", "-r", "-n", "true"], check=False, capture_output=True).returncode != 0,
    reason="this machine allows no user namespaces, which lab shell needs",
)
def test_the_example_inventory_comes_to_life_unchanged_in_a_lab_shell(tmp_path: Path) -> None:
    """Real addresses and the ports 22 and 23, as in production: the true rehearsal of an inventory."""
    script = (
        f"{BIN}/ansible-playbook -i inventories/example/hosts.yml playbooks/backup_network.yml "
        f"-e lycee_data_dir={tmp_path}/data -e ansible_netmiko_known_hosts_file={tmp_path}/known_hosts "
        "-e ansible_host_key_auto_add=true -e vault_network_password=p -e vault_network_enable_secret=s"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    # The lab reads the same secrets, which an example has not: a vars file of the test stands for its vault.
    inventory = tmp_path / "example"
    subprocess.run(["cp", "-r", str(ROOT / "inventories/example"), str(inventory)], check=True)
    (inventory / "group_vars/all/vault.yml").write_text(
        "---\nvault_network_password: p\nvault_network_enable_secret: s\nvault_windows_password: w\nvault_postgresql_password: q\n"
    )
    script = script.replace("inventories/example/hosts.yml", f"{inventory}/hosts.yml")
    done = subprocess.run(
        [str(BIN / "python"), "-m", "lab", "shell", "-i", f"{inventory}/hosts.yml", "--", "sh", "-c", script],
        cwd=ROOT,
        env={**environment, "PATH": f"{BIN}:{environment['PATH']}:/usr/sbin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "data/network/devices/rt-lycee/running-config").exists()
    assert (tmp_path / "data/network/devices/sw-cdi/running-config").exists()
