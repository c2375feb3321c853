package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/backup"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// The refusals of a restore. Those of files and keys are in package backup.
var (
	ErrEngine = errs.New(errs.Conflict, "restore.engine",
		"The backup is of {found}, and this is {want}. Restore it where it comes from.",
		"该备份来自 {found}，而此处是 {want}，请恢复到相同的数据库引擎。")
	ErrOccupied = errs.New(errs.Conflict, "restore.occupied",
		"There is a database already. With --replace it is put aside and kept.",
		"此处已有数据库。使用 --replace 可将其移开并保留。")
	// ErrBroken refuses to open what a restore has left half done.
	ErrBroken = errs.New(errs.Conflict, "restore.broken",
		"A restore into {path} was broken off while it put files in place. Run it again, with --replace.",
		"恢复到 {path} 的操作在替换文件时中断，请使用 --replace 重新执行恢复。")
)

// markFile stands in the data directory while files are put in place.
const markFile = "patron.restoring"

// wholly refuses a data directory in which a restore was broken off: a program that opened
// it would begin with an empty database.
func wholly(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, markFile)); err == nil {
		return ErrBroken.With("path", dir)
	}
	return nil
}

// AfterRestore does something to a restored programme before it is verified and handed
// over: what must hold although the backup is older than it. a is the restored programme,
// on its scratch place; dataDir is the folder that it is restored to. An error ends the
// restore, and nothing is replaced.
type AfterRestore func(ctx context.Context, a *App, dataDir string) error

// afterRestore is what every restore does, in order.
func afterRestore() []AfterRestore {
	return nil
}

// Restore puts a backup in the place of a database.
type Restore struct {
	Config   config.Config
	Clock    clock.Clock  // clock.System where nil
	Log      *slog.Logger // slog.Default where nil
	File     string
	Identity string // file with the secret; that of the data directory where empty
	Replace  bool   // puts a database aside that is there
	DryRun   bool   // checks only; needs no database to be free
	Despite  bool   // restores although the books do not add up
	Tell     Tell
	After    []AfterRestore // afterRestore where nil
	// Free says how many bytes of a folder's disk are free; that of the disk where nil.
	Free func(dir string) (int64, error)
}

// Restored is what came of a restore.
type Restored struct {
	At       time.Time // when the database was as it is now
	Program  string    // version that wrote the backup
	Report   ledger.Report
	Aside    string   // folder with the old key file, and on SQLite the old database; "" where there were none
	Schemas  []string // of PostgreSQL with what was there
	Replaced bool     // false after a dry run
}

// Run checks everything before it replaces anything: that nobody has the database open,
// that the key opens the backup, that it is whole, of this engine and of no newer version,
// that there is room, that the database opens with its keys, and that its books add up.
func (r Restore) Run(ctx context.Context) (out Restored, err error) {
	r.defaults()
	key, err := r.key()
	if err != nil {
		return out, err
	}
	if err := r.look(key); err != nil {
		return out, err
	}
	site, err := r.hold(ctx)
	if err != nil {
		return out, err
	}
	if site != nil {
		defer func() { err = errors.Join(err, site.Release()) }()
	}
	r.Tell(StepLoad, 0, 0)
	rehearsed, err := rehearse(ctx, r.File, key, r.Config, r.Clock)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, rehearsed.end(ctx)) }()
	out.At, out.Program = rehearsed.header.At, rehearsed.header.Program
	if out.Report, err = r.examine(ctx, rehearsed); err != nil || r.DryRun {
		return out, err
	}
	if err := rehearsed.close(); err != nil {
		return out, err
	}
	if err := r.replace(ctx, site, rehearsed, &out); err != nil {
		return out, fmt.Errorf("put the restored database in place: %w", err)
	}
	out.Replaced = true
	return out, r.keepKey(key)
}

func (r *Restore) defaults() {
	if r.Clock == nil {
		r.Clock = clock.System()
	}
	if r.Log == nil {
		r.Log = slog.Default()
	}
	if r.Free == nil {
		r.Free = freeOn
	}
	if r.After == nil {
		r.After = afterRestore()
	}
	if r.Tell == nil {
		r.Tell = func(string, int64, int64) {}
	}
}

