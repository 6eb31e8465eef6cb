"""What all actions of the collection share: arguments checked against the documentation, errors in one place.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import yaml
from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display

from ._errors import LyceeError
from ._lease import lease
from ._pool import run_pool
from ._values import plain

display = Display()

_KEYS = ("type", "required", "default", "choices", "elements")


def argument_spec(*documentation: str) -> dict[str, Any]:
    """Return the argument spec that a module's DOCUMENTATION describes, so that the two cannot disagree.

    Args:
        documentation: the YAML text of a module's ``DOCUMENTATION``, and of each fragment with options that it extends.
    """
    return {name: one for text in documentation for name, one in _spec(yaml.safe_load(text)["options"]).items()}


def _spec(options: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    for name, option in options.items():
        spec[name] = {key: option[key] for key in _KEYS if key in option}
        # Documentation has no word for it, so the name decides.
        if "password" in name and not name.startswith("update_"):
            spec[name]["no_log"] = True
        if "suboptions" in option:
            spec[name]["options"] = _spec(option["suboptions"])
    return spec


class Connections:
    """Builds the connection of any host of the inventory from the host's own variables, for a task that works on many.

    Templates are rendered under a lock: the threads of a pool share one templar.
    """

    def __init__(self, plugin: str, hostvars: Any, play_context: Any, source: str = "the list of hosts") -> None:
        """Prepare.

        Args:
            plugin: name of the connection plugin.
            hostvars: variables of all hosts.
            play_context: of the task.
            source: where the names of the hosts come from, for the sentence about one that is not there.
        """
        self._plugin, self._hostvars, self._play_context = plugin, hostvars, play_context
        self._source = source
        self._lock = threading.Lock()

    def of(self, host: str) -> Any:
        """Return the connection of ``host`` with its options set; nothing is opened.

        Raises:
            LyceeError: there is no such host, or its variables cannot be read.
        """
        with self._lock:
            # Asked first: an unknown host raises no KeyError in every ansible-core.
            if host not in self._hostvars:
                raise LyceeError(f"{host}: no such host in the inventory; correct {self._source}")
            variables = self._hostvars[host]
            name = str(variables.get("ansible_connection", ""))
            if name.rpartition(".")[2] != self._plugin.rpartition(".")[2]:
                raise LyceeError(
                    f"{host}: this needs ansible_connection: {self._plugin}, and the connection is '{name or 'ssh'}'"
                )
            connection = connection_loader.get(self._plugin, self._play_context)
            names = constants.config.get_plugin_vars("connection", connection._load_name)
            try:
                options = {name: variables[name] for name in names if name in variables}
                # As Ansible's own executor does for plugins that take further variables (winrm).
                if getattr(connection, "allow_extras", False):
                    prefix = f"ansible_{connection.extras_prefix}_"
                    more = [name for name in variables if name.startswith(prefix) and name not in options]
                    options["_extras"] = {name: variables[name] for name in more}
                connection.set_options(var_options=options)
            except Exception as error:  # templates and vaults of one host may fail in any way; the others go on
                text = " ".join(str(error).split())[:200]
                raise LyceeError(f"{host}: its variables cannot be read: {text}") from None
        return connection


def batch(
    hosts: list[str], work: Callable[[str], dict[str, Any]], *, workers: int, processes: int, noun: str
) -> dict[str, Any]:
    """Work on many hosts from one task and return its result: every host's own, and a failure that names those that failed.

    Args:
        hosts: inventory names; one that comes again is worked on once.
        work: returns the result of one host; an error of the library becomes a failed one.
        workers: how many at once.
        processes: over how many processes; the number of cores when 0.
        noun: what the hosts are, in the plural, for the sentence.
    """
    hosts = list(dict.fromkeys(hosts))

    def one(host: str) -> dict[str, Any]:
        try:
            return {"host": host, **work(host)}
        except LyceeError as error:
            return {"host": host, "changed": False, "failed": True, "unreachable": error.unreachable, "msg": str(error)}

    count = 0

    def progress(result: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        state = "failed" if result.get("failed") else "changed" if result["changed"] else "unchanged"
        display.display(f"[{count}/{len(hosts)}] {result['host']}: {state}")

    results = run_pool(hosts, one, workers=workers, processes=processes or os.cpu_count() or 1, progress=progress)
    failed = [result for result in results if result.get("failed")]
    answer: dict[str, Any] = {
        "changed": any(result["changed"] for result in results),
        "results_by_host": {result["host"]: {k: v for k, v in result.items() if k != "diff"} for result in results},
        "failed_hosts": [result["host"] for result in failed],
        "diff": [part for result in results for part in result.get("diff", [])],
        "warnings": [text for result in results for text in result.get("warnings", [])],
    }
    if failed:
        others = ", the others are done" if len(failed) < len(hosts) else ""
        sentences = " | ".join(result["msg"] for result in failed)
        answer |= {"failed": True, "msg": f"{len(failed)} of {len(hosts)} {noun} failed{others}. {sentences}"}
    return answer


def progress_of(host: str) -> Callable[[str], None]:
    """Return the function that shows what is being done for a host."""

    def progress(text: str) -> None:
        display.display(f"{host}: {text}")

    return progress


class LyceeAction(ActionBase):
    """An action that says in ``SPEC`` what it takes and does its work in ``perform``."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False
    SPEC: ClassVar[dict[str, Any]] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments, perform, and turn an error of the library into a failed result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=self.SPEC)
        try:
            result.update(self.perform(plain(arguments), task_vars or {}))
        except LyceeError as error:
            result["msg"] = str(error)
            result["unreachable" if error.unreachable else "failed"] = True
        return result

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Do the work and return the fields of the result.

        Raises:
            LyceeError: in a sentence that names the thing and the cure.
        """
        raise NotImplementedError

    @property
    def check_mode(self) -> bool:
        """Return whether the task may change nothing."""
        return bool(self._task.check_mode)

    @property
    def diff_mode(self) -> bool:
        """Return whether the task shows differences."""
        return bool(self._task.diff)

    def lease(
        self, task_vars: dict[str, Any], job: str, host: str | None = None
    ) -> AbstractContextManager[Callable[[str], None]]:
        """Return the lease of the task's host (or of ``host``), to be held while it is changed; check mode needs none.

        Raises:
            LeaseError: another job holds it.
        """
        if self.check_mode:
            return contextlib.nullcontext(lambda name: None)
        folder = task_vars.get("lycee_data_dir")
        # Without a folder of the inventory, one of the user's: it keeps two of his own jobs apart.
        root = (
            Path(str(self._templar.template(folder))) if folder else Path("~/.local/share/lycee.openerp").expanduser()
        )
        return lease(root / "leases", host or str(task_vars["inventory_hostname"]), job)
