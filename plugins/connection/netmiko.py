# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection plugin: a session with a Cisco IOS device over SSH or telnet, by Netmiko."""

from __future__ import annotations

DOCUMENTATION = r"""
name: netmiko
short_description: Talk to Cisco IOS devices over SSH or telnet by Netmiko
version_added: 0.1.0
author:
  - The lycee.openerp contributors (@lycee-openerp)
description:
  - Opens a session with a Cisco IOS device, old ones included that offer nothing but SHA-1 key exchange and CBC ciphers,
    and enters privileged mode.
  - The names of the variables are those of P(ansible.netcommon.network_cli#connection) wherever it has them.
  - No session log is ever written, since it would hold the device's secrets.
requirements:
  - netmiko >= 4.5
  - paramiko >= 3.5.1, < 5 (paramiko 5 has no SHA-1 and cannot reach a Catalyst 2960)
options:
  host:
    description: Name or address of the device.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
  port:
    description: TCP port; 22 for SSH and 23 for telnet when it is not given.
    type: int
    ini:
      - section: defaults
        key: remote_port
    env:
      - name: ANSIBLE_REMOTE_PORT
    vars:
      - name: ansible_port
  network_os:
    description: What the device runs. Only C(ios) and C(cisco.ios.ios), which also stand for IOS XE, are known.
    type: str
    default: cisco.ios.ios
    vars:
      - name: ansible_network_os
  remote_user:
    description: User that logs in.
    type: str
    ini:
      - section: defaults
        key: remote_user
    env:
      - name: ANSIBLE_REMOTE_USER
    cli:
      - name: user
    vars:
      - name: ansible_user
  password:
    description: Password of the user.
    type: str
    vars:
      - name: ansible_password
      - name: ansible_ssh_password
      - name: ansible_ssh_pass
  become_password:
    description:
      - Enable secret. Not needed when the user lands in privileged mode.
    type: str
    vars:
      - name: ansible_become_password
      - name: ansible_become_pass
  transport:
    description: V(ssh), or V(telnet) for an image without cryptography. Telnet sends passwords in the clear.
    type: str
    default: ssh
    vars:
      - name: ansible_netmiko_transport
  private_key_file:
    description: Private key that logs the user in (IOS 15 and newer).
    type: path
    vars:
      - name: ansible_ssh_private_key_file
      - name: ansible_private_key_file
  private_key_passphrase:
    description: Passphrase of the private key.
    type: str
    vars:
      - name: ansible_ssh_private_key_passphrase
      - name: ansible_private_key_passphrase
  host_key_checking:
    description: Refuse a device whose SSH host key is unknown or has changed.
    type: bool
    default: true
    ini:
      - section: defaults
        key: host_key_checking
    env:
      - name: ANSIBLE_HOST_KEY_CHECKING
    vars:
      - name: ansible_host_key_checking
      - name: ansible_ssh_host_key_checking
  host_key_auto_add:
    description:
      - Write an unknown host key into O(known_hosts_file) and go on. A key that has changed is still refused.
      - Meant for the first run, on a network that is trusted.
    type: bool
    default: false
    env:
      - name: ANSIBLE_HOST_KEY_AUTO_ADD
    vars:
      - name: ansible_host_key_auto_add
  known_hosts_file:
    description: File of known host keys, in OpenSSH's format.
    type: path
    default: ~/.ssh/known_hosts
    vars:
      - name: ansible_netmiko_known_hosts_file
  ssh_config_file:
    description: OpenSSH client configuration to follow, for a jump host (C(ProxyJump), C(ProxyCommand)).
    type: path
    vars:
      - name: ansible_netmiko_ssh_config_file
  connect_timeout:
    description: Seconds to wait for the TCP connection.
    type: float
    default: 10
    ini:
      - section: persistent_connection
        key: connect_timeout
    env:
      - name: ANSIBLE_PERSISTENT_CONNECT_TIMEOUT
    vars:
      - name: ansible_connect_timeout
      - name: ansible_netmiko_connect_timeout
  banner_timeout:
    description: Seconds to wait for the greeting of the SSH server.
    type: float
    default: 15
    vars:
      - name: ansible_netmiko_banner_timeout
  auth_timeout:
    description: Seconds to wait for the answer to the login.
    type: float
    default: 30
    vars:
      - name: ansible_netmiko_auth_timeout
  read_timeout:
    description:
      - Seconds that a device may stay silent in the middle of an answer. A loaded Catalyst 2960 thinks for tens of
        seconds before it prints its running configuration.
    type: float
    default: 120
    ini:
      - section: persistent_connection
        key: command_timeout
    env:
      - name: ANSIBLE_PERSISTENT_COMMAND_TIMEOUT
    vars:
      - name: ansible_command_timeout
      - name: ansible_netmiko_read_timeout
  settle_time:
    description:
      - Seconds of silence after which a prompt in the middle of a configuration is believed to be the real one.
        Banners may hold text that looks like the prompt.
    type: float
    default: 2
    vars:
      - name: ansible_netmiko_settle_time
  encoding:
    description:
      - How text is encoded on the device's terminal, both ways. Latin-1 keeps every byte as it is, whatever the device
        really means by it, so that an accent in a description survives a backup and a restoration.
    type: str
    default: latin-1
    vars:
      - name: ansible_netmiko_encoding
"""

