# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a server loads the modules of a database, updates them, or fills an empty database.

Sources: facts/openerp.md A4 and A6, and the real logs for the module base. For other modules, for ``-u base`` marking what depends on
it, and for what an interrupted update leaves: bin/addons/__init__.py [K: from memory of it, not read again].
Played: the order of the messages, the transactions and what they change. What a module other than base brings is named by one view and one file of rights.
"""

from __future__ import annotations

import ast
import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from lab import openerp_data
from lab.windows.files import Drive, WindowsPathError
from lab.windows.openerp.log import Log
from lab.windows.openerp.pgwire import DatabaseError, literal
from lab.windows.openerp.pool import Pool

_BASE = (
    "base_data.xml security/base_security.xml base_menu.xml res/res_security.xml res/res_config.xml "
    "data/res.country.state.csv base_update.xml ir/wizard/wizard_menu_view.xml ir/ir.xml ir/workflow/workflow_view.xml "
    "ir/report/ir_report.xml module/module_view.xml module/module_data.xml module/module_report.xml "
    "module/wizard/base_module_import_view.xml module/wizard/base_module_update_view.xml "
    "module/wizard/base_language_install_view.xml module/wizard/base_import_language_view.xml "
    "module/wizard/base_module_upgrade_view.xml module/wizard/base_module_configuration_view.xml "
    "module/wizard/base_module_shortcut_data.xml module/wizard/base_export_language_view.xml "
    "module/wizard/base_update_translations_view.xml res/res_request_view.xml res/res_lang_view.xml res/res_log_view.xml "
    "res/partner/partner_report.xml res/partner/partner_view.xml res/partner/partner_shortcut_data.xml res/bank_view.xml "
    "res/country_view.xml res/res_currency_view.xml res/partner/crm_view.xml "
    "res/partner/wizard/partner_sms_send_view.xml res/partner/wizard/partner_wizard_spam_view.xml "
    "res/partner/wizard/partner_clear_ids_view.xml res/partner/wizard/partner_wizard_ean_check_view.xml "
    "res/partner/partner_data.xml res/ir_property_view.xml security/base_security.xml "
    "publisher_warranty/publisher_warranty_view.xml security/ir.model.access.csv res/res_widget_view.xml "
    "res/res_widget_data.xml publisher_warranty/publisher_warranty_data.xml"
)
_BASE_FILES = tuple(_BASE.split())
_DEMO = (
    "base_demo.xml res/partner/partner_demo.xml res/partner/crm_demo.xml res/res_widget_demo.xml test/base_test.xml "
    "test/base_test.yml test/test_context.xml test/bug_lp541545.xml test/test_osv_expression.yml "
    "test/test_ir_rule.yml"
)
_DEMO_FILES = tuple(_DEMO.split())
_STORED = ("global", "web_icon_data", "web_icon_hover_data", "menus_by_module", "reports_by_module", "views_by_module",
           "report_file")  # fmt: skip
_PARENTS = "Computing parent left and right for table res_partner_category..."
_REPORT = ("Assertions report:", "Level\tsuccess\tfailed", "error\t1\t0", "total\t1\t0",
           "end of report (1 assertion(s) checked)")  # fmt: skip


async def _on() -> None:
    """Nothing happens in the middle."""


@dataclass
class Hooks:
    """What may happen in the middle of an update: faults, a power cut, the time that it takes."""

    before_base: Callable[[str], Awaitable[None]] | None = None
    before_module: Callable[[str, str], Awaitable[None]] | None = None
    halfway: Callable[[], Awaitable[None]] = _on
    seconds: float = 0.0


@dataclass
class Loader:
    """What one process has loaded.

    Attributes:
        registered: modules whose classes this process knows, said once per process. pools: databases that are loaded.
    """

    drive: Drive
    log: Log
    pool: Pool
    version: str
    addons: str
    hooks: Hooks = field(default_factory=Hooks)
    registered: set[str] = field(default_factory=set)
    pools: set[str] = field(default_factory=set)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    def _say(self, database: str, text: str, name: str = "init") -> None:
        self.log.info(database, name, text)

    def on_disk(self) -> dict[str, str]:
        """The addons that the server finds, with their versions as the server shows them (6.0. before it)."""
        found: dict[str, str] = {}
        for folder in self.addons.split(","):
            try:
                entries = self.drive.listing(self.drive.absolute(folder))
            except WindowsPathError:
                continue
            for name, real in entries:
                manifest = real / "__openerp__.py"
                if manifest.is_file():
                    try:
                        values = ast.literal_eval(manifest.read_text(errors="replace"))
                        found[name] = f"6.0.{values.get('version', '1.0')}"
                    except (ValueError, SyntaxError, AttributeError):
                        found[name] = "6.0.1.0"
        return found

    async def ensure(self, database: str) -> None:
        """pooler.get_pool(): load a database if this process has not. Raises DatabaseError."""
        async with self.locks.setdefault(database, asyncio.Lock()):
            if database not in self.pools:
                await self.load(database)

    async def load(self, database: str, update: tuple[str, ...] = ()) -> None:
        """pooler.get_db_and_pool(). Raises DatabaseError."""
        found = await self.pool.run(
            database, "SELECT relname FROM pg_class WHERE relkind='r' AND relname='ir_module_module'"
        )
        if not found:
            # An empty database is filled without a question (facts/openerp.md A4, restore).
            await self._refuse_foreign(database)
            self._say(database, "init db")
            await self.fill(database, demo=True)
        elif update:
            await self._update(database, update)
        else:
            for name in await self._installed(database):
                self._objects(database, name)
        self.pools.add(database)

    async def _refuse_foreign(self, database: str) -> None:
        tables = await self.pool.run(
            database, "SELECT count(*) FROM pg_class WHERE relkind='r' AND relname='res_users'"
        )
        if tables != [["0"]]:
            raise DatabaseError('LAB: this database has tables of OpenERP but no ir_module_module: what a server makes of it '
                                "is not played\n")  # fmt: skip

    async def _installed(self, database: str) -> list[str]:
        rows = await self.pool.run(
            database, "SELECT name FROM ir_module_module WHERE state IN ('installed', 'to upgrade') ORDER BY id"
        )
        names = [name for (name,) in rows if name]
        order = {name: index for index, name in enumerate(openerp_data.INSTALLED)}
        names.sort(key=lambda name: order.get(name, len(order)))
        there = self.on_disk()
        for name in names:
            if name not in there:
                self.log.write(database, "WARNING", "addons", f"module {name}: module not found")
        return [name for name in names if name in there]

    def _objects(self, database: str, name: str) -> None:
        self._say(database, f"module {name}: loading objects")
        if name not in self.registered:
            self.registered.add(name)
            self._say(database, f"module {name}: registering objects")

    def _translations(self, database: str, name: str) -> None:
        self._say(database, f"module {name}: loading translation file (fr) for language fr_FR", "i18n")
        self._say(database, f"loading {self.addons}\\{name}\\i18n\\fr.po", "i18n")

    async def _update(self, database: str, update: tuple[str, ...]) -> None:
        base = "base" in update or "all" in update
        modules = await self._installed(database)
        pause = self.hooks.seconds / (len(_BASE_FILES) + len(modules) + 1)
        self._objects(database, "base")
        french = bool(await self.pool.run(database, "SELECT 1 FROM res_lang WHERE code = 'fr_FR' AND translatable"))
        if base:
            if modules == ["base"] and self.hooks.before_module:
                await self.hooks.before_module(database, "base")
            await self._base(database, pause, french)
        self._say(database, "updating modules list")
        await self._module_list(database)
        if "base" in update:  # button_upgrade reaches whatever depends on it
            await self.pool.run(
                database,
                "UPDATE ir_module_module SET state = 'to upgrade' WHERE state = 'installed' AND name <> 'base'",
            )
        for name in modules:
            if name == "base":
                continue
            self._objects(database, name)
            if not base and name not in update:
                continue
            if self.hooks.before_module:
                await self.hooks.before_module(database, name)
            self._say(database, f"module {name}: creating or updating database tables")
            self._say(database, f"module {name}: loading {name}_view.xml")
            self._say(database, f"module {name}: loading security/ir.model.access.csv")
            if french:
                self._translations(database, name)
            await self.pool.run(
                database,
                f"UPDATE ir_model_data SET date_update = {_now()} WHERE module = {literal(name)} AND NOT noupdate; "
                f"UPDATE ir_module_module SET state = 'installed', latest_version = "
                f"{literal(self.on_disk().get(name))} WHERE name = {literal(name)}",
            )
            await asyncio.sleep(pause)

    async def _base(self, database: str, pause: float, french: bool) -> None:
        async with self.pool.cursor(database) as connection:
            await connection.run("BEGIN")
            try:
                await connection.run("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'base' "
                                     "AND state = 'installed'")  # fmt: skip
                self._say(database, "module base: creating or updating database tables")
                if self.hooks.before_base:
                    await self.hooks.before_base(database)
                for number, name in enumerate(_BASE_FILES):
                    self._say(database, f"module base: loading {name}")
                    await asyncio.sleep(pause)
                    if number == len(_BASE_FILES) // 2:
                        await self.hooks.halfway()
                await connection.run(openerp_data.update(self.version, time.strftime("%Y-%m-%d %H:%M:%S")))
                if french:
                    self._translations(database, "base")
                await connection.run("COMMIT")
            except DatabaseError:
                await connection.run("ROLLBACK")
                raise

    async def _module_list(self, database: str) -> None:
        known = {name for (name,) in await self.pool.run(database, "SELECT name FROM ir_module_module")}
        new = sorted(set(self.on_disk()) - known)
        if new:
            values = ", ".join(f"({literal(name)}, 'uninstalled')" for name in new)
            await self.pool.run(database, f"INSERT INTO ir_module_module (name, state) VALUES {values}")

    async def fill(self, database: str, demo: bool, language: str = "fr_FR", created: bool = False) -> None:
        """Make the module base in an empty database; ``created``: for db.create, not since somebody logged in on it."""
        self._objects(database, "base")
        self._say(database, "module base: creating or updating database tables")
        self._say(database, _PARENTS, "data")
        for name in _STORED:
            self._say(database, f"storing computed values of fields.function '{name}'", "data")
        when = time.strftime("%Y-%m-%d %H:%M:%S")
        there = self.on_disk()
        others = tuple(name for name in there if name != "base")
        people = openerp_data.users(("admin", "admin", "Administrator"))
        await self.pool.run(database, f"{people}\n{openerp_data.base(('base',), others, when)}")
        if openerp_data.has_new_data(self.version):
            await self.pool.run(database, openerp_data.update(self.version, when))
        for name in (*_BASE_FILES, *(_DEMO_FILES if demo else ())):
            self._say(database, f"module base: loading {name}")
            if name == "base_data.xml" and language != "en_US":
                self.log.write(database, "WARNING", "i18n", f"Unable to get information for locale {language}. Information "
                               "from the default locale (en_US) have been used.")  # fmt: skip
            await asyncio.sleep(0)
        if language == "fr_FR":
            self._translations(database, "base")
        if created:
            self._say(database, "updating modules list")
        for number, line in enumerate(_REPORT, 1):
            self._say(database, f"[{number:02d}]: {line}")
        if not created:
            self._say(database, _PARENTS, "data")
        elif language == "fr_FR":
            self._translations(database, "base")
        self.pools.add(database)


def _now() -> str:
    return f"'{time.strftime('%Y-%m-%d %H:%M:%S')}'"
