-- Files that are kept for a few days: exports, uploads, error files. They lie in the
-- database, so that every node reaches them, cut into parts and sealed under a key of their
-- own. memo is sealed JSON of whoever keeps the file. bytes is the size of the content,
-- stored what it takes here. Times are Unix milliseconds UTC, 0 where there is none.
CREATE TABLE stash (
	id BIGINT NOT NULL PRIMARY KEY,
	wrapped_key {{bytes}} NOT NULL,
	memo {{bytes}} NOT NULL,
	bytes BIGINT NOT NULL,
	stored BIGINT NOT NULL,
	until_ms BIGINT NOT NULL
);

CREATE INDEX stash_by_end ON stash (until_ms, id);

CREATE TABLE stash_part (
	stash_id BIGINT NOT NULL,
	n BIGINT NOT NULL,
	body {{bytes}} NOT NULL,
	PRIMARY KEY (stash_id, n)
);

-- Exports that were asked for. What was filtered by is in the memo of the file.
CREATE TABLE file_export (
	id BIGINT NOT NULL PRIMARY KEY,
	list {{text}} NOT NULL,
	format {{text}} NOT NULL,
	maker {{text}} NOT NULL,
	job_id BIGINT NOT NULL,
	stash_id BIGINT NOT NULL,
	row_n BIGINT NOT NULL,
	made_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL,
	until_ms BIGINT NOT NULL
);

CREATE INDEX file_export_by_maker ON file_export (maker, id);
CREATE INDEX file_export_by_end ON file_export (until_ms, id);

-- Files that were uploaded to be imported. The plan (mapping and options) is in the memo
-- of the file. errors_id is the file of rows that were refused. report is JSON of counts.
CREATE TABLE file_import (
	id BIGINT NOT NULL PRIMARY KEY,
	kind {{text}} NOT NULL,
	state {{text}} NOT NULL CHECK (state IN ('uploading', 'uploaded', 'started', 'done', 'failed', 'cancelled')),
	maker {{text}} NOT NULL,
	job_id BIGINT NOT NULL,
	stash_id BIGINT NOT NULL,
	errors_id BIGINT NOT NULL,
	dry_run SMALLINT NOT NULL CHECK (dry_run IN (0, 1)),
	report {{text}} NOT NULL,
	error {{text}} NOT NULL,
	made_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL,
	until_ms BIGINT NOT NULL
);

CREATE INDEX file_import_by_end ON file_import (until_ms, id);

-- Views of lists that colleagues have saved: a query string and columns.
CREATE TABLE saved_view (
	id BIGINT NOT NULL PRIMARY KEY,
	owner {{text}} NOT NULL,
	feature {{text}} NOT NULL,
	name {{text}} NOT NULL,
	query {{text}} NOT NULL,
	view_columns {{text}} NOT NULL,
	shared SMALLINT NOT NULL CHECK (shared IN (0, 1)),
	version BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL
);

CREATE INDEX saved_view_by_owner ON saved_view (owner, feature, id);
CREATE INDEX saved_view_by_feature ON saved_view (feature, id) WHERE shared = 1;

-- Tags put on and taken off many members by one job. plan is JSON: tags, and numbers of
-- members or filters that name nobody. place is where the job is, written with what it did:
-- a job that is killed goes on there.
CREATE TABLE bulk_tag (
	id BIGINT NOT NULL PRIMARY KEY,
	plan {{text}} NOT NULL,
	maker {{text}} NOT NULL,
	job_id BIGINT NOT NULL,
	place {{text}} NOT NULL,
	members BIGINT NOT NULL,
	changed BIGINT NOT NULL,
	added BIGINT NOT NULL,
	removed BIGINT NOT NULL,
	refused BIGINT NOT NULL,
	made_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL
);

CREATE INDEX bulk_tag_by_made ON bulk_tag (made_ms, id);

-- Which colleague is responsible for a member; no row for nobody.
CREATE TABLE member_advisor (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	staff_id BIGINT NOT NULL,
	since_ms BIGINT NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

CREATE INDEX member_advisor_by_staff ON member_advisor (staff_id, member_id);

-- Colleagues whom a note or call names, for each to read.
CREATE TABLE mention (
	staff_id BIGINT NOT NULL,
	id BIGINT NOT NULL,
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	what {{text}} NOT NULL CHECK (what IN ('note', 'call')),
	what_id BIGINT NOT NULL,
	by_whom {{text}} NOT NULL,
	at_ms BIGINT NOT NULL,
	read_ms BIGINT NOT NULL,
	PRIMARY KEY (staff_id, id)
) {{clustered}};

CREATE UNIQUE INDEX mention_once ON mention (shard, member_id, what, what_id, staff_id);
CREATE INDEX mention_unread ON mention (staff_id, id) WHERE read_ms = 0;

-- Shifts of tills. till is its code, as sales name it. cash is what was in the drawer, in
-- minor units of the programme's money. report is JSON, as it was at closing.
CREATE TABLE shift (
	id BIGINT NOT NULL PRIMARY KEY,
	store_id BIGINT NOT NULL,
	till {{text}} NOT NULL,
	cashier {{text}} NOT NULL,
	opened_by {{text}} NOT NULL,
	opened_ms BIGINT NOT NULL,
	opening_cash BIGINT NOT NULL,
	closed_by {{text}} NOT NULL,
	closed_ms BIGINT NOT NULL,
	counted_cash BIGINT NOT NULL,
	expected_cash BIGINT NOT NULL,
	note {{text}} NOT NULL,
	report {{text}} NOT NULL
);

CREATE UNIQUE INDEX shift_open ON shift (store_id, till) WHERE closed_ms = 0;
CREATE INDEX shift_by_till ON shift (store_id, till, id);

-- How a colleague wants to see the program; '' for what the browser says.
ALTER TABLE staff ADD COLUMN language {{text}} NOT NULL DEFAULT '';

ALTER TABLE staff ADD COLUMN theme {{text}} NOT NULL DEFAULT '';
