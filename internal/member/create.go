package member

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
)

// createBatch is how many members one transaction creates at most. Whoever imports beside
// a server sends fewer at a time, so that a till waits no longer than some 20 ms.
const createBatch = 1000

// maxConsents bounds the purposes that one enrolment may consent to.
const maxConsents = 20

// Result is what became of one member of a list: the id, or why there is none.
type Result struct {
	ID  ID
	Err error
}

// draft is a member ready to be written.
type draft struct {
	rec     *record
	sealed  []byte
	hashes  []hash // of the identifiers, in their order
	tokens  []int64
	tags    []string
	agreed  []string // consents
	history bool
	joined  event.Event
}

// Create enrols a member and returns it.
func (s *Service) Create(ctx context.Context, n Enrolment) (Member, error) {
	drafts, refused, err := s.drafts(ctx, []Enrolment{n})
	if err != nil {
		return Member{}, err
	}
	if refused[0] != nil {
		return Member{}, refused[0]
	}
	d := drafts[0]
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		refused, err := s.write(ctx, tx, drafts)
		if err != nil {
			return err
		}
		if refused[0] != nil {
			return refused[0] // and undo what there is
		}
		return s.record(ctx, tx, "member.created", d.rec.id.String(), nil, nil)
	})
	s.forgetDrafts(drafts)
	if err != nil {
		return Member{}, err
	}
	return s.get(ctx, d.rec.id)
}

// CreateMany enrols a list and answers for each in its order: one that is refused does not
// hold up the others. Batches are committed one after the other; an error that is no
// refusal stops between two of them, and the results so far are returned with it.
func (s *Service) CreateMany(ctx context.Context, list []Enrolment) ([]Result, error) {
	results := make([]Result, 0, len(list))
	for batch := range slices.Chunk(list, createBatch) {
		part, err := s.createBatch(ctx, batch, nil)
		if err != nil {
			return results, err
		}
		results = append(results, part...)
	}
	return results, nil
}

// createBatch enrols a list in one transaction. also, where it is not nil, runs in it with
// the results.
func (s *Service) createBatch(ctx context.Context, list []Enrolment, also func(context.Context, *db.Tx, []Result) error) (results []Result, err error) {
	drafts, refused, err := s.drafts(ctx, list)
	if err != nil {
		return nil, err
	}
	if len(drafts) == 0 {
		return settle(refused, nil, nil), nil
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		late, err := s.write(ctx, tx, drafts)
		if err != nil {
			return err
		}
		if results = settle(refused, drafts, late); also == nil {
			return nil
		}
		return also(ctx, tx, results)
	})
	s.forgetDrafts(drafts)
	if err != nil {
		return nil, fmt.Errorf("create %d members: %w", len(list), err)
	}
	return results, nil
}

// settle says what became of each of a list: refused stands in its order, drafts are those
// that were not, and late is why one of them was refused after all.
func settle(refused []error, drafts []*draft, late []error) []Result {
	results := make([]Result, len(refused))
	next := 0
	for i := range refused {
		if results[i].Err = refused[i]; refused[i] != nil {
			continue
		}
		if results[i].Err = late[next]; late[next] == nil {
			results[i].ID = drafts[next].rec.id
		}
		next++
	}
	return results
}

// forgetDrafts comes after the commit: an identifier may have been looked up, found to be
// another's, and moved since.
func (s *Service) forgetDrafts(drafts []*draft) {
	for _, d := range drafts {
		for _, h := range d.hashes {
			s.owner.forget(h)
		}
	}
}

// drafts checks and seals a list outside any transaction. refused stands in the order of
// the list; drafts holds the others, in order.
func (s *Service) drafts(ctx context.Context, list []Enrolment) (drafts []*draft, refused []error, err error) {
	sc, err := s.scene(ctx)
	if err != nil {
		return nil, nil, err
	}
	now := s.clock.Now()
	refused = make([]error, len(list))
	seen := map[hash]bool{}
	for i, n := range list {
		d, err := s.draft(n, sc, now)
		if err == nil {
			err = s.twin(d, seen)
		}
		if err != nil {
			refused[i] = err
			continue
		}
		drafts = append(drafts, d)
	}
	if len(drafts) == 0 {
		return nil, refused, nil
	}
	first, err := s.db.NextIDs(ctx, "member", len(drafts))
	if err != nil {
		return nil, nil, fmt.Errorf("number %d members: %w", len(drafts), err)
	}
	for i, d := range drafts {
		if err := s.number(d, ID(first+int64(i))); err != nil {
			return nil, nil, err
		}
	}
	return drafts, refused, nil
}

