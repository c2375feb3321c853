package rule

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
)

// Snapshot is the rules as this process knows them. It does not change; ask for a new one for
// each batch of work.
type Snapshot struct {
	book  *book
	words *cond.Env
	zone  string
	loc   *time.Location
	under func(category, ancestor string) bool

	versions map[versionKey]func() *compiled
	turns    []int64  // the instants at which another version begins to count, ascending
	sets     sync.Map // by the turn that they begin with: *Set
}

type versionKey struct{ rule, version int64 }

func newSnapshot(b *book, words *cond.Env, zone *time.Location, under func(category, ancestor string) bool) *Snapshot {
	s := &Snapshot{book: b, words: words, zone: zone.String(), loc: zone, under: under, versions: map[versionKey]func() *compiled{}}
	for _, r := range b.rules {
		for _, run := range r.Runs {
			s.turns = append(s.turns, run.FromMS)
		}
		for version, d := range r.Versions {
			s.versions[versionKey{r.ID, version}] = sync.OnceValue(func() *compiled { return s.compile(d, r.ID, version) })
		}
	}
	slices.Sort(s.turns)
	s.turns = slices.Compact(s.turns)
	return s
}

// compile makes a definition ready; what cannot be compiled any more fails when it is asked.
func (s *Snapshot) compile(d *Definition, rule, version int64) *compiled {
	c, err := compile(d, rule, version, s.words, s.loc)
	if err != nil {
		c = uncompiled(d, rule, version)
		c.fault = err
	}
	if g := s.book.group(d.Stack.Group); g != nil {
		c.group, c.stage = g, g.Stage
	}
	return c
}

// At is the rules that count at an instant.
func (s *Snapshot) At(ms int64) *Set {
	i, found := slices.BinarySearch(s.turns, ms)
	if !found {
		i--
	}
	if set, ok := s.sets.Load(i); ok {
		return set.(*Set)
	}
	var list []*compiled
	for _, r := range s.book.rules {
		if version := r.at(ms); version > 0 {
			list = append(list, s.versions[versionKey{r.ID, version}]())
		}
	}
	set, _ := s.sets.LoadOrStore(i, newSet(list, s))
	return set.(*Set)
}

// latest is the rules that count at an instant, with the latest version of one of them, whether
// it counted then or not.
func (s *Snapshot) latest(ms, rule int64) *Set {
	var list []*compiled
	for _, r := range s.book.rules {
		version := r.at(ms)
		if r.ID == rule {
			version = r.Version
		}
		if version > 0 {
			list = append(list, s.versions[versionKey{r.ID, version}]())
		}
	}
	return newSet(list, s)
}

// only is drafts alone.
func (s *Snapshot) only(drafts []*Definition) *Set {
	var list []*compiled
	for i, d := range drafts {
		list = append(list, s.compile(d, int64(-1-i), 0))
	}
	return newSet(list, s)
}

// With is the rules that count at an instant, with drafts in place of those of their codes.
func (s *Snapshot) With(ms int64, drafts []*Definition) *Set {
	var list []*compiled
	for _, r := range s.book.rules {
		version := r.at(ms)
		if version > 0 && !slices.ContainsFunc(drafts, func(d *Definition) bool { return d.Code == r.Code }) {
			list = append(list, s.versions[versionKey{r.ID, version}]())
		}
	}
	for i, d := range drafts {
		n := int64(-1 - i) // of a rule that is not there yet
		version := int64(0)
		if r, err := s.book.find(d.Code); err == nil {
			n, version = r.ID, r.Version+1
		}
		list = append(list, s.compile(d, n, version))
	}
	return newSet(list, s)
}

// inOrder sorts rules as they are evaluated: by stage, those of a group together, by priority,
// by code. So the order in which they were made or read makes no difference.
func inOrder(list []*compiled) { slices.SortFunc(list, (*compiled).compare) }

func (c *compiled) compare(b *compiled) int {
	return cmp.Or(cmp.Compare(c.stage, b.stage), cmp.Compare(c.groupCode(), b.groupCode()),
		cmp.Compare(c.def.Stack.Priority, b.def.Stack.Priority), cmp.Compare(c.def.Code, b.def.Code))
}

func (c *compiled) groupCode() string {
	if c.group == nil {
		return ""
	}
	return c.group.Code
}
