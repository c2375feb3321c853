#!/usr/bin/env bash
# Imports two real purchase histories on both engines, imports them again, and verifies the
# ledger after each; replays a history of offers; then measures the rate of postings beside pgbench on the same server.
#
#   scripts/with-postgres.sh scripts/figures.sh ../shared/data
set -euo pipefail
data=$(cd "${1:?folder with cdnow and online_retail}" && pwd)
cd "$(dirname "$0")/.."

dir=$(mktemp -d "${TMPDIR:-/tmp}/patron-figures.XXXXXX")
trap 'rm -rf "$dir"' EXIT

at() { # at NAME: the address of another database of the server
	sed "s#^\([a-z]*://[^/]*\)/[^?]*#\1/$1#" <<<"$PATRON_TEST_POSTGRES"
}

cdnow=("$data/cdnow/cdnow_master_transactions.csv.gz"
	--map member=customer_id,at=date,amount=amount_usd --document-from member,at
	--source cdnow --currency USD --rate USD=7.1 --history --create-members --json)
retail=("$data/online_retail/online_retail_lines.csv.gz"
	--map document=invoice_no,member=customer_id,at=invoice_time,sku=stock_code,name=description,quantity=quantity,unit_price=unit_price_gbp
	--returns-prefix C --source uk --currency GBP --rate GBP=9.1 --history --create-members --json)

for engine in sqlite postgresql; do
	for set in cdnow retail; do
		where=(--data-dir "$dir/$engine-$set")
		if [ "$engine" = postgresql ]; then
			PGOPTIONS="-c client_min_messages=warning" psql -qAt "$PATRON_TEST_POSTGRES" -c "DROP DATABASE IF EXISTS patron_$set" -c "CREATE DATABASE patron_$set"
			where+=(--database-url "$(at patron_$set)")
		fi
		declare -n file=$set
		for round in first second; do
			echo "== $set on $engine, $round import"
			/usr/bin/env time -f '%e s, %M KiB' bin/patron import sales "${file[@]}" --errors "$dir/errors-$engine-$set-$round.csv" "${where[@]}"
		done
		bin/patron verify "${where[@]}"
	done
done

echo "== offers, replayed"
test/replay/offers.sh "$data"/starbucks_rewards/{offers,members,events_open}.csv.gz

scripts/bench.sh sqlite
scripts/bench.sh postgresql