EXAMPLES = r"""
# group_vars/network.yml
# ansible_connection: lycee.openerp.netmiko
# ansible_network_os: cisco.ios.ios
# ansible_user: backup
# ansible_password: "{{ vault_network_password }}"
# ansible_become_password: "{{ vault_network_enable_secret }}"
"""

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase
from ansible_collections.lycee.openerp.plugins.plugin_utils import _requirements
from ansible_collections.lycee.openerp.plugins.plugin_utils._errors import LyceeError
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios import libraries
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.options import DeviceOptions, device_options
from ansible_collections.lycee.openerp.plugins.plugin_utils._ios.session import Session


class Connection(ConnectionBase):
    """A session with an IOS device; actions take it from ``session``, ``raw`` runs one command."""

    transport = "lycee.openerp.netmiko"
    has_pipelining = False
    _session: Session | None = None

    def _connect(self) -> Connection:
        if not self._connected:
            try:
                self._session = self.open_session()
            except LyceeError as error:
                raise AnsibleConnectionFailure(str(error)) from None
            self._connected = True
        return self

    def device_options(self, name: str | None = None) -> DeviceOptions:
        """Return what the session is opened with.

        Args:
            name: the inventory name, for sentences; the address when it is not given.

        Raises:
            OptionError: a variable has a value that cannot be used.
        """
        return device_options(name or str(self.get_option("host")), self.get_option)

    def open_session(self, name: str | None = None) -> Session:
        """Open a session and return it; the caller closes it.

        Raises:
            LyceeError: in a sentence that names the device and the cure.
        """
        _requirements.check()
        libraries.require()
        return Session(self.device_options(name))

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run one command line in privileged mode, for the C(raw) module.

        IOS has no exit codes: a line that begins with C(%) and names an error gives 1.
        """
        self._connect()
        session = self._session
        if session is None:
            raise AnsibleConnectionFailure("the session is closed")
        try:
            text = session.ask(str(cmd))
        except LyceeError as error:
            raise AnsibleConnectionFailure(str(error)) from None
        refused = text.lstrip().startswith("%") or "\n% " in text[:400]
        return int(refused), text.encode("utf-8"), b""

    def put_file(self, in_path: str, out_path: str) -> None:
        """Refuse: this connection carries commands only."""
        raise AnsibleError("lycee.openerp.netmiko carries commands, not files")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Refuse: this connection carries commands only."""
        raise AnsibleError("lycee.openerp.netmiko carries commands, not files")

    def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._connected = False
