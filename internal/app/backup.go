package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/backup"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// The refusals of backing up. Those of files and keys are in package backup.
var (
	// ErrBadBackup says that a backup was made and is not good. It is kept for a look.
	ErrBadBackup = errs.New(errs.Conflict, "backup.bad",
		"The backup did not pass its verification and was kept as {path}: {why}",
		"备份未通过核对，已保留为 {path}：{why}")
	// ErrFindings says that the books in a backup do not add up.
	ErrFindings = errs.New(errs.Conflict, "backup.findings",
		"The books in the backup do not add up: {n} findings.", "备份中的账目不平：{n} 处问题。")
	// ErrShort says that a backup adds up, and holds less than there was.
	ErrShort = errs.New(errs.Conflict, "backup.short",
		"The backup holds {members} accounts and {entries} entries, fewer than there were when it was begun.",
		"备份中只有 {members} 个账户和 {entries} 条分录，少于开始备份时的数量。")
	// ErrKeysMoved says that the key file changed while the database was copied.
	ErrKeysMoved = errs.New(errs.Unavailable, "backup.keys_moved",
		"The keys of personal data were changed meanwhile. Make the backup again.", "备份期间个人数据密钥发生了变更，请重新备份。")
	// ErrSandbox refuses to back up the sandbox.
	ErrSandbox = errs.New(errs.Conflict, "backup.sandbox",
		"The sandbox is not backed up.", "沙盒不做备份。")
)

// The files of the data directory that have to do with backups.
const (
	keysFile      = "patron.keys"
	backupKeyFile = "patron.backup.key"
	backupsFolder = "backups"
	scratchFolder = "scratch-"
	scratchSchema = "patron_scratch_"
	scratchTime   = "20060102t150405"
	// leftAfter is when a scratch place can belong to nobody who is still at work.
	leftAfter = 24 * time.Hour
)

// Tell is told how far a backup or a restore is: what it does, and how much of that.
type Tell func(step string, done, total int64)

// The steps that Tell is told of.
const (
	StepCopy  = "copy"
	StepWrite = "write"
	StepCheck = "check"
	StepLoad  = "load"
)

// backups makes the backups of one programme, one at a time.
type backups struct {
	app   *App
	name  string // of the database
	free  func(dir string) (int64, error)
	turn  chan struct{}
	since time.Time // when this process began
}

func newBackups(a *App, o Options) *backups {
	b := &backups{app: a, name: o.Name, free: o.Free, turn: make(chan struct{}, 1), since: a.Clock.Now()}
	if b.free == nil {
		b.free = freeOn
	}
	b.schedule()
	return b
}

// BackupKey is the secret that opens this installation's backups, made at the first call.
func (a *App) BackupKey() (backup.Key, error) {
	if err := os.MkdirAll(a.config.DataDir, 0o700); err != nil {
		return backup.Key{}, backup.Fault(a.config.DataDir, err)
	}
	path := filepath.Join(a.config.DataDir, backupKeyFile)
	key, made, err := backup.OpenKey(path)
	if made {
		a.Log.Warn("a key for backups was made; keep a copy of it on another machine: patron key backup", "file", path)
	}
	return key, err
}

// recipients are the public keys that backups are encrypted for.
func (a *App) recipients() (string, error) {
	if a.config.BackupRecipient != "" {
		return a.config.BackupRecipient, nil
	}
	key, err := a.BackupKey()
	if err != nil {
		return "", err
	}
	return key.Public(), nil
}

// Backup writes an encrypted backup to a new file while everything goes on, restores it
// into a scratch place, verifies the books there and removes the scratch place. A backup
// that does not pass is kept under its name with ".bad" behind it: ErrBadBackup.
func (a *App) Backup(ctx context.Context, path string, tell Tell) (backup.Made, error) {
	select {
	case a.backups.turn <- struct{}{}:
		defer func() { <-a.backups.turn }()
	case <-ctx.Done():
		return backup.Made{}, ctx.Err()
	}
	if tell == nil {
		tell = func(string, int64, int64) {}
	}
	made, err := a.backups.make(ctx, path, tell)
	if err != nil {
		return made, fmt.Errorf("back up to %s: %w", path, err)
	}
	return made, nil
}

