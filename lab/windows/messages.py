# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System messages (``net helpmsg N``) in French and English.

Source: winerror.h's texts as FormatMessage gives them; the French ones are those of French Windows as published in
forum captures [K: not checked on a real Server 2008]. Nothing may depend on them: they exist to break parsers of words.
"""

from __future__ import annotations

_ERRORS: dict[int, tuple[str, str]] = {
    1: ("Fonction incorrecte.", "Incorrect function."),
    2: ("Le fichier spécifié est introuvable.", "The system cannot find the file specified."),
    3: ("Le chemin d'accès spécifié est introuvable.", "The system cannot find the path specified."),
    5: ("Accès refusé.", "Access is denied."),
    32: ("Le processus ne peut pas accéder au fichier car ce fichier est utilisé par un autre processus.",
         "The process cannot access the file because it is being used by another process."),
    53: ("Le chemin réseau n'a pas été trouvé.", "The network path was not found."),
    67: ("Nom de réseau introuvable.", "The network name cannot be found."),
    80: ("Le fichier existe.", "The file exists."),
    87: ("Paramètre incorrect.", "The parameter is incorrect."),
    112: ("Espace insuffisant sur le disque.", "There is not enough space on the disk."),
    123: ("La syntaxe du nom de fichier, de répertoire ou de volume est incorrecte.",
          "The filename, directory name, or volume label syntax is incorrect."),
    145: ("Le répertoire n'est pas vide.", "The directory is not empty."),
    183: ("Impossible de créer un fichier déjà existant.", "Cannot create a file when that file already exists."),
    193: ("n'est pas une application Win32 valide.", "is not a valid Win32 application."),
    267: ("Nom de répertoire non valide.", "The directory name is invalid."),
    1051: ("Un contrôle d'arrêt a été envoyé à un service dont d'autres services en cours d'exécution sont dépendants.",
           "A stop control has been sent to a service that other running services are dependent on."),
    1053: ("Le service n'a pas répondu assez vite à la demande de lancement ou de contrôle.",
           "The service did not respond to the start or control request in a timely fashion."),
    1056: ("Une instance du service s'exécute déjà.", "An instance of the service is already running."),
    1057: ("Le nom de compte n'est pas valide ou n'existe pas, ou le mot de passe n'est pas valide pour le nom de "
           "compte spécifié.", "The account name is invalid or does not exist, or the password is invalid for the "
           "account name specified."),
    1058: ("Le service ne peut pas être démarré parce qu'il est désactivé ou qu'aucun périphérique activé ne lui est "
           "associé.", "The service cannot be started, either because it is disabled or because it has no enabled "
           "devices associated with it."),
    1060: ("Le service spécifié n'existe pas en tant que service installé.",
           "The specified service does not exist as an installed service."),
    1061: ("Le service ne peut pas accepter des messages de contrôle en ce moment.",
           "The service cannot accept control messages at this time."),
    1062: ("Le service n'a pas été démarré.", "The service has not been started."),
    1067: ("Le processus s'est arrêté inopinément.", "The process terminated unexpectedly."),
    1068: ("Le service ou le groupe de dépendance n'a pas pu démarrer.",
           "The dependency service or group failed to start."),
    1069: ("Le service n'a pas pu démarrer en raison d'un échec d'ouverture de session.",
           "The service did not start due to a logon failure."),
    1072: ("Le service spécifié a été marqué pour suppression.",
           "The specified service has been marked for deletion."),
    1073: ("Le service spécifié existe déjà.", "The specified service already exists."),
    1326: ("Échec d'ouverture de session : nom d'utilisateur inconnu ou mot de passe incorrect.",
           "Logon failure: unknown user name or bad password."),
    1332: ("Le mappage entre les noms de compte et les ID de sécurité n'a pas été effectué.",
           "No mapping between account names and security IDs was done."),
    1336: ("La liste de contrôle d'accès (ACL) n'est pas valide.", "The access control list (ACL) structure is invalid."),
    1385: ("Échec d'ouverture de session : le type d'ouverture de session demandé n'a pas été accordé à l'utilisateur.",
           "Logon failure: the user has not been granted the requested logon type at this computer."),
    1168: ("Élément introuvable.", "Element not found."),
    1355: ("Le domaine spécifié n'existe pas ou n'a pas pu être contacté.",
           "The specified domain either does not exist or could not be contacted."),
    2662: ("Le nom du volume DFS est déjà utilisé.", "The specified DFS volume name is already in use."),
    4390: ("Le fichier ou répertoire n'est pas un point d'analyse.", "The file or directory is not a reparse point."),
    15007: ("Le canal spécifié est introuvable. Vérifiez la configuration du canal.",
            "The specified channel could not be found. Check channel configuration."),
    15001: ("La requête spécifiée n'est pas valide.", "The specified query is invalid."),
}  # fmt: skip


def text(language: str, french: str, english: str) -> str:
    """One of two texts."""
    return french if language == "fr" else english


def system(language: str, code: int) -> str:
    """The message of a Windows error."""
    french, english = _ERRORS.get(code, (f"Erreur {code}.", f"Error {code}."))
    return text(language, french, english)
