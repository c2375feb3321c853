-- Roll-ups: what happened on a day of the programme's calendar (days since 1 January 1970),
-- kept by events in the dispatcher's transaction. store_id is -1 for all stores together and
-- 0 for what happened in none. Nothing here is the truth: all of it is recomputed from the
-- books by `patron verify`, and mended by `patron report rebuild`.

-- Purchases and returns, by currency of money. A return counts on its own day. The member_
-- columns are the part of those that somebody owns.
CREATE TABLE day_sale (
	store_id BIGINT NOT NULL,
	currency {{text}} NOT NULL,
	day INTEGER NOT NULL,
	sales BIGINT NOT NULL,
	total BIGINT NOT NULL,
	returns BIGINT NOT NULL,
	returned BIGINT NOT NULL,
	member_sales BIGINT NOT NULL,
	member_total BIGINT NOT NULL,
	member_returns BIGINT NOT NULL,
	member_returned BIGINT NOT NULL,
	PRIMARY KEY (store_id, currency, day)
) {{clustered}};

-- Movements of what members own, by point currency, on the day on which they took effect.
-- net is by how much what the programme owes has changed by all of them.
CREATE TABLE day_point (
	store_id BIGINT NOT NULL,
	currency_id BIGINT NOT NULL,
	day INTEGER NOT NULL,
	issued BIGINT NOT NULL,
	opened BIGINT NOT NULL,
	redeemed BIGINT NOT NULL,
	restored BIGINT NOT NULL,
	expired BIGINT NOT NULL,
	clawed BIGINT NOT NULL,
	adjusted BIGINT NOT NULL,
	fees BIGINT NOT NULL,
	net BIGINT NOT NULL,
	PRIMARY KEY (store_id, currency_id, day)
) {{clustered}};

CREATE TABLE day_member (
	store_id BIGINT NOT NULL,
	day INTEGER NOT NULL,
	joined BIGINT NOT NULL,
	PRIMARY KEY (store_id, day)
) {{clustered}};

-- On which days of a month (years times twelve, and the month from 0) a member bought
-- something in a store: bit 0 is the first.
CREATE TABLE active_month (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	month INTEGER NOT NULL,
	store_id BIGINT NOT NULL,
	days BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id, month, store_id)
) {{clustered}};

-- How many different members bought something: on the day, and on it for the first time in
-- its month. scope is 0 for the programme, 1 for a merchant, 2 for a store.
CREATE TABLE day_active (
	scope SMALLINT NOT NULL,
	scope_id BIGINT NOT NULL,
	day INTEGER NOT NULL,
	members BIGINT NOT NULL,
	first_members BIGINT NOT NULL,
	PRIMARY KEY (scope, scope_id, day)
) {{clustered}};

-- In which zone the days of the sums begin (empty before the first event), and when they were
-- last compared with the books and mended. One row.
CREATE TABLE rollup (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	zone {{text}} NOT NULL,
	built_ms BIGINT NOT NULL
);

INSERT INTO rollup (one, zone, built_ms) VALUES (1, '', 0);
