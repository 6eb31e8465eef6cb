# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases as OpenERP 6.0 leaves them: many small tables with keys, indexes and comments, and a school's rows in them.

The names of the first tables, and the columns that every table has, are OpenERP's own (openerp-server 6.0, the ORM's
``_auto_init``: id, create_uid, create_date, write_date, write_uid). What differs from one database to another follows from
its name alone, so that two labs of one inventory hold the same rows. From OPENERP tables on a database is one that an
OpenERP server serves; a smaller one is somebody's trial, without the tables of the module ``base``.
"""

from __future__ import annotations

import hashlib
from typing import Any

from lab import openerp_data
from lab.errors import LabError

FULL = 250
SMALLEST = 5
OPENERP = 20
_CORE = ("res_users", "res_partner", "account_move_line", "ir_attachment")
_USUAL = (
    "res_country", "res_groups", "res_bank",
    "res_partner_address", "res_partner_bank", "res_partner_category", "res_request", "ir_model",
    "ir_model_access", "ir_rule", "ir_cron", "ir_sequence", "ir_ui_view",
    "ir_values", "ir_actions", "ir_property", "account_account", "account_account_type", "account_analytic_account",
    "account_analytic_line", "account_bank_statement", "account_fiscalyear", "account_invoice", "account_invoice_line",
    "account_journal", "account_move", "account_payment_term", "account_period", "account_tax", "account_tax_code",
    "product_category", "product_pricelist", "product_product", "product_template", "product_uom", "purchase_order",
    "purchase_order_line", "sale_order", "sale_order_line", "sale_shop", "stock_inventory", "stock_location", "stock_move",
    "stock_picking", "stock_warehouse", "crm_case_section", "crm_lead", "crm_meeting", "hr_department", "hr_employee",
    "hr_holidays", "mrp_bom", "mrp_production", "mrp_routing", "project_project", "project_task", "wkf", "wkf_activity",
    "wkf_instance", "wkf_transition", "wkf_workitem",
)  # fmt: skip
_MODULES = ("account", "analytic", "base", "board", "crm", "document", "hr", "mrp", "point", "product", "project", "purchase",
            "sale", "stock", "survey")  # fmt: skip
_PARTS = ("chart_wizard", "line_report", "template_rule", "type_label", "history_entry", "config_todo", "import_batch",
          "category_rel", "period_close", "partner_balance", "category_tag", "journal_view", "followup_stage")  # fmt: skip
# What a dump must carry unharmed: accents, tabs, line ends, backslashes, quotes, a euro sign, nothing at all.
_TEXTS = (
    "E'Élève d''été à l''œuvre'", "E'colonne\\tune\\tdeux'", "E'première ligne\\nseconde ligne'", "E'C:\\\\Elèves\\\\Été'",
    "NULL", "E'Prix : 12 € « hors taxe »'", "E'\\\\.'", "''", "E'guillemets \" et '' mêlés ; -- rien'", "E'fin\\r\\n'",
)  # fmt: skip


def entry(host: str, value: Any) -> dict[str, Any]:
    """One entry of ``lab_postgresql.databases`` as a mapping. Raises LabError."""
    given = {"name": value} if not isinstance(value, dict) else value
    unknown = set(given) - {"name", "tables", "rows", "updated", "pending"}
    if unknown or not given.get("name"):
        raise LabError(f"host {host}: a database of lab_postgresql is a name, or a mapping of name, tables, rows, updated "
                       "and pending")  # fmt: skip
    found = {"name": str(given["name"]), "tables": given.get("tables", FULL), "rows": given.get("rows")}
    if len(found["name"].encode()) > 63 or "\n" in found["name"]:
        raise LabError(f"host {host}: a database's name is one line of at most 63 bytes, not {found['name']!r}")
    tables, rows = found["tables"], found["rows"]
    if not isinstance(tables, int) or (tables and not SMALLEST <= tables <= FULL):
        raise LabError(f"host {host}: tables of a database is {tables!r}; it must be 0, or from {SMALLEST} to {FULL}")
    if rows is not None and (not isinstance(rows, int) or rows < 0):
        raise LabError(f"host {host}: rows of a database is {rows!r}; it must be a number")
    for name in ("updated", "pending"):
        if not isinstance(given.get(name, False), bool):
            raise LabError(f"host {host}: {name} of a database is {given[name]!r}; it must be true or false")
        if given.get(name) and tables < OPENERP:
            raise LabError(f"host {host}: {name} needs a database of at least {OPENERP} tables, which OpenERP serves")
        if given.get(name):
            found[name] = True
    return found


def table_names(count: int) -> list[str]:
    """The names of so many tables."""
    more = [f"{module}_{part}" for part in _PARTS for module in _MODULES]
    own = openerp_data.TABLES if count >= OPENERP else ()
    return [*_CORE, *own, *_USUAL, *more][:count]


def template(count: int) -> str:
    """SQL, one implicit transaction, for the tables that databases of one size have in common."""
    texts = f"(ARRAY[{', '.join(_TEXTS)}]::text[])"
    people = openerp_data.users(("admin", "admin", "Administrateur"), ("prof", "craie", "Professeur"))
    lines = [people, _CORE_SQL.format(texts=texts)]
    if count >= OPENERP:
        lines.append(openerp_data.base())
    for number, name in enumerate(
        table_names(count)[len(_CORE) + (len(openerp_data.TABLES) if count >= OPENERP else 0) :]
    ):
        # Texts of any length and a second index stand in every third table: each costs files, in every database.
        rich = number % 3 == 0
        note, value = (", note text", f", {texts}[1 + (i + {number}) % {len(_TEXTS)}]") if rich else ("", "")
        lines.append(f"""CREATE TABLE {name} (id serial NOT NULL, create_uid integer, create_date timestamp without time zone,
 write_date timestamp without time zone, write_uid integer, name character varying(64) NOT NULL, active boolean DEFAULT true,
 sequence integer, state character varying(16), amount numeric(16,2), partner_id integer{note},
 CONSTRAINT {name}_pkey PRIMARY KEY (id));
