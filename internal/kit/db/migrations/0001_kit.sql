-- Names that integers are leased for: the next one that nobody has.
CREATE TABLE sequence (
	name {{text}} NOT NULL PRIMARY KEY,
	next BIGINT NOT NULL
) {{clustered}};

-- Answers to requests that carried an idempotency key. The shard is the first byte of
-- the hash. Rows are kept for 30 days.
CREATE TABLE request (
	shard SMALLINT NOT NULL,
	hash {{bytes}} NOT NULL,
	body_hash {{bytes}} NOT NULL,
	status SMALLINT NOT NULL,
	answer {{bytes}},
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (shard, hash)
) {{clustered}};

CREATE INDEX request_by_time ON request (at_ms);
