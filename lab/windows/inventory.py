# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has when it is first switched on: usual services, OpenERP, PostgreSQL, shares, registry.

Sources: a default Server 2008 (service names and displays in both languages), facts/openerp.md A1 (installers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.windows import acl
from lab.windows.openerp import files, setupfile
from lab.windows.services import Service, start_mode

if TYPE_CHECKING:
    from lab.windows.host import Host
    from lab.windows.plan import WindowsPlan

_SVCHOST = "C:\\Windows\\system32\\svchost.exe -k "
# key name, French display, English display, path, account, start mode, running
_USUAL: tuple[tuple[str, str, str, str, str, str, bool], ...] = (
    ("AppMgmt", "Gestion d\u2019applications", "Application Management", "netsvcs", "LocalSystem", "Manual", False),
    ("BITS", "Service de transfert intelligent en arrière-plan", "Background Intelligent Transfer Service", "netsvcs",
     "LocalSystem", "Manual", False),
    ("CryptSvc", "Services de chiffrement", "Cryptographic Services", "NetworkService",
     "NT AUTHORITY\\NetworkService", "Auto", True),
    ("DcomLaunch", "Lanceur de processus serveur DCOM", "DCOM Server Process Launcher", "DcomLaunch", "LocalSystem",
     "Auto", True),
    ("Dhcp", "Client DHCP", "DHCP Client", "LocalServiceNetworkRestricted", "NT AUTHORITY\\LocalService", "Auto", True),
    ("Dnscache", "Client DNS", "DNS Client", "NetworkService", "NT AUTHORITY\\NetworkService", "Auto", True),
    ("EventLog", "Journal d\u2019événements Windows", "Windows Event Log", "LocalServiceNetworkRestricted",
     "NT AUTHORITY\\LocalService", "Auto", True),
    ("LanmanServer", "Serveur", "Server", "netsvcs", "LocalSystem", "Auto", True),
    ("LanmanWorkstation", "Station de travail", "Workstation", "LocalService", "NT AUTHORITY\\LocalService", "Auto",
     True),
    ("lmhosts", "Assistance NetBIOS sur TCP/IP", "TCP/IP NetBIOS Helper", "LocalServiceNetworkRestricted",
     "NT AUTHORITY\\LocalService", "Auto", True),
    ("MpsSvc", "Pare-feu Windows", "Windows Firewall", "LocalServiceNoNetwork", "NT AUTHORITY\\LocalService", "Auto",
     True),
    ("MSDTC", "Coordinateur de transactions distribuées", "Distributed Transaction Coordinator",
     "C:\\Windows\\System32\\msdtc.exe", "NT AUTHORITY\\NetworkService", "Auto", True),
    ("Netlogon", "Netlogon", "Netlogon", "C:\\Windows\\system32\\lsass.exe", "LocalSystem", "Manual", False),
    ("PlugPlay", "Plug-and-Play", "Plug and Play", "DcomLaunch", "LocalSystem", "Auto", True),
    ("ProfSvc", "Service de profil utilisateur", "User Profile Service", "netsvcs", "LocalSystem", "Auto", True),
    ("RemoteRegistry", "Registre à distance", "Remote Registry", "regsvc", "NT AUTHORITY\\LocalService", "Auto", True),
    ("RpcSs", "Appel de procédure distante (RPC)", "Remote Procedure Call (RPC)", "rpcss",
     "NT AUTHORITY\\NetworkService", "Auto", True),
    ("SamSs", "Gestionnaire de comptes de sécurité", "Security Accounts Manager", "C:\\Windows\\system32\\lsass.exe",
     "LocalSystem", "Auto", True),
    ("Schedule", "Planificateur de tâches", "Task Scheduler", "netsvcs", "LocalSystem", "Auto", True),
    ("seclogon", "Ouverture de session secondaire", "Secondary Logon", "netsvcs", "LocalSystem", "Auto", True),
    ("Spooler", "Spouleur d\u2019impression", "Print Spooler", "C:\\Windows\\System32\\spoolsv.exe", "LocalSystem", "Auto",
     True),
    ("TermService", "Services Terminal Server", "Terminal Services", "NetworkService",
     "NT AUTHORITY\\NetworkService", "Auto", True),
    ("TrustedInstaller", "Programme d\u2019installation pour les modules Windows", "Windows Modules Installer",
     "C:\\Windows\\servicing\\TrustedInstaller.exe", "LocalSystem", "Manual", False),
    ("VSS", "Cliché instantané de volume", "Volume Shadow Copy", "C:\\Windows\\system32\\vssvc.exe", "LocalSystem",
     "Manual", False),
    ("W32Time", "Temps Windows", "Windows Time", "LocalService", "NT AUTHORITY\\LocalService", "Manual", True),
    ("Winmgmt", "Infrastructure de gestion Windows", "Windows Management Instrumentation", "netsvcs", "LocalSystem",
     "Auto", True),
    ("WinRM", "Gestion à distance de Windows (Gestion WSM)", "Windows Remote Management (WS-Management)",
     "NetworkService", "NT AUTHORITY\\NetworkService", "Auto", True),
    ("wuauserv", "Windows Update", "Windows Update", "netsvcs", "LocalSystem", "Auto", True),
)  # fmt: skip
_DEPENDS = {
    "LanmanWorkstation": ["RpcSs"], "Spooler": ["RpcSs"], "WinRM": ["RpcSs"], "Winmgmt": ["RpcSs"],
    "Netlogon": ["LanmanWorkstation"], "Schedule": ["RpcSs", "EventLog"], "RpcSs": ["DcomLaunch"],
    "TermService": ["RpcSs"],
}  # fmt: skip


def _usual_services(host: Host) -> None:
    for name, french, english, path, account, mode, running in _USUAL:
        alone = path.startswith("C:")
        service = host.scm.put(Service(
            name, french if host.plan.language == "fr" else english, path if alone else _SVCHOST + path, account,
            start_mode=mode, depends=list(_DEPENDS.get(name, [])), own_process=alone,
        ))  # fmt: skip
        if running:
            service.state, service.exit_code, service.pid = "Running", 0, host.new_pid()


def _run_at_once(host: Host, service: Service, wanted: str) -> None:
    if wanted.lower() == "running":
        service.state, service.exit_code, service.pid = "Running", 0, host.new_pid()


def postgresql_path(database: dict[str, Any]) -> str:
    """The image path that ``pg_ctl register`` writes (facts/openerp.md A1, pg_ctl.c).

    Early versions put no quotes around the program and knew no ``-w`` there, later ones both.
    """
    folder, name = database["folder"], database["service"]
    if not database["quoted_path"]:
        return f'{folder}\\bin\\pg_ctl.exe runservice -N "{name}" -D "{folder}\\data\\"'
    return f'"{folder}\\bin\\pg_ctl.exe" runservice -N "{name}" -D "{folder}\\data" -w'


def database_service(host: Host, database: dict[str, Any]) -> Service:
    """The service of a PostgreSQL as its installer registers it."""
    version = str(database["version"]).rpartition(".")[0]
    service = Service(
        str(database["service"]), f"{database['service']}", postgresql_path(database),
        description="Database server to store OpenERP data" if version else "",
    )  # fmt: skip
    found = host.accounts.service_account(str(database["account"]))
    service.account = found[0] if found else str(database["account"])
    service.password = str(database["account_password"])
    return service


def database_keys(database: dict[str, Any]) -> dict[str, dict[str, tuple[str, Any]]]:
    """The registry key that PostgreSQL's installer writes, by its path."""
    version, folder = str(database["version"]).rpartition(".")[0], str(database["folder"])
    return {
        f"HKLM\\SOFTWARE\\PostgreSQL\\Installations\\postgresql-{version}": {
            "Base Directory": ("REG_SZ", folder),
            "Data Directory": ("REG_SZ", f"{folder}\\data"),
            "Service ID": ("REG_SZ", str(database["service"])),
            "Service Account": ("REG_SZ", str(database["account"])),
            "Super User": ("REG_SZ", str(database["superuser"])),
            "Version": ("REG_SZ", str(database["version"])),
        }
    }


def services(host: Host) -> None:
    """Register the services of a new host; the cluster itself is started by the endpoint."""
    plan = host.plan
    _usual_services(host)
    if plan.openerp:
        for name, display, folder, program in (
            ("openerp-server-6.0", "OpenERP Server 6.0", "Server", "OpenERPServerService.exe"),
            ("openerp-web-6.0", "OpenERP Web 6.0", "Web", "OpenERPWebService.exe"),
        ):
            path = f'"{plan.openerp_folder}\\{folder}\\service\\{program}"'
            _run_at_once(host, host.scm.put(Service(name, display, path)), "running")
    if plan.postgresql:
        host.scm.put(database_service(host, plan.postgresql))
    for entry in plan.services:
        service = Service(
            str(entry["name"]), str(entry.get("display") or entry["name"]),
            str(entry.get("path") or f"C:\\Program Files\\{entry['name']}\\{entry['name']}.exe"),
            str(entry.get("account") or "LocalSystem"), str(entry.get("password") or ""),
            start_mode(str(entry.get("start_mode") or "auto")) or "Auto",
            depends=[str(name) for name in entry.get("depends") or []],
            description=str(entry.get("description") or ""),
            hang_stop=bool(entry.get("hang_stop")), hang_start=bool(entry.get("hang_start")),
        )  # fmt: skip
        service.exit_code = int(entry.get("exit_code") or 1077)
        host.scm.put(service)
        _run_at_once(host, service, str(entry.get("state") or "stopped"))


def registry(host: Host) -> dict[str, dict[str, tuple[str, Any]]]:
    """Keys that installers write (facts/openerp.md A1) and a few of Windows' own."""
    plan = host.plan
    current = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
    major_minor = ".".join(plan.version.split(".")[:2])
    keys: dict[str, dict[str, tuple[str, Any]]] = {
        current: {
            "ProductName": ("REG_SZ", plan.edition.replace("®", "(R)").removeprefix("Microsoft(R) ")),
            "CurrentVersion": ("REG_SZ", "6.3" if major_minor == "10.0" else major_minor),
            "CurrentBuildNumber": ("REG_SZ", str(plan.build)),
            "SystemRoot": ("REG_SZ", "C:\\Windows"),
        },
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName": {
            "ComputerName": ("REG_SZ", plan.computer_name)
        },
        "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage": {
            "ACP": ("REG_SZ", "1252"), "OEMCP": ("REG_SZ", str(plan.oem)),
        },
    }  # fmt: skip
    uninstall = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\"
    if plan.openerp:
        kinds = (("OpenERP 6.0", ""), ("OpenERP Server 6.0", "\\Server"), ("OpenERP Web Client 6.0", "\\Web"))
        for name, folder in kinds:
            values = setupfile.uninstall_values(name, plan.openerp_folder + folder, plan.openerp_version)
            keys[uninstall + name] = values
    if plan.postgresql:
        keys |= database_keys(plan.postgresql)
    return keys


