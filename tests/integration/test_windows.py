# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows hosts without PowerShell: the playbooks and modules against the lab, on a French and on an English server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.errors import DeadlineError, SessionError
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.options import WinrmOptions
from ansible_collections.lycee.openerp.plugins.plugin_utils._windows.session import Session

from tests.labs import BIN, ROOT, Lab, Run

FIX = "playbooks/fix_postgres_service_account.yml"
FRENCH, ENGLISH = "srv-openerp1", "srv-openerp2"
PG = "PostgreSQL_For_OpenERP"
DATA = "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\data"


def play(
    school: Lab, folder: Path, tasks: list[dict[str, Any]], *arguments: str, hosts: str = "openerp_servers"
) -> Run:
    """Run tasks as a playbook of an administrator's own."""
    playbook = folder / "own.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": hosts, "gather_facts": False, "tasks": tasks}]), "utf-8")
    return school.playbook(str(playbook), *arguments)


def facts(school: Lab, folder: Path, gather: list[str]) -> dict[str, dict[str, Any]]:
    """Return what windows_info says of each server."""
    tasks = [
        {"lycee.openerp.windows_info": {"gather": gather}, "register": "found"},
        {
            "ansible.builtin.copy": {
                "content": "{{ found | to_json }}",
                "dest": f"{folder}/{{{{ inventory_hostname }}}}.json",
            },
            "delegate_to": "localhost",
            "connection": "local",
            "vars": {"ansible_connection": "local"},
        },
    ]
    run = play(school, folder, tasks)
    assert run.status == 0, run.output
    return {host: json.loads((folder / f"{host}.json").read_text("utf-8")) for host in (FRENCH, ENGLISH)}


def test_a_french_and_an_english_server_give_the_same_facts(school: Lab, tmp_path: Path) -> None:
    found = facts(school, tmp_path, ["system", "disks", "services", "tools", "probe"])
    french, english = found[FRENCH], found[ENGLISH]
    assert (french["system"].pop("language"), english["system"].pop("language")) == ("fr", "en")
    for one in (french, english):
        for name in ("language_id", "computer_name", "last_boot"):
            assert one["system"].pop(name)
        for entry in one["services"]:
            entry.pop("process_id")
            entry.pop("display_name")
            # One of the two has the image path of early pg_ctl, without quotes.
            entry.pop("path")
    assert french["system"]["version"] == "6.0.6002"
    assert french["system"]["bitness"] == 32
    assert french["system"]["shell_code_page"] == 850
    assert french == english


def as_installed(school: Lab, folder: Path, hosts: str = "openerp_servers") -> None:
    """Bring PostgreSQL to the account of OpenERP's installer, running."""
    tasks: list[dict[str, Any]] = [
        {"lycee.openerp.windows_acl": {"path": DATA, "recurse": True, "entries": [{"account": ".\\openpgsvc"}]}},
        {
            "lycee.openerp.windows_service": {
                "name": PG,
                "account": ".\\openpgsvc",
                "password": "0p3npgsvcPWD",
                "state": "started",
            }
        },
        {"lycee.openerp.windows_service": {"name": "openerp-server-6.0", "state": "started"}},
        {"lycee.openerp.windows_service": {"name": "openerp-web-6.0", "state": "started"}},
    ]
    run = play(school, folder, tasks, hosts=hosts)
    assert run.status == 0, run.output


def states(school: Lab, folder: Path) -> dict[str, tuple[str, str]]:
    """Return state and account of the three services of the French server."""
    found = facts(school, folder, ["services"])[FRENCH]["services"]
    return {
        one["name"]: (one["state"], one["account"]) for one in found if one["name"] == PG or "openerp" in one["name"]
    }


def test_the_fix_gives_the_account_proves_a_query_and_changes_nothing_the_second_time(
    school: Lab, tmp_path: Path
) -> None:
    as_installed(school, tmp_path)
    first = school.playbook(FIX, "--diff")
    assert first.status == 0, first.output
    assert first.changed == [FRENCH, ENGLISH]
    assert "+    account: LocalSystem" in first.output
    second = school.playbook(FIX)
    assert second.status == 0, second.output
    assert second.changed == []
    assert "Base-De-Donnees-2026" not in first.output + second.output


def test_the_story_of_the_source_document(school: Lab) -> None:
    run = school.playbook("rehearsals/postgres_service_account.yml")
    assert run.status == 0, run.output
    assert set(run.recap) - {"localhost"} == {FRENCH, ENGLISH}
    assert "run PostgreSQL_For_OpenERP as LocalSystem" in run.output


