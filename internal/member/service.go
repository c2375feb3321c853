package member

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/program"
)

// Service keeps the members. It is safe for use by many goroutines.
type Service struct {
	db    *db.DB
	box   *seal.Box
	clock clock.Clock
	log   *slog.Logger
	hooks Hooks
	cards []Card
	jobs  *job.Queue // of RegisterJobs

	owner   *cache[hash, ID]                  // whose an identifier is
	pointer *cache[ID, ID]                    // where a record points, 0 for itself
	finder  *finder[Ref, ID]                  // of those who are not in owner
	who     *finder[ID, *cond.Member]         // of profiles
	schema  *cache[int, map[string]Attribute] // under schemaKey
	moves   moves
}

// Hooks are what the members need of others. Any may be nil: what it gives is then absent.
type Hooks struct {
	Programme func() *program.Snapshot                           // zone and stores; UTC and no stores without it
	QR        func(ctx context.Context, code string) (ID, error) // resolves the portal's short-lived codes
	Merger    Merger                                             // the ledger's side of a merge
	Switches  Switches                                           // the ledger's may-earn and may-spend
	Audit     Auditor                                            // the audit trail
	Consents  Consents                                           // keeps what people agree to as they join
	Standings Standings                                          // in which tier members stand
	Colleague func(ctx context.Context, ref string) error        // refuses who is no active account of staff
}

// Consents keeps the consents that come with an enrolment. A higher noun does.
type Consents interface {
	// Known refuses what is no purpose of the programme.
	Known(purposes []string) error
	// Joined keeps them, in the transaction that makes the members.
	Joined(ctx context.Context, tx *db.Tx, list []Agreed) error
}

// Agreed is what one new member agreed to.
type Agreed struct {
	Member   ID
	Purposes []string
	AtMS     int64
	History  bool
}

// Switches sets whether a member may earn and spend; nil leaves a switch as it is. The
// ledger has them, in the row that it locks to post.
type Switches interface {
	SetSwitches(ctx context.Context, m ID, earn, spend *bool, reason string) error
}

// Card is what a higher noun shows on the member's page: under the names "wallets" and
// "tier" in fields of their own, under any other among "cards".
type Card interface {
	Card(ctx context.Context, m ID) (name string, value any, err error)
}

// New makes the service. Call Guard before it is used on a database of its own.
func New(d *db.DB, box *seal.Box, c clock.Clock, log *slog.Logger) *Service {
	if log == nil {
		log = slog.Default()
	}
	owners, merges := staleFor, mergedFor
	if d.Engine() == db.SQLite {
		owners, merges = keptFor, keptFor
	}
	s := &Service{
		db: d, box: box, clock: c, log: log,
		owner: newCache[hash, ID](owners), pointer: newCache[ID, ID](merges), schema: newCache[int, map[string]Attribute](staleFor),
	}
	s.finder, s.who = newFinder(s.direct), newFinder(s.profileOfEach)
	return s
}

// Use sets the hooks. Call it while the program is built.
func (s *Service) Use(h Hooks) { s.hooks = h }

// Register adds a card. Call it while the program is built.
func (s *Service) Register(c Card) { s.cards = append(s.cards, c) }

var (
	markKeySQL = db.Define("member.markKey", `
	INSERT INTO key_mark (one, fingerprint)
	VALUES (1, $1)
	ON CONFLICT (one) DO NOTHING`)
	keyMarkSQL = db.Define("member.keyMark", `
	SELECT fingerprint
	FROM key_mark
	WHERE one = 1`)
)

// Marked reports whether a database was written with a key file before: then a missing
// file is lost, and a new one would be wrong.
func Marked(ctx context.Context, d *db.DB) (marked bool, err error) {
	err = d.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		var mark string
		err := tx.QueryRow(ctx, keyMarkSQL).Scan(&mark)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		marked = err == nil
		return err
	})
	return marked, err
}

// Guard refuses to start with a key file that this database was not written with: new
// members would then be sealed under keys that the next start has not, and known phones
// would pass for new ones. The first start leaves the mark.
func (s *Service) Guard(ctx context.Context) error {
	var mark string
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, markKeySQL, s.box.Fingerprint()); err != nil {
			return err
		}
		return tx.QueryRow(ctx, keyMarkSQL).Scan(&mark)
	})
	if err != nil {
		return fmt.Errorf("check key file: %w", err)
	}
	if mark != s.box.Fingerprint() {
		return ErrKeyFile
	}
	return nil
}

// scene reads what a change is checked against.
func (s *Service) scene(ctx context.Context) (scene, error) {
	schema, err := s.readSchema(ctx)
	return scene{today: s.clock.Now().In(s.zone()), schema: schema}, err
}

// zone is the programme's, or UTC where there is none.
func (s *Service) zone() *time.Location {
	if s.hooks.Programme == nil {
		return time.UTC
	}
	return s.hooks.Programme().Zone
}

