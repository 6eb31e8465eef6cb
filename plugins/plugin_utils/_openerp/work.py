"""One server while it is upgraded or taken back: its programs stopped and started, its people's databases counted, its service verified.

Note that this utility is private to the collection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .._postgresql.server import Server
from .._windows import services
from .._windows.services import STOPPED
from . import dumps
from . import journal as book
from .conf import SERVER, WEB
from .errors import JournalError
from .install import Settings, hold, put_settings_back, stop
from .installation import Part, find_part
from .journal import BACK, Journal, Store
from .look import NO_CONTEXTS, Target, try_login
from .outcome import Options
from .rpc import GOOD, REFUSED, Rpc, login_page, missing
from .waiting import wait_until_it_answers

Step = Callable[[str], None]
Progress = Callable[[str], None]


class Work:
    """One server and the journal of its upgrade."""

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
        self._setups: dict[str, str] = {}

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
        try:
            self.store.save(self.journal)
        except JournalError as error:
            if self.journal.direction != BACK:
                raise
            # On the way back the server counts more than this machine's full disk.
            self._progress(str(error))

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
        """Stop both programs, and keep them from starting by themselves until they are started on purpose."""
        for kind in (WEB, SERVER):
            part = self._part(kind) if self._known(kind) else None
            if part is None:
                continue
            hold(self.target.session, part)
            if part.service.state != STOPPED:
                self._step(f"stop {part.service.name}")
            stop(self.target.session, part, self.options.service_timeout, self._lease)
        self.journal.stopped = self.journal.stopped or time.time()
        self._save()

    def _start_all(self) -> None:
        """Give the services their settings back, start what was running, the server first, and wait until it answers."""
        for kind in (SERVER, WEB):
            known = self._known(kind)
            if not known:
                continue
            settings = Settings.from_dict(known["settings"])
            put_settings_back(self.target.session, settings, self.options.service_timeout, self._lease)
            if not known["running"]:
                continue
            self._step(f"start {settings.name}")
            services.start(self.target.session, settings.name, self.options.service_timeout, self._lease)
            wait_until_it_answers(
                self.target.session,
                settings.name,
                self._rpc().databases if kind == SERVER else self._login_page,
                self.options.service_timeout,
                self._lease,
            )
        if self.journal.stopped:
            self.journal.away += time.time() - self.journal.stopped
            self.journal.stopped = 0.0

    def _take_stock(self) -> None:
        """Note what people made or dropped while the server was looked at and copied: nothing of it is ours to miss or to find."""
        user = self.target.access.user
        now = {one.name: one for one in self._postgresql.databases() if one.connectable and one.name not in NO_CONTEXTS}
        gone = [name for name in self.journal.present if name not in now]
        for name in gone:
            self._progress(f"{name}: somebody dropped it meanwhile")
            self.journal.databases.pop(name, None)
            self.journal.logins.pop(name, None)
        made = [name for name, one in now.items() if name not in self.journal.present and one.owner == user]
        for name in made:
            self._progress(f"{name}: somebody made it meanwhile; run again to update it")
        self.journal.listed = sorted({*(name for name in self.journal.listed if name not in gone), *made})
        if self.journal.page is not None:
            self.journal.page = [name for name in self.journal.page if name not in gone]
        self.journal.present = sorted(now)
        self._save()

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
        left = dumps.left_overs(self.journal.databases)
        problems += [f"{name} was left behind by a restore" for name in listed if name in left]
        for number, (name, before) in enumerate(self.journal.logins.items(), 1):
            now = try_login(self.target, self._postgresql, rpc, name)
            self._progress(f"[{number}/{len(self.journal.logins)}] {name}: login {now}")
            if now != before and before in (GOOD, REFUSED):
                problems.append(f"a login on {name} was {before} and is now {now}")
        known = self.journal.web
        if known and known["running"] and self.journal.page is not None:
            page = self._login_page()
            problems += [f"the login page does not offer {name}" for name in missing(self.journal.page, page)]
        return problems