def test_check_mode_of_the_fix_does_nothing(school: Lab, tmp_path: Path) -> None:
    school.playbook(FIX)
    tasks = [
        {"lycee.openerp.windows_service": {"name": "PostgreSQL_For_OpenERP", "account": ".\\openpgsvc", "password": "0p3npgsvcPWD", "state": "stopped"}},
    ]  # fmt: skip
    assert play(school, tmp_path, tasks, hosts=FRENCH).status == 0
    before = facts(school, tmp_path, ["services"])
    run = school.playbook(FIX, "--check", "--diff", "--limit", FRENCH)
    assert run.status == 0, run.output
    assert run.changed == [FRENCH]
    assert facts(school, tmp_path, ["services"]) == before
    assert school.playbook(FIX).status == 0


def test_a_start_that_hangs_puts_the_former_account_back(school: Lab, tmp_path: Path) -> None:
    as_installed(school, tmp_path, FRENCH)
    school.fault(FRENCH, "hang_start", PG)
    run = school.playbook(FIX, "--limit", FRENCH, "-e", "postgres_service_account_timeout=3")
    assert run.status != 0
    assert f"{PG} is still 'Start Pending' after 3 s" in run.text
    assert "Traceback" not in run.output
    school.fault(FRENCH, "clear")
    assert states(school, tmp_path)[PG][1] == ".\\openpgsvc"
    assert school.playbook(FIX).status == 0
    assert {state for state, _account in states(school, tmp_path).values()} == {"Running"}


def test_a_server_that_is_off_does_not_keep_the_other_from_the_fix(school: Lab, tmp_path: Path) -> None:
    as_installed(school, tmp_path)
    school.fault(FRENCH, "off")
    run = school.playbook(FIX)
    assert run.status != 0
    assert run.changed == [ENGLISH]


def test_a_wrong_database_password_stops_nothing(school: Lab, tmp_path: Path) -> None:
    as_installed(school, tmp_path, FRENCH)
    before = facts(school, tmp_path, ["services"])[FRENCH]
    run = school.playbook(FIX, "--limit", FRENCH, "-e", "postgres_service_account_database_password=wrong")
    assert run.status != 0
    assert "does not answer a query even now, so nothing was changed" in run.text
    assert facts(school, tmp_path, ["services"])[FRENCH] == before


def test_a_connection_that_broke_is_not_used_again(school: Lab) -> None:
    (row,) = (one for one in school.status() if one["host"] == FRENCH)
    options = WinrmOptions(
        FRENCH,
        f"http://{row['address']}:5985/wsman",
        "ntlm",
        "Administrateur",
        "Administrer-2026",
        {"message_encryption": "always"},
    )
    with Session(options) as session:
        assert session.run(["C:\\Windows\\System32\\hostname.exe"]).text == "SRV-OPENERP1\n"
        school.fault(FRENCH, "cut", "200")
        with pytest.raises(SessionError, match="broke during"):
            session.query("SELECT Name FROM Win32_ComputerSystem")
        school.fault(FRENCH, "clear")
        assert session.query("SELECT Name FROM Win32_ComputerSystem") == [{"Name": "SRV-OPENERP1"}]
        assert session.run(["C:\\Windows\\System32\\hostname.exe"]).text == "SRV-OPENERP1\n"
        with pytest.raises(DeadlineError, match="did not end in 1 s"):
            session.run(["C:\\Windows\\System32\\ping.exe", "-n", "30", "127.0.0.1"], timeout=1)
        assert session.run(["C:\\Windows\\System32\\hostname.exe"]).text == "SRV-OPENERP1\n"


def test_files_keep_accents_backups_and_bytes(school: Lab, tmp_path: Path) -> None:
    dest = "C:\\Program Files\\OpenERP 6.0\\essai & fils (1).cfg"
    file = {"dest": dest, "content": "clé = élève\nfin\n", "encoding": "cp1252"}
    first = play(school, tmp_path, [{"lycee.openerp.windows_file": file}], "--diff")
    assert first.status == 0, first.output
    assert first.changed == [FRENCH, ENGLISH]
    assert "+clé = élève" in first.output
    assert play(school, tmp_path, [{"lycee.openerp.windows_file": file}]).changed == []
    other = {**file, "content": "clé = autre\n", "backup": True}
    again = play(
        school,
        tmp_path,
        [{"lycee.openerp.windows_file": other, "register": "x"}, {"ansible.builtin.debug": {"var": "x.backup_file"}}],
    )
    assert again.changed == [FRENCH, ENGLISH]
    assert f"{dest}.20" in again.output
    blob = tmp_path / "blob"
    blob.write_bytes(bytes(range(256)) * 700)
    binary = {"dest": "C:\\Windows\\Temp\\blob.bin", "src": str(blob)}
    assert play(school, tmp_path, [{"lycee.openerp.windows_file": binary}]).changed == [FRENCH, ENGLISH]
    assert play(school, tmp_path, [{"lycee.openerp.windows_file": binary}]).changed == []
    gone = {"dest": dest, "state": "absent"}
    assert play(school, tmp_path, [{"lycee.openerp.windows_file": gone}]).changed == [FRENCH, ENGLISH]
    assert play(school, tmp_path, [{"lycee.openerp.windows_file": gone}]).changed == []


