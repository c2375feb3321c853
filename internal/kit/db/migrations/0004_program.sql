-- The programme: one row. settings is JSON, read and written as a whole; a new setting
-- needs no migration, since what is missing takes its default. version grows with every
-- change of the row or of a place, rates_version with every change of a rate: other
-- processes ask for these two numbers.
CREATE TABLE program (
	id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
	version BIGINT NOT NULL,
	rates_version BIGINT NOT NULL,
	settings {{text}} NOT NULL,
	changed_ms BIGINT NOT NULL
);

CREATE TABLE merchant (
	id BIGINT NOT NULL PRIMARY KEY,
	code {{text}} NOT NULL UNIQUE,
	name_en {{text}} NOT NULL,
	name_zh {{text}} NOT NULL,
	is_open SMALLINT NOT NULL CHECK (is_open IN (0, 1)),
	created_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

CREATE TABLE store (
	id BIGINT NOT NULL PRIMARY KEY,
	merchant_id BIGINT NOT NULL REFERENCES merchant (id),
	code {{text}} NOT NULL UNIQUE,
	name_en {{text}} NOT NULL,
	name_zh {{text}} NOT NULL,
	zone {{text}} NOT NULL, -- '' = the programme's
	address {{text}} NOT NULL,
	is_open SMALLINT NOT NULL CHECK (is_open IN (0, 1)),
	created_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

CREATE TABLE till (
	id BIGINT NOT NULL PRIMARY KEY,
	store_id BIGINT NOT NULL REFERENCES store (id),
	code {{text}} NOT NULL,
	is_open SMALLINT NOT NULL CHECK (is_open IN (0, 1)),
	created_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL,
	UNIQUE (store_id, code)
);

-- What one unit of a foreign currency is worth on a day, in millionths of a unit of the
-- programme's currency. A day is counted from 1 January 1970.
CREATE TABLE fx_rate (
	currency {{text}} NOT NULL,
	day INTEGER NOT NULL,
	rate BIGINT NOT NULL CHECK (rate > 0),
	PRIMARY KEY (currency, day)
) {{clustered}};