def populate(host: Host) -> None:
    """The files of a new host, except the database's own folder."""
    drive, plan = host.drive, host.plan
    profile = "C:\\Users\\" + plan.user.rpartition("\\")[2].partition("@")[0]
    for folder in ("C:\\Windows\\System32\\drivers\\etc", "C:\\Windows\\Temp", "C:\\Program Files", profile,
                   profile + "\\AppData\\Local\\Temp", profile + "\\AppData\\Roaming", "C:\\Users\\Public"):  # fmt: skip
        if drive.find(folder) is None:
            drive.make(folder)
    for program in host.program_paths():
        parent = program.rpartition("\\")[0]
        if drive.find(parent) is None:
            drive.make(parent)
        drive.place(program).write_bytes(b"MZ\x90\0LAB: " + program.encode() + b"\r\n")
    drive.place("C:\\Windows\\System32\\drivers\\etc\\hosts").write_bytes(b"127.0.0.1       localhost\r\n")
    if plan.openerp:
        _openerp(host)
    if plan.setups:
        if drive.find(plan.setups) is None:
            drive.make(plan.setups)
        setupfile.write_all(drive.place(plan.setups))
    for share in plan.shares:
        if drive.find(share["path"]) is None:
            drive.make(share["path"])


def _openerp(host: Host) -> None:
    """The programs, the server's conf, and what users have put into the filestore of each of their databases."""
    drive, plan = host.drive, host.plan
    for kind, folder in ((files.SERVER, "Server"), (files.WEB, "Web")):
        files.lay(drive, kind, f"{plan.openerp_folder}\\{folder}", plan.openerp_version)
        drive.place(f"{plan.openerp_folder}\\{folder}\\Uninstall.exe").write_bytes(setupfile.uninstaller(kind))
    server = f"{plan.openerp_folder}\\Server"
    drive.place(f"{server}\\{files.CONF}").write_bytes(_openerp_conf(plan))
    for item in (plan.postgresql or {}).get("databases", []):
        name = str(item["name"])
        if item["tables"] and not set(name) & set('<>:"|?*\\/;'):
            real = drive.make(f"{server}\\filestore\\{name}")
            for index in range(3):
                (real / f"{index:02d}{name}.bin").write_bytes(files.noise(f"{name} {index}", 400))


