# Copyright (c) lycee.openerp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""diskpart.exe with a script (/s); all its text is localized.

Sources: Microsoft's pages of diskpart and its commands (``noerr``: go on after an error; without it an error ends DiskPart with
an error code); exit codes 0 ok, 1 fatal, 2 bad parameters, 3 the script cannot be opened, 4 a service failed, 5 syntax error or
nothing selected (facts/windows.md 2.2). A word may be cut to its first three letters [K]. Only disks with one partition.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lab.windows.disks import Disk, DiskError, Volume
from lab.windows.files import WindowsPathError
from lab.windows.processes import Call
from lab.windows.programs import program
from lab.windows.refusal import LabRefusal

_PARAMETERS, _NO_SCRIPT, _FAILED, _SYNTAX = 2, 3, 4, 5
_KNOWN = ("active", "add", "attach", "attributes", "automount", "break", "compact", "detach", "delete", "expand", "extend",
          "filesystems", "gpt", "help", "import", "inactive", "merge", "recover", "repair", "retain", "san", "setid", "shrink",
          "uniqueid")  # fmt: skip
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')


class _Ended(Exception):
    """DiskPart ends: ``code`` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Wrong(Exception):
    """A command that is none, or that needs another selection: a message in both languages."""


def _is(word: str, full: str) -> bool:
    return len(word) >= min(3, len(full)) and full.startswith(word.lower())


class _DiskPart:
    """One run: what is selected."""

    def __init__(self, call: Call) -> None:
        self.call, self.disks = call, call.host.disks
        self.disk: Disk | None = None
        self.volume: Volume | None = None

    def say(self, french: str, english: str) -> None:
        self.call.out(f"\n{self.call.say(french, english)}")

    def run(self, text: str) -> None:
        """The script. Raises _Ended."""
        for line in text.splitlines():
            words = _WORD.findall(line)
            if not words or words[0].lower() == "rem":
                continue
            forgiving = words[-1].lower() == "noerr"
            code = self._one(words[: len(words) - forgiving], line)
            if code and not forgiving:
                raise _Ended(code)

    def _one(self, words: list[str], line: str) -> int:
        try:
            self._command(words, line)
        except _Wrong as wrong:
            self.say(*wrong.args)
            return _SYNTAX
        except DiskError as error:
            self.say(error.french, error.english)
            return _FAILED
        except WindowsPathError as error:
            self.say(*(f"{text} {self.call.host.system(error.code)}" for text in
                       ("DiskPart a rencontré une erreur :", "DiskPart has encountered an error:")))  # fmt: skip
            return _FAILED
        return 0

    def _command(self, words: list[str], line: str) -> None:
        commands: dict[str, Callable[[list[str]], None]] = {
            "select": self._select, "online": self._online, "offline": self._offline, "attributes": self._attributes,
            "create": self._create, "convert": self._convert, "clean": self._clean, "format": self._format,
            "assign": self._assign, "remove": self._remove, "list": self._list, "detail": self._detail, "rescan": self._rescan,
        }  # fmt: skip
        if _is(words[0], "exit"):
            raise _Ended(0)
        for name, run in commands.items():
            if _is(words[0], name):
                run(words[1:])
                return
        if any(_is(words[0], name) for name in _KNOWN):
            raise LabRefusal(f"this command of diskpart is not played: {line.strip()}")
        raise _Wrong("Microsoft DiskPart\n\nCommande non reconnue. Tapez HELP pour obtenir la liste des commandes.",
                     "Microsoft DiskPart\n\nThe command is not recognized. Type HELP for the list of commands.")  # fmt: skip

    @staticmethod
    def _bad() -> _Wrong:
        return _Wrong("Les arguments spécifiés pour cette commande ne sont pas valides.\nPour plus d'informations sur la commande, "
                      "entrez : HELP <commande>", "The arguments specified for this command are not valid.\nFor more information "
                      "on the command type: HELP <command>")  # fmt: skip

    def _need_disk(self) -> Disk:
        if self.disk is None:
            raise _Wrong("Aucun disque sélectionné.\nSélectionnez un disque et réessayez.",
                         "There is no disk selected.\nPlease select a disk and try again.")  # fmt: skip
        return self.disk

    def _need_volume(self) -> tuple[Disk, Volume]:
        if self.volume is None or self.disk is None:
            raise _Wrong("Aucun volume sélectionné.\nSélectionnez un volume et réessayez.",
                         "There is no volume selected.\nPlease select a volume and try again.")  # fmt: skip
        return self.disk, self.volume

    def _select(self, words: list[str]) -> None:
        if len(words) != 2:
            raise self._bad()
        kind, text = words[0], words[1].strip('"')
        if _is(kind, "disk"):
            self.volume = None
            self.disk = self.disks.disks.get(int(text)) if text.isdigit() else None
            if self.disk is None:
                raise _Wrong("Le disque que vous avez spécifié n'est pas valide.\n\nAucun disque sélectionné.",
                             "The disk you specified is not valid.\n\nThere is no disk selected.")  # fmt: skip
            self.say(
                f"Le disque {text} est maintenant le disque sélectionné.", f"Disk {text} is now the selected disk."
            )
        elif _is(kind, "partition"):
            disk = self._need_disk()
            if not disk.online or text != "1" or not disk.volumes:
                raise _Wrong("La partition sélectionnée n'est pas valide.\nAucune partition n'est sélectionnée.",
                             "The selected partition is not valid.\nThere is no partition selected.")  # fmt: skip
            self.volume = disk.volumes[0]
            self.say(
                "La partition 1 est maintenant la partition sélectionnée.", "Partition 1 is now the selected partition."
            )
        elif _is(kind, "volume"):
            self._select_volume(text)
        else:
            raise self._bad()

    def _select_volume(self, text: str) -> None:
        found = self.disks.volumes()
        if text.isdigit():
            chosen = found[int(text)] if int(text) < len(found) else None
        else:
            wanted = f"{text.rstrip(':')}:\\" if len(text.rstrip(":\\")) == 1 else text.rstrip("\\")
            chosen = next((item for item in found if item[1].mount.lower() == wanted.lower()), None)
        if chosen is None:
            raise _Wrong("Le volume sélectionné n'est pas valide.\nAucun volume n'est sélectionné.",
                         "The selected volume is not valid.\nThere is no volume selected.")  # fmt: skip
        self.disk, self.volume = chosen
        number = found.index(chosen)
        self.say(f"Le volume {number} est le volume sélectionné.", f"Volume {number} is the selected volume.")

    def _online(self, words: list[str]) -> None:
        if not words or not _is(words[0], "disk") or len(words) > 1:
            raise LabRefusal(f"diskpart online is played for a disk only: {' '.join(words)}")
        disk = self._need_disk()
        self.disks.online(disk)
        self.say(
            "DiskPart a correctement mis en ligne le disque sélectionné.",
            "DiskPart successfully onlined the selected disk.",
        )

    def _offline(self, words: list[str]) -> None:
        if not words or not _is(words[0], "disk") or len(words) > 1:
            raise LabRefusal(f"diskpart offline is played for a disk only: {' '.join(words)}")
        disk = self._need_disk()
        self.disks.offline(disk)
        self.volume = None
        self.say("DiskPart a correctement mis hors connexion le disque sélectionné.",
                 "DiskPart successfully offlined the selected disk.")  # fmt: skip

    def _attributes(self, words: list[str]) -> None:
        if not words or not _is(words[0], "disk"):
            raise LabRefusal(f"diskpart attributes is played for a disk only: {' '.join(words)}")
        disk = self._need_disk()
        if len(words) == 1:
            state = ("Oui", "Yes") if disk.readonly else ("Non", "No")
            self.say(f"État de lecture seule actuel : {state[0]}\nLecture seule  : {state[0]}",
                     f"Current Read-only State : {state[1]}\nRead-only  : {state[1]}")  # fmt: skip
            return
        if len(words) != 3 or words[1].lower() not in ("set", "clear") or words[2].lower() != "readonly":
            raise self._bad()
        if not disk.number:
            raise LabRefusal("the disk of the system is not changed in the lab")
        disk.readonly = words[1].lower() == "set"
        what = ("défini", "set") if disk.readonly else ("effacé", "cleared")
        self.say(f"Attributs du disque correctement {what[0]}s.", f"Disk attributes {what[1]} successfully.")

    def _create(self, words: list[str]) -> None:
        if len(words) != 2 or not _is(words[0], "partition") or not _is(words[1], "primary"):
            raise LabRefusal(f"diskpart create is played as 'create partition primary' only: {' '.join(words)}")
        disk = self._need_disk()
        self.volume = self.disks.partition(disk)
        self.say(
            "DiskPart a réussi à créer la partition spécifiée.",
            "DiskPart succeeded in creating the specified partition.",
        )

    def _convert(self, words: list[str]) -> None:
        if len(words) != 1 or words[0].lower() not in ("mbr", "gpt"):
            raise LabRefusal(f"diskpart convert is played for mbr and gpt only: {' '.join(words)}")
        style = words[0].upper()
        self.disks.convert(self._need_disk(), style)
        self.say(f"DiskPart a correctement converti le disque sélectionné au format {style}.",
                 f"DiskPart successfully converted the selected disk to {style} format.")  # fmt: skip

    def _clean(self, words: list[str]) -> None:
        if words:
            raise LabRefusal(f"diskpart clean {' '.join(words)} is not played")
        self.disks.clean(self._need_disk())
        self.volume = None
        self.say("DiskPart a réussi à nettoyer le disque.", "DiskPart succeeded in cleaning the disk.")

    def _format(self, words: list[str]) -> None:
        label, filesystem = "", "ntfs"
        for word in words:
            name, equals, value = word.partition("=")
            if name.lower() == "fs" and equals:
                filesystem = value.lower()
            elif name.lower() == "label" and equals:
                label = value.strip('"')
            elif word.lower() != "quick":
                if name.lower() in ("unit", "compress", "override", "revision", "recommended", "nowait", "duplicate"):
                    raise LabRefusal(f"diskpart format {word} is not played")
                raise self._bad()
        if filesystem != "ntfs":
            raise LabRefusal(f"diskpart format is played for NTFS only: fs={filesystem}")
        disk, volume = self._need_volume()
        self.disks.format(disk, volume, label)
        self.say("  100 pour cent effectués\n\nDiskPart a formaté le volume.",
                 "  100 percent completed\n\nDiskPart successfully formatted the volume.")  # fmt: skip

    def _assign(self, words: list[str]) -> None:
        name, equals, value = words[0].partition("=") if len(words) == 1 else ("", "", "")
        if name.lower() != "mount" or not equals:
            raise LabRefusal(f"diskpart assign is played with mount= only: {' '.join(words)}")
        volume = self._need_volume()[1]
        self.disks.mount(volume, self.call.path(value.strip('"')))
        self.say("DiskPart a correctement affecté la lettre de lecteur ou le point de montage.",
                 "DiskPart successfully assigned the drive letter or mount point.")  # fmt: skip

    def _remove(self, words: list[str]) -> None:
        name, equals, value = words[0].partition("=") if len(words) == 1 else ("", "", "")
        if name.lower() not in ("mount", "all") or bool(equals) != (name.lower() == "mount"):
            raise LabRefusal(f"diskpart remove is played with mount= or all only: {' '.join(words)}")
        disk, volume = self._need_volume()
        if not disk.number:
            raise LabRefusal("the disk of the system is not changed in the lab")
        wanted = self.call.path(value.strip('"')).lower() if equals else volume.mount.lower()
        if not volume.mount or wanted != volume.mount.lower():
            raise DiskError("Le point de montage spécifié n'existe pas.", "The specified mount point does not exist.")
        self.call.host.lose_files(volume.mount)
        self.disks.unmount(volume)
        self.say("DiskPart a correctement supprimé la lettre de lecteur ou le point de montage.",
                 "DiskPart successfully removed the drive letter or mount point.")  # fmt: skip

    def _rescan(self, words: list[str]) -> None:
        self.say("Veuillez patienter pendant que DiskPart analyse la configuration...\n\nDiskPart a terminé l'analyse de la "
                 "configuration.", "Please wait while DiskPart scans your configuration...\n\nDiskPart has finished scanning "
                 "your configuration.")  # fmt: skip

    def _list(self, words: list[str]) -> None:
        kind = words[0] if len(words) == 1 else ""
        say = self.call.say
        if kind and _is(kind, "disk"):
            self.say("  N° disque  Statut         Taille   Libre    Dyn  GPT\n  ---------  -------------  -------  -------  ---  ---",
                     "  Disk ###  Status      Size     Free     Dyn  Gpt\n  --------  ----------  -------  -------  ---  ---")  # fmt: skip
            for disk in self.disks.disks.values():
                state = say("Connecté", "Online") if disk.online else say("Hors connexion", "Offline")
                free = 0 if disk.volumes else disk.size
                gpt = "*" if disk.style == "GPT" else ""
                mark = "*" if disk is self.disk else " "
                head = f"{mark} {say('Disque', 'Disk')} {disk.number}"
                self.call.out(
                    f"{head:<11}  {state:<13}  {_size(self.call, disk.size)}  {_size(self.call, free)}       {gpt:>3}"
                )
        elif kind and _is(kind, "volume"):
            self._list_volumes(self.disks.volumes())
        elif kind and _is(kind, "partition"):
            found = self._need_disk()
            self.say("  N° partition   Type              Taille   Décalage\n  -------------  ----------------  -------  --------",
                     "  Partition ###  Type              Size     Offset\n  -------------  ----------------  -------  -------")  # fmt: skip
            for volume in found.volumes if found.online else ():
                self.call.out(
                    f"  Partition 1    {say('Principale', 'Primary'):<16}  {_size(self.call, volume.size)}   1024 K"
                )
        else:
            raise self._bad()

    def _list_volumes(self, found: list[tuple[Disk, Volume]]) -> None:
        say = self.call.say
        self.say("  N° volume   Ltr  Nom          Fs     Type        Taille   Statut     Info\n"
                 "  ----------  ---  -----------  -----  ----------  -------  ---------  --------",
                 "  Volume ###  Ltr  Label        Fs     Type        Size     Status     Info\n"
                 "  ----------  ---  -----------  -----  ----------  -------  ---------  --------")  # fmt: skip
        for disk, volume in found:
            number = self.disks.volumes().index((disk, volume))
            letter = "C" if not disk.number else ""
            system = say("Système", "System") if not disk.number else ""
            self.call.out(f"{'*' if volume is self.volume else ' '} Volume {number}     {letter:^3}  {volume.label[:11]:<11}  "
                          f"{volume.filesystem or 'RAW':<5}  {'Partition':<10}  {_size(self.call, volume.size)}  "
                          f"{say('Sain', 'Healthy'):<9}  {system}")  # fmt: skip
            if volume.mount and disk.number:
                self.call.out(f"    {volume.mount}\\")

    def _detail(self, words: list[str]) -> None:
        kind = words[0] if len(words) == 1 else ""
        say = self.call.say
        if kind and _is(kind, "disk"):
            disk = self._need_disk()
            state = say("Connecté", "Online") if disk.online else say("Hors connexion", "Offline")
            yes = say("Oui", "Yes") if disk.readonly else say("Non", "No")
            self.say(f"LAB disk\nID du disque : {disk.signature:08X}\nStatut : {state}\nÉtat de lecture seule actuel : {yes}",
                     f"LAB disk\nDisk ID: {disk.signature:08X}\nStatus : {state}\nCurrent Read-only State : {yes}")  # fmt: skip
            self._list_volumes([item for item in self.disks.volumes() if item[0] is disk])
        elif kind and (_is(kind, "volume") or _is(kind, "partition")):
            self._list_volumes([self._need_volume()])
        else:
            raise self._bad()


def _size(call: Call, size: int) -> str:
    if not size:
        return f"{call.say('0 octets', '0 B'):>7}"
    unit = call.say("G octets", "GB") if size >= 10 << 30 else call.say("M octets", "MB")
    return f"{size >> (30 if size >= 10 << 30 else 20):>4} {unit:>2}"


def _text(data: bytes, encoding: str) -> str:
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le")):
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace")
    return data.decode(encoding, "replace")


@program("diskpart")
async def _diskpart(call: Call) -> int:
    words, script = list(call.argv), ""
    while words:
        option = words.pop(0).lower()
        if option == "/s" and words:
            script = words.pop(0)
        elif option == "/t" and words and words[0].isdigit():
            words.pop(0)
        else:
            call.out(call.say("\nSyntaxe de DiskPart :\n\tdiskpart [/s <script>] [/?]", "\nDiskPart command line syntax:\n"
                              "\tdiskpart [/s <script>] [/?]"))  # fmt: skip
            return _PARAMETERS
    if not script:
        raise LabRefusal("diskpart is played with a script (/s) only")
    call.out(f"\nMicrosoft DiskPart version {call.host.plan.version}\nCopyright (C) 1999-2007 Microsoft Corporation.\n"
             + call.say("Sur l'ordinateur : ", "On computer: ") + call.host.plan.computer_name)  # fmt: skip
    try:
        text = _text(call.host.drive.read(call.path(script)), call.encoding)
    except WindowsPathError as error:
        call.out(call.say("\nDiskPart n'a pas pu ouvrir le fichier script : ", "\nDiskPart could not open the script file: ")
                 + call.host.system(error.code))  # fmt: skip
        return _NO_SCRIPT
    try:
        _DiskPart(call).run(text)
    except _Ended as ended:
        return ended.code
    return 0
