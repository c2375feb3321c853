-- The engines spell triggers differently; see the twin of this file.
CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry
BEGIN
	SELECT RAISE(ABORT, 'ledger entries never change');
END;

CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry
BEGIN
	SELECT RAISE(ABORT, 'ledger entries never change');
END;
