# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an inventory as Ansible does: its configuration, its plugins, its templates, its vault.

``ansible-inventory --list`` neither renders templates nor decrypts inline vault values, so Ansible's own classes are
used, in a child process (``python -m lab.inventory``): they change process-wide state and print. The values come back
through a pipe, since secrets are among them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.linux.plan import VARIABLES as LINUX_VARIABLES
from lab.plan import VARIABLES, Plan, build_plan, kind_of
from lab.windows.plan import VARIABLES as WINDOWS_VARIABLES

_KIND = ("lab_kind", "ansible_connection", "ansible_network_os")
_NO_ANSIBLE = (
    "ansible-core is not installed for {python}; install it there ('pip install ansible-core asyncssh pyspnego')"
)
_NO_VAULT = (
    "the inventory has vaulted values and no vault password is known; set vault_password_file in ansible.cfg "
    "or ANSIBLE_VAULT_PASSWORD_FILE"
)


def resolve_sources(given: list[str] | None) -> list[str]:
    """The inventory sources as absolute paths: those given with ``-i``, else the ones that ansible.cfg names.

    Raises:
        LabError: a source does not exist, or ansible-core is missing.
    """
    sources = given
    if not sources:
        try:
            from ansible import constants
        except ImportError:
            raise LabError(_NO_ANSIBLE.format(python=sys.executable)) from None
        sources = [str(source) for source in constants.config.get_config_value("DEFAULT_HOST_LIST")]
    found = []
    for source in sources:
        if "," in source:
            found.append(source)
            continue
        if not Path(source).exists():
            hint = "check -i" if given else "name one with -i, or run in the folder whose ansible.cfg does"
            raise LabError(f"the inventory {source} does not exist; {hint}")
        found.append(str(Path(source).resolve()))
    return found


def read_plan(sources: list[str]) -> Plan:
    """Read what is to be played. Raises LabError with one sentence for whatever is wrong with the inventory."""
    environment = dict(os.environ, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1", ANSIBLE_NOCOLOR="1")
    root = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH", "")]))
    child = subprocess.run(
        [sys.executable, "-m", "lab.inventory", *sources],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        last = child.stderr.decode(errors="replace").strip().splitlines()
        raise LabError(f"ansible could not read the inventory: {last[-1] if last else 'no answer'}") from None
    if "error" in answer:
        raise LabError(str(answer["error"]))
    return build_plan(" ".join(sources), answer["hosts"])


def _plain(value: Any) -> Any:
    """Ansible's tagged values as plain ones."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "no vault secrets" in text.lower() or "vault secret" in text.lower():
        return _NO_VAULT if "no vault secrets" in text.lower() else f"the vault password does not fit: {text}"
    return text


def _host_variables(host: Any, variables: dict[str, Any], templar: Any) -> dict[str, Any]:
    """The lab's variables of one host, rendered; of a host that is not played only those that tell its kind."""
    found: dict[str, Any] = {}

    def render(names: tuple[str, ...]) -> None:
        for name in names:
            if name in variables and name not in found:
                try:
                    found[name] = _plain(templar.template(variables[name]))
                except Exception as error:  # Ansible raises many kinds; each is about this host's variable
                    raise LabError(f"host {host}: {name}: {_sentence(error)}") from None

    render(_KIND)
    kind = found.get("lab_kind")
    network_os = str(found.get("ansible_network_os") or "")
    connection = str(found.get("ansible_connection"))
    if kind == "ios" or (
        kind is None and (network_os.endswith("ios") or connection.endswith(("netmiko", "network_cli")))
    ):
        render(VARIABLES)
    elif kind_of(found) == "windows":
        render(WINDOWS_VARIABLES)
    elif kind == "linux":
        render(LINUX_VARIABLES)
    return found


def _collect(sources: list[str]) -> dict[str, dict[str, Any]]:
    """All the hosts with their variables, in the order of the inventory."""
    from ansible import constants
    from ansible.cli import CLI
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar
    from ansible.vars.hostvars import HostVars
    from ansible.vars.manager import VariableManager

    loader = DataLoader()
    loader.set_basedir(str(Path.cwd()))
    identities = list(constants.config.get_config_value("DEFAULT_VAULT_IDENTITY_LIST"))
    loader.set_vault_secrets(CLI.setup_vault_secrets(loader, vault_ids=identities, auto_prompt=False))
    inventory = InventoryManager(loader=loader, sources=sources)
    manager = VariableManager(loader=loader, inventory=inventory)
    HostVars(inventory, manager, loader)  # makes itself known to the manager, for hostvars[...] in templates
    hosts = {}
    for host in inventory.get_hosts("all"):
        variables = manager.get_vars(host=host)
        hosts[str(host.name)] = _host_variables(host.name, variables, Templar(loader=loader, variables=variables))
    return hosts


def main(sources: list[str]) -> None:
    """The child: one JSON object on standard output, whatever Ansible prints on standard error."""
    answer_to = os.dup(1)
    os.dup2(2, 1)
    answer: dict[str, Any]
    try:
        answer = {"hosts": _collect(sources)}
    except LabError as error:
        answer = {"error": error.sentence}
    except ImportError:
        answer = {"error": _NO_ANSIBLE.format(python=sys.executable)}
    except Exception as error:  # whatever Ansible or an inventory plugin raises becomes one sentence
        answer = {"error": f"the inventory cannot be read: {_sentence(error)}"}
    with os.fdopen(answer_to, "w") as stream:
        json.dump(answer, stream)


if __name__ == "__main__":
    main(sys.argv[1:])
