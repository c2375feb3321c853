-- The engines spell triggers differently; see the twin of this file. PostgreSQL can also
-- empty a table at once, which SQLite cannot.
CREATE FUNCTION entry_refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'ledger entries never change';
END $$;

CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry
FOR EACH STATEMENT EXECUTE FUNCTION entry_refuse();

CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry
FOR EACH STATEMENT EXECUTE FUNCTION entry_refuse();

CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON entry
FOR EACH STATEMENT EXECUTE FUNCTION entry_refuse();