func (b *backups) make(ctx context.Context, path string, tell Tell) (made backup.Made, err error) {
	begin := time.Now()
	public, err := b.app.recipients()
	if err != nil {
		return made, err
	}
	extra, err := backup.Ephemeral()
	if err != nil {
		return made, err
	}
	if err := b.app.Audit.Chain(ctx); err != nil { // so that the copy holds the trail under its chain
		return made, err
	}
	accounts, entries, err := ledger.Size(ctx, b.app.DB)
	if err != nil {
		return made, err
	}
	draft, h, err := b.write(ctx, path, public, extra, tell)
	if err != nil {
		return made, err
	}
	made = backup.Made{Name: filepath.Base(path), Bytes: draft.Bytes, At: h.At}
	report, err := b.verify(ctx, draft.Path, extra, tell)
	made.Members, made.Entries, made.Seconds = report.Members, report.Entries, time.Since(begin).Seconds()
	if err == nil && (report.Members < accounts || report.Entries < entries) {
		err = ErrShort.With("members", report.Members, "entries", report.Entries) // an empty book adds up too
	}
	switch {
	case ctx.Err() != nil: // it says nothing about the backup
		return made, errors.Join(context.Cause(ctx), draft.Discard())
	case err != nil:
		bad, kerr := draft.Reject()
		made.Name = filepath.Base(bad)
		return made, errors.Join(ErrBadBackup.With("path", bad, "why", reason(err)).Because(err), kerr)
	}
	made.Verified = true
	return made, draft.Keep()
}

// reason is what people may read of an error, in English: the text of a refusal, or all
// there is.
func reason(err error) string {
	if refused := errs.As(err); refused != nil {
		return refused.Text("en")
	}
	return err.Error()
}

// write freezes the database and writes it, with the keys of personal data. The keys are
// compared before and after: those of the file must open what is in the copy.
func (b *backups) write(ctx context.Context, path, public string, extra backup.Key, tell Tell) (_ *backup.Draft, h backup.Header, err error) {
	a := b.app
	dir, err := makeScratch(ctx, a.config, a.Clock)
	if err != nil {
		return nil, h, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := b.room(dir, filepath.Dir(path)); err != nil {
		return nil, h, err
	}
	keys := a.Box.File()
	frozen, err := a.DB.Freeze(ctx, dir, func(done, total int64) { tell(StepCopy, done, total) })
	if err != nil {
		return nil, h, err
	}
	defer func() { err = errors.Join(err, frozen.Close()) }()
	if !bytes.Equal(keys, a.Box.File()) {
		return nil, h, ErrKeysMoved
	}
	h = backup.Header{Program: Version, Programme: a.installation(), At: a.Clock.Now(), Keys: keys}
	tell(StepWrite, 0, 0)
	draft, err := backup.Write(ctx, path, h, frozen, public, extra)
	return draft, h, err
}

// room refuses to begin what the disk cannot hold: the copy of the embedded database, and
// after it the scratch place, are each as large as the database, and so at the most is the
// backup. A disk that it filled would stop the server.
func (b *backups) room(dir, target string) error {
	if b.app.DB.Engine() != db.SQLite {
		return nil
	}
	name := b.name
	if name == "" {
		name = "patron"
	}
	st, err := os.Stat(filepath.Join(b.app.config.DataDir, name+".db"))
	if err != nil {
		return err
	}
	size := st.Size()
	if sameDisk(dir, target) {
		size *= 2
	}
	return roomFor(b.free, dir, size)
}

// sameDisk reports whether two folders share their room. One that is not there shares it:
// writing to it will say what is wrong.
func sameDisk(a, b string) bool {
	var x, y syscall.Stat_t
	if syscall.Stat(a, &x) != nil || syscall.Stat(b, &y) != nil {
		return true
	}
	return x.Dev == y.Dev
}

// roomFor refuses a folder whose disk has not room for so many bytes and a tenth more.
func roomFor(free func(string) (int64, error), dir string, bytes int64) error {
	have, err := free(dir)
	if err != nil {
		return err
	}
	if have < bytes+bytes/10 {
		return db.ErrRoom.With("path", dir)
	}
	return nil
}

// installation names this programme's database in the names of backups: the same for all
// nodes, and for as long as its keys live.
func (a *App) installation() string {
	sum := a.Box.Blind("backup installation", "")
	return fmt.Sprintf("%x", sum[:4])
}

// verify restores a backup into a scratch place and recomputes the books there.
func (b *backups) verify(ctx context.Context, path string, key backup.Key, tell Tell) (report ledger.Report, err error) {
	tell(StepLoad, 0, 0)
	r, err := rehearse(ctx, path, key, b.app.config, b.app.Clock)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, r.end(ctx)) }()
	tell(StepCheck, 0, 0)
	report, err = r.check(ctx)
	if err == nil && !report.Clean() {
		err = ErrFindings.With("n", findings(report))
	}
	return report, err
}