// StoreID reads what a request calls a store: public id or code; "" is none.
func (s *Service) StoreID(ref string) (int64, error) {
	if ref == "" {
		return 0, nil
	}
	if s.hooks.Programme == nil {
		return 0, program.ErrNoStore
	}
	st, err := s.hooks.Programme().FindStore(ref)
	return st.ID, err
}

// record notes a change in the audit trail, where there is one. before and after hold no
// personal values.
func (s *Service) record(ctx context.Context, tx *db.Tx, action, subject string, before, after any) error {
	if s.hooks.Audit == nil {
		return nil
	}
	return s.hooks.Audit.Record(ctx, tx, action, subject, before, after)
}

// Auditor writes the audit trail.
type Auditor interface {
	program.Auditor
	// RecordEach is Record of one action that was done to many.
	RecordEach(ctx context.Context, tx *db.Tx, action string, subjects []string) error
}

// Get returns the member that a Ref names, with what was merged into it. Of one who was
// erased, whom only an id still names, it returns what is left.
func (s *Service) Get(ctx context.Context, ref Ref) (Member, error) {
	m, err := s.Trace(ctx, ref)
	if err != nil {
		return Member{}, err
	}
	return s.get(ctx, m)
}

// get returns a record that stands for itself; for a merged one it returns what is left of
// its own.
func (s *Service) get(ctx context.Context, m ID) (out Member, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		out, err = s.read(ctx, tx, m)
		return err
	})
	return out, err
}

func (s *Service) read(ctx context.Context, tx *db.Tx, m ID) (Member, error) {
	r, err := s.load(ctx, tx, m)
	if err != nil {
		return Member{}, err
	}
	merged, err := mergedInto(ctx, tx, m)
	if err != nil {
		return Member{}, fmt.Errorf("get member %d: %w", m, err)
	}
	tags, err := tagsOf(ctx, tx, []ID{m})
	if err != nil {
		return Member{}, fmt.Errorf("get member %d: %w", m, err)
	}
	advisor, err := advisorOf(ctx, tx, m)
	if err != nil {
		return Member{}, fmt.Errorf("get member %d: %w", m, err)
	}
	out := s.member(r)
	out.Merged, out.Tags, out.Advisor = merged, tags[m], staffID(advisor)
	for _, from := range merged {
		twin, err := s.load(ctx, tx, from)
		if err != nil {
			return Member{}, err
		}
		for _, i := range s.member(twin).Identifiers {
			i.From = from
			out.Identifiers = append(out.Identifiers, i)
		}
	}
	return out, nil
}

// member is what the outside sees of a record.
func (s *Service) member(r *record) Member {
	m := Member{
		ID: r.id, Version: r.version, Name: r.personal.Name, Gender: r.gender,
		Birthday: r.personal.Birthday, Address: r.personal.Address, City: r.city,
		Language: r.language, StoreID: r.storeID, Source: r.source,
		Attributes: map[string]any{}, JoinedAt: time.UnixMilli(r.joinedMS).UTC(),
		CreatedAt: time.UnixMilli(r.createdMS).UTC(), MergedInto: r.mergedInto,
	}
	if r.erasedMS != 0 {
		m.ErasedAt = time.UnixMilli(r.erasedMS).UTC()
	}
	for k, v := range r.attributes {
		m.Attributes[k] = v
	}
	for k, v := range r.personal.Attributes {
		m.Attributes[k] = v
	}
	for _, n := range r.personal.Identifiers {
		i := Identifier{Kind: n.Kind, Value: n.Value}
		if mark, ok := r.marks[s.blind(n)]; ok {
			i.Source = mark.source
			if mark.verifiedMS != 0 {
				i.VerifiedAt = time.UnixMilli(mark.verifiedMS).UTC()
			}
		}
		m.Identifiers = append(m.Identifiers, i)
	}
	return m
}

// blind is the blind index entry of an identifier.
func (s *Service) blind(n named) hash { return s.box.Blind(string(n.Kind), n.Value) }

// maxRaces bounds how often a change is tried again that met another one.
const maxRaces = 8

// Patch changes a member and returns it.
func (s *Service) Patch(ctx context.Context, ref Ref, c Change) (Member, error) {
	sc, err := s.scene(ctx)
	if err != nil {
		return Member{}, err
	}
	return s.change(ctx, ref, c.Version, func(r *record) error { return r.apply(c, sc) })
}

// change edits a member in one transaction. An edit that meets another one runs again on
// what the other left, unless the caller named the version that they saw.
func (s *Service) change(ctx context.Context, ref Ref, version *int64, edit func(*record) error) (Member, error) {
	sc, err := s.scene(ctx)
	if err != nil {
		return Member{}, err
	}
	var who ID
	for range maxRaces {
		if who, err = s.Find(ctx, ref); err != nil {
			return Member{}, err
		}
		err = s.changeOnce(ctx, who, version, sc.schema, edit)
		if !errors.Is(err, errRaced) {
			break
		}
		s.pointer.forget(who) // it may have been merged
		if version != nil {
			return Member{}, ErrChanged
		}
	}
	if errors.Is(err, errRaced) {
		return Member{}, ErrChanged.Because(err)
	}
	if err != nil {
		return Member{}, err
	}
	return s.get(ctx, who)
}

