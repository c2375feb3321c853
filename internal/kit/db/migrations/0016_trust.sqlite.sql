-- The engines spell triggers and bytes differently; see the twin of this file.

-- The chain over the audit trail. Each entry is given a position, from 1 without gaps, and a
-- hash over the hash of the entry before and over every column of its row as it lies here.
-- That happens after the commit, so that writers of entries never wait for each other:
-- audit_waiting holds the entries that have no place in the chain yet, each written in the
-- transaction of its entry. audit_head is the row that whoever chains must hold.
CREATE TABLE audit_link (
	position BIGINT NOT NULL PRIMARY KEY,
	audit_id BIGINT NOT NULL UNIQUE,
	hash {{bytes}} NOT NULL
) {{clustered}};

CREATE TABLE audit_waiting (
	audit_id BIGINT NOT NULL PRIMARY KEY
) {{clustered}};

CREATE TABLE audit_head (
	one SMALLINT NOT NULL PRIMARY KEY CHECK (one = 1),
	position BIGINT NOT NULL,
	hash {{bytes}} NOT NULL
);

INSERT INTO audit_head (one, position, hash) VALUES (1, 0, X'');

-- The entries of versions before this one are chained at its first start, in their order.
INSERT INTO audit_waiting (audit_id) SELECT id FROM audit;

CREATE TRIGGER audit_link_no_update BEFORE UPDATE ON audit_link
BEGIN
	SELECT RAISE(ABORT, 'the chain of the audit trail is append-only');
END;

CREATE TRIGGER audit_link_no_delete BEFORE DELETE ON audit_link
BEGIN
	SELECT RAISE(ABORT, 'the chain of the audit trail is append-only');
END;

-- What waits, or waited, for a second person, whatever it is: kind says what carries it out
-- and reads payload, which lies sealed where the kind is about what is personal. member_id
-- is whom it is about (0 for nobody), merchant_id who has to decide (0 for the programme).
-- until_ms is exclusive, 0 for no end. done_ms is when an approved one was carried out, and
-- result what it became, in words of the kind.
CREATE TABLE approval_before AS SELECT * FROM approval;

DROP TABLE approval;

CREATE TABLE approval (
	id BIGINT NOT NULL PRIMARY KEY,
	kind {{text}} NOT NULL,
	member_id BIGINT NOT NULL,
	merchant_id BIGINT NOT NULL,
	payload {{bytes}} NOT NULL,
	reason {{text}} NOT NULL,
	state {{text}} NOT NULL CHECK (state IN ('waiting', 'approved', 'rejected', 'withdrawn', 'expired')),
	asked_by {{text}} NOT NULL,
	asked_ms BIGINT NOT NULL,
	until_ms BIGINT NOT NULL,
	decided_by {{text}} NOT NULL,
	decided_ms BIGINT NOT NULL,
	done_ms BIGINT NOT NULL,
	result {{text}} NOT NULL
);

CREATE INDEX approval_by_state ON approval (state, id);

-- What has run out.
CREATE INDEX approval_by_end ON approval (until_ms, id) WHERE state = 'waiting';

INSERT INTO approval (id, kind, member_id, merchant_id, payload, reason, state, asked_by, asked_ms, until_ms, decided_by, decided_ms, done_ms, result)
SELECT id, 'adjustment', member_id, issuer_id,
	CAST('{"currency":' || currency_id || ',"amount":' || amount || ',"store":' || store_id || '}' AS BLOB),
	reason, state, asked_by, asked_ms, 0, decided_by, decided_ms,
	CASE WHEN entry_seq <> 0 THEN decided_ms ELSE 0 END,
	CASE WHEN entry_seq <> 0 THEN entry_member || '/' || entry_seq ELSE '' END
FROM approval_before;

DROP TABLE approval_before;

-- From where a key may be used: a JSON list of networks, empty for anywhere; and the key
-- that it took the place of, 0 for none.
ALTER TABLE api_key ADD COLUMN networks {{text}} NOT NULL DEFAULT '[]';

ALTER TABLE api_key ADD COLUMN replaces BIGINT NOT NULL DEFAULT 0;
