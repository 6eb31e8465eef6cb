"""Talk to a PostgreSQL server of any version from 8.3 on, by its own programs where they are.

Note that this utility is private to the collection.

Only options and SQL that 8.4 has (8.3 where it says so): ``--dbname`` of pg_dump came with 9.3, ``-w`` with 8.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._backup.errors import ServerError
from .._backup.machine import Done, Machine
from .._backup.names import conninfo, identifier, literal
from .properties import read_properties
from .rows import Table, client_encoding, count_rows

Version = tuple[int, ...]
_VERSION = re.compile(r"(\d+)\.?(\d+)?(?:\.(\d+))?")
_SYSTEM_IDENTIFIER = re.compile(r"^[^:\n]*:\s*(\d{15,20})\s*$", re.M)
#: In one statement, since a pupil's PC does not wait: those who are connected to a database, but this session itself.
_BACKENDS = (
    "(SELECT pg_stat_get_backend_idset() AS id) AS s WHERE pg_stat_get_backend_dbid(s.id) = "
    "(SELECT oid FROM pg_database WHERE datname = {name}) AND pg_stat_get_backend_pid(s.id) <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True)
class Access:
    """How the server is reached from the machine that it is on.

    Attributes:
        host, port: of the cluster.
        user: a superuser.
        password: its password; empty where ``pg_hba.conf`` lets it in.
        bin: folder of the programs; empty for the server's own.
        database: the one from which the others are listed.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    bin: str
    database: str

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Access:
        """Return it from the options that all modules with a database share."""
        return cls(
            host=arguments["database_host"],
            port=arguments["database_port"],
            user=arguments["database_user"],
            password=arguments["database_password"] or "",
            bin=arguments["pg_bin"],
            database=arguments["database"],
        )


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the server.

    Attributes:
        name: as text; bytes that are no UTF-8 are kept as surrogates.
        oid: tells one that was dropped and made again.
        connectable: whether it takes connections (``datallowconn``).
        encoding: name of its encoding.
        owner: role that owns it.
        size: bytes on the disk.
    """

    name: str
    oid: int
    connectable: bool
    encoding: str
    owner: str
    size: int


def version_of(text: str) -> Version:
    """Return the version in a text such as ``pg_dump (PostgreSQL) 8.4.22`` or ``15.20 (Debian 15.20-0)``, () for none."""
    found = _VERSION.search(text.rpartition("PostgreSQL)")[2])
    return tuple(int(part) for part in found.groups() if part) if found else ()


def major(version: Version) -> Version:
    """Return what names a major version: two numbers up to 9.6, one from 10 on."""
    return version[:2] if version[:1] < (10,) else version[:1]


def shown(version: Version) -> str:
    """Return a version as text."""
    return ".".join(map(str, version))


def tool_problem(tool: Version, server: Version) -> str:
    """Return why pg_dump of version ``tool`` cannot dump ``server``, or an empty text.

    Never a newer major than its own; 15 to 19 nothing before 9.2, 20 nothing before 10 (PostgreSQL's commits 30e7c175b8 and
    3a0a30884f).
    """
    if major(tool) < major(server):
        return f"pg_dump {shown(tool)} cannot read a server of the newer version {shown(server)}"
    oldest: Version = (10,) if tool >= (20,) else (9, 2) if tool >= (15,) else (8, 0)
    if server[:2] < oldest:
        return f"pg_dump {shown(tool)} reads no server before {shown(oldest)}, and this is {shown(server)}"
    return ""


class Server:
    """A PostgreSQL server, by the programs on its machine."""

    def __init__(self, machine: Machine, access: Access) -> None:
        """Look for the programs and ask their version.

        Raises:
            ServerError: there are none.
            LyceeError: the machine cannot be asked.
        """
        self.machine = machine
        self.access = access
        self.bin = machine.find_programs(access.bin)
        program = machine.program(self.bin, "pg_dump")
        self.tool_version = version_of(machine.run([program, "--version"]).stdout.decode("utf-8", "replace"))
        if not self.tool_version:
            raise ServerError(f"{machine.name}: {program} does not say its version; correct pg_bin")
        self.version: Version = ()
        self.encoding = ""

    def at(self, machine: Machine) -> Server:
        """Return the same server by another session with its machine."""
        other = object.__new__(Server)
        other.__dict__.update(self.__dict__, machine=machine)
        return other

    def identify(self) -> None:
        """Ask for the version and check that the programs suit it.

        Raises:
            ServerError: it does not answer, or pg_dump is too old or too new for it.
        """
        row = self.sql("SELECT current_setting('server_version'), getdatabaseencoding();").strip()
        text, _bar, self.encoding = row.partition("|")
        self.version = version_of(text)
        problem = tool_problem(self.tool_version, self.version)
        if problem:
            raise ServerError(f"{self.machine.name}: {problem}; name the folder of the server's own programs as pg_bin")

    def system_identifier(self) -> str:
        """Return the number that initdb gave the cluster, which no other has; empty where it cannot be read."""
        folder = self.machine.data_folder()
        if folder is not None:
            done = self.machine.run([self.machine.program(self.bin, "pg_controldata"), folder])
            found = _SYSTEM_IDENTIFIER.search(done.stdout.decode("utf-8", "replace").replace("\r", ""))
            return found[1] if found else ""
        if self.version >= (9, 6):
            return self.sql("SELECT system_identifier FROM pg_control_system();").strip()
        return ""

    # SQL

    def sql(self, text: str, database: str | None = None, *, timeout: float = 300.0, encoding: str = "UTF8") -> str:
        """Run SQL by psql and return what it printed, unaligned, columns divided by ``|``. The text goes by standard input.

        Raises:
            ServerError: psql ended with anything but 0, naming the first words of what it said.
        """
        words, environment = self._database(database if database is not None else self.access.database, "-d")
        argv = [
            *(self.machine.program(self.bin, "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"),
            *self._login(),
            *words,
        ]
        environment["PGCLIENTENCODING"] = encoding
        done = self._run(argv, environment, text.encode("utf-8", "surrogateescape"), timeout)
        if done.rc != 0:
            raise ServerError(f"{self.machine.name}: PostgreSQL refused a query: {done.said or f'exit code {done.rc}'}")
        return done.stdout.decode("utf-8", "surrogateescape").replace("\r\n", "\n")

    def databases(self) -> list[Database]:
        """Return the databases that are no templates, by name.

        Raises:
            ServerError: the server does not answer as expected.
        """
        # In hexadecimal, since a name may hold anything; in the server's own bytes, since those are what it compares.
        raw = "encode(convert_to({}::text, getdatabaseencoding()), 'hex')"
        rows = self.sql(
            f"SELECT d.oid, {raw.format('d.datname')}, d.datallowconn, pg_encoding_to_char(d.encoding), "
            f"{raw.format('r.rolname')}, CASE WHEN d.datallowconn THEN pg_database_size(d.oid) ELSE 0 END "
            "FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE NOT d.datistemplate ORDER BY d.datname;"
        )
        found = []
        for line in rows.splitlines():
            parts = line.split("|")
            if len(parts) != 6:
                raise ServerError(f"{self.machine.name}: the list of databases cannot be read ('{line[:60]}')")
            name, owner = (bytes.fromhex(parts[index]).decode("utf-8", "surrogateescape") for index in (1, 4))
            found.append(Database(name, int(parts[0]), parts[2] == "t", parts[3], owner, int(parts[5])))
        return found

    def roles(self) -> set[str]:
        """Return the names of the roles."""
        raw = "encode(convert_to(rolname::text, getdatabaseencoding()), 'hex')"
        return {
            bytes.fromhex(line).decode("utf-8", "surrogateescape")
            for line in self.sql(f"SELECT {raw} FROM pg_roles;").split()
        }

    def row_counts(self, database: str, tables: Iterable[Table], encoding: str = "UTF8") -> dict[Table, int]:
        """Return the number of rows of each (schema, table); one that is not there is left out.

        Args:
            database: its name.
            tables: those that are wanted.
            encoding: of the database; names of one that has none (SQL_ASCII) are taken as they are.

        Raises:
            ServerError: the server does not answer.
        """
        client = client_encoding(encoding)
        return count_rows(lambda text: self.sql(text, database, timeout=1800, encoding=client), tables)

    def large_objects(self, database: str) -> int:
        """Return how many large objects a database holds; before 9.0 an empty one leaves no trace."""
        source = (
            "pg_largeobject_metadata" if self.version >= (9, 0) else "(SELECT DISTINCT loid FROM pg_largeobject) AS l"
        )
        return int(self.sql(f"SELECT count(*) FROM {source};", database).strip())

    def properties(self) -> dict[str, dict[str, Any]]:
        """Return database to what stands in no dump of it."""
        return read_properties(self.sql)

    def create_database(self, name: str, owner: str, encoding: str, locale: tuple[str, str] | None = None) -> None:
        """Make an empty database.

        Args:
            name: of it.
            owner: a role.
            encoding: as PostgreSQL names it.
            locale: collation and character classes, None for those of the cluster.

        Raises:
            ServerError: it is there already, the role or the locale is unknown, or the server refuses.
        """
        words = f"LC_COLLATE {literal(locale[0])} LC_CTYPE {literal(locale[1])}" if locale else ""
        self.sql(
            f"CREATE DATABASE {identifier(name)} OWNER {identifier(owner)} TEMPLATE template0 ENCODING {literal(encoding)} {words};"
        )

    def drop_database(self, name: str) -> None:
        """Drop a database; those who are connected to it are disconnected."""
        self.sql(f"{self._disconnect(name)} DROP DATABASE {identifier(name)};")

    def rename_database(self, name: str, new: str) -> None:
        """Rename a database; those who are connected to it are disconnected."""
        self.sql(f"{self._disconnect(name)} ALTER DATABASE {identifier(name)} RENAME TO {identifier(new)};")

    def _disconnect(self, name: str) -> str:
        """Return the statement that ends the sessions of a database, where the server can (8.4); OpenERP connects again at once."""
        if self.version < (8, 4):
            return ""
        condition = _BACKENDS.format(name=literal(name))
        return f"SELECT pg_terminate_backend(pg_stat_get_backend_pid(s.id)) FROM {condition};"

    # Programs

    def dump(self, database: str, path: str, compress: int, timeout: float) -> None:
        """Write a dump of a database (custom format) to a path of the machine; read its exit code, not what it says.

        Raises:
            ServerError: pg_dump failed.
        """
        words, environment = self._database(database)
        argv = [
            *(self.machine.program(self.bin, "pg_dump"), *self._login()),
            *("-F", "c", "-Z", str(compress), "-f", path),
            *words,
        ]
        self._must(argv, environment, timeout, f"pg_dump of {database}")

    def dump_globals(self, path: str, timeout: float, scratch: Path) -> None:
        """Write roles and their memberships to a path of the machine.

        Args:
            path: of the machine.
            timeout: seconds.
            scratch: a folder of the controller, for a pg_dumpall that has no option for a file (8.3).

        Raises:
            ServerError: pg_dumpall failed.
        """
        argv = [self.machine.program(self.bin, "pg_dumpall"), *self._login(), "-g"]
        if self.tool_version >= (8, 4):
            self._must([*argv, "-f", path], {}, timeout, "pg_dumpall")
            return
        local = scratch / "globals.sql"
        local.write_bytes(self._must(argv, {}, timeout, "pg_dumpall").stdout)
        try:
            self.machine.put(local, path)
        finally:
            local.unlink()

    def restore(self, database: str, path: str, *, whole: bool, timeout: float) -> None:
        """Restore a dump into an empty database.

        Args:
            database: the empty database.
            path: of the dump, on the machine.
            whole: as one transaction, which the first error ends; else errors are passed over, and told.
            timeout: seconds.

        Raises:
            ServerError: pg_restore failed or passed over errors.
        """
        words, environment = self._database(database, "-d")
        argv = [self.machine.program(self.bin, "pg_restore"), *self._login(), *(["-1"] if whole else []), *words, path]
        self._must(argv, environment, timeout, f"pg_restore of {database}")

    def _must(self, argv: Sequence[str], environment: Mapping[str, str], timeout: float, about: str) -> Done:
        done = self._run(argv, environment, b"", timeout)
        if done.rc != 0:
            said = done.said or "it said nothing"
            raise ServerError(f"{self.machine.name}: {about} ended with code {done.rc}: {said}")
        return done

    def _run(self, argv: Sequence[str], environment: Mapping[str, str], stdin: bytes, timeout: float) -> Done:
        secrets = {"PGPASSWORD": self.access.password} if self.access.password else {}
        return self.machine.run(argv, environment=environment, secrets=secrets, stdin=stdin, timeout=timeout)

    def _login(self) -> list[str]:
        words = ["-h", self.access.host, "-p", str(self.access.port), "-U", self.access.user]
        # Never ask for a password: nobody would answer.
        return [*words, "-w"] if self.tool_version >= (8, 4) else words

    def _database(self, name: str, option: str = "") -> tuple[list[str], dict[str, str]]:
        """Return the words that name a database, and the variables: the latter for a name that no command line can hold."""
        operand = self.machine.argument(conninfo(name))
        if not self.machine.can_hold(operand):
            return [], {"PGDATABASE": self.machine.argument(name)}
        return ([option, operand] if option else [operand]), {}
