-- Coupons: what is given. terms is JSON of what the coupon says; every version is kept.
-- shared_code is the folded code that everybody uses, empty where each piece has its own.
CREATE TABLE coupon (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	shared_code {{text}} NOT NULL,
	state {{text}} NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'ended')),
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL,
	ended_ms BIGINT NOT NULL
);

CREATE UNIQUE INDEX coupon_by_shared_code ON coupon (shared_code) WHERE shared_code <> '';

CREATE TABLE coupon_version (
	coupon_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	actor {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (coupon_id, version)
) {{clustered}};

-- One row: grows with every change of what coupons say, so that other nodes read them anew.
CREATE TABLE coupon_config (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	version BIGINT NOT NULL
);

INSERT INTO coupon_config (one, version) VALUES (1, 1);

-- One piece of a coupon, by its code. shard is a hash of the code, so that a code finds its row.
-- member_id is whom it was given to, 0 for nobody: who was merged since then, still owns it.
-- state: 1 issued, 2 claimed, 3 redeemed, 4 revoked, 5 expired. until_ms is its last instant, end_ms what
-- that is before a first use shortens it. used_n counts uses that stand, off what they took off.
-- gift is the hash of the open link by which it is given away.
CREATE TABLE voucher (
	shard SMALLINT NOT NULL,
	code {{text}} NOT NULL,
	member_id BIGINT NOT NULL,
	coupon_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	state SMALLINT NOT NULL,
	from_ms BIGINT NOT NULL,
	until_ms BIGINT NOT NULL,
	end_ms BIGINT NOT NULL,
	issued_ms BIGINT NOT NULL,
	claimed_ms BIGINT NOT NULL,
	first_ms BIGINT NOT NULL,
	used_ms BIGINT NOT NULL,
	used_n BIGINT NOT NULL,
	off BIGINT NOT NULL,
	sale_member BIGINT NOT NULL,
	sale_seq BIGINT NOT NULL,
	hold_by BIGINT NOT NULL,
	hold_until_ms BIGINT NOT NULL,
	batch_id BIGINT NOT NULL,
	origin {{text}} NOT NULL,
	gift {{text}} NOT NULL,
	gift_until_ms BIGINT NOT NULL,
	step_n BIGINT NOT NULL,
	PRIMARY KEY (shard, code)
) {{clustered}};

CREATE INDEX voucher_of_member ON voucher (member_id, state, until_ms, shard, code) WHERE member_id <> 0;
CREATE INDEX voucher_of_coupon ON voucher (coupon_id, issued_ms, shard, code);
CREATE INDEX voucher_of_batch ON voucher (batch_id, shard, code) WHERE batch_id <> 0;
CREATE INDEX voucher_due ON voucher (until_ms, shard, code) WHERE state < 3 AND until_ms < 253402300799999;

-- What happened to one voucher after it was issued, in order.
CREATE TABLE voucher_step (
	shard SMALLINT NOT NULL,
	code {{text}} NOT NULL,
	n BIGINT NOT NULL,
	step SMALLINT NOT NULL,
	at_ms BIGINT NOT NULL,
	member_id BIGINT NOT NULL,
	actor {{text}} NOT NULL,
	store_id BIGINT NOT NULL,
	till {{text}} NOT NULL,
	staff {{text}} NOT NULL,
	sale_member BIGINT NOT NULL,
	sale_seq BIGINT NOT NULL,
	amount BIGINT NOT NULL,
	PRIMARY KEY (shard, code, n)
) {{clustered}};

-- Many vouchers made by one job: kind 1 prints codes for whoever gets them, kind 2 sends to members.
-- plan is JSON: the pattern of codes, or to whom. place is where the job is: of a sending the number
-- in the list, or the last member. name tells a repeat from a new one.
CREATE TABLE voucher_batch (
	id BIGINT NOT NULL PRIMARY KEY,
	kind SMALLINT NOT NULL,
	coupon_id BIGINT NOT NULL,
	name {{text}} NOT NULL,
	state {{text}} NOT NULL CHECK (state IN ('filling', 'running', 'done', 'cancelled')),
	plan {{text}} NOT NULL,
	maker {{text}} NOT NULL,
	job_id BIGINT NOT NULL,
	place BIGINT NOT NULL,
	total BIGINT NOT NULL,
	looked BIGINT NOT NULL,
	issued BIGINT NOT NULL,
	passed BIGINT NOT NULL,
	refused BIGINT NOT NULL,
	made_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL
);

CREATE UNIQUE INDEX voucher_batch_by_name ON voucher_batch (coupon_id, kind, name);
CREATE INDEX voucher_batch_by_coupon ON voucher_batch (coupon_id, kind, id);

-- To whom a sending goes, where that is a list; gone when it is done.
CREATE TABLE voucher_target (
	batch_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	member_id BIGINT NOT NULL,
	PRIMARY KEY (batch_id, n)
) {{clustered}};

-- What coupons came to, by programme day, kept by events. off is money in minor units of the
-- programme's currency, reversals taken off.
CREATE TABLE day_coupon (
	coupon_id BIGINT NOT NULL,
	day INTEGER NOT NULL,
	issued BIGINT NOT NULL,
	claimed BIGINT NOT NULL,
	redeemed BIGINT NOT NULL,
	reversed BIGINT NOT NULL,
	revoked BIGINT NOT NULL,
	expired BIGINT NOT NULL,
	off BIGINT NOT NULL,
	sales BIGINT NOT NULL,
	sold BIGINT NOT NULL,
	PRIMARY KEY (coupon_id, day)
) {{clustered}};

-- Which members have used a coupon, each once: the count of those that it reached.
CREATE TABLE coupon_reach (
	coupon_id BIGINT NOT NULL,
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (coupon_id, shard, member_id)
) {{clustered}};
