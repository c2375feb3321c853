-- Games of chance. terms is JSON of what a draw says; every version is kept.
CREATE TABLE draw (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	state {{text}} NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'ended')),
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL,
	ended_ms BIGINT NOT NULL
);

CREATE TABLE draw_version (
	draw_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	actor {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (draw_id, version)
) {{clustered}};

-- One row: grows with every change of what draws say and of their epochs, so that other nodes
-- read them anew.
CREATE TABLE draw_config (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	version BIGINT NOT NULL
);

INSERT INTO draw_config (one, version) VALUES (1, 1);

-- What every play of a published draw changes: the epoch it is in, how many plays that has, the
-- number of the table in force. version and live are those of the draw, so that a play sees
-- them under the lock. body is the table in force, what was given, and the link of the last play.
CREATE TABLE draw_state (
	draw_id BIGINT NOT NULL PRIMARY KEY,
	version BIGINT NOT NULL,
	live SMALLINT NOT NULL CHECK (live IN (0, 1)),
	epoch BIGINT NOT NULL,
	play_n BIGINT NOT NULL,
	table_n BIGINT NOT NULL,
	body {{bytes}} NOT NULL
);

-- Epochs. hash is SHA-256 of the seed, published from the first. sealed is the seed with the
-- key of the marks, until the end; seed is the seed from then on. closed_ms is 0 until then.
CREATE TABLE draw_epoch (
	draw_id BIGINT NOT NULL,
	epoch BIGINT NOT NULL,
	from_ms BIGINT NOT NULL,
	until_ms BIGINT NOT NULL,
	hash {{text}} NOT NULL,
	sealed {{bytes}} NOT NULL,
	seed {{bytes}} NOT NULL,
	closed_ms BIGINT NOT NULL,
	play_n BIGINT NOT NULL,
	head {{text}} NOT NULL,
	PRIMARY KEY (draw_id, epoch)
) {{clustered}};

CREATE INDEX draw_epoch_open ON draw_epoch (draw_id, epoch) WHERE closed_ms = 0;

-- Tables of odds, as they came into force: never changed.
CREATE TABLE draw_odds (
	draw_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	epoch BIGINT NOT NULL,
	from_n BIGINT NOT NULL,
	body {{bytes}} NOT NULL,
	PRIMARY KEY (draw_id, number)
) {{clustered}};

-- Plays as everybody may see them after the end of their epoch: never changed, and naming nobody.
CREATE TABLE draw_line (
	draw_id BIGINT NOT NULL,
	epoch BIGINT NOT NULL,
	n BIGINT NOT NULL,
	body {{bytes}} NOT NULL,
	PRIMARY KEY (draw_id, epoch, n)
) {{clustered}};

-- Where a member stands with the draws that they play, packed: how often they played, ever and on
-- the last day, how often since their last prize, and the how manieth play of the epoch it was.
CREATE TABLE member_draw (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	body {{bytes}} NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

-- Plays of members. seq is the number of the event that told of it. prize is empty for nothing.
-- code is for what is handed out at the counter; handed_ms is 0 until then.
CREATE TABLE draw_play (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	draw_id BIGINT NOT NULL,
	epoch BIGINT NOT NULL,
	n BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	prize {{text}} NOT NULL,
	code {{text}} NOT NULL,
	handed_ms BIGINT NOT NULL,
	body {{bytes}} NOT NULL,
	PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

CREATE INDEX draw_play_by_draw ON draw_play (draw_id, epoch, n);
CREATE INDEX draw_play_by_code ON draw_play (code) WHERE code <> '';
