#!/usr/bin/env bash
# Plants one bug after the other, runs the test that has to notice it, and lists those that
# it does not. What a promise is worth is what its test can see.
#
#   scripts/with-postgres.sh scripts/mutants.sh              all of scripts/mutants
#   scripts/with-postgres.sh scripts/mutants.sh NAME…        these
#
# A patch begins with two lines: the command that has to fail, and what the bug breaks.
#
#   # go test ./internal/ledger/ -run TestHalfOpen
#   # L18: points can be used at the instant at which they end
#
# It works in a copy of the tree as it is, with what is not committed yet. A bug that does
# not compile, or a command that runs no test, proves nothing and counts as not caught.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$(mktemp -d "${TMPDIR:-/tmp}/patron-mutants.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
base=$dir/base # as it is
tree=$dir/tree # with the bug of the moment
mkdir "$base"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done | tar -c --null -T - | tar -x -C "$base"
cp -a "$base" "$tree"

names=("$@")
if [ "${#names[@]}" = 0 ]; then
	for p in scripts/mutants/*.patch; do
		names+=("$(basename "$p" .patch)")
	done
fi

bad=0
verdict() { # verdict WORD NAME WHY
	printf '%-14s %-28s %s\n' "$1" "$2" "$3"
	[ "$1" = caught ] || bad=$((bad + 1))
}

try() { # try NAME: one bug
	local name=$1 patch command why out
	patch=$base/scripts/mutants/$name.patch
	out=$dir/out
	[ -e "$patch" ] || { verdict missing "$name" "there is no scripts/mutants/$name.patch"; return; }
	command=$(sed -n '1s/^# *//p' "$patch")
	why=$(sed -n '2s/^# *//p' "$patch")
	case $command in
	"go test "*) ;;
	*) verdict unreadable "$name" "its first line is no go test command"; return ;;
	esac
	if ! (cd "$tree" && patch -p1 -s -f --no-backup-if-mismatch -r - <"$patch") >"$out" 2>&1; then
		cat "$out"
		verdict "does not apply" "$name" "$why"
		restore "$patch"
		return
	fi
	if (cd "$tree" && eval "go test -count=1 -timeout 15m ${command#go test }") >"$out" 2>&1; then
		if grep -q 'no tests to run' "$out" && ! grep '^ok' "$out" | grep -vq 'no tests to run'; then
			verdict "runs no test" "$name" "$command"
		else
			verdict SURVIVES "$name" "$why; asked: $command"
		fi
	elif grep -qE '\[(build|setup) failed\]|^build the program: |^flag provided but not defined' "$out"; then
		cat "$out"
		verdict "does not build" "$name" "$why"
	elif ! grep -q -- '--- FAIL\|^panic: \|^FAIL	' "$out"; then
		cat "$out"
		verdict "did not run" "$name" "$command"
	else
		verdict caught "$name" "$why"
	fi
	restore "$patch"
}

restore() { # restore PATCH: the files that it touches, as they were
	sed -n 's#^+++ b/##p' "$1" | while IFS= read -r f; do
		if [ -e "$base/$f" ]; then cp -p "$base/$f" "$tree/$f"; else rm -f "$tree/$f"; fi
	done
}

for name in "${names[@]}"; do
	try "$name"
done
echo "${#names[@]} bugs planted, $bad not caught"
[ "$bad" = 0 ]
