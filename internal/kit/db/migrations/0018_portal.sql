-- The portal: what members sign in with, and the logo of the programme.

-- Codes that were sent. hash is of the challenge that the browser holds; who is the blind
-- index of whom it was sent to; code is a keyed hash, so that nobody who reads the table can
-- try the million codes there are. member_id is whose a code is that confirms an act, 0 for
-- one to sign in with.
CREATE TABLE portal_code (
	shard SMALLINT NOT NULL,
	hash {{bytes}} NOT NULL,
	who {{bytes}} NOT NULL,
	code {{bytes}} NOT NULL,
	purpose SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	tries SMALLINT NOT NULL,
	until_ms BIGINT NOT NULL,
	PRIMARY KEY (shard, hash)
) {{clustered}};

CREATE INDEX portal_code_until ON portal_code (until_ms);

-- How often something was asked for in the hour that began at begin_ms: codes for one
-- identifier, from one address, of the whole programme. hash is keyed.
CREATE TABLE portal_count (
	shard SMALLINT NOT NULL,
	hash {{bytes}} NOT NULL,
	begin_ms BIGINT NOT NULL,
	last_ms BIGINT NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (shard, hash)
) {{clustered}};

CREATE INDEX portal_count_last ON portal_count (last_ms);

-- Signed-in browsers of members. device is a word for the kind of it; no address is kept.
CREATE TABLE portal_session (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	hash {{bytes}} NOT NULL,
	device {{text}} NOT NULL,
	started_ms BIGINT NOT NULL,
	seen_ms BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id, id)
) {{clustered}};

CREATE INDEX portal_session_seen ON portal_session (seen_ms);

-- The programme's logo, one at most.
CREATE TABLE logo (
	id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
	kind {{text}} NOT NULL,
	body {{bytes}} NOT NULL,
	changed_ms BIGINT NOT NULL
);

-- The returns of one sale.
CREATE INDEX sale_returns ON sale (of_member, of_seq, shard, member_id, seq) WHERE of_seq <> 0;
