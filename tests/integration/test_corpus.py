# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real configurations go through lab, Netmiko and archive, and come back byte for byte (data: IOS_CORPUS)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.archive import Archive
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.backup import BackupOptions, backup
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.git import Repository
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.options import DeviceOptions
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.secrets import masker
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.session import Session

from tests.labs import Lab

pytestmark = pytest.mark.corpus
#: Not configurations but what a bad fetch made of one: cut in the middle, and mixed with the pager.
REFUSED = {"truncated_no_end.cfg": "does not end with 'end'", "pager_artefacts.txt": "mixed with the pager"}
RUNNING = BackupOptions(captures=("running-config",))


def configurations(corpus: Path) -> list[Path]:
    """Return every configuration of the corpus."""
    files = [
        *corpus.glob("running/*"),
        *corpus.glob("startup/*"),
        *corpus.glob("derived/*"),
        *corpus.glob("history/*/*"),
    ]
    assert len(files) > 40
    return sorted(files)


def as_sent(path: Path) -> bytes:
    """Return a file with CRLF as LF, ending in one line end, as a device sends it."""
    return path.read_bytes().replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"


@pytest.fixture(scope="module", params=["verbatim", "auto"])
def farm(
    request: pytest.FixtureRequest,
    corpus: Path,
    lab_networks: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[Path, DeviceOptions]]:
    """Play each configuration as a device; ``auto`` adds the header of IOS where the file has none."""
    folder = tmp_path_factory.mktemp("corpus")
    network = lab_networks()
    hosts: dict[str, Any] = {}
    devices: dict[Path, DeviceOptions] = {}
    for number, path in enumerate(configurations(corpus)):
        name, address = f"d{number:02d}", f"{network}.{number + 1}"
        # A password in clear text is the one that the device takes; of a hash nobody knows the password but the inventory.
        clear = re.search(rb"^enable password (?:0 )?(\S+)$", path.read_bytes().replace(b"\r", b""), re.M)
        secret = clear[1].decode("ascii") if clear else "s"
        hosts[name] = {
            "ansible_host": address,
            "ansible_port": 10022,
            "ansible_user": "u",
            "ansible_password": "p",
            "ansible_become_password": secret,
            "lab_kind": "ios",
            "lab_running_config": str(path),
            "lab_config_header": request.param,
        }
        devices[path] = DeviceOptions(
            name=name, host=address, port=10022, user="u", password="p", enable_secret=secret, host_key_checking=False,
            read_timeout=20, settle_time=0.3,
        )  # fmt: skip
    inventory = folder / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), "utf-8")
    with Lab(inventory):
        yield devices


def test_every_configuration_comes_back_byte_for_byte(farm: dict[Path, DeviceOptions], tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    wrong = {}
    for path, options in farm.items():
        if path.name in REFUSED:
            continue
        result = backup(options.name, lambda options=options: Session(options), archive, RUNNING)
        saved = archive.read(options.name, "running-config")
        given = as_sent(path)
        if saved is None or (
            saved != given and not (saved.startswith(b"Building configuration...") and saved.endswith(given))
        ):
            wrong[path.name] = result.get("msg", "differs")
    assert wrong == {}
    archive.prepare()
    assert len(Repository(archive).commit().devices) == len(farm) - len(REFUSED)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_a_bad_fetch_made_is_refused(farm: dict[Path, DeviceOptions], name: str, tmp_path: Path) -> None:
    (options,) = (options for path, options in farm.items() if path.name == name)
    archive = Archive(tmp_path / "archive")
    result = backup(options.name, lambda: Session(options), archive, RUNNING)
    assert result["failed"] is True
    assert REFUSED[name] in result["msg"] or "pages its answer" in result["msg"]
    assert archive.hosts() == []


def test_the_history_of_one_switch_makes_one_commit_per_real_change(
    farm: dict[Path, DeviceOptions], tmp_path: Path
) -> None:
    """Each of the 18 states differs from the one before in a line that is not volatile, as ``diff`` shows."""
    archive = Archive(tmp_path / "archive")
    steps = sorted(path for path in farm if path.parent.parent.name == "history")
    assert len(steps) == 18
    commits = []
    for path in steps:
        for _again in range(2):
            backup("sw1", lambda options=farm[path]: Session(options), archive, RUNNING)
            commits.append(Repository(archive).commit().sha)
    made = [sha for sha in commits if sha]
    assert len(set(made)) == len(made) == 18
    assert commits[1::2] == [""] * 18


def test_no_hash_or_community_of_the_corpus_survives_the_mask(corpus: Path) -> None:
    mask = masker(b"k" * 32)
    for path in configurations(corpus):
        text = path.read_bytes().decode("latin-1").replace("\r", "")
        masked = mask(text)
        for line in text.split("\n"):
            words = line.split()
            for lead in (
                ["snmp-server", "community"],
                ["enable", "secret"],
                ["enable", "password"],
                ["password", "7"],
                ["key", "7"],
            ):
                if words[: len(lead)] == lead and len(words) > len(lead):
                    secret = words[3] if words[2] in ("0", "5", "7", "8", "9") and len(words) > 3 else words[len(lead)]
                    if len(secret) > 7:
                        assert secret not in masked, f"{path.name}: {line[:20]}..."