def test_rights_are_granted_by_sid_read_back_and_revoked(school: Lab, tmp_path: Path) -> None:
    path = "C:\\Program Files\\OpenERP 6.0\\PostgreSQL\\bin"
    wanted = {"path": path, "recurse": True, "entries": [{"account": "NetworkService", "rights": "RX"}]}
    assert play(school, tmp_path, [{"lycee.openerp.windows_acl": wanted}], "--check").changed == [FRENCH, ENGLISH]
    assert play(school, tmp_path, [{"lycee.openerp.windows_acl": wanted}]).changed == [FRENCH, ENGLISH]
    assert play(school, tmp_path, [{"lycee.openerp.windows_acl": wanted}]).changed == []
    absent = {**wanted, "entries": [{"account": "S-1-5-20", "state": "absent"}]}
    assert play(school, tmp_path, [{"lycee.openerp.windows_acl": absent}]).changed == [FRENCH, ENGLISH]
    assert play(school, tmp_path, [{"lycee.openerp.windows_acl": absent}]).changed == []


def test_the_owner_is_set_by_sid_and_read_back(school: Lab, tmp_path: Path) -> None:
    wanted = {"path": "C:\\Program Files\\OpenERP 6.0\\PostgreSQL", "owner": "LocalSystem"}
    assert play(school, tmp_path, [{"lycee.openerp.windows_acl": wanted}], "--check").changed == [FRENCH, ENGLISH]
    assert play(school, tmp_path, [{"lycee.openerp.windows_acl": wanted}]).changed == [FRENCH, ENGLISH]
    assert play(school, tmp_path, [{"lycee.openerp.windows_acl": wanted}]).changed == []


def test_operations_that_time_out_are_asked_again_and_a_shell_that_vanishes_is_told(
    school: Lab, tmp_path: Path
) -> None:
    command = [{"lycee.openerp.windows_command": {"argv": ["C:\\Windows\\System32\\hostname.exe"]}}]
    school.fault(FRENCH, "operation_timeout", "2")
    assert play(school, tmp_path, command, hosts=FRENCH).status == 0
    school.fault(FRENCH, "clear")
    school.fault(FRENCH, "drop_shell")
    run = play(school, tmp_path, command, hosts=FRENCH)
    assert run.status != 0
    assert f"{FRENCH}: " in run.text
    assert "Traceback" not in run.output


def test_https_with_a_certificate_that_is_not_checked(lab_networks: Callable[[], str], tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yml"
    variables = {
        "ansible_connection": "winrm", "ansible_port": 5986, "ansible_winrm_scheme": "https", "ansible_winrm_transport": "ntlm",
        "ansible_user": "Administrateur", "ansible_password": "p", "lab_kind": "windows", "lab_windows_version": "10.0.20348",
        "ansible_host": f"{lab_networks()}.9",
    }  # fmt: skip
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"srv": variables}}}), "utf-8")
    with Lab(inventory) as other:
        task: list[dict[str, Any]] = [{"lycee.openerp.windows_info": {}}]
        refused = play(other, tmp_path, task, hosts="all")
        assert "has a certificate or a TLS version that is not accepted" in refused.text
        accepted = play(other, tmp_path, task, "-e", "ansible_winrm_server_cert_validation=ignore", hosts="all")
        assert accepted.status == 0, accepted.output


def test_a_service_is_managed_and_passes_through_its_states(school: Lab, tmp_path: Path) -> None:
    wanted = {"name": "openerp-web-6.0", "state": "stopped", "start_mode": "manual"}
    assert play(school, tmp_path, [{"lycee.openerp.windows_service": wanted}]).changed == [FRENCH, ENGLISH]
    assert play(school, tmp_path, [{"lycee.openerp.windows_service": wanted}]).changed == []
    back = {
        "name": "openerp-web-6.0",
        "state": "started",
        "start_mode": "auto",
        "recovery": {"reset": 3600, "actions": [{"type": "restart", "delay": 60000}, {"type": "none", "delay": 0}]},
    }
    first = play(school, tmp_path, [{"lycee.openerp.windows_service": back}])
    assert first.status == 0, first.output
    assert first.changed == [FRENCH, ENGLISH]
    assert play(school, tmp_path, [{"lycee.openerp.windows_service": back}]).changed == []


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (("wrong_password",), "refused the user 'Administrateur' or the password"),
        (("off",), "cannot be reached; is WinRM enabled (winrm quickconfig)"),
        (("cut", "200"), "broke during"),
        (("quota", "shells"), "allows no more shells or operations"),
        (("hang_stop", "openerp-web-6.0"), "still 'Stop Pending' after 2 s"),
    ],
)
def test_each_fault_gives_its_sentence_and_the_other_server_goes_on(
    school: Lab, tmp_path: Path, fault: tuple[str, ...], sentence: str
) -> None:
    tasks: list[dict[str, Any]] = [
        {"lycee.openerp.windows_service": {"name": "openerp-web-6.0", "state": "restarted", "timeout": 2}},
        {"lycee.openerp.windows_file": {"dest": "C:\\Windows\\Temp\\x.txt", "content": "x"}},
    ]
    school.fault(FRENCH, *fault)
    run = play(school, tmp_path, tasks)
    assert run.status != 0
    assert sentence in run.text, run.output
    assert run.recap[ENGLISH]["failed"] == run.recap[ENGLISH]["unreachable"] == 0
    assert "Traceback" not in run.output
    assert "Administrer-2026" not in run.output


