-- The engines spell triggers differently; see the twin of this file.
-- When a member was erased; 0 for one who was not. wrapped_key and sealed are then empty.
ALTER TABLE member ADD COLUMN erased_ms BIGINT NOT NULL DEFAULT 0;

-- Of whom a kept answer tells, so that it can be taken away with them; 0 for nobody.
ALTER TABLE request ADD COLUMN member_id BIGINT NOT NULL DEFAULT 0;

CREATE INDEX request_by_member ON request (member_id) WHERE member_id <> 0;

-- The texts that people consent to. A version is never changed, only followed.
CREATE TABLE consent_text (
	purpose {{text}} NOT NULL,
	version INTEGER NOT NULL,
	text_en {{text}} NOT NULL,
	text_zh {{text}} NOT NULL,
	hash {{bytes}} NOT NULL, -- SHA-256 of both
	at_ms BIGINT NOT NULL,
	actor {{text}} NOT NULL,
	PRIMARY KEY (purpose, version)
) {{clustered}};

-- Each time that a member gave a consent or took it back. It only grows.
CREATE TABLE consent (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	purpose {{text}} NOT NULL,
	channel {{text}} NOT NULL, -- 'any' for all of them
	granted SMALLINT NOT NULL CHECK (granted IN (0, 1)),
	text_version INTEGER NOT NULL, -- 0 where there was no text
	text_hash {{bytes}} NOT NULL,
	at_ms BIGINT NOT NULL,
	source {{text}} NOT NULL,
	actor {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id, seq)
) {{clustered}};

-- Who was erased: decided at at_ms, carried out at done_ms (0 while it is under way).
-- created_ms is the member's, so that a number that was given anew after a restore is not
-- taken for the one who had it before.
CREATE TABLE tombstone (
	shard SMALLINT NOT NULL,
	member_id BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	at_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL,
	reason {{text}} NOT NULL,
	actor {{text}} NOT NULL,
	PRIMARY KEY (shard, member_id)
) {{clustered}};

CREATE TRIGGER consent_no_update BEFORE UPDATE ON consent
BEGIN
	SELECT RAISE(ABORT, 'consents are evidence: they only grow');
END;

CREATE TRIGGER consent_no_delete BEFORE DELETE ON consent
BEGIN
	SELECT RAISE(ABORT, 'consents are evidence: they only grow');
END;

CREATE TRIGGER consent_text_no_update BEFORE UPDATE ON consent_text
BEGIN
	SELECT RAISE(ABORT, 'consents are evidence: they only grow');
END;

CREATE TRIGGER consent_text_no_delete BEFORE DELETE ON consent_text
BEGIN
	SELECT RAISE(ABORT, 'consents are evidence: they only grow');
END;

