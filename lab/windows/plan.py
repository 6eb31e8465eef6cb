# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Windows host of the inventory: its variables, their defaults, and a sentence for each mistake."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from lab import school_data
from lab.errors import LabError
from lab.faults import parse_faults

VARIABLES = (
    "ansible_host", "ansible_port", "ansible_user", "ansible_password", "ansible_connection", "inventory_dir",
    "ansible_winrm_scheme", "ansible_winrm_transport", "ansible_winrm_user", "ansible_winrm_password",
    "ansible_winrm_pass",
    "lab_kind", "lab_language", "lab_windows_version", "lab_architecture", "lab_edition", "lab_computer_name",
    "lab_domain", "lab_accounts", "lab_machine_sid", "lab_openerp", "lab_postgresql", "lab_services", "lab_quota",
    "lab_faults", "lab_basic", "lab_allow_unencrypted", "lab_skip_cmd_shell", "lab_certutil_sha256", "lab_dfs",
    "lab_os_architecture", "lab_service_time", "lab_shell_idle_timeout", "lab_features", "lab_disk_free",
    "lab_missing_programs", "lab_cygwin", "lab_openerp_version", "lab_openerp_folder", "lab_openerp_conf", "lab_shares",
    "lab_setups", "lab_openerp_update_time", "lab_disks_physical", "lab_task_time_scale",
    "lab_domain_controller", "lab_domain_netbios", "lab_dfs_delay", "lab_dfs_scan", "lab_dfs_poll",
)  # fmt: skip
CONNECTIONS = ("winrm", "ansible.builtin.winrm")
VERSIONS = ("6.0.6002", "6.1.7601", "10.0.14393", "10.0.17763", "10.0.20348", "10.0.26100")
_NAMES = {
    "6.0.6002": "Microsoft® Windows Server® 2008 Standard",
    "6.1.7601": "Microsoft Windows Server 2008 R2 Standard",
    "10.0.14393": "Microsoft Windows Server 2016 Standard",
    "10.0.17763": "Microsoft Windows Server 2019 Standard",
    "10.0.20348": "Microsoft Windows Server 2022 Standard",
    "10.0.26100": "Microsoft Windows Server 2025 Standard",
}
_POSTGRESQL = {
    "service": "PostgreSQL_For_OpenERP",
    "account": ".\\openpgsvc",
    "account_password": "0p3npgsvcPWD",
    "folder": "C:\\Program Files\\OpenERP 6.0\\PostgreSQL",
    "version": "8.4.12",
    "port": 5432,
    "superuser": "openpg",
    "password": "openpgpwd",
    "databases": [],
    "acl": None,
    "exit_code": 1067,
    "state": "running",
    "quoted_path": True,
}
_SERVICE_KEYS = {
    "name", "display", "path", "account", "start_mode", "state", "depends", "hang_stop", "hang_start", "description",
    "password", "exit_code",
}  # fmt: skip
_QUOTA = {"shells": 5, "operations": 15, "processes": 15, "leak": False}
_QUOTA_NEW = {"shells": 30, "operations": 1500, "processes": 25, "leak": False}


