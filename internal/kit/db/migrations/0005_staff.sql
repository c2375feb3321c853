-- What all nodes must agree on: one row. version grows whenever a right is taken away
-- (a key revoked, a session ended, an account changed); nodes ask for it and then forget
-- what they hold in memory. Its row is also the lock that makes such changes go one
-- after the other. setup_hash is of the one-time link that makes the first owner.
CREATE TABLE staff_state (
	id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
	version BIGINT NOT NULL,
	setup_hash {{bytes}},
	setup_until_ms BIGINT NOT NULL
);

INSERT INTO staff_state (id, version, setup_hash, setup_until_ms) VALUES (1, 1, NULL, 0);

-- The people who work with the program. merchants and stores are JSON lists of numbers:
-- where this person may act; empty for everywhere.
CREATE TABLE staff (
	id BIGINT NOT NULL PRIMARY KEY,
	email {{text}} NOT NULL UNIQUE, -- folded
	name {{text}} NOT NULL,
	role {{text}} NOT NULL,
	password {{text}} NOT NULL, -- PHC string
	active SMALLINT NOT NULL CHECK (active IN (0, 1)),
	merchants {{text}} NOT NULL,
	stores {{text}} NOT NULL,
	created_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL,
	signed_in_ms BIGINT
);

-- Signed-in browsers. The row goes when the session ends.
CREATE TABLE staff_session (
	id BIGINT NOT NULL PRIMARY KEY,
	hash {{bytes}} NOT NULL UNIQUE, -- SHA-256 of the token
	staff_id BIGINT NOT NULL REFERENCES staff (id),
	started_ms BIGINT NOT NULL,
	seen_ms BIGINT NOT NULL,
	ip {{text}} NOT NULL,
	user_agent {{text}} NOT NULL
);

CREATE INDEX staff_session_by_staff ON staff_session (staff_id, id);

CREATE INDEX staff_session_by_seen ON staff_session (seen_ms);

-- Keys of machines. scopes is a JSON list of permissions, or of the word "all".
CREATE TABLE api_key (
	id BIGINT NOT NULL PRIMARY KEY,
	hash {{bytes}} NOT NULL UNIQUE, -- SHA-256 of the key
	prefix {{text}} NOT NULL, -- how it begins, to tell keys apart
	name {{text}} NOT NULL,
	scopes {{text}} NOT NULL,
	merchants {{text}} NOT NULL,
	stores {{text}} NOT NULL,
	test SMALLINT NOT NULL CHECK (test IN (0, 1)),
	created_by {{text}} NOT NULL,
	created_ms BIGINT NOT NULL,
	until_ms BIGINT, -- exclusive; NULL = for ever
	used_ms BIGINT,
	revoked_ms BIGINT
);

-- Who changed what. Rows are added and never touched again: triggers refuse it.
CREATE TABLE audit (
	id {{identity}},
	at_ms BIGINT NOT NULL,
	actor_kind {{text}} NOT NULL,
	actor {{text}} NOT NULL,
	action {{text}} NOT NULL,
	subject {{text}} NOT NULL,
	before {{text}},
	after {{text}},
	ip {{text}} NOT NULL,
	user_agent {{text}} NOT NULL,
	trace_id {{text}} NOT NULL
);

CREATE INDEX audit_by_subject ON audit (subject, id);

CREATE INDEX audit_by_actor ON audit (actor, id);

CREATE INDEX audit_by_action ON audit (action, id);

CREATE INDEX audit_by_time ON audit (at_ms, id);
