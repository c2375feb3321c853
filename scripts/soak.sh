#!/usr/bin/env bash
# The long form: laws, races and torture, each PATRON_SOAK times as large as at every
# change (20 where it is not set: an hour or two; 100 for a night). One size alone can be
# set by its own variable: see docs/reliability.md.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATRON_SOAK=${PATRON_SOAK:-20}
export PATRON_TEST_DISK=1 # the databases grow beyond what memory should hold

# Packages with laws, besides the ledger's, which counts its histories itself.
mapfile -t laws < <(grep -rl --include='*_test.go' pgregory.net/rapid internal | xargs -n1 dirname | sort -u | grep -vx internal/ledger | sed 's#^#./#')

scripts/with-postgres.sh bash -euo pipefail -c '
	go test -count=1 -timeout 0 ./internal/ledger ./internal/app
	go test -count=1 -timeout 0 "$@" -rapid.checks=$((100 * PATRON_SOAK))
	go test -count=1 -timeout 0 -tags torture ./internal/test/torture
' soak "${laws[@]}"