// twin refuses a draft that shares an identifier with an earlier one of its list.
func (s *Service) twin(d *draft, seen map[hash]bool) error {
	for i, h := range d.hashes {
		if seen[h] {
			return taken(d.rec.personal.Identifiers[i].Kind)
		}
	}
	for _, h := range d.hashes {
		seen[h] = true
	}
	return nil
}

// draft checks one member and works out what it is found by.
func (s *Service) draft(n Enrolment, sc scene, now time.Time) (*draft, error) {
	r := &record{version: 1, gender: Unknown, storeID: n.StoreID, createdMS: now.UnixMilli()}
	var faults faults
	if err := r.apply(n.change(), sc); err != nil {
		faults.err = err
	}
	joined, err := n.joined(now)
	faults.add("joined_at", err)
	tags, err := cleanTags(n.Tags)
	faults.add("tags", err)
	faults.add("consents", s.checkConsents(n.Consents))
	if faults.err != nil {
		return nil, faults.err
	}
	if len(r.personal.Identifiers) == 0 {
		return nil, ErrIdentifierNeeded
	}
	r.joinedMS = joined.UnixMilli()
	d := &draft{rec: r, tags: tags, agreed: n.Consents, history: n.History, tokens: s.tokenHashes(nameTokens(r.personal.Name))}
	d.joined = event.Event{Kind: "member.joined", AtMS: r.joinedMS, Body: event.MustBody(joinedBody{
		Source: r.source, Store: r.storeID, Kinds: r.kinds(), Consents: n.Consents, History: n.History,
	})}
	for _, i := range r.personal.Identifiers {
		d.hashes = append(d.hashes, s.blind(i))
	}
	s.setMarks(d, n.Verified)
	return d, nil
}

func (s *Service) setMarks(d *draft, verified bool) {
	d.rec.marks = make(map[hash]mark, len(d.hashes))
	for i, h := range d.hashes {
		k := mark{kind: d.rec.personal.Identifiers[i].Kind, source: d.rec.source, addedMS: d.rec.createdMS}
		if verified {
			k.verifiedMS = d.rec.createdMS
		}
		d.rec.marks[h] = k
	}
}

// number gives a draft its id, and seals it, which binds the record to the id.
func (s *Service) number(d *draft, m ID) (err error) {
	d.rec.id = m
	d.joined.Shard, d.joined.Member = m.Shard(), int64(m)
	d.rec.wrapped, d.rec.key = s.box.NewKey()
	d.sealed, err = d.rec.seal()
	return err
}

// write inserts drafts set by set. It answers for each whether one of its identifiers was
// taken; then nothing of it is written.
func (s *Service) write(ctx context.Context, tx *db.Tx, drafts []*draft) ([]error, error) {
	refused, err := claim(ctx, tx, drafts)
	if err != nil {
		return nil, fmt.Errorf("claim identifiers: %w", err)
	}
	schema, err := listAttributesIfAny(ctx, tx, drafts)
	if err != nil {
		return nil, err
	}
	var rows, tokens, tags, values []any
	var events []event.Event
	var agreed []Agreed
	for i, d := range drafts {
		if refused[i] != nil {
			continue
		}
		rows = append(rows, d.rec.row(d.sealed)...)
		tokens = append(tokens, tokenRows(d.tokens, d.rec.id)...)
		for _, tag := range d.tags {
			tags = append(tags, d.rec.id.Shard(), int64(d.rec.id), tag)
		}
		values = append(values, valueRows(d.rec, schema, slices.Sorted(maps.Keys(d.rec.attributes)))...)
		events = append(events, d.joined)
		if len(d.agreed) > 0 {
			agreed = append(agreed, Agreed{d.rec.id, d.agreed, d.rec.joinedMS, d.history})
		}
	}
	for _, set := range []struct {
		into db.Bulk
		rows []any
	}{{insertMembers, rows}, {insertTokens, tokens}, {insertTags, tags}, {putValues, values}} {
		if err := set.into.Exec(ctx, tx, set.rows); err != nil {
			return nil, fmt.Errorf("insert members: %w", err)
		}
	}
	if err := event.AppendAll(ctx, tx, events); err != nil || len(agreed) == 0 || s.hooks.Consents == nil {
		return refused, err
	}
	return refused, s.hooks.Consents.Joined(ctx, tx, agreed)
}

