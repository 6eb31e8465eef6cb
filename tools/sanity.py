# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ``ansible-test sanity`` on the commit that is checked out.

``ansible-test`` wants a real path ``.../ansible_collections/lycee/openerp`` (it resolves links), so the committed tree
goes into a git worktree at such a path. It downloads a pip bootstrap for each virtual environment that it makes; a
stand-in of the same name does that with ``ensurepip`` instead, so that no download outside of the package index is
needed. Arguments are handed to ``ansible-test sanity``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOTSTRAP = '''\
"""Stand-in for the downloaded pip bootstrap: ensurepip, then the pip that was asked for."""
import ensurepip
import os
import subprocess
import sys

ensurepip.bootstrap(default_pip=True)
arguments = [one for one in sys.argv[1:] if one not in ("--no-setuptools", "--no-wheel")]
bundle = "/etc/ssl/certs/ca-certificates.crt"
if os.path.exists(bundle):
    arguments += ["--cert", bundle]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *arguments]))
'''


def bootstrap_names() -> list[str]:
    """Return the cache file names that the installed ansible-test looks for; they hold pip's version."""
    import ansible_test

    util = Path(ansible_test.__path__[0]) / "_internal" / "python_requirements.py"
    names = sorted(set(re.findall(r"get_pip_[0-9_]+\.py", util.read_text("utf-8"))))
    versions = re.findall(r"'(2\d\.\d(?:\.\d)?)'", util.read_text("utf-8"))
    return names or [f"get_pip_{version.replace('.', '_')}.py" for version in versions] or ["get_pip_24_2.py"]


def main() -> int:
    """Make the worktree and the stand-in, run, and remove the worktree; return the exit status."""
    cache = Path.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in bootstrap_names():
        # One that was really downloaded stays.
        if not (cache / name).exists():
            (cache / name).write_text(BOOTSTRAP, "utf-8")
    with tempfile.TemporaryDirectory(prefix="lycee-sanity-") as folder:
        tree = Path(folder) / "ansible_collections" / "lycee" / "openerp"
        tree.parent.mkdir(parents=True)
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), "HEAD"], cwd=ROOT, check=True)
        try:
            environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
            # A development tree's own links would be found before the worktree.
            environment.pop("ANSIBLE_CONFIG", None)
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            command = ["ansible-test", "sanity", "--python", version, "--color", "no", *sys.argv[1:]]
            return subprocess.run(command, cwd=tree, env=environment, check=False).returncode
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=False)
            shutil.rmtree(tree, ignore_errors=True)
            subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=False)


if __name__ == "__main__":
    sys.exit(main())
