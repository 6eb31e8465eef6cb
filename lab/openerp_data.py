# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What OpenERP's own module ``base`` keeps in a database: the tables by which a release, a user or a menu is told.

Sources: facts/openerp.md A6 (1640 rows of ir_model_data under 6.0.3, ten more with 6.0.4: five currencies and their
rates; base has version 6.0.1.3 under both), the ORM's columns. Most of the 1640 rows are fillers: their number, their
``noupdate`` and their dates are played, their names are not.
"""

from __future__ import annotations

TABLES = (
    "ir_module_category", "ir_module_module", "ir_model_data", "ir_model_fields", "ir_ui_menu", "ir_translation",
    "ir_config_parameter", "res_company", "res_lang", "res_currency", "res_currency_rate",
)  # fmt: skip
ROWS = 1640
CURRENCIES = ("EUR", "VEB", "CAD", "CHF", "BRL", "CNY", "COP", "CZK", "DKK", "HUF", "INR", "JPY", "MAD", "MXN", "PLN", "RUB",
              "SEK", "TND", "USD", "GBP")  # fmt: skip
NEW_IN_6_0_4 = ("XOF", "XAF", "UGX", "HNL", "CLP")
# Which of the addons that a server brings are in use in a school, in the order in which they are loaded.
INSTALLED = ("base", "base_setup", "product", "account", "crm", "l10n_fr", "stock", "purchase", "sale")
AVAILABLE = ("hr",)
_OWN = (
    "create_uid integer, create_date timestamp without time zone, write_date timestamp without time zone, "
    "write_uid integer"
)
_FIRST = "2012-03-05 08:00:00"


def users(*logins: tuple[str, str, str]) -> str:
    """SQL for res_users with these (login, password, name); passwords stand there in clear (facts/openerp.md A3)."""
    values = ", ".join(f"('{login}', '{password}', '{name}', 'fr_FR')" for login, password, name in logins)
    return f"""CREATE TABLE res_users (id serial NOT NULL, login character varying(64) NOT NULL, password character varying(64),
 name character varying(64) NOT NULL, active boolean DEFAULT true, signature text, company_id integer,
 context_lang character varying(64), date timestamp without time zone, CONSTRAINT res_users_pkey PRIMARY KEY (id),
 CONSTRAINT res_users_login_key UNIQUE (login));
INSERT INTO res_users (login, password, name, context_lang) VALUES {values};"""


def base(installed: tuple[str, ...] = INSTALLED, available: tuple[str, ...] = AVAILABLE, when: str = _FIRST) -> str:
    """SQL, one implicit transaction, for what 6.0.3 fills a database with; res_users stands already."""
    codes = ", ".join(f"'{code}'" for code in CURRENCIES)
    modules = ", ".join(
        f"('{name}', '{state}', {version})"
        for names, state, version in ((installed, "installed", "'6.0.1.3'"), (available, "uninstalled", "NULL"))
        for name in names
    )
    return f"""CREATE TABLE ir_module_category (id serial NOT NULL, name character varying(128) NOT NULL, parent_id integer,
 CONSTRAINT ir_module_category_pkey PRIMARY KEY (id));
INSERT INTO ir_module_category (name) VALUES ('Base'), ('Generic Modules');
CREATE TABLE ir_module_module (id serial NOT NULL, {_OWN}, website character varying(256), name character varying(128) NOT NULL,
 author character varying(128), url character varying(128), state character varying(16), latest_version character varying(64),
 shortdesc character varying(256), category_id integer, certificate character varying(64), description text,
 demo boolean DEFAULT false, web boolean DEFAULT false, license character varying(32), menus_by_module text,
 maintainer character varying(128), contributors text, views_by_module text, published_version character varying(64),
 reports_by_module text, CONSTRAINT ir_module_module_pkey PRIMARY KEY (id), CONSTRAINT name_uniq UNIQUE (name));
CREATE INDEX ir_module_module_state_index ON ir_module_module (state);
ALTER TABLE ir_module_module ADD CONSTRAINT ir_module_module_category_id_fkey FOREIGN KEY (category_id)
 REFERENCES ir_module_category(id) ON DELETE SET NULL;
