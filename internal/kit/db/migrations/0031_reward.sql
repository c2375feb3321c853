-- Rewards: what members have for points, and their orders of it. Times are Unix milliseconds
-- UTC; 253402300799999 is never.

-- The catalogue. terms is JSON of what the reward says; pictures are hashes, apart by spaces,
-- the first one in front.
CREATE TABLE reward (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	state {{text}} NOT NULL CHECK (state IN ('draft', 'live', 'paused', 'ended')),
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	pictures {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

-- What it said before: an order goes by the version under which it was made.
CREATE TABLE reward_version (
	reward_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	actor {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (reward_id, version)
) {{clustered}};

-- One row: grows with every change of the catalogue, so that other nodes read it anew.
CREATE TABLE reward_config (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	version BIGINT NOT NULL
);

INSERT INTO reward_config (one, version) VALUES (1, 1);

-- Pictures as they are served: drawn anew from what was uploaded, in two sizes.
CREATE TABLE reward_picture (
	hash {{text}} NOT NULL PRIMARY KEY,
	kind {{text}} NOT NULL,
	width BIGINT NOT NULL,
	height BIGINT NOT NULL,
	body {{bytes}} NOT NULL,
	thumb {{bytes}} NOT NULL,
	made_ms BIGINT NOT NULL
);

-- What was ever put in stock (n), common (store 0) or of a store; what of it is gone, the
-- counters of limits know. drawn is how many codes of a pool were handed out; gone is 1 from
-- when somebody took the last one until it is noticed that there is more, and round counts how
-- often that was.
CREATE TABLE reward_stock (
	reward_id BIGINT NOT NULL,
	store_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	drawn BIGINT NOT NULL,
	gone SMALLINT NOT NULL CHECK (gone IN (0, 1)),
	round BIGINT NOT NULL,
	PRIMARY KEY (reward_id, store_id)
) {{clustered}};

CREATE INDEX reward_stock_gone ON reward_stock (reward_id, store_id) WHERE gone = 1;

-- Codes of third parties, sealed; handed out in the order of n. member_id is 0 before.
CREATE TABLE reward_code (
	reward_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	hash {{bytes}} NOT NULL,
	code {{bytes}} NOT NULL,
	member_id BIGINT NOT NULL,
	order_seq BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (reward_id, n)
) {{clustered}};

CREATE UNIQUE INDEX reward_code_once ON reward_code (reward_id, hash);

-- How many orders a member has made.
CREATE TABLE reward_member (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	order_n BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

-- Orders. state: 1 held, 2 paid, 3 fulfilled, 4 done, 5 cancelled, 6 returned. until_ms is when
-- time alone changes something: the hold ends, or the deadline for picking up passes. stocked:
-- 0 not in stock's count, 1 taken, 2 held. pickup is a keyed hash of the pick-up code.
CREATE TABLE reward_order (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	reward_id BIGINT NOT NULL,
	version BIGINT NOT NULL,
	state SMALLINT NOT NULL CHECK (state BETWEEN 1 AND 6),
	store_id BIGINT NOT NULL,
	stock_store BIGINT NOT NULL,
	stocked SMALLINT NOT NULL CHECK (stocked IN (0, 1, 2)),
	currency_id BIGINT NOT NULL,
	points BIGINT NOT NULL CHECK (points >= 0),
	money BIGINT NOT NULL CHECK (money >= 0),
	until_ms BIGINT NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL,
	pickup {{bytes}} NOT NULL,
	address {{bytes}} NOT NULL,
	carrier {{text}} NOT NULL,
	tracking {{text}} NOT NULL,
	gift {{text}} NOT NULL,
	body {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

CREATE INDEX reward_order_by_time ON reward_order (made_ms, shard, member_id, seq);
CREATE INDEX reward_order_by_state ON reward_order (state, made_ms, shard, member_id, seq);
CREATE INDEX reward_order_by_store ON reward_order (store_id, state, made_ms, shard, member_id, seq);
CREATE INDEX reward_order_by_reward ON reward_order (reward_id, stocked, stock_store);
CREATE INDEX reward_order_due ON reward_order (until_ms, shard, member_id, seq) WHERE until_ms < 253402300799999;
CREATE UNIQUE INDEX reward_order_pickup ON reward_order (pickup) WHERE length(pickup) > 0;

-- What happened to an order, by whom and where.
CREATE TABLE reward_order_step (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	n BIGINT NOT NULL,
	step {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	actor {{text}} NOT NULL,
	store_id BIGINT NOT NULL,
	note {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id, seq, n)
) {{clustered}};

-- What members wish for.
CREATE TABLE reward_wish (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	reward_id BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id, reward_id)
) {{clustered}};

CREATE INDEX reward_wish_by_reward ON reward_wish (reward_id, shard, member_id);
