-- Events as they were written, each in the transaction of the change that it tells. The
-- dispatcher empties this table, so it holds what waits and no more.
CREATE TABLE outbox (
	id {{identity}},
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	kind {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	body {{text}} NOT NULL
);

-- The log: the same events with a position, gap-free and in the order of dispatch.
-- member_id is 0 for an event that belongs to no member.
CREATE TABLE event (
	position BIGINT NOT NULL PRIMARY KEY,
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	kind {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	body {{text}} NOT NULL
) {{clustered}};

-- A member's timeline, newest first.
CREATE INDEX event_by_member ON event (shard, member_id, position) WHERE member_id <> 0;

-- Readers that follow one kind.
CREATE INDEX event_by_kind ON event (kind, position);

-- The one row that a dispatcher must hold: who dispatches, until when unless renewed,
-- and the last position given.
CREATE TABLE event_dispatcher (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	owner {{text}} NOT NULL,
	until_ms BIGINT NOT NULL,
	position BIGINT NOT NULL
);

INSERT INTO event_dispatcher (one, owner, until_ms, position) VALUES (1, '', 0, 0);

-- Events that a subscriber could not take and that were set aside for it, by range of
-- positions, both ends included. A row goes away when its replay succeeds.
CREATE TABLE event_failure (
	id {{identity}},
	subscriber {{text}} NOT NULL,
	first_position BIGINT NOT NULL,
	last_position BIGINT NOT NULL,
	tries INTEGER NOT NULL,
	next_ms BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	error {{text}} NOT NULL
);

CREATE INDEX event_failure_by_time ON event_failure (next_ms, id);