func findings(r ledger.Report) int64 { return int64(len(r.Findings)) + r.More }

// makeScratch makes a folder for copies beside the data, and removes what processes left
// behind that were killed.
func makeScratch(ctx context.Context, c config.Config, now clock.Clock) (dir string, err error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return "", backup.Fault(c.DataDir, err)
	}
	left, err := filepath.Glob(filepath.Join(c.DataDir, scratchFolder+"*"))
	if err != nil {
		return "", err
	}
	for _, old := range left {
		if st, err := os.Stat(old); err == nil && time.Since(st.ModTime()) > leftAfter {
			if err := os.RemoveAll(old); err != nil {
				return "", backup.Fault(old, err)
			}
		}
	}
	before := scratchSchema + now.Now().Add(-leftAfter).Format(scratchTime)
	if err := db.DropLeft(ctx, db.Options{URL: c.DatabaseURL}, scratchSchema, before); err != nil {
		return "", err
	}
	dir, err = os.MkdirTemp(c.DataDir, scratchFolder)
	if err != nil {
		return "", backup.Fault(c.DataDir, err)
	}
	return dir, nil
}

// rehearsal is a backup restored into a scratch place, with the program open on it.
type rehearsal struct {
	app    *App
	header backup.Header
	dir    string
	place  db.Options
}

// rehearse restores a backup into a scratch place and opens the program there, which
// brings it to this version's schema and compares the keys with the data. Nothing runs in
// the background. End it.
func rehearse(ctx context.Context, path string, key backup.Key, c config.Config, now clock.Clock) (_ *rehearsal, err error) {
	dir, err := makeScratch(ctx, c, now)
	if err != nil {
		return nil, err
	}
	r := &rehearsal{dir: dir, place: db.Options{URL: c.DatabaseURL, Dir: dir, Name: "patron"}}
	if c.DatabaseURL != "" {
		r.place.Name = scratchSchema + now.Now().Format(scratchTime) + "_" + strings.ToLower(rand.Text()[:8])
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.end(ctx))
		}
	}()
	if err := r.load(ctx, path, key); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, keysFile), r.header.Keys, 0o600); err != nil {
		return nil, backup.Fault(dir, err)
	}
	c.DataDir, c.BackupAt = dir, config.Off
	// What goes wrong comes back as an error; the log would speak of it as of the live database.
	r.app, err = Open(ctx, Options{Config: c, Clock: now, Log: slog.New(slog.DiscardHandler), Name: r.place.Name})
	return r, err
}

// load makes the database, and refuses it unless the backup was read to its end.
func (r *rehearsal) load(ctx context.Context, path string, key backup.Key) (err error) {
	file, err := backup.Open(path, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	r.header = file.Header
	engine := db.SQLite
	if r.place.URL != "" {
		engine = db.Postgres
	}
	if r.header.Engine != engine.String() {
		return ErrEngine.With("found", r.header.Engine, "want", engine.String())
	}
	rows, err := db.Load(ctx, r.place, engine, r.header.Schema, file)
	if ferr := file.Err(); ferr != nil {
		return ferr // whatever the database made of it
	}
	if err != nil {
		return err
	}
	if err := file.End(); err != nil {
		return err
	}
	for table, n := range rows {
		if n != file.Rows[table] {
			return fmt.Errorf("table %s has %d rows, and had %d", table, n, file.Rows[table])
		}
	}
	return nil
}

// check looks at the database from below and from above.
func (r *rehearsal) check(ctx context.Context) (ledger.Report, error) {
	report, err := r.app.Verify(ctx, nil)
	return report.Report, err
}

// close closes the program and leaves the database where it is.
func (r *rehearsal) close() error {
	if r.app == nil {
		return nil
	}
	a := r.app
	r.app = nil
	return a.Close()
}

// end closes the program and removes the scratch place, also when ctx has ended.
func (r *rehearsal) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err := r.close()
	if r.place.URL != "" {
		err = errors.Join(err, db.Drop(ctx, r.place))
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}

// freeOn is how many bytes are free on the disk of a folder.
func freeOn(dir string) (int64, error) {
	free, _, err := db.Disk(dir)
	return free, err
}
