package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// Key is the secret that opens backups. Its file is one that the program age reads too.
type Key struct{ identity *age.X25519Identity }

// Public is the half that only encrypts.
func (k Key) Public() string { return k.identity.Recipient().String() }

// Secret is the secret as text: what has to be kept elsewhere.
func (k Key) Secret() string { return k.identity.String() }

// Ephemeral makes a key that nobody keeps. A backup is encrypted for one beside the real
// one, so that it can be read back at once where the secret is on another machine.
func Ephemeral() (Key, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return Key{}, fmt.Errorf("make a key for backups: %w", err)
	}
	return Key{identity}, nil
}

// OpenKey reads the key at path, or makes one if there is none, and says whether it did.
func OpenKey(path string) (k Key, made bool, err error) {
	k, err = ReadKey(path)
	if !errors.Is(err, ErrNoKey) {
		return k, false, err
	}
	if k, err = Ephemeral(); err != nil {
		return Key{}, false, err
	}
	err = k.Save(path)
	if errors.Is(err, fs.ErrExist) { // another process made one meanwhile
		k, err = ReadKey(path)
		return k, false, err
	}
	return k, err == nil, err
}

// maxKeyFile bounds a key file; ours has three lines.
const maxKeyFile = 64 << 10

// ReadKey reads the key at path: ErrNoKey where there is no file, ErrKeyFile where it holds
// none, ErrKeyMode where others may read it.
func ReadKey(path string) (Key, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, ErrNoKey.With("path", path)
	}
	if err != nil {
		return Key{}, ErrRead.With("path", path, "why", reason(err)).Because(err)
	}
	defer f.Close() // read only
	if st, err := f.Stat(); err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o077 != 0 {
		return Key{}, ErrKeyMode.With("path", path)
	}
	list, err := age.ParseIdentities(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return Key{}, ErrKeyFile.With("path", path) // the cause would quote a secret
	}
	for _, identity := range list {
		if x, ok := identity.(*age.X25519Identity); ok {
			return Key{x}, nil
		}
	}
	return Key{}, ErrKeyFile.With("path", path)
}

// Save writes the key to a new file, readable by its owner only.
func (k Key) Save(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".patron-backup-key-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("save the key for backups: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintf(f, "# Opens the backups of Patron. Keep a copy on another machine: without it they are useless.\n# public key: %s\n%s\n", k.Public(), k.Secret())
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Link(f.Name(), path) // not Rename: a key that is there is not replaced
	}
	if err != nil {
		return fmt.Errorf("save the key for backups: %w", err)
	}
	return SyncDir(filepath.Dir(path))
}

// CheckRecipients reports whether text is public keys of age, separated by commas.
func CheckRecipients(text string) bool {
	_, err := recipients(text)
	return err == nil
}

func recipients(text string) (list []age.Recipient, err error) {
	for _, one := range strings.Split(text, ",") {
		r, err := age.ParseX25519Recipient(strings.TrimSpace(one))
		if err != nil {
			return nil, ErrRecipient
		}
		list = append(list, r)
	}
	return list, nil
}

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// reason is the short cause of an error of the file system.
func reason(err error) string {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &link):
		return link.Err.Error()
	}
	return err.Error()
}
