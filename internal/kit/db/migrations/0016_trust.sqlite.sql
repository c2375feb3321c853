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
