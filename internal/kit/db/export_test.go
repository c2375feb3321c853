package db

import "context"

// MigrateBelow brings the schema to where a program stood that knew no version from this one
// on, for tests of what a migration makes of data.
func (d *DB) MigrateBelow(ctx context.Context, version int) error {
	list, err := migrationsFor(d.Engine(), migrations)
	if err != nil {
		return err
	}
	for i, m := range list {
		if m.version >= version {
			list = list[:i]
			break
		}
	}
	return d.store.migrate(ctx, list)
}

// LeaveOpen leaves the writer and every reader of SQLite in a transaction, as a ROLLBACK
// does that was interrupted.
func (d *DB) LeaveOpen(ctx context.Context) error {
	l := d.store.(*lite)
	if _, err := l.writer.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for range readers {
		s := <-l.idle
		_, err := s.conn.ExecContext(ctx, "BEGIN")
		l.idle <- s
		if err != nil {
			return err
		}
	}
	return nil
}
