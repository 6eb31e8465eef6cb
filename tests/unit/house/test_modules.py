# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module is a documented name with an action that takes what the documentation says."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml
from ansible_collections.lycee.openerp.plugins.plugin_utils._action import LyceeAction, argument_spec

from tests.labs import ROOT

MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
ACTIONS = sorted(path.stem for path in (ROOT / "plugins" / "action").glob("*.py"))
PACKAGE = "ansible_collections.lycee.openerp.plugins"


def test_there_is_one_action_per_module() -> None:
    assert MODULES == ACTIONS != []


@pytest.mark.parametrize("name", MODULES)
def test_the_action_validates_by_the_documentation(name: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.modules.{name}")
    action = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
    assert issubclass(action, LyceeAction)
    documentation = yaml.safe_load(module.DOCUMENTATION)
    assert argument_spec(*_fragments(documentation), module.DOCUMENTATION) == action.SPEC
    assert documentation["module"] == name
    assert {"check_mode", "diff_mode", "action"} <= set(documentation["attributes"])
    for entry in yaml.safe_load(module.EXAMPLES):
        (arguments,) = (
            (value for key, value in entry.items() if key == f"lycee.openerp.{name}")
            if any(key == f"lycee.openerp.{name}" for key in entry)
            else ({},)
        )
        assert set(arguments or {}) <= set(action.SPEC), entry
    assert yaml.safe_load(module.RETURN)


def _fragments(documentation: dict[str, list[str]]) -> list[str]:
    """Return the texts of the fragments with options that a module's documentation extends."""
    texts = [
        importlib.import_module(f"{PACKAGE}.doc_fragments.{name.rpartition('.')[2]}").ModuleDocFragment.DOCUMENTATION
        for name in documentation["extends_documentation_fragment"]
    ]
    return [text for text in texts if "options" in yaml.safe_load(text)]


@pytest.mark.parametrize("name", MODULES)
def test_the_module_file_is_documentation_and_nothing_else(name: str) -> None:
    lines = (ROOT / "plugins" / "modules" / f"{name}.py").read_text("utf-8").splitlines()
    code = [line for line in lines if line.startswith(("import ", "def ", "class ", "from "))]
    assert code == ["from __future__ import annotations"]


def test_only_actions_and_connections_import_ansible() -> None:
    for path in sorted((ROOT / "plugins" / "plugin_utils").rglob("*.py")):
        if path.name not in (
            "_action.py",
            "_windows_action.py",
            "_backup_action.py",
            "_dfs_action.py",
            "_openerp_action.py",
        ):
            assert "from ansible." not in path.read_text("utf-8"), path
            assert "import ansible\n" not in path.read_text("utf-8"), path


def test_product_and_lab_share_nothing() -> None:
    for folder, stranger in (("lab", "ansible_collections.lycee"), ("plugins", "import lab"), ("plugins", "from lab")):
        for path in sorted(Path(ROOT / folder).rglob("*.py")):
            assert stranger not in path.read_text("utf-8"), path
