-- Keys that sign what tills take along for when the line is down. sealed is the private half.
-- The newest that is not retired signs; public halves stay, for what was signed once.
CREATE TABLE offline_key (
	id BIGINT NOT NULL PRIMARY KEY,
	made_ms BIGINT NOT NULL,
	retired_ms BIGINT NOT NULL,
	public {{bytes}} NOT NULL,
	sealed {{bytes}} NOT NULL
);

-- What a till gave without a line, and the books did not hold: id is the number of the sale times
-- 64, plus a count. kind: 1 a voucher, 2 points, 3 a limit. state: 1 open, 2 settled. outcome: who
-- bears it, 0 nobody yet, 1 the programme, 2 the store, 3 nobody. ref is the voucher or the currency;
-- amount is in points, worth in minor units of the programme's money.
CREATE TABLE offline_conflict (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	sale_seq BIGINT NOT NULL,
	store_id BIGINT NOT NULL,
	till {{text}} NOT NULL,
	kind SMALLINT NOT NULL,
	state SMALLINT NOT NULL,
	outcome SMALLINT NOT NULL,
	ref {{text}} NOT NULL,
	why {{text}} NOT NULL,
	amount BIGINT NOT NULL,
	worth BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	posted_ms BIGINT NOT NULL,
	settled_ms BIGINT NOT NULL,
	settled_by {{text}} NOT NULL,
	note {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id, id)
) {{clustered}};

CREATE INDEX offline_conflict_by_time ON offline_conflict (posted_ms, shard, member_id, id);