INSERT INTO ir_module_module (name, state, latest_version) VALUES {modules};
UPDATE ir_module_module SET latest_version = '6.0.1.1' WHERE name <> 'base' AND state = 'installed';
CREATE TABLE res_currency (id serial NOT NULL, {_OWN}, name character varying(32) NOT NULL, symbol character varying(3),
 rounding numeric(12,6), accuracy integer, active boolean DEFAULT true, company_id integer, date date, base boolean,
 CONSTRAINT res_currency_pkey PRIMARY KEY (id));
INSERT INTO res_currency (name, rounding, accuracy) SELECT c, 0.01, 4 FROM unnest(ARRAY[{codes}]) c;
CREATE TABLE res_currency_rate (id serial NOT NULL, {_OWN}, name date NOT NULL, rate numeric(12,6), currency_id integer,
 CONSTRAINT res_currency_rate_pkey PRIMARY KEY (id));
ALTER TABLE res_currency_rate ADD CONSTRAINT res_currency_rate_currency_id_fkey FOREIGN KEY (currency_id)
 REFERENCES res_currency(id) ON DELETE SET NULL;
INSERT INTO res_currency_rate (name, rate, currency_id) SELECT date '2010-01-01', 1.0, id FROM res_currency ORDER BY id;
CREATE TABLE res_company (id serial NOT NULL, {_OWN}, name character varying(128) NOT NULL, partner_id integer,
 currency_id integer, parent_id integer, rml_header text, CONSTRAINT res_company_pkey PRIMARY KEY (id));
INSERT INTO res_company (name, partner_id, currency_id) VALUES ('OpenERP S.A.', 1, 1);
CREATE TABLE res_lang (id serial NOT NULL, {_OWN}, name character varying(64) NOT NULL, code character varying(16) NOT NULL,
 translatable boolean, active boolean, CONSTRAINT res_lang_pkey PRIMARY KEY (id));
INSERT INTO res_lang (name, code, translatable, active) VALUES ('English', 'en_US', true, true),
 ('French / Français', 'fr_FR', true, true);
CREATE TABLE ir_config_parameter (id serial NOT NULL, {_OWN}, key character varying(256) NOT NULL, value text NOT NULL,
 CONSTRAINT ir_config_parameter_pkey PRIMARY KEY (id), CONSTRAINT ir_config_parameter_key_uniq UNIQUE (key));
INSERT INTO ir_config_parameter (key, value) VALUES ('database.uuid', '1954d472-e78e-11f1-b98e-02fc00000001'),
 ('database.create_date', '{when}');
CREATE TABLE ir_model_fields (id serial NOT NULL, {_OWN}, model character varying(64) NOT NULL, name character varying(64),
 field_description character varying(256), ttype character varying(64), state character varying(64),
 CONSTRAINT ir_model_fields_pkey PRIMARY KEY (id));
INSERT INTO ir_model_fields (model, name, ttype, state) SELECT 'publisher_warranty.contract', f, 'char', 'base' FROM
 unnest(ARRAY['name', 'date_start', 'date_stop', 'state', 'kind', 'check_support', 'check_opw']) f;
CREATE TABLE ir_ui_menu (id serial NOT NULL, {_OWN}, name character varying(64) NOT NULL, parent_id integer, sequence integer,
 icon character varying(64), CONSTRAINT ir_ui_menu_pkey PRIMARY KEY (id));
ALTER TABLE ir_ui_menu ADD CONSTRAINT ir_ui_menu_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES ir_ui_menu(id);
INSERT INTO ir_ui_menu (id, name, parent_id, sequence) VALUES (73, 'Sales', NULL, 0), (3, 'Administration', NULL, 50),
 (74, 'Address Book', 73, 1), (20, 'Configuration', 73, 99), (75, 'Customers', 74, 1), (4, 'Users', 3, 1);
SELECT setval('ir_ui_menu_id_seq', 120);
CREATE TABLE ir_translation (id serial NOT NULL, lang character varying(16), src text, name character varying(128) NOT NULL,
 type character varying(16), res_id integer, module character varying(64), value text, CONSTRAINT ir_translation_pkey
 PRIMARY KEY (id));
INSERT INTO ir_translation (lang, src, name, type, res_id, module, value) VALUES
 ('fr_FR', 'Sales', 'ir.ui.menu,name', 'model', 73, 'base', 'Ventes'),
 ('fr_FR', 'Address Book', 'ir.ui.menu,name', 'model', 74, 'base', 'Carnet d''adresses');
