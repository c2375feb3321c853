-- How much was taken of what there is only so much of, by kind, thing, part (member or store)
-- and span (day, week or month; 0 for ever). holds: what is held, by when it lapses, packed.
CREATE TABLE quota (
	shard SMALLINT NOT NULL,
	kind SMALLINT NOT NULL,
	id BIGINT NOT NULL,
	part BIGINT NOT NULL,
	span BIGINT NOT NULL,
	used BIGINT NOT NULL,
	amount BIGINT NOT NULL,
	holds {{bytes}} NOT NULL,
	PRIMARY KEY (shard, kind, id, part, span)
) {{clustered}};

CREATE INDEX quota_by_thing ON quota (kind, id, part, span);
