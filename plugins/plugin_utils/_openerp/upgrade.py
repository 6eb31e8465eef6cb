"""Take a server to another release: keep, stop, install, put back, update, start, verify; and all of it back when a step fails.

Note that this utility is private to the collection.

The journal announces each effect before it happens. A run that finds one completes it or, when it was on its way back, brings it
back; up to the first setup nothing but the services' state was changed, and it begins again.
"""

from __future__ import annotations

import time

from .._errors import LyceeError
from .._lease import LeaseError
from .._windows import files
from .._windows.quoting import quote
from . import dumps
from . import journal as book
from .conf import SERVER, WEB
from .errors import InstallationError, OpenErpError, UpdateError
from .install import Settings, hold, put_over, stop
from .installation import KINDS, put_back_values
from .journal import BACK, FAILED, RESTORED, RESTORING, SAVED, UPDATED, UPDATING, WAITING, DatabaseEntry
from .look import try_login
from .mirror import FILES, bring_missing, copy_ahead, difference, mirror
from .outcome import ROLLED_BACK, UNFINISHED, UPGRADED, Outcome
from .rpc import GOOD, REFUSED
from .source import Setup, bring
from .update import end_leftovers, update
from .work import Work

_TORN = (UPDATING, FAILED, RESTORING)


def marker(work: str) -> str:
    """Return the file that says in a folder on the server that what is in it may still bring the server back."""
    return f"{work}\\unfinished"


class ServiceLostError(OpenErpError):
    """The host does not answer any more."""

    unreachable = True