@dataclass
class WindowsPlan:
    """One Windows host as the inventory describes it. Times are in seconds."""

    name: str
    address: str
    port: int
    scheme: str = "http"
    user: str = "Administrator"
    password: str = ""
    language: str = "fr"
    version: str = "6.0.6002"
    architecture: int = 32
    edition: str = ""
    computer_name: str = ""
    domain: str = "WORKGROUP"
    netbios: str = ""
    domain_controller: bool = False
    machine_sid: str = ""
    accounts: list[dict[str, Any]] = field(default_factory=list)
    openerp: bool = False
    openerp_version: str = "6.0.3"
    openerp_folder: str = "C:\\Program Files\\OpenERP 6.0"
    openerp_conf: dict[str, str] = field(default_factory=dict)
    openerp_update_time: float = 0.0
    shares: list[dict[str, Any]] = field(default_factory=list)
    setups: str = ""
    postgresql: dict[str, Any] | None = None
    services: list[dict[str, Any]] = field(default_factory=list)
    quota: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str, str | None]] = field(default_factory=list)
    basic: bool = False
    allow_unencrypted: bool = False
    skip_cmd_shell: str = "works"
    certutil_sha256: bool = False
    dfs: bool = False
    dfs_delay: float = 0.02
    dfs_scan: float = 0.4
    dfs_poll: float = 3600.0
    os_architecture: bool = False
    service_time: float = 0.3
    shell_idle_timeout: float = 0.0
    features: list[int] = field(default_factory=list)
    disk_free: int = 40_000_000_000
    disks: list[dict[str, Any]] = field(default_factory=list)
    task_time_scale: float = 60.0
    missing_programs: list[str] = field(default_factory=list)
    cygwin: bool = False
    kind: str = "windows"

    @property
    def is_nt60(self) -> bool:
        """Windows Server 2008 without R2: WinRM 2.0, no working code page 65001."""
        return self.version.startswith("6.0")

    @property
    def winrm3(self) -> bool:
        """Whether faults have the shape of WinRM 3.0 and later."""
        return not self.version.startswith("6.")

    @property
    def build(self) -> int:
        """``6002`` of ``6.0.6002``."""
        return int(self.version.rsplit(".", 1)[1])

    @property
    def oem(self) -> int:
        """The console code page of the language."""
        return 850 if self.language == "fr" else 437

    @property
    def authority(self) -> str:
        """Whose accounts the host's own are: a domain controller has those of the domain and no others."""
        return self.netbios if self.domain_controller else self.computer_name

    @property
    def is_server(self) -> bool:
        """Whether the edition is one of Windows Server."""
        return "Server" in self.edition


def bundled_postgresql(folder: str, version: str) -> dict[str, Any]:
    """What lab_postgresql would say of the PostgreSQL that an all-in-one setup puts into a folder."""
    return {**_POSTGRESQL, "folder": folder, "version": version, "databases": []}


def _fail(host: str, text: str) -> LabError:
    return LabError(f"host {host}: {text}")


def _boolean(host: str, variables: dict[str, Any], name: str, default: bool) -> bool:
    value = variables.get(name)
    if value is None:
        return default
    text = str(value).lower()
    if text in ("true", "yes", "on", "1"):
        return True
    if text in ("false", "no", "off", "0"):
        return False
    raise _fail(host, f"{name} is {value!r}; it must be true or false")


def _list(host: str, variables: dict[str, Any], name: str) -> list[Any]:
    value = variables.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _fail(host, f"{name} must be a list")
    return value


