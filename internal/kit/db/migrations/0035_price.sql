-- Lists of member prices. terms is JSON of for whom, where and when a list is; the audit trail
-- keeps what it said before.
CREATE TABLE price_list (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	state {{text}} NOT NULL CHECK (state IN ('draft', 'live', 'paused')),
	version BIGINT NOT NULL,
	terms {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

-- What a list says of one product (kind 1), brand (2) or category (3): a price of a unit in minor
-- units of the programme's money, or so many hundredths of a per cent off. The other is 0. n counts
-- the items of a list, so that lists of them have an order.
CREATE TABLE price_item (
	list_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	kind SMALLINT NOT NULL CHECK (kind IN (1, 2, 3)),
	ref {{text}} NOT NULL,
	price BIGINT NOT NULL CHECK (price >= 0),
	percent BIGINT NOT NULL CHECK (percent >= 0 AND percent <= 10000),
	PRIMARY KEY (list_id, kind, ref),
	CHECK ((price = 0) <> (percent = 0))
) {{clustered}};

CREATE UNIQUE INDEX price_item_by_n ON price_item (list_id, n);

-- One row: grows with every change of a list, so that other nodes read them anew.
CREATE TABLE price_config (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	version BIGINT NOT NULL
);

INSERT INTO price_config (one, version) VALUES (1, 1);
