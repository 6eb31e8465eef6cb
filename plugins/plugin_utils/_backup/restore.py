"""Bring databases back from the catalog: beside what is there first, proven, and only then in its place.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._errors import LyceeError
from .._lease import LeaseError
from .._postgresql.properties import statements
from .._postgresql.rows import difference
from .._postgresql.server import Access, Server, major, shown, version_of
from . import dumpfile, rsync
from .catalog import DATABASE, GLOBALS, Backup, Catalog, check_date, find
from .destinations import Destination, RsyncDestination, Settings, at_hand, open_destination, sha256_of
from .errors import CatalogError, DestinationError, OptionError, ProofError, ServerError
from .machine import Machine, same_digest
from .names import printable, replaced_name, stamp_of
from .night import scratch_folder
from .report import aligned

_TEMPORARY = "lycee_restore_"
_ASIDE = "before"
_ASIDE_NAME = re.compile(rf"(.+)_{_ASIDE}_\d{{4}}-\d\d-\d\dT\d{{6}}Z", re.S)
_ROLE = re.compile(r'(?:(?:CREATE|ALTER) ROLE|GRANT .* TO) ("(?:[^"]|"")+"|[^ ;"]+)')
#: A statement of pg_dumpall, with what is quoted in it taken as a whole.
_STATEMENT = re.compile(r"""((?:'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|--[^\n]*\n|[^'";])*);""", re.S)


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be restored.

    Attributes:
        names: databases; empty for all that were on the server at the last run (or at ``date``).
        date: as of when: a stamp or its beginning; None for the newest.
        rename: the name that it gets, where one database is restored; None for its own.
        scratch: the target is a server for trials, and must not be the one that the backup was made of.
        roles: make the roles that the target lacks.
        keep_replaced: keep the database that is replaced, under another name.
        staging: folder of the server for the dump; empty for the usual one.
        rsync: path of rsync on the server, None to look for it, empty for none.
        timeout: seconds that one restore may take.
        check: change nothing.
    """

    names: Sequence[str]
    date: str | None
    rename: str | None
    scratch: bool
    roles: bool
    keep_replaced: bool
    staging: str
    rsync: str | None
    timeout: float
    check: bool


def restore(
    machine: Machine,
    access: Access,
    settings: Sequence[Settings],
    request: Request,
    *,
    root: Path,
    set_name: str,
    programs: Path,
    step: Callable[[str], None],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Restore the databases and return the result, ``failed`` among its fields when one of them failed.

    Args:
        machine: the target.
        access: to its PostgreSQL.
        settings: the destinations.
        request: what is wanted.
        root: folder of the catalogs.
        set_name: the set that is restored from.
        programs: of PostgreSQL on the controller.
        step: asked before each step; raises when the run was ended from outside.
        progress: told what is being done.

    Raises:
        LyceeError: nothing could be begun.
    """
    catalog = Catalog(root, set_name)
    left_out: list[str] = []
    wanted = _wanted(catalog, request, left_out)
    server = Server(machine, access)
    server.identify()
    present = {one.name for one in server.databases()}
    destinations = [open_destination(one, set_name, machine) for one in settings]
    _check_target(server, request, [backup for _name, backup in wanted], present)
    lines = [_line(name, backup, name in present) for name, backup in wanted]
    warnings = [
        f"{printable(name)}: left out, since it was not on the server any more, or has no proven backup of that time"
        for name in left_out
    ]
    for name in sorted(present):
        match = _ASIDE_NAME.fullmatch(name)
        if match and match[1] in present:
            warnings.append(
                f"{printable(name)}: it holds what a former restore replaced; drop it when nobody misses it"
            )
    if request.check:
        return {"changed": True, "set": set_name, "databases": lines, "table": _table(lines), "warnings": warnings}
    catalog.prepare()
    with scratch_folder(catalog.root) as scratch:
        job = _Job(server, catalog, destinations, request, programs, scratch, step, progress)
        job.clear(present)
        if request.roles:
            job.roles()
        for line, (name, backup) in zip(lines, wanted, strict=True):
            begun = time.monotonic()
            try:
                line.update(job.restore(name, backup))
                line["state"] = "restored"
                progress(f"{name}: restored as of {backup.as_of}, {line['rows']} rows compared")
            except LeaseError:
                raise
            except LyceeError as error:
                line.update(state="failed", msg=str(error))
                progress(f"{name}: FAILED: {error}")
            line["seconds"] = round(time.monotonic() - begun, 1)
    failed = [line for line in lines if line["state"] == "failed"]
    result: dict[str, Any] = {
        "changed": len(failed) < len(lines),
        "set": set_name,
        "databases": lines,
        "table": _table(lines),
        "failed_databases": [line["name"] for line in failed],
        "warnings": warnings + job.warnings,
    }
    if failed:
        sentences = " | ".join(line["msg"] for line in failed)
        result |= {"failed": True, "msg": f"{len(failed)} of {len(lines)} databases were not restored: {sentences}"}
    return result


def _wanted(catalog: Catalog, request: Request, left_out: list[str]) -> list[tuple[str, Backup]]:
    """Return the name to restore under and the backup, for each database; the others of the catalog are added to ``left_out``."""
    if request.date is not None:
        check_date(request.date)
    if request.rename and len(request.names) != 1:
        raise OptionError("a new name is for one database; name the one that is restored")
    if request.names:
        found = []
        for name in request.names:
            item = catalog.items.get((DATABASE, name))
            if item is None:
                known = ", ".join(one.name for one in catalog.of_kind(DATABASE)[:20]) or "nothing"
                raise CatalogError(f"{name}: the catalog of {catalog.name} holds no such database; it holds {known}")
            found.append((request.rename or name, find(item, request.date)))
        return found
    every = [item for item in catalog.of_kind(DATABASE) if any(one.proven for one in item.backups)]
    points = []
    for item in every:
        with contextlib.suppress(CatalogError):
            points.append((item, find(item, request.date)))
    if not points:
        raise CatalogError(
            f"the catalog of {catalog.name} holds no proven backup of that time; nothing can be restored"
        )
    # Those that were on the server when the newest of them was made.
    newest = max(_as_of(backup, request.date) for _item, backup in points)
    chosen = [(item.name, backup) for item, backup in points if item.last_seen >= newest]
    names = {name for name, _backup in chosen}
    left_out += [item.name for item in catalog.of_kind(DATABASE) if item.name not in names]
    return chosen


def _as_of(backup: Backup, date: str | None) -> str:
    limit = f"{date}~" if date else "~"
    return max(stamp for stamp in (backup.stamp, *backup.seen) if stamp <= limit)


def _check_target(server: Server, request: Request, backups: Sequence[Backup], present: set[str]) -> None:
    name = server.machine.name
    if request.scratch:
        identifier = server.system_identifier()
        if not identifier:
            raise ServerError(
                f"{name}: its system identifier cannot be read, so it may be the live server; a trial restore is refused"
            )
        if identifier in {one.system_identifier for one in backups}:
            raise ServerError(
                f"{name} is the live server that the backups were made of; a trial restore goes to another one"
            )
    if request.rename and request.rename in present:
        raise OptionError(
            f"{name}: there is a database {printable(request.rename)} already; give another name, so that the two lie side by side"
        )
    for backup in backups:
        written = version_of(f"PostgreSQL) {backup.tool_version}")
        if major(server.tool_version) < major(written):
            raise ServerError(
                f"{name}: pg_restore {shown(server.tool_version)} does not read what pg_dump {backup.tool_version} wrote; name "
                "the folder of newer programs as pg_bin"
            )


def _table(lines: Sequence[dict[str, Any]]) -> list[str]:
    head = ("", "state", "made", "as of", "rows", "seconds", "replaces", "kept as")
    body = [
        (
            str(line["name"]),
            str(line["state"]),
            str(line["stamp"]),
            str(line["as_of"]),
            str(line["rows"]),
            str(line.get("seconds", "")),
            "yes" if line["replaces"] else "no",
            str(line["kept_as"] or ""),
        )
        for line in lines
    ]
    return aligned(head, body, right=(4, 5))


def _line(name: str, backup: Backup, replaces: bool) -> dict[str, Any]:
    return {
        "name": name,
        "from": backup.name,
        "stamp": backup.stamp,
        "as_of": backup.as_of,
        "rows": backup.rows,
        "replaces": replaces,
        "kept_as": None,
        "state": "planned",
        "msg": "",
    }


@dataclass(slots=True)
class _Job:
    server: Server
    catalog: Catalog
    destinations: Sequence[Destination]
    request: Request
    programs: Path
    scratch: Path
    step: Callable[[str], None]
    progress: Callable[[str], None]
    warnings: list[str] = field(default_factory=list)

    def clear(self, present: set[str]) -> None:
        """Drop what an interrupted restore left beside; it was never in anybody's place."""
        for name in sorted(present):
            if name.startswith(_TEMPORARY):
                self.step(f"drop {name}")
                self.server.drop_database(name)

    def roles(self) -> None:
        """Make the roles that the target lacks; those that it has keep their passwords."""
        item = self.catalog.items.get((GLOBALS, "roles"))
        if item is None:
            raise CatalogError(
                f"the catalog of {self.catalog.name} holds no roles; restore without them (roles: false)"
            )
        backup = find(item, self.request.date)
        with self._local(backup) as path:
            text = path.read_text("utf-8", "surrogateescape").replace("\r\n", "\n")
        script = missing_roles(text, self.server.roles())
        if script:
            self.step("make roles")
            self.server.sql(script)

    def restore(self, name: str, backup: Backup) -> dict[str, Any]:
        """Restore one database, prove it, and put it in its place."""
        machine = self.server.machine
        self._mend(name)
        passed_over = ""
        with self._local(backup) as local:
            content = dumpfile.read(local, self.programs)
            if content.sha256 != backup.content:
                raise ProofError(f"{backup.name}: the dump of {backup.stamp} does not hold what was proven")
            staged = machine.join(
                self.request.staging or machine.default_staging(), self.catalog.name, f"restore-{backup.stamp}.dump"
            )
            self.step(f"bring the dump of {name}")
            try:
                self._bring(local, backup, staged)
                temporary = f"{_TEMPORARY}{stamp_of(datetime.now(UTC)).lower()}"
                self.step(f"restore {name}")
                passed_over = self._fill(temporary, backup, staged)
                self._prove(temporary, backup, content.rows, content.large_objects)
                self._dress(temporary, backup)
            finally:
                with contextlib.suppress(LyceeError):
                    machine.remove([staged])
        self.step(f"put {name} in its place")
        proven = self._oid(temporary)
        aside = self._swap(temporary, name)
        # Its rows are not counted again: somebody may already work in it.
        if self._oid(name) != proven:
            raise ServerError(
                f"{machine.name}: {name} is not the database that was restored and proven; look at the server"
            )
        # What pg_restore passed over may be missed; what another server's database replaced was saved by nobody.
        keep = (
            self.request.keep_replaced or bool(passed_over) or (self._is_strange(backup) and not self.request.scratch)
        )
        if aside and not keep:
            self.step(f"drop what {name} replaced")
            self.server.drop_database(aside)
            aside = ""
        return {"rows": sum(content.rows.values()), "kept_as": aside or None}

    @contextlib.contextmanager
    def _local(self, backup: Backup) -> Any:
        """Give the file of a backup on the controller, from the first destination that has its very bytes."""
        problems = []
        for destination in self.destinations:
            name = destination.settings.name
            if name not in backup.stored:
                continue
            with contextlib.ExitStack() as stack:
                try:
                    folder = stack.enter_context(at_hand(destination, [backup.path], self.scratch))
                    path = folder / backup.path
                    if not path.is_file() or sha256_of(path) != backup.sha256:
                        raise ProofError(f"{name}: {backup.path} is not what was proven there; run verify_backups.yml")
                except (DestinationError, ProofError) as error:
                    problems.append(str(error))
                    continue
                yield path
                return
        reasons = (
            "; ".join(problems)
            or f"the catalog names {', '.join(backup.stored)}, and none of them is a destination here"
        )
        raise DestinationError(f"{backup.name}: no destination gives its backup of {backup.stamp}: {reasons}")

    def _bring(self, local: Path, backup: Backup, staged: str) -> None:
        """Bring the dump to the server, by its own rsync where it has one, and compare."""
        machine = self.server.machine
        folder = machine.parent(staged)
        machine.make_private_folder(folder)
        program = None if self.request.rsync == "" else machine.find_rsync(self.request.rsync)
        for destination in self.destinations:
            if program is None or not isinstance(destination, RsyncDestination):
                continue
            if destination.settings.name not in backup.stored:
                continue
            settings = destination.settings
            target = machine.rsync_path(staged)
            argv = [program, *rsync.options(settings.timeout), f"{destination.set_url}/{backup.path}", target]
            done = machine.run(argv, secrets=settings.secrets, timeout=12 * 3600)
            if done.rc == 0 and same_digest(local, machine.digest(staged)):
                return
        machine.put(local, staged)

    def _mend(self, name: str) -> None:
        """Give a database its name back that a restore, ended between its two renamings, put aside: it holds the latest work."""
        names = {one.name for one in self.server.databases()}
        aside = [one for one in names if (match := _ASIDE_NAME.fullmatch(one)) is not None and match[1] == name]
        if name not in names and len(aside) == 1:
            self.step(f"rename {aside[0]} back")
            self._rename(aside[0], name)
            self.warnings.append(
                f"{printable(name)}: an interrupted restore had put it aside; it was brought back first"
            )

    def _is_strange(self, backup: Backup) -> bool:
        """Return whether the backup was made of another cluster than the target."""
        return bool(backup.system_identifier) and self.server.system_identifier() != backup.system_identifier

    def _create(self, temporary: str, backup: Backup) -> None:
        owner, encoding = backup.owner or self.server.access.user, backup.encoding or "UTF8"
        locale = (backup.properties.get("collate", ""), backup.properties.get("ctype", ""))
        try:
            self.server.create_database(temporary, owner, encoding, locale if all(locale) else None)
        except ServerError:
            if not all(locale):
                raise
            # Another operating system has other names for its locales.
            self.server.create_database(temporary, owner, encoding)
            self.warnings.append(
                f"{printable(backup.name)}: the locale {locale[0]} is not known here; it has the cluster's"
            )

    def _dress(self, temporary: str, backup: Backup) -> None:
        """Give the new database what stands in no dump; what cannot be given is told."""
        for statement in statements(temporary, backup.owner, backup.properties):
            try:
                self.server.sql(statement)
            except ServerError as error:
                self.warnings.append(f"{printable(backup.name)}: {error}")

    def _fill(self, temporary: str, backup: Backup, staged: str) -> str:
        """Restore into a new database and return what was passed over.

        As one transaction; where a newer server objects to an archive of an older one, without it.
        """
        self._create(temporary, backup)
        try:
            self.server.restore(temporary, staged, whole=True, timeout=self.request.timeout)
        except ServerError:
            self._drop(temporary)
            if major(self.server.version) == major(version_of(f"PostgreSQL) {backup.server_version}")):
                raise
        else:
            return ""
        self._create(temporary, backup)
        try:
            self.server.restore(temporary, staged, whole=False, timeout=self.request.timeout)
        except ServerError as error:
            self.warnings.append(
                f"{printable(backup.name)}: restored, and what it replaced is kept, since some was passed over: {error}"
            )
            return str(error)
        return ""

    def _prove(self, database: str, backup: Backup, rows: dict[tuple[str, str], int], large_objects: int) -> None:
        problem = ""
        try:
            problem = difference(rows, self.server.row_counts(database, rows, backup.encoding))
            if not problem and self.server.version >= (9, 0):
                found = self.server.large_objects(database)
                if found != large_objects:
                    # Not a proof by itself: the text of a function may look like one.
                    self.warnings.append(
                        f"{printable(backup.name)}: {large_objects} large objects were counted in the dump, {found} came"
                    )
        except ServerError as error:
            problem = str(error)
        if problem:
            self._drop(database)
            raise ProofError(f"{backup.name}: the restored database is not what was saved: {problem}")

    def _oid(self, name: str) -> int:
        return next((one.oid for one in self.server.databases() if one.name == name), 0)

    def _drop(self, name: str) -> None:
        with contextlib.suppress(LyceeError):
            self.server.drop_database(name)

    def _swap(self, temporary: str, name: str) -> str:
        """Put the restored database in the place of the one that is there; return the latter's new name."""
        aside = ""
        if name in {one.name for one in self.server.databases()}:
            aside = replaced_name(name, _ASIDE, stamp_of(datetime.now(UTC)))
            self._rename(name, aside)
        try:
            self._rename(temporary, name)
        except LyceeError:
            if aside:
                self._rename(aside, name)
            self._drop(temporary)
            raise
        return aside

    def _rename(self, name: str, new: str) -> None:
        """Rename, again where somebody connected in between, and read back."""
        for left in (4, 3, 2, 1, 0):
            try:
                self.server.rename_database(name, new)
                break
            except ServerError:
                if not left:
                    raise
        if new not in {one.name for one in self.server.databases()}:
            raise ServerError(f"{self.server.machine.name}: the database {name} could not be renamed to {new}")


def missing_roles(globals_text: str, present: set[str]) -> str:
    """Return the statements of a ``pg_dumpall -g`` that make roles which are not there, and their memberships.

    Statements about a role that is there are left out: they would change its password. So is one of several lines: what a role may
    set for itself could hold any text.
    """
    kept = []
    for match in _STATEMENT.finditer(globals_text):
        statement = "".join(line for line in match[1].splitlines(keepends=True) if not line.startswith("--")).strip()
        found = _ROLE.match(statement)
        if found is None or "\n" in statement:
            continue
        role = found[1]
        name = role[1:-1].replace('""', '"') if role.startswith('"') else role
        if name not in present:
            kept.append(f"{statement};\n")
    return "".join(kept)
