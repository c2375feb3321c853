package backup

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Shelf is a folder of backups that were made by the calendar or from the API. Several
// installations may share one: each sees and prunes its own.
type Shelf struct {
	Dir  string
	Name string // which installation: letters and digits
}

// Made is what is known of one backup: the note beside its file.
type Made struct {
	Name     string    `json:"name"`
	Bytes    int64     `json:"bytes"`
	At       time.Time `json:"made_at"` // when the database was as it is in there
	Verified bool      `json:"verified"`
	Members  int64     `json:"members"`
	Entries  int64     `json:"entries"`
	Seconds  float64   `json:"seconds"`         // that it took, with its verification
	Error    string    `json:"error,omitempty"` // in English: why it is bad
}

const (
	fileEnding = ".backup"
	noteEnding = ".json"
	nameTime   = "20060102T150405Z"
	// maxNote bounds the note of a backup.
	maxNote = 64 << 10
	// maxError bounds what a note keeps of an error.
	maxError = 1000
)

var shelfName = regexp.MustCompile(`^patron-([A-Za-z0-9]+)-(\d{8}T\d{6}Z)(?:-\d+)?\.backup(\.bad)?$`)

// Path is a free name for a backup of an instant.
func (s Shelf) Path(at time.Time) (string, error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return "", Fault(s.Dir, err)
	}
	begin := filepath.Join(s.Dir, fmt.Sprintf("patron-%s-%s", s.Name, at.UTC().Format(nameTime)))
	name := begin + fileEnding
	for n := 2; !free(name); n++ {
		name = fmt.Sprintf("%s-%d%s", begin, n, fileEnding)
	}
	return name, nil
}

func free(name string) bool { return vacant(name) == nil && vacant(name+".bad") == nil }

// Note writes what is known of a backup beside it.
func (s Shelf) Note(m Made) error {
	if m.Error = strings.Join(strings.Fields(m.Error), " "); len(m.Error) > maxError {
		m.Error = strings.ToValidUTF8(m.Error[:maxError], "")
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(s.Dir, m.Name) + noteEnding
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return Fault(path, err)
	}
	return nil
}

// List lists this installation's backups on the shelf, newest first. A folder that is not
// there is empty. Where a note is missing, what the file itself tells is known: one
// without ".bad" was verified before it got its name.
func (s Shelf) List() ([]Made, error) {
	files, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, ErrRead.With("path", s.Dir, "why", reason(err)).Because(err)
	}
	var list []Made
	for _, f := range files {
		m, ok := s.known(f.Name())
		st, err := os.Lstat(filepath.Join(s.Dir, f.Name()))
		if !ok || err != nil || !st.Mode().IsRegular() {
			continue
		}
		m.Bytes = st.Size()
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Made) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(b.Name, a.Name))
	})
	return list, nil
}

// known reads what the name and the note of a file tell, or reports that it is not ours.
func (s Shelf) known(name string) (m Made, ours bool) {
	parts := shelfName.FindStringSubmatch(name)
	if parts == nil || parts[1] != s.Name {
		return m, false
	}
	at, err := time.Parse(nameTime, parts[2])
	if err != nil {
		return m, false
	}
	if text, err := os.ReadFile(filepath.Join(s.Dir, name+noteEnding)); err == nil && len(text) <= maxNote {
		_ = json.Unmarshal(text, &m) // a note is a comfort; the name says what counts
	}
	m.Name, m.Verified = name, parts[3] == ""
	if m.At.IsZero() {
		m.At = at
	}
	return m, true
}

// Prune removes backups that were made before a time, but the newest good one, with their
// notes, and returns their names. Other files are left alone.
func (s Shelf) Prune(before time.Time) (removed []string, err error) {
	list, err := s.List()
	if err != nil {
		return nil, err
	}
	newest := slices.IndexFunc(list, func(m Made) bool { return m.Verified })
	for i, m := range list {
		if i == newest || !m.At.Before(before) {
			continue
		}
		if err := os.Remove(filepath.Join(s.Dir, m.Name)); err != nil {
			return removed, Fault(filepath.Join(s.Dir, m.Name), err)
		}
		if err := os.Remove(filepath.Join(s.Dir, m.Name+noteEnding)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, Fault(filepath.Join(s.Dir, m.Name+noteEnding), err)
		}
		removed = append(removed, m.Name)
	}
	return removed, s.sweep(before)
}

// sweep removes drafts that a process left behind when it was killed.
func (s Shelf) sweep(before time.Time) error {
	files, err := os.ReadDir(s.Dir)
	if err != nil {
		return Fault(s.Dir, err)
	}
	for _, f := range files {
		name, draft := f.Name(), strings.Contains(f.Name(), fileEnding+draftEnding)
		if !draft || !strings.HasPrefix(name, ".patron-"+s.Name+"-") {
			continue
		}
		path := filepath.Join(s.Dir, name)
		if st, err := os.Lstat(path); err != nil || !st.ModTime().Before(before) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return Fault(path, err)
		}
	}
	return nil
}
