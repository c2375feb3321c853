-- Standing of members. draft and live are JSON of the ladder ('' for none); version counts what
-- was published, edited every change, so that nodes see that there is something new.
CREATE TABLE tier_scheme (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	state {{text}} NOT NULL CHECK (state IN ('draft', 'live', 'ended')),
	version BIGINT NOT NULL,
	edited BIGINT NOT NULL,
	draft {{text}} NOT NULL,
	live {{text}} NOT NULL,
	changed_ms BIGINT NOT NULL
);

CREATE TABLE tier_version (
	scheme_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	body {{text}} NOT NULL,
	actor {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (scheme_id, version)
) {{clustered}};

-- Where a member stands, in all schemes: body is JSON. tier is the code in the main scheme, ''
-- for none, '!' for who is merged or erased. next_day is the first day (since 1 January 1970) on which time alone may change
-- something, 2147483647 for none.
CREATE TABLE tier_member (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	tier {{text}} NOT NULL,
	next_day BIGINT NOT NULL,
	body {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

CREATE INDEX tier_member_by_tier ON tier_member (tier, member_id);
CREATE INDEX tier_member_by_next ON tier_member (next_day, shard, member_id) WHERE next_day < 2147483647;

-- What changed a standing, and the sums that counted (JSON).
CREATE TABLE tier_history (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	scheme_id BIGINT NOT NULL,
	kind {{text}} NOT NULL,
	from_tier {{text}} NOT NULL,
	to_tier {{text}} NOT NULL,
	day BIGINT NOT NULL,
	until_day BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	actor {{text}} NOT NULL,
	reason {{text}} NOT NULL,
	evidence {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

-- Members who are to be looked at soon: they have just joined, or growth value moved outside of a sale.
CREATE TABLE tier_due (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

-- What-if runs: what was tried (JSON) and what came out.
CREATE TABLE tier_try (
	id BIGINT NOT NULL PRIMARY KEY,
	scheme {{text}} NOT NULL,
	draft {{text}} NOT NULL,
	maker {{text}} NOT NULL,
	job_id BIGINT NOT NULL,
	result {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL
);

CREATE INDEX tier_try_by_made ON tier_try (made_ms, id);

-- Where the look at everybody is that follows a change of the rules. One row.
CREATE TABLE tier_sweep (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	round BIGINT NOT NULL,
	shard BIGINT NOT NULL,
	member_id BIGINT NOT NULL
);

INSERT INTO tier_sweep (one, round, shard, member_id) VALUES (1, 0, -1, 0);
