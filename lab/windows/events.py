# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log: what the service control manager and PostgreSQL write.

Source: texts of netevent.dll (7000, 7001, 7024, 7034, 7036, 7038, 7041), French ones as published [K].
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any

SCM = "Service Control Manager"
_ERROR, _WARNING, _INFORMATION = 1, 2, 3
_TEXTS: dict[int, tuple[int, str, str]] = {
    7000: (_ERROR, "Le service {0} n'a pas pu démarrer en raison de l'erreur : \r\n{1}",
           "The {0} service failed to start due to the following error: \r\n{1}"),
    7001: (_ERROR, "Le service {0} dépend du service {1} qui n'a pas pu démarrer en raison de l'erreur : \r\n{2}",
           "The {0} service depends on the {1} service which failed to start because of the following error: \r\n{2}"),
    7009: (_ERROR, "Le dépassement de délai ({0} millisecondes) a été atteint lors de l'attente de la connexion du "
           "service {1}.", "A timeout was reached ({0} milliseconds) while waiting for the {1} service to connect."),
    7023: (_ERROR, "Le service {0} s'est arrêté avec l'erreur : \r\n{1}",
           "The {0} service terminated with the following error: \r\n{1}"),
    7024: (_ERROR, "Le service {0} s'est arrêté avec l'erreur service particulier {1}.",
           "The {0} service terminated with service-specific error {1}."),
    7034: (_ERROR, "Le service {0} s'est terminé de façon inattendue. Ceci s'est produit {1} fois.",
           "The {0} service terminated unexpectedly.  It has done this {1} time(s)."),
    7036: (_INFORMATION, "Le service {0} est entré dans l'état : {1}.", "The {0} service entered the {1} state."),
    7038: (_ERROR, "Le service {0} n'a pas pu ouvrir de session sous {1} avec le mot de passe actuellement configuré "
           "en raison de l'erreur : \r\n{2}\r\n\r\nPour vous assurer que le service est configuré correctement, "
           "utilisez le composant logiciel enfichable Services dans la console MMC (Microsoft Management Console).",
           "The {0} service was unable to log on as {1} with the currently configured password due to the following "
           "error: \r\n{2}\r\n\r\nTo ensure that the service is configured properly, use the Services snap-in in "
           "Microsoft Management Console (MMC)."),
    7040: (_INFORMATION, "Le type de démarrage du service {0} est passé de {1} à {2}.",
           "The start type of the {0} service was changed from {1} to {2}."),
    7045: (_INFORMATION, "Un service a été installé sur le système.\r\n\r\nNom du service :  {0}",
           "A service was installed in the system.\r\n\r\nService Name:  {0}"),
}  # fmt: skip
_STATES = {"Running": ("en cours d'exécution", "running"), "Stopped": ("arrêté", "stopped")}


@dataclass(slots=True)
class Event:
    """One record; ``type``: 1 error, 2 warning, 3 information; ``time``: seconds since 1970."""

    record: int
    log: str
    source: str
    code: int
    type: int
    time: float
    message: str
    strings: list[str] = field(default_factory=list)

    @property
    def identifier(self) -> int:
        """EventIdentifier: the code with severity and facility bits, as the SCM's sources set them."""
        severity = {1: 0xC0000000, 2: 0x80000000, 3: 0x40000000}[self.type]
        return severity | self.code if self.source == SCM else self.code


class EventLog:
    """The records of a host, oldest first."""

    def __init__(self, language: str) -> None:
        self._french = language == "fr"
        self.events: list[Event] = []
        self._next = {"System": 4000, "Application": 1500, "Security": 9000}

    def add(self, log: str, source: str, code: int, kind: int, message: str, strings: list[str] | None = None) -> Event:
        """Write a record."""
        number = self._next.get(log, 1)
        self._next[log] = number + 1
        event = Event(number, log, source, code, kind, time.time(), message, strings or [message])
        self.events.append(event)
        del self.events[:-5000]
        return event

    def service(self, code: int, *strings: str) -> None:
        """A record of the service control manager."""
        kind, french, english = _TEXTS[code]
        self.add("System", SCM, code, kind, (french if self._french else english).format(*strings), list(strings))

    def entered(self, display: str, state: str) -> None:
        """7036: a service entered a state."""
        self.service(7036, display, _STATES[state][0 if self._french else 1])

    def postgresql(self, message: str, kind: int = _ERROR) -> None:
        """What pg_ctl or the postmaster write as a service: source PostgreSQL, event 0, their text as it is."""
        self.add("Application", "PostgreSQL", 0, kind, message)

    def dump(self) -> list[dict[str, Any]]:
        """For comparison."""
        return [asdict(event) for event in self.events]
