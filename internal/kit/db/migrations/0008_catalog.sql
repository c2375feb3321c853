-- The tree of categories. The path is made of the slugs from the top ("tea/green"); it
-- is kept beside the parent so that a whole branch is one range of the index.
CREATE TABLE category (
	id {{identity}},
	parent_id BIGINT REFERENCES category (id),
	path {{text}} NOT NULL,
	name_en {{text}} NOT NULL,
	name_zh {{text}} NOT NULL,
	changed_ms BIGINT NOT NULL
);

CREATE UNIQUE INDEX category_path ON category (path);
CREATE INDEX category_by_parent ON category (parent_id);

-- Counts the changes of the tree. Whoever changes the tree updates this row first, so that
-- no branch is moved under a hand that adds to it.
CREATE TABLE category_tree (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	version BIGINT NOT NULL
);

INSERT INTO category_tree (one, version) VALUES (1, 1);

-- What the programme sells. name_fold is what searches look in: sku and names without
-- case and width. A product that only sales told of is learned until somebody edits it.
CREATE TABLE product (
	id {{identity}},
	sku {{text}} NOT NULL,
	name_en {{text}} NOT NULL,
	name_zh {{text}} NOT NULL,
	name_fold {{text}} NOT NULL,
	category_id BIGINT REFERENCES category (id),
	brand {{text}} NOT NULL,
	cost BIGINT,
	price BIGINT,
	currency {{text}} NOT NULL,
	active SMALLINT NOT NULL,
	learned SMALLINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

CREATE UNIQUE INDEX product_sku ON product (sku);
CREATE INDEX product_by_category ON product (category_id, id);
CREATE INDEX product_by_brand ON product (brand, id);