def _mapping(host: str, name: str, value: object, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fail(host, f"{name} must be a mapping")
    unknown = {str(key) for key in value} - known
    if unknown:
        raise _fail(host, f"{name} knows {', '.join(sorted(known))}, not {', '.join(sorted(unknown))}")
    return {str(key): item for key, item in value.items()}


def _number(host: str, variables: dict[str, Any], name: str, default: float) -> float:
    value = variables.get(name)
    try:
        number = default if value is None else float(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise _fail(host, f"{name} is {value!r}; it must be a number that is not negative")
    return number


def computer_name(host: str) -> str:
    """The NetBIOS name of an inventory name: upper case, without the characters NetBIOS refuses, 15 at most."""
    return re.sub(r"[^A-Z0-9-]", "", host.partition(".")[0].upper())[:15] or "WIN-LAB"


def machine_sid(host: str) -> str:
    """The SID of a machine: another one for each host name, always the same for one."""
    digest = hashlib.sha256(f"machine/{host}".encode()).digest()
    parts = [int.from_bytes(digest[index : index + 4], "little") for index in (0, 4, 8)]
    return "S-1-5-21-" + "-".join(str(part) for part in parts)


def domain_sid(domain: str) -> str:
    """The SID of a domain: always the same for one DNS name."""
    return machine_sid(f"domain {domain.lower()}")


def _edition(variables: dict[str, Any], plan: WindowsPlan) -> str:
    return str(variables.get("lab_edition") or _NAMES[plan.version])


def windows_plan(host: str, variables: dict[str, Any], address: str) -> WindowsPlan:
    """Read the (templated) variables of one Windows host. Raises LabError naming the host and the variable.

    Args:
        address: ansible_host, already found to be a literal address.
    """
    plan = WindowsPlan(host, address, 0)
    port = variables.get("ansible_port")
    # As Ansible's winrm connection decides: http on 5985, else https. Without a port the lab takes 5985.
    default_scheme = "http" if str(port or 5985) == "5985" else "https"
    scheme = str(variables.get("ansible_winrm_scheme") or default_scheme)
    if scheme not in ("http", "https"):
        raise _fail(host, f"ansible_winrm_scheme is {scheme!r}; choose http or https")
    plan.scheme = scheme
    try:
        plan.port = int(str(port)) if port not in (None, "") else (5986 if scheme == "https" else 5985)
    except ValueError:
        plan.port = 0
    if not 0 < plan.port < 65536:
        raise _fail(host, f"ansible_port is {port!r}, which is not a port number")
    plan.language = str(variables.get("lab_language") or "fr")
    if plan.language not in ("fr", "en"):
        raise _fail(host, f"lab_language is {plan.language!r}; choose fr or en")
    plan.version = str(variables.get("lab_windows_version") or VERSIONS[0])
    if plan.version not in VERSIONS:
        raise _fail(host, f"lab_windows_version is {plan.version!r}; choose one of: {', '.join(VERSIONS)}")
    default_bits = "32" if plan.is_nt60 else "64"
    bits = str(variables.get("lab_architecture") or default_bits)
    if bits not in ("32", "64") or (bits == "32" and not plan.is_nt60 and "Server" in _edition(variables, plan)):
        raise _fail(host, f"lab_architecture is {bits!r}; choose 32 or 64 (a server is 32 only with 6.0.6002)")
    plan.architecture = int(bits)
    plan.edition = _edition(variables, plan)
    user = variables.get("ansible_winrm_user") or variables.get("ansible_user")
    plan.user = str(user or ("Administrateur" if plan.language == "fr" else "Administrator"))
    passwords = [variables.get(name) for name in ("ansible_winrm_password", "ansible_winrm_pass", "ansible_password")]
    plan.password = str(next((value for value in passwords if value is not None), ""))
    plan.computer_name = str(variables.get("lab_computer_name") or computer_name(host)).upper()
    if not re.fullmatch(r"[A-Z0-9-]{1,15}", plan.computer_name):
        raise _fail(host, f"lab_computer_name is {plan.computer_name!r}; letters, digits and -, 15 at most")
    plan.domain = str(variables.get("lab_domain") or "WORKGROUP")
    _read_domain(plan, host, variables)
    own = domain_sid(plan.domain) if plan.domain_controller else machine_sid(host)
    plan.machine_sid = str(variables.get("lab_machine_sid") or own)
    if not re.fullmatch(r"S-1-5-21-\d+-\d+-\d+", plan.machine_sid):
        raise _fail(host, f"lab_machine_sid is {plan.machine_sid!r}; it must look like S-1-5-21-1-2-3")
    _read_switches(plan, host, variables)
    _read_content(plan, host, variables)
    faults = variables.get("lab_faults") or []
    try:
        plan.faults = parse_faults([faults] if isinstance(faults, str) else faults, "windows")
    except LabError as error:
        raise _fail(host, error.sentence) from None
    return plan


def _read_domain(plan: WindowsPlan, host: str, variables: dict[str, Any]) -> None:
    """A domain is told from a workgroup by the dot of its DNS name."""
    plan.domain_controller = _boolean(host, variables, "lab_domain_controller", False)
    if plan.domain_controller and ("." not in plan.domain or not plan.is_server):
        raise _fail(host, "lab_domain_controller needs a server with a DNS name in lab_domain, as in lycee.example")
    if plan.domain_controller and variables.get("lab_machine_sid"):
        raise _fail(host, "lab_machine_sid is not for a domain controller, whose SID is that of its domain")
    if "." in plan.domain:
        plan.netbios = str(variables.get("lab_domain_netbios") or plan.domain.partition(".")[0][:15]).upper()


def _read_switches(plan: WindowsPlan, host: str, variables: dict[str, Any]) -> None:
    plan.basic = _boolean(host, variables, "lab_basic", False)
    plan.allow_unencrypted = _boolean(host, variables, "lab_allow_unencrypted", False)
    plan.certutil_sha256 = _boolean(host, variables, "lab_certutil_sha256", not plan.is_nt60)
    plan.dfs = _boolean(host, variables, "lab_dfs", False)
    plan.dfs_delay = _number(host, variables, "lab_dfs_delay", plan.dfs_delay)
    plan.dfs_scan = _number(host, variables, "lab_dfs_scan", plan.dfs_scan)
    plan.dfs_poll = _number(host, variables, "lab_dfs_poll", plan.dfs_poll)
    plan.cygwin = _boolean(host, variables, "lab_cygwin", False)
    plan.os_architecture = _boolean(host, variables, "lab_os_architecture", not plan.is_nt60)
    plan.service_time = _number(host, variables, "lab_service_time", 0.3)
    plan.shell_idle_timeout = _number(host, variables, "lab_shell_idle_timeout", 180 if plan.is_nt60 else 7200)
    plan.disk_free = int(_number(host, variables, "lab_disk_free", plan.disk_free))
    plan.task_time_scale = _number(host, variables, "lab_task_time_scale", plan.task_time_scale) or 1.0
    plan.skip_cmd_shell = str(variables.get("lab_skip_cmd_shell") or "works")
    if plan.skip_cmd_shell not in ("works", "ignored"):
        raise _fail(host, f"lab_skip_cmd_shell is {plan.skip_cmd_shell!r}; choose works or ignored")
    plan.quota = dict(_QUOTA if plan.version.startswith("6.") else _QUOTA_NEW)
    plan.quota.update(_mapping(host, "lab_quota", variables.get("lab_quota") or {}, set(_QUOTA)))
    for name, value in plan.quota.items():
        if name != "leak" and (not isinstance(value, int) or value < 0):
            raise _fail(host, f"lab_quota: {name} is {value!r}; it must be a whole number")
    plan.missing_programs = [str(name).lower() for name in _list(host, variables, "lab_missing_programs")]
    try:
        plan.features = [int(number) for number in _list(host, variables, "lab_features")]
    except (TypeError, ValueError):
        raise _fail(host, "lab_features must be a list of the numbers of Win32_ServerFeature") from None


def _read_content(plan: WindowsPlan, host: str, variables: dict[str, Any]) -> None:
    for entry in _list(host, variables, "lab_accounts"):
        known = {"name", "password", "sid_suffix", "groups", "service_logon", "disabled"}
        account = _mapping(host, "lab_accounts", entry, known)
        if not account.get("name"):
            raise _fail(host, "each entry of lab_accounts needs a name")
        plan.accounts.append(account)
    for entry in _list(host, variables, "lab_services"):
        service = _mapping(host, "lab_services", entry, _SERVICE_KEYS)
        if not service.get("name"):
            raise _fail(host, "each entry of lab_services needs a name")
        plan.services.append(service)
    given = variables.get("lab_postgresql")
    if given:
        settings = _mapping(host, "lab_postgresql", {} if given is True else given, set(_POSTGRESQL))
        plan.postgresql = {**_POSTGRESQL, **settings}
        try:
            plan.postgresql["port"] = int(plan.postgresql["port"])
        except (TypeError, ValueError):
            plan.postgresql["port"] = 0
        databases = _list(host, plan.postgresql, "databases")
        plan.postgresql["databases"] = [school_data.entry(host, item) for item in databases]
        if not 1023 < plan.postgresql["port"] < 65536:
            raise _fail(host, "lab_postgresql: port must be a number above 1023")
        if not re.match(r"[A-Za-z]:\\", str(plan.postgresql["folder"])):
            raise _fail(host, "lab_postgresql: folder must be an absolute Windows path, as in C:\\PostgreSQL")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(plan.postgresql["superuser"])):
            raise _fail(host, "lab_postgresql: superuser must be a plain PostgreSQL name")
        if plan.postgresql["state"] not in ("running", "stopped"):
            raise _fail(host, "lab_postgresql: state must be running or stopped")
        if not re.fullmatch(r"8\.[34]\.\d+", str(plan.postgresql["version"])):
            raise _fail(host, "lab_postgresql: version must be an 8.3 or 8.4 one, as in 8.4.12")
    _read_openerp(plan, host, variables)
    for entry in _list(host, variables, "lab_shares"):
        share = _mapping(host, "lab_shares", entry, {"name", "path", "anonymous"})
        if not re.fullmatch(r"[A-Za-z0-9_.$ -]{1,80}", str(share.get("name") or "")):
            raise _fail(host, f"lab_shares: {share.get('name')!r} is not a name for a share")
        path = _folder(host, "lab_shares", share.get("path"))
        anonymous = _boolean(host, share, "anonymous", False)
        plan.shares.append({"name": str(share["name"]), "path": path, "anonymous": anonymous})
    _read_disks(plan, host, variables)
    if variables.get("lab_setups"):
        plan.setups = _folder(host, "lab_setups", variables["lab_setups"])


def _read_disks(plan: WindowsPlan, host: str, variables: dict[str, Any]) -> None:
    for entry in _list(host, variables, "lab_disks_physical"):
        disk = _mapping(host, "lab_disks_physical", entry, {"number", "size", "serial", "state", "readonly", "data"})
        number, state = disk.get("number"), str(disk.get("state") or "offline")
        if not isinstance(number, int) or not 0 < number < 100 or number in (item["number"] for item in plan.disks):
            raise _fail(host, "lab_disks_physical: each disk needs a number of its own from 1 on; 0 is the system's")
        if state not in ("offline", "online"):
            raise _fail(host, f"lab_disks_physical: state is {state!r}; choose offline or online")
        size = int(_number(host, disk, "size", 80_000_000_000))
        if size < 10_000_000:
            raise _fail(host, "lab_disks_physical: size is a number of bytes, as in 80000000000")
        plan.disks.append({
            "number": number, "size": size, "serial": str(disk.get("serial") or f"WD-{number}"), "state": state,
            "readonly": _boolean(host, disk, "readonly", state == "offline"), "data": _boolean(host, disk, "data", False),
        })  # fmt: skip


def _folder(host: str, name: str, value: object) -> str:
    if not re.match(r"[Cc]:\\[^\\]", str(value)):
        raise _fail(host, f"{name} needs an absolute folder of C:, as in C:\\Logiciels")
    return str(value).rstrip("\\")


def _read_openerp(plan: WindowsPlan, host: str, variables: dict[str, Any]) -> None:
    plan.openerp = _boolean(host, variables, "lab_openerp", plan.postgresql is not None)
    plan.openerp_version = str(variables.get("lab_openerp_version") or plan.openerp_version)
    if not re.fullmatch(r"6\.0\.\d+", plan.openerp_version):
        raise _fail(host, f"lab_openerp_version is {plan.openerp_version!r}; it must be a 6.0 one, as in 6.0.4")
    if variables.get("lab_openerp_folder"):
        plan.openerp_folder = _folder(host, "lab_openerp_folder", variables["lab_openerp_folder"])
    plan.openerp_update_time = _number(host, variables, "lab_openerp_update_time", 0)
    given = variables.get("lab_openerp_conf") or {}
    if not isinstance(given, dict):
        raise _fail(host, "lab_openerp_conf must be a mapping of options of openerp-server.conf")
    plan.openerp_conf = {str(key): str(value) for key, value in given.items()}