ALTER TABLE {name} ADD CONSTRAINT {name}_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES res_partner(id) ON DELETE SET NULL;
COMMENT ON TABLE {name} IS 'Modèle {name.replace("_", ".")}';
INSERT INTO {name} (name, create_date, sequence, state, amount, partner_id{note.partition(" text")[0]}) SELECT '{name} n° ' || i,
 timestamp '2012-03-05 08:00' + i * interval '37 minutes', i, CASE i % 3 WHEN 0 THEN 'draft' WHEN 1 THEN 'done' END,
 i * {number + 1}.37, 1 + i % 20{value} FROM generate_series(1, {number % 6}) i;""")
        if rich:
            lines.append(f"CREATE INDEX {name}_name_index ON {name} (name);")
        if number % 4 == 0:
            lines.append(f"ALTER TABLE {name} ADD CONSTRAINT {name}_create_uid_fkey FOREIGN KEY (create_uid) "
                         "REFERENCES res_users(id) ON DELETE SET NULL;")  # fmt: skip
        if number % 5 == 0:
            lines.append(f"COMMENT ON COLUMN {name}.amount IS 'Montant (€)';")
        if number % 40 == 7:
            lines.append(f"CREATE VIEW report_{name} AS SELECT state, count(*) AS nbr, sum(amount) AS total FROM {name} "
                         "GROUP BY state;")  # fmt: skip
    return "\n".join(lines)


def own(item: dict[str, Any]) -> str:
    """SQL, one implicit transaction, for what one database has of its own, by its entry."""
    lines = [rows(item["name"], item["rows"])]
    if item.get("updated"):
        lines.append(openerp_data.update("6.0.4", "2012-04-20 18:00:00"))
    if item.get("pending"):
        lines.append(openerp_data.pending("sale"))
    return "\n".join(lines)


def rows(name: str, count: int | None) -> str:
    """SQL for the rows that no other database has."""
    seed = hashlib.sha256(name.encode()).hexdigest()
    number = int(seed[:8], 16)
    lines = 300 + number % 2200 if count is None else count
    texts = f"(ARRAY[{', '.join(_TEXTS)}]::text[])"
    return f"""INSERT INTO res_partner (name, ref, comment) SELECT 'Élève ' || substr(md5('{seed}' || i), 1, 12),
 CASE i % 4 WHEN 0 THEN NULL ELSE upper(md5(i || '{seed}')) END, {texts}[1 + i % {len(_TEXTS)}]
 FROM generate_series(1, {20 + number % 60}) i;