CREATE TABLE ir_model_data (id serial NOT NULL, {_OWN}, name character varying(128) NOT NULL, model character varying(64) NOT NULL,
 module character varying(64) NOT NULL, res_id integer, noupdate boolean DEFAULT false, date_init timestamp without time zone,
 date_update timestamp without time zone, CONSTRAINT ir_model_data_pkey PRIMARY KEY (id),
 CONSTRAINT ir_model_data_module_name_uniq UNIQUE (name, module));
CREATE INDEX ir_model_data_module_index ON ir_model_data (module);
INSERT INTO ir_model_data (name, model, module, res_id, noupdate, date_init, date_update) VALUES
 ('user_root', 'res.users', 'base', 1, true, NULL, '{when}'), ('main_company', 'res.company', 'base', 1, true, '{when}', '{when}'),
 ('lang_en', 'res.lang', 'base', 1, false, '{when}', '{when}'), ('menu_administration', 'ir.ui.menu', 'base', 3, false, '{when}', '{when}'),
 ('menu_base_partner', 'ir.ui.menu', 'base', 73, false, '{when}', '{when}'),
 ('menu_address_book', 'ir.ui.menu', 'base', 74, false, '{when}', '{when}'),
 ('menu_base_config', 'ir.ui.menu', 'base', 20, false, '{when}', '{when}');
INSERT INTO ir_model_data (name, model, module, res_id, noupdate, date_init, date_update) SELECT name, 'res.currency', 'base', id,
 true, '{when}', '{when}' FROM res_currency ORDER BY id;
INSERT INTO ir_model_data (name, model, module, res_id, noupdate, date_init, date_update) SELECT 'rate' || c.name,
 'res.currency.rate', 'base', r.id, true, '{when}', '{when}' FROM res_currency_rate r JOIN res_currency c ON c.id = r.currency_id
 ORDER BY r.id;
INSERT INTO ir_model_data (name, model, module, res_id, noupdate, date_init, date_update) SELECT CASE i % 4 WHEN 0 THEN 'field_base_'
 WHEN 1 THEN 'view_base_' WHEN 2 THEN 'access_base_' ELSE 'action_base_' END || i, CASE i % 4 WHEN 0 THEN 'ir.model.fields'
 WHEN 1 THEN 'ir.ui.view' WHEN 2 THEN 'ir.model.access' ELSE 'ir.actions.act_window' END, 'base', i, false, timestamp '{when}',
 timestamp '{when}' - i * interval '7 milliseconds' FROM generate_series(1, {ROWS} - (SELECT count(*)::integer FROM ir_model_data)) i;"""


def update(version: str, when: str) -> str:
    """SQL for what ``-u base`` of a release does to its data.

    Rows with ``noupdate`` keep their dates, models and fields are registered when a table is made and then no more; all
    others are loaded again (facts/openerp.md A6 and the dates of real rows; ir_model.py, _update [K: from memory of it]).
    """
    lines = [f"""UPDATE ir_model_data SET date_update = '{when}' WHERE module = 'base' AND NOT noupdate
 AND model NOT IN ('ir.model', 'ir.model.fields')"""]  # fmt: skip
    for code in NEW_IN_6_0_4 if has_new_data(version) else ():
        absent = f"NOT EXISTS (SELECT 1 FROM ir_model_data WHERE module = 'base' AND name = '{code}')"
        lines.append(f"""WITH c AS (INSERT INTO res_currency (name, rounding, accuracy) SELECT '{code}', 0.01, 4 WHERE {absent}
 RETURNING id), r AS (INSERT INTO res_currency_rate (name, rate, currency_id) SELECT date '2010-01-01', 1.0, id FROM c RETURNING id)
INSERT INTO ir_model_data (name, model, module, res_id, noupdate, date_init, date_update)
 SELECT '{code}', 'res.currency', 'base', id, true, timestamp '{when}', timestamp '{when}' FROM c
 UNION ALL SELECT 'rate{code}', 'res.currency.rate', 'base', id, true, timestamp '{when}', timestamp '{when}' FROM r""")
    lines.append("UPDATE ir_module_module SET state = 'installed', latest_version = '6.0.1.3' WHERE name = 'base'")
    return "".join(f"{line};\n" for line in lines)


def has_new_data(version: str) -> bool:
    """Whether a release brings what 6.0.4 added."""
    return int(version.rpartition(".")[2]) >= 4


def pending(module: str) -> str:
    """SQL for a module that an interrupted update left behind."""
    return f"UPDATE ir_module_module SET state = 'to upgrade' WHERE name = '{module}';"
