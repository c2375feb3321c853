-- Paid membership: plans and who has one. Days are dates in the programme's zone, as days
-- since 1 January 1970; 0 where there is none. Times are Unix milliseconds UTC.

-- What is sold. terms is JSON: price, period, benefits, gifts.
CREATE TABLE plan (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	state {{text}} NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'ended')),
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

-- What it was like before.
CREATE TABLE plan_version (
	plan_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	state {{text}} NOT NULL,
	terms {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	by_whom {{text}} NOT NULL,
	PRIMARY KEY (plan_id, version)
);

-- One row, whose version grows with every change of a plan: what other nodes look at.
CREATE TABLE plan_book (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	version BIGINT NOT NULL
);

INSERT INTO plan_book (one, version) VALUES (1, 1);

-- The membership that a member has, or had last. n counts a member's memberships, paid the
-- periods that were paid for, period_n the rows of plan_period. next_day is when the daily
-- run has something to write down. via is the merged record that it came from, or 0.
CREATE TABLE plan_member (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	plan_id BIGINT NOT NULL,
	started BIGINT NOT NULL,
	anchor BIGINT NOT NULL,
	until_day BIGINT NOT NULL,
	paid BIGINT NOT NULL,
	grace BIGINT NOT NULL,
	ended BIGINT NOT NULL,
	why {{text}} NOT NULL,
	cancelled SMALLINT NOT NULL CHECK (cancelled IN (0, 1)),
	auto SMALLINT NOT NULL CHECK (auto IN (0, 1)),
	reminded BIGINT NOT NULL,
	lapsed BIGINT NOT NULL,
	period_n BIGINT NOT NULL,
	next_day BIGINT NOT NULL,
	via BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

CREATE INDEX plan_member_due ON plan_member (next_day, shard, member_id) WHERE next_day > 0;
CREATE INDEX plan_member_by_plan ON plan_member (plan_id, shard, member_id);

-- Periods that were paid for. gifts is JSON: which points came with it. paid_day is 0 of a row
-- that came with a merge: its payment counts where it was made.
CREATE TABLE plan_period (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	n BIGINT NOT NULL,
	k BIGINT NOT NULL,
	plan_id BIGINT NOT NULL,
	plan_version BIGINT NOT NULL,
	from_day BIGINT NOT NULL,
	until_day BIGINT NOT NULL,
	amount BIGINT NOT NULL,
	currency {{text}} NOT NULL,
	method {{text}} NOT NULL,
	reference {{text}} NOT NULL,
	reason {{text}} NOT NULL,
	charge_id BIGINT NOT NULL,
	paid_ms BIGINT NOT NULL,
	paid_day BIGINT NOT NULL,
	refunded BIGINT NOT NULL,
	refund_ms BIGINT NOT NULL,
	refund_day BIGINT NOT NULL,
	refund_method {{text}} NOT NULL,
	refund_reference {{text}} NOT NULL,
	refund_reason {{text}} NOT NULL,
	gifts {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

CREATE INDEX plan_period_by_day ON plan_period (paid_day, plan_id);
CREATE INDEX plan_period_by_refund ON plan_period (refund_day, plan_id) WHERE refund_day > 0;

-- Memberships that are over.
CREATE TABLE plan_ended (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	plan_id BIGINT NOT NULL,
	started BIGINT NOT NULL,
	anchor BIGINT NOT NULL,
	paid BIGINT NOT NULL,
	ended BIGINT NOT NULL,
	why {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id, n)
) {{clustered}};

CREATE INDEX plan_ended_by_day ON plan_ended (ended, plan_id);

-- What payment providers were asked for. try is the day on which it was asked. reference is
-- the provider's own; url is where the member pays.
CREATE TABLE plan_charge (
	id BIGINT NOT NULL PRIMARY KEY,
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	plan_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	k BIGINT NOT NULL,
	try BIGINT NOT NULL,
	provider {{text}} NOT NULL,
	amount BIGINT NOT NULL,
	currency {{text}} NOT NULL,
	state {{text}} NOT NULL CHECK (state IN ('asked', 'authorised', 'paid', 'failed', 'refunding', 'refunded')),
	reference {{text}} NOT NULL,
	url {{text}} NOT NULL,
	refund BIGINT NOT NULL,
	error {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

CREATE UNIQUE INDEX plan_charge_by_try ON plan_charge (shard, member_id, n, k, try);
CREATE INDEX plan_charge_by_state ON plan_charge (state, id);
