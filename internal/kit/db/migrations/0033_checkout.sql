-- Baskets that were quoted and held: coupons, points and stored value are set aside until a
-- sale is made of them, they are let go, or their time is up. body is JSON: the basket and what
-- is held for it. state: 1 open, 2 confirmed, 3 released; an open one whose time is up has expired.
CREATE TABLE checkout (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	state SMALLINT NOT NULL,
	store_id BIGINT NOT NULL,
	made_ms BIGINT NOT NULL,
	until_ms BIGINT NOT NULL,
	sale_member BIGINT NOT NULL,
	sale_seq BIGINT NOT NULL,
	body {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id, id)
) {{clustered}};

CREATE INDEX checkout_by_end ON checkout (until_ms, shard, member_id, id);