def _openerp_conf(plan: WindowsPlan) -> bytes:
    database = plan.postgresql or {}
    found = {
        "admin_passwd": "admin", "db_host": "localhost", "db_password": str(database.get("password", "")),
        "db_port": str(database.get("port", 5432)), "db_user": str(database.get("superuser", "openpg")),
        "logfile": f"{plan.openerp_folder}\\Server\\openerp-server.log",
        **({"pg_path": f"{database['folder']}\\bin"} if database else {}), **plan.openerp_conf,
    }  # fmt: skip
    lines = ["[options]", *(f"{key} = {value}" for key, value in found.items()), ""]
    return "\r\n".join(lines).encode()


def database_acl(host: Host) -> None:
    """The data folder belongs to the service's account and administrators alone, as initdb's installer leaves it.

    LocalSystem has no entry of its own: that is what the source document's cure has to add.
    """
    database = host.plan.postgresql
    if not database:
        return
    wanted = database["acl"] if database["acl"] is not None else [database["account"]]
    sids = []
    for name in [wanted] if isinstance(wanted, str) else wanted:
        known = host.accounts.service_account(str(name))
        text = str(name)
        sids.append(text if text.startswith("S-1-") else known[1] if known else host.accounts.sid_of(text) or "")
    path = host.drive.true_case(f"{database['folder']}\\data").lower()
    entries = [acl.ace(sid, acl.FULL) for sid in [*filter(None, sids), "S-1-5-32-544"]]
    host.acls.entries[path] = acl.Entry(next(filter(None, sids), "S-1-5-32-544"), entries, protected=True)
