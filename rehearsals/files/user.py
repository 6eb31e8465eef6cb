# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user of OpenERP in a rehearsal: creates a context, records an employee, and counts what he sees, over XML-RPC as the clients do.

user.py ADDRESS create DATABASE      a new context with the module of human resources
user.py ADDRESS hire DATABASE NAME   a new employee
user.py ADDRESS count DATABASE       rows of each model as JSON, and the names of the employees
"""

from __future__ import annotations

import json
import sys
import time
import xmlrpc.client
from typing import Any

_MODELS = ("hr.employee", "res.users", "ir.module.module", "ir.ui.menu", "res.currency", "ir.model.data")
#: Seconds that the creation of a context may take.
_DEADLINE = 120.0


class User:
    """One who logs in as admin."""

    def __init__(self, address: str, database: str) -> None:
        self._url, self._database = f"http://{address}:8069/xmlrpc", database

    def service(self, name: str) -> Any:
        """Return one of the services."""
        return xmlrpc.client.ServerProxy(f"{self._url}/{name}", allow_none=True)

    def execute(self, model: str, method: str, *arguments: Any) -> Any:
        """Call a method of a model."""
        number = self.service("common").login(self._database, "admin", "admin")
        return self.service("object").execute(self._database, number, "admin", model, method, *arguments)

    def create(self) -> None:
        """Create the context, and install the module hr in it."""
        job = self.service("db").create("admin", self._database, False, "fr_FR", "admin")
        deadline = time.monotonic() + _DEADLINE
        while self.service("db").get_progress("admin", job)[0] < 1:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self._database} was not created in {_DEADLINE:g} s")
            time.sleep(0.2)
        self.execute(
            "ir.module.module", "button_install", self.execute("ir.module.module", "search", [("name", "=", "hr")])
        )
        self.execute("base.module.upgrade", "upgrade_module", [self.execute("base.module.upgrade", "create", {})])

    def count(self) -> dict[str, Any]:
        """Return the rows of each model, and the employees' names."""
        found: dict[str, Any] = {model: self.execute(model, "search_count", []) for model in _MODELS}
        people = self.execute("hr.employee", "read", self.execute("hr.employee", "search", []), ["name"])
        return {**found, "employees": sorted(one["name"] for one in people)}


def main(address: str, what: str, database: str, *names: str) -> None:
    """Do one thing."""
    user = User(address, database)
    if what == "create":
        user.create()
    elif what == "hire":
        user.execute("hr.employee", "create", {"name": names[0]})
    print(json.dumps(user.count(), sort_keys=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
