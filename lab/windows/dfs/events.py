# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of DFS Replication, in the channel ``DFS Replication`` with the source DFSR.

Sources: facts/windows.md 2.7 (4102, 4104, 4112, 4008), the File Services management pack (4004: replication stopped, with the
error; 4114: a membership was disabled), texts of 1202, 2212, 2214, 5002, 5004, 5008 in Microsoft's troubleshooting pages; the order of
the strings is that of [MS-DFSRH] 2.2.1.5.17.38: folder, path, ..., folder name, group name, group, member. French texts [K].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.windows.host import Host

LOG, SOURCE = "DFS Replication", "DFSR"
_ERROR, _WARNING, _INFORMATION = 1, 2, 3
_WHERE = (
    "\r\n\r\nInformations supplémentaires : \r\nNom du dossier répliqué : {folder}\r\nID du dossier répliqué : {folder_guid}\r\n"
    "Nom du groupe de réplication : {group}\r\nID du groupe de réplication : {group_guid}\r\nID du membre : {member_guid}",
    "\r\n\r\nAdditional Information: \r\nReplicated Folder Name: {folder}\r\nReplicated Folder ID: {folder_guid}\r\n"
    "Replication Group Name: {group}\r\nReplication Group ID: {group_guid}\r\nMember ID: {member_guid}",
)
_TEXTS: dict[int, tuple[int, str, str]] = {
    1004: (_INFORMATION, "Le service de réplication DFS a démarré.", "The DFS Replication service has started."),
    1202: (_ERROR, "Le service de réplication DFS n'a pas pu contacter le contrôleur de domaine {0} pour accéder aux informations "
           "de configuration. La réplication est arrêtée. Le service réessaiera au cours du prochain cycle d'interrogation.",
           "The DFS Replication service failed to contact domain controller {0} to access configuration information. "
           "Replication is stopped. The service will try again during the next configuration polling cycle."),
    1206: (_INFORMATION, "Le service de réplication DFS a contacté le contrôleur de domaine {0} pour accéder aux informations de "
           "configuration.", "The DFS Replication service successfully contacted domain controller {0} to access configuration "
           "information."),
    2212: (_WARNING, "Le service de réplication DFS a détecté un arrêt inattendu sur le volume du dossier {path}. Le service a lancé "
           "automatiquement un processus de récupération.", "The DFS Replication service has detected an unexpected shutdown on the "
           "volume of folder {path}. The service has automatically initiated a recovery process."),
    2214: (_INFORMATION, "Le service de réplication DFS a récupéré d'un arrêt inattendu sur le volume du dossier {path}.",
           "The DFS Replication service successfully recovered from an unexpected shutdown on the volume of folder {path}."),
    4004: (_ERROR, "Le service de réplication DFS a arrêté la réplication du dossier dont le chemin local est {path}." + _WHERE[0]
           + "\r\nErreur : {0} ({1})", "The DFS Replication service stopped replication on the folder with the following local "
           "path: {path}." + _WHERE[1] + "\r\nError: {0} ({1})"),
    4008: (_INFORMATION, "Le service de réplication DFS a arrêté la réplication du dossier répliqué dont le chemin local est {path} : "
           "il n'est plus dans la configuration." + _WHERE[0], "The DFS Replication service stopped replication on the replicated "
           "folder at local path {path}: it is no longer in the configuration." + _WHERE[1]),
    4102: (_INFORMATION, "Le service de réplication DFS a initialisé le dossier répliqué dont le chemin local est {path} et attend "
           "d'effectuer la réplication initiale." + _WHERE[0], "The DFS Replication service initialized the replicated folder at "
           "local path {path} and is waiting to perform initial replication." + _WHERE[1]),
    4104: (_INFORMATION, "Le service de réplication DFS a terminé la réplication initiale du dossier répliqué dont le chemin local "
           "est {path}." + _WHERE[0], "The DFS Replication service successfully finished initial replication on the replicated "
           "folder at local path {path}." + _WHERE[1]),
    4112: (_INFORMATION, "Le service de réplication DFS a initialisé le dossier répliqué dont le chemin local est {path}. Ce membre est "
           "le membre principal désigné pour ce dossier." + _WHERE[0], "The DFS Replication service successfully initialized the "
           "replicated folder at local path {path}. This member is the designated primary member for this replicated folder."
           + _WHERE[1]),
    4114: (_WARNING, "Le dossier répliqué dont le chemin local est {path} a été désactivé. Il ne participera pas à la réplication avant "
           "d'être activé." + _WHERE[0], "The replicated folder at local path {path} has been disabled. The replicated folder will "
           "not participate in replication until it is enabled." + _WHERE[1]),
    5002: (_ERROR, "Le service de réplication DFS a rencontré une erreur de communication avec le partenaire {0} pour le groupe de "
           "réplication {1}.", "The DFS Replication service encountered an error communicating with partner {0} for replication "
           "group {1}."),
    5004: (_INFORMATION, "Le service de réplication DFS a établi une connexion entrante avec le partenaire {0} pour le groupe de "
           "réplication {1}.", "The DFS Replication service successfully established an inbound connection with partner {0} for "
           "replication group {1}."),
}  # fmt: skip


def write(host: Host, code: int, strings: list[str], names: dict[str, str] | None = None) -> None:
    """Write an event.

    Args:
        strings: the insertion strings of its data; in the text they stand as ``{0}``, ``{1}`` ... Names of a folder (``path``,
            ``folder``, ``folder_guid``, ``group``, ``group_guid``, ``member_guid``) come before and after them in the data.
    """
    kind, french, english = _TEXTS[code]
    known = names or {}
    message = host.say(french, english).format(*strings, **known)
    data = list(strings)
    if known:
        data = [
            known["folder_guid"],
            known["path"],
            *strings,
            known["folder"],
            known["group"],
            known["group_guid"],
            known["member_guid"],
        ]
    host.events.add(LOG, SOURCE, code, kind, message, data)
