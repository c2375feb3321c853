-- Earning rules. A rule is its row, the versions that were published of it, and the runs that
-- say from when on which of them counts: version 0 is paused, -1 is ended. draft is the JSON
-- of what waits to be published, or empty.
CREATE TABLE rule (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	version BIGINT NOT NULL,
	draft {{text}} NOT NULL,
	revision BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

CREATE TABLE rule_version (
	rule_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	definition {{text}} NOT NULL,
	published_ms BIGINT NOT NULL,
	published_by {{text}} NOT NULL,
	PRIMARY KEY (rule_id, version)
);

CREATE TABLE rule_run (
	rule_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	version BIGINT NOT NULL,
	from_ms BIGINT NOT NULL,
	PRIMARY KEY (rule_id, seq)
);

CREATE TABLE rule_group (
	code {{text}} NOT NULL PRIMARY KEY,
	name_en {{text}} NOT NULL,
	name_zh {{text}} NOT NULL,
	mode {{text}} NOT NULL CHECK (mode IN ('all', 'first', 'best', 'least')),
	stage BIGINT NOT NULL,
	revision BIGINT NOT NULL
);

-- One row: grows with every change of rules and groups, so that every node notices.
CREATE TABLE rule_config (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	version BIGINT NOT NULL
);

INSERT INTO rule_config (one, version) VALUES (1, 1);

-- What each member has had of the rules that count it: sums by day, totals and the fraction
-- that is carried to the next sale, packed.
CREATE TABLE rule_use (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	body {{bytes}} NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

-- What each rule with a budget has given, in sixteen slices (id = rule * 16 + slice), so that
-- no row is locked by every sale.
CREATE TABLE rule_budget (
	id BIGINT NOT NULL PRIMARY KEY,
	used BIGINT NOT NULL
);

-- What each rule has given by day, net of what returns took back on it: how much and how often.
CREATE TABLE rule_given (
	rule_id BIGINT NOT NULL,
	day BIGINT NOT NULL,
	points BIGINT NOT NULL,
	times BIGINT NOT NULL,
	PRIMARY KEY (rule_id, day)
);

-- Rules that could not be worked out for a sale or an event, each once: seq is the sale's
-- number, or minus the event's.
CREATE TABLE rule_failure (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	rule_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	code {{text}} NOT NULL,
	reason_en {{text}} NOT NULL,
	reason_zh {{text}} NOT NULL,
	done_ms BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id, seq, rule_id)
) {{clustered}};

CREATE INDEX rule_failure_by_time ON rule_failure (at_ms, rule_id, member_id, seq);

-- Back-tests: what was asked (JSON), and what came out (JSON, empty until it is done).
CREATE TABLE rule_test (
	id BIGINT NOT NULL PRIMARY KEY,
	job_id BIGINT NOT NULL,
	state {{text}} NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
	asked {{text}} NOT NULL,
	report {{text}} NOT NULL,
	error {{text}} NOT NULL,
	made_by {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL,
	done_n BIGINT NOT NULL,
	total_n BIGINT NOT NULL
);

CREATE INDEX rule_test_by_state ON rule_test (state, id);

-- What rules gave for an event, so that the event told again has the same answer: JSON of lots.
CREATE TABLE event_earned (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	body {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

-- Whose birthday it is, and all members in the order of their numbers.
CREATE INDEX member_by_birthday ON member (birth_md, id) WHERE birth_md <> 0;
CREATE INDEX member_by_number ON member (id);
