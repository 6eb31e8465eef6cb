# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dism.exe /online: enable, disable and list features.

Sources: Microsoft's page of DISM's feature commands (/all came with Windows 8; 3010: a restart is needed); 0x800f080c for a
feature that does not exist, 50 for one whose parent is disabled [K].
"""

from __future__ import annotations

from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_RESTART, _PARAMETER, _PARENT, _NO_FEATURE = 3010, 87, 50, 0x800F080C
_VERBS = ("enable-feature", "disable-feature", "get-features", "get-featureinfo")


def _error(call: Call, code: int, french: str, english: str) -> int:
    shown = f"0x{code:x}" if code > 0xFFFF else str(code)
    call.out(call.say(f"\nErreur : {shown}\n\n{french}", f"\nError: {shown}\n\n{english}"))
    return code


def _state(call: Call, name: str) -> str:
    if name in call.host.features.pending:
        return call.say("Activation en attente", "Enable Pending")
    return call.say("Activé", "Enabled") if call.host.features.has(name) else call.say("Désactivé", "Disabled")


def _list(call: Call) -> int:
    for item in call.host.features.known():
        if item.dism:
            call.out(call.say(f"\nNom de la fonctionnalité : {item.dism}\nÉtat : {_state(call, item.name)}",
                              f"\nFeature Name : {item.dism}\nState : {_state(call, item.name)}"))  # fmt: skip
    return _done(call)


def _done(call: Call) -> int:
    call.out(call.say("\nL'opération a réussi.", "\nThe operation completed successfully."))
    return 0


@program("dism", on=lambda host: not host.plan.is_nt60)
async def _dism(call: Call) -> int:
    switches = [word.lstrip("/").partition(":") for word in call.argv]
    given = {name.lower(): value for name, _colon, value in switches}
    call.out(call.say("\nOutil Gestion et maintenance des images de déploiement", "\nDeployment Image Servicing and Management tool")
             + f"\nVersion : {call.host.plan.version}")  # fmt: skip
    verb = next((name for name in given if name in _VERBS), "")
    options = set(given) - {
        "online",
        verb,
        "featurename",
        "norestart",
        "quiet",
        "english",
        "all",
        "format",
        "limitaccess",
    }
    if "online" not in given or not verb:
        raise LabRefusal(f"dism is played with /online and {', '.join(_VERBS)} only: {call.line.strip()}")
    if options or ("all" in given and call.host.plan.version.startswith("6.1")):
        word = min(options or {"all"})
        return _error(call, _PARAMETER, f"L'option {word} est inconnue.", f"The {word} option is unknown.")
    if verb == "get-features":
        return _list(call)
    features = call.host.features
    chosen = features.find(given.get("featurename", ""), dism=True) if given.get("featurename") else None
    if chosen is None:
        name = given.get("featurename", "")
        return _error(
            call, _NO_FEATURE, f"Le nom de fonctionnalité {name} est inconnu.", f"Feature name {name} is unknown."
        )
    if verb == "get-featureinfo":
        call.out(call.say(f"\nNom de la fonctionnalité : {chosen.dism}\nÉtat : {_state(call, chosen.name)}",
                          f"\nFeature Name : {chosen.dism}\nState : {_state(call, chosen.name)}"))  # fmt: skip
        return _done(call)
    if verb == "disable-feature":
        restart = features.has(chosen.name) and features.remove(chosen)
    else:
        missing = features.missing(chosen)
        if (
            "all" not in given
            and not call.host.plan.version.startswith("6.1")
            and any(item.dism for item in missing if item != chosen)
        ):
            return _error(call, _PARENT, "Une ou plusieurs fonctionnalités parentes sont désactivées.",
                          "One or several parent features are disabled so current feature can not be enabled.")  # fmt: skip
        restart = bool(missing) and features.install(missing)
    if restart and "norestart" not in given:
        raise LabRefusal("dism without /norestart would ask for a restart")
    _done(call)
    return _RESTART if restart else 0
