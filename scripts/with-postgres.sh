#!/usr/bin/env bash
# Runs a command with PATRON_TEST_POSTGRES set to the URL of a private PostgreSQL cluster,
# and removes the cluster afterwards. Where the variable is set already, just runs it.
#
#   scripts/with-postgres.sh go test ./...
#
# The cluster listens on a Unix socket in a directory of its own. It lives in memory when
# there is room, because the tests make hundreds of databases; fsync stays on, because the
# program refuses a server without it. PATRON_TEST_DISK=1 puts it on the disk, for measuring,
# and PATRON_TEST_PG_CONF adds lines to its postgresql.conf, where the last word counts.
set -euo pipefail

if [ -n "${PATRON_TEST_POSTGRES:-}" ]; then
	exec "$@"
fi

bin=$(dirname "$(command -v initdb || true)")
if [ ! -x "$bin/pg_ctl" ]; then
	bin=$(find /usr/lib/postgresql -path '*/bin/initdb' -printf '%h\n' 2>/dev/null | sort -V | tail -1)
fi
if [ ! -x "$bin/pg_ctl" ]; then
	echo "PostgreSQL is not installed: run scripts/setup.sh, or set PATRON_TEST_POSTGRES to the URL of a superuser" >&2
	exit 1
fi

room=$((2 * 1024 * 1024)) # KiB that a run of all tests may need
free=$(df --output=avail /dev/shm 2>/dev/null | tail -1 || echo 0)
if [ -z "${PATRON_TEST_DISK:-}" ] && [ -w /dev/shm ] && [ "$free" -gt "$room" ]; then
	dir=$(mktemp -d /dev/shm/patron-pg.XXXXXX)
else
	dir=$(mktemp -d "${TMPDIR:-/tmp}/patron-pg.XXXXXX")
fi

as=()
if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
	chown postgres "$dir"
	as=(setpriv --reuid=postgres --regid=postgres --init-groups env HOME="$dir")
fi

stop() {
	(cd "$dir" && "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop) >/dev/null 2>&1 || true
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

start() {
	cd "$dir" # the server's user may not be allowed into the present one
	"${as[@]}" "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync -k -E UTF8 --locale=C
	cat >>"$dir/data/postgresql.conf" <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$dir'
		max_connections = 300
		shared_buffers = 128MB
		max_wal_size = 512MB
		wal_level = minimal
		max_wal_senders = 0
		fsync = on
	CONF
	printf '%s\n' "${PATRON_TEST_PG_CONF:-}" >>"$dir/data/postgresql.conf"
	"${as[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start
}
if ! (start) >"$dir/start" 2>&1; then
	cat "$dir/start" "$dir/log" >&2 || true
	exit 1
fi

export PATRON_TEST_POSTGRES="postgres://postgres@/postgres?host=$dir"
"$@"
