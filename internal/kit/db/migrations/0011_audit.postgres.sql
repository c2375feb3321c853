-- The engines spell triggers differently; see the twin of this file. PostgreSQL can also
-- empty a table at once, which SQLite cannot.
CREATE FUNCTION audit_refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the audit trail is append-only';
END $$;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
