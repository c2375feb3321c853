#!/usr/bin/env bash
# Installs what building and testing need and says nothing when it is all there. Made for a
# fresh Debian 12; as another user than root it names what is missing and stops.
set -euo pipefail

missing=()
need() { # need PACKAGE COMMAND: the package when the command is not there
	command -v "$2" >/dev/null 2>&1 || missing+=("$1")
}
need gzip gzip
need gcc gcc # for the race detector; the program itself needs no C
need util-linux setpriv
need bsdextrautils column
need curl curl
need time time
need patch patch # plants the bugs of make mutants
[ "${1:-}" != torture ] || need opensmtpd smtpd # a real mail server that takes the codes of the portal
if [ "${1:-}" = e2e ]; then # a browser, with the characters that half of its pages are made of
	[ -n "${CHROMIUM:-}" ] || need chromium chromium
	fc-list 2>/dev/null | grep -qi 'CJK' || missing+=(fonts-noto-cjk)
fi
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
[ -d /usr/include/linux ] || missing+=(libc6-dev)
if ! command -v initdb >/dev/null 2>&1 && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
	missing+=(postgresql)
fi

if [ "${#missing[@]}" -gt 0 ]; then
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		echo "please install: ${missing[*]}" >&2
		exit 1
	fi
	echo "installing ${missing[*]}" >&2
	export DEBIAN_FRONTEND=noninteractive
	# The package would make and start a cluster that nobody asked for.
	if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
		mkdir -p /etc/postgresql-common
		echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
	fi
	log=$(mktemp)
	if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		cat "$log" >&2
		exit 1
	fi
	rm -f "$log"
fi

if ! command -v node >/dev/null 2>&1 || ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
	echo "please install Node.js 20.19 or later: https://nodejs.org/" >&2
	exit 1
fi

if ! command -v go >/dev/null 2>&1; then
	echo "please install Go $(sed -n 's/^go //p' "$(dirname "$0")/../go.mod") or later: https://go.dev/dl/" >&2
	exit 1
fi
