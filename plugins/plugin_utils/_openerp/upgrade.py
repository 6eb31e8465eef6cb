"""Take a server to another release: keep, stop, install, put back, update, start, verify; and all of it back when a step fails.

Note that this utility is private to the collection.

The journal announces each effect before it happens. A run that finds one completes it or, when it was on its way back, brings it
back; up to the first setup nothing but the services' state was changed, and it begins again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .._backup.names import stamp_of
from .._errors import LyceeError
from .._lease import LeaseError
from .._postgresql.server import Server
from .._windows import files, services
from .._windows.quoting import quote
from .._windows.services import RUNNING
from .._windows.session import Session
from . import dumps
from . import journal as book
from .conf import SERVER, WEB
from .errors import InstallationError, OpenErpError, OptionError, PreflightError, ServiceError, UpdateError
from .install import Settings, put_over, put_settings_back, stop
from .installation import KINDS, Part, end_processes, find_part, put_back_values
from .journal import BACK, FAILED, RESTORED, RESTORING, SAVED, UPDATED, UPDATING, WAITING, DatabaseEntry, Journal, Store
from .look import State, Target, try_login
from .mirror import mirror
from .preflight import Plan, Rules
from .rpc import Rpc, login_page, missing
from .source import Setup, bring
from .update import update
from .versions import shown

Step = Callable[[str], None]
Progress = Callable[[str], None]
UPGRADED, UNCHANGED, ROLLED_BACK, UNFINISHED = "upgraded", "unchanged", "rolled back", "unfinished"
#: Seconds between two questions to a server that starts.
_INTERVAL = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """How an upgrade is done.

    Attributes:
        rules: what is wanted.
        setups: the setup of each kind.
        work: folder of the server in which everything is kept that brings it back.
        modules: what is updated in each database.
        setup_timeout, update_timeout, copy_timeout, service_timeout: seconds.
        keep_copies: whether the copies of the former folders stay on the server until the next upgrade.
    """

    rules: Rules
    setups: dict[str, Setup]
    work: str = "C:\\Windows\\Temp\\lycee-upgrade"
    modules: str = "all"
    setup_timeout: float = 1200
    update_timeout: float = 3600
    copy_timeout: float = 3600
    service_timeout: float = 180
    keep_copies: bool = True


@dataclass(slots=True)
class Outcome:
    """How an upgrade ended.

    Attributes:
        word: ``upgraded``, ``unchanged``, ``rolled back`` or ``unfinished``.
        text: a sentence.
        journal: of the upgrade; None when there was none.
        version: release that runs now, as the server says.
        problems: what is not as it should be.
    """

    word: str
    text: str
    journal: Journal | None = None
    version: str = ""
    problems: list[str] = field(default_factory=list)


def begin(state: State, plan: Plan, options: Options, host: str, now: datetime | None = None) -> Journal:
    """Return the journal of an upgrade that has not begun.

    Args:
        state: the server as it is.
        plan: what is to be done.
        options: how.
        host: inventory name.
        now: for tests.
    """
    stamp = stamp_of(now or datetime.now(UTC))
    found = Journal(
        host=host,
        stamp=stamp,
        from_release=state.version,
        to_release=shown(options.rules.to_release),
        work=f"{options.work}\\{stamp}",
        listed=sorted(state.listed or []),
        page=sorted(state.page) if state.page is not None else None,
        logins={name: one.login for name, one in state.databases.items() if one.login},
    )
    for name in plan.databases:
        database = state.databases[name].database
        found.databases[name] = DatabaseEntry(
            owner=database.owner, encoding=database.encoding, login=state.databases[name].login
        )
    return found


def describe(
    session: Session, part: Part, registry: tuple[str, dict[str, tuple[str, str]]], port: int, *, setup: bool
) -> dict[str, Any]:
    """Return what the journal keeps of a program, of which ``setup`` says whether it gets one."""
    key, values = registry
    return {
        "folder": part.folder,
        "settings": Settings.of(session, part).as_dict(),
        "running": part.service.state == RUNNING,
        "setup": setup,
        "port": port,
        "key": key,
        "values": {name: list(value) for name, value in values.items()},
    }


class Upgrade:
    """One server's upgrade, from its journal on."""

    def __init__(
        self,
        target: Target,
        options: Options,
        store: Store,
        journal: Journal,
        *,
        step: Step,
        progress: Progress,
    ) -> None:
        """Take a journal over; nothing is done."""
        self.target = target
        self.options = options
        self.store = store
        self.journal = journal
        self._lease = step
        self._progress = progress
        self._server: Server | None = None
        self._begun = 0.0
        self._resumed = journal.phase != book.PREPARED

    # What both ways share

    @property
    def _postgresql(self) -> Server:
        if self._server is None:
            self._server = Server(self.target.machine, self.target.access)
            self._server.identify()
        return self._server

    def _step(self, text: str) -> None:
        """Ask the lease, and tell what begins."""
        self._lease(text)
        now = time.monotonic()
        if self.journal.steps and self._begun:
            self.journal.steps[-1]["seconds"] = round(now - self._begun, 1)
        self._begun = now
        self.journal.steps.append({"step": text, "seconds": 0.0})
        self._progress(text)

    def _save(self) -> None:
        self.store.save(self.journal)

    def _phase(self, phase: str) -> None:
        self.journal.phase = phase
        self._save()

    def _known(self, kind: str) -> dict[str, Any] | None:
        return self.journal.server if kind == SERVER else self.journal.web

    def _kinds(self) -> list[str]:
        return [kind for kind in (SERVER, WEB) if self._known(kind)]

    def _part(self, kind: str) -> Part | None:
        """Return a program as it is now; its service may be gone."""
        known = self._known(kind)
        name = known["settings"]["name"] if known else None
        found = services.services(self.target.session)
        if not any(one.name.casefold() == str(name).casefold() for one in found):
            return None
        return find_part(found, kind, name, self.target.name)

    def _kept(self, kind: str) -> str:
        return f"{self.journal.work}\\{kind}"

    def _stop_all(self) -> None:
        for kind in (WEB, SERVER):
            part = self._part(kind) if self._known(kind) else None
            if part is not None:
                self._step(f"stop {part.service.name}")
                stop(self.target.session, part, self.options.service_timeout, self._lease)

    def _start_all(self) -> None:
        """Start what was running, the server first, and wait until it answers."""
        for kind in (SERVER, WEB):
            known = self._known(kind)
            if not known or not known["running"]:
                continue
            name = known["settings"]["name"]
            self._step(f"start {name}")
            services.start(self.target.session, name, self.options.service_timeout, self._lease)
            self._wait_until_it_answers(kind, name)
        self.journal.started = self.journal.started or time.time()

    def _wait_until_it_answers(self, kind: str, name: str) -> None:
        """Wait for a real answer, which a running service does not yet give; one that ends meanwhile ends the wait.

        Raises:
            ServiceError: it ended, or does not answer in time.
        """
        deadline = time.monotonic() + self.options.service_timeout
        while True:
            try:
                if kind == SERVER:
                    self._rpc().databases()
                else:
                    self._login_page()
            except ServiceError as error:
                found = services.service(self.target.session, name)
                if found.state != RUNNING:
                    raise ServiceError(
                        f"{self.target.name}: {name} started and ended again ({error}); its log says why"
                    ) from None
                if time.monotonic() > deadline:
                    raise
            else:
                return
            self._lease(f"wait for {name}")
            time.sleep(_INTERVAL)

    def _rpc(self) -> Rpc:
        return Rpc(self.target.name, self.target.host, self.journal.server["port"], self.target.timeout)

    def _login_page(self) -> list[str]:
        port = self.journal.web["port"] if self.journal.web else 0
        return login_page(self.target.name, self.target.host, port, self.target.timeout)

    def _verify(self, wanted: str) -> list[str]:
        """Return what is not as it was before the upgrade but for the release: by other ways than those that changed it."""
        problems = []
        rpc = self._rpc()
        version = rpc.version()
        if version != wanted:
            problems.append(f"{version} runs, not {wanted}")
        listed = rpc.databases()
        problems += [f"{name} is not offered any more" for name in missing(self.journal.listed, listed)]
        problems += [f"{name} is offered and was not before" for name in missing(listed, self.journal.listed)]
        for number, (name, before) in enumerate(self.journal.logins.items(), 1):
            now = try_login(self.target, self._postgresql, rpc, name)
            self._progress(f"[{number}/{len(self.journal.logins)}] {name}: login {now}")
            if now != before and before in ("good", "refused"):
                problems.append(f"a login on {name} was {before} and is now {now}")
        known = self.journal.web
        if known and known["running"] and self.journal.page is not None:
            page = self._login_page()
            problems += [f"the login page does not offer {name}" for name in missing(self.journal.page, page)]
        return problems

    # Forward

    def forward(self) -> Outcome:
        """Complete the upgrade; a step that fails takes everything back.

        Raises:
            LeaseError: the run was ended from outside; the next one goes on.
            WindowsError: the host does not answer any more (``unreachable``); the next run goes on.
        """
        try:
            self._forward()
            self._step("verify")
            problems = self._verify(self.journal.to_release)
            if problems:
                raise UpdateError(f"{self.target.name}: {'; '.join(problems)}")
        except LeaseError:
            raise
        except LyceeError as error:
            if self._is_gone(error):
                raise self._lost(error) from None
            return self.back(str(error))
        self._tidy()
        return self._end(UPGRADED, f"{self.target.name}: {self.journal.to_release} serves its databases, verified")

    def _forward(self) -> None:
        end_processes(self.target.session, self.journal.work)
        if not self.journal.is_past(book.SAVING):
            self._phase(book.SAVING)
            self._keep()
        if not self.journal.is_past(book.INSTALLING) and self.journal.server["setup"]:
            self._phase(book.INSTALLING)
            self._install(SERVER)
        if not self.journal.is_past(book.UPDATING_ALL):
            self._phase(book.UPDATING_ALL)
            self._update_all()
        if not self.journal.is_past(book.INSTALLING_WEB) and self.journal.web and self.journal.web["setup"]:
            self._phase(book.INSTALLING_WEB)
            self._install(WEB)
        self._phase(book.STARTING)
        self._start_all()
        self._save()

    def _keep(self) -> None:
        """Keep everything that brings the server back: setups, folders, dumps."""
        session, machine, work = self.target.session, self.target.machine, self.journal.work
        machine.make_private_folder(self.options.work)
        machine.make_private_folder(work)
        with_setup = [kind for kind in self._kinds() if (self._known(kind) or {})["setup"]]
        for kind in with_setup:
            self._step(f"bring the setup of the {kind}")
            bring(session, self.options.setups[kind], work, self.options.copy_timeout)
        for kind in with_setup:
            self._step(f"copy the folder of the {kind}")
            self._copy(kind)
        self._stop_all()
        self.journal.stopped = self.journal.stopped or time.time()
        self._save()
        for kind in with_setup:
            # What was written between the first copy and the end of the service.
            self._step(f"complete the copy of the folder of the {kind}")
            self._copy(kind)
        self._dump_all((WAITING, SAVED))

    def _dump_all(self, states: tuple[str, ...]) -> None:
        properties = self._postgresql.properties() if self.journal.databases else {}
        wanted = self.options.rules.to_release
        for number, (name, entry) in enumerate(self.journal.databases.items(), 1):
            if entry.state not in states:
                continue
            self._step(f"[{number}/{len(self.journal.databases)}] {name}: dump")
            entry.properties = properties.get(name, {})
            path = f"{self.journal.work}\\d{number:03}.dump"
            dumps.save(self._postgresql, name, entry, path, wanted, self.options.copy_timeout)
            entry.state = SAVED
        self._save()

    def _copy(self, kind: str) -> None:
        known = self._known(kind)
        if known:
            mirror(self.target.session, known["folder"], self._kept(kind), self.options.copy_timeout)

    def _install(self, kind: str) -> None:
        known = self._known(kind)
        if not known:
            return
        session = self.target.session
        # Looked for again: the run that brought it may have been another one.
        setup = bring(session, self.options.setups[kind], self.journal.work, self.options.copy_timeout)
        conf = files.read(session, f"{self._kept(kind)}\\{KINDS[kind].conf}")
        if kind not in self.journal.setup_begun:
            self.journal.setup_begun.append(kind)
        self._save()
        put_over(
            session,
            KINDS[kind],
            known["folder"],
            setup,
            conf,
            Settings.from_dict(known["settings"]),
            timeout=self.options.setup_timeout,
            stop_timeout=self.options.service_timeout,
            step=self._step,
            quiet=self._lease,
        )

    def _update_all(self) -> None:
        part = self._part(SERVER)
        if part is None:
            raise InstallationError(f"{self.target.name}: OpenERP's service is gone")
        # After an interruption it may have been started, by hand or by a restart of the machine.
        stop(self.target.session, part, self.options.service_timeout, self._lease)
        if self._resumed:
            # And somebody may have worked in what was dumped then.
            self._dump_all((SAVED,))
        for number, (name, entry) in enumerate(self.journal.databases.items(), 1):
            if entry.state == UPDATED:
                continue
            if entry.state != SAVED:
                self._bring_back(name, entry, SAVED)
            self._step(f"[{number}/{len(self.journal.databases)}] {name}: update")
            entry.state = UPDATING
            self._save()
            done = update(
                self.target.session,
                self._postgresql,
                part,
                name,
                self.options.rules.to_release,
                modules=self.options.modules,
                folder=self.journal.work,
                secrets=self.target.secrets(),
                timeout=self.options.update_timeout,
            )
            entry.seconds, entry.problem = round(done.seconds, 1), done.problem
            entry.state = FAILED if done.problem else UPDATED
            self._save()
            if done.problem:
                raise UpdateError(f"{self.target.name}: {name}: {done.problem}")

    def _bring_back(self, name: str, entry: DatabaseEntry, then: str) -> None:
        self._step(f"{name}: restore")
        entry.state = RESTORING
        self._save()
        dumps.bring_back(self._postgresql, name, entry, self.options.rules.to_release, self.options.copy_timeout)
        entry.state = then
        self._save()

    # Back

    def back(self, reason: str) -> Outcome:
        """Take the server back to what it was, and verify it.

        Raises:
            LeaseError: the run was ended from outside; the next one goes on.
            WindowsError: the host does not answer any more; the next run goes on.
        """
        self.journal.reason = self.journal.reason or reason
        self.journal.direction = BACK
        self._save()
        self._progress(f"it failed and is taken back: {reason}")
        try:
            self._back()
            self._step("verify")
            problems = self._verify(self.journal.from_release)
            if problems:
                raise UpdateError("; ".join(problems))
        except LeaseError:
            raise
        except LyceeError as error:
            if self._is_gone(error):
                raise self._lost(error) from None
            text = (
                f"{self.target.name}: the upgrade to {self.journal.to_release} failed ({self.journal.reason}), and it could not be taken "
                f"back to {self.journal.from_release}: {error}. What brings it back is in {self.journal.work} on the server; mend what is "
                "named and run again"
            )
            return self._end(UNFINISHED, text, [str(error)])
        self._tidy()
        return self._end(
            ROLLED_BACK,
            f"{self.target.name}: the upgrade to {self.journal.to_release} failed: {self.journal.reason}. It was taken back: "
            f"{self.journal.from_release} serves its databases as before, verified",
        )

    def _back(self) -> None:
        session = self.target.session
        end_processes(session, self.journal.work)
        torn = [entry.state for entry in self.journal.databases.values() if entry.state not in (WAITING, SAVED)]
        if self.journal.setup_begun or torn:
            self._stop_all()
        for kind in self.journal.setup_begun:
            known = self._known(kind)
            if not known:
                continue
            self._step(f"put the folder of the {kind} back")
            mirror(session, self._kept(kind), known["folder"], self.options.copy_timeout)
            put_settings_back(session, Settings.from_dict(known["settings"]), self.options.service_timeout, self._lease)
            if known["key"]:
                values = {name: (value[0], value[1]) for name, value in known["values"].items()}
                wrong = put_back_values(session, known["key"], values)
                if wrong:
                    raise InstallationError(
                        f"{self.target.name}: {', '.join(wrong)} of {known['key']} could not be put back"
                    )
        for name, entry in self.journal.databases.items():
            if entry.state in (UPDATING, FAILED, RESTORING):
                self._bring_back(name, entry, RESTORED)
        self._start_all()
        for name, entry in self.journal.databases.items():
            if entry.state == UPDATED and not self._serves(name, entry):
                self._bring_back(name, entry, RESTORED)
        self._save()

    def _serves(self, name: str, entry: DatabaseEntry) -> bool:
        """Return whether a database with the newer data serves with the older code, as 6.0 was seen to do."""
        return bool(try_login(self.target, self._postgresql, self._rpc(), name) == entry.login)

    # Ends

    def _is_gone(self, error: LyceeError) -> bool:
        """Return whether the host has gone: a server that lost its power first breaks a connection, and then answers no more."""
        if error.unreachable:
            return True
        try:
            self.target.session.one_row("SELECT Name FROM Win32_ComputerSystem")
        except LyceeError:
            return True
        return False

    def _lost(self, error: LyceeError) -> LyceeError:
        self._save()
        way = "completes it" if self.journal.direction != BACK else "goes on taking it back"
        return ServiceLostError(f"{error}; the upgrade stands at '{self.journal.phase}', and the next run {way}")

    def _tidy(self) -> None:
        """Remove what is needed no more. Dumps hold the work of pupils, and are in the backups."""
        session, work = self.target.session, self.journal.work
        keep = self.options.keep_copies and not self.journal.reason and self.journal.setup_begun
        try:
            if keep:
                session.run_line(f"del /f /q {quote(work)}\\*.dump {quote(work)}\\*.exe")
            elif files.folder_exists(session, work):
                session.run_line(f"rd /s /q {quote(work)}")
            for name, entry in self.journal.databases.items():
                if entry.state in (RESTORED, UPDATED):
                    dumps.drop_left_overs(self._postgresql, [name])
        except LyceeError as error:
            self._progress(f"{work} could not be tidied: {error}")

    def _end(self, word: str, text: str, problems: list[str] | None = None) -> Outcome:
        try:
            version = self._rpc().version()
        except LyceeError:
            version = ""
        if self.journal.steps and self._begun:
            self.journal.steps[-1]["seconds"] = round(time.monotonic() - self._begun, 1)
        return Outcome(word, text, self.journal, version, problems or [])


class ServiceLostError(OpenErpError):
    """The host does not answer any more."""

    unreachable = True


def unfinished(journal: Journal, options: Options) -> str:
    """Return what the next run does with an upgrade that has begun.

    Raises:
        OptionError: it was begun for another release.
    """
    if journal.direction != BACK and journal.to_release != shown(options.rules.to_release):
        raise OptionError(
            f"{journal.host}: an upgrade to {journal.to_release} was begun at {journal.stamp} and not ended; run it once more for that release"
        )
    way = f"taken back to {journal.from_release}" if journal.direction == BACK else "completed"
    return f"{journal.host}: an upgrade to {journal.to_release} was begun at {journal.stamp} and stopped at '{journal.phase}'; it is {way}"


def refuse(plan: Plan, host: str) -> None:
    """Raise when something stands against a plan.

    Raises:
        PreflightError: naming everything that does.
    """
    if plan.blockers:
        sentences = "; ".join(f"{one.subject}: {one.text}" for one in plan.blockers)
        raise PreflightError(
            f"{host}: nothing was changed, for {len(plan.blockers)} finding(s) stand against the upgrade: {sentences}"
        )
