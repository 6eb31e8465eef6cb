# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of openerp-server.exe: its settings, its log, its connections and what it has loaded.

Sources: bin/openerp-server.py of 6.0.4 (the order of what is said and done), facts/openerp.md A2, A3 and A6.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from lab.windows.files import WindowsPathError
from lab.windows.openerp import files, options
from lab.windows.openerp.configparser2 import PythonError
from lab.windows.openerp.loading import Loader
from lab.windows.openerp.log import Log, traceback
from lab.windows.openerp.options import CommandLine, Exit, Settings
from lab.windows.openerp.pgwire import DatabaseError, Target, identifier
from lab.windows.openerp.pool import Pool
from lab.windows.openerp.updates import hooks

if TYPE_CHECKING:
    from lab.windows.host import Host

_MAIN = "openerp-server.py"
_FORBIDDEN = ("Connecting to the database as 'postgres' user is forbidden, as it present major security issues. "
              "Shutting down.")  # fmt: skip
INCOMPLETE = 2


class Server:
    """A server process.

    Args:
        folder: where openerp-server.exe lies. argv: its arguments, one character per byte. write, write_error: its streams.
        user: whose process it is. Raises Exit when the program ends before it has done anything.
    """

    def __init__(self, host: Host, folder: str, argv: list[str], cwd: str, user: str,
                 write: Callable[[bytes], None], write_error: Callable[[bytes], None]) -> None:  # fmt: skip
        self.host, self.folder, self.cwd, self.user = host, folder, cwd, user
        self._write, self._write_error = write, write_error
        version = files.version_of(host.drive, files.SERVER, folder)
        if version is None:
            raise Exit(INCOMPLETE)
        self.version = version
        try:
            self.line = options.read_arguments(argv, files.PROGRAMS[files.SERVER], version)
            self.settings = self._configured(self.line)
        except PythonError as error:
            self._die([("openerp-server.py", 58, "<module>"), ("tools\\config.pyo", 244, "__init__")], str(error))
        level = str(self.settings.values["log_level"])
        logfile = self.settings.text("logfile")
        path = self._path(logfile) if logfile else ""
        self.log = Log(host.drive, path, write, options.LOG_LEVELS.get(level) or int(level))
        self.pool = Pool(self._target, self.log, self._number("db_maxconn"))
        self.loader = Loader(host.drive, self.log, self.pool, version, self.settings.text("addons_path"), hooks(host))

    def _path(self, text: str) -> str:
        try:
            return self.host.drive.absolute(text, self.cwd)
        except WindowsPathError:
            return ""

    def _number(self, name: str) -> int:
        try:
            return self.settings.port(name)
        except PythonError:
            return 64

    def _die(self, frames: list[tuple[str, int, str]], error: str, code: int = 1) -> NoReturn:
        """An exception that nobody catches: traceback on standard error, exit code 1."""
        raise Exit(code, error=traceback(frames, error))

    def _configured(self, line: CommandLine) -> Settings:
        rcfile = f"{self.folder}\\{options.CONF}"
        given = line.get("config")
        if given:
            rcfile = self._path(str(given)) or str(given)
        # Without -s a file that is named must be there; one that cannot be opened is passed over in silence.
        if given and not line.get("save") and self.host.drive.find(rcfile) is None:
            raise Exit(1, out=f"The config file '{given}' selected with -c/--config doesn't exist, use -s/--save if you want "
                       "to generate it\n")  # fmt: skip
        conf: bytes | None = None
        with contextlib.suppress(WindowsPathError, OSError):
            conf = self.host.drive.read(rcfile)
        settings = options.settings(line, conf, self.folder, self.user, rcfile)
        if line.get("save"):
            data = settings.saved()
            try:
                self.host.drive.write(rcfile, data)
            except (WindowsPathError, OSError):
                self._write_error(b"ERROR: couldn't write the config file\r\n")
        return settings

    def _target(self, database: str) -> Target:
        """Where libpq connects: localhost is this host, whose cluster listens on its address in the lab."""
        plan = self.host.plan
        shown = self.settings.text("db_host") or "localhost"
        here = shown.lower() in ("localhost", "127.0.0.1", "::1", plan.computer_name.lower(), plan.name.lower())
        try:
            port = int(self.settings.text("db_port") or 5432)
        except ValueError:
            port = 0
        return Target(shown, plan.address if here else shown, port, self.settings.text("db_user"),
                      self.settings.text("db_password"), database)  # fmt: skip

    def banner(self) -> None:
        """The first lines of the log. Raises Exit when the superuser's name is the forbidden one."""
        settings = self.settings
        say = self.log.info
        say("", "server", f"OpenERP version - {self.version}")
        for name, value in (
            ("addons_path", settings.text("addons_path")), ("database hostname", settings.text("db_host") or "localhost"),
            ("database port", settings.text("db_port") or "5432"), ("database user", settings.text("db_user")),
        ):  # fmt: skip
            say("", "server", f"{name} - {value}")
        if settings.text("db_user") == "postgres":
            self.log.write("", "ERROR", "server", _FORBIDDEN)
            raise Exit(1)
        say("", "server", "initialising distributed objects services")

    async def preload(self) -> None:
        """Load, and update, the databases of db_name; the first of them ends the list of what is to be updated.

        Raises:
            Exit: with the traceback, when a database cannot be loaded.
        """
        names = [name for name in self.settings.text("db_name").split(",") if name]
        update = tuple(self.settings.update)
        for name in names:
            try:
                await self.loader.load(name, update)
            except DatabaseError as error:
                kind = (
                    "psycopg2.OperationalError"
                    if error.text.startswith(("FATAL", "could not"))
                    else "psycopg2.ProgrammingError"
                )
                if error.text.startswith("LAB:"):
                    raise Exit(255, error=error.text) from None
                frames = [(_MAIN, 121, "<module>"), ("pooler.pyo", 39, "get_db_and_pool"),
                          ("addons\\__init__.pyo", 803, "load_modules")]  # fmt: skip
                self._die(frames, f"{kind}: {error.text}")
            except PythonError as error:
                self._die([(_MAIN, 121, "<module>"), ("addons\\__init__.pyo", 744, "load_module_graph")], str(error))
            update = ()

    async def run(self) -> int:
        """The program from its start to its end; for ever without --stop-after-init. Returns the exit code; raises Exit."""
        try:
            if self.settings.init:
                raise Exit(255, error="LAB: -i/--init is not played\n")
            for name in ("translate_in", "translate_out", "test_file", "load_language"):
                if self.settings.text(name):
                    raise Exit(255, error=f"LAB: the option for {name} is not played\n")
            self.banner()
            if "update_silent" in self.host.faults and self._concerned("update_silent"):
                return 0
            await self.preload()
            if not self.settings.on("stop_after_init"):
                await asyncio.Event().wait()
            return 0
        finally:
            self.pool.end()

    def _concerned(self, fault: str) -> bool:
        wanted = self.host.faults.text(fault)
        return bool(self.settings.update) and wanted in ("", *self.settings.text("db_name").split(",")[:1])

    def end(self) -> None:
        """TerminateProcess: not a word."""
        self.pool.end()


def quoted(name: str) -> str:
    """A database's name as 6.0 puts it into a statement: between quotes, whatever it holds."""
    return identifier(name)