INSERT INTO account_move_line (name, date, debit, credit, partner_id, ref, note) SELECT 'Écriture ' || md5('{seed}' || i),
 date '2012-09-03' + (i % 280), (hashtext('{seed}' || i) & 65535) / 100.0, NULL, 1 + i % 20, md5(i::text),
 {texts}[1 + (i * 7) % {len(_TEXTS)}] FROM generate_series(1, {lines}) i;
INSERT INTO ir_attachment (name, datas_fname, res_model, res_id, db_datas) SELECT 'pièce ' || i, 'facture-' || i || '.pdf',
 'account.move.line', i, (SELECT decode(string_agg(md5('{seed}' || i || '/' || j), ''), 'hex')
 FROM generate_series(1, 100 + (i * 613) % 900) j) FROM generate_series(1, {2 + number % 5}) i;
UPDATE res_users SET signature = '{seed[:16]}' WHERE id = 1;
SELECT lo_from_bytea(0, decode(repeat('{seed}', 40), 'hex'));"""


_CORE_SQL = """CREATE TABLE res_partner (id serial NOT NULL, name character varying(128) NOT NULL, ref character varying(64), comment text,
 parent_id integer, user_id integer, active boolean DEFAULT true, CONSTRAINT res_partner_pkey PRIMARY KEY (id));
CREATE INDEX res_partner_name_index ON res_partner (name);
ALTER TABLE res_partner ADD CONSTRAINT res_partner_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES res_partner(id);
ALTER TABLE res_partner ADD CONSTRAINT res_partner_user_id_fkey FOREIGN KEY (user_id) REFERENCES res_users(id) ON DELETE SET NULL;
INSERT INTO res_partner (name, ref, comment, user_id) SELECT 'Fournisseur n° ' || i, NULLIF('F' || i, 'F3'), {texts}[1 + i % 10], 1
 FROM generate_series(1, 20) i;
CREATE TABLE account_move_line (id serial NOT NULL, name character varying(64) NOT NULL, date date NOT NULL, debit numeric(16,2),
 credit numeric(16,2), partner_id integer, ref character varying(64), note text, CONSTRAINT account_move_line_pkey PRIMARY KEY (id));
CREATE INDEX account_move_line_date_index ON account_move_line (date);
CREATE INDEX account_move_line_partner_ref_index ON account_move_line (partner_id, ref);
ALTER TABLE account_move_line ADD CONSTRAINT account_move_line_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES res_partner(id)
 ON DELETE RESTRICT;
ALTER TABLE account_move_line ADD CONSTRAINT account_move_line_credit_debit1 CHECK (debit IS NULL OR debit >= 0);
CREATE TABLE ir_attachment (id serial NOT NULL, name character varying(64) NOT NULL, datas_fname character varying(64),
 res_model character varying(64), res_id integer, db_datas bytea, CONSTRAINT ir_attachment_pkey PRIMARY KEY (id));
COMMENT ON TABLE res_partner IS 'Partenaires';
COMMENT ON COLUMN res_partner.ref IS 'Référence « interne »';
CREATE VIEW report_account_sum AS SELECT partner_id, sum(debit) AS total, count(*) AS nbr FROM account_move_line GROUP BY partner_id;
CREATE FUNCTION lycee_solde(integer) RETURNS numeric AS $body$
DECLARE solde numeric;
BEGIN
 SELECT COALESCE(sum(debit), 0) INTO solde FROM account_move_line WHERE partner_id = $1;
 RETURN solde; -- en euros, l'été compris
END;
$body$ LANGUAGE plpgsql STABLE;
GRANT SELECT ON res_partner, report_account_sum TO pupille;
SELECT lo_from_bytea(0, decode(repeat('00ff5c0a09', 1200), 'hex'));"""
