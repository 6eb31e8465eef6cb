"""Run the all-in-one setup on a server that has nothing yet, and repair the password that it cannot be told.

Note that this utility is private to the collection.

A silent run gives PostgreSQL's superuser the password openpgpwd and writes that into OpenERP's configuration. It deletes a PostgreSQL folder
that Windows does not know, with its data (the script of the all-in-one): so it is run only where there is none of all this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .._backup.errors import BackupError
from .._backup.names import identifier, literal
from .._postgresql.cluster import find_cluster
from .._postgresql.server import Access, Server
from .._windows import files, services
from .._windows.errors import OptionError as NoServiceError
from . import conf as conf_file
from .conf import SERVER, WEB
from .errors import InstallationError, OptionError
from .install import check_folder, run_setup, stop, write_conf
from .installation import postgresql_registered, read_conf
from .look import Target, part_of
from .manage import release_of, wait_for
from .source import ALLINONE, bring, setup_of
from .source import look as look_at_setup
from .versions import release, shown

#: What a silent run gives the superuser (the script's own defaults).
_DEFAULT_PASSWORD = "openpgpwd"
Step = Callable[[str], None]


def install_all(
    target: Target, arguments: Mapping[str, Any], *, check: bool, step: Step, progress: Step
) -> dict[str, Any]:
    """Install server, web client and PostgreSQL where there is none of them, as ``openerp_install`` documents it.

    Raises:
        OptionError, SourceError: the setup is not the wanted one, or something is there already; nothing was changed.
        InstallationError: it failed, or something is not as it should be afterwards.
    """
    session, wanted = target.session, release(arguments["release"])
    setup = setup_of(ALLINONE, shown(wanted), arguments["source"], arguments["sha256"])
    if not arguments["folder"]:
        raise OptionError(f"{target.name}: name the folder of the installation")
    folder = check_folder(arguments["folder"])
    begun = f"{arguments['work_folder']}\\begun-all"
    server, web, cluster = part_of(target, SERVER), part_of(target, WEB), _cluster(target)
    cut = files.exists(session, begun)
    now = release_of(target, server)
    result: dict[str, Any] = {
        "changed": cut or server is None,
        "folder": folder,
        "from": now,
        "to": now,
        "put_back": [],
        "diff": {"before": {"release": now or "(none)"}, "after": {"release": shown(wanted)}},
        "warnings": [],
    }
    if not cut and server is not None and web is not None and cluster:
        # A newer one is what an upgrade has made of it.
        if now and release(now) < wanted:
            raise OptionError(f"{target.name}: {now} is installed; take it to {shown(wanted)} with openerp_upgrade")
        return {**result, "changed": False, "diff": {"before": {}, "after": {}}}
    if not cut:
        _refuse_leftovers(target, folder, server is not None, web is not None, cluster)
    if check:
        if problem := look_at_setup(session, setup, arguments["timeout"]):
            raise OptionError(problem)
        return {**result, "to": shown(wanted)}
    target.machine.make_private_folder(arguments["work_folder"])
    if not (cut and server is not None and web is not None and cluster):
        step("bring the setup")
        progress(f"bring {setup.name}")
        path = bring(session, setup, arguments["work_folder"], arguments["copy_timeout"])
        files.write(session, begun, shown(wanted).encode())
        step("run the setup")
        progress(f"run {setup.name} into {folder}")
        run_setup(session, path, folder, arguments["setup_timeout"])
    _repair(target, arguments, result, step, progress)
    files.remove(session, begun)
    return {**result, "to": shown(wanted)}


def _cluster(target: Target) -> bool:
    try:
        find_cluster(services.services(target.session), None, target.name)
    except NoServiceError:
        return False
    return True


def _refuse_leftovers(target: Target, folder: str, server: bool, web: bool, cluster: bool) -> None:
    """Raise for anything that the setup would harm."""
    found = [
        name
        for name, there in (("OpenERP's server", server), ("its web client", web), ("PostgreSQL", cluster))
        if there
    ]
    if not cluster and postgresql_registered(target.session):
        found.append("a PostgreSQL in the registry (HKLM\\SOFTWARE\\PostgreSQL\\Installations)")
    if files.folder_exists(target.session, f"{folder}\\PostgreSQL"):
        found.append(f"the folder {folder}\\PostgreSQL, which the setup would delete with its data")
    if found:
        raise OptionError(
            f"{target.name}: the all-in-one setup is for a server that has nothing yet, and there is {' and '.join(found)}; use the separate setups"
        )


def _repair(target: Target, arguments: Mapping[str, Any], result: dict[str, Any], step: Step, progress: Step) -> None:
    """Give the superuser and OpenERP the wanted password, start everything, and ask.

    Raises:
        InstallationError: it does not serve.
    """
    session, timeout, access = target.session, arguments["timeout"], target.access
    cluster = find_cluster(services.services(session), None, target.name)
    services.start(session, cluster.service.name, timeout, step)
    if not access.password:
        raise OptionError(f"{target.name}: give the database_password that the superuser is to have")
    if not _accepted(target, access):
        progress(f"set the password of the role {access.user}")
        former = replace(access, password=_DEFAULT_PASSWORD)
        try:
            # The verifier, so that no log of the server ever holds the clear text; 8.x knows md5 alone.
            verifier = hashlib.md5(f"{access.password}{access.user}".encode(), usedforsecurity=False).hexdigest()
            Server(target.machine, former).sql(
                f"ALTER ROLE {identifier(access.user)} PASSWORD {literal(f'md5{verifier}')};"
            )
        except BackupError as error:
            raise InstallationError(
                f"{target.name}: PostgreSQL takes neither database_password nor the setup's own: {error}"
            ) from None
        if not _accepted(target, access):
            raise InstallationError(f"{target.name}: PostgreSQL refuses the password that was just set")
    part = part_of(target, SERVER)
    if part is None or part_of(target, WEB) is None:
        raise InstallationError(
            f"{target.name}: after the setup there is no service of OpenERP; look at {arguments['folder']}"
        )
    conf = read_conf(session, part)
    wanted: dict[str, conf_file.Value] = {"db_host": access.host, "db_port": access.port, "db_user": access.user}
    wanted |= {"db_password": access.password, **arguments["configuration"]}
    changes = conf_file.apply(conf, wanted)
    result["put_back"] = sorted(changes)
    if changes:
        progress(f"repair {', '.join(sorted(changes))} in {part.conf}")
        stop(session, part, timeout, step)
        write_conf(session, part, conf.to_bytes())
    for kind in (SERVER, WEB):
        one = part_of(target, kind)
        if one is not None:
            progress(f"start {one.service.name}")
            services.start(session, one.service.name, timeout, step)
            wait_for(target, one, read_conf(session, one), timeout, step)


def _accepted(target: Target, access: Access) -> bool:
    try:
        return Server(target.machine, access).sql("SELECT 40 + 2;").strip() == "42"
    except BackupError:
        return False
