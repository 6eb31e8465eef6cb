# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service control manager of one host.

Errors are Windows' own numbers (winerror.h); WMI's return values are made of them in wmi/service.py. A start or a stop
is accepted first and then takes ``lab_service_time`` seconds, so that everybody sees the pending states.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lab.windows import acl, messages

if TYPE_CHECKING:
    from lab.windows.host import Host

_MODES = {"auto": "Auto", "automatic": "Auto", "manual": "Manual", "demand": "Manual", "disabled": "Disabled",
          "boot": "Boot", "system": "System"}  # fmt: skip


def start_mode(text: str) -> str | None:
    """WMI's word for a start mode given by WMI, sc or a person."""
    return _MODES.get(text.lower())


@dataclass(slots=True)
class Service:
    """One service. ``state`` in WMI's words; the password is that of the account when it was last set."""

    name: str
    display: str
    path: str
    account: str = "LocalSystem"
    password: str = ""
    start_mode: str = "Auto"
    state: str = "Stopped"
    depends: list[str] = field(default_factory=list)
    description: str = ""
    own_process: bool = True
    error_control: str = "Normal"
    delayed: bool = False
    desktop: bool = False
    pid: int = 0
    exit_code: int = 1077
    specific: int = 0
    failure: dict[str, Any] = field(default_factory=dict)
    hang_stop: bool = False
    hang_start: bool = False
    failures: int = 0
    deleted: bool = False

    @property
    def image(self) -> str:
        """The program of the path, without quotes and arguments."""
        match = re.match(r'"([^"]+)"|(.+?\.exe)(?=\s|$)|(\S+)', self.path, re.IGNORECASE)
        return next(filter(None, match.groups()), "") if match else ""

    @property
    def is_postgresql(self) -> bool:
        """Whether a PostgreSQL stands behind: told by the image, as the product does."""
        return self.image.lower().endswith("\\pg_ctl.exe") and " runservice" in self.path.lower()

    @property
    def data_folder(self) -> str:
        """The folder after -D."""
        match = re.search(r'\s-D\s*(?:"([^"]+)"|(\S+))', self.path)
        return next(filter(None, match.groups()), "") if match else ""

    def dump(self) -> dict[str, Any]:
        """For comparison: without the password and the process number."""
        found = asdict(self)
        for name in ("password", "pid", "deleted"):
            del found[name]
        return found


