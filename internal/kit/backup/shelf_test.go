package backup_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/backup"
)

// put makes a file and returns its name.
func put(t interface{ Fatal(...any) }, path string) string {
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Base(path)
}

func TestShelfList(t *testing.T) {
	t.Parallel()
	s := backup.Shelf{Dir: filepath.Join(t.TempDir(), "not", "yet"), Name: "ab12"}
	if list, err := s.List(); err != nil || len(list) != 0 {
		t.Errorf("a folder that is not there: %v, %v", list, err)
	}
	first, err := s.Path(at)
	if err != nil {
		t.Fatal(err)
	}
	put(t, first)
	second, err := s.Path(at)
	if err != nil || second == first {
		t.Fatalf("two of one second are called %s, %v", second, err)
	}
	put(t, second+".bad")
	for _, n := range []backup.Made{
		{Name: filepath.Base(first), At: at.Add(time.Millisecond), Members: 3, Entries: 4},
		{Name: filepath.Base(second) + ".bad", At: at, Error: "two\nlines"},
	} {
		if err := s.Note(n); err != nil {
			t.Fatal(err)
		}
	}
	third, err := s.Path(at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	put(t, third) // without a note
	list, err := s.List()
	if err != nil || len(list) != 3 {
		t.Fatalf("List = %+v, %v", list, err)
	}
	if m := list[0]; m.Name != filepath.Base(third) || !m.Verified || !m.At.Equal(at.Add(time.Hour)) || m.Bytes != 1 {
		t.Errorf("the newest is %+v", m)
	}
	if m := list[1]; !m.Verified || m.Members != 3 || m.Entries != 4 || !m.At.Equal(at.Add(time.Millisecond)) {
		t.Errorf("the second is %+v", m)
	}
	if m := list[2]; m.Verified || m.Error != "two lines" {
		t.Errorf("the bad one is %+v", m)
	}
}

// Whatever lies on the shelf, pruning takes what is ours and older, keeps the newest good
// one, and touches nothing else.
func TestPrune(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		s := backup.Shelf{Dir: filepath.Join(root, fmt.Sprint(n)), Name: "ab12"}
		if err := os.Mkdir(s.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		const limit = 10
		var stay, leave []string
		newestGood := -1
		days := rapid.SliceOfNDistinct(rapid.IntRange(0, 20), 0, 6, rapid.ID[int]).Draw(t, "ages")
		slices.Sort(days) // newest first
		for i, age := range days {
			path := filepath.Join(s.Dir, fmt.Sprintf("patron-ab12-%s.backup", at.AddDate(0, 0, -age).Format("20060102T150405Z")))
			bad := rapid.Bool().Draw(t, "bad")
			if bad {
				path += ".bad"
			} else if newestGood < 0 {
				newestGood = i
			}
			names := []string{put(t, path)}
			if rapid.Bool().Draw(t, "noted") {
				names = append(names, put(t, path+".json"))
			}
			if age > limit && i != newestGood {
				leave = append(leave, names...)
			} else {
				stay = append(stay, names...)
			}
		}
		for _, foreign := range []string{
			"patron-zz99-20200101T000000Z.backup", "patron-ab12-20200101T000000Z.backup.gz", "x-patron-ab12-20200101T000000Z.backup",
			"patron.db", "patron-ab12-20200101.backup", "notes.json", "patron-ab12-20201301T000000Z.backup",
		} {
			stay = append(stay, put(t, filepath.Join(s.Dir, foreign)))
		}
		if _, err := s.Prune(at.AddDate(0, 0, -limit)); err != nil {
			t.Fatal(err)
		}
		for _, name := range stay {
			if _, err := os.Stat(filepath.Join(s.Dir, name)); err != nil {
				t.Fatalf("%s is gone", name)
			}
		}
		for _, name := range leave {
			if _, err := os.Stat(filepath.Join(s.Dir, name)); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("%s is still there", name)
			}
		}
	})
}

// Drafts of a process that was killed go with the next pruning, those of one at work stay.
func TestPruneDrafts(t *testing.T) {
	t.Parallel()
	s := backup.Shelf{Dir: t.TempDir(), Name: "ab12"}
	old := filepath.Join(s.Dir, ".patron-ab12-20260101T000000Z.backup.part-1")
	young := filepath.Join(s.Dir, ".patron-ab12-20260102T000000Z.backup.part-2")
	foreign := filepath.Join(s.Dir, ".patron-zz99-20260101T000000Z.backup.part-3")
	for _, name := range []string{old, young, foreign} {
		put(t, name)
	}
	for _, name := range []string{old, foreign} {
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Prune(at.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{old: false, young: true, foreign: true} {
		if _, err := os.Stat(name); (err == nil) != want {
			t.Errorf("%s: there is %v, want %v", name, err == nil, want)
		}
	}
}
