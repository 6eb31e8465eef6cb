"""What the actions on a pair of servers share: a session with each, and the leases of both.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ._action import Connections, LyceeAction, progress_of
from ._continuity import gates as gate_rules
from ._continuity.directory import WindowsDirectory
from ._continuity.errors import GateError, OptionError
from ._continuity.journal import Store
from ._continuity.loops import Loops
from ._continuity.pair import Pair
from ._continuity.switch import Outcome
from ._continuity.windows_server import ServerOptions, WindowsServer
from ._dfs.replication import FILE_FILTER
from ._windows.session import Session
from ._windows_action import open_session


class PairAction(LyceeAction):
    """An action on a pair of servers and their domain controller; it runs for any host."""

    JOB = ""

    def move(self, pair: Pair, arguments: dict[str, Any]) -> Outcome:
        """Do the work.

        Raises:
            LyceeError: in a sentence that names the thing and the cure.
        """
        raise NotImplementedError

    def perform(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Open the pair, hold the leases of both servers, do the work, and show the gates whatever becomes of it."""
        with self._pair(arguments, task_vars) as pair:
            try:
                outcome = self.move(pair, arguments)
            except GateError as error:
                for line in gate_rules.table(error.gates):
                    pair.progress(line)
                return {
                    "failed": True,
                    "msg": str(error),
                    "outcome": "gate closed",
                    "gates": gate_rules.as_result(error.gates),
                }
        if self.check_mode:
            for line in gate_rules.table(outcome.gates):
                pair.progress(line)
        return {
            "changed": outcome.word in ("moved", "dumps needed"),
            "outcome": outcome.word,
            "active": arguments["to"] if outcome.word in ("moved", "unchanged") else "",
            "msg": outcome.text,
            "from_dumps": outcome.word == "dumps needed",
            "gates": gate_rules.as_result(outcome.gates),
            "databases": outcome.proof.databases if outcome.proof is not None else {},
        }

    @contextlib.contextmanager
    def _pair(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> Iterator[Pair]:
        hosts = [one["host"] for one in arguments["servers"]]
        if len(set(hosts)) != 2 or len(hosts) != 2:
            raise OptionError(
                f"{arguments['pair']}: a pair has two servers, and {len(hosts)} are named; correct the list"
            )
        progress = progress_of(arguments["pair"])
        connections = Connections("winrm", task_vars["hostvars"], self._play_context, "the list of servers")

        def opener(host: str) -> Callable[[], Session]:
            connection = connections.of(host)
            return lambda: open_session(host, connection)

        openers = {host: opener(host) for host in (*hosts, arguments["domain_controller"])}

        with contextlib.ExitStack() as stack:
            # In one order, so that two runs never hold one each.
            steps = [stack.enter_context(self.lease(task_vars, self.JOB, host)) for host in sorted(hosts)]

            def step(text: str) -> None:
                for one in steps:
                    one(text)

            servers: dict[str, WindowsServer] = {}
            for one in arguments["servers"]:
                server = WindowsServer(_server_options(one, arguments), openers[one["host"]])
                stack.callback(server.close)
                servers[one["host"]] = server
            directory = WindowsDirectory(
                arguments["domain_controller"],
                openers[arguments["domain_controller"]],
                group=arguments["group"],
                folder=arguments["folder"],
                marker=arguments["marker"],
                file_filter=arguments.get("file_filter") or FILE_FILTER,
                directory_filter=arguments.get("directory_filter") or (),
            )
            stack.callback(directory.close)
            yield Pair(
                name=arguments["pair"],
                servers=dict(servers),
                directory=directory,
                waiting=Loops(
                    arguments["group"],
                    arguments["folder"],
                    arguments["poll_timeout"],
                    arguments["drain_timeout"],
                    arguments["replication_timeout"],
                    step,
                    progress,
                ),
                store=Store(Path(arguments["state_dir"]), arguments["pair"]),
                step=step,
                progress=progress,
                aside=arguments["aside_folder"],
                accept_loss=arguments.get("accept_loss", False),
                dumps=arguments.get("dumps", False),
            )


def _server_options(server: dict[str, Any], arguments: dict[str, Any]) -> ServerOptions:
    host = server["host"]
    return ServerOptions(
        host=host,
        name=server["name"] or host.upper(),
        group=arguments["group"],
        folder=arguments["folder"],
        disk=server["disk"],
        serial=server["disk_serial"] or "",
        aside=arguments["aside_folder"],
        timeout=arguments["timeout"],
        copy_timeout=arguments["copy_timeout"],
        openerp={
            **arguments,
            "database_host": server["database_host"] or "127.0.0.1",
            "openerp_host": server["openerp_host"] or None,
        },
    )