func (r *Restore) key() (backup.Key, error) {
	if r.Identity != "" {
		return backup.ReadKey(r.Identity)
	}
	return backup.ReadKey(filepath.Join(r.Config.DataDir, backupKeyFile))
}

// look reads the header only, which is quick and tells most mistakes.
func (r *Restore) look(key backup.Key) (err error) {
	file, err := backup.Open(r.File, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := db.Known(file.Header.Schema); err != nil {
		return err
	}
	if file.Header.Engine != db.SQLite.String() {
		return nil // the room is the server's
	}
	if err := os.MkdirAll(r.Config.DataDir, 0o700); err != nil {
		return backup.Fault(r.Config.DataDir, err)
	}
	return roomFor(r.Free, r.Config.DataDir, file.Header.Bytes)
}

// hold keeps everybody else from the database, and refuses one that must not be replaced.
func (r *Restore) hold(ctx context.Context) (*db.Site, error) {
	if r.DryRun {
		return nil, nil
	}
	site, err := db.Hold(ctx, db.Options{URL: r.Config.DatabaseURL, Dir: r.Config.DataDir})
	if err != nil {
		return nil, err
	}
	occupied, err := site.Occupied(ctx)
	if err == nil && occupied && !r.Replace {
		err = ErrOccupied
	}
	if err != nil {
		return nil, errors.Join(err, site.Release())
	}
	return site, nil
}

// examine does what must be done after a restore, and verifies the outcome.
func (r *Restore) examine(ctx context.Context, rehearsed *rehearsal) (ledger.Report, error) {
	for _, do := range r.After {
		if err := do(ctx, rehearsed.app, r.Config.DataDir); err != nil {
			return ledger.Report{}, fmt.Errorf("after the restore: %w", err)
		}
	}
	r.Tell(StepCheck, 0, 0)
	report, err := rehearsed.check(ctx)
	if err == nil && !report.Clean() && !r.Despite {
		err = ErrFindings.With("n", findings(report))
	}
	return report, err
}

// replace puts database and key file in place, and what was there aside. A mark stands
// meanwhile, since files are moved one by one.
func (r *Restore) replace(ctx context.Context, site *db.Site, rehearsed *rehearsal, out *Restored) (err error) {
	dir := r.Config.DataDir
	if out.Aside, err = r.aside(); err != nil {
		return err
	}
	mark := filepath.Join(dir, markFile)
	if err := os.WriteFile(mark, []byte(out.Aside+"\n"), 0o600); err != nil {
		return backup.Fault(mark, err)
	}
	if err := backup.SyncDir(dir); err != nil {
		return err
	}
	if out.Schemas, err = site.Replace(ctx, rehearsed.place, out.Aside, sandboxName); err != nil {
		return err
	}
	rehearsed.place.URL = "" // there is no schema to drop any more
	keys := filepath.Join(dir, keysFile)
	if err := os.Rename(keys, filepath.Join(out.Aside, keysFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(filepath.Join(rehearsed.dir, keysFile), keys); err != nil {
		return err
	}
	// The names first, then the mark: a crash never leaves the one without the other.
	if err := errors.Join(backup.SyncDir(out.Aside), backup.SyncDir(dir)); err != nil {
		return err
	}
	if err := os.Remove(mark); err != nil {
		return err
	}
	if os.Remove(out.Aside) == nil { // empty: there was nothing to keep
		out.Aside = ""
	}
	return backup.SyncDir(dir)
}

// aside makes the folder for what is replaced.
func (r *Restore) aside() (string, error) {
	begin := filepath.Join(r.Config.DataDir, "before-"+r.Clock.Now().UTC().Format(scratchTime))
	name := begin
	for n := 2; ; n++ {
		err := os.Mkdir(name, 0o700)
		if err == nil {
			return name, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", backup.Fault(name, err)
		}
		name = fmt.Sprintf("%s-%d", begin, n)
	}
}

// keepKey puts the key of a backup from another machine where the next backup looks for
// it. Where backups are encrypted for keys of the configuration, the secret stays away.
func (r *Restore) keepKey(key backup.Key) error {
	path := filepath.Join(r.Config.DataDir, backupKeyFile)
	if _, err := os.Stat(path); err == nil || r.Config.BackupRecipient != "" {
		return nil
	}
	return key.Save(path)
}
