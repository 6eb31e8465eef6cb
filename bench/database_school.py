# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The databases that are saved: a school's contexts of OpenERP, a pupil's afternoon in one of them, and small ones.

A full one has the lab's 250 tables with keys and indexes, and beyond them what a context gathers in a year: a table of 20 000
texts, accounting lines and attachments. It takes about 40 MB on the disk, and its dump about 3.3 MB.
"""

from __future__ import annotations

from lab import school_data

_WORDS = (
    "le la les de des du un une et ou pour avec sans dans sur sous entre client fournisseur facture avoir commande livraison "
    "vélo guidon selle cadre roue pédale frein chaîne atelier élève professeur groupe stock inventaire achat vente devis bon "
    "réception paiement règlement échéance banque caisse compte écriture journal exercice période taxe remise prix quantité "
    "unité montant total solde débit crédit lettrage partenaire adresse contact téléphone courriel société lycée classe option "
    "module rapport modèle champ valeur défaut obligatoire calculé lecture seule affiché masqué liste formulaire recherche "
    "filtre action menu fenêtre bouton assistant confirmer annuler valider imprimer supprimer modifier créer dupliquer importer"
)
_TABLES, _FEW_TABLES = 250, 5
#: Of the roles that the lab's tables name.
ROLES = "CREATE ROLE pupille"


def _text(seed: str, words: str) -> str:
    """Return SQL for a text of words that follows from the seed, an SQL text of its own."""
    count = _WORDS.count(" ") + 1
    pick = f"(string_to_array('{_WORDS}', ' '))[1 + (hashtext({seed} || '/' || word) & 2147483647) % {count}]"
    return f"(SELECT string_agg({pick}, ' ') FROM generate_series(1, {words}) word)"


def _lines(seed: str, count: int) -> str:
    return (
        "INSERT INTO account_move_line (name, date, debit, partner_id, ref) SELECT 'Écriture ' || i, "
        f"date '2012-09-03' + i % 280, (hashtext('{seed}' || i) & 65535) / 100.0, 1 + i % 20, md5('{seed}' || i) "
        f"FROM generate_series(1, {count}) i;\n"
    )


def _attachments(seed: str, count: int) -> str:
    return (
        "INSERT INTO ir_attachment (name, datas_fname, res_model, res_id, db_datas) SELECT 'pièce ' || i, "
        "'facture-' || i || '.pdf', 'account.move.line', i, (SELECT decode(string_agg(md5("
        f"'{seed}' || i || '/' || j), ''), 'hex') FROM generate_series(1, 1500) j) FROM generate_series(1, {count}) i;\n"
    )


def full() -> str:
    """Return SQL for what all full databases have in common."""
    return (
        f"{school_data.template(_TABLES)}\n"
        "CREATE TABLE document_page (id serial NOT NULL, name character varying(64) NOT NULL, lang character varying(8), "
        "content text, write_date timestamp without time zone, CONSTRAINT document_page_pkey PRIMARY KEY (id));\n"
        "CREATE INDEX document_page_name_index ON document_page (name);\n"
        "INSERT INTO document_page (name, lang, content, write_date) SELECT 'page ' || i, 'fr_FR', "
        f"{_text('i', '30 + i % 40')}, timestamp '2012-09-03' + i * interval '11 minutes' FROM generate_series(1, 20000) i;\n"
        + _lines("commun", 12000)
        + _attachments("commun", 4)
    )


def own(name: str, number: int) -> str:
    """Return SQL for what one full database has of its own."""
    return _lines(name, 500 + number * 137 % 2000) + _attachments(name, 1 + number % 3)


def small() -> str:
    """Return SQL for a small database: five tables, some hundred rows."""
    return f"{school_data.template(_FEW_TABLES)}\n" + _lines("petit", 400)


def afternoon(name: str, number: int) -> str:
    """Return SQL for what a pupil does to a database in an afternoon: some hundred rows in several tables, others each time."""
    seed = f"{name} après-midi {number}"
    written = _text(f"'{seed}' || id", "50")
    return (
        _lines(seed, 200)
        + _attachments(seed, 1)
        + "INSERT INTO res_partner (name, ref) SELECT 'Client de passage ' || i, md5(i::text) FROM generate_series(1, 30) i;\n"
        f"UPDATE account_move_line SET ref = 'lettré ' || id WHERE id % 97 = {5 + number};\n"
        f"UPDATE document_page SET content = {written} WHERE id % 401 = {7 + number};\n"
        f"DELETE FROM document_page WHERE id % 2003 = {11 + number};\n"
    )
