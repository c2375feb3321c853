#!/usr/bin/env bash
# Measures postings over HTTP against a server that it starts on an empty database with demo
# members, and prints one line of JSON for each kind of load.
#
#   scripts/bench.sh sqlite
#   scripts/with-postgres.sh scripts/bench.sh postgresql
set -euo pipefail
cd "$(dirname "$0")/.."

engine=${1:?sqlite or postgresql}
seconds=${SECONDS_EACH:-20}
port=${PORT:-18080}
dir=$(mktemp -d "${TMPDIR:-/tmp}/patron-bench.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT

at() { # at NAME: the address of another database of the server
	sed "s#^\([a-z]*://[^/]*\)/[^?]*#\1/$1#" <<<"$PATRON_TEST_POSTGRES"
}

where=(--data-dir "$dir")
if [ "$engine" = postgresql ]; then
	PGOPTIONS="-c client_min_messages=warning" psql -qAt "$PATRON_TEST_POSTGRES" -c "DROP DATABASE IF EXISTS patron_bench" -c "CREATE DATABASE patron_bench"
	where+=(--database-url "$(at patron_bench)")
fi

bin/patron demo "${where[@]}" >/dev/null
bin/patron serve "${where[@]}" --listen "127.0.0.1:$port" >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 100); do
	curl -fsS "http://127.0.0.1:$port/livez" >/dev/null 2>&1 && break
	kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
	sleep 0.2
done
key=$(bin/patron key create --name bench --scopes all "${where[@]}")

for load in earn spend mixed; do
	bin/patron bench "$load" --url "http://127.0.0.1:$port" --key "$key" --in-flight 64 --seconds "$seconds" --json
done