def test_an_exit_code_that_is_lost_is_not_believed(school: Lab, tmp_path: Path) -> None:
    school.fault(FRENCH, "exit_code_lost")
    wanted = {"path": DATA, "entries": [{"account": "NetworkService", "rights": "R"}]}
    run = play(school, tmp_path, [{"lycee.openerp.windows_acl": wanted}], hosts=FRENCH)
    assert run.status == 0, run.output
    found = facts_of_probe(school, tmp_path)
    assert found["exit_code_of_silent_command"] is False


def facts_of_probe(school: Lab, folder: Path) -> dict[str, Any]:
    """Return the probe of the French server."""
    return dict(facts(school, folder, ["probe"])[FRENCH]["probe"])


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ("ansible_winrm_transport=basic", "Basic over plain HTTP would send the password readable"),
        ("ansible_winrm_transport=plaintext", "Basic over plain HTTP would send the password readable"),
        ("ansible_winrm_message_encryption=never", "may not be 'never' over HTTP"),
        ("ansible_password=wrong", "refused the user 'Administrateur' or the password"),
        ("ansible_port=5999", "cannot be reached"),
        ("ansible_connection=ssh", "this needs ansible_connection: winrm"),
        ("postgres_service_account_service=nosuch", "no PostgreSQL service 'nosuch' is on this host"),
        ("postgres_service_account_account=Administrator", "value of postgres_service_account_account must be one of"),
    ],
)
def test_bad_input_gets_one_sentence(school: Lab, variables: str, sentence: str) -> None:
    run = school.playbook(FIX, "--limit", FRENCH, "-e", variables)
    assert run.status != 0
    assert sentence in run.text, run.output
    assert "Traceback" not in run.output
    assert school.playbook(FIX, "--limit", FRENCH).status == 0


def test_a_second_job_on_a_server_is_told_who_works_there(school: Lab, tmp_path: Path) -> None:
    running = [{"lycee.openerp.windows_service": {"name": "openerp-web-6.0", "state": "started"}}]
    assert play(school, tmp_path, running, hosts=FRENCH).status == 0
    school.fault(FRENCH, "hang_stop", "openerp-web-6.0")
    tasks = [{"lycee.openerp.windows_service": {"name": "openerp-web-6.0", "state": "restarted", "timeout": 8}}]
    playbook = tmp_path / "first.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": FRENCH, "gather_facts": False, "tasks": tasks}]), "utf-8")
    command = [
        str(BIN / "ansible-playbook"),
        "-i",
        str(school.inventory),
        "-e",
        f"lycee_data_dir={school.data}",
        str(playbook),
    ]
    lease = school.data / "leases" / f"{FRENCH}.lease"
    before = lease.read_bytes()
    with subprocess.Popen(
        command, cwd=ROOT, env=school.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as first:
        while first.poll() is None and lease.read_bytes() == before:
            pass
        run = play(school, tmp_path, tasks, hosts=FRENCH)
        first.wait()
    assert "the job 'windows_service openerp-web-6.0' (process " in run.text
    assert "works on this server" in run.text


def test_a_program_gets_its_arguments_and_its_code_counts(school: Lab, tmp_path: Path) -> None:
    sc = "C:\\Windows\\System32\\sc.exe"
    good = {"argv": [sc, "queryex", "openerp-web-6.0"]}
    run = play(school, tmp_path, [{"lycee.openerp.windows_command": good, "changed_when": False}])
    assert run.status == 0, run.output
    bad = play(school, tmp_path, [{"lycee.openerp.windows_command": {"argv": [sc, "queryex", "no such & thing"]}}])
    assert bad.status != 0
    assert "sc.exe ended with 1060" in bad.text
    refused = play(school, tmp_path, [{"lycee.openerp.windows_command": {"argv": ["sc.exe", "query"]}}])
    assert "is not named by its full path" in refused.text
