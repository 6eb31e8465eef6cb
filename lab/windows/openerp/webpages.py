# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the web client: the few marks by which a scenario knows them (facts/openerp.md A7)."""

from __future__ import annotations

from html import escape
from typing import Any

BAD_LOGIN = "Bad username or password"
NO_SERVER = "Could not connect to server"


def _html(title: str, body: str) -> str:
    return f"<!DOCTYPE html>\n<html>\n<head>\n<title>{title}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"


def error(status: int, reason: str, text: str) -> str:
    """CherryPy's page for an error."""
    return _html(f"{status} {reason}", f"<h2>{status} {reason}</h2>\n<p>{escape(text)}</p>\n<pre id=\"traceback\">{escape(text)}"
                 "</pre>")  # fmt: skip


FORBIDDEN = _html("403 Forbidden", "<h2>403 Forbidden</h2>\n<p>Request Forbidden -- You are not allowed to access this "
                  "resource.</p>")  # fmt: skip


def login(databases: list[str] | None, chosen: str, user: str, message: str) -> str:
    """The login page; without a list of databases its field is one for text."""
    if databases is None:
        field = f'<input type="text" name="db" id="db" class="db_user_pass" value="{escape(chosen)}"/>'
    else:
        options = "\n".join(
            f'<option value="{escape(name)}"{" selected" if name == chosen else ""}>{escape(name)}</option>'
            for name in databases
        )
        field = f'<select name="db" id="db" class="db_user_pass">\n{options}\n</select>'
    said = f'\n<div class="login_error_message" id="message">{message}</div>' if message else ""
    return _html(
        "Login",
        '<form action="/" method="post" name="loginform" id="loginform" style="padding-bottom: 5px; min-width: 100px;">\n'
        f'{field}\n<input type="text" id="user" name="user" class="db_user_pass" value="{escape(user)}"/>\n'
        '<input type="password" value="" id="password" name="password" class="db_user_pass"/>\n'
        '<td class="db_login_buttons">\n<button type="submit" class="static_boxes">Login</button>\n'
        f'<input type="hidden" name="login_action" value="login"/></td>\n</form>{said}',
    )


def menu(user: str, roots: list[dict[str, Any]], children: list[dict[str, Any]] | None, active: str) -> str:
    """The page of a menu, or the first page with a second row of them when none is chosen."""
    links = [f'<a href="/openerp/menu?active={item["id"]}">{escape(str(item["name"]))}</a>' for item in roots]
    parts = [f'<div id="header">{escape(user)}\n<a class="logout" href="/openerp/logout">Logout</a></div>',
             "<ul>", *(f"<li>{link}</li>" for link in links), "</ul>"]  # fmt: skip
    if children is None:
        parts += ['<div id="menus">', *links, "</div>"]
    else:
        title = next((str(item["name"]) for item in roots if str(item["id"]) == active), "")
        parts.append(f"<h1>{escape(title)}</h1>")
        for item in children:
            number = item["id"]
            parts.append(f'<form method="post" id="tree_{number}" name="tree_{number}" action="/openerp/tree/action">'
                         f"{escape(str(item['name']))}</form>")  # fmt: skip
    return _html("OpenERP", "\n".join(parts))