class Upgrade(Work):
    """One server's upgrade, from its journal on."""

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
        end_leftovers(self.target.session, self.journal.work)
        if not self.journal.is_past(book.SAVING):
            self._phase(book.SAVING)
            self._keep()
        elif self._resumed:
            self._stop_all()
            # Somebody may have worked meanwhile, where the services were started by hand.
            self._dump_all((SAVED,))
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
        session.run_line(f"type nul > {quote(marker(work))}")
        with_setup = [kind for kind in self._kinds() if (self._known(kind) or {})["setup"]]
        for kind in with_setup:
            self._step(f"bring the setup of the {kind}")
            self._bring(kind)
        for kind in with_setup:
            self._step(f"copy the folder of the {kind}")
            known = self._known(kind) or {}
            copy_ahead(session, known["folder"], self._kept(kind), self.options.copy_timeout)
        self._stop_all()
        self._take_stock()
        for kind in with_setup:
            # What was written between the first copy and the end of the service.
            self._step(f"complete the copy of the folder of the {kind}")
            known = self._known(kind) or {}
            mirror(session, known["folder"], self._kept(kind), self.options.copy_timeout)
        self._dump_all((WAITING, SAVED))

    def _bring(self, kind: str) -> str:
        """Bring a setup once in a run: its hash is compared there, and that takes its time."""
        if kind not in self._setups:
            setup = Setup(**self.journal.setups[kind])
            self._setups[kind] = bring(self.target.session, setup, self.journal.work, self.options.copy_timeout)
        return self._setups[kind]

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

    def _install(self, kind: str) -> None:
        known = self._known(kind)
        if not known:
            return
        session = self.target.session
        setup = self._bring(kind)
        conf = files.read(session, f"{self._kept(kind)}\\{KINDS[kind].conf}")
        if kind not in self.journal.setup_begun:
            self.journal.setup_begun.append(kind)
        self._save()
        part, changed = put_over(
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
        if changed:
            self._progress(f"the setup had changed {', '.join(changed)} of {KINDS[kind].conf}; put back")
        hold(session, part)
        if not difference(session, self._kept(kind), known["folder"], self.options.copy_timeout, "/XD", FILES):
            raise InstallationError(
                f"{self.target.name}: the setup of the {kind} ended with code 0 and changed nothing in {known['folder']}"
            )

    def _update_all(self) -> None:
        part = self._part(SERVER)
        if part is None:
            raise InstallationError(f"{self.target.name}: OpenERP's service is gone")
        stop(self.target.session, part, self.options.service_timeout, self._lease)
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
        self.journal.reason = self.journal.reason or reason.removeprefix(f"{self.target.name}: ")
        self.journal.direction = BACK
        self._save()
        self._progress(f"it failed and is taken back: {self.journal.reason}")
        try:
            problems = self._back()
            self._step("verify")
            problems += self._verify(self.journal.from_release)
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
        # From here on nothing needs what was kept: a run that is cut while it is removed must not look for it.
        self.journal.setup_begun = []
        self._save()
        self._tidy()
        return self._end(
            ROLLED_BACK,
            f"{self.target.name}: the upgrade to {self.journal.to_release} failed: {self.journal.reason}. It was taken back: "
            f"{self.journal.from_release} serves its databases as before, verified",
        )

    def _back(self) -> list[str]:
        """Bring back what was changed, start, and return what could not be brought: one database does not keep the school waiting."""
        session = self.target.session
        end_leftovers(session, self.journal.work)
        problems: list[str] = []
        torn = [entry.state for entry in self.journal.databases.values() if entry.state not in (WAITING, SAVED)]
        if self.journal.setup_begun or torn:
            self._stop_all()
        elif not self.journal.stopped:
            self._take_stock()
        for kind in self.journal.setup_begun:
            known = self._known(kind)
            if not known:
                continue
            self._step(f"put the folder of the {kind} back")
            mirror(session, self._kept(kind), known["folder"], self.options.copy_timeout, "/XD", FILES)
            if files.folder_exists(session, f"{self._kept(kind)}\\{FILES}"):
                bring_missing(
                    session, f"{self._kept(kind)}\\{FILES}", f"{known['folder']}\\{FILES}", self.options.copy_timeout
                )
            if known["key"]:
                values = {name: (value[0], value[1]) for name, value in known["values"].items()}
                wrong = put_back_values(session, known["key"], values)
                problems += [f"{name} of {known['key']} could not be put back" for name in wrong]
        problems += self._restore([name for name, one in self.journal.databases.items() if one.state in _TORN])
        self._start_all()
        broken = [
            name for name, one in self.journal.databases.items() if one.state == UPDATED and not self._serves(name, one)
        ]
        if broken:
            # A database in use can be neither renamed nor dropped.
            self._stop_all()
            problems += self._restore(broken)
            self._start_all()
        self._save()
        return problems

    def _restore(self, names: list[str]) -> list[str]:
        """Restore databases from their dumps, and return what could not be."""
        problems = []
        for name in names:
            try:
                self._bring_back(name, self.journal.databases[name], RESTORED)
            except LeaseError:
                raise
            except LyceeError as error:
                if self._is_gone(error):
                    raise
                problems.append(f"{name} was not restored: {error}")
        return problems

    def _serves(self, name: str, entry: DatabaseEntry) -> bool:
        """Return whether a database with the newer data serves with the older code, as 6.0 was seen to do; only a fault says no.

        Raises:
            ServiceError: OpenERP does not answer, which says nothing of the database.
        """
        return try_login(self.target, self._postgresql, self._rpc(), name) in (GOOD, REFUSED) or entry.login not in (
            GOOD,
            REFUSED,
        )

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
        """Remove what is needed no more, and look whether it is gone. Dumps hold the work of pupils, and are in the backups."""
        session, work = self.target.session, self.journal.work
        keep = self.options.keep_copies and not self.journal.reason and self.journal.setup_begun
        try:
            session.run_line(f"del /f /q {quote(marker(work))}")
            if keep:
                session.run_line(f"del /f /q {quote(work)}\\*.dump {quote(work)}\\*.exe {quote(work)}\\*.txt")
                left = [
                    entry.dump
                    for entry in self.journal.databases.values()
                    if entry.dump and files.exists(session, entry.dump)
                ]
            else:
                session.run_line(f"rd /s /q {quote(work)}")
                left = [work] if files.folder_exists(session, work) else []
            for name in left:
                self._progress(f"{name} could not be removed; remove it by hand, for it holds the work of pupils")
            for problem in dumps.drop_left_overs(self._postgresql, list(self.journal.databases)):
                self._progress(problem)
        except LyceeError as error:
            self._progress(f"{work} could not be tidied; remove it by hand, for it holds the work of pupils: {error}")

    def abandon(self) -> None:
        """Give up what was begun and had changed nothing yet: start what was stopped, and throw away what was kept.

        Raises:
            LyceeError: it does not start.
        """
        end_leftovers(self.target.session, self.journal.work)
        self._start_all()
        self.journal.setup_begun = []
        self._tidy()

    def _end(self, word: str, text: str, problems: list[str] | None = None) -> Outcome:
        try:
            version = self._rpc().version()
        except LyceeError:
            version = ""
        if self.journal.steps and self._begun:
            self.journal.steps[-1]["seconds"] = round(time.monotonic() - self._begun, 1)
        return Outcome(word, text, self.journal, version, problems or [])
