package backup

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"filippo.io/age"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Draft is a backup that is on the disk, and not yet under its name. End it with Keep,
// Reject or Discard.
type Draft struct {
	Path  string // where it is now
	Bytes int64
	name  string // what it will be called
}

// draftEnding stands behind the name of a draft, before random digits.
const draftEnding = ".part-"

// fileBuffer joins the small writes of the encryption.
const fileBuffer = 256 << 10

// Write writes a frozen database for whoever holds one of the keys: public is public keys
// of age, separated by commas; extra is a key more, to read it back with.
func Write(ctx context.Context, name string, h Header, frozen *db.Frozen, public string, extra Key) (_ *Draft, err error) {
	to, err := recipients(public)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(name); err == nil {
		return nil, ErrExists.With("path", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+draftEnding+"*") // made with mode 0600
	if err != nil {
		return nil, Fault(name, err)
	}
	d := &Draft{Path: f.Name(), name: name}
	h.Format, h.Engine, h.Schema, h.Bytes = formatVersion, frozen.Engine.String(), frozen.Versions, frozen.Bytes
	err = encrypt(ctx, &db.Paced{File: f}, h, frozen, append(to, extra.identity.Recipient()))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, errors.Join(Fault(name, err), d.Discard())
	}
	st, err := os.Stat(d.Path)
	if err != nil {
		return nil, errors.Join(Fault(name, err), d.Discard())
	}
	d.Bytes = st.Size()
	return d, nil
}

// Fault says in one line why a file cannot be written. Other errors pass.
func Fault(name string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return db.ErrRoom.With("path", filepath.Dir(name)).Because(err)
	}
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(err, &path) || errors.As(err, &link) {
		return ErrWrite.With("path", name, "why", reason(err)).Because(err)
	}
	return err
}

// encrypt writes the layers from the outside in, and ends them from the inside out.
func encrypt(ctx context.Context, f io.Writer, h Header, frozen *db.Frozen, to []age.Recipient) error {
	file := bufio.NewWriterSize(f, fileBuffer)
	sealed, err := age.Encrypt(file, to...)
	if err != nil {
		return fmt.Errorf("encrypt: %w", err)
	}
	packed, err := gzip.NewWriterLevel(sealed, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if err := frames(ctx, packed, h, frozen); err != nil {
		return err
	}
	for _, end := range []func() error{packed.Close, sealed.Close, file.Flush} {
		if err := end(); err != nil {
			return err
		}
	}
	return nil
}

func frames(ctx context.Context, w io.Writer, h Header, frozen *db.Frozen) error {
	f := newFramer(w)
	if err := f.json(frameHeader, h); err != nil {
		return err
	}
	for _, p := range frozen.Parts {
		if err := f.json(framePart, p); err != nil {
			return err
		}
		rows, err := frozen.Write(ctx, p, f)
		if err != nil {
			return err
		}
		if err := f.json(framePartEnd, partEnd{rows}); err != nil {
			return err
		}
	}
	return f.json(frameEnd, end{len(frozen.Parts), f.digest.Sum(nil)})
}

// Keep gives the backup its name, unless something has taken it meanwhile.
func (d *Draft) Keep() error { return d.call(d.name) }

// Reject gives the backup its name with the ending ".bad", and returns that.
func (d *Draft) Reject() (name string, err error) { return d.name + ".bad", d.call(d.name + ".bad") }

// Discard removes it.
func (d *Draft) Discard() error { return os.Remove(d.Path) }

func (d *Draft) call(name string) error {
	err := os.Link(d.Path, name)
	switch {
	case errors.Is(err, fs.ErrExist):
		err = ErrExists.With("path", name)
	case err != nil: // a file system without links, as on a memory stick
		if err = vacant(name); err == nil {
			err = os.Rename(d.Path, name)
		}
	default:
		err = os.Remove(d.Path)
	}
	if err != nil {
		return errors.Join(Fault(name, err), d.Discard())
	}
	d.Path = name
	return SyncDir(filepath.Dir(name))
}

func vacant(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return ErrExists.With("path", name)
	}
	return nil
}
