# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: which devices the lab plays, as read from the variables of the inventory's hosts."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.faults import parse_faults
from lab.ios.models import MODELS, default_version
from lab.linux.plan import NOTHING, LinuxPlan, linux_plan
from lab.windows.plan import CONNECTIONS as WINDOWS_CONNECTIONS
from lab.windows.plan import WindowsPlan, windows_plan

VARIABLES = (
    "ansible_host", "ansible_port", "ansible_user", "ansible_password", "ansible_ssh_pass", "ansible_become_password",
    "ansible_connection", "ansible_network_os", "ansible_netmiko_transport", "inventory_dir",
    "lab_kind", "lab_running_config", "lab_startup_config", "lab_config_header", "lab_model", "lab_ios_version",
    "lab_image", "lab_serial", "lab_vtp_mode", "lab_vtp_domain", "lab_vlans", "lab_neighbors", "lab_latency",
    "lab_ssh_algorithms", "lab_faults", "lab_privilege", "lab_reload_time",
)  # fmt: skip
_IOS_CONNECTIONS = ("lycee.openerp.netmiko", "ansible.netcommon.network_cli", "network_cli")
_CHOICES = {
    "transport": ("ssh", "telnet"),
    "config_header": ("auto", "verbatim"),
    "ssh_algorithms": ("legacy", "group1", "modern"),
    "vtp_mode": ("", "server", "client", "transparent", "off"),
    "model": tuple(MODELS),
}


@dataclass
class DevicePlan:
    """One device as the inventory describes it. Times are in seconds. Configurations are bytes read as Latin-1."""

    name: str
    address: str
    port: int
    transport: str = "ssh"
    user: str = ""
    password: str = ""
    enable_secret: str = ""
    model: str = "WS-C2960-24TT-L"
    ios_version: str = ""
    image: str = ""
    serial: str = ""
    running_config: str | None = None
    startup_config: str | None = None
    startup_absent: bool = False
    config_header: str = "auto"
    vtp_mode: str = ""
    vtp_domain: str = ""
    vlans: dict[int, str] = field(default_factory=dict)
    neighbors: list[dict[str, str]] = field(default_factory=list)
    latency: dict[str, float] = field(default_factory=dict)
    ssh_algorithms: str = "legacy"
    faults: list[tuple[str, str | None]] = field(default_factory=list)
    privilege: int = 1
    reload_time: float = 2.0
    kind: str = "ios"


@dataclass
class Plan:
    """All that one server plays, and the hosts of the inventory that it does not play, with the reason."""

    inventory: str
    devices: list[DevicePlan] = field(default_factory=list)
    windows: list[WindowsPlan] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    linux: list[LinuxPlan] = field(default_factory=list)

    @property
    def hosts(self) -> list[DevicePlan | WindowsPlan | LinuxPlan]:
        """Everything that is played, of every kind."""
        return [*self.devices, *self.windows, *self.linux]

    def to_json(self) -> str:
        """One JSON text; it holds secrets and so travels only through pipes."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """The inverse of to_json."""
        raw = json.loads(text)
        known = {item.name for item in fields(DevicePlan)}
        devices = []
        for entry in raw["devices"]:
            entry["vlans"] = {int(number): name for number, name in entry["vlans"].items()}
            entry["faults"] = [tuple(fault) for fault in entry["faults"]]
            devices.append(DevicePlan(**{key: value for key, value in entry.items() if key in known}))
        windows = []
        for entry in raw["windows"]:
            entry["faults"] = [tuple(fault) for fault in entry["faults"]]
            windows.append(WindowsPlan(**entry))
        linux = []
        for entry in raw["linux"]:
            entry["faults"] = [tuple(fault) for fault in entry["faults"]]
            linux.append(LinuxPlan(**entry))
        return cls(raw["inventory"], devices, windows, raw["skipped"], linux)

    def digest(self) -> str:
        """A fingerprint: two plans that play the same have the same one."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def kind_of(variables: dict[str, Any]) -> str:
    """The kind of a host; an explicit lab_kind wins over what the connection tells."""
    if variables.get("lab_kind") is not None:
        return str(variables["lab_kind"])
    connection = str(variables.get("ansible_connection") or "")
    network_os = str(variables.get("ansible_network_os") or "")
    if connection in _IOS_CONNECTIONS or network_os.rsplit(".", maxsplit=1)[-1] == "ios":
        return "ios"
    if connection in WINDOWS_CONNECTIONS:
        return "windows"
    return connection or "no kind"


def _read(host: str, variable: str, name: str, folder: Path) -> str:
    path = folder / name
    try:
        return path.read_bytes().replace(b"\r\n", b"\n").decode("latin-1")
    except OSError as error:
        raise LabError(f"host {host}: {variable} names {path}, which cannot be read ({error.strerror})") from None


def _port(host: str, value: object, transport: str) -> int:
    if value in (None, ""):
        return 23 if transport == "telnet" else 22
    try:
        port = int(str(value))
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise LabError(f"host {host}: ansible_port is {value!r}, which is not a port number")
    return port


def _address(host: str, value: object) -> str:
    text = str(value or host)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise LabError(
            f"host {host}: ansible_host is {text!r}, a name; the lab can only play literal addresses, "
            "such as 127.77.1.1 (or a real address inside 'lab shell')"
        ) from None


