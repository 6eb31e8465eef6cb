#!/bin/sh
# Makes sure that system programs are there: tools/system_programs.sh PROGRAM...
# A missing one is installed from Debian's or Ubuntu's packages where that is possible without a prompt (root, or
# sudo that asks for no password) and announced in one line. NO_INSTALL=1 forbids it. Otherwise the missing ones are
# named with the command to type, and the exit status is 1.
set -eu

package_of() {
    case "$1" in
        git) echo git ;;
        python3-venv) python3 -c 'import sys; print("python3.%d-venv" % sys.version_info[1])' ;;
        ssh) echo openssh-client ;;
        rsync) echo rsync ;;
        cron) echo cron ;;
        systemd-analyze) echo systemd ;;
        ip) echo iproute2 ;;
        unshare) echo util-linux ;;
        *) echo "$1" ;;
    esac
}

present() {
    case "$1" in
        # Debian splits ensurepip from python3: venv imports, then fails while it makes the environment.
        python3-venv) python3 -c 'import venv, ensurepip' 2>/dev/null ;;
        # Daemons live in sbin, which an ordinary account has not on its PATH.
        *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 ;;
    esac
}

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "lycee.openerp: python3 is missing or older than 3.11 (found: $(python3 --version 2>&1 || true))." \
        "Install Debian 12 / Ubuntu 24.04 or newer's python3: apt-get install python3" >&2
    exit 1
fi

packages=""
for program in "$@"; do
    present "$program" || packages="$packages $(package_of "$program")"
done
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    as_root="none"
fi

if [ -n "${NO_INSTALL:-}" ] || [ "$as_root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "lycee.openerp: missing system packages:$packages. Type: sudo apt-get install$packages" >&2
    exit 1
fi

echo "lycee.openerp: installing the system packages$packages (NO_INSTALL=1 forbids it)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages >"$log" 2>&1; }
# A fresh machine has no package lists, or old ones that name versions no longer served.
install || { $as_root apt-get update >"$log" 2>&1 && install; } || {
    tail -n 5 "$log" >&2
    echo "lycee.openerp: apt-get could not install$packages; the last lines above say why." >&2
    exit 1
}
for program in "$@"; do
    present "$program" || { echo "lycee.openerp: $program is still missing after the installation of$packages." >&2; exit 1; }
done
