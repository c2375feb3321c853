#!/usr/bin/env bash
# Replays a recorded history of offers on a fresh server with a temporary database, through the
# public API alone, and prints one line of JSON: {predicted, recorded, matched}.
#
#   test/replay/offers.sh OFFERS.csv.gz MEMBERS.csv.gz EVENTS.csv.gz
set -euo pipefail
[ $# -eq 3 ] || { echo "usage: $0 OFFERS.csv.gz MEMBERS.csv.gz EVENTS.csv.gz" >&2; exit 2; }
files=()
for f in "$@"; do files+=("$(cd "$(dirname "$f")" && pwd)/$(basename "$f")"); done
cd "$(dirname "$0")/../.."

dir=$(mktemp -d "${TMPDIR:-/tmp}/patron-replay.XXXXXX")
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/patron" ./cmd/patron
go build -o "$dir/replay" ./test/replay
"$dir/replay" "$dir/patron" "${files[@]}"
