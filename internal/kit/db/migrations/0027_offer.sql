-- Offers and challenges. terms is JSON of what the offer says; every version is kept.
CREATE TABLE offer (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	state {{text}} NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'ended')),
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL,
	ended_ms BIGINT NOT NULL
);

CREATE TABLE offer_version (
	offer_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	actor {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (offer_id, version)
) {{clustered}};

-- One row: grows with every change of what offers, badges, leaderboards and check-ins say,
-- so that other nodes read them anew.
CREATE TABLE offer_config (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	version BIGINT NOT NULL,
	check_in {{text}} NOT NULL
);

INSERT INTO offer_config (one, version, check_in) VALUES (1, 1, '{}');

-- What is followed of a member: instances with their progress, and badges, packed. next_ms is when time
-- alone will have changed something in it.
CREATE TABLE member_offer (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	next_ms BIGINT NOT NULL,
	body {{bytes}} NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

CREATE INDEX member_offer_due ON member_offer (next_ms, shard, member_id) WHERE next_ms < 253402300799999;

-- Every receipt of an offer by a member. Of those that are followed, member_offer knows more.
-- step: 1 open, 2 completed, 3 rewarded, 4 expired, 5 cancelled.
CREATE TABLE offer_instance (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	offer_id BIGINT NOT NULL,
	step SMALLINT NOT NULL,
	received_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL,
	body {{bytes}} NOT NULL,
	PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

CREATE INDEX offer_instance_by_offer ON offer_instance (offer_id, received_ms, shard, member_id, seq);
CREATE INDEX offer_instance_by_step ON offer_instance (offer_id, step, received_ms, shard, member_id, seq);

-- What offers came to, by programme day, kept by events. given is what rewards came to, less
-- what was taken back, by currency (0: counts of instances only).
CREATE TABLE day_offer (
	offer_id BIGINT NOT NULL,
	day INTEGER NOT NULL,
	currency_id BIGINT NOT NULL,
	received BIGINT NOT NULL,
	viewed BIGINT NOT NULL,
	accepted BIGINT NOT NULL,
	completed BIGINT NOT NULL,
	expired BIGINT NOT NULL,
	cancelled BIGINT NOT NULL,
	given BIGINT NOT NULL,
	PRIMARY KEY (offer_id, day, currency_id)
) {{clustered}};

-- Offers sent, or points given, to many by one job. plan is JSON: what, and to whom where that
-- is a condition. place is where the job is: a number in the list, or the last member. name
-- tells a repeat from a new one.
CREATE TABLE offer_sending (
	id BIGINT NOT NULL PRIMARY KEY,
	offer_id BIGINT NOT NULL,
	name {{text}} NOT NULL,
	state {{text}} NOT NULL CHECK (state IN ('filling', 'waiting', 'running', 'done', 'rejected', 'cancelled')),
	plan {{text}} NOT NULL,
	maker {{text}} NOT NULL,
	approval {{text}} NOT NULL,
	job_id BIGINT NOT NULL,
	place BIGINT NOT NULL,
	total BIGINT NOT NULL,
	looked BIGINT NOT NULL,
	sent BIGINT NOT NULL,
	passed BIGINT NOT NULL,
	refused BIGINT NOT NULL,
	made_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL
);

CREATE UNIQUE INDEX offer_sending_by_name ON offer_sending (offer_id, name);
CREATE INDEX offer_sending_by_approval ON offer_sending (approval) WHERE approval <> '';
CREATE INDEX offer_sending_by_offer ON offer_sending (offer_id, id);

-- To whom, where that is a list; gone when the sending is done.
CREATE TABLE offer_target (
	sending_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	member_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (sending_id, n)
) {{clustered}};

CREATE TABLE badge (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	terms {{text}} NOT NULL,
	active SMALLINT NOT NULL CHECK (active IN (0, 1)),
	version BIGINT NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

-- Where a member stands on the ladder of daily check-ins. day is the last one (days since 1
-- January 1970 in the programme's zone), run how many in a row it ended.
CREATE TABLE member_check_in (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	day BIGINT NOT NULL,
	run BIGINT NOT NULL,
	total BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

-- Leaderboards. frozen is the last cycle whose prizes were given.
CREATE TABLE leaderboard (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	state {{text}} NOT NULL CHECK (state IN ('draft', 'live', 'ended')),
	terms {{text}} NOT NULL,
	version BIGINT NOT NULL,
	frozen BIGINT NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

-- Scores of one cycle, kept by events. reached_ms is when the score was reached. hidden is for
-- members who do not want to be seen.
CREATE TABLE leaderboard_score (
	board_id BIGINT NOT NULL,
	cycle BIGINT NOT NULL,
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	score BIGINT NOT NULL,
	reached_ms BIGINT NOT NULL,
	hidden SMALLINT NOT NULL CHECK (hidden IN (0, 1)),
	PRIMARY KEY (board_id, cycle, shard, member_id)
) {{clustered}};

CREATE INDEX leaderboard_rank ON leaderboard_score (board_id, cycle, score DESC, reached_ms, member_id) WHERE hidden = 0;
CREATE INDEX leaderboard_of_member ON leaderboard_score (shard, member_id, board_id, cycle);

-- How a cycle ended: never changed.
CREATE TABLE leaderboard_result (
	board_id BIGINT NOT NULL,
	cycle BIGINT NOT NULL,
	place BIGINT NOT NULL,
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	score BIGINT NOT NULL,
	reached_ms BIGINT NOT NULL,
	currency_id BIGINT NOT NULL,
	amount BIGINT NOT NULL,
	given SMALLINT NOT NULL CHECK (given IN (0, 1)),
	PRIMARY KEY (board_id, cycle, place)
) {{clustered}};

CREATE INDEX leaderboard_result_due ON leaderboard_result (board_id, cycle, place) WHERE given = 0;
CREATE INDEX leaderboard_result_of_member ON leaderboard_result (shard, member_id, board_id, cycle);

CREATE TABLE leaderboard_opt_out (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};