def _mapping(host: str, variable: str, value: object) -> dict[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise LabError(f"host {host}: {variable} must be a mapping")
    return value


def serial_number(name: str, model: str) -> str:
    """A serial of Cisco's form (three letters, four digits, four characters), always the same for one host name."""
    digest = hashlib.sha256(f"{model}/{name}".encode()).digest()
    alphabet = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
    tail = "".join(alphabet[byte % len(alphabet)] for byte in digest[:4])
    return f"FOC{10 + digest[4] % 15:02d}{1 + digest[5] % 52:02d}{tail}"


def device_plan(host: str, variables: dict[str, Any]) -> DevicePlan:
    """Read the (templated) variables of one IOS host. Raises LabError naming the host and the variable."""
    folder = Path(str(variables.get("inventory_dir") or "."))
    transport = str(variables.get("ansible_netmiko_transport") or "ssh")
    model = str(variables.get("lab_model") or "WS-C2960-24TT-L")
    device = DevicePlan(
        name=host,
        address=_address(host, variables.get("ansible_host")),
        port=_port(host, variables.get("ansible_port"), transport),
        transport=transport,
        model=model,
    )
    device.user = str(variables.get("ansible_user") or "")
    password = variables.get("ansible_password")
    device.password = str((variables.get("ansible_ssh_pass") if password is None else password) or "")
    device.enable_secret = str(variables.get("ansible_become_password") or "")
    device.config_header = str(variables.get("lab_config_header") or "auto")
    device.ssh_algorithms = str(variables.get("lab_ssh_algorithms") or "legacy")
    mode = variables.get("lab_vtp_mode")
    device.vtp_mode = "off" if mode is False else str(mode or "")  # YAML 1.1 reads a bare off as false
    device.vtp_domain = str(variables.get("lab_vtp_domain") or "")
    for name, allowed in _CHOICES.items():
        if getattr(device, name) not in allowed:
            raise LabError(
                f"host {host}: {getattr(device, name)!r} is not a {name.replace('_', ' ')} "
                f"of the lab; choose one of: {', '.join(filter(None, allowed))}"
            )
    device.ios_version = str(variables.get("lab_ios_version") or default_version(model))
    device.image = str(variables.get("lab_image") or "")
    device.serial = str(variables.get("lab_serial") or serial_number(host, model))
    if variables.get("lab_running_config"):
        device.running_config = _read(host, "lab_running_config", str(variables["lab_running_config"]), folder)
    startup = variables.get("lab_startup_config")
    if str(startup) == "none":
        device.startup_absent = True
    elif startup:
        device.startup_config = _read(host, "lab_startup_config", str(startup), folder)
    try:
        device.vlans = {
            int(number): str(name) for number, name in _mapping(host, "lab_vlans", variables.get("lab_vlans")).items()
        }
        device.latency = {
            str(key): float(value) for key, value in _mapping(host, "lab_latency", variables.get("lab_latency")).items()
        }
        device.privilege = int(variables.get("lab_privilege") or 1)
        device.reload_time = float(2.0 if variables.get("lab_reload_time") is None else variables["lab_reload_time"])
    except (TypeError, ValueError) as error:
        raise LabError(
            f"host {host}: a number is needed in lab_vlans, lab_latency, lab_privilege or lab_reload_time ({error})"
        ) from None
    unknown = set(device.latency) - {"login", "command", "show_run"}
    if unknown:
        raise LabError(f"host {host}: lab_latency knows login, command and show_run, not {', '.join(sorted(unknown))}")
    device.neighbors = [
        {str(key): str(value) for key, value in _mapping(host, "lab_neighbors", entry).items()}
        for entry in variables.get("lab_neighbors") or []
    ]
    faults = variables.get("lab_faults") or []
    try:
        device.faults = parse_faults([faults] if isinstance(faults, str) else faults)
    except LabError as error:
        raise LabError(f"host {host}: {error.sentence}") from None
    return device


def build_plan(inventory: str, hosts: dict[str, dict[str, Any]]) -> Plan:
    """Decide what is played. Raises LabError when a host is wrong or when two want the same address and port."""
    plan = Plan(inventory)
    taken: dict[tuple[str, int], str] = {}
    for host, variables in hosts.items():
        kind = kind_of(variables)
        if kind not in ("ios", "windows", "linux"):
            plan.skipped[host] = "lab_kind: none" if kind == "none" else f"{kind}: not played by this lab"
            continue
        if kind == "ios":
            device = device_plan(host, variables)
            plan.devices.append(device)
            address, ports = device.address, [device.port]
        elif kind == "windows":
            server = windows_plan(host, variables, _address(host, variables.get("ansible_host")))
            plan.windows.append(server)
            address, ports = server.address, [server.port, *([server.postgresql["port"]] if server.postgresql else [])]
        else:
            if not any(
                variables.get(name) for name in ("lab_rsync", "lab_media", "lab_ssh", "lab_http", "lab_postgresql")
            ):
                plan.skipped[host] = NOTHING
                continue
            linux = linux_plan(host, variables, _address(host, variables.get("ansible_host")))
            plan.linux.append(linux)
            address, ports = linux.address, linux.ports
        for port in ports:
            other = taken.setdefault((address, port), host)
            if other != host:
                raise LabError(
                    f"hosts {other} and {host} both want {address}:{port}; give each host an address of its own"
                )
    return plan