func (s *Service) changeOnce(ctx context.Context, who ID, version *int64, schema map[string]Attribute, edit func(*record) error) error {
	var moved []hash
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		r, err := s.load(ctx, tx, who)
		if err != nil {
			return err
		}
		if r.erasedMS != 0 {
			return errRaced // erased meanwhile: to be looked up anew
		}
		if version != nil && *version != r.version {
			return ErrChanged
		}
		before := r.clone()
		if err := edit(r); err != nil {
			return err
		}
		moved, err = s.save(ctx, tx, before, r, schema)
		return err
	})
	for _, h := range moved {
		s.owner.forget(h)
	}
	return err
}

// save writes the difference of two states of a member and tells of it. It returns the
// identifiers that came or went.
func (s *Service) save(ctx context.Context, tx *db.Tx, before, after *record, schema map[string]Attribute) ([]hash, error) {
	fields := changed(before, after)
	if len(fields) == 0 {
		return nil, nil
	}
	sealed, err := after.seal()
	if err != nil {
		return nil, err
	}
	// The row first: it is the lock that keeps two changes of one member apart.
	if err := updateRow(ctx, tx, after, sealed); err != nil {
		return nil, err
	}
	moved, err := s.saveIdentifiers(ctx, tx, before, after)
	if err != nil {
		return moved, err
	}
	if err := s.saveTokens(ctx, tx, before, after); err != nil {
		return moved, fmt.Errorf("save name of member %d: %w", after.id, err)
	}
	if err := saveAttributes(ctx, tx, before, after, schema); err != nil {
		return moved, fmt.Errorf("save attributes of member %d: %w", after.id, err)
	}
	body := changedBody{Fields: fields}
	if before.storeID != after.storeID {
		body.Joining = &joining{before.storeID, after.storeID, after.joinedMS}
	}
	if err := s.tell(ctx, tx, "member.changed", after.id, body); err != nil {
		return moved, err
	}
	return moved, s.record(ctx, tx, "member.changed", after.id.String(), nil, changedBody{Fields: fields})
}

func (s *Service) saveIdentifiers(ctx context.Context, tx *db.Tx, before, after *record) (moved []hash, err error) {
	if len(after.personal.Identifiers) == 0 && len(before.personal.Identifiers) > 0 {
		return nil, ErrIdentifierLast
	}
	for _, n := range before.personal.Identifiers {
		if slices.Contains(after.personal.Identifiers, n) {
			continue
		}
		h := s.blind(n)
		moved = append(moved, h)
		if err := deleteIdentifier(ctx, tx, h, after.id); err != nil {
			return moved, fmt.Errorf("remove identifier of member %d: %w", after.id, err)
		}
	}
	for _, n := range after.personal.Identifiers {
		if slices.Contains(before.personal.Identifiers, n) {
			continue
		}
		h := s.blind(n)
		moved = append(moved, h)
		k, ok := after.marks[h]
		if !ok {
			k = mark{kind: n.Kind, addedMS: s.clock.Now().UnixMilli()}
		}
		free := 0
		err := insertIdentifiers.Each(identifierRow(h, k, after.id), func(st *db.Stmt, args []any) error {
			return db.ReadRows(func(rows *db.Rows) error { free++; return nil })(tx.Query(ctx, st, args...))
		})
		if err != nil {
			return moved, fmt.Errorf("add identifier of member %d: %w", after.id, err)
		}
		if free == 0 {
			return moved, taken(n.Kind)
		}
	}
	return moved, nil
}

// taken refuses an identifier that somebody has. It does not say who: that would tell a
// till whose phone it was.
func taken(k Kind) error {
	return ErrIdentifierTaken.With("kind", fieldOf(k)).At("body." + fieldOf(k))
}

func (s *Service) saveTokens(ctx context.Context, tx *db.Tx, before, after *record) error {
	if before.personal.Name == after.personal.Name {
		return nil
	}
	old := s.tokenHashes(nameTokens(before.personal.Name))
	young := s.tokenHashes(nameTokens(after.personal.Name))
	for _, t := range old {
		if slices.Contains(young, t) {
			continue
		}
		if _, err := tx.Exec(ctx, deleteTokenSQL, tokenShard(t), t, int64(after.id)); err != nil {
			return err
		}
	}
	return insertTokens.Exec(ctx, tx, tokenRows(young, after.id))
}

func saveAttributes(ctx context.Context, tx *db.Tx, before, after *record, schema map[string]Attribute) error {
	var put []string
	for key, v := range after.attributes {
		if old, ok := before.attributes[key]; !ok || old != v {
			put = append(put, key)
		}
	}
	for key := range before.attributes {
		if _, ok := after.attributes[key]; ok {
			continue
		}
		if _, err := tx.Exec(ctx, deleteValueSQL, after.id.Shard(), int64(after.id), key); err != nil {
			return err
		}
	}
	return putValues.Exec(ctx, tx, valueRows(after, schema, put))
}
