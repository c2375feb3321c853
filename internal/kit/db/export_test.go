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
