#!/usr/bin/env bash
# Measures postings over HTTP against a server that it starts on an empty database, with
# pgbench's TPC-B-like load on the same PostgreSQL in between, and prints every run as a
# line of JSON and the medians at the end, with their ratio to TPC-B.
#
#   scripts/bench.sh sqlite
#   PATRON_TEST_DISK=1 scripts/with-postgres.sh scripts/bench.sh postgresql
#
# SECONDS_EACH  how long each run counts (10)      ROUNDS   how often all are run (3)
# MEMBERS       made through the API first (20000) SCALE    of pgbench (64)
# LOADS         of: earn earn256 batch mixed spend open ("earn batch mixed")
# OPEN_RATE     sales a second of the load open (3000)
# BENCH_SERVE   more flags of the server; settings come from the environment, as PATRON_MAX_BATCH=1
#
# A PostgreSQL for measuring has more memory than one for testing; with-postgres.sh takes
# its settings from PATRON_TEST_PG_CONF:
#   export PATRON_TEST_PG_CONF=$'shared_buffers = 2GB\nmax_wal_size = 8GB'
set -euo pipefail
cd "$(dirname "$0")/.."

engine=${1:?sqlite or postgresql}
seconds=${SECONDS_EACH:-10}
rounds=${ROUNDS:-3}
members=${MEMBERS:-20000}
scale=${SCALE:-64}
loads=${LOADS:-earn batch mixed}
port=${PORT:-18080}
url="http://127.0.0.1:$port"
dir=$(mktemp -d "${TMPDIR:-/tmp}/patron-bench.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT

at() { # at NAME: the address of another database of the server
	sed "s#^\([a-z]*://[^/]*\)/[^?]*#\1/$1#" <<<"$PATRON_TEST_POSTGRES"
}
fresh() { # fresh NAME: an empty database
	PGOPTIONS="-c client_min_messages=warning" psql -qAt "$PATRON_TEST_POSTGRES" -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1"
}
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'; }

where=(--data-dir "$dir/data")
pgbench=
if [ -n "${PATRON_TEST_POSTGRES:-}" ]; then
	pgbench=$(find /usr/lib/postgresql -name pgbench 2>/dev/null | sort -V | tail -1)
	fresh patron_tpcb
	"$pgbench" -q -i -s "$scale" "$(at patron_tpcb)" >"$dir/init" 2>&1 || { cat "$dir/init" >&2; exit 1; }
	psql -qAt "$PATRON_TEST_POSTGRES" -c CHECKPOINT
fi
if [ "$engine" = postgresql ]; then
	fresh patron_bench
	where+=(--database-url "$(at patron_bench)")
fi

tpcb() {
	[ -n "$pgbench" ] || return 0
	"$pgbench" -c 16 -j 2 -M prepared -T "$seconds" "$(at patron_tpcb)" 2>/dev/null | sed -n 's/^tps = \([0-9.]*\).*/\1/p' | tee -a "$dir/tpcb.tps" |
		sed 's/.*/{"load":"tpcb","tps":&}/'
}

# shellcheck disable=SC2086 # flags are words
bin/patron serve "${where[@]}" --listen "127.0.0.1:$port" ${BENCH_SERVE:-} >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 100); do
	curl -fsS "$url/livez" >/dev/null 2>&1 && break
	kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
	sleep 0.2
done
key=$(bin/patron key create --name bench --scopes all "${where[@]}")

busy() { awk '{ print $14 + $15 }' "/proc/$server/stat"; } # of the server, in hundredths of a second

run() { # run NAME FLAGS…: one measurement
	local name=$1 before after line
	shift
	before=$(busy)
	line=$(bin/patron bench "$@" --url "$url" --key "$key" --members "$members" --seconds "$seconds" --json 2>>"$dir/said") || { cat "$dir/said" >&2; echo "$line"; exit 1; }
	after=$(busy)
	sed 's/.*"tps":\([0-9.]*\).*/\1/' <<<"$line" >>"$dir/$name.tps"
	# The warm-up of 2 s is in the time of the server and not in the count.
	echo "$line" | sed "s/}\$/,\"name\":\"$name\",\"server_cpu_s\":$(awk -v b="$before" -v a="$after" 'BEGIN { printf "%.2f", (a - b) / 100 }')}/"
}

for load in $loads; do # members and their first points are made before anything is measured
	bin/patron bench "$([ "$load" = mixed ] || [ "$load" = spend ] && echo spend || echo earn)" --url "$url" --key "$key" --members "$members" --seconds 1 --warm-up 0 >>"$dir/said" 2>&1 || { cat "$dir/said" >&2; exit 1; }
done
for _ in $(seq "$rounds"); do
	tpcb
	for load in $loads; do
		case $load in
		earn) run earn earn --in-flight 64 ;;
		earn256) run earn256 earn --in-flight 256 ;;
		batch) run batch earn --in-flight 8 --batch 100 ;;
		mixed) run mixed mixed --in-flight 64 ;;
		spend) run spend spend --in-flight 64 ;;
		open) run open earn --in-flight 256 --rate "${OPEN_RATE:-3000}" ;;
		*) echo "there is no load $load" >&2; exit 2 ;;
		esac
	done
done
tpcb

base=
if [ -e "$dir/tpcb.tps" ]; then
	base=$(median <"$dir/tpcb.tps")
	printf '%-10s %10.0f/s\n' TPC-B "$base"
fi
for load in $loads; do
	median <"$dir/$load.tps" | awk -v name="$load" -v base="$base" '{ printf "%-10s %10.0f/s", name, $1; if (base) printf "  %.2f x TPC-B", $1 / base; print "" }'
done