// listAttributesIfAny spares the batches without attributes a round trip.
func listAttributesIfAny(ctx context.Context, tx *db.Tx, drafts []*draft) (map[string]Attribute, error) {
	for _, d := range drafts {
		if len(d.rec.attributes) > 0 {
			return listAttributes(ctx, tx)
		}
	}
	return nil, nil
}

// claim takes the identifiers of all drafts, in the order of their hashes, so that two
// batches wait for each other and never in a ring. A draft that does not get all of its
// own is refused and gives back the ones it got.
func claim(ctx context.Context, tx *db.Tx, drafts []*draft) ([]error, error) {
	var all []claimed
	for i, d := range drafts {
		for j, h := range d.hashes {
			all = append(all, claimed{h, i, d.rec.personal.Identifiers[j].Kind})
		}
	}
	slices.SortFunc(all, func(a, b claimed) int { return slices.Compare(a.hash[:], b.hash[:]) })
	args := make([]any, 0, 7*len(all))
	for _, c := range all {
		rec := drafts[c.draft].rec
		args = append(args, identifierRow(c.hash, rec.marks[c.hash], rec.id)...)
	}
	got := make(map[hash]bool, len(all))
	err := insertIdentifiers.Each(args, func(st *db.Stmt, part []any) error {
		return db.ReadRows(func(rows *db.Rows) error {
			var h []byte
			err := rows.Scan(&h)
			got[hash(h)] = true
			return err
		})(tx.Query(ctx, st, part...))
	})
	if err != nil {
		return nil, err
	}
	return giveBack(ctx, tx, drafts, all, got)
}

// claimed is one identifier of one draft.
type claimed struct {
	hash  hash
	draft int
	kind  Kind
}

func giveBack(ctx context.Context, tx *db.Tx, drafts []*draft, all []claimed, got map[hash]bool) ([]error, error) {
	refused := make([]error, len(drafts))
	for _, c := range all {
		if !got[c.hash] {
			refused[c.draft] = taken(c.kind)
		}
	}
	for _, c := range all {
		if refused[c.draft] == nil || !got[c.hash] {
			continue
		}
		if err := deleteIdentifier(ctx, tx, c.hash, drafts[c.draft].rec.id); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// change is what apply makes a record from.
func (n Enrolment) change() Change {
	c := Change{Attributes: n.Attributes}
	for _, f := range []struct {
		to   **string
		from string
	}{
		{&c.External, n.External}, {&c.Phone, n.Phone}, {&c.Email, n.Email}, {&c.Card, n.Card},
		{&c.WeChat, n.WeChat}, {&c.Name, n.Name}, {&c.Birthday, n.Birthday}, {&c.Address, n.Address},
		{&c.City, n.City}, {&c.Language, n.Language}, {&c.Source, n.Source},
	} {
		if f.from != "" {
			*f.to = &f.from
		}
	}
	if n.Gender != "" {
		c.Gender = &n.Gender
	}
	return c
}

// joined is when the member joined, to the millisecond.
func (n Enrolment) joined(now time.Time) (time.Time, error) {
	if n.JoinedAt.IsZero() {
		return now, nil
	}
	if n.JoinedAt.Year() < firstYear || n.JoinedAt.After(now) {
		return time.Time{}, ErrJoined
	}
	return n.JoinedAt, nil
}

// kinds lists the kinds of a record's identifiers, each once, in their order.
func (r *record) kinds() []Kind {
	var list []Kind
	for _, n := range r.personal.Identifiers {
		if !slices.Contains(list, n.Kind) {
			list = append(list, n.Kind)
		}
	}
	return list
}

// cleanTags trims and sorts tags, each once.
func cleanTags(tags []string) ([]string, error) {
	refusal := ErrTag.With("max", maxTag, "many", maxTags)
	if len(tags) > maxTags {
		return nil, refusal
	}
	var clean []string
	for _, tag := range tags {
		if tag = strings.TrimSpace(norm.NFC.String(tag)); tag == "" || !printable(tag, maxTag) {
			return nil, refusal
		}
		clean = append(clean, tag)
	}
	slices.Sort(clean)
	return slices.Compact(clean), nil
}

// checkConsents refuses what is no list of purposes: they are kept in an event, so they
// are short names and nothing personal.
func (s *Service) checkConsents(list []string) error {
	if len(list) > maxConsents {
		return ErrConsent
	}
	for _, purpose := range list {
		if !attributeKey.MatchString(purpose) {
			return ErrConsent
		}
	}
	if s.hooks.Consents == nil {
		return nil
	}
	return s.hooks.Consents.Known(list)
}
