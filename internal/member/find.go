package member

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Find returns the member that a Ref names, after following merges, ErrNotFound, or
// ErrErased where the Ref is the id of one who was erased.
//
// It stands on the path of every sale, so answers are kept for a moment: what this process
// changed is seen at once, what another node changed within staleFor.
func (s *Service) Find(ctx context.Context, ref Ref) (ID, error) {
	m, erased, err := s.trace(ctx, ref)
	if err == nil && erased {
		err = ErrErased
	}
	return m, err
}

// Trace is Find for those who only read: by their id it finds members too who were erased,
// under whose number the books stay.
func (s *Service) Trace(ctx context.Context, ref Ref) (ID, error) {
	m, _, err := s.trace(ctx, ref)
	return m, err
}

func (s *Service) trace(ctx context.Context, ref Ref) (m ID, erased bool, err error) {
	found, err := s.direct(ctx, []Ref{ref})
	if err != nil {
		return 0, false, err
	}
	ends, dead, err := s.follows(ctx, found)
	if err != nil {
		return 0, false, err
	}
	if ends[0] == 0 {
		return 0, false, ErrNotFound
	}
	return ends[0], dead[0], nil
}

// FindMany is Find for a list: the answers stand in its order, 0 for a Ref that names
// nobody or somebody who was erased. It takes one statement for a few hundred identifiers
// and one for their owners.
func (s *Service) FindMany(ctx context.Context, refs []Ref) ([]ID, error) {
	found, err := s.direct(ctx, refs)
	if err != nil {
		return nil, err
	}
	ends, dead, err := s.follows(ctx, found)
	if err != nil {
		return nil, err
	}
	for i := range ends {
		if dead[i] {
			ends[i] = 0
		}
	}
	return ends, nil
}

// FindToPost is FindMany for what goes on to the posting engine: a member may turn out to be
// merged, which the engine finds under lock. So whoever was found by an identifier is not
// looked for once more, and only those named by their own number are, as nothing else says
// that they exist. A single one who has to be looked up shares the round trip with others
// who are looked up at the same time.
func (s *Service) FindToPost(ctx context.Context, refs []Ref) ([]ID, error) {
	if len(refs) == 1 && refs[0].blind() {
		m, err := s.ownerToPost(ctx, refs[0])
		return []ID{m}, err
	}
	found, err := s.direct(ctx, refs)
	if err != nil {
		return nil, err
	}
	var named []int // places
	var ids []ID
	for i, ref := range refs {
		if ref.kind == "" && ref.id != 0 {
			named, ids = append(named, i), append(ids, ref.id)
		}
	}
	if len(named) == 0 {
		return found, nil
	}
	alive, erased, err := s.follows(ctx, ids)
	if err != nil {
		return nil, err
	}
	for k, i := range named {
		if found[i] = alive[k]; erased[k] {
			found[i] = 0
		}
	}
	return found, nil
}

func (s *Service) ownerToPost(ctx context.Context, ref Ref) (ID, error) {
	if m, _, ok := s.owner.get(s.blind(named{ref.kind, ref.value}), s.clock.Now(), s.moves.trusted()); ok {
		return m, nil
	}
	return s.finder.one(ctx, ref)
}

// blind reports whether a Ref is looked up by the hash of its value.
func (r Ref) blind() bool { return r.kind != "" && r.kind != refQR }

// direct returns whose identifier each Ref is, before any merge is followed.
func (s *Service) direct(ctx context.Context, refs []Ref) ([]ID, error) {
	found := make([]ID, len(refs))
	want := map[hash][]int{} // → places in refs
	marks := map[hash]uint64{}
	now := s.clock.Now()
	for i, ref := range refs {
		switch ref.kind {
		case "":
			found[i] = ref.id
			continue
		case refQR:
			var err error
			found[i], err = s.byCode(ctx, ref.value)
			if err != nil && (len(refs) == 1 || errs.As(err) == nil) { // of a list, one code that is over names nobody
				return nil, err
			}
			continue
		}
		h := s.blind(named{ref.kind, ref.value})
		m, mark, ok := s.owner.get(h, now, s.moves.trusted())
		if ok {
			found[i] = m
			continue
		}
		if len(want[h]) == 0 {
			marks[h] = mark
		}
		want[h] = append(want[h], i)
	}
	if len(want) == 0 {
		return found, nil
	}
	list := make([]hash, 0, len(want))
	for h := range want {
		list = append(list, h)
	}
	var who map[hash]ID
	err := s.db.Glance(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		who, err = owners(ctx, tx, list)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find members by identifier: %w", err)
	}
	for h, m := range who {
		s.owner.put(h, m, marks[h], now)
		for _, i := range want[h] {
			found[i] = m
		}
	}
	return found, nil
}

func (s *Service) byCode(ctx context.Context, code string) (ID, error) {
	if s.hooks.QR == nil {
		return 0, ErrNotFound
	}
	return s.hooks.QR(ctx, code)
}

// maxMergeHeight is the longest chain of merges; LinkMerged keeps to it.
const maxMergeHeight = 16

// follows follows the pointers of merged records, all together, and puts 0 for members
// that do not exist. erased tells of which ends nothing is left.
func (s *Service) follows(ctx context.Context, ids []ID) (at []ID, erased []bool, err error) {
	at = append([]ID(nil), ids...)
	erased = make([]bool, len(ids))
	moving := make([]int, 0, len(at)) // places whose end is not known yet
	for i, m := range at {
		if m != 0 {
			moving = append(moving, i)
		}
	}
	for links := 0; len(moving) > 0; links++ {
		if links > maxMergeHeight {
			return nil, nil, fmt.Errorf("find member %d: a chain of more than %d merges", ids[moving[0]], maxMergeHeight)
		}
		next, err := s.pointersOf(ctx, at, moving)
		if err != nil {
			return nil, nil, err
		}
		still := moving[:0]
		for _, i := range moving {
			into, exists := next[at[i]]
			switch {
			case !exists:
				at[i] = 0
			case into == gone:
				erased[i] = true
			case into != 0:
				at[i] = into
				still = append(still, i)
			}
		}
		moving = still
	}
	return at, erased, nil
}

// pointersOf reads where the members at some places point, kept answers first.
func (s *Service) pointersOf(ctx context.Context, at []ID, places []int) (map[ID]ID, error) {
	known := make(map[ID]ID, len(places))
	marks := map[ID]uint64{}
	var ask []ID
	now := s.clock.Now()
	for _, i := range places {
		m := at[i]
		into, mark, ok := s.pointer.get(m, now, time.Time{})
		if ok {
			known[m] = into
		} else if _, asked := marks[m]; !asked {
			marks[m] = mark
			ask = append(ask, m)
		}
	}
	if len(ask) == 0 {
		return known, nil
	}
	err := s.db.Glance(ctx, func(ctx context.Context, tx *db.Tx) error {
		read, err := pointers(ctx, tx, ask)
		for m, into := range read {
			s.pointer.put(m, into, marks[m], now)
			known[m] = into
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("follow merges: %w", err)
	}
	return known, nil
}