class Scm:
    """The services of a host and what happens to them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.services: dict[str, Service] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def put(self, service: Service) -> Service:
        """Register a service."""
        self.services[service.name.lower()] = service
        return service

    def get(self, name: str) -> Service | None:
        """By key name, in any case."""
        return self.services.get(name.lower())

    def by_display(self, name: str) -> Service | None:
        """By key name or display name, as net does."""
        low = name.lower()
        return self.get(name) or next((item for item in self.services.values() if item.display.lower() == low), None)

    def dependents(self, service: Service) -> list[Service]:
        """The services that depend on this one."""
        low = service.name.lower()
        return [item for item in self.services.values() if low in (name.lower() for name in item.depends)]

    def hangs(self, service: Service, verb: str) -> bool:
        """Whether start or stop of this service never ends."""
        own = service.hang_stop if verb == "stop" else service.hang_start
        named = self._host.faults.text(f"hang_{verb}")
        return own or (named or "").lower() == service.name.lower()

    def _spawn(self, service: Service, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[service.name.lower()] = task
        task.add_done_callback(lambda done: self._done(service, done))

    def _done(self, service: Service, task: asyncio.Task[None]) -> None:
        if self._tasks.get(service.name.lower()) is task:
            del self._tasks[service.name.lower()]

    async def settled(self, service: Service) -> None:
        """Wait for a pending start or stop, as net and the lab's own start do; a service that hangs never settles."""
        task = self._tasks.get(service.name.lower())
        if task:
            await asyncio.wait([task])

    def account_error(self, service: Service) -> int:
        """0, 1057 (no such account) or 1069 (logon failure), judged when the service starts."""
        found = self._host.accounts.service_account(service.account)
        if found is None:
            return 1057
        account = self._host.accounts.by_sid(found[1])
        if account is None:
            return 0
        if account.disabled or account.password != service.password:
            self._host.events.service(7038, service.name, service.account, self._host.system(1326))
            return 1069
        if not account.service_logon:
            self._host.events.service(7038, service.name, service.account, self._host.system(1385))
            return 1069
        return 0

    def start(self, name: str) -> int:
        """StartService: 0 when accepted, else the error. What comes after is seen in the state and the event log."""
        service = self.get(name)
        if service is None:
            return 1060
        if service.deleted:
            return 1072
        if service.state != "Stopped":
            return 1056
        if service.start_mode == "Disabled":
            return 1058
        for needed in service.depends:
            other = self.get(needed)
            code = 1060 if other is None else self.start(needed) if other.state == "Stopped" else 0
            if code:
                shown = other.display if other else needed
                self._host.events.service(7001, service.display, shown, self._host.system(code))
                return 1068
        code = self.account_error(service) or self._image_error(service)
        if code:
            self._host.events.service(7000, service.display, self._host.system(code))
            service.exit_code = code
            return code
        service.state, service.pid, service.exit_code, service.specific = "Start Pending", self._host.new_pid(), 0, 0
        self._spawn(service, self._starting(service))
        return 0

    def _image_error(self, service: Service) -> int:
        """2 the program is absent, 5 the account may not run it, 193 it is none. Only checked where files are looked at."""
        found = self._host.accounts.service_account(service.account)
        if not service.is_postgresql or found is None:
            return self._host.openerp.image_error(service)
        image = self._host.drive.absolute(service.image)
        if self._host.drive.find(image) is None:
            return 2 if self._host.drive.is_folder(image.rpartition("\\")[0]) else 3
        token = self._host.accounts.token(found[1])
        allowed = self._host.acls.allows(self._host.drive.absolute(service.image), token, acl.READ_EXECUTE)
        return 0 if allowed else 5

    async def _starting(self, service: Service) -> None:
        if self.hangs(service, "start"):
            return
        if service.is_postgresql:
            reason = await self._host.start_cluster(service)
            if reason is not None:
                self._host.events.postgresql(reason)
                self.died(service, self._host.plan.postgresql["exit_code"] if self._host.plan.postgresql else 1067)
                return
        else:
            await asyncio.sleep(self._host.plan.service_time)
        if service.state == "Start Pending":
            service.state = "Running"
            self._host.events.entered(service.display, "Running")
            await self._host.openerp.started(service)

    def died(self, service: Service, code: int) -> None:
        """The process of a service ended by itself or was killed.

        1067 is what the SCM notes for a process that went without a word; 0 stands for pg_ctl, which reports
        SERVICE_STOPPED with no error after its postmaster is gone (pg_ctl.c, pgwin32_ServiceMain).
        """
        service.failures += 1
        service.state, service.pid, service.exit_code = "Stopped", 0, code
        if code == 1067:
            self._host.events.service(7034, service.display, str(service.failures))
        elif code:
            self._host.events.service(7023, service.display, self._host.system(code))
        else:
            self._host.events.entered(service.display, "Stopped")

    def stop(self, name: str) -> int:
        """ControlService(STOP): 0 when accepted, else the error."""
        service = self.get(name)
        if service is None:
            return 1060
        if service.state == "Stopped":
            return 1062
        if service.state != "Running":
            return 1061
        if any(item.state != "Stopped" for item in self.dependents(service)):
            return 1051
        if service.name.lower() in ("rpcss", "samss", "plugplay", "eventlog", "dcomlaunch"):
            return 1052
        service.state = "Stop Pending"
        self._spawn(service, self._stopping(service))
        return 0

    async def _stopping(self, service: Service) -> None:
        if self.hangs(service, "stop"):
            return
        if service.is_postgresql:
            before = time.monotonic()
            await self._host.stop_cluster(service)
            await asyncio.sleep(max(0.0, self._host.plan.service_time - (time.monotonic() - before)))
        else:
            self._host.openerp.stopped(service)
            await asyncio.sleep(self._host.plan.service_time)
        service.state, service.pid, service.exit_code = "Stopped", 0, 0
        self._host.events.entered(service.display, "Stopped")
        if service.deleted:
            self.services.pop(service.name.lower(), None)

    def release(self) -> None:
        """A hang was switched off: what waited goes on."""
        for service in self.services.values():
            if service.name.lower() in self._tasks:
                continue
            if service.state == "Stop Pending" and not self.hangs(service, "stop"):
                self._spawn(service, self._stopping(service))
            elif service.state == "Start Pending" and not self.hangs(service, "start"):
                self._spawn(service, self._starting(service))

    async def kill(self, service: Service) -> None:
        """taskkill /F on its process."""
        task = self._tasks.pop(service.name.lower(), None)
        if task:
            task.cancel()
        if service.is_postgresql:
            await self._host.stop_cluster(service, immediate=True)
        self._host.openerp.stopped(service)
        self.died(service, 1067)

    def change(self, name: str, **changes: Any) -> int:
        """ChangeServiceConfig: only what is given is changed. A new account acts at the next start."""
        service = self.get(name)
        if service is None:
            return 1060
        if service.deleted:
            return 1072
        account = changes.pop("account", None)
        if account is not None:
            found = self._host.accounts.service_account(account)
            if found is None:
                return 1057
            service.account = found[0]
            service.password = ""
        if "password" in changes:
            service.password = changes.pop("password") or ""
        mode = changes.get("start_mode")
        if mode is not None and mode != service.start_mode:
            self._host.events.service(7040, service.display, *(_mode_words(self._host.plan.language, word)
                                                               for word in (service.start_mode, mode)))  # fmt: skip
        for key, value in changes.items():
            if value is not None:
                setattr(service, key, value)
        return 0

    def create(self, service: Service) -> int:
        """CreateService."""
        if self.get(service.name):
            return 1073
        found = self._host.accounts.service_account(service.account)
        if found is None:
            return 1057
        service.account = found[0]
        self.put(service)
        self._host.events.service(7045, service.display)
        return 0

    def delete(self, name: str) -> int:
        """DeleteService: at once when stopped, else when it stops."""
        service = self.get(name)
        if service is None:
            return 1060
        if service.deleted:
            return 1072
        service.deleted = True
        if service.state == "Stopped":
            del self.services[service.name.lower()]
        return 0

    def lose_power(self) -> None:
        """The host goes dark: nothing is told to any service, nothing is written."""
        self.end()
        self._tasks.clear()
        self._host.openerp.vanish()
        for service in list(self.services.values()):
            if service.state == "Running" or service.pid:
                service.exit_code = 0
            service.state, service.pid = "Stopped", 0
            if service.deleted:  # what waited for its stop to go is gone at the next start
                del self.services[service.name.lower()]

    def boot(self) -> None:
        """The system starts: automatic services do, each after those it needs; manual ones only when needed.

        What Windows brings itself is up before anybody can ask; what was installed takes its time, as any start.
        """
        for service in list(self.services.values()):
            usual = not service.own_process or "\\windows\\" in service.image.lower()
            if service.start_mode != "Auto" or service.state != "Stopped":
                continue
            if usual:
                service.state, service.exit_code, service.pid = "Running", 0, self._host.new_pid()
            else:
                self.start(service.name)

    def end(self) -> None:
        """The lab goes down."""
        for task in self._tasks.values():
            task.cancel()


def _mode_words(language: str, mode: str) -> str:
    french = {"Auto": "Démarrage automatique", "Manual": "Démarrage à la demande", "Disabled": "Désactivé"}
    english = {"Auto": "auto start", "Manual": "demand start", "Disabled": "disabled"}
    return messages.text(language, french.get(mode, mode), english.get(mode, mode))
